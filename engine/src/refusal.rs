//! Refusals: every way in which the engine says no, with the nights and layers that stand in the way.
//!
//! A refusal is an outcome: replicated, and (where [`Code::is_stored`] says so) stored with its
//! idempotency key and replayed. Codes are stable names of the outside contract.

use crate::civil::Night;
use crate::codec::{Decode, Encode};
use crate::ids::{BookingId, HoldId, RatePlanIx, RoomTypeIx};
use crate::rates::CutOff;

/// The layer of the house in which a blocker lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Layer {
    Hotel,
    RoomType(RoomTypeIx),
    RatePlan(RatePlanIx),
    /// The promotion that was asked for.
    Promo,
}

/// Why a night (or the stay as a whole) cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Reason {
    HotelNotLive,
    Closed,
    NoPrice,
    ClosedToArrival,
    ClosedToDeparture,
    MinStayArrival(u8),
    MaxStayArrival(u8),
    MinStayThrough(u8),
    MaxStayThrough(u8),
    /// Rooms left, of the rooms wanted; `held` of the missing ones are only held and may come back.
    Insufficient {
        free: u16,
        wanted: u16,
        held: u16,
    },
    TooManyGuests,
    /// Fewest days ahead.
    MinAdvance(u16),
    /// Most days ahead.
    MaxAdvance(u16),
    /// The night stopped selling.
    CutOff(CutOff),
    /// Rooms the block has left, of the rooms wanted from it.
    BlockInsufficient {
        left: u16,
        wanted: u16,
    },
    /// The hotel's partner has no such code.
    PromoUnknown,
    /// It is not for this hotel.
    PromoHotel,
    /// Its amounts are not of the hotel's currency.
    PromoCurrency,
    /// It cannot be booked on this date.
    PromoBookingWindow,
    /// It is not for this night.
    PromoStayWindow,
    /// Fewest nights.
    PromoMinNights(u16),
    /// All its uses are taken.
    PromoUses,
    /// What is left of its money is less than it would take off.
    PromoMoney,
    /// Rooms the guest holds already and wants, of the share of one guest.
    OverShare {
        held: u16,
        wanted: u16,
        share: u16,
    },
}

/// One obstacle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Blocker {
    pub reason: Reason,
    pub layer: Layer,
    /// The night concerned; the check-out date for departures.
    pub night: Night,
}

/// Stable names of refusals. The outside text is [`Code::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Code {
    NotConfigured,
    Invariant,
    NotFound,
    Malformed,
    CapacityReached,
    VersionMismatch,
    StateConflict,
    KeyReused,
    KeysFull,
    ReferenceDuplicate,
    StayTooShort,
    StayTooLong,
    StayInPast,
    StayBeyondHorizon,
    StayRestricted,
    StayClosed,
    RateMissing,
    OccupancyTooMany,
    InventoryInsufficient,
    InventoryTooLarge,
    PriceChanged,
    PriceOutOfRange,
    QuotaExceeded,
    HoldExpired,
    HoldReleased,
    HoldAlreadyConfirmed,
    HoldConfirming,
    HoldNotConfirming,
    HoldExtensionLimit,
    PaymentDeclined,
    BookingState,
    BlockState,
    WaitlistNotNeeded,
    WaitlistLimit,
    WaitlistState,
    HoldWaitlistWaiting,
    RatePlanParent,
    RatePlanCycle,
    RatePlanTooDeep,
    InUse,
    PromoUnknown,
    PromoNotValid,
    PromoExhausted,
    PromoTaken,
}

