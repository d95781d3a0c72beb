//! The writer's books of bookings: who may change one, and which of its rooms stay sold when it changes.
//! Every caller has validated.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Writer;
use crate::booking::{self, Booking};
use crate::catalogue::Hotel;
use crate::civil::Night;
use crate::command::Principal;
use crate::event::Event;
use crate::hold::Terms;
use crate::ids::{BookingId, RoomTypeIx};
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::stay::Stay;

impl Writer {
    /// The booking and its hotel, where the principal may touch it.
    pub(crate) fn booking_for(
        &self,
        id: BookingId,
        principal: Principal,
    ) -> Option<(Arc<Booking>, Arc<Hotel>)> {
        let booking = self.shared.bookings.get(&id)?;
        let hotel = self.shared.hotels.get_full(booking.terms.hotel.0)?;
        principal.may_touch(booking.principal, hotel.partner).then_some((booking, hotel))
    }

    /// The booking and its hotel, where the principal runs the hotel.
    pub(crate) fn booking_of_hotel(
        &self,
        id: BookingId,
        principal: Principal,
    ) -> Option<(Arc<Booking>, Arc<Hotel>)> {
        let booking = self.shared.bookings.get(&id)?;
        let hotel = self.shared.hotels.get_full(booking.terms.hotel.0)?;
        principal.acts_for(hotel.partner).then_some((booking, hotel))
    }

    /// As [`Self::booking_of_hotel`], for a booking with this status and, where the client named one, of
    /// this version. Refusals in order: not found, another status, version mismatch.
    pub(crate) fn booking_to_move(
        &self,
        (id, principal): (BookingId, Principal),
        status: booking::Status,
        version: Option<u32>,
    ) -> Result<(Arc<Booking>, Arc<Hotel>), Code> {
        let (booking, hotel) = self.booking_of_hotel(id, principal).ok_or(Code::NotFound)?;
        if booking.status != status {
            return Err(Code::BookingState);
        }
        if version.is_some_and(|version| version != booking.version) {
            return Err(Code::VersionMismatch);
        }
        Ok((booking, hotel))
    }

    /// The booking has a new status, which is the answer and an event.
    pub(crate) fn move_booking(&mut self, booking: &Booking, status: booking::Status) -> Outcome {
        let booking = self.change_status(booking, status);
        self.events.push(Event::BookingChanged(Arc::clone(&booking)));
        Outcome::BookingChanged(booking)
    }

    /// Whether a booking's rooms are in its cells, as sold.
    pub(crate) fn cells_sold(&self, booking: &Booking) -> bool {
        let lines = &booking.terms.lines;
        self.cells_carry(booking.sold_stay(), lines, |cell, rooms| cell.sold() >= rooms)
    }

    /// A booking has a new status: the rooms that are no longer sold to it are free again.
    pub(crate) fn change_status(
        &mut self,
        booking: &Booking,
        status: booking::Status,
    ) -> Arc<Booking> {
        let (version, changed_ms) = (booking.version + 1, self.now_ms);
        let ended = Booking { status, version, changed_ms, ..booking.clone() };
        let freed = Stay {
            check_in: ended.sold_stay().check_out,
            check_out: booking.sold_stay().check_out,
        };
        self.give_lines_back(&booking.terms, freed, |cell, rooms| {
            cell.with_sold(self.less(cell.sold(), rooms))
        });
        if matches!(status, booking::Status::Cancelled(_)) {
            self.return_committed_promo(&booking.terms);
        }
        let ended = Arc::new(ended);
        self.shared.bookings.insert(ended.id, Arc::clone(&ended));
        ended
    }

    /// A booking has new terms: rooms it gets are sold before those it gives up are free.
    pub(crate) fn change_terms(&mut self, before: &Booking, changed: &Arc<Booking>) {
        let moved = moves(&before.terms, &changed.terms);
        let Some((first, _)) = self.shared.window() else { return };
        for takes in [true, false] {
            let these = moved.iter().filter(|(_, rooms)| (**rooms > 0) == takes);
            for (&(room_type, night), &rooms) in these.filter(|((_, night), _)| *night >= first) {
                let stay = Stay { check_in: night, check_out: night.plus(1) };
                self.rewrite(room_type, stay, |cell| {
                    let (count, change) = (cell.sold(), rooms.unsigned_abs());
                    cell.with_sold(if takes { count + change } else { self.less(count, change) })
                });
            }
        }
        let terms = &changed.terms;
        self.move_promo(&before.terms, terms);
        if let Some(reference) = &terms.client_reference
            && terms.check_out != before.terms.check_out
        {
            self.keep_reference((terms.principal, reference.clone()), changed);
        }
        if terms.check_out != before.terms.check_out {
            self.check_outs.remove(before.terms.check_out, changed.id);
            self.check_outs.add(terms.check_out, changed.id);
        }
        self.shared.bookings.insert(changed.id, Arc::clone(changed));
        if terms.stay() != before.terms.stay() {
            self.shared.arrivals.remove(terms.hotel, before.terms.stay(), changed.id);
            self.shared.arrivals.add(terms.hotel, terms.stay(), changed.id);
        }
    }
}

/// By room type and night, how many rooms more (or fewer) the new terms have.
fn moves(before: &Terms, after: &Terms) -> BTreeMap<(RoomTypeIx, Night), i32> {
    let mut moved: BTreeMap<_, i32> = BTreeMap::new();
    for (terms, sign) in [(before, -1), (after, 1)] {
        for line in &terms.lines {
            for night in terms.check_in.until(terms.check_out) {
                let rooms = moved.entry((line.room_type, night)).or_default();
                *rooms = rooms.saturating_add(sign * i32::from(line.quantity));
            }
        }
    }
    moved.retain(|_, rooms| *rooms != 0);
    moved
}
