//! Calendars: one row of atomics per room type or rate plan, one slot per night, in a ring by date.
//!
//! Eight nights of a row lie together, then the same nights of the next row: a search of neighbouring
//! rows reads memory from front to back, a stay is one line or two. Rows lie in segments that are
//! allocated once and never move, so a reader needs no lock to reach a slot. The ring is longer than the horizon by [`SPARE_NIGHTS`]: a night is zeroed when it is retired
//! and its slot serves another night only after that many days, so no reader meets a reused slot.
//!
//! **Invariant**: only the writer allocates and (for cells and rates) stores; readers only load.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::arena::{Arena, Slot};
use crate::civil::Night;
use crate::limits::{HORIZON_NIGHTS_MAX, SPARE_NIGHTS};
use crate::prefetch::prefetch;
use crate::state::{Aside, Marked};
use crate::sync::{AtomicU32, AtomicU64, SCHEDULED};

/// Rows of one segment. 8,192 × 752 nights × 8 bytes = 49 MB of addresses; memory is taken a huge page at
/// a time as rows are first written.
const SEGMENT_ROWS: usize = if SCHEDULED { 4 } else { 8_192 };

/// Nights of a row that lie together: one line of a processor's cache, for words of 64 bits.
const TILE: usize = 8;
/// Rows whose tiles of the same nights lie together.
const GROUP_ROWS: usize = if SCHEDULED { 4 } else { 256 };
/// From a tile to that of the row's next nights. One tile more than the rows need: else all tiles of a row
/// would fall into one set of the processor's cache.
const STRIDE: usize = (GROUP_ROWS + 1) * TILE;

/// Rows of a page: what a capture copies at once, eight nights of each.
const PAGE_ROWS: usize = if SCHEDULED { 2 } else { 32 };

/// All calendars of one kind.
pub struct Rows<A> {
    segments: Box<[OnceLock<Arena<A>>]>,
    ring: OnceLock<u16>,
    /// Rows before this one may exist.
    grown: AtomicU32,
    aside: Aside<Box<[u64]>>,
}

/// Some nights of neighbouring rows, as they were at the mark of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub first_row: u32,
    /// The first night's place in the ring.
    pub first_slot: u16,
    /// Places of the ring for each row, [`Rows::RING_PART`] of them, row after row.
    pub words: Box<[u64]>,
}

/// One row: the nights of one room type or rate plan.
pub struct Row<'a, A> {
    /// From the row's first tile on, to the end of its group.
    slots: &'a [A],
    /// Nights of the ring, whole tiles.
    ring: usize,
}

/// Where some nights lie in every row: worked out once, to look at many rows. See [`Rows::span`].
#[derive(Debug, Clone, Default)]
pub struct Span {
    ring: usize,
    /// Slots of a group of rows.
    group: usize,
    /// Where the nights of each tile begin in a row, and how many they are.
    parts: Vec<(usize, usize)>,
}

/// The slots of some nights in order, as slices: see [`Row::parts`].
pub struct Parts<'a, A> {
    row: Row<'a, A>,
    at: usize,
    left: usize,
}

impl<A> Clone for Parts<'_, A> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, A> Iterator for Parts<'a, A> {
    type Item = &'a [A];