impl Code {
    /// The dotted name of the outside contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotConfigured => "engine.not_configured",
            Self::Invariant => "internal.invariant",
            Self::NotFound => "not_found",
            Self::Malformed => "request.invalid",
            Self::CapacityReached => "capacity.reached",
            Self::VersionMismatch => "version.mismatch",
            Self::StateConflict => "state.conflict",
            Self::KeyReused => "idempotency.key_reused",
            Self::KeysFull => "idempotency.capacity",
            Self::ReferenceDuplicate => "reference.duplicate",
            Self::StayTooShort => "stay.too_short",
            Self::StayTooLong => "stay.too_long",
            Self::StayInPast => "stay.in_past",
            Self::StayBeyondHorizon => "stay.beyond_horizon",
            Self::StayRestricted => "stay.restricted",
            Self::StayClosed => "stay.closed",
            Self::RateMissing => "rate.missing",
            Self::OccupancyTooMany => "occupancy.too_many",
            Self::InventoryInsufficient => "inventory.insufficient",
            Self::InventoryTooLarge => "inventory.too_large",
            Self::PriceChanged => "price.changed",
            Self::PriceOutOfRange => "price.out_of_range",
            Self::QuotaExceeded => "hold.quota_exceeded",
            Self::HoldExpired => "hold.expired",
            Self::HoldReleased => "hold.released",
            Self::HoldAlreadyConfirmed => "hold.already_confirmed",
            Self::HoldConfirming => "hold.confirming",
            Self::HoldNotConfirming => "hold.not_confirming",
            Self::HoldExtensionLimit => "hold.extension_limit",
            Self::PaymentDeclined => "payment.declined",
            Self::BookingState => "booking.state",
            Self::BlockState => "block.state",
            Self::WaitlistNotNeeded => "waitlist.not_needed",
            Self::WaitlistLimit => "waitlist.limit",
            Self::WaitlistState => "waitlist.state",
            Self::HoldWaitlistWaiting => "hold.waitlist_waiting",
            Self::RatePlanParent => "rate_plan.parent_unknown",
            Self::RatePlanCycle => "rate_plan.cycle",
            Self::RatePlanTooDeep => "rate_plan.too_deep",
            Self::InUse => "state.in_use",
            Self::PromoUnknown => "promo.unknown",
            Self::PromoNotValid => "promo.not_valid",
            Self::PromoExhausted => "promo.exhausted",
            Self::PromoTaken => "promo.code_taken",
        }
    }

    /// The HTTP status that the outside contract gives it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::PaymentDeclined => 402,
            Self::NotFound => 404,
            Self::StateConflict
            | Self::ReferenceDuplicate
            | Self::StayRestricted
            | Self::StayClosed
            | Self::RateMissing
            | Self::InventoryInsufficient
            | Self::PriceChanged
            | Self::HoldReleased
            | Self::HoldAlreadyConfirmed
            | Self::HoldConfirming
            | Self::HoldNotConfirming
            | Self::HoldExtensionLimit
            | Self::BookingState
            | Self::BlockState
            | Self::WaitlistNotNeeded
            | Self::WaitlistState
            | Self::HoldWaitlistWaiting
            | Self::InUse
            | Self::PromoNotValid
            | Self::PromoExhausted
            | Self::PromoTaken => 409,
            Self::HoldExpired => 410,
            Self::VersionMismatch => 412,
            Self::KeyReused
            | Self::RatePlanParent
            | Self::RatePlanCycle
            | Self::RatePlanTooDeep
            | Self::StayTooShort
            | Self::StayTooLong
            | Self::StayInPast
            | Self::StayBeyondHorizon
            | Self::OccupancyTooMany
            | Self::InventoryTooLarge
            | Self::PriceOutOfRange
            | Self::PromoUnknown => 422,
            Self::QuotaExceeded | Self::WaitlistLimit => 429,
            Self::Invariant => 500,
            Self::NotConfigured | Self::KeysFull | Self::CapacityReached => 503,
        }
    }

    /// Whether the promotion that was asked for is what stands in the way.
    #[must_use]
    pub const fn is_promo(self) -> bool {
        matches!(self, Self::PromoUnknown | Self::PromoNotValid | Self::PromoExhausted)
    }

    /// Whether a refusal with this code is stored with its key. Not stored, hence judged anew: what a
    /// client may mend or wait for (400, 404, 422, 429, 5xx), missing rooms, and a payment under way.
    #[must_use]
    pub const fn is_stored(self) -> bool {
        // A payment under way is another request's, and passes.
        let passes = matches!(self, Self::InventoryInsufficient | Self::HoldConfirming);
        matches!(self.status(), 402 | 409 | 410 | 412) && !passes
    }
}

/// What one guest may hold no more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Cap {
    Holds,
    Rooms,
    RoomNights,
    /// Of one cell; the blockers name every night.
    CellShare,
}

