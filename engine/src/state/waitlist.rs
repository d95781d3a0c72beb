//! The writer's waitlist: who waits where, and the offers that are made when rooms come free.
//!
//! What may have freed rooms is read off the events: every change of a hotel's rooms, prices or rules has
//! one. **Invariant**: offers are made in the entry, and after the command, in which the rooms came free,
//! to the waiting in the order in which they came; one who needs more than came free keeps the place and
//! keeps nobody else waiting. Hotels where nobody waits pay one look at a counter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Writer;
use super::capture::WaitingHead;
use super::queue::{Kept, Queue};
use crate::civil::LogTimeMs;
use crate::command::{Hold, Principal};
use crate::event::Event;
use crate::hold::{self, Terms};
use crate::ids::{HotelIx, WaitId};
use crate::inventory::Cell;
use crate::limits::{
    ENDED_HOLD_MS_KEPT, FORGET_MAX, WAITLIST_OFFERS_MAX, WAITLIST_PER_GUEST_MAX,
    WAITLIST_PER_HOTEL_MAX,
};
use crate::waitlist::{Entry, Status};

/// Who waits. The queues and counters follow from the entries; what is yet to be looked at does not.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    queues: BTreeMap<HotelIx, BTreeMap<u64, WaitId>>,
    of_guest: BTreeMap<Principal, usize>,
    /// Entries that wait or are offered.
    open: usize,
    next_number: u64,
    /// Hotels whose waiting are still to be looked at.
    pub(crate) due: BTreeSet<HotelIx>,
    /// No hold of a hotel where somebody waits is due before this instant.
    expiry_ms: LogTimeMs,
    ended: Queue<(LogTimeMs, WaitId)>,
}

impl Waiting {
    /// What does not follow from the entries, as it stands.
    pub(super) fn keep(&mut self) -> (WaitingHead, Kept<(LogTimeMs, WaitId)>) {
        let (next_number, expiry_ms) = (self.next_number, self.expiry_ms);
        let due = self.due.iter().copied().collect();
        (WaitingHead { next_number, due, expiry_ms }, self.ended.keep())
    }

    /// The same, of a state that is being loaded; the entries follow.
    pub(super) fn load(&mut self, head: WaitingHead) {
        (self.next_number, self.expiry_ms) = (head.next_number, head.expiry_ms);
        self.due = head.due.into_iter().collect();
    }

    pub(super) fn load_entry(&mut self, entry: &Entry) {
        self.open += usize::from(entry.is_open());
        if entry.status == Status::Waiting {
            let (hotel, principal) = (entry.wish.hotel, entry.wish.principal);
            self.queues.entry(hotel).or_default().insert(entry.number, entry.id);
            *self.of_guest.entry(principal).or_default() += 1;
        }
    }

    pub(super) fn load_ended(&mut self, at: LogTimeMs, id: WaitId) {
        self.ended.push((at, id));
    }
}

/// For those who check the books: reading alone.
impl Waiting {
    /// The place of whoever came last, waiting still or not.
    pub(crate) const fn last_number(&self) -> u64 {
        self.next_number
    }

    /// Every place in every queue.
    pub(crate) fn queued(&self) -> impl Iterator<Item = (HotelIx, u64, WaitId)> {
        self.queues
            .iter()
            .flat_map(|(&hotel, queue)| queue.iter().map(move |(&number, &id)| (hotel, number, id)))
    }

    /// Who waits in a hotel and came before the one with this number.
    pub(crate) fn before(&self, hotel: HotelIx, number: u64) -> impl Iterator<Item = WaitId> {
        let queue = self.queues.get(&hotel).into_iter();
        queue.flat_map(move |queue| queue.range(..number).map(|place| *place.1))
    }

    /// How many entries of each principal wait.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (Principal, usize)> {
        self.of_guest.iter().map(|(&principal, &count)| (principal, count))
    }

    pub(crate) const fn open(&self) -> usize {
        self.open
    }

    /// Entries by when they ended.
    pub(crate) fn ended(&self) -> impl Iterator<Item = (LogTimeMs, WaitId)> {
        self.ended.iter().copied()
    }
}

/// Corruptions that only a broken writer could make, for the tests of those who must find them.
#[cfg(test)]
impl Waiting {
    pub(crate) fn lose_queues(&mut self) {
        self.queues.clear();
    }

    pub(crate) fn miscount(&mut self) {
        self.open += 1;
        self.of_guest.values_mut().for_each(|count| *count += 1);
    }

    pub(crate) fn lose_ended(&mut self) {
        self.ended = Queue::default();
    }

    pub(crate) fn number_anew(&mut self) {
        self.next_number = 0;
    }
}