    #[inline]
    fn next(&mut self) -> Option<&'a [A]> {
        if self.left == 0 {
            return None;
        }
        let within = self.at % TILE;
        let count = (TILE - within).min(self.left);
        let start = self.at / TILE * STRIDE + within;
        self.at += count;
        self.left -= count;
        if self.at == self.row.ring {
            self.at = 0;
        }
        self.row.slots.get(start..start + count)
    }
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
        let segments = (0..segments).map(|_| OnceLock::new()).collect();
        Self { segments, ring: OnceLock::new(), grown: AtomicU32::new(0), aside: Aside::default() }
    }

    /// Fixes the length of the ring, once. Later calls change nothing.
    pub fn set_horizon(&self, horizon_nights: u16) {
        let nights = usize::from(horizon_nights) + usize::from(SPARE_NIGHTS);
        self.ring.get_or_init(|| {
            u16::try_from(nights.next_multiple_of(TILE)).unwrap_or(HORIZON_NIGHTS_MAX)
        });
    }

    /// Makes the row exist. The writer calls it before it publishes the row's number. False where the
    /// number is past the bound or the horizon is not set.
    pub fn grow(&self, row: u32) -> bool {
        let Some(&ring) = self.ring.get() else { return false };
        let Some(segment) = self.segments.get(row as usize / SEGMENT_ROWS) else { return false };
        let groups = SEGMENT_ROWS / GROUP_ROWS;
        segment.get_or_init(|| Arena::of(groups * group_slots(usize::from(ring))));
        // Relaxed: the writer alone reads it.
        self.grown.fetch_max(row.saturating_add(1), Ordering::Relaxed);
        true
    }

    /// Where `count` nights from `from` on lie in every row of this kind and of any with the same horizon;
    /// at most one turn of the ring, none before the horizon is set.
    #[must_use]
    pub fn span(&self, from: Night, count: u16) -> Span {
        let Some(&ring) = self.ring.get() else { return Span::default() };
        let ring = usize::from(ring);
        let first = usize::from(from.0) % ring;
        let (mut at, mut left) = (first, usize::from(count).min(ring));
        let mut parts = Vec::new();
        while left > 0 {
            let count = (TILE - at % TILE).min(left);
            parts.push((at / TILE * STRIDE + at % TILE, count));
            left -= count;
            at = (at + count) % ring;
        }
        Span { ring, group: group_slots(ring), parts }
    }

    /// The row, where it exists.
    #[must_use]
    #[inline]
    pub fn row(&self, row: u32) -> Option<Row<'_, A>> {
        let ring = usize::from(*self.ring.get()?);
        self.row_of(row, ring, group_slots(ring))
    }

    /// The row, where it exists, to be looked at over a span.
    #[must_use]
    #[inline]
    pub fn row_for(&self, row: u32, span: &Span) -> Option<Row<'_, A>> {
        self.row_of(row, span.ring, span.group)
    }

    #[inline]
    fn row_of(&self, row: u32, ring: usize, group: usize) -> Option<Row<'_, A>> {
        let segment = self.segments.get(row as usize / SEGMENT_ROWS)?.get()?;
        let row = row as usize % SEGMENT_ROWS;
        let start = row / GROUP_ROWS * group;
        let slots = segment.get(start + row % GROUP_ROWS * TILE..start + group)?;
        Some(Row { slots, ring })
    }
}

/// A capture's part: the calendars as they were at its mark, while the writer goes on.
impl Rows<AtomicU64> {
    /// Nights of a row that lie in one [`Page`].
    pub const RING_PART: u16 = 8;

    /// The writer's, before it stores into any of `count` nights from `from` on.
    #[inline]
    pub(crate) fn keep(&self, row: u32, from: Night, count: u16) {
        if self.aside.is_marked() {
            self.keep_pages(row, from, count);
        }
    }

    #[cold]
    #[inline(never)]
    fn keep_pages(&self, row: u32, from: Night, count: u16) {
        let Some(&ring) = self.ring.get() else { return };
        let (ring, tile) = (usize::from(ring), TILE);
        let first = usize::from(from.0) % ring;
        let count = usize::from(count).min(ring);
        let rows = row as usize / PAGE_ROWS * (ring / tile);
        let mut at = first;
        while at < first + count {
            let page = rows + at % ring / tile;
            self.aside.keep(page, || self.copy(page).unwrap_or_default());
            at = at / tile * tile + tile;
        }
    }

    /// The words of a page as they are.
    fn copy(&self, page: usize) -> Option<Box<[u64]>> {
        let (row, slot) = self.place(page)?;
        let ring = usize::from(*self.ring.get()?);
        let segment = self.segments.get(row / SEGMENT_ROWS)?.get()?;
        let row = row % SEGMENT_ROWS;
        let group = row / GROUP_ROWS * group_slots(ring);
        let start = group + slot / TILE * STRIDE + row % GROUP_ROWS * TILE;
        let slots = segment.get(start..start + PAGE_ROWS * TILE)?;
        // Acquire: pairs with the writer's Release: who sees a store made after the mark sees the page
        // that was put aside before it.
        Some(slots.iter().map(|slot| slot.load(Ordering::Acquire)).collect())
    }

    /// The first row and slot of a page.
    fn place(&self, page: usize) -> Option<(usize, usize)> {
        let tiles = usize::from(*self.ring.get()?) / TILE;
        Some((page / tiles * PAGE_ROWS, page % tiles * TILE))
    }

