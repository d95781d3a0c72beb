//! Partners and hotels.

use std::sync::Arc;

use super::{AgeBands, MealPlan, Text};
use crate::codec::{Decode, Encode};
use crate::ids::{HotelId, HotelIx, PartnerId, RatePlanIx, RoomTypeIx};
use crate::limits::{MAX_STAY_MAX, TEXT_BYTES_MAX};
use crate::money::Currency;
use crate::rates::RateWord;
use crate::zone::Zone;

/// A partner organisation: whose hotels these are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Partner {
    pub id: PartnerId,
    pub name: String,
    /// Log time at which it was first seen, milliseconds.
    pub created_ms: u64,
}

/// Where a hotel stands on its way to being sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum HotelStatus {
    Draft,
    Pending,
    Live,
    Suspended,
}

/// What a hotel charges of the shares in force where it stands. The provincial fee is nobody's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TaxProfile {
    pub service_charge: bool,
    /// The hotel is registered for VAT.
    pub vat: bool,
}

impl TaxProfile {
    /// Charges everything.
    pub const STANDARD: Self = Self { service_charge: true, vat: true };
}

/// What a partner says of a hotel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HotelDraft {
    pub name: Text,
    pub description: Text,
    /// DOPA province code, 10–96.
    pub province: u8,
    /// Degrees north × 10⁶.
    pub lat_e6: i32,
    /// Degrees east × 10⁶.
    pub lon_e6: i32,
    /// 0 (none) to 5.
    pub stars: u8,
    /// Position in the deployment's list of property types.
    pub property_type: u8,
    /// Bit set over the deployment's list of amenities.
    pub amenities: u64,
    /// IANA name.
    pub zone: String,
    pub currency: Currency,
    /// Longest stay in nights, 1–365.
    pub max_stay: u16,
    /// Minutes of the day, 0–1,439, hotel-local.
    pub check_in_minute: u16,
    pub check_out_minute: u16,
    pub tax_profile: TaxProfile,
    pub age_bands: AgeBands,
}

impl HotelDraft {
    /// Within every bound. The door has said why not to the client; this is the authority's own look.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.name.fits()
            && self.description.fits()
            && (10..=96).contains(&self.province)
            && (-90_000_000..=90_000_000).contains(&self.lat_e6)
            && (-180_000_000..=180_000_000).contains(&self.lon_e6)
            && self.stars <= 5
            && self.zone.len() <= TEXT_BYTES_MAX
            && self.currency.0.iter().all(u8::is_ascii_uppercase)
            && (1..=MAX_STAY_MAX).contains(&self.max_stay)
            && self.check_in_minute < 1_440
            && self.check_out_minute < 1_440
            && self.age_bands.is_valid()
            && Zone::find(&self.zone).is_some()
    }
}

/// One sellable product of a hotel, flat, so that a search walks one short array per hotel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Offering {
    pub room_type: RoomTypeIx,
    pub rate_plan: RatePlanIx,
    pub max_adults: u8,
    pub max_children: u8,
    pub max_occupancy: u8,
    pub meal_plan: MealPlan,
    pub tax_inclusive: bool,
    /// Cancelling is free at least until some deadline.
    pub free_cancellation: bool,
    /// The plan's stay limits, for nights that say nothing.
    pub limits: RateWord,
    /// The plan has a rule by default that looks at the clock.
    pub watches_clock: bool,
    /// A night's price is for every number of adults that the room takes, unless the night says more.
    pub flat: bool,
}

impl Offering {
    /// Whether one room takes these guests, as the hotel's age bands count them.
    #[must_use]
    pub fn takes(&self, adults: u8, children: usize) -> bool {
        adults <= self.max_adults
            && children <= usize::from(self.max_children)
            && usize::from(adults) + children <= usize::from(self.max_occupancy)
    }
}

/// A hotel as it stands. `version` rises with every change of it; it is the entity tag outside.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Hotel {
    pub ix: HotelIx,
    pub id: HotelId,
    pub partner: PartnerId,
    pub version: u32,
    pub status: HotelStatus,
    pub draft: HotelDraft,
    /// The zone of the draft, resolved.
    pub zone: Zone,
    /// All its room types, deleted ones included, in the order they were made.
    pub room_types: Vec<RoomTypeIx>,
    /// What can be sold, by room type, then plan.
    pub offerings: Arc<[Offering]>,
    pub created_ms: u64,
}