/// The hotel in which an event may have freed rooms or lifted what stood in the way.
fn hotel_of(writer: &Writer, event: &Event) -> Option<HotelIx> {
    match event {
        // An offer frees nothing.
        Event::Held(terms) => terms.waitlist.is_none().then_some(terms.hotel),
        Event::HoldChanged(hold) => Some(hold.terms.hotel),
        Event::Booked(booking)
        | Event::BookingCancelled(booking)
        | Event::BookingChanged(booking) => Some(booking.terms.hotel),
        Event::BlockChanged(block) => Some(block.hotel),
        Event::HotelChanged(hotel) => Some(hotel.ix),
        Event::RoomTypeChanged(room_type) => Some(room_type.hotel),
        Event::AriChanged { room_type, .. } | Event::InventoryOversubscribed { room_type, .. } => {
            writer.shared.room_types.get_full(room_type.0).map(|room_type| room_type.hotel)
        }
        Event::RatePlanChanged(plan) => {
            writer.shared.room_types.get_full(plan.room_type.0).map(|room_type| room_type.hotel)
        }
        Event::PartnerAdded(_)
        | Event::NightsRetired { .. }
        | Event::TaxesChanged { .. }
        | Event::PaymentLapsed { .. }
        | Event::BookingArchived(_)
        | Event::WaitlistChanged(_)
        | Event::PromoChanged(_) => None,
    }
}

impl Writer {
    /// The entry, where the principal may touch it.
    pub(crate) fn waitlist_entry_for(
        &self,
        id: WaitId,
        principal: Principal,
    ) -> Option<Arc<Entry>> {
        let entry = self.shared.waitlist.get(&id)?;
        let partner = self.shared.hotels.get(entry.wish.hotel.0)?.as_ref()?.partner;
        principal.may_touch(entry.wish.principal, partner).then_some(entry)
    }

    /// Whether one more may wait there.
    pub(crate) fn may_wait(&self, hotel: HotelIx, principal: Principal) -> bool {
        let there = self.waiting.queues.get(&hotel).map_or(0, BTreeMap::len);
        let own = self.waiting.of_guest.get(&principal).copied().unwrap_or(0);
        there < WAITLIST_PER_HOTEL_MAX && (!principal.is_guest() || own < WAITLIST_PER_GUEST_MAX)
    }

    /// Whether somebody waits for rooms of these kinds on one of these nights.
    pub(crate) fn is_waited_for(&self, terms: &Terms) -> bool {
        let Some(queue) = self.waiting.queues.get(&terms.hotel) else { return false };
        queue.values().filter_map(|id| self.shared.waitlist.get(id)).any(|entry| {
            let (stay, lines) = (entry.wish.stay, &entry.wish.lines);
            stay.check_in < terms.check_out
                && terms.check_in < stay.check_out
                && lines
                    .iter()
                    .any(|wish| terms.lines.iter().any(|line| line.room_type == wish.room_type))
        })
    }

    pub(crate) fn join_waitlist(&mut self, id: WaitId, wish: Hold) -> Arc<Entry> {
        self.waiting.next_number += 1;
        let number = self.waiting.next_number;
        let (hotel, principal) = (wish.hotel, wish.principal);
        let (status, created_ms) = (Status::Waiting, self.now_ms);
        let entry = Arc::new(Entry { id, number, wish, status, created_ms, ended_ms: None });
        if self.waiting.queues.is_empty() {
            self.waiting.expiry_ms = LogTimeMs::MAX;
        }
        self.waiting.queues.entry(hotel).or_default().insert(number, id);
        *self.waiting.of_guest.entry(principal).or_default() += 1;
        self.waiting.open += 1;
        self.waiting.expiry_ms = self.waiting.expiry_ms.min(self.shared.earliest_expiry(hotel));
        self.put_entry(&entry);
        entry
    }

    fn put_entry(&mut self, entry: &Arc<Entry>) {
        self.shared.waitlist.insert(entry.id, Arc::clone(entry));
        self.events.push(Event::WaitlistChanged(Arc::clone(entry)));
    }

    /// An open entry is offered or ends.
    pub(crate) fn end_waiting(&mut self, entry: &Entry, status: Status) -> Arc<Entry> {
        let known = self.shared.waitlist.get(&entry.id);
        let Some(known) = known.filter(|known| known.is_open()) else {
            return Arc::new(entry.clone());
        };
        if known.status == Status::Waiting {
            self.leave_queue(&known);
        }
        let after = known.ended(status, self.now_ms);
        if !after.is_open() {
            self.waiting.open = self.waiting.open.saturating_sub(1);
            self.waiting.ended.push((self.now_ms, after.id));
        }
        self.put_entry(&after);
        after
    }

