//! The end of the log in memory: what apply and replication read.
//!
//! It owns the bounds of what a reader may see and a bounded run of the newest entries. It refuses to
//! touch the disk.
//!
//! **Invariant**: an entry leaves memory only once RocksDB has it; `[start of run, next)` is contiguous.

use std::collections::VecDeque;
use std::ops::Range;

use crate::limits::TAIL_BYTES_MAX;
use crate::raft_types::{Entry, EntryPayload, LogId};

/// What an entry weighs beside its payload's bytes.
const ENTRY_OVERHEAD_BYTES: usize = 96;

#[derive(Debug)]
pub(crate) struct Tail {
    run: VecDeque<Entry>,
    bytes: usize,
    bytes_max: usize,
    /// Entries below this index can be read from RocksDB.
    written: u64,
    /// The index of the oldest entry, where there is one.
    first: u64,
    last: Option<LogId>,
    purged: Option<LogId>,
}

/// A read cut in two: what only RocksDB has, and what memory had.
#[derive(Debug)]
pub(crate) struct Cut {
    pub on_disk: Range<u64>,
    pub in_memory: Vec<Entry>,
}

impl Tail {
    /// The tail of a log on disk: its entries reach from after `purged` to `last`.
    pub fn new(last: Option<LogId>, purged: Option<LogId>) -> Self {
        let last = later(last, purged);
        Self {
            run: VecDeque::new(),
            bytes: 0,
            bytes_max: TAIL_BYTES_MAX,
            written: next(last),
            first: next(purged),
            last,
            purged,
        }
    }

    pub fn last(&self) -> Option<LogId> {
        self.last
    }

    pub fn purged(&self) -> Option<LogId> {
        self.purged
    }

    /// Takes an entry in: from here on it can be read. `false` where it would leave a hole.
    #[must_use]
    pub fn push(&mut self, entry: Entry) -> bool {
        let index = entry.log_id.index;
        // The first entry of an empty log may have any index: snapshots and tests begin anywhere.
        if self.last.is_some() && index != next(self.last) {
            return false;
        }
        if self.last.is_none() {
            self.written = index;
            self.first = index;
        }
        self.last = Some(entry.log_id);
        self.bytes += weight(&entry);
        self.run.push_back(entry);
        true
    }

    /// RocksDB has all entries up to `index`; the oldest may leave memory.
    pub fn mark_written(&mut self, index: u64) {
        self.written = self.written.max(index.saturating_add(1)).min(next(self.last));
        while self.bytes > self.bytes_max
            && let Some(oldest) = self.run.front()
            && oldest.log_id.index < self.written
        {
            self.bytes = self.bytes.saturating_sub(weight(oldest));
            self.run.pop_front();
        }
    }

    /// Forgets everything after `last`.
    pub fn truncate_after(&mut self, last: Option<LogId>) {
        let end = next(last);
        if end >= next(self.last) {
            return;
        }
        while self.run.back().is_some_and(|entry| entry.log_id.index >= end) {
            self.bytes -= self.run.pop_back().as_ref().map_or(0, weight);
        }
        self.written = self.written.min(end);
        self.last = later(last, self.purged);
    }

    /// Forgets everything up to `upto`, which may be past the end.
    pub fn purge(&mut self, upto: LogId) {
        while self.run.front().is_some_and(|entry| entry.log_id.index <= upto.index) {
            self.bytes -= self.run.pop_front().as_ref().map_or(0, weight);
        }
        self.purged = later(self.purged, Some(upto));
        self.last = later(self.last, Some(upto));
        self.first = self.first.max(next(Some(upto)));
        self.written = self.written.max(next(Some(upto)));
    }

    /// The part of `range` that the log has, until `bytes_max` are counted in memory.
    pub fn read(&self, range: Range<u64>, bytes_max: usize) -> Cut {
        let (on_disk, in_memory) = self.locate(range, bytes_max);
        let in_memory = self.run.range(in_memory).cloned().collect();
        Cut { on_disk, in_memory }
    }

    /// As [`Tail::read`], but for the one who applies: the commands in memory are handed over, and what
    /// stays is bytes, which is all that replication needs. So the bound on memory is a true one.
    pub fn read_to_apply(&mut self, range: Range<u64>, bytes_max: usize) -> Cut {
        let (on_disk, in_memory) = self.locate(range, bytes_max);
        let hand_over = |entry: &mut Entry| {
            let handed = entry.clone();
            if let EntryPayload::Normal(payload) = &mut entry.payload {
                *payload = payload.bytes_only();
            }
            handed
        };
        let in_memory = self.run.range_mut(in_memory).map(hand_over).collect();
        Cut { on_disk, in_memory }
    }