impl Cap {
    /// The name of the outside contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Rooms => "rooms",
            Self::RoomNights => "room_nights",
            Self::CellShare => "cell_share",
        }
    }
}

/// A refusal with all that a client needs to act on it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Refusal {
    pub code: Code,
    /// Every obstacle, by line, then night; empty where the code says all.
    pub blockers: Vec<Blocker>,
    /// The total that would be charged now, for `price.changed`.
    pub total: Option<i64>,
    /// The booking that stands in the way, for `hold.already_confirmed` and a duplicate reference.
    pub booking: Option<BookingId>,
    /// The hold that stands in the way, for a duplicate reference.
    pub hold: Option<HoldId>,
    /// The bookings that stand in the way of a removal, by id, at most 20.
    pub bookings: Vec<BookingId>,
    /// Which cap it is, for `hold.quota_exceeded`.
    pub cap: Option<Cap>,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self {
            code,
            blockers: Vec::new(),
            total: None,
            booking: None,
            hold: None,
            bookings: Vec::new(),
            cap: None,
        }
    }
}

impl Refusal {
    /// A refusal that names its obstacles; the code is the most severe one's: closed, then no price,
    /// then restrictions, then guests, then the promotion, then missing rooms.
    #[must_use]
    pub fn blocked(blockers: Vec<Blocker>) -> Self {
        let rank = |blocker: &Blocker| match blocker.reason {
            Reason::HotelNotLive | Reason::Closed => 0,
            Reason::NoPrice => 1,
            Reason::TooManyGuests => 3,
            Reason::PromoUnknown => 4,
            reason if reason.is_promo() => 5,
            Reason::Insufficient { .. } | Reason::BlockInsufficient { .. } => 6,
            _ => 2,
        };
        let code = match blockers.iter().map(rank).min() {
            Some(0) => Code::StayClosed,
            Some(1) => Code::RateMissing,
            Some(2) => Code::StayRestricted,
            Some(3) => Code::OccupancyTooMany,
            Some(4) => Code::PromoUnknown,
            Some(5) => Code::PromoNotValid,
            _ => Code::InventoryInsufficient,
        };
        Self { blockers, ..Self::from(code) }
    }
}

impl Reason {
    /// Whether it is the promotion's, which the stay could be had without.
    #[must_use]
    pub const fn is_promo(self) -> bool {
        matches!(
            self,
            Self::PromoUnknown
                | Self::PromoHotel
                | Self::PromoCurrency
                | Self::PromoBookingWindow
                | Self::PromoStayWindow
                | Self::PromoMinNights(_)
                | Self::PromoUses
                | Self::PromoMoney
        )
    }

    /// The dotted name of the outside contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HotelNotLive => "hotel.not_live",
            Self::Closed => "stay.closed",
            Self::NoPrice => "rate.missing",
            Self::ClosedToArrival => "stay.closed_to_arrival",
            Self::ClosedToDeparture => "stay.closed_to_departure",
            Self::MinStayArrival(_) => "stay.min_stay_arrival",
            Self::MaxStayArrival(_) => "stay.max_stay_arrival",
            Self::MinStayThrough(_) => "stay.min_stay_through",
            Self::MaxStayThrough(_) => "stay.max_stay_through",
            Self::Insufficient { .. } => "inventory.insufficient",
            Self::TooManyGuests => "occupancy.too_many",
            Self::MinAdvance(_) => "stay.min_advance",
            Self::MaxAdvance(_) => "stay.max_advance",
            Self::CutOff(_) => "stay.cut_off",
            Self::BlockInsufficient { .. } => "block.insufficient",
            Self::PromoUnknown => "promo.unknown",
            Self::PromoHotel => "promo.other_hotel",
            Self::PromoCurrency => "promo.other_currency",
            Self::PromoBookingWindow => "promo.booking_window",
            Self::PromoStayWindow => "promo.stay_window",
            Self::PromoMinNights(_) => "promo.min_nights",
            Self::PromoUses => "promo.uses_exhausted",
            Self::PromoMoney => "promo.money_exhausted",
            Self::OverShare { .. } => "hold.share_exceeded",
        }
    }
}
