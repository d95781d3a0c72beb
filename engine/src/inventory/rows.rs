//! Calendars: one row of atomics per room type or rate plan, one slot per night, in a ring by date.
//!
//! Rows lie in segments that are allocated once and never move, so a reader needs no lock to reach a
//! slot. The ring is longer than the horizon by [`SPARE_NIGHTS`]: a night is zeroed when it is retired
//! and its slot serves another night only after that many days, so no reader meets a reused slot.
//!
//! **Invariant**: only the writer allocates and (for cells and rates) stores; readers only load.

use std::sync::OnceLock;

use super::arena::{Arena, Slot};
use crate::civil::Night;
use crate::limits::SPARE_NIGHTS;
use crate::sync::SCHEDULED;

/// Rows of one segment. 8,192 × 746 nights × 8 bytes = 49 MB of addresses; memory is taken a huge page at
/// a time as rows are first written.
const SEGMENT_ROWS: usize = if SCHEDULED { 4 } else { 8_192 };

/// All calendars of one kind.
pub struct Rows<A> {
    segments: Box<[OnceLock<Arena<A>>]>,
    ring: OnceLock<u16>,
}

/// One row: the nights of one room type or rate plan.
pub struct Row<'a, A> {
    slots: &'a [A],
}

impl<A> Clone for Row<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Row<'_, A> {}

impl<A: Slot> Rows<A> {
    /// Room for `rows_max` rows; no calendar memory is taken yet.
    #[must_use]
    pub fn new(rows_max: u32) -> Self {
        let segments = if SCHEDULED { 1 } else { (rows_max as usize).div_ceil(SEGMENT_ROWS) };
        Self { segments: (0..segments).map(|_| OnceLock::new()).collect(), ring: OnceLock::new() }
    }

    /// Fixes the length of the ring, once. Later calls change nothing.
    pub fn set_horizon(&self, horizon_nights: u16) {
        self.ring.get_or_init(|| horizon_nights.saturating_add(SPARE_NIGHTS));
    }

    /// Makes the row exist. The writer calls it before it publishes the row's number. False where the
    /// number is past the bound or the horizon is not set.
    pub fn grow(&self, row: u32) -> bool {
        let Some(&ring) = self.ring.get() else { return false };
        let Some(segment) = self.segments.get(row as usize / SEGMENT_ROWS) else { return false };
        segment.get_or_init(|| Arena::of(SEGMENT_ROWS * usize::from(ring)));
        true
    }

    /// The row, where it exists.
    #[must_use]
    #[inline]
    pub fn row(&self, row: u32) -> Option<Row<'_, A>> {
        let ring = usize::from(*self.ring.get()?);
        let segment = self.segments.get(row as usize / SEGMENT_ROWS)?.get()?;
        let start = (row as usize % SEGMENT_ROWS) * ring;
        segment.get(start..start + ring).map(|slots| Row { slots })
    }
}

impl<'a, A> Row<'a, A> {
    /// The slot of a night.
    #[must_use]
    #[inline]
    pub fn slot(&self, night: Night) -> Option<&'a A> {
        self.slots.get(usize::from(night.0) % self.slots.len())
    }

    /// The slots of `count` nights from `from` on as two slices, for straight loops; the second is empty where
    /// the range does not cross the ring's end.
    #[inline]
    pub fn parts(&self, from: Night, count: u16) -> [&'a [A]; 2] {
        let ring = self.slots.len();
        let count = usize::from(count).min(ring);
        let (before, after) = self.slots.split_at(usize::from(from.0) % ring);
        let straight = after.get(..count.min(after.len())).unwrap_or(after);
        let wrapped = before.get(..count - straight.len()).unwrap_or(before);
        [straight, wrapped]
    }

    /// The slots of `count` nights from `from` on, in order; at most one turn of the ring.
    #[inline]
    pub fn nights(
        &self,
        from: Night,
        count: u16,
    ) -> impl Iterator<Item = &'a A> + Clone + use<'a, A> {
        let [straight, wrapped] = self.parts(from, count);
        straight.iter().chain(wrapped)
    }
}

impl<A> std::fmt::Debug for Rows<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let taken = self.segments.iter().filter(|segment| segment.get().is_some()).count();
        f.debug_struct("Rows").field("segments", &taken).field("ring", &self.ring.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::sync::AtomicU64;

    #[test]
    fn a_row_exists_once_grown_and_stays_where_it_is() {
        let rows = Rows::<AtomicU64>::new(20_000);
        assert!(!rows.grow(0), "no horizon yet");
        rows.set_horizon(30);
        assert!(rows.row(0).is_none());
        assert!(rows.grow(0) && rows.grow(19_999));
        assert!(!rows.grow(24_576), "past the bound");
        let first: *const AtomicU64 = rows.row(0).unwrap().slot(Night(0)).unwrap();
        assert!(rows.grow(9_000));
        assert_eq!(first, std::ptr::from_ref(rows.row(0).unwrap().slot(Night(0)).unwrap()));
    }

    #[test]
    fn a_range_across_the_end_of_the_ring_is_in_date_order() {
        let rows = Rows::<AtomicU64>::new(1);
        rows.set_horizon(30);
        rows.grow(0);
        let row = rows.row(0).unwrap();
        for night in 0..46u16 {
            row.slot(Night(46 * 9 + night)).unwrap().store(u64::from(night), Ordering::Relaxed);
        }
        let seen: Vec<_> =
            row.nights(Night(46 * 9 + 44), 5).map(|slot| slot.load(Ordering::Relaxed)).collect();
        assert_eq!(seen, [44, 45, 0, 1, 2]);
        assert_eq!(row.nights(Night(3), 500).count(), 46, "one turn at most");
    }
}
