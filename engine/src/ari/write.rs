//! Writing a line: judged over all its nights first, stored in a second pass, nothing allocated per night.
//!
//! What is absolute in a line is one pattern of bits over every word (`Patch`); what depends on the night
//! (an allotment that is added to, a conflict with promises) is judged night by night. **Invariant**: a
//! line that is refused has stored nothing.

use std::sync::atomic::Ordering;

use super::{Change, Line, LineRefusal, OnConflict, Rules};
use crate::catalogue::RatePlan;
use crate::catalogue::stay_rules::is_below;
use crate::civil::Night;
use crate::event::Event;
use crate::ids::RatePlanIx;
use crate::inventory::{Cell, Row};
use crate::limits::{OVERBOOK_MAX, ROOMS_PER_CELL_MAX};
use crate::rates::{Dated, DatedRules, RateWord};
use crate::state::Shared;
use crate::sync::AtomicU64;

/// What a line would change, every night of it judged.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    cells: bool,
    words: bool,
    overlay: Vec<(Night, DatedRules)>,
}

/// Bits that every word of a line gets: `word & keep | set`.
#[derive(Debug, Clone, Copy)]
struct Patch {
    keep: u64,
    set: u64,
}

impl Patch {
    /// Of a function that treats each bit by itself: sets it, clears it or leaves it.
    fn of(write: impl Fn(u64) -> u64) -> Self {
        let (zeros, ones) = (write(0), write(u64::MAX));
        Self { keep: zeros ^ ones, set: zeros }
    }

    #[inline]
    const fn apply(self, word: u64) -> u64 {
        word & self.keep | self.set
    }
}

/// Visits the slots of a line's nights in order.
#[inline]
fn walk<'a>(
    row: Row<'a, AtomicU64>,
    line: &Line,
    mut visit: impl FnMut(Night, &'a AtomicU64) -> Result<(), LineRefusal>,
) -> Result<(), LineRefusal> {
    let every = line.days.is_all();
    let mut night = line.from;
    for part in row.parts(line.from, line.span()) {
        for slot in part {
            if every || line.days.contains(night) {
                visit(night, slot)?;
            }
            night = night.plus(1);
        }
    }
    Ok(())
}

/// Asks memory for all that a line may touch: its lines lie apart, and all at once they are here sooner.
fn ask_for(shared: &Shared, line: &Line) {
    if line.change.touches_cells(line.rate_plan.is_some())
        && let Some(row) = shared.cells.row(line.room_type.0)
    {
        row.ask(line.from, line.span());
    }
    if let Some(row) = line.rate_plan.and_then(|rate_plan| shared.rates.row(rate_plan.0)) {
        row.ask(line.from, line.span());
    }
}

/// Judges every night of a line whose ids, dates and shape are right.
pub(crate) fn judge(
    shared: &Shared,
    line: &Line,
    rate_plan: Option<&RatePlan>,
) -> Result<Judged, LineRefusal> {
    let mut judged = Judged::default();
    ask_for(shared, line);
    if line.change.touches_cells(line.rate_plan.is_some()) {
        let row = shared.cells.row(line.room_type.0).ok_or(LineRefusal::UnknownRoomType)?;
        let writing = Cells::of(line);
        walk(row, line, |_, slot| {
            // Relaxed: the writer alone stores.
            let before = Cell(slot.load(Ordering::Relaxed));
            judged.cells |= writing.change(before)? != before;
            Ok(())
        })?;
    }
    if let Some(rate_plan) = rate_plan {
        judged.words = judge_words(shared, line, rate_plan)?;
        if line.change.needs_overlay() {
            judged.overlay = judge_overlay(shared, line, rate_plan)?;
        }
    }
    Ok(judged)
}

impl Judged {
    /// Everything the line says is so already.
    pub(crate) const fn is_empty(&self) -> bool {
        !self.cells && !self.words && self.overlay.is_empty()
    }

    /// Stores what was judged. Nights whose deficit grows are announced.
    pub(crate) fn store(&self, shared: &Shared, line: &Line, events: &mut Vec<Event>) {
        if self.cells
            && let Some(row) = shared.cells.row(line.room_type.0)
        {
            shared.cells.keep(line.room_type.0, line.from, line.span());
            store_cells(row, line, events);
        }
        let Some(rate_plan) = line.rate_plan else { return };
        if !self.words && self.overlay.is_empty() {
            return;
        }
        // The overlay before the flags that point at it.
        if !self.overlay.is_empty() {
            shared.overlays.put(rate_plan.0, &self.overlay);
        }
        if let Some(row) = shared.rates.row(rate_plan.0) {
            shared.rates.keep(rate_plan.0, line.from, line.span());
            self.store_words(row, line);
        }
        // After the words: whoever quotes in between carries the old version and is quoted again.
        shared.bump_quote_version(rate_plan);
    }

