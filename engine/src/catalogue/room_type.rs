//! Room types: what is counted.

use super::Text;
use crate::codec::{Decode, Encode};
use crate::ids::{HotelIx, RatePlanIx, RoomTypeId, RoomTypeIx};
use crate::limits::TEXT_BYTES_MAX;

/// What a partner says of a room type.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RoomTypeDraft {
    pub name: Text,
    pub max_adults: u8,
    pub max_children: u8,
    /// Adults and children together.
    pub max_occupancy: u8,
    /// Free text, e.g. `1 king` or `2 single`.
    pub beds: String,
    pub size_m2: u16,
    /// Bit set over the deployment's list of amenities.
    pub amenities: u64,
}

impl RoomTypeDraft {
    /// Within every bound.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.name.fits()
            && self.beds.len() <= TEXT_BYTES_MAX
            && self.max_adults >= 1
            && self.max_occupancy >= 1
            && self.max_adults <= self.max_occupancy
            && self.max_children < self.max_occupancy.max(1)
    }

    /// Whether one room takes these guests, as the hotel's age bands count them.
    #[must_use]
    pub fn takes(&self, adults: u8, children: usize) -> bool {
        adults <= self.max_adults
            && children <= usize::from(self.max_children)
            && usize::from(adults) + children <= usize::from(self.max_occupancy)
    }
}

/// A room type as it stands.
#[derive(Debug, Clone, Encode, Decode)]
pub struct RoomType {
    pub ix: RoomTypeIx,
    pub id: RoomTypeId,
    pub hotel: HotelIx,
    pub version: u32,
    pub draft: RoomTypeDraft,
    /// It sells nothing any more and is shown only where it was booked.
    pub removed: bool,
    /// All its plans, in the order they were made.
    pub rate_plans: Vec<RatePlanIx>,
}
