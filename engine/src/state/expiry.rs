//! When holds end: buckets of 16 ms, cheap to add to, swept in (expiry, id) order.
//!
//! Entries are hints: a hold that was released, confirmed or extended leaves its entry behind, and the
//! caller says which still stand. Derived from the holds; in no digest. **Invariant**: no step sorts or
//! moves more than one bucket, and none looks at more than [`SWEEP_LOOKS_MAX`] entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::civil::LogTimeMs;
use crate::ids::HoldId;
use crate::limits::SWEEP_LOOKS_MAX;

/// Milliseconds of a bucket, as a power of two.
const BUCKET_MS_BITS: u32 = 4;
/// Buckets of a span, as a power of two.
const BUCKETS_BITS: u32 = 6;
const BUCKETS: usize = 1 << BUCKETS_BITS;

/// Entries before their turn at which the index, then the record of a hold is asked of memory.
const INDEX_AHEAD: usize = 17;
const RECORD_AHEAD: usize = 9;

/// What of a hold will be needed.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Index,
    Record,
}

/// Every entry ever added and not yet taken.
#[derive(Debug, Default)]
pub struct Expiry {
    spans: BTreeMap<u64, Span>,
}

type Entry = (LogTimeMs, HoldId);
type Buckets = [Vec<Entry>; BUCKETS];

/// A thousand milliseconds and 24.
#[derive(Debug)]
struct Span {
    /// Buckets before this one are empty.
    first: usize,
    /// The first bucket is in order, the last to end in front.
    is_sorted: bool,
    buckets: Option<Box<Buckets>>,
    /// Entries that a capture keeps as they were, until their bucket is the first.
    kept: Vec<Layer>,
}

/// The entries of a span at one moment; those of the buckets named by a bit of `left` are the span's no
/// longer.
#[derive(Debug, Clone)]
struct Layer {
    buckets: Arc<Buckets>,
    left: u64,
}

const _: () = assert!(BUCKETS <= u64::BITS as usize);

impl Layer {
    fn bucket(&self, at: usize) -> &[Entry] {
        if self.left >> at & 1 == 1 {
            return &[];
        }
        self.buckets.get(at).map_or(&[], Vec::as_slice)
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        (0..BUCKETS).flat_map(|at| self.bucket(at)).copied()
    }
}

/// The entries as they stood at some moment, while the expiry goes on.
#[derive(Debug)]
pub struct Kept(Vec<Layer>);

impl Kept {
    /// In no order; the same entry may come twice.
    pub fn iter(&self) -> impl Iterator<Item = (LogTimeMs, HoldId)> {
        self.0.iter().flat_map(Layer::entries)
    }
}

impl Default for Span {
    fn default() -> Self {
        Self { first: BUCKETS, is_sorted: false, buckets: None, kept: Vec::new() }
    }
}

const fn span_of(at: LogTimeMs) -> u64 {
    at >> (BUCKET_MS_BITS + BUCKETS_BITS)
}

#[allow(clippy::cast_possible_truncation)] // Less than BUCKETS.
const fn bucket_of(at: LogTimeMs) -> usize {
    (at >> BUCKET_MS_BITS) as usize % BUCKETS
}

const fn begin_of(span: u64, bucket: usize) -> LogTimeMs {
    (span << BUCKETS_BITS | bucket as u64) << BUCKET_MS_BITS
}

impl Expiry {
    pub fn add(&mut self, at: LogTimeMs, hold: HoldId) {
        let (span, bucket) = (self.spans.entry(span_of(at)).or_default(), bucket_of(at));
        if let Some(entries) = span.own().get_mut(bucket) {
            entries.push((at, hold));
        }
        span.is_sorted &= bucket > span.first;
        span.first = span.first.min(bucket);
    }

    /// Every entry, standing or not.
    pub fn entries(&self) -> impl Iterator<Item = (LogTimeMs, HoldId)> {
        self.spans.values().flat_map(Span::entries)
    }

    /// The entries as they stand, to keep: moves a pointer for each span.
    pub fn keep(&mut self) -> Kept {
        let mut layers = Vec::new();
        for span in self.spans.values_mut() {
            if let Some(buckets) = span.buckets.take() {
                span.is_sorted = false;
                span.kept.push(Layer { buckets: Arc::from(buckets), left: 0 });
            }
            layers.extend_from_slice(&span.kept);
        }
        Kept(layers)
    }

    /// No entry is due before this instant; `None` where there is none at all.
    #[must_use]
    pub fn earliest(&self) -> Option<LogTimeMs> {
        self.spans.first_key_value().map(|(&at, span)| begin_of(at, span.first))
    }

