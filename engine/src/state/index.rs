//! Where the records of a table lie: a hash index that grows by one bucket at a time.
//!
//! Linear hashing (Litwin, 1980): one insertion in three splits one bucket in two, so nothing large is
//! ever rehashed. A bucket is one cache line, seven entries and a link to an overflow bucket; an entry
//! is the hash's lower 32 bits and the record's place, so that a split looks at no record.
//!
//! **Invariant**: one writer. Readers take no lock: an entry that moves is published in its new bucket
//! before the shape is, and leaves its old one afterwards, so a reader that found nothing while the
//! shape stood still has looked where the entry would be.

use std::sync::atomic::Ordering;

use super::pages::Pages;
use super::queue::Queue;
use crate::prefetch::prefetch;
use crate::sync::{AtomicU32, AtomicU64};

const ENTRIES: usize = 7;
/// Buckets of an empty table.
const BUCKETS_MIN: u32 = 16;
/// Entries over buckets, as a ratio of two numbers, past which a bucket is split: half full.
const SPLIT_ABOVE: (usize, usize) = (7, 2);

/// Tag in the upper half, place plus one in the lower; 0 where nothing is.
type Entry = u64;

#[repr(align(64))]
#[derive(Debug, Default)]
struct Bucket {
    entries: [AtomicU64; ENTRIES],
    /// Number of the overflow bucket plus one; 0 where there is none.
    link: AtomicU32,
}

/// The index. The writer's part is in [`Growth`].
#[derive(Debug)]
pub struct Index {
    /// Buckets in the lower half, rearrangements in the upper.
    shape: AtomicU64,
    heads: Pages<Bucket>,
    overflow: Pages<Bucket>,
}

/// What the writer alone knows of an index.
#[derive(Debug, Default)]
pub struct Growth {
    entries: usize,
    overflow: u32,
    /// Overflow buckets that no chain has.
    free: Queue<u32>,
}

#[allow(clippy::cast_possible_truncation)] // Two packed 32-bit halves.
const fn tag_of(entry: Entry) -> u32 {
    (entry >> 32) as u32
}

#[allow(clippy::cast_possible_truncation)] // As above; never of an empty entry.
const fn place_of(entry: Entry) -> u32 {
    entry as u32 - 1
}

/// The bucket of a tag among `buckets`: its lower bits, one bit fewer where that bucket is still to come.
const fn bucket_of(tag: u32, buckets: u32) -> u32 {
    let mask = buckets.next_power_of_two() - 1;
    let bucket = tag & mask;
    if bucket < buckets { bucket } else { tag & (mask >> 1) }
}

impl Default for Index {
    fn default() -> Self {
        Self {
            shape: AtomicU64::new(u64::from(BUCKETS_MIN)),
            heads: Pages::default(),
            overflow: Pages::default(),
        }
    }
}

impl Index {
    #[allow(clippy::cast_possible_truncation)] // The lower half.
    fn buckets(&self) -> (u64, u32) {
        // Acquire: pairs with the Release in `publish`: entries are where this shape has them.
        let shape = self.shape.load(Ordering::Acquire);
        (shape, shape as u32)
    }

    /// The next shape. Writer only.
    fn publish(&self, buckets: u32) {
        // Relaxed: the writer alone changes it.
        let shape = self.shape.load(Ordering::Relaxed);
        let next = ((shape >> 32).wrapping_add(1) << 32) | u64::from(buckets);
        // Release: pairs with the Acquire in `buckets`.
        self.shape.store(next, Ordering::Release);
    }

    /// The buckets of a chain, the head first.
    fn chain(&self, head: u32) -> impl Iterator<Item = &Bucket> {
        std::iter::successors(self.heads.get(head as usize), |bucket| {
            // Acquire: pairs with the Release in `enter`: the bucket that is linked exists.
            let number = bucket.link.load(Ordering::Acquire).checked_sub(1)?;
            self.overflow.get(number as usize)
        })
    }

    fn entries(&self, head: u32) -> impl Iterator<Item = &AtomicU64> {
        self.chain(head).flat_map(|bucket| &bucket.entries)
    }

    /// The first place under a tag that is the right one by `look`, which may be asked of any place.
    #[inline]
    pub fn find<R>(&self, tag: u32, mut look: impl FnMut(u32) -> Option<R>) -> Option<R> {
        let (mut shape, mut buckets) = self.buckets();
        loop {
            for entry in self.entries(bucket_of(tag, buckets)) {
                // Acquire: an entry that has moved away shows the shape that came before its leaving;
                // one that is there shows its record.
                let entry = entry.load(Ordering::Acquire);
                if entry != 0
                    && tag_of(entry) == tag
                    && let Some(found) = look(place_of(entry))
                {
                    return Some(found);
                }
            }
            let now = self.buckets();
            if now.0 == shape {
                return None;
            }
            (shape, buckets) = now;
        }
    }

