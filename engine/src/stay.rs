//! Stays: whether a stay can be had, why not, and what it costs. Pure reads of cells and rate words.
//!
//! Doors use it to quote, search and explain; apply uses the same code as the authority.

use std::sync::atomic::Ordering;

use crate::catalogue::{Hotel, HotelStatus, RatePlan, RoomType};
use crate::civil::{LogTimeMs, Night};
use crate::codec::{Decode, Encode};
use crate::command::{Hold, HoldLine};
use crate::hold::Line;
use crate::ids::{RatePlanIx, RoomTypeIx};
use crate::inventory::Cell;
use crate::limits::MAX_STAY_MAX;
use crate::quote::{self, RoomQuote, taxes};
use crate::rates::RateWord;
use crate::refusal::{Blocker, Code, Layer, Reason, Refusal};
use crate::state::Shared;

/// `[check_in, check_out)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Stay {
    pub check_in: Night,
    pub check_out: Night,
}

impl Stay {
    /// Nights of the stay; 0 where the dates are the same or turned round.
    #[must_use]
    pub const fn nights(self) -> u16 {
        self.check_out.0.saturating_sub(self.check_in.0)
    }
}

/// The rules for dates, in order: too short, too long, in the past, beyond the horizon.
pub fn check_dates(
    shared: &Shared,
    hotel: &Hotel,
    stay: Stay,
    now: LogTimeMs,
) -> Result<(), Refusal> {
    let Some((_, end)) = shared.window() else { return Err(Code::NotConfigured.into()) };
    let nights = stay.nights();
    if nights == 0 {
        return Err(Code::StayTooShort.into());
    }
    if nights > hotel.draft.max_stay.min(MAX_STAY_MAX) {
        return Err(Code::StayTooLong.into());
    }
    if stay.check_in < hotel.zone.night_at(now) {
        return Err(Code::StayInPast.into());
    }
    if stay.check_out > end {
        return Err(Code::StayBeyondHorizon.into());
    }
    Ok(())
}

/// Every blocker of every line of a hold, or nothing.
pub fn check_lines(shared: &Shared, hotel: &Hotel, hold: &Hold) -> Result<(), Refusal> {
    let mut blockers = Vec::new();
    if hotel.status != HotelStatus::Live {
        let (layer, night) = (Layer::Hotel, hold.stay.check_in);
        blockers.push(Blocker { reason: Reason::HotelNotLive, layer, night });
    }
    for line in &hold.lines {
        let room_type = shared.room_types.get(line.room_type.0);
        let rate_plan = shared.rate_plans.get(line.rate_plan.0);
        let (Some(Some(room_type)), Some(Some(rate_plan))) =
            (room_type.as_deref(), rate_plan.as_deref())
        else {
            return Err(Code::NotFound.into());
        };
        if room_type.hotel != hotel.ix || rate_plan.room_type != room_type.ix {
            return Err(Code::NotFound.into());
        }
        if !room_type.draft.takes(line.adults, line.children.len()) {
            let (layer, night) = (Layer::RoomType(room_type.ix), hold.stay.check_in);
            blockers.push(Blocker { reason: Reason::TooManyGuests, layer, night });
        }
        find_rate_blockers(shared, rate_plan.ix, hold.stay, &mut blockers);
    }
    for &(room_type, wanted) in hold.demand().rooms() {
        find_cell_blockers(shared, room_type, hold.stay, wanted, &mut blockers);
    }
    if blockers.is_empty() { Ok(()) } else { Err(Refusal::blocked(blockers)) }
}

/// Closures and missing rooms of a room type over a stay, by night.
pub fn find_cell_blockers(
    shared: &Shared,
    room_type: RoomTypeIx,
    stay: Stay,
    wanted: u32,
    blockers: &mut Vec<Blocker>,
) {
    let Some(row) = shared.cells.row(room_type.0) else { return };
    let layer = Layer::RoomType(room_type);
    for (slot, night) in
        row.nights(stay.check_in, stay.nights()).zip(stay.check_in.until(stay.check_out))
    {
        // Acquire: pairs with the writer's Release, so that a night is seen whole.
        let cell = Cell(slot.load(Ordering::Acquire));
        if cell.closed() {
            blockers.push(Blocker { reason: Reason::Closed, layer, night });
        }
        if cell.free() < wanted {
            let narrow = |rooms: u32| u16::try_from(rooms).unwrap_or(u16::MAX);
            let reason = Reason::Insufficient {
                free: narrow(cell.free()),
                wanted: narrow(wanted),
                held: narrow(cell.held()),
            };
            blockers.push(Blocker { reason, layer, night });
        }
    }
}

/// Closures, missing prices and stay rules of a plan over a stay, by night, the departure last.
pub fn find_rate_blockers(
    shared: &Shared,
    rate_plan: RatePlanIx,
    stay: Stay,
    blockers: &mut Vec<Blocker>,
) {
    let Some(row) = shared.rates.row(rate_plan.0) else { return };
    let layer = Layer::RatePlan(rate_plan);
    let nights = stay.nights();
    for (slot, night) in row.nights(stay.check_in, nights).zip(stay.check_in.until(stay.check_out))
    {
        // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
        let word = RateWord(slot.load(Ordering::Acquire));
        if let Some(found) = night_blockers(word, nights, night == stay.check_in) {
            blockers.extend(found.into_iter().flatten().map(|reason| Blocker {
                reason,
                layer,
                night,
            }));
        }
    }
    if let Some(slot) = row.slot(stay.check_out) {
        // Acquire: as above.
        if RateWord(slot.load(Ordering::Acquire)).closed_to_departure() {
            let (reason, night) = (Reason::ClosedToDeparture, stay.check_out);
            blockers.push(Blocker { reason, layer, night });
        }
    }
}

