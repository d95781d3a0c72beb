//! Blockers: everything that stands in the way of a stay, by layer and night.

use std::sync::atomic::Ordering;

use super::Stay;
use crate::catalogue::{Hotel, HotelStatus};
use crate::command::Hold;
use crate::ids::{RatePlanIx, RoomTypeIx};
use crate::inventory::Cell;
use crate::rates::RateWord;
use crate::refusal::{Blocker, Code, Layer, Reason, Refusal};
use crate::state::Shared;

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
    // Acquire: pairs with the writer's Release, so that a night is seen whole.
    let cells = row.nights(stay.check_in, stay.nights()).map(|slot| slot.load(Ordering::Acquire));
    judge_cells(Layer::RoomType(room_type), stay, cells.map(Cell), wanted, blockers);
}

/// As [`find_cell_blockers`], of cells that were read before: those of the stay's nights.
pub(crate) fn judge_cells(
    layer: Layer,
    stay: Stay,
    cells: impl Iterator<Item = Cell>,
    wanted: u32,
    blockers: &mut Vec<Blocker>,
) {
    for (cell, night) in cells.zip(stay.check_in.until(stay.check_out)) {
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
    // One more than the nights: the row of the departure.
    let words = row.nights(stay.check_in, stay.nights().saturating_add(1));
    // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
    let words = words.map(|slot| RateWord(slot.load(Ordering::Acquire)));
    judge_rates(Layer::RatePlan(rate_plan), stay, words, blockers);
}

/// As [`find_rate_blockers`], of words that were read before: those of the stay's nights, then that of
/// the departure.
pub(crate) fn judge_rates(
    layer: Layer,
    stay: Stay,
    mut words: impl Iterator<Item = RateWord>,
    blockers: &mut Vec<Blocker>,
) {
    let nights = stay.nights();
    for (night, word) in stay.check_in.until(stay.check_out).zip(words.by_ref()) {
        if let Some(found) = night_blockers(word, nights, night == stay.check_in) {
            blockers.extend(found.into_iter().flatten().map(|reason| Blocker {
                reason,
                layer,
                night,
            }));
        }
    }
    if words.next().is_some_and(RateWord::closed_to_departure) {
        let (reason, night) = (Reason::ClosedToDeparture, stay.check_out);
        blockers.push(Blocker { reason, layer, night });
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
