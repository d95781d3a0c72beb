//! What a plan asks of one party, night by night: the night's price for its adults, what its children
//! add.
//!
//! It refuses to know what goes on top (`quote`) and what else stands in the way of a night
//! (`blockers`).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Stay;
use crate::catalogue::{
    Hotel, HotelDraft, Occupancies, Offering, RatePlan, RoomType, RoomTypeDraft,
};
use crate::civil::Night;
use crate::ids::{RatePlanIx, RoomTypeIx};
use crate::limits::PRICE_MAX;
use crate::rates::{OccupancyPrices, RateWord};
use crate::refusal::{Blocker, Layer, Reason};
use crate::state::Shared;

/// A plan and a party, looked at once for all nights.
#[derive(Debug, Clone, Copy)]
pub struct Pricing<'a> {
    room_type: RoomTypeIx,
    rate_plan: RatePlanIx,
    occupancy: &'a Occupancies,
    adults: u8,
    max_adults: u8,
    /// The room takes the party.
    fits: bool,
    extra: i64,
    /// The night's price is the price, where the night names no others.
    flat: bool,
}

/// The records behind an offering whose prices are not simply what its nights list.
#[derive(Debug)]
pub struct Records {
    room_type: Arc<RoomType>,
    rate_plan: Arc<RatePlan>,
}

/// The records of an offering, where a party with such children may not simply pay what its nights
/// list; `None` in the common case that every party does.
#[must_use]
pub fn find_records(
    shared: &Shared,
    hotel: &Hotel,
    offering: &Offering,
    children: &[u8],
) -> Option<Records> {
    let has_bands = !children.is_empty() && !hotel.draft.age_bands.0.is_empty();
    if offering.flat && !has_bands && shared.overlays.of(offering.rate_plan.0).is_none() {
        return None;
    }
    let room_type = shared.room_types.get_full(offering.room_type.0)?;
    let rate_plan = shared.rate_plans.get_full(offering.rate_plan.0)?;
    Some(Records { room_type, rate_plan })
}

impl Records {
    #[must_use]
    pub fn pricing(&self, hotel: &Hotel, party: (u8, &[u8])) -> Pricing<'_> {
        Pricing::of(&hotel.draft, &self.room_type.draft, &self.rate_plan, party)
    }
}

impl<'a> Pricing<'a> {
    /// For adults and children, by their ages, of one room.
    #[must_use]
    pub fn of(
        hotel: &HotelDraft,
        room_type: &RoomTypeDraft,
        rate_plan: &'a RatePlan,
        (adults, children): (u8, &[u8]),
    ) -> Self {
        let occupancy = &rate_plan.draft.occupancy;
        let max_adults = room_type.max_adults;
        let guests = hotel.age_bands.count(adults, children);
        Self {
            room_type: rate_plan.room_type,
            rate_plan: rate_plan.ix,
            occupancy,
            adults: guests.adults,
            max_adults,
            fits: room_type.takes(guests.adults, guests.children),
            extra: hotel.age_bands.extra(children, occupancy.extra_adult),
            flat: occupancy.is_flat(max_adults),
        }
    }

    /// What children add to every night, minor units.
    #[must_use]
    pub const fn extra(&self) -> i64 {
        self.extra
    }

    /// The price of a night for the adults, without what children add; else what stands in the way.
    #[inline]
    pub fn night(&self, shared: &Shared, word: RateWord, night: Night) -> Result<i64, Reason> {
        let listed = word.price().ok_or(Reason::NoPrice)?;
        if self.flat && !word.overlaid() {
            return Ok(listed);
        }
        let dated = if word.overlaid() {
            shared.overlays.at(self.rate_plan.0, night).occupancy
        } else {
            OccupancyPrices::default()
        };
        if self.flat && dated.is_empty() {
            return Ok(listed);
        }
        self.occupancy.price((self.adults, self.max_adults), listed, dated.pairs())
    }

    /// The night's word with all that the party pays for its price, or with none.
    pub(crate) fn word(&self, shared: &Shared, word: RateWord, night: Night) -> RateWord {
        let price = self.night(shared, word, night).map(|price| price.saturating_add(self.extra));
        match price {
            Ok(price) if price <= PRICE_MAX => word.with_price(price),
            _ => word.without_price(),
        }
    }

    /// A room that does not take the party, or else the nights of a stay that have a price, but none for
    /// it.
    pub fn find_blockers(&self, shared: &Shared, stay: Stay, blockers: &mut Vec<Blocker>) {
        if !self.fits {
            let (layer, night) = (Layer::RoomType(self.room_type), stay.check_in);
            blockers.push(Blocker { reason: Reason::TooManyGuests, layer, night });
            return;
        }
        // A flat price is for every party that the room takes.
        if self.flat {
            return;
        }
        let Some(row) = shared.rates.row(self.rate_plan.0) else { return };
        let layer = Layer::RatePlan(self.rate_plan);
        let slots = row.nights(stay.check_in, stay.nights());
        for (slot, night) in slots.zip(stay.check_in.until(stay.check_out)) {
            // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
            let word = RateWord(slot.load(Ordering::Acquire));
            if word.price().is_some()
                && let Err(reason) = self.night(shared, word, night)
            {
                blockers.push(Blocker { reason, layer, night });
            }
        }
    }
}
