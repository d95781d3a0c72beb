//! Nights behind today are retired: the window moves at once, their slots are zeroed a few rows a step.
//!
//! **Invariant**: no night is in the window whose slot has not been zeroed since another night had it.
//! Where zeroing falls behind by more than the spare nights, the horizon's end waits for it.

use std::sync::atomic::Ordering;

use super::Writer;
use crate::civil::{DAY_MS, Night};
use crate::event::Event;
use crate::inventory::{Row, Rows};
use crate::limits::{RETIRE_WORDS_MAX, SPARE_NIGHTS};
use crate::prefetch::prefetch;
use crate::sync::AtomicU64;

/// Words that reaching a row counts as; an entry of the plan's overlay counts as one more.
const ROW_WORDS: u32 = 8;
/// Rows that are asked of memory before their turn.
const ROWS_AHEAD: u32 = 16;

/// One pass over all rows: cells first, then rates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    /// Nights `from..to` are being zeroed.
    from: Night,
    to: Night,
    /// Rows before this one are done.
    row: u32,
}

impl From<Pass> for (Night, Night, u32) {
    fn from(pass: Pass) -> Self {
        (pass.from, pass.to, pass.row)
    }
}

impl From<(Night, Night, u32)> for Pass {
    fn from((from, to, row): (Night, Night, u32)) -> Self {
        Self { from, to, row }
    }
}

impl Writer {
    /// Moves the window to today; by how many nights. Zeroes what fell out of it, now or before, as far
    /// as the bound of one step goes.
    pub(crate) fn roll_window(&mut self) -> u16 {
        let Some(settings) = self.shared.settings() else { return 0 };
        let today = Night(u16::try_from(self.now_ms / DAY_MS).unwrap_or(u16::MAX));
        // One night is kept behind today in UTC: west of Greenwich it is still yesterday.
        let (first, end) = (today.minus(1), today.plus(settings.horizon_nights));
        let Some((kept, _)) = self.shared.window() else {
            self.shared.set_window(first, end);
            return 0;
        };
        let retired = first.0.saturating_sub(kept.0);
        if retired > 0 {
            self.retiring.get_or_insert(Pass { from: kept, to: first, row: 0 });
            self.closures.retire(first);
            self.events.push(Event::NightsRetired { first });
        }
        if self.retiring.is_some() {
            let first = first.max(kept);
            self.retire(first, RETIRE_WORDS_MAX);
            let ring = settings.horizon_nights.saturating_add(SPARE_NIGHTS);
            let clean = self.retired_before(first).plus(ring);
            self.shared.set_window(first, end.min(clean).max(first));
        }
        retired
    }

    /// Nights before this one are zeroed in every row; `first` is the window's.
    pub(crate) fn retired_before(&self, first: Night) -> Night {
        self.retiring.map_or(first, |pass| pass.from)
    }

    /// What the digest says of a pass that is under way.
    pub(crate) fn digest_of_retiring(&self) -> Option<(Night, Night, u32)> {
        self.retiring.map(|pass| (pass.from, pass.to, pass.row))
    }

    /// Goes on with the pass under way, and with the next where that ends before `words` are spent.
    fn retire(&mut self, first: Night, mut words: u32) {
        while let Some(pass) = self.retiring
            && words > 0
        {
            if pass.row < self.shared.room_types.len() + self.shared.rate_plans.len() {
                words = words.saturating_sub(self.retire_row(pass));
                self.retiring = Some(Pass { row: pass.row + 1, ..pass });
            } else {
                let next = Pass { from: pass.to, to: first, row: 0 };
                self.retiring = (next.from < next.to).then_some(next);
            }
        }
    }

    /// Zeroes what a pass zeroes of its next row; how many words that counts as.
    fn retire_row(&self, pass: Pass) -> u32 {
        let later = self.calendar_row(pass.row.saturating_add(ROWS_AHEAD));
        if let Some(slot) = later.and_then(|row| row.slot(pass.from)) {
            prefetch(slot);
        }
        let nights = pass.to.0.saturating_sub(pass.from.0);
        match pass.row.checked_sub(self.shared.room_types.len()) {
            None => self.shared.cells.keep(pass.row, pass.from, nights),
            Some(plan) => self.shared.rates.keep(plan, pass.from, nights),
        }
        if let Some(row) = self.calendar_row(pass.row) {
            for slot in row.nights(pass.from, nights) {
                // Release: pairs with readers' Acquire loads; the window's end moves only afterwards.
                slot.store(0, Ordering::Release);
            }
        }
        let plan = pass.row.checked_sub(self.shared.room_types.len());
        let entries = plan.map_or(0, |plan| self.shared.overlays.retire(plan, pass.to));
        ROW_WORDS + u32::from(nights) + u32::try_from(entries).unwrap_or(u32::MAX)
    }

    /// The rows of all calendars as one list. A room type that is added moves the plans' rows up, so
    /// that a pass meets a row again but never misses one.
    fn calendar_row(&self, row: u32) -> Option<Row<'_, AtomicU64>> {
        let cells = self.shared.room_types.len();
        let (calendar, row): (&Rows<AtomicU64>, u32) = match row.checked_sub(cells) {
            None => (&self.shared.cells, row),
            Some(row) => (&self.shared.rates, row),
        };
        calendar.row(row)
    }
}
