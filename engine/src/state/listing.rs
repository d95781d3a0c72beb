//! Lists of bookings by who made them, in the order they were made.
//!
//! Bookings leave in the order they check out, which is another: an entry of one that has left stays as a
//! gap until nothing in memory is listed before it. **Invariant**: a list is there while one of its bookings
//! is in memory, positions never change as long as it is, and no call drops more than [`GAPS_DROPPED_MAX`]
//! gaps.

use super::queue::Queue;
use super::shared::Shared;
use crate::command::Principal;
use crate::ids::BookingId;
use crate::limits::{GAPS_DROPPED_MAX, LISTING_LOOKS_MAX};

/// The bookings of one principal.
#[derive(Debug, Default, Clone)]
pub struct Listing {
    entries: Queue<BookingId>,
    /// The position of the first entry: how many were dropped before it.
    first: usize,
    /// Bookings that are in memory.
    live: usize,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Newest first. Bookings that are in memory.
    pub bookings: Vec<BookingId>,
    /// The next page is what comes before this position; `None` where nothing does. A page may be shorter than
    /// was asked for, and yet have a next one.
    pub next: Option<usize>,
}

impl Listing {
    /// From the oldest on, gaps included.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &BookingId> {
        self.entries.iter()
    }

    /// The position of the first entry.
    pub(super) const fn first(&self) -> usize {
        self.first
    }

    /// A list that begins at this position, of a state that is being loaded.
    pub(super) fn load(first: usize) -> Self {
        Self { first, ..Self::default() }
    }

    /// Its next entry, of one whose booking is in memory or has left.
    pub(super) fn load_entry(&mut self, booking: BookingId, is_live: bool) {
        self.push(booking);
        self.live -= usize::from(!is_live);
    }

    pub(crate) const fn live(&self) -> usize {
        self.live
    }

    fn push(&mut self, booking: BookingId) {
        self.entries.push(booking);
        self.live += 1;
    }

    /// One of its bookings has left memory; whether any is there still.
    fn leave(&mut self, is_live: impl Fn(&BookingId) -> bool) -> bool {
        self.live = self.live.saturating_sub(1);
        for _ in 0..GAPS_DROPPED_MAX {
            match self.entries.first() {
                Some(first) if !is_live(first) => self.entries.pop(),
                _ => break,
            };
            self.first += 1;
        }
        self.live > 0
    }

    /// At most `limit` bookings, from the one before position `before` on (the newest where `None`).
    fn page(
        &self,
        before: Option<usize>,
        limit: usize,
        is_live: impl Fn(&BookingId) -> bool,
    ) -> Listed {
        let end = before.unwrap_or(usize::MAX).saturating_sub(self.first).min(self.entries.len());
        let mut bookings = Vec::new();
        for (looks, at) in (0..end).rev().enumerate() {
            if looks >= LISTING_LOOKS_MAX || bookings.len() >= limit {
                return Listed { bookings, next: Some(self.first + at + 1) };
            }
            bookings.extend(self.entries.get(at).filter(|id| is_live(id)));
        }
        Listed { bookings, next: None }
    }
}

impl Shared {
    /// A booking that is new is the last of its principal's.
    pub(super) fn list_booking(&self, principal: Principal, booking: BookingId) {
        if self.bookings_of.change(&principal, |list| list.push(booking)).is_none() {
            let mut list = Listing::default();
            list.push(booking);
            self.bookings_of.add(principal, list);
        }
    }

    /// A booking of the principal's has left the table of bookings.
    pub(super) fn unlist_booking(&self, principal: Principal) {
        // The list's own lock is held while a booking's is taken: here and by readers, never the other way.
        let leave = |list: &mut Listing| list.leave(|id| self.bookings.contains(id));
        if self.bookings_of.change(&principal, leave) == Some(false) {
            self.bookings_of.remove(&principal);
        }
    }

    /// A page of a principal's bookings, newest first: at most `limit` that are in memory, from before the
    /// position `before` on (all where `None`). Positions never change while any is.
    #[must_use]
    pub fn bookings_of(&self, principal: Principal, before: Option<usize>, limit: usize) -> Listed {
        let page = |list: &Listing| list.page(before, limit, |id| self.bookings.contains(id));
        self.bookings_of.look(&principal, page).unwrap_or_default()
    }
}

/// Corruptions that only a broken writer could make, for the tests of those who must find them.
#[cfg(test)]
impl Listing {
    pub(crate) fn plant_lost(&mut self, booking: BookingId) {
        let entries = std::mem::take(&mut self.entries);
        entries.iter().filter(|&&id| id != booking).for_each(|&id| self.entries.push(id));
    }

    pub(crate) fn plant_twice(&mut self, booking: BookingId) {
        self.push(booking);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    fn all(list: &Listing, live: &BTreeSet<u128>, limit: usize) -> Vec<u128> {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = list.page(before, limit, |id| live.contains(&id.0));
            assert!(page.bookings.len() <= limit);
            found.extend(page.bookings.iter().map(|id| id.0));
            before = page.next;
            if before.is_none() {
                return found;
            }
        }
    }

    proptest! {
        #[test]
        fn pages_show_what_is_in_memory_newest_first_whoever_leaves(
            leavers in proptest::collection::vec(any::<prop::sample::Index>(), 0..300),
            limit in 1usize..40,
        ) {
            let (mut list, mut live) = (Listing::default(), BTreeSet::new());
            for id in 0..300u128 {
                list.push(BookingId(id));
                live.insert(id);
            }
            let before = list.page(None, 100, |_| true).next;
            for leaver in leavers {
                let Some(&id) = live.iter().nth(leaver.index(live.len().max(1))) else { break };
                live.remove(&id);
                let stays = list.leave(|id| live.contains(&id.0));
                prop_assert_eq!(stays, !live.is_empty());
                prop_assert_eq!(list.live(), live.len());
            }
            let expected: Vec<_> = live.iter().rev().copied().collect();
            prop_assert_eq!(all(&list, &live, limit), expected);
            let page = list.page(before, 300, |id| live.contains(&id.0));
            let older: Vec<_> = live.iter().rev().filter(|&&id| id < 200).map(|&id| BookingId(id)).collect();
            prop_assert_eq!(page.bookings, older, "a position means what it meant");
        }
    }

    #[test]
    fn a_page_passes_so_many_gaps_and_says_where_to_go_on() {
        let mut list = Listing::default();
        for id in 0..=LISTING_LOOKS_MAX as u128 {
            list.push(BookingId(id));
        }
        let page = list.page(None, 9, |id| id.0 == 0);
        assert_eq!(page, Listed { bookings: vec![], next: Some(1) });
        let page = list.page(page.next, 9, |id| id.0 == 0);
        assert_eq!(page, Listed { bookings: vec![BookingId(0)], next: None });
    }

    #[test]
    fn gaps_are_dropped_so_many_at_a_time() {
        let mut list = Listing::default();
        let many = 3 * GAPS_DROPPED_MAX as u128;
        (0..many).for_each(|id| list.push(BookingId(id)));
        list.live = 3;
        for kept in [2, 1] {
            assert!(list.leave(|_| false));
            assert_eq!(list.entries.len(), kept * GAPS_DROPPED_MAX);
        }
        assert!(!list.leave(|_| false), "nothing is in memory, whatever is listed");
    }
}