    fn store_words(&self, row: Row<'_, AtomicU64>, line: &Line) {
        let patch = word_patch(&line.change);
        let stored = walk(row, line, |_, slot| {
            // Relaxed load: the writer alone stores. Release store: readers see the night whole.
            slot.store(patch.apply(slot.load(Ordering::Relaxed)), Ordering::Release);
            Ok(())
        });
        debug_assert!(stored.is_ok(), "storing refuses nothing");
        for (night, rules) in &self.overlay {
            let Some(slot) = row.slot(*night) else { continue };
            // As above.
            let word = RateWord(slot.load(Ordering::Relaxed)).with_overlaid(!rules.is_empty());
            slot.store(word.0, Ordering::Release);
        }
    }
}

fn store_cells(row: Row<'_, AtomicU64>, line: &Line, events: &mut Vec<Event>) {
    let writing = Cells::of(line);
    let stored = walk(row, line, |night, slot| {
        // Relaxed: the writer alone stores.
        let before = Cell(slot.load(Ordering::Relaxed));
        let after = writing.change(before)?;
        // Release: readers see the night whole.
        slot.store(after.0, Ordering::Release);
        if after.deficit() > before.deficit() {
            let (room_type, deficit) = (line.room_type, after.deficit());
            events.push(Event::InventoryOversubscribed { room_type, night, deficit });
        }
        Ok(())
    });
    debug_assert!(stored.is_ok(), "the nights were judged before");
}

/// What a line does to a cell.
struct Cells<'a> {
    change: &'a Change,
    on_conflict: OnConflict,
    closed: Option<bool>,
    /// All of it, where no night can be refused or treated for itself.
    patch: Option<Patch>,
}

impl<'a> Cells<'a> {
    fn of(line: &'a Line) -> Self {
        let change = &line.change;
        let closed = change.closed.filter(|_| line.rate_plan.is_none());
        let rooms = change.allotment.map(u32::from);
        let overbook = change.overbook.map(u32::from);
        let widest = rooms.unwrap_or(ROOMS_PER_CELL_MAX) + overbook.unwrap_or(OVERBOOK_MAX);
        let cannot_pass = widest <= ROOMS_PER_CELL_MAX || (rooms.is_none() && overbook.is_none());
        let is_plain = change.allotment_delta.is_none()
            && change.available.is_none()
            && line.on_conflict == OnConflict::Accept
            && cannot_pass;
        let patch = is_plain.then(|| {
            Patch::of(|word| {
                let mut cell = Cell(word);
                cell = rooms.map_or(cell, |rooms| cell.with_allotment(rooms));
                cell = overbook.map_or(cell, |rooms| cell.with_overbook(rooms));
                closed.map_or(cell, |closed| cell.with_closed(closed)).0
            })
        });
        Self { change, on_conflict: line.on_conflict, closed, patch }
    }

    #[inline]
    fn change(&self, before: Cell) -> Result<Cell, LineRefusal> {
        match self.patch {
            Some(patch) => Ok(Cell(patch.apply(before.0))),
            None => self.change_for_itself(before),
        }
    }

    fn change_for_itself(&self, before: Cell) -> Result<Cell, LineRefusal> {
        let change = self.change;
        let mut overbook = change.overbook.map_or(before.overbook(), u32::from);
        let set = match change.available {
            // What is left to sell, and what is promised, less what is overbooked.
            Some(left) => (u32::from(left.rooms) + before.promised())
                .checked_sub(overbook)
                .ok_or(LineRefusal::BelowZero)?,
            None => change.allotment.map_or(before.allotment(), u32::from),
        };
        let delta = i64::from(change.allotment_delta.unwrap_or(0));
        let mut allotment =
            u32::try_from(i64::from(set) + delta).map_err(|_| LineRefusal::BelowZero)?;
        // A cut is a conflict where it goes below what is promised, or deeper where it was below already.
        let least = before.promised().min(before.limit());
        if allotment + overbook < least {
            match self.on_conflict {
                OnConflict::Accept => {}
                OnConflict::Reject => return Err(LineRefusal::BelowPromised),
                OnConflict::Clamp => {
                    // Rooms first, as far as there were any; what is missing then stays overbooked.
                    allotment = allotment.max((least - overbook).min(before.allotment()));
                    overbook = overbook.max(least - allotment.min(least));
                }
            }
        }
        if overbook > OVERBOOK_MAX || allotment + overbook > ROOMS_PER_CELL_MAX {
            return Err(LineRefusal::TooLarge);
        }
        let after = before.with_allotment(allotment).with_overbook(overbook);
        Ok(self.closed.map_or(after, |closed| after.with_closed(closed)))
    }
}