    /// Takes at most `max` standing entries that are due at `now`, in (expiry, id) order. Entries that
    /// do not stand are dropped on the way, as far as the bound goes. `ask` hears of entries before
    /// their turn.
    pub fn take_due(
        &mut self,
        now: LogTimeMs,
        max: u32,
        stands: impl Fn(HoldId, LogTimeMs) -> bool,
        ask: impl Fn(HoldId, Step),
    ) -> Vec<HoldId> {
        let mut due = Vec::new();
        let mut looks = SWEEP_LOOKS_MAX;
        while let Some(mut span) = self.spans.first_entry() {
            let begin = *span.key();
            while span.get().first < BUCKETS {
                if begin_of(begin, span.get().first) > now {
                    return due;
                }
                let Some(entries) = span.get_mut().first_in_order() else { return due };
                while let Some(&(at, hold)) = entries.last() {
                    if at > now || due.len() >= max as usize || looks == 0 {
                        return due;
                    }
                    looks -= 1;
                    for (ahead, step) in [(INDEX_AHEAD, Step::Index), (RECORD_AHEAD, Step::Record)]
                    {
                        let later = entries.len().checked_sub(ahead);
                        if let Some(&(_, later)) = later.and_then(|at| entries.get(at)) {
                            ask(later, step);
                        }
                    }
                    if stands(hold, at) {
                        due.push(hold);
                    }
                    entries.pop();
                }
                span.get_mut().leave_first();
            }
            span.remove();
        }
        due
    }
}

impl Span {
    fn own(&mut self) -> &mut Buckets {
        self.buckets.get_or_insert_with(|| Box::new([const { Vec::new() }; BUCKETS]))
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let own = self.buckets.iter().flat_map(|buckets| buckets.iter().flatten()).copied();
        own.chain(self.kept.iter().flat_map(Layer::entries))
    }

    /// The first bucket, the last entry to end in front, so that taking the next moves nothing.
    fn first_in_order(&mut self) -> Option<&mut Vec<Entry>> {
        let first = self.first;
        if !self.is_sorted && !self.kept.is_empty() {
            let mut kept = std::mem::take(&mut self.kept);
            let entries = self.own().get_mut(first)?;
            for layer in &mut kept {
                entries.extend_from_slice(layer.bucket(first));
                layer.left |= 1 << first;
            }
            self.kept = kept;
        }
        let is_sorted = self.is_sorted;
        self.is_sorted = true;
        let entries = self.own().get_mut(first)?;
        if !is_sorted {
            entries.sort_unstable_by(|a, b| b.cmp(a));
            // A hold whose expiry moved away and came back has the same entry twice.
            entries.dedup();
        }
        Some(entries)
    }

    /// The first bucket is empty: the next that is not takes its place.
    fn leave_first(&mut self) {
        self.is_sorted = false;
        self.first += 1;
        while self.first < BUCKETS && self.is_empty(self.first) {
            self.first += 1;
        }
    }

    fn is_empty(&self, bucket: usize) -> bool {
        let own = self.buckets.as_ref().and_then(|buckets| buckets.get(bucket));
        own.is_none_or(Vec::is_empty) && self.kept.iter().all(|it| it.bucket(bucket).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn silent(_: HoldId, _: Step) {}

    #[test]
    fn due_entries_come_in_order_and_at_most_so_many() {
        let mut expiry = Expiry::default();
        for (at, id) in [(5_500, 3), (5_400, 9), (5_400, 1), (7_000, 2), (5_450, 8)] {
            expiry.add(at, HoldId(id));
        }
        assert_eq!(expiry.earliest(), Some(5_392));
        let not_eight = |hold: HoldId, _| hold != HoldId(8);
        assert_eq!(expiry.take_due(5_399, 10, not_eight, silent), []);
        assert_eq!(expiry.take_due(5_500, 2, not_eight, silent), [HoldId(1), HoldId(9)]);
        assert_eq!(expiry.take_due(5_500, 2, not_eight, silent), [HoldId(3)]);
        assert_eq!(expiry.take_due(9_000, 2, not_eight, silent), [HoldId(2)]);
        assert_eq!(expiry.earliest(), None);
    }

    #[test]
    fn entries_that_do_not_stand_are_dropped_within_a_bound() {
        let mut expiry = Expiry::default();
        let entries = u128::from(SWEEP_LOOKS_MAX) + 1;
        for id in 0..entries {
            expiry.add(2_000, HoldId(id));
        }
        let last = |hold: HoldId, _| hold == HoldId(entries - 1);
        assert_eq!(
            expiry.take_due(3_000, 10, last, silent),
            [],
            "the bound, one short of the last"
        );
        assert_eq!(expiry.take_due(3_000, 10, last, silent), [HoldId(entries - 1)]);
    }

    #[test]
    fn an_entry_may_come_before_those_that_were_looked_at() {
        let mut expiry = Expiry::default();
        let all = |_, _| true;
        for (at, id) in [(5_500, 3), (5_501, 4), (5_900, 5)] {
            expiry.add(at, HoldId(id));
        }
        assert_eq!(expiry.take_due(5_500, 10, all, silent), [HoldId(3)]);
        for (at, id) in [(5_499, 6), (5_100, 7), (5_501, 2), (5_501, 4)] {
            expiry.add(at, HoldId(id));
        }
        assert_eq!(expiry.earliest(), Some(5_088));
        assert_eq!(expiry.take_due(5_501, 10, all, silent), [7, 6, 2, 4].map(HoldId));
        assert_eq!(expiry.take_due(6_000, 10, all, silent), [HoldId(5)]);
        assert!(expiry.spans.is_empty());
    }
}
