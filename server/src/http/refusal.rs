//! The engine's refusals as problems: the one place where outcomes become statuses and words.

use holdfast_engine::Night;
use holdfast_engine::refusal::{Cap, Layer, Reason};
use holdfast_engine::{Blocker as EngineBlocker, Code, Reader, Refusal};
use http::StatusCode;

use crate::problem::{Blocker, Problem};
use crate::wire::money::Money;

/// Dresses a refusal. Ids of layers are looked up in the catalogue of now; they never change.
pub fn problem(refusal: &Refusal, reader: &Reader) -> Problem {
    if refusal.code == Code::Invariant {
        tracing::error!(?refusal, "the engine met a state that must not be");
        return Problem::internal();
    }
    let status =
        StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let blockers = refusal.blockers.iter().map(|blocker| self::blocker(blocker, reader)).collect();
    let mut problem =
        Problem::new(status, refusal.code.name(), detail(refusal.code)).with_blockers(blockers);
    if let Some(total) = refusal.total {
        // The deployment's hotels may differ in currency; the hold's own reply names it.
        problem = problem.with("total", total);
    }
    if let Some(booking) = refusal.booking {
        problem = problem.with("booking_id", booking.to_string());
    }
    if !refusal.bookings.is_empty() {
        let bookings: Vec<_> = refusal.bookings.iter().map(ToString::to_string).collect();
        problem = problem.with("booking_ids", bookings);
    }
    if let Some(hold) = refusal.hold {
        problem = problem.with("hold_id", hold.to_string());
    }
    if let Some(cap) = refusal.cap {
        problem = problem.with("cap", cap.name());
        if let Some(limit) = limit_of(cap, reader) {
            problem = problem.with("limit", limit);
        }
    }
    if refusal.code == Code::ReferenceDuplicate {
        // What has the name: its booking where there is one.
        let link = match (refusal.booking, refusal.hold) {
            (Some(booking), _) => Some(format!("/v1/bookings/{booking}")),
            (None, Some(hold)) => Some(format!("/v1/holds/{hold}")),
            (None, None) => None,
        };
        if let Some(link) = link {
            problem = problem.with("link", link);
        }
    }
    match status {
        StatusCode::SERVICE_UNAVAILABLE => problem.retry_after(5),
        StatusCode::TOO_MANY_REQUESTS => problem.retry_after(30),
        _ => problem,
    }
}

/// How many of it one guest may hold; of a share the blockers say it night by night.
fn limit_of(cap: Cap, reader: &Reader) -> Option<u32> {
    let quota = reader.settings()?.quota;
    match cap {
        Cap::Holds => Some(quota.holds),
        Cap::Rooms => Some(quota.rooms),
        Cap::RoomNights => Some(quota.room_nights),
        Cap::CellShare => None,
    }
}

/// A total as the problem's `total` member, with its currency.
pub fn with_total(problem: Problem, total: Money) -> Problem {
    problem.with("total", total)
}

/// One obstacle, in words.
pub fn blocker(blocker: &EngineBlocker, reader: &Reader) -> Blocker {
    Blocker {
        code: blocker.reason.name().to_owned(),
        night: Some(blocker.night.to_string()),
        layer: match blocker.layer {
            Layer::Hotel => "hotel".to_owned(),
            Layer::RoomType(ix) => reader
                .room_type(ix)
                .map_or_else(|| "room_type".to_owned(), |found| format!("room_type:{}", found.id)),
            Layer::RatePlan(ix) => reader
                .rate_plan(ix)
                .map_or_else(|| "rate_plan".to_owned(), |found| format!("rate_plan:{}", found.id)),
            Layer::Promo => "promo".to_owned(),
        },
        detail: reason(blocker.reason, blocker.night),
    }
}