    /// Which indexes only RocksDB has, and which positions of the run are to be read.
    fn locate(&self, range: Range<u64>, bytes_max: usize) -> (Range<u64>, Range<usize>) {
        let start = range.start.max(self.first);
        let end = range.end.min(next(self.last));
        let run_start = self.run.front().map_or(end, |entry| entry.log_id.index);
        let on_disk = start..end.min(run_start).max(start);
        // A read that begins on disk is filled from there first: memory follows in the next one.
        if !on_disk.is_empty() && bytes_max != usize::MAX {
            return (on_disk, 0..0);
        }
        let skip = usize::try_from(start.saturating_sub(run_start)).unwrap_or(usize::MAX);
        let skip = skip.min(self.run.len());
        let mut bytes = 0_usize;
        let fits = |entry: &&Entry| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(weight(entry));
            entry.log_id.index < end && (first || bytes <= bytes_max)
        };
        let count = self.run.range(skip..).take_while(fits).count();
        (on_disk, skip..skip + count)
    }
}

/// The index after `id`: zero for an empty log.
pub(crate) fn next(id: Option<LogId>) -> u64 {
    id.map_or(0, |id| id.index.saturating_add(1))
}

/// The one with the greater index; the first of two equals.
fn later(a: Option<LogId>, b: Option<LogId>) -> Option<LogId> {
    if next(b) > next(a) { b } else { a }
}

pub(crate) fn weight(entry: &Entry) -> usize {
    ENTRY_OVERHEAD_BYTES
        + match &entry.payload {
            EntryPayload::Normal(payload) => payload.bytes().len(),
            EntryPayload::Blank | EntryPayload::Membership(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::payload::Payload;
    use crate::raft_types::Leader;

    fn id(index: u64) -> LogId {
        LogId::new(Leader { term: 1, node_id: 1 }, index)
    }

    fn entry(index: u64) -> Entry {
        let payload = EntryPayload::Normal(Payload::from_bytes(Bytes::from(vec![0; 1_000])));
        Entry { log_id: id(index), payload }
    }

    fn filled(entries: u64) -> Tail {
        let mut tail = Tail::new(None, None);
        for index in 0..entries {
            assert!(tail.push(entry(index)));
        }
        tail
    }

    fn indexes(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.log_id.index).collect()
    }

    #[test]
    fn what_is_pushed_is_read_before_it_is_written() {
        let cut = filled(10).read(3..7, usize::MAX);
        assert!(cut.on_disk.is_empty());
        assert_eq!(indexes(&cut.in_memory), [3, 4, 5, 6]);
    }

    #[test]
    fn only_written_entries_leave_memory() {
        let mut tail = filled(10);
        tail.bytes_max = 0;
        tail.mark_written(5);
        let cut = tail.read(0..100, usize::MAX);
        assert_eq!(cut.on_disk, 0..6);
        assert_eq!(indexes(&cut.in_memory), [6, 7, 8, 9]);
    }

    #[test]
    fn a_hole_is_refused() {
        let mut tail = filled(3);
        assert!(!tail.push(entry(5)));
        assert!(!tail.push(entry(1)));
        assert!(tail.push(entry(3)));
    }

    #[test]
    fn truncated_and_purged_entries_are_not_read() {
        let mut tail = filled(10);
        tail.mark_written(9);
        tail.truncate_after(Some(id(6)));
        tail.purge(id(2));
        assert_eq!(indexes(&tail.read(0..100, usize::MAX).in_memory), [3, 4, 5, 6]);
        assert_eq!((tail.last(), tail.purged()), (Some(id(6)), Some(id(2))));
        tail.purge(id(20));
        assert_eq!(tail.last(), Some(id(20)));
        assert!(tail.push(entry(21)));
    }

    #[test]
    fn what_was_handed_over_to_apply_stays_as_bytes() {
        let mut tail = Tail::new(None, None);
        let payload = Payload::assemble(7, std::iter::empty());
        let bytes = payload.bytes().clone();
        assert!(tail.push(Entry { log_id: id(0), payload: EntryPayload::Normal(payload) }));
        let handed = tail.read_to_apply(0..1, usize::MAX).in_memory;
        let kept = tail.read(0..1, usize::MAX).in_memory;
        let payload_of = |entries: &[Entry]| match &entries[0].payload {
            EntryPayload::Normal(payload) => payload.clone(),
            other => panic!("{other}"),
        };
        assert!(payload_of(&handed).is_decoded());
        assert!(!payload_of(&kept).is_decoded());
        assert_eq!(payload_of(&kept).bytes(), &bytes);
    }

    #[test]
    fn a_bounded_read_returns_at_least_one_entry() {
        let tail = filled(10);
        assert_eq!(indexes(&tail.read(2..9, 1).in_memory), [2]);
        let two = 2 * (1_000 + ENTRY_OVERHEAD_BYTES);
        assert_eq!(indexes(&tail.read(2..9, two).in_memory), [2, 3]);
    }
}
