//! Bookings in memory by the night they check out, so that the archive finds those that are long over.
//!
//! A night's bookings lie in 64 parts by a hash of their id; a part is put in order when its turn comes. So
//! the order (night, part, id) follows from the bookings alone, however they came in, and two replicas of
//! which one began with a snapshot archive the same ones. Derived from the bookings; in no digest.
//!
//! **Invariant**: every booking in memory is here once, under its check-out. No call sorts or searches more
//! than one part of a night.

use std::collections::BTreeMap;

use crate::civil::Night;
use crate::ids::BookingId;

/// Bits of the hash that say which part of a night a booking lies in.
const PART_BITS: u32 = 6;
const PARTS: usize = 1 << PART_BITS;
/// Fibonacci hashing's multiplier: 2⁶⁴ over the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The index.
#[derive(Debug, Default)]
pub(crate) struct CheckOuts {
    nights: BTreeMap<Night, Bookings>,
    /// The part that is in order, the last id in front.
    sorted: Option<(Night, usize)>,
}

/// The bookings of one night.
#[derive(Debug)]
struct Bookings {
    len: usize,
    parts: Box<[Vec<BookingId>; PARTS]>,
}

impl Default for Bookings {
    fn default() -> Self {
        Self { len: 0, parts: Box::new([const { Vec::new() }; PARTS]) }
    }
}

/// The part of an id. Part of the replicated rules: it decides the order within a night.
#[allow(clippy::cast_possible_truncation)] // Both halves are taken; a part is less than `PARTS`.
const fn part_of(id: BookingId) -> usize {
    let folded = (id.0 >> 64) as u64 ^ id.0 as u64;
    (folded.wrapping_mul(SPREAD) >> (u64::BITS - PART_BITS)) as usize
}

impl CheckOuts {
    pub(crate) fn add(&mut self, night: Night, id: BookingId) {
        let (bookings, part) = (self.nights.entry(night).or_default(), part_of(id));
        if let Some(ids) = bookings.parts.get_mut(part) {
            ids.push(id);
            bookings.len += 1;
        }
        self.spoil(night, part);
    }

    /// A booking checks out on another night from now on.
    pub(crate) fn remove(&mut self, night: Night, id: BookingId) {
        let Some(bookings) = self.nights.get_mut(&night) else { return };
        let part = part_of(id);
        let Some(ids) = bookings.parts.get_mut(part) else { return };
        let Some(at) = ids.iter().position(|&known| known == id) else { return };
        ids.swap_remove(at);
        bookings.len -= 1;
        if bookings.len == 0 {
            self.nights.remove(&night);
        }
        self.spoil(night, part);
    }

    fn spoil(&mut self, night: Night, part: usize) {
        if self.sorted == Some((night, part)) {
            self.sorted = None;
        }
    }

    /// The first night that a booking in memory checks out.
    pub(crate) fn first(&self) -> Option<Night> {
        self.nights.first_key_value().map(|(&night, _)| night)
    }

    /// Takes the first booking in order, where it checks out on `last` or earlier.
    pub(crate) fn take_through(&mut self, last: Night) -> Option<BookingId> {
        let mut entry = self.nights.first_entry().filter(|entry| *entry.key() <= last)?;
        let night = *entry.key();
        let bookings = entry.get_mut();
        let (part, ids) = bookings.parts.iter_mut().enumerate().find(|(_, ids)| !ids.is_empty())?;
        if self.sorted != Some((night, part)) {
            ids.sort_unstable_by(|a, b| b.cmp(a));
            self.sorted = Some((night, part));
        }
        let id = ids.pop()?;
        if ids.is_empty() {
            // Its memory goes with the last one.
            *ids = Vec::new();
        }
        bookings.len -= 1;
        if bookings.len == 0 {
            entry.remove();
        }
        Some(id)
    }

    /// In no order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Night, BookingId)> {
        let of = |(&night, bookings): (&Night, _)| (night, bookings);
        self.nights.iter().map(of).flat_map(|(night, bookings): (_, &Bookings)| {
            bookings.parts.iter().flatten().map(move |&id| (night, id))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ids::mint;
    use proptest::prelude::*;

    fn drain(index: &mut CheckOuts, last: Night) -> Vec<BookingId> {
        std::iter::from_fn(|| index.take_through(last)).collect()
    }

    proptest! {
        #[test]
        fn the_order_follows_from_the_bookings_and_not_from_how_they_came(
            bookings in proptest::collection::btree_map(any::<u128>(), (0u16..5, 0u16..5), 0..200),
            last in 0u16..6,
        ) {
            let (mut one, mut two) = (CheckOuts::default(), CheckOuts::default());
            for (&id, &(before, after)) in &bookings {
                one.add(Night(before), BookingId(id));
                one.remove(Night(before), BookingId(id));
                one.add(Night(after), BookingId(id));
            }
            for (&id, &(_, night)) in bookings.iter().rev() {
                two.add(Night(night), BookingId(id));
            }
            let all: BTreeSet<_> =
                bookings.iter().map(|(&id, &(_, night))| (Night(night), BookingId(id))).collect();
            prop_assert_eq!(one.entries().collect::<BTreeSet<_>>(), all.clone());
            prop_assert_eq!(one.first(), all.first().map(|first| first.0));
            // Some first, then one more comes in between.
            let first = one.take_through(Night(last));
            prop_assert_eq!(first, two.take_through(Night(last)));
            one.add(Night(last), BookingId(7));
            two.add(Night(last), BookingId(7));
            let taken = drain(&mut one, Night(last));
            prop_assert_eq!(&taken, &drain(&mut two, Night(last)));
            let taken: BTreeSet<_> = taken.into_iter().chain(first).collect();
            let mut due: BTreeSet<_> =
                all.iter().filter(|one| one.0.0 <= last).map(|one| one.1).collect();
            due.insert(BookingId(7));
            prop_assert_eq!(taken, due);
        }
    }

    #[test]
    fn earlier_nights_come_first() {
        let mut index = CheckOuts::default();
        for (night, id) in [(9, 1), (7, 2), (8, 3), (7, 4)] {
            index.add(Night(night), BookingId(id));
        }
        let taken = drain(&mut index, Night(8));
        assert_eq!(taken[..2].iter().map(|id| id.0).sum::<u128>(), 6, "both of the first night");
        assert_eq!(taken[2..], [BookingId(3)]);
        assert_eq!(index.first(), Some(Night(9)));
    }

    #[test]
    fn ids_of_either_make_are_spread_over_the_parts() {
        let mut dice = 1u128;
        let minted = |at: u64| {
            dice = dice.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1);
            mint(1_795_000_000_000 + at, 1, dice >> 64)
        };
        let ids: [Vec<u128>; 2] = [(0..64_000).map(minted).collect(), (0..64_000).collect()];
        for ids in ids {
            let mut counts = [0; PARTS];
            ids.iter().for_each(|&id| counts[part_of(BookingId(id))] += 1);
            assert!(counts.iter().all(|&count| (800..1_200).contains(&count)), "{counts:?}");
        }
    }
}