    /// Every page that was not all zero at the mark. Once for each capture.
    pub(crate) fn captured<E>(
        &self,
        capture: u64,
        mut each: impl FnMut(Page) -> Result<(), E>,
    ) -> Result<(), E> {
        for page in 0..self.aside.end() {
            let now = self.copy(page);
            let words = self.aside.take(capture, page).or(now).unwrap_or_default();
            let Some((row, slot)) = self.place(page) else { continue };
            let (Ok(first_row), Ok(first_slot)) = (u32::try_from(row), u16::try_from(slot)) else {
                continue;
            };
            if words.iter().any(|&word| word != 0) {
                each(Page { first_row, first_slot, words })?;
            }
        }
        self.aside.finish();
        Ok(())
    }

    /// Stores a page that was captured, into rows that exist; false where one does not. Of a state that is
    /// being loaded.
    pub(crate) fn restore(&self, page: &Page) -> bool {
        let rows = page.words.chunks(usize::from(Self::RING_PART));
        (page.first_row..).zip(rows).all(|(row, words)| {
            if words.iter().all(|&word| word == 0) {
                return true;
            }
            let nights = u16::try_from(words.len()).unwrap_or(u16::MAX);
            let Some(row) = self.row(row) else { return false };
            let fits = usize::from(page.first_slot) + words.len() <= row.ring;
            for (slot, &word) in row.nights(Night(page.first_slot), nights).zip(words) {
                // Relaxed: nobody reads before the state is handed out.
                slot.store(word, Ordering::Relaxed);
            }
            fits
        })
    }
}

impl Marked for Rows<AtomicU64> {
    fn mark(&self, capture: u64) {
        let tiles = self.ring.get().map_or(0, |&ring| usize::from(ring) / TILE);
        // Relaxed: the writer's own.
        let rows = self.grown.load(Ordering::Relaxed) as usize;
        self.aside.begin(capture, rows.div_ceil(PAGE_ROWS) * tiles);
    }

    fn unmark(&self) {
        self.aside.finish();
    }
}

/// Slots of a group of rows.
const fn group_slots(ring: usize) -> usize {
    ring / TILE * STRIDE
}

impl<'a, A> Row<'a, A> {
    /// The slot of a night.
    #[must_use]
    #[inline]
    pub fn slot(&self, night: Night) -> Option<&'a A> {
        let at = usize::from(night.0) % self.ring;
        self.slots.get(at / TILE * STRIDE + at % TILE)
    }

    /// The slots of `count` nights from `from` on, in order, as slices of at most eight, for straight loops.
    /// Where they are cut depends on the nights alone: rows of all kinds are cut alike.
    #[must_use]
    #[inline]
    pub fn parts(&self, from: Night, count: u16) -> Parts<'a, A> {
        let (at, left) = (usize::from(from.0) % self.ring, usize::from(count).min(self.ring));
        Parts { row: *self, at, left }
    }

    /// Asks memory for the slots of `count` nights from `from` on.
    #[inline]
    pub fn ask(&self, from: Night, count: u16) {
        for part in self.parts(from, count) {
            prefetch(part.as_ptr());
        }
    }

    /// The slots of a span's nights in order, as slices of at most eight.
    #[inline]
    pub fn over(&self, span: &Span) -> impl Iterator<Item = &'a [A]> {
        let slots = self.slots;
        span.parts.iter().filter_map(move |&(at, count)| slots.get(at..at + count))
    }

    /// Asks memory for a span's nights.
    #[inline]
    pub fn ask_over(&self, span: &Span) {
        for (at, _) in &span.parts {
            prefetch(self.slots.as_ptr().wrapping_add(*at));
        }
    }

    /// The slots of `count` nights from `from` on, in order; at most one turn of the ring.
    #[inline]
    pub fn nights(
        &self,
        from: Night,
        count: u16,
    ) -> impl Iterator<Item = &'a A> + Clone + use<'a, A> {
        self.parts(from, count).flatten()
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
        for night in 0..48u16 {
            row.slot(Night(48 * 9 + night)).unwrap().store(u64::from(night), Ordering::Relaxed);
        }
        let seen: Vec<_> =
            row.nights(Night(48 * 9 + 46), 5).map(|slot| slot.load(Ordering::Relaxed)).collect();
        assert_eq!(seen, [46, 47, 0, 1, 2]);
        assert_eq!(row.nights(Night(3), 500).count(), 48, "one turn at most");
    }
}