    /// Asks memory for the bucket of a tag.
    #[inline]
    pub fn prefetch(&self, tag: u32) {
        if let Some(bucket) = self.heads.get(bucket_of(tag, self.buckets().1) as usize) {
            prefetch(bucket);
        }
    }

    /// Adds an entry. Writer only; false where the bounds of memory are reached.
    pub fn insert(&self, growth: &mut Growth, tag: u32, place: u32) -> bool {
        let (_, buckets) = self.buckets();
        let entry = u64::from(tag) << 32 | (u64::from(place) + 1);
        if !self.enter(growth, bucket_of(tag, buckets), entry) {
            return false;
        }
        growth.entries += 1;
        if growth.entries * SPLIT_ABOVE.1 > buckets as usize * SPLIT_ABOVE.0 {
            self.split(growth, buckets);
        }
        true
    }

    /// Takes an entry away; its overflow bucket stays until its chain is split. Writer only.
    pub fn remove(&self, growth: &mut Growth, tag: u32, place: u32) {
        let (_, buckets) = self.buckets();
        let entry = u64::from(tag) << 32 | (u64::from(place) + 1);
        // Relaxed: the writer alone stores entries.
        let same = |known: &&AtomicU64| known.load(Ordering::Relaxed) == entry;
        if let Some(known) = self.entries(bucket_of(tag, buckets)).find(same) {
            // Release: as in `enter`.
            known.store(0, Ordering::Release);
            growth.entries -= 1;
        }
    }

    /// Puts an entry into the first gap of a chain.
    fn enter(&self, growth: &mut Growth, head: u32, entry: Entry) -> bool {
        let Some(mut bucket) = self.heads.reach(head as usize) else { return false };
        loop {
            // Relaxed: the writer alone stores entries and links.
            let gap = bucket.entries.iter().find(|known| known.load(Ordering::Relaxed) == 0);
            if let Some(gap) = gap {
                // Release: pairs with the Acquire in `find`: what was published before is seen.
                gap.store(entry, Ordering::Release);
                return true;
            }
            let next = match bucket.link.load(Ordering::Relaxed).checked_sub(1) {
                Some(number) => number,
                None => match self.link_overflow(growth, bucket) {
                    Some(number) => number,
                    None => return false,
                },
            };
            let Some(next) = self.overflow.get(next as usize) else { return false };
            bucket = next;
        }
    }

    fn link_overflow(&self, growth: &mut Growth, bucket: &Bucket) -> Option<u32> {
        let number = match growth.free.pop() {
            Some(number) => number,
            None => {
                self.overflow.reach(growth.overflow as usize)?;
                growth.overflow += 1;
                growth.overflow - 1
            }
        };
        // Release: pairs with the Acquire in `chain`.
        bucket.link.store(number + 1, Ordering::Release);
        Some(number)
    }

    /// Splits the next bucket in turn: the entries of one chain move, no others.
    fn split(&self, growth: &mut Growth, buckets: u32) {
        let Some(after) = buckets.checked_add(1) else { return };
        let sibling = bucket_of(buckets, buckets);
        // The new bucket first, still out of sight.
        for known in self.entries(sibling) {
            // Relaxed: the writer alone stores entries.
            let entry = known.load(Ordering::Relaxed);
            if entry != 0
                && bucket_of(tag_of(entry), after) == buckets
                && !self.enter(growth, buckets, entry)
            {
                // No memory for it: the table goes on with fuller buckets.
                self.entries(buckets).for_each(|copied| copied.store(0, Ordering::Relaxed));
                return;
            }
        }
        self.publish(after);
        for known in self.entries(sibling) {
            let entry = known.load(Ordering::Relaxed);
            if entry != 0 && bucket_of(tag_of(entry), after) == buckets {
                // Release: pairs with the Acquire in `find`: who misses the entry sees the new shape.
                known.store(0, Ordering::Release);
            }
        }
        self.close_up(growth, sibling, after);
    }

