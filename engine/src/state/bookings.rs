//! The writer's books of bookings: who may change one, and which of its rooms stay sold when it changes.
//! Every caller has validated.

use std::sync::Arc;

use super::Writer;
use crate::booking::{self, Booking};
use crate::catalogue::Hotel;
use crate::command::Principal;
use crate::ids::BookingId;
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
        let ended = Booking { status, version: booking.version + 1, ..booking.clone() };
        let freed = Stay {
            check_in: ended.sold_stay().check_out,
            check_out: booking.sold_stay().check_out,
        };
        self.give_lines_back(&booking.terms, freed, |cell, rooms| {
            cell.with_sold(cell.sold().saturating_sub(rooms))
        });
        let ended = Arc::new(ended);
        self.shared.bookings.insert(ended.id, Arc::clone(&ended));
        ended
    }
}
