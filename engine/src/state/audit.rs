//! What of the writer's books may be looked at by those who check them. Reading alone.

use super::Writer;
use super::ledger::Usage;
#[cfg(test)]
use crate::archive::Archived;
use crate::civil::{DAY_MS, LogTimeMs, Night};
use crate::command::Principal;
use crate::ids::{BookingId, HoldId, HotelIx};
use crate::limits::REFERENCE_DAYS_KEPT;

impl Writer {
    pub(crate) fn usage_of(&self, guest: u128) -> Option<Usage> {
        self.usage.get(&guest)
    }

    /// In no order.
    pub(crate) fn guests_with_usage(&self) -> impl Iterator<Item = u128> {
        self.usage.iter().map(|(guest, _)| guest)
    }

    /// In no order: each name with the hold and booking it stands for.
    pub(crate) fn references(
        &self,
    ) -> impl Iterator<Item = ((Principal, String), (HoldId, Option<BookingId>))> {
        self.references.iter().map(|(name, known)| (name, (known.hold, known.booking)))
    }

    /// Names of bookings: the hold, the booking, and the check-out from which it is told how long the name
    /// stays taken.
    pub(crate) fn booking_references(
        &self,
    ) -> impl Iterator<Item = ((Principal, String), (HoldId, BookingId, Night))> {
        self.references.iter().filter_map(|(name, known)| {
            let check_out = known.until?.minus(REFERENCE_DAYS_KEPT);
            Some((name, (known.hold, known.booking?, check_out)))
        })
    }

    /// The booking that a name leads to.
    pub(crate) fn booking_named(&self, name: &(Principal, String)) -> Option<BookingId> {
        self.references.look(name, |known| known.booking)?
    }

    /// Whether the reference of a booking with this check-out may be gone by now.
    pub(crate) fn is_past_reference(&self, check_out: Night) -> bool {
        let today = Night(u16::try_from(self.now_ms / DAY_MS).unwrap_or(u16::MAX));
        check_out.plus(REFERENCE_DAYS_KEPT) < today
    }

    /// Nights before this one are zeroed in every calendar.
    pub(crate) fn zeroed(&self) -> Night {
        let first = self.shared.window().map_or(Night(0), |window| window.0);
        self.retired_before(first)
    }

    /// Answers by age: when each was given, and its key.
    pub(crate) fn keys_by_age(&self) -> impl Iterator<Item = (LogTimeMs, u128)> {
        self.keys.by_age()
    }

    /// The waitlist's queues and counters.
    pub(crate) const fn waiting(&self) -> &super::waitlist::Waiting {
        &self.waiting
    }

    /// Holds by when they ended.
    pub(crate) fn ended_holds(&self) -> impl Iterator<Item = (LogTimeMs, HoldId)> {
        self.ended.iter().copied()
    }

    /// Every hotel's entries of when its holds end, standing or not, in no order.
    pub(crate) fn hotel_entries(&self) -> impl Iterator<Item = (HotelIx, LogTimeMs, HoldId)> {
        (0u32..).zip(&self.hotel_holds).flat_map(|(hotel, holds)| {
            holds.entries().map(move |(at, id)| (HotelIx(hotel), at, id))
        })
    }

    pub(crate) fn hotel_live_holds(&self, hotel: HotelIx) -> usize {
        self.hotel_holds.get(hotel.at()).map_or(0, super::hotel_holds::HotelHolds::live)
    }
}

/// Corruptions that only a broken writer could make, for the tests of those who must find them.
#[cfg(test)]
impl Writer {
    pub(crate) fn plant_usage(&mut self, guest: u128, change: impl FnOnce(&mut Usage)) {
        let mut usage = self.usage.get(&guest).unwrap_or_default();
        change(&mut usage);
        self.usage.insert(guest, usage);
    }

    pub(crate) fn plant_reference(&mut self, name: (Principal, &str), hold: Option<HoldId>) {
        let name = (name.0, name.1.to_owned());
        match hold {
            Some(hold) => {
                self.references.insert(
                    name,
                    super::references::Reference { hold, booking: None, until: None },
                );
            }
            None => drop(self.references.remove(&name)),
        }
    }

    pub(crate) fn plant_archived(&mut self, change: impl FnOnce(&mut Archived)) {
        change(&mut self.archived);
    }

    pub(crate) fn plant_waiting(&mut self) -> &mut super::waitlist::Waiting {
        &mut self.waiting
    }

    pub(crate) fn plant_forgotten_key(&mut self) {
        self.keys = super::keys::Forgetting::default();
    }

    pub(crate) fn plant_forgotten_end(&mut self) {
        self.ended = super::queue::Queue::default();
    }

    pub(crate) fn plant_lost_hotel_entries(&mut self, hotel: HotelIx) {
        if let Some(holds) = self.hotel_holds.get_mut(hotel.at()) {
            holds.lose_entries();
        }
    }
}
