//! What a capture needs of the past: values the writer puts aside before it first changes them after the
//! mark.
//!
//! It owns the protocol of the two threads and refuses to know what a value is. The writer puts aside,
//! then changes; the capturing thread reads, then looks aside: a change that it saw has what was before
//! lying there. Neither waits for the other beyond one small bucket's lock.
//!
//! **Invariant**: while a capture is under way, a place that was there at its mark and was not taken yet
//! is as it was at the mark, or what it was then lies aside.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::pages::Pages;
use crate::sync::{AtomicU64, Mutex, lock};

/// Places whose values lie together.
const BUCKET: usize = 64;

type Bucket<T> = BTreeMap<usize, (u64, T)>;

/// Values put aside, by place.
pub struct Aside<T> {
    /// Number of the capture under way; 0 where there is none.
    capture: AtomicU64,
    /// Places there at the mark.
    end: AtomicU64,
    /// Places before this one were taken.
    taken: AtomicU64,
    kept: Pages<Mutex<Bucket<T>>>,
}

/// What is to be had as it stood at the mark of a capture.
pub(crate) trait Marked {
    /// The mark. Writer only; no other capture is under way.
    fn mark(&self, capture: u64);

    /// The capture is over.
    fn unmark(&self);
}

impl<T> Default for Aside<T> {
    fn default() -> Self {
        Self {
            capture: AtomicU64::new(0),
            end: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            kept: Pages::default(),
        }
    }
}

impl<T> Aside<T> {
    /// The mark: places before `end` are to be as they are now. Writer only; no other capture is under
    /// way.
    pub fn begin(&self, capture: u64, end: usize) {
        // Relaxed: the writer alone reads them before the capturing thread has been handed its capture,
        // which synchronises.
        self.end.store(end as u64, Ordering::Relaxed);
        self.taken.store(0, Ordering::Relaxed);
        self.capture.store(capture, Ordering::Relaxed);
    }

    /// The value of a place is about to change. Writer only.
    #[inline]
    pub fn keep(&self, at: usize, before: impl FnOnce() -> T) {
        // Relaxed: the writer set it; who ends a capture needs nothing any more.
        let capture = self.capture.load(Ordering::Relaxed);
        if capture != 0 {
            self.put(capture, at, before);
        }
    }

    /// Whether anything is to be put aside. Writer only.
    #[inline]
    pub fn is_marked(&self) -> bool {
        // Relaxed: as in `keep`.
        self.capture.load(Ordering::Relaxed) != 0
    }

    #[cold]
    #[inline(never)]
    fn put(&self, capture: u64, at: usize, before: impl FnOnce() -> T) {
        // Relaxed: the writer's own.
        let end = self.end.load(Ordering::Relaxed);
        // Acquire: pairs with the Release in `take`: what was read there was read before this change.
        let taken = self.taken.load(Ordering::Acquire);
        if at as u64 >= end || (at as u64) < taken {
            return;
        }
        let Some(bucket) = self.kept.reach(at / BUCKET) else { return };
        let is_kept = |bucket: &Bucket<T>| bucket.get(&at).is_some_and(|kept| kept.0 == capture);
        if is_kept(&lock(bucket)) {
            return;
        }
        // Made outside the lock: the writer alone puts aside, nobody comes in between.
        let value = before();
        lock(bucket).insert(at, (capture, value));
    }

    /// Places that were there at the mark.
    pub fn end(&self) -> usize {
        // Relaxed: written before the capture was handed over.
        usize::try_from(self.end.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// What lay at a place at the mark, where it has changed since. To be called after the place itself
    /// was read, for each place in order, and once.
    pub fn take(&self, capture: u64, at: usize) -> Option<T> {
        let kept = self.kept.get(at / BUCKET).and_then(|bucket| lock(bucket).remove(&at));
        // Release: pairs with the Acquire in `put`.
        self.taken.store(at as u64 + 1, Ordering::Release);
        kept.filter(|kept| kept.0 == capture).map(|kept| kept.1)
    }

    /// The capture is over: nothing is put aside for it any more, what still lies there is dropped. Not
    /// the writer's work. What the writer puts aside at this very moment stays until another capture
    /// comes by, and is never taken for that one's.
    pub fn finish(&self) {
        // Relaxed: the writer may go on putting aside for a moment.
        self.capture.store(0, Ordering::Relaxed);
        for at in 0..self.end().div_ceil(BUCKET) {
            if let Some(bucket) = self.kept.get(at) {
                drop(std::mem::take(&mut *lock(bucket)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_after_the_mark_is_kept_and_only_of_places_that_matter() {
        let aside = Aside::default();
        aside.keep(3, || "before any mark");
        aside.begin(1, 10);
        aside.keep(3, || "at the mark");
        aside.keep(3, || "later");
        aside.keep(10, || "not there at the mark");
        assert_eq!(aside.take(1, 2), None);
        assert_eq!(aside.take(1, 3), Some("at the mark"));
        aside.keep(3, || "after it was taken");
        aside.keep(4, || "still to come");
        assert_eq!(aside.take(1, 4), Some("still to come"));
        assert_eq!(aside.take(1, 10), None);
    }

    #[test]
    fn what_is_left_of_one_capture_is_not_the_next_ones() {
        let aside = Aside::default();
        aside.begin(1, 10);
        aside.keep(5, || 'a');
        // As a writer that is late would leave it.
        aside.begin(2, 10);
        assert_eq!(aside.take(2, 5), None);
        aside.begin(3, 10);
        aside.keep(6, || 'b');
        aside.finish();
        aside.begin(4, 10);
        assert_eq!(aside.take(4, 6), None);
        aside.keep(7, || 'c');
        assert_eq!(aside.take(4, 7), Some('c'));
    }
}
