//! Finished bookings leave memory. Every caller has validated.
//!
//! A record that leaves is readable in [`super::Shared`]'s `leaving` from before it is gone from the table of
//! bookings until whoever keeps the archive says that it is there: no reader finds it nowhere meanwhile.
//! `leaving` is no part of the state, and in no digest.

use std::sync::Arc;

use super::Writer;
use super::look_ahead::COMMANDS_AHEAD;
use crate::archive::{self, Archived};
use crate::booking::Booking;
use crate::civil::Night;
use crate::event::Event;
use crate::ids::BookingId;

impl Writer {
    /// Archives at most `max` bookings whose check-out lies `days` before the first night kept or earlier, in
    /// the order of [`super::check_outs`]; how many.
    pub(crate) fn archive_due(&mut self, days: u16, max: u32) -> u32 {
        let Some((first, _)) = self.shared.window() else { return 0 };
        let Some(last) = first.0.checked_sub(days).map(Night) else { return 0 };
        let mut left = max as usize;
        let mut archived = 0;
        while left > 0 {
            let take = || self.check_outs.take_through(last);
            let due: Vec<_> = std::iter::from_fn(take).take(left.min(COMMANDS_AHEAD)).collect();
            if due.is_empty() {
                break;
            }
            left -= due.len();
            self.look_ahead_bookings(&due);
            for id in due {
                // An entry of the index without its booking is what verification finds.
                if let Some(booking) = self.shared.bookings.get(&id) {
                    self.archive(booking);
                    archived += 1;
                }
            }
        }
        archived
    }

    fn archive(&mut self, booking: Arc<Booking>) {
        self.archived.add(&archive::record(&booking));
        // In this order a reader that looks there after the table finds it in one of them.
        self.shared.leaving.insert(booking.id, Arc::clone(&booking));
        self.shared.bookings.remove(&booking.id);
        self.bookings_count -= 1;
        self.shared.unlist_booking(booking.principal);
        let terms = &booking.terms;
        self.shared.arrivals.remove(terms.hotel, terms.stay(), booking.id);
        self.events.push(Event::BookingArchived(booking));
    }

    /// Asks for bookings that are about to be archived.
    fn look_ahead_bookings(&self, bookings: &[BookingId]) {
        let table = &self.shared.bookings;
        bookings.iter().for_each(|id| table.prefetch(id));
        bookings.iter().for_each(|id| table.prefetch_record::<1>(id));
        for id in bookings {
            table.look(id, |booking| crate::prefetch::prefetch(Arc::as_ptr(booking)));
        }
        for id in bookings {
            table.look(id, |booking| {
                let Booking { terms, guest, payment, principal, .. } = booking.as_ref();
                crate::prefetch::prefetch_lines::<_, 3>(Arc::as_ptr(terms));
                crate::prefetch::prefetch(Arc::as_ptr(guest));
                crate::prefetch::prefetch(Arc::as_ptr(payment));
                self.shared.bookings_of.prefetch(principal);
            });
        }
    }

    /// How many bookings were ever archived, and their digest.
    #[must_use]
    pub const fn archived(&self) -> Archived {
        self.archived
    }
}
