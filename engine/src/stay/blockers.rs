//! Blockers: everything that stands in the way of a stay, by layer and night.

use std::sync::atomic::Ordering;

use super::{Moment, Pricing, Stay, judge_promo};
use crate::admission::Demand;
use crate::block::{self, Block};
use crate::catalogue::{Hotel, HotelStatus, RatePlan};
use crate::civil::{LogTimeMs, Night};
use crate::command::Hold;
use crate::ids::{BlockId, HotelIx, RoomTypeIx};
use crate::inventory::Cell;
use crate::rates::{Dated, RateWord};
use crate::refusal::{Blocker, Code, Layer, Reason, Refusal};
use crate::state::Shared;

/// Every blocker of every line of a hold, or nothing. `now_ms` by the log's clock.
pub fn check_lines(
    shared: &Shared,
    hotel: &Hotel,
    hold: &Hold,
    now_ms: LogTimeMs,
) -> Result<(), Refusal> {
    let moment = Moment::new(hold.stay, hotel, now_ms);
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
        let gone = room_type.removed || rate_plan.removed;
        if gone || room_type.hotel != hotel.ix || rate_plan.room_type != room_type.ix {
            return Err(Code::NotFound.into());
        }
        let party = (line.adults, line.children.as_slice());
        let pricing = Pricing::of(&hotel.draft, &room_type.draft, rate_plan, party);
        pricing.find_blockers(shared, hold.stay, &mut blockers);
        find_rate_blockers(shared, rate_plan, &moment, &mut blockers);
    }
    if let Some(asked) = hold.promo.as_deref() {
        judge_promo(shared, hotel, (&asked.code, &moment), &mut blockers);
    }
    let demand = hold.demand();
    match hold.block {
        None => {
            for &(room_type, wanted) in demand.rooms() {
                find_cell_blockers(shared, room_type, hold.stay, wanted, &mut blockers);
            }
        }
        Some(id) => find_block_blockers(shared, (id, hotel.ix), &demand, &mut blockers)?,
    }
    if blockers.is_empty() { Ok(()) } else { Err(Refusal::blocked(blockers)) }
}

/// Closures, and missing rooms of the block that shall be picked up from; what is free beside the block
/// does not matter. Refused: the hotel has no such block, or it is not definite.
fn find_block_blockers(
    shared: &Shared,
    (id, hotel): (BlockId, HotelIx),
    demand: &Demand,
    blockers: &mut Vec<Blocker>,
) -> Result<(), Refusal> {
    let look = |block: &Block| {
        if block.hotel != hotel {
            return Err(Code::NotFound);
        }
        if block.status != block::Status::Definite {
            return Err(Code::BlockState);
        }
        let stay = demand.stay();
        for &(room_type, wanted) in demand.rooms() {
            // Nobody wants none: what is left are the closures.
            find_cell_blockers(shared, room_type, stay, 0, blockers);
            for night in stay.check_in.until(stay.check_out) {
                let left = block.left(room_type, night);
                if left < wanted {
                    let narrow = |rooms: u32| u16::try_from(rooms).unwrap_or(u16::MAX);
                    let (left, wanted) = (narrow(left), narrow(wanted));
                    let reason = Reason::BlockInsufficient { left, wanted };
                    blockers.push(Blocker { reason, layer: Layer::RoomType(room_type), night });
                }
            }
        }
        Ok(())
    };
    Ok(shared.blocks.look(&id, look).unwrap_or(Err(Code::NotFound))?)
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
        if cell.hotel_closed() {
            blockers.push(Blocker { reason: Reason::Closed, layer: Layer::Hotel, night });
        }
        if cell.room_type_closed() {
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

/// Closures, missing prices and stay rules of a plan over a stay, by night, the departure last; then
/// what its advance rules and cut-offs bar, by night.
pub fn find_rate_blockers(
    shared: &Shared,
    rate_plan: &RatePlan,
    moment: &Moment<'_>,
    blockers: &mut Vec<Blocker>,
) {
    let Some(row) = shared.rates.row(rate_plan.ix.0) else { return };
    let (stay, layer) = (moment.stay, Layer::RatePlan(rate_plan.ix));
    let limits = rate_plan.draft.rules.limits();
    // One more than the nights: the row of the departure.
    let words = row.nights(stay.check_in, stay.nights().saturating_add(1));
    // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
    let words = words.map(|slot| RateWord(slot.load(Ordering::Acquire)).over(limits));
    judge_rates(layer, stay, words.clone(), blockers);
    moment.judge_clock(shared, rate_plan.ix, words, blockers);
}

/// As [`find_rate_blockers`] without the rules that look at the clock, of words that were read before,
/// the plan's limits over them: those of the stay's nights, then that of the departure.
pub(crate) fn judge_rates(
    layer: Layer,
    stay: Stay,
    mut words: impl Iterator<Item = RateWord>,
    blockers: &mut Vec<Blocker>,
) {
    for (night, word) in stay.check_in.until(stay.check_out).zip(words.by_ref()) {
        if let Some(found) = night_reasons(word, stay, night) {
            let found = found.into_iter().flatten();
            blockers.extend(found.map(|reason| Blocker { reason, layer, night }));
        }
    }
    if words.next().is_some_and(RateWord::closed_to_departure) {
        let (reason, night) = (Reason::ClosedToDeparture, stay.check_out);
        blockers.push(Blocker { reason, layer, night });
    }
}

/// What stands in the way on one night; `None` in the common case that nothing does. The word carries the
/// plan's defaults.
#[inline]
fn night_reasons(word: RateWord, stay: Stay, night: Night) -> Option<[Option<Reason>; 7]> {
    let nights = stay.nights();
    let arrival = night == stay.check_in;
    let barred = word.closed()
        || word.price().is_none()
        || word.bars_through(nights)
        || (arrival && word.bars_arrival(nights));
    if !barred {
        return None;
    }
    let short = |limit: Dated<u8>| limit.over(None).filter(|&least| nights < u16::from(least));
    let long = |limit: Dated<u8>| limit.over(None).filter(|&most| nights > u16::from(most));
    let on_arrival = |limit: Option<u8>| limit.filter(|_| arrival);
    Some([
        word.closed().then_some(Reason::Closed),
        word.price().is_none().then_some(Reason::NoPrice),
        (arrival && word.closed_to_arrival()).then_some(Reason::ClosedToArrival),
        on_arrival(short(word.min_stay_arrival())).map(Reason::MinStayArrival),
        on_arrival(long(word.max_stay_arrival())).map(Reason::MaxStayArrival),
        short(word.min_stay_through()).map(Reason::MinStayThrough),
        long(word.max_stay_through()).map(Reason::MaxStayThrough),
    ])
}