fn word_patch(change: &Change) -> Patch {
    let limit = |nights: Option<u8>, rule: Rules| match nights {
        Some(0) => Some(Dated::Lifted),
        Some(nights) => Some(Dated::Set(nights)),
        None if change.clear.contains(rule) => Some(Dated::Unset),
        None => None,
    };
    let min_arrival = limit(change.min_stay_arrival, Rules::MIN_STAY_ARRIVAL);
    let max_arrival = limit(change.max_stay_arrival, Rules::MAX_STAY_ARRIVAL);
    let min_through = limit(change.min_stay_through, Rules::MIN_STAY_THROUGH);
    let max_through = limit(change.max_stay_through, Rules::MAX_STAY_THROUGH);
    Patch::of(|word| {
        let mut word = RateWord(word);
        word = change.price.map_or(word, |price| word.with_price(price));
        word = min_arrival.map_or(word, |limit| word.with_min_stay_arrival(limit));
        word = max_arrival.map_or(word, |limit| word.with_max_stay_arrival(limit));
        word = min_through.map_or(word, |limit| word.with_min_stay_through(limit));
        word = max_through.map_or(word, |limit| word.with_max_stay_through(limit));
        word = change.closed_to_arrival.map_or(word, |on| word.with_closed_to_arrival(on));
        word = change.closed_to_departure.map_or(word, |on| word.with_closed_to_departure(on));
        change.closed.map_or(word, |on| word.with_closed(on)).0
    })
}

/// Whether any word changes. A maximum below the minimum of its kind is refused where the line writes
/// that kind, defaults of the plan included.
fn judge_words(shared: &Shared, line: &Line, plan: &RatePlan) -> Result<bool, LineRefusal> {
    let RatePlanIx(row) = plan.ix;
    let row = shared.rates.row(row).ok_or(LineRefusal::UnknownRatePlan)?;
    let patch = word_patch(&line.change);
    let defaults = plan.draft.rules.limits();
    let limits = line.change.writes_limits();
    let mut changes = false;
    walk(row, line, |_, slot| {
        // Relaxed: the writer alone stores.
        let before = slot.load(Ordering::Relaxed);
        let after = patch.apply(before);
        changes |= after != before;
        if limits {
            let word = RateWord(after).over(defaults);
            let below = |max: Dated<u8>, min: Dated<u8>| is_below(max.over(None), min.over(None));
            if below(word.max_stay_arrival(), word.min_stay_arrival())
                || below(word.max_stay_through(), word.min_stay_through())
            {
                return Err(LineRefusal::MaxBelowMin);
            }
        }
        Ok(())
    })?;
    Ok(changes)
}

/// The entries of the overlay that change.
fn judge_overlay(
    shared: &Shared,
    line: &Line,
    plan: &RatePlan,
) -> Result<Vec<(Night, DatedRules)>, LineRefusal> {
    let change = &line.change;
    let known = shared.overlays.of(plan.ix.0);
    let defaults = &plan.draft.rules;
    let mut entries = Vec::new();
    let mut more = 0;
    for night in line.nights() {
        let before = known.as_ref().and_then(|known| known.at(night)).copied().unwrap_or_default();
        let dated = |new: Option<Option<u16>>, rule, old| match new {
            Some(days) => Dated::of(days),
            None if change.clear.contains(rule) => Dated::Unset,
            None => old,
        };
        let after = DatedRules {
            min_advance: dated(change.min_advance, Rules::MIN_ADVANCE, before.min_advance),
            max_advance: dated(change.max_advance, Rules::MAX_ADVANCE, before.max_advance),
            cut_off: match change.cut_off {
                Some(cut_off) => Dated::of(cut_off),
                None if change.clear.contains(Rules::CUT_OFF) => Dated::Unset,
                None => before.cut_off,
            },
            occupancy: change.occupancy.unwrap_or(before.occupancy),
        };
        let (min, max) = (
            after.min_advance.over(defaults.min_advance),
            after.max_advance.over(defaults.max_advance),
        );
        if change.writes_advance() && is_below(max, min) {
            return Err(LineRefusal::MaxBelowMin);
        }
        if after != before {
            more += usize::from(before.is_empty());
            entries.push((night, after));
        }
    }
    if shared.overlays.has_room_for(more) { Ok(entries) } else { Err(LineRefusal::CapacityReached) }
}

impl Change {
    const fn writes_limits(&self) -> bool {
        const LIMITS: u8 = Rules::MIN_STAY_ARRIVAL.0
            | Rules::MAX_STAY_ARRIVAL.0
            | Rules::MIN_STAY_THROUGH.0
            | Rules::MAX_STAY_THROUGH.0;
        self.min_stay_arrival.is_some()
            || self.max_stay_arrival.is_some()
            || self.min_stay_through.is_some()
            || self.max_stay_through.is_some()
            || self.clear.0 & LIMITS != 0
    }

    const fn writes_advance(&self) -> bool {
        self.min_advance.is_some()
            || self.max_advance.is_some()
            || self.clear.contains(Rules::MIN_ADVANCE)
            || self.clear.contains(Rules::MAX_ADVANCE)
    }
}