    fn leave_queue(&mut self, entry: &Entry) {
        let (hotel, principal) = (entry.wish.hotel, entry.wish.principal);
        if let Some(queue) = self.waiting.queues.get_mut(&hotel) {
            queue.remove(&entry.number);
            if queue.is_empty() {
                self.waiting.queues.remove(&hotel);
                self.waiting.due.remove(&hotel);
            }
        }
        if let Some(count) = self.waiting.of_guest.get_mut(&principal) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.waiting.of_guest.remove(&principal);
            }
        }
    }

    /// The time of an entry alone ends holds where somebody waits.
    pub(super) fn expire_where_waited_for(&mut self) {
        if self.waiting.queues.is_empty() || self.waiting.expiry_ms > self.now_ms {
            return;
        }
        let hotels: Vec<_> = self.waiting.queues.keys().copied().collect();
        for &hotel in &hotels {
            self.expire_due_in(hotel);
        }
        let earliest = hotels.iter().map(|&hotel| self.shared.earliest_expiry(hotel)).min();
        self.waiting.expiry_ms = earliest.unwrap_or(LogTimeMs::MAX);
    }

    /// A new day began somewhere: stays lie in the past, sales have ended, or begun.
    pub(crate) fn look_at_all_waiting(&mut self) {
        self.waiting.due.extend(self.waiting.queues.keys());
    }

    /// Makes offers for what the events from `first` on have freed, at most [`WAITLIST_OFFERS_MAX`]; the
    /// next command goes on.
    pub(super) fn offer_what_came_free(&mut self, first: usize) {
        if self.waiting.open == 0 {
            return;
        }
        let mut read = self.read_events(first);
        let mut offers_left = WAITLIST_OFFERS_MAX;
        while let Some(&hotel) = self.waiting.due.first() {
            // A hold may end in the very step that changed it: a revived one whose payment is declined.
            self.expire_due_in(hotel);
            read = self.read_events(read);
            if !self.offer_in(hotel, &mut offers_left) {
                self.read_events(read);
                return;
            }
            self.waiting.due.remove(&hotel);
            read = self.read_events(read);
        }
    }

    /// Notes what the events from `from` on say of offers that ended and hotels to be looked at; how many
    /// events there are.
    fn read_events(&mut self, from: usize) -> usize {
        let mut at = from;
        while let Some(event) = self.events.get(at).cloned() {
            self.close_offer(&event);
            let hotel = hotel_of(self, &event);
            if let Some(hotel) = hotel.filter(|it| self.waiting.queues.contains_key(it)) {
                self.waiting.due.insert(hotel);
                self.note_expiry(hotel);
            }
            at += 1;
        }
        at
    }

    fn note_expiry(&mut self, hotel: HotelIx) {
        self.waiting.expiry_ms = self.waiting.expiry_ms.min(self.shared.earliest_expiry(hotel));
    }

    /// An offer that was taken, or was not.
    fn close_offer(&mut self, event: &Event) {
        let (terms, status) = match event {
            Event::Booked(booking) => (&booking.terms, Status::Used(booking.id)),
            Event::HoldChanged(hold) => match hold.status {
                hold::Status::Released | hold::Status::Expired => (&hold.terms, Status::Lapsed),
                _ => return,
            },
            _ => return,
        };
        let entry = terms.waitlist.and_then(|id| self.shared.waitlist.get(&id));
        if let Some(entry) = entry {
            self.end_waiting(&entry, status);
        }
    }

    /// Offers what there is in one hotel; false where the offers ran out before the queue.
    fn offer_in(&mut self, hotel: HotelIx, offers_left: &mut u32) -> bool {
        let queue = self.waiting.queues.get(&hotel);
        let ids: Vec<_> = queue.map(|queue| queue.values().copied().collect()).unwrap_or_default();
        for id in ids {
            let entry = self.shared.waitlist.get(&id);
            let Some(entry) = entry else { continue };
            if !self.may_be_served(&entry.wish) {
                continue;
            }
            if *offers_left == 0 {
                return false;
            }
            match entry.wish.judge_offer(self) {
                Ok(priced) => {
                    *offers_left -= 1;
                    self.end_waiting(&entry, Status::Offered(entry.wish.id));
                    entry.wish.take_for(self, priced, Some(id));
                    self.note_expiry(hotel);
                }
                Err(refusal) if Entry::is_closed_by(&refusal) => {
                    self.end_waiting(&entry, Status::Closed);
                }
                Err(_) => {}
            }
        }
        true
    }

    /// A short look, which settles most: the rooms are there, or the stay has begun without them.
    fn may_be_served(&self, wish: &Hold) -> bool {
        let hotel = self.shared.hotels.get_full(wish.hotel.0);
        if hotel.is_some_and(|hotel| hotel.zone.night_at(self.now_ms) > wish.stay.check_in) {
            return true;
        }
        let stay = wish.stay;
        wish.demand().rooms().iter().all(|&(room_type, rooms)| {
            self.shared.cells.row(room_type.0).is_some_and(|row| {
                // Relaxed: the writer alone stores.
                row.nights(stay.check_in, stay.nights())
                    .all(|slot| Cell(slot.load(Ordering::Relaxed)).free() >= rooms)
            })
        })
    }

    /// Forgets entries that ended long ago; how many.
    pub(super) fn forget_waitlist(&mut self) -> u32 {
        let mut forgotten = 0;
        while let Some(&(at, id)) = self.waiting.ended.first() {
            if forgotten >= FORGET_MAX || self.now_ms < at + ENDED_HOLD_MS_KEPT {
                break;
            }
            self.waiting.ended.pop();
            self.shared.waitlist.remove(&id);
            forgotten += 1;
        }
        forgotten
    }

    /// What of the waitlist does not follow from its entries.
    pub(crate) fn waitlist_counters(&self) -> (u64, Vec<HotelIx>) {
        (self.waiting.next_number, self.waiting.due.iter().copied().collect())
    }
}
