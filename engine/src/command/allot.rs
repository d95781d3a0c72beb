//! Allot: a batch of ARI lines of one source is written to cells and rate words.
//!
//! Each line is applied whole or not at all, and a bad line never stops a later one. Lines carry a `seq`
//! that rises within the source; what was applied before is stale.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ari::{Line, LineOutcome, LineRefusal, OnConflict, supersede};
use crate::civil::Night;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::ids::PartnerId;
use crate::inventory::Cell;
use crate::limits::{
    ARI_LINES_MAX, ARI_NIGHTS_MAX, OVERBOOK_MAX, PRICE_MAX, ROOMS_PER_CELL_MAX, SOURCE_BYTES_MAX,
    SOURCES_MAX, STAY_LIMIT_MAX,
};
use crate::outcome::Outcome;
use crate::rates::RateWord;
use crate::refusal::Code;
use crate::state::Writer;

/// Lines of one source of one partner.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Allot {
    pub principal: Principal,
    /// Whose hotels are written, and in whose name the source counts.
    pub partner: PartnerId,
    pub source: String,
    /// At most 4,096 lines, and at most 1,048,576 nights over all of them.
    pub lines: Vec<Line>,
}

impl Line {
    /// Nights from `from` to `to`, whatever their weekday.
    #[must_use]
    pub const fn span(&self) -> u16 {
        if self.to.0 < self.from.0 { 0 } else { (self.to.0 - self.from.0).saturating_add(1) }
    }

    /// The nights it writes.
    pub(crate) fn nights(&self) -> impl Iterator<Item = Night> + Clone + use<> {
        let days = self.days;
        self.from.until(self.to.plus(1)).filter(move |&night| days.contains(night))
    }

    /// What can be said of a line without looking at any state.
    const fn check_shape(&self) -> Result<(), LineRefusal> {
        let change = &self.change;
        let has_plan = self.rate_plan.is_some();
        if !change.touches_cells(has_plan) && !change.needs_plan() && change.closed.is_none() {
            return Err(LineRefusal::NothingToWrite);
        }
        if change.needs_plan() && !has_plan {
            return Err(LineRefusal::NeedsRatePlan);
        }
        if self.span() == 0 {
            return Err(LineRefusal::EmptyRange);
        }
        if self.days.is_empty() {
            return Err(LineRefusal::NoWeekday);
        }
        if let Some(rooms) = change.allotment
            && rooms as u32 > ROOMS_PER_CELL_MAX
        {
            return Err(LineRefusal::TooLarge);
        }
        if let Some(price) = change.price
            && (price < 0 || price > PRICE_MAX)
        {
            return Err(LineRefusal::PriceOutOfRange);
        }
        let limits = [
            change.min_stay_arrival,
            change.max_stay_arrival,
            change.min_stay_through,
            change.max_stay_through,
        ];
        let mut at = 0;
        while at < limits.len() {
            #[allow(clippy::indexing_slicing)] // `at` is below the array's length.
            if let Some(nights) = limits[at]
                && nights > STAY_LIMIT_MAX
            {
                return Err(LineRefusal::StayLimitOutOfRange);
            }
            at += 1;
        }
        Ok(())
    }
}

impl Allot {
    /// Refused as a whole, in order: malformed, not found (the partner is another's), capacity.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let nights: usize = self.lines.iter().map(|line| usize::from(line.span())).sum();
        let fits = self.lines.len() <= ARI_LINES_MAX
            && nights <= ARI_NIGHTS_MAX
            && self.source.len() <= SOURCE_BYTES_MAX;
        if !fits {
            return Code::Malformed.into();
        }
        if !self.principal.acts_for(self.partner) {
            return Code::NotFound.into();
        }
        let name = (self.partner, self.source.clone());
        let known = writer.shared.sources.get(&name);
        if known.is_none() && writer.shared.sources.len() >= SOURCES_MAX {
            return Code::CapacityReached.into();
        }
        // From here the command must succeed.
        let mut seq = known;
        let mut outcomes = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let outcome = if seq.is_some_and(|seq| line.seq <= seq) {
                LineOutcome::Stale
            } else {
                self.write(writer, line)
            };
            let counts = !matches!(outcome, LineOutcome::Stale | LineOutcome::Rejected(_));
            seq = if counts { Some(line.seq) } else { seq };
            outcomes.push(outcome);
        }
        if let Some((first, _)) = writer.shared.window() {
            supersede::mark(&self.lines, &mut outcomes, first);
        }
        if let Some(seq) = seq {
            writer.shared.sources.insert(name, seq);
        }
        Outcome::Allotted(outcomes.into())
    }

    /// What the catalogue and the window say of a line.
    fn check(&self, writer: &mut Writer, line: &Line) -> Result<(), LineRefusal> {
        line.check_shape()?;
        let shared = &writer.shared;
        let room_type =
            shared.room_types.get_full(line.room_type.0).ok_or(LineRefusal::UnknownRoomType)?;
        let hotel =
            shared.hotels.get_full(room_type.hotel.0).ok_or(LineRefusal::UnknownRoomType)?;
        if hotel.partner != self.partner {
            return Err(LineRefusal::NotYours);
        }
        if let Some(rate_plan) = line.rate_plan
            && !room_type.rate_plans.contains(&rate_plan)
        {
            return Err(LineRefusal::UnknownRatePlan);
        }
        let (_, end) = shared.window().ok_or(LineRefusal::BeyondHorizon)?;
        if line.from < hotel.zone.night_at(writer.now_ms) {
            return Err(LineRefusal::PastNight);
        }
        if line.to >= end {
            return Err(LineRefusal::BeyondHorizon);
        }
        // Promises that are due no longer count against a cut.
        writer.expire_due_in(hotel.ix);
        Ok(())
    }

    fn write(&self, writer: &mut Writer, line: &Line) -> LineOutcome {
        match self.check(writer, line).and_then(|()| plan(writer, line)) {
            Err(refusal) => LineOutcome::Rejected(refusal),
            Ok(plan) if plan.is_empty() => LineOutcome::Unchanged,
            Ok(plan) => {
                plan.store(writer, line);
                let Line { room_type, rate_plan, from, to, .. } = *line;
                let partner = self.partner;
                writer.events.push(Event::AriChanged { partner, room_type, rate_plan, from, to });
                LineOutcome::Applied
            }
        }
    }
}

