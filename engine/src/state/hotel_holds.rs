//! The live holds of each hotel by when they end, so that a hotel's cells can be judged without a sweep.
//!
//! Entries are hints: one stands where the hold is live and has that expiry; a hold whose expiry moved away
//! and came back has several that stand. Derived from the holds; in no digest. **Invariant**: every live
//! hold has an entry that stands, and no hotel shows a later earliest expiry than its first such entry's.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::Writer;
use super::look_ahead::COMMANDS_AHEAD;
use crate::civil::LogTimeMs;
use crate::hold::{Hold, Status};
use crate::ids::{HoldId, HotelIx};
use crate::prefetch::{prefetch, prefetch_lines};

type Entry = (LogTimeMs, HoldId);

/// The live holds of one hotel, the first to end in front.
#[derive(Debug, Default)]
pub(crate) struct HotelHolds {
    /// Those that came in order, as holds of one life do: in order.
    run: VecDeque<Entry>,
    /// The others.
    strays: BinaryHeap<Reverse<Entry>>,
    live: usize,
}

/// Entries that need not be looked at again are dropped when they outnumber the live ones by this much.
const STALE_ENTRIES: usize = 32;
/// Places by which an entry may come too late and still be put in order.
const LATE_MAX: usize = 8;
/// Entries of a hotel that are asked of memory before they are looked at.
const ENTRIES_AHEAD: usize = 4;

impl HotelHolds {
    /// In no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.run.iter().copied().chain(self.strays.iter().map(|entry| entry.0))
    }

    pub(super) fn live(&self) -> usize {
        self.live
    }

    #[cfg(test)]
    pub(super) fn lose_entries(&mut self) {
        self.run.clear();
        self.strays.clear();
    }

    fn add(&mut self, entry: Entry) {
        let later = self.run.iter().rev().take(LATE_MAX + 1).take_while(|known| **known > entry);
        match later.count() {
            0 => self.run.push_back(entry),
            late if late <= LATE_MAX => self.run.insert(self.run.len() - late, entry),
            _ => self.strays.push(Reverse(entry)),
        }
    }

    fn first(&self) -> Option<Entry> {
        let stray = self.strays.peek().map(|entry| entry.0);
        match (self.run.front().copied(), stray) {
            (Some(first), Some(stray)) => Some(first.min(stray)),
            (first, stray) => first.or(stray),
        }
    }

    fn drop_first(&mut self) {
        let stray = self.strays.peek().map(|entry| entry.0);
        if stray.is_some_and(|stray| self.run.front().is_none_or(|first| stray < *first)) {
            self.strays.pop();
        } else {
            self.run.pop_front();
        }
    }

    fn len(&self) -> usize {
        self.run.len() + self.strays.len()
    }

    /// Asks memory for where the next entry goes.
    pub(super) fn prefetch_tail(&self) {
        if let Some(last) = self.run.back() {
            prefetch(std::ptr::from_ref(last).wrapping_add(1));
        }
    }

    /// Asks memory for the entries that will be looked at first.
    pub(super) fn prefetch_front(&self) {
        if let Some(first) = self.run.front() {
            prefetch_lines::<[Entry; ENTRIES_AHEAD], 2>(std::ptr::from_ref(first).cast());
        }
    }

    /// The entries that will be looked at first, about.
    pub(super) fn front(&self) -> impl Iterator<Item = HoldId> {
        self.run.iter().take(ENTRIES_AHEAD).map(|entry| entry.1)
    }
}

impl Writer {
    pub(super) fn track(&mut self, hotel: HotelIx, at: LogTimeMs, id: HoldId) {
        self.expiry.add(at, id);
        self.list_live(hotel, at, id);
    }

    /// A live hold is one of its hotel's.
    pub(super) fn list_live(&mut self, hotel: HotelIx, at: LogTimeMs, id: HoldId) {
        if self.hotel_holds.len() <= hotel.at() {
            self.hotel_holds.resize_with(hotel.at() + 1, HotelHolds::default);
        }
        if let Some(holds) = self.hotel_holds.get_mut(hotel.at()) {
            holds.add((at, id));
            holds.live += 1;
        }
        if at < self.shared.earliest_expiry(hotel) {
            self.shared.set_earliest_expiry(hotel, Some(at));
        }
    }

