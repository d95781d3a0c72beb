//! ARI lines: availability, rates and inventory as partners write them, a range of nights at a time.

pub(crate) mod hotel;
pub(crate) mod supersede;
pub(crate) mod write;

use crate::civil::{Night, Weekdays};
use crate::codec::{Decode, Encode};
use crate::ids::{HotelIx, RatePlanIx, RoomTypeIx};
use crate::rates::{CutOff, OccupancyPrices};

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

/// What a line writes; `None` leaves a field as it is. A stay limit of 0, and `Some(None)` for the other
/// rules, lifts the plan's default on these nights; `clear` lets it hold again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Change {
    pub allotment: Option<u16>,
    pub allotment_delta: Option<i16>,
    /// Rooms left to sell, in place of an allotment.
    pub available: Option<Available>,
    pub overbook: Option<u8>,
    /// Minor units for one night; needs a rate plan.
    pub price: Option<i64>,
    pub min_stay_arrival: Option<u8>,
    pub max_stay_arrival: Option<u8>,
    pub min_stay_through: Option<u8>,
    pub max_stay_through: Option<u8>,
    pub closed_to_arrival: Option<bool>,
    pub closed_to_departure: Option<bool>,
    /// Days, 0–1,100.
    pub min_advance: Option<Option<u16>>,
    pub max_advance: Option<Option<u16>>,
    pub cut_off: Option<Option<CutOff>>,
    /// Empty takes the prices by occupancy away; the rate word's price is that of all others.
    pub occupancy: Option<OccupancyPrices>,
    pub clear: Rules,
    /// Of the rate plan where the line names one, of the hotel where that, else of the room type.
    pub closed: Option<bool>,
}

impl Change {
    /// Whether it writes anything of the room type's cells.
    #[must_use]
    pub const fn touches_cells(&self, has_plan: bool) -> bool {
        self.allotment.is_some()
            || self.allotment_delta.is_some()
            || self.available.is_some()
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
            || self.needs_overlay()
            || self.clear.0 != 0
    }

    /// Whether it writes anything of a plan's overlay.
    #[must_use]
    pub const fn needs_overlay(&self) -> bool {
        self.min_advance.is_some()
            || self.max_advance.is_some()
            || self.cut_off.is_some()
            || self.occupancy.is_some()
            || self.clear.0 & Rules::OVERLAID != 0
    }
}

/// Rooms left to sell, as somebody counted them who had seen the state at a log index. Refused where
/// rooms of the type were promised or given back since: a stale count re-opens sold rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Available {
    pub rooms: u16,
    pub as_of: u64,
}

/// A set of the rules for which a plan may have a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Rules(pub u8);

impl Rules {
    pub const MIN_STAY_ARRIVAL: Self = Self(1);
    pub const MAX_STAY_ARRIVAL: Self = Self(1 << 1);
    pub const MIN_STAY_THROUGH: Self = Self(1 << 2);
    pub const MAX_STAY_THROUGH: Self = Self(1 << 3);
    pub const MIN_ADVANCE: Self = Self(1 << 4);
    pub const MAX_ADVANCE: Self = Self(1 << 5);
    pub const CUT_OFF: Self = Self(1 << 6);
    const OVERLAID: u8 = Self::MIN_ADVANCE.0 | Self::MAX_ADVANCE.0 | Self::CUT_OFF.0;

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One line, its ids resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Line {
    /// Rises within its source.
    pub seq: u64,
    /// The whole hotel is closed or opened: `room_type` and `rate_plan` are not read then.
    pub hotel: Option<HotelIx>,
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
    AdvanceOutOfRange,
    CutOffOutOfRange,
    OccupancyInvalid,
    PriceOutsideBounds,
    Contradiction,
    CapacityReached,
    /// The prices of a derived plan come from its parent alone.
    DerivedPrice,
    HotelTakesClosedOnly,
    StaleVersion,
    UnknownHotel,
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
            Self::AdvanceOutOfRange => ("ari.advance_out_of_range", ""),
            Self::CutOffOutOfRange => ("ari.release_out_of_range", "/release_days"),
            Self::OccupancyInvalid => ("ari.occupancy_invalid", "/occupancy_prices"),
            Self::PriceOutsideBounds => ("price.outside_bounds", "/price"),
            Self::Contradiction => ("ari.contradiction", ""),
            Self::CapacityReached => ("capacity.reached", ""),
            Self::DerivedPrice => ("rate.derived", "/price"),
            Self::HotelTakesClosedOnly => ("ari.room_type_required", "/room_type"),
            Self::UnknownHotel => ("not_found", "/hotel"),
            Self::StaleVersion => ("ari.version_stale", "/as_of_version"),
        }
    }
}