/// What stands in the way on one night; `None` in the common case that nothing does.
#[inline]
fn night_blockers(word: RateWord, nights: u16, arrival: bool) -> Option<[Option<Reason>; 7]> {
    let below = |limit: u8| limit != 0 && nights < u16::from(limit);
    let above = |limit: u8| limit != 0 && nights > u16::from(limit);
    let (min_a, max_a) = (word.min_stay_arrival(), word.max_stay_arrival());
    let (min_t, max_t) = (word.min_stay_through(), word.max_stay_through());
    let found = [
        word.closed().then_some(Reason::Closed),
        word.price().is_none().then_some(Reason::NoPrice),
        (arrival && word.closed_to_arrival()).then_some(Reason::ClosedToArrival),
        (arrival && below(min_a)).then_some(Reason::MinStayArrival(min_a)),
        (arrival && above(max_a)).then_some(Reason::MaxStayArrival(max_a)),
        below(min_t).then_some(Reason::MinStayThrough(min_t)),
        above(max_t).then_some(Reason::MaxStayThrough(max_t)),
    ];
    found.iter().any(Option::is_some).then_some(found)
}

/// The line with its price frozen, and what it costs for all its rooms.
pub fn price_line(
    shared: &Shared,
    hotel: &Hotel,
    stay: Stay,
    line: &HoldLine,
) -> Result<(Line, i64), Refusal> {
    let guard = shared.rate_plans.get(line.rate_plan.0);
    let Some(rate_plan) = guard.as_ref().and_then(|guard| guard.as_ref()) else {
        return Err(Code::NotFound.into());
    };
    let standing = shared.quote_version(line.rate_plan);
    let quote = match &line.quote {
        Some((version, quote)) if *version == standing => quote.clone(),
        _ => quote_room(shared, hotel, rate_plan, stay).ok_or(Code::RateMissing)?.1,
    };
    let amount = quote.total.checked_mul(i64::from(line.quantity)).ok_or(Code::PriceOutOfRange)?;
    let priced = Line {
        room_type: line.room_type,
        rate_plan: line.rate_plan,
        quantity: line.quantity,
        adults: line.adults,
        children: line.children.clone(),
        quote,
        policy: rate_plan.draft.policy.clone(),
    };
    Ok((priced, amount))
}

/// What one room costs for a stay, with the version of what it was made from. `None` where a night has
/// no price or the sum does not fit.
#[must_use]
pub fn quote_room(
    shared: &Shared,
    hotel: &Hotel,
    rate_plan: &RatePlan,
    stay: Stay,
) -> Option<(u32, RoomQuote)> {
    // The version first, then all that the quote is made from, as it stands after that: a write in
    // between shows as an old version at apply. What the caller holds may be older than the version.
    let version = shared.quote_version(rate_plan.ix);
    let (hotel, rate_plan) =
        (shared.hotels.get(hotel.ix.0)?, shared.rate_plans.get(rate_plan.ix.0)?);
    let (hotel, rate_plan) = (hotel.as_ref()?, rate_plan.as_ref()?);
    let row = shared.rates.row(rate_plan.ix.0)?;
    let mut prices = Vec::with_capacity(usize::from(stay.nights()));
    for slot in row.nights(stay.check_in, stay.nights()) {
        // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
        prices.push(RateWord(slot.load(Ordering::Acquire)).price()?);
    }
    let taxes = taxes(hotel.draft.province, stay.check_in);
    quote::room(&prices, rate_plan.draft.tax_inclusive, taxes).map(|quote| (version, quote))
}

/// What a guest may see of a room type over a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// So many rooms on every night.
    Available(u32),
    /// Nothing left, but some of it is only held.
    HeldOut,
    SoldOut,
    Closed,
}

/// The state of a room type over a stay for `wanted` rooms.
#[must_use]
pub fn state(shared: &Shared, room_type: &RoomType, stay: Stay, wanted: u32) -> State {
    let Some(row) = shared.cells.row(room_type.ix.0) else { return State::Closed };
    let mut least = u32::MAX;
    let mut closed = false;
    let mut held_would_do = true;
    for slot in row.nights(stay.check_in, stay.nights()) {
        // Acquire: pairs with the writer's Release, so that a night is seen whole.
        let cell = Cell(slot.load(Ordering::Acquire));
        closed |= cell.closed();
        least = least.min(cell.free());
        let without_holds = cell.limit().saturating_sub(cell.sold() + cell.blocked());
        held_would_do &= without_holds >= wanted;
    }
    match () {
        () if closed => State::Closed,
        () if least >= wanted && least != u32::MAX => State::Available(least),
        () if held_would_do => State::HeldOut,
        () => State::SoldOut,
    }
}