    pub(super) fn untrack(&mut self, hotel: HotelIx) {
        let Some(holds) = self.hotel_holds.get_mut(hotel.at()) else { return };
        holds.live = holds.live.saturating_sub(1);
        if holds.len() > 2 * holds.live + STALE_ENTRIES {
            let shared = &self.shared;
            holds.run.retain(|&(at, id)| shared.stands(id, at));
            holds.strays.retain(|&Reverse((at, id))| shared.stands(id, at));
        }
    }

    /// The hotel's first entry, where it has one.
    fn first_to_end(&self, hotel: HotelIx) -> Option<Entry> {
        self.hotel_holds.get(hotel.at())?.first()
    }

    fn drop_first_to_end(&mut self, hotel: HotelIx) {
        if let Some(holds) = self.hotel_holds.get_mut(hotel.at()) {
            holds.drop_first();
        }
    }

    /// Renews the hotel's earliest expiry from the first entry that stands. What a sweep has passed does
    /// not.
    fn renew_earliest_expiry(&mut self, hotel: HotelIx) {
        while let Some((at, id)) = self.first_to_end(hotel)
            && (at < self.swept_ms || !self.shared.stands(id, at))
        {
            self.drop_first_to_end(hotel);
        }
        let first = self.first_to_end(hotel);
        self.shared.set_earliest_expiry(hotel, first.map(|(at, _)| at));
    }

    /// Expires a hold where it is live and due; whether it was.
    pub(crate) fn expire_if_due(&mut self, id: HoldId) -> bool {
        let now = self.now_ms;
        let is_due = |hold: &Hold| (hold.is_live() && hold.expires_ms <= now).then(|| hold.clone());
        let Some(hold) = self.shared.holds.look(&id, is_due).flatten() else { return false };
        self.end_hold(hold, Status::Expired);
        true
    }

    /// Expires these holds where they are live and due, and renews the earliest expiries of their
    /// hotels; how many.
    pub(crate) fn expire_all(&mut self, holds: &[HoldId]) -> u32 {
        let mut hotels = Vec::new();
        let mut expired = 0;
        for some in holds.chunks(COMMANDS_AHEAD) {
            self.look_ahead_holds(some);
            for &id in some {
                let hotel = self.shared.holds.look(&id, |hold| hold.terms.hotel);
                if self.expire_if_due(id) {
                    expired += 1;
                    hotels.extend(hotel);
                }
            }
        }
        hotels.sort_unstable();
        hotels.dedup();
        for some in hotels.chunks(COMMANDS_AHEAD) {
            self.look_ahead_fronts(|| some.iter().copied());
            for &hotel in some {
                self.renew_earliest_expiry(hotel);
            }
        }
        expired
    }

    /// Expires every due hold of a hotel, so that its cells can be judged.
    pub(crate) fn expire_due_in(&mut self, hotel: HotelIx) {
        if self.shared.earliest_expiry(hotel) > self.now_ms {
            return;
        }
        while let Some((at, id)) = self.first_to_end(hotel)
            && at <= self.now_ms
        {
            self.drop_first_to_end(hotel);
            // In the order of expiries: a hold that was extended has its turn later, whether or not the
            // entry it left behind is still there.
            if at >= self.swept_ms && self.shared.stands(id, at) {
                self.expire_if_due(id);
            }
        }
        self.renew_earliest_expiry(hotel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_come_out_in_order_whatever_order_they_came_in(
            steps in proptest::collection::vec(proptest::option::of((0u64..40, 0u128..40)), 0..200),
        ) {
            let (mut holds, mut model) = (HotelHolds::default(), BinaryHeap::new());
            for step in steps {
                match step {
                    Some((at, id)) => {
                        holds.add((at, HoldId(id)));
                        model.push(Reverse((at, HoldId(id))));
                    }
                    None => {
                        holds.drop_first();
                        model.pop();
                    }
                }
                prop_assert_eq!(holds.first(), model.peek().map(|entry| entry.0));
                prop_assert_eq!(holds.len(), model.len());
                prop_assert_eq!(holds.entries().count(), model.len());
            }
        }
    }
}
