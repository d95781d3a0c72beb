//! An append-only table of published records: position → `Arc` of the newest version.
//!
//! Segments double nothing and move nothing; a reader loads one pointer. Only the writer publishes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwapOption, Guard};

use crate::prefetch::{prefetch, prefetch_lines};
use crate::state::{Aside, Marked};
use crate::sync::AtomicU32;

const SEGMENT: usize = 1_024;

type Segment<T> = OnceLock<Box<[ArcSwapOption<T>]>>;

/// The table.
pub struct Slots<T> {
    segments: Box<[Segment<T>]>,
    len: AtomicU32,
    aside: Aside<Option<Arc<T>>>,
}

impl<T> Slots<T> {
    #[must_use]
    pub fn new(records_max: u32) -> Self {
        let segments = (records_max as usize).div_ceil(SEGMENT);
        let segments = (0..segments).map(|_| OnceLock::new()).collect();
        Self { segments, len: AtomicU32::new(0), aside: Aside::default() }
    }

    /// Records published so far: positions `0..len` are filled.
    #[must_use]
    pub fn len(&self) -> u32 {
        // Acquire: pairs with the Release in `push`, so that a position below `len` is readable.
        self.len.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest version, for a short look. The guard keeps it alive without a reference count.
    #[must_use]
    #[inline]
    pub fn get(&self, at: u32) -> Option<Guard<Option<Arc<T>>>> {
        let slot = self.segments.get(at as usize / SEGMENT)?.get()?.get(at as usize % SEGMENT)?;
        let guard = slot.load();
        guard.is_some().then_some(guard)
    }

    /// Asks memory for the slot.
    pub(crate) fn prefetch(&self, at: u32) {
        let segment = self.segments.get(at as usize / SEGMENT).and_then(OnceLock::get);
        if let Some(slot) = segment.and_then(|slots| slots.get(at as usize % SEGMENT)) {
            prefetch(slot);
        }
    }

    /// Asks memory for the record, whose slot was asked for before.
    pub(crate) fn prefetch_record(&self, at: u32) {
        if let Some(record) = self.get(at).as_deref().and_then(Option::as_ref) {
            prefetch_lines::<_, 4>(Arc::as_ptr(record));
        }
    }

    /// The newest version, to keep.
    #[must_use]
    pub fn get_full(&self, at: u32) -> Option<Arc<T>> {
        self.segments.get(at as usize / SEGMENT)?.get()?.get(at as usize % SEGMENT)?.load_full()
    }

    /// Appends; the position, or `None` at the bound. Writer only.
    pub(crate) fn push(&self, record: Arc<T>) -> Option<u32> {
        // Relaxed: the writer alone changes it.
        let at = self.len.load(Ordering::Relaxed);
        let segment = self.segments.get(at as usize / SEGMENT)?;
        let slots = segment.get_or_init(|| (0..SEGMENT).map(|_| ArcSwapOption::empty()).collect());
        slots.get(at as usize % SEGMENT)?.store(Some(record));
        self.len.store(at + 1, Ordering::Release);
        Some(at)
    }

    /// Publishes a new version in a filled slot. Writer only.
    pub(crate) fn replace(&self, at: u32, record: Arc<T>) {
        if let Some(slot) = self
            .segments
            .get(at as usize / SEGMENT)
            .and_then(OnceLock::get)
            .and_then(|slots| slots.get(at as usize % SEGMENT))
        {
            self.aside.keep(at as usize, || slot.load_full());
            slot.store(Some(record));
        }
    }

    /// Every record as it was at the mark, by position. Once for each capture.
    pub(crate) fn captured<E>(
        &self,
        capture: u64,
        mut each: impl FnMut(u32, &T) -> Result<(), E>,
    ) -> Result<(), E> {
        for at in 0..u32::try_from(self.aside.end()).unwrap_or(u32::MAX) {
            let now = self.get_full(at);
            let then = self.aside.take(capture, at as usize).unwrap_or(now);
            if let Some(record) = then {
                each(at, &record)?;
            }
        }
        self.aside.finish();
        Ok(())
    }
}

impl<T> Marked for Slots<T> {
    fn mark(&self, capture: u64) {
        self.aside.begin(capture, self.len() as usize);
    }

    fn unmark(&self) {
        self.aside.finish();
    }
}

impl<T> std::fmt::Debug for Slots<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slots").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_given_in_order_and_stay() {
        let slots = Slots::new(1_500);
        let positions: Vec<_> = (0..1_500).filter_map(|n| slots.push(Arc::new(n))).collect();
        assert_eq!(positions, (0..1_500).collect::<Vec<u32>>());
        slots.replace(1_200, Arc::new(7));
        assert_eq!(slots.get_full(1_200).as_deref(), Some(&7));
        assert_eq!(slots.get_full(1_201).as_deref(), Some(&1_201));
        assert!(slots.get(1_500).is_none());
    }
}