fn reason(reason: Reason, night: Night) -> String {
    match reason {
        Reason::HotelNotLive => "The hotel is not on sale.".to_owned(),
        Reason::Closed => "Closed.".to_owned(),
        Reason::NoPrice => "There is no price for this night.".to_owned(),
        Reason::ClosedToArrival => "Nobody may arrive on this day.".to_owned(),
        Reason::ClosedToDeparture => "Nobody may depart on this day.".to_owned(),
        Reason::MinStayArrival(nights) => {
            format!("Arriving on this day means staying at least {nights} nights.")
        }
        Reason::MaxStayArrival(nights) => {
            format!("Arriving on this day means staying at most {nights} nights.")
        }
        Reason::MinStayThrough(nights) => {
            format!("A stay over this night has at least {nights} nights.")
        }
        Reason::MaxStayThrough(nights) => {
            format!("A stay over this night has at most {nights} nights.")
        }
        Reason::Insufficient { free, wanted, held: 0 } => {
            format!("{free} rooms are left, {wanted} are wanted.")
        }
        Reason::Insufficient { free, wanted, held } => {
            format!(
                "{free} rooms are left, {wanted} are wanted; {held} are held and may come back."
            )
        }
        Reason::TooManyGuests => "The room does not take so many guests.".to_owned(),
        Reason::MinAdvance(days) => {
            format!("Arriving on this day is booked at least {days} days ahead.")
        }
        Reason::MaxAdvance(days) => {
            format!("Arriving on this day is booked at most {days} days ahead.")
        }
        Reason::CutOff(cut_off) => {
            let (day, minute) = (night.minus(cut_off.days), cut_off.minute);
            format!("Sales of this night ended on {day} at {:02}:{:02}.", minute / 60, minute % 60)
        }
        Reason::OverShare { held, wanted, share } => {
            format!("One guest may hold {share} here; you hold {held} and want {wanted} more.")
        }
        Reason::BlockInsufficient { left, wanted } => {
            format!("{left} rooms are left of the block, {wanted} are wanted.")
        }
        Reason::PromoUnknown => "There is no such code here.".to_owned(),
        Reason::PromoHotel => "The code is not for this hotel.".to_owned(),
        Reason::PromoCurrency => "The code is not for prices in this currency.".to_owned(),
        Reason::PromoBookingWindow => "The code cannot be used today.".to_owned(),
        Reason::PromoStayWindow => "The code is not for this night.".to_owned(),
        Reason::PromoMinNights(nights) => {
            format!("The code is for stays of at least {nights} nights.")
        }
        Reason::PromoUses => "The code was used as often as it can be.".to_owned(),
        Reason::PromoMoney => "The code has not so much left to give.".to_owned(),
    }
}

fn detail(code: Code) -> &'static str {
    match code {
        Code::NotConfigured => "This node is not set up yet.",
        Code::Invariant => "Internal error.",
        Code::NotFound => "There is no such thing here.",
        Code::Malformed => "The request is outside the bounds of what can be stored.",
        Code::CapacityReached => "This deployment can take no more of these.",
        Code::VersionMismatch => "It has changed since you read it; read it again.",
        Code::StateConflict => "Its state does not allow this.",
        Code::KeyReused => "This Idempotency-Key was used for another request; take a new key.",
        Code::KeysFull => "No more idempotency keys can be kept right now; try again later.",
        Code::ReferenceDuplicate => "You have used this client_reference before.",
        Code::StayTooShort => "A stay has at least one night: check_out lies after check_in.",
        Code::StayTooLong => "The stay is longer than the hotel takes.",
        Code::StayInPast => "Check-in lies before the hotel's today.",
        Code::StayBeyondHorizon => "The stay reaches beyond what can be sold yet.",
        Code::StayRestricted => "The hotel's stay rules stand in the way; see `blockers`.",
        Code::StayClosed => "Closed for these dates; see `blockers`.",
        Code::RateMissing => "There is no price for every night; see `blockers`.",
        Code::OccupancyTooMany => "The rooms do not take so many guests.",
        Code::InventoryInsufficient => "There are not enough rooms on every night; see `blockers`.",
        Code::InventoryTooLarge => "A night counts at most 4,095 rooms.",
        Code::PriceChanged => "The price is no longer what you expected; see `total`.",
        Code::PriceOutOfRange => "The price is out of range.",
        Code::QuotaExceeded => "You hold as many rooms as one guest may; release some or wait.",
        Code::HoldExpired => "The hold has expired.",
        Code::HoldReleased => "The hold was released.",
        Code::HoldAlreadyConfirmed => "The hold is a booking already; see `booking_id`.",
        Code::HoldConfirming => "Another confirmation of this hold is under way.",
        Code::HoldNotConfirming => "No payment is under way for this hold.",
        Code::HoldExtensionLimit => "The hold cannot be extended any further.",
        Code::PaymentDeclined => "The payment was declined; the hold goes on as before.",
        Code::InUse => "Bookings, holds or blocks stand that need it.",
        Code::BookingState => "The booking's state does not allow this.",
        Code::WaitlistNotNeeded => "There are rooms: hold them instead of waiting.",
        Code::WaitlistLimit => "No more can wait here, or you wait for as much as one guest may.",
        Code::WaitlistState => "The offer was taken; cancel the booking instead.",
        Code::HoldWaitlistWaiting => "Somebody waits for these rooms; the hold cannot be extended.",
        Code::BlockState => "The block is tentative or was released; this needs one that stands.",
        Code::RatePlanParent => "There is no such rate plan in this hotel to derive prices from.",
        Code::RatePlanCycle => "A rate plan cannot derive its prices from itself, at any depth.",
        Code::RatePlanTooDeep => "Prices are derived at most three times over.",
        Code::PromoUnknown => "The hotel has no such promotion code.",
        Code::PromoNotValid => "The promotion code is not for this stay; see `blockers`.",
        Code::PromoExhausted => "The promotion code is used up; see `blockers`.",
        Code::PromoTaken => "You have a promotion with this code already.",
    }
}