    /// Moves what lies in a chain's overflow into gaps before it, and gives up what is empty then.
    fn close_up(&self, growth: &mut Growth, head: u32, buckets: u32) {
        let Some(first) = self.heads.get(head as usize) else { return };
        // Relaxed, here and below: the writer alone stores entries and links.
        if first.link.load(Ordering::Relaxed) == 0 {
            return;
        }
        let filled = |known: &&AtomicU64| known.load(Ordering::Relaxed) != 0;
        let count = self.entries(head).filter(filled).count();
        // Every entry past the first `count` slots has a gap before it: copied first, removed later.
        let late: Vec<&AtomicU64> = self.entries(head).skip(count).filter(filled).collect();
        let gaps = self.entries(head).take(count).filter(|known| !filled(known));
        for (gap, known) in gaps.zip(&late) {
            // Release: as in `enter`.
            gap.store(known.load(Ordering::Relaxed), Ordering::Release);
        }
        self.publish(buckets);
        for known in late {
            // Release: as in `split`.
            known.store(0, Ordering::Release);
        }
        let kept = count.div_ceil(ENTRIES).max(1);
        let Some(last) = self.chain(head).nth(kept - 1) else { return };
        // Release: who misses the rest of the chain sees the new shape.
        let mut link = last.link.swap(0, Ordering::Release);
        while let Some(number) = link.checked_sub(1) {
            let Some(bucket) = self.overflow.get(number as usize) else { return };
            link = bucket.link.swap(0, Ordering::Release);
            growth.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    fn places(index: &Index, tag: u32) -> Vec<u32> {
        let mut found = Vec::new();
        index.find(tag, |place| {
            found.push(place);
            None::<()>
        });
        found.sort_unstable();
        found
    }

    fn longest(index: &Index) -> usize {
        (0..index.buckets().1).map(|head| index.chain(head).count()).max().unwrap_or(0)
    }

    #[test]
    fn an_insertion_splits_one_bucket_at_most() {
        let (index, mut growth) = (Index::default(), Growth::default());
        let mut dice = 1u64;
        for place in 0..200_000u32 {
            let before = index.buckets().1;
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            assert!(index.insert(&mut growth, (dice >> 32) as u32, place));
            assert!(index.buckets().1 - before <= 1);
        }
        let buckets = index.buckets().1 as usize;
        assert_eq!(buckets, (growth.entries * 2).div_ceil(7), "half full");
        // So an insertion moves what one chain holds: a handful of entries, whatever the size.
        assert!(longest(&index) <= 4, "{}", longest(&index));
        assert!((growth.overflow as usize) < buckets / 8, "{} of {buckets}", growth.overflow);
    }

    proptest! {
        /// Tags of few bits, so that chains become long, and close up.
        #[test]
        fn it_agrees_with_a_plain_map(
            bits in 3u32..33,
            steps in proptest::collection::vec((any::<u32>(), any::<bool>()), 0..1_500),
        ) {
            let (index, mut growth) = (Index::default(), Growth::default());
            let mut model: HashMap<u32, Vec<u32>> = HashMap::new();
            for (place, (tag, adds)) in (0u32..).zip(steps) {
                // The upper bits, so that all tags meet in one bucket until it has split often.
                let tag = tag.checked_shl(32 - bits).unwrap_or(0);
                if adds || model.is_empty() {
                    prop_assert!(index.insert(&mut growth, tag, place));
                    model.entry(tag).or_default().push(place);
                } else {
                    let tag = *model.keys().min_by_key(|&&known| known ^ tag).unwrap();
                    let places = model.get_mut(&tag).unwrap();
                    index.remove(&mut growth, tag, places.remove(0));
                    if places.is_empty() {
                        model.remove(&tag);
                    }
                }
            }
            for (&tag, expected) in &model {
                prop_assert_eq!(&places(&index, tag), expected);
            }
            let count: usize = model.values().map(Vec::len).sum();
            prop_assert_eq!(growth.entries, count);
            let all: usize = (0..index.buckets().1)
                .map(|head| {
                    index.entries(head).filter(|entry| entry.load(Ordering::Relaxed) != 0).count()
                })
                .sum();
            prop_assert_eq!(all, count, "each entry once");
        }
    }

    #[test]
    fn readers_find_what_stays_while_the_writer_splits() {
        const STAYING: u32 = 1_000;
        let spread = |place: u32| place.wrapping_mul(0x9E37_79B9);
        let (index, mut growth) = (Index::default(), Growth::default());
        for place in 0..STAYING {
            index.insert(&mut growth, spread(place), place);
        }
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        for place in 0..STAYING {
                            let same = |found: u32| (found == place).then_some(());
                            assert!(index.find(spread(place), same).is_some(), "{place}");
                        }
                    }
                });
            }
            for place in STAYING..300_000 {
                index.insert(&mut growth, spread(place), place);
                // Every other one goes again, so that overflow buckets come and go.
                if place % 2 == 0 {
                    index.remove(&mut growth, spread(place / 2 + STAYING), place / 2 + STAYING);
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
