//! A copy of a calendar's words, taken when an event said that they changed.
//!
//! It owns the copy's ring, laid out as the calendar's own. It knows nothing of what a word means.

use std::sync::atomic::Ordering;

use crate::Night;
use crate::inventory::{Row, Rows};
use crate::sync::AtomicU64;

/// The words as they should be.
#[derive(Debug, Default)]
pub(super) struct Copied {
    rows: Vec<Box<[u64]>>,
    first: Night,
}

impl Copied {
    /// Takes over the first `rows` rows as they stand, but for nights `zeroed..first`: those are retired and
    /// will be empty, whether or not they are yet.
    pub fn begin(
        &mut self,
        calendar: &Rows<AtomicU64>,
        rows: u32,
        (zeroed, first): (Night, Night),
    ) {
        self.rows.clear();
        self.first = zeroed;
        self.grow(calendar, rows);
        for (row, copied) in (0..rows).zip(&mut self.rows) {
            for (slot, word) in copied.iter_mut().zip(words(calendar, row)) {
                *slot = word;
            }
        }
        self.retire(first);
    }

    /// Rows that were added begin empty.
    pub fn grow(&mut self, calendar: &Rows<AtomicU64>, rows: u32) {
        for row in u32::try_from(self.rows.len()).unwrap_or(u32::MAX)..rows {
            self.rows.push(words(calendar, row).map(|_| 0).collect());
        }
    }

    /// Nights before `first` are empty from now on.
    pub fn retire(&mut self, first: Night) {
        let nights = first.0.saturating_sub(self.first.0);
        if nights == 0 {
            return;
        }
        for row in &mut self.rows {
            let ring = row.len();
            for night in self.first.until(first).take(ring) {
                if let Some(slot) = row.get_mut(usize::from(night.0) % ring) {
                    *slot = 0;
                }
            }
        }
        self.first = first;
    }

    pub fn get(&self, row: u32, night: Night) -> u64 {
        let found = self.rows.get(row as usize);
        found.and_then(|row| row.get(usize::from(night.0) % row.len().max(1))).copied().unwrap_or(0)
    }

    pub fn set(&mut self, row: u32, night: Night, word: u64) {
        if let Some(row) = self.rows.get_mut(row as usize) {
            let at = usize::from(night.0) % row.len().max(1);
            if let Some(slot) = row.get_mut(at) {
                *slot = word;
            }
        }
    }

    /// Calls `each` with every slot of the calendar: its row, the first kept night that it serves, the
    /// word as it should be and as it is. Slots of nights from `zeroed` on that were retired but are
    /// not zeroed yet are passed over.
    pub fn each(
        &self,
        calendar: &Rows<AtomicU64>,
        zeroed: Night,
        mut each: impl FnMut(u32, Night, u64, u64),
    ) {
        for (row, copied) in (0u32..).zip(&self.rows) {
            let ring = u16::try_from(copied.len()).unwrap_or(u16::MAX).max(1);
            let begin = self.first.0 % ring;
            for ((slot, word), &expected) in (0..ring).zip(words(calendar, row)).zip(copied) {
                let night = self.first.plus((slot + ring - begin) % ring);
                if night < zeroed.plus(ring) {
                    each(row, night, expected, word);
                }
            }
        }
    }
}

/// The words of a row in the order of its slots.
fn words(calendar: &Rows<AtomicU64>, row: u32) -> impl Iterator<Item = u64> {
    let slots = calendar.row(row).into_iter().flat_map(|row| row.nights(Night(0), u16::MAX));
    // Acquire: pairs with the writer's Release; whoever verifies may be another thread.
    slots.map(|slot| slot.load(Ordering::Acquire))
}

/// The word of one night; 0 where there is no such row.
pub(super) fn word(row: Option<Row<'_, AtomicU64>>, night: Night) -> u64 {
    // Acquire: as in `words`.
    row.and_then(|row| row.slot(night)).map_or(0, |slot| slot.load(Ordering::Acquire))
}
