//! ARI lines: availability, rates and inventory as partners write them, a range of nights at a time.

pub(crate) mod supersede;

use crate::civil::{Night, Weekdays};
use crate::codec::{Decode, Encode};
use crate::ids::{RatePlanIx, RoomTypeIx};

/// What to do where a cut of the allotment goes below what is already promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub enum OnConflict {
    /// Take it: it is physical truth. Promises stay, nothing is available, an event names the deficit.
    #[default]
    Accept,
    /// Refuse the line.
    Reject,
    /// Cut only as far as promises allow.
    Clamp,
}

/// What a line writes; `None` leaves a field as it is. Stay limits: 0 takes the limit away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Change {
    pub allotment: Option<u16>,
    pub allotment_delta: Option<i16>,
    pub overbook: Option<u8>,
    /// Minor units for one night; needs a rate plan.
    pub price: Option<i64>,
    pub min_stay_arrival: Option<u8>,
    pub max_stay_arrival: Option<u8>,
    pub min_stay_through: Option<u8>,
    pub max_stay_through: Option<u8>,
    pub closed_to_arrival: Option<bool>,
    pub closed_to_departure: Option<bool>,
    /// Of the rate plan where the line names one, else of the room type.
    pub closed: Option<bool>,
}

impl Change {
    /// Whether it writes anything of the room type's cells.
    #[must_use]
    pub const fn touches_cells(&self, has_plan: bool) -> bool {
        self.allotment.is_some()
            || self.allotment_delta.is_some()
            || self.overbook.is_some()
            || (self.closed.is_some() && !has_plan)
    }

    /// Whether it writes anything of a plan's rate words besides `closed`.
    #[must_use]
    pub const fn needs_plan(&self) -> bool {
        self.price.is_some()
            || self.min_stay_arrival.is_some()
            || self.max_stay_arrival.is_some()
            || self.min_stay_through.is_some()
            || self.max_stay_through.is_some()
            || self.closed_to_arrival.is_some()
            || self.closed_to_departure.is_some()
    }
}

/// One line, its ids resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Line {
    /// Rises within its source.
    pub seq: u64,
    pub room_type: RoomTypeIx,
    pub rate_plan: Option<RatePlanIx>,
    pub from: Night,
    /// Inclusive.
    pub to: Night,
    pub days: Weekdays,
    pub change: Change,
    pub on_conflict: OnConflict,
}

/// What became of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum LineOutcome {
    Applied,
    /// Everything it says was so already.
    Unchanged,
    /// Later lines of the same command write all of it.
    Superseded,
    /// Its `seq` is not above the last one applied for its source.
    Stale,
    Rejected(LineRefusal),
}

/// Why a line was not applied. Nothing of it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum LineRefusal {
    UnknownRoomType,
    UnknownRatePlan,
    NotYours,
    NothingToWrite,
    NeedsRatePlan,
    EmptyRange,
    NoWeekday,
    PastNight,
    BeyondHorizon,
    TooLarge,
    BelowZero,
    PriceOutOfRange,
    StayLimitOutOfRange,
    MaxBelowMin,
    BelowPromised,
}

impl LineRefusal {
    /// The dotted name of the outside contract, and the field it is about.
    #[must_use]
    pub const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::UnknownRoomType => ("not_found", "/room_type"),
            Self::UnknownRatePlan => ("not_found", "/rate_plan"),
            Self::NotYours => ("not_found", "/room_type"),
            Self::NothingToWrite => ("ari.empty", ""),
            Self::NeedsRatePlan => ("ari.rate_plan_required", "/rate_plan"),
            Self::EmptyRange => ("ari.empty_range", "/to"),
            Self::NoWeekday => ("ari.no_weekday", "/days"),
            Self::PastNight => ("stay.in_past", "/from"),
            Self::BeyondHorizon => ("stay.beyond_horizon", "/to"),
            Self::TooLarge => ("inventory.too_large", "/allotment"),
            Self::BelowZero => ("inventory.below_zero", "/allotment_delta"),
            Self::PriceOutOfRange => ("price.out_of_range", "/price"),
            Self::StayLimitOutOfRange => ("ari.stay_limit_out_of_range", ""),
            Self::MaxBelowMin => ("ari.max_below_min", ""),
            Self::BelowPromised => ("inventory.below_promised", "/allotment"),
        }
    }
}