/// The words a line changes, all judged before the first is stored.
#[derive(Debug, Default)]
struct Plan {
    cells: Vec<(Night, Cell)>,
    words: Vec<(Night, RateWord)>,
}

fn plan(writer: &Writer, line: &Line) -> Result<Plan, LineRefusal> {
    let mut plan = Plan::default();
    if line.change.touches_cells(line.rate_plan.is_some()) {
        let row = writer.shared.cells.row(line.room_type.0).ok_or(LineRefusal::UnknownRoomType)?;
        for night in line.nights() {
            let Some(slot) = row.slot(night) else { continue };
            // Relaxed: the writer alone stores.
            let before = Cell(slot.load(Ordering::Relaxed));
            let after = change_cell(before, line)?;
            if after != before {
                plan.cells.push((night, after));
            }
        }
    }
    if let Some(rate_plan) = line.rate_plan {
        let row = writer.shared.rates.row(rate_plan.0).ok_or(LineRefusal::UnknownRatePlan)?;
        for night in line.nights() {
            let Some(slot) = row.slot(night) else { continue };
            // Relaxed: the writer alone stores.
            let before = RateWord(slot.load(Ordering::Relaxed));
            let after = change_word(before, line)?;
            if after != before {
                plan.words.push((night, after));
            }
        }
    }
    Ok(plan)
}

fn change_cell(before: Cell, line: &Line) -> Result<Cell, LineRefusal> {
    let change = &line.change;
    let mut overbook = change.overbook.map_or(before.overbook(), u32::from);
    let set = change.allotment.map_or(before.allotment(), u32::from);
    let delta = i64::from(change.allotment_delta.unwrap_or(0));
    let mut allotment =
        u32::try_from(i64::from(set) + delta).map_err(|_| LineRefusal::BelowZero)?;
    // A cut is a conflict where it goes below what is promised, or deeper where it was below already.
    let least = before.promised().min(before.limit());
    if allotment + overbook < least {
        match line.on_conflict {
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
    Ok(match change.closed {
        Some(closed) if line.rate_plan.is_none() => after.with_closed(closed),
        _ => after,
    })
}

fn change_word(before: RateWord, line: &Line) -> Result<RateWord, LineRefusal> {
    let change = &line.change;
    let mut after = before;
    if let Some(price) = change.price {
        after = after.with_price(price);
    }
    if let Some(nights) = change.min_stay_arrival {
        after = after.with_min_stay_arrival(nights);
    }
    if let Some(nights) = change.max_stay_arrival {
        after = after.with_max_stay_arrival(nights);
    }
    if let Some(nights) = change.min_stay_through {
        after = after.with_min_stay_through(nights);
    }
    if let Some(nights) = change.max_stay_through {
        after = after.with_max_stay_through(nights);
    }
    if let Some(on) = change.closed_to_arrival {
        after = after.with_closed_to_arrival(on);
    }
    if let Some(on) = change.closed_to_departure {
        after = after.with_closed_to_departure(on);
    }
    if let Some(on) = change.closed {
        after = after.with_closed(on);
    }
    let below = |max: u8, min: u8| max != 0 && max < min;
    if below(after.max_stay_arrival(), after.min_stay_arrival())
        || below(after.max_stay_through(), after.min_stay_through())
    {
        return Err(LineRefusal::MaxBelowMin);
    }
    Ok(after)
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.words.is_empty()
    }

    fn store(&self, writer: &mut Writer, line: &Line) {
        let Writer { shared, events, .. } = writer;
        if let Some(row) = shared.cells.row(line.room_type.0) {
            for &(night, cell) in &self.cells {
                let before = row.slot(night).map_or(0, |slot| swap(slot, cell.0));
                if cell.deficit() > Cell(before).deficit() {
                    let (room_type, deficit) = (line.room_type, cell.deficit());
                    events.push(Event::InventoryOversubscribed { room_type, night, deficit });
                }
            }
        }
        let Some(rate_plan) = line.rate_plan.filter(|_| !self.words.is_empty()) else { return };
        if let Some(row) = shared.rates.row(rate_plan.0) {
            for &(night, word) in &self.words {
                row.slot(night).map(|slot| swap(slot, word.0));
            }
        }
        // After the words: whoever quotes in between carries the old version and is quoted again.
        shared.bump_quote_version(rate_plan);
    }
}

fn swap(slot: &AtomicU64, word: u64) -> u64 {
    // Relaxed load: the writer alone stores. Release store: readers see the night whole.
    let before = slot.load(Ordering::Relaxed);
    slot.store(word, Ordering::Release);
    before
}
