//! One atomic number per record: quote versions, earliest expiries. Grows in segments that never move.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use crate::sync::{AtomicU64, SCHEDULED};

const SEGMENT: usize = if SCHEDULED { 8 } else { 4_096 };

/// Numbers by position, 0 until written.
pub struct Marks {
    segments: Box<[OnceLock<Box<[AtomicU64]>>]>,
}

impl Marks {
    #[must_use]
    pub fn new(marks_max: u32) -> Self {
        let segments = if SCHEDULED { 1 } else { (marks_max as usize).div_ceil(SEGMENT) };
        Self { segments: (0..segments).map(|_| OnceLock::new()).collect() }
    }

    /// The number at a position.
    #[must_use]
    #[inline]
    pub fn get(&self, at: u32) -> u64 {
        self.segments
            .get(at as usize / SEGMENT)
            .and_then(OnceLock::get)
            .and_then(|segment| segment.get(at as usize % SEGMENT))
            // Acquire: pairs with the Release in `set`; what was written before the mark is seen.
            .map_or(0, |mark| mark.load(Ordering::Acquire))
    }

    /// Writer only.
    pub(crate) fn set(&self, at: u32, value: u64) {
        let Some(segment) = self.segments.get(at as usize / SEGMENT) else { return };
        let marks = segment.get_or_init(|| (0..SEGMENT).map(|_| AtomicU64::new(0)).collect());
        if let Some(mark) = marks.get(at as usize % SEGMENT) {
            // Release: pairs with the Acquire in `get`.
            mark.store(value, Ordering::Release);
        }
    }
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Marks").finish_non_exhaustive()
    }
}
