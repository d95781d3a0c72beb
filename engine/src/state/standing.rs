//! What still stands in a hotel: bookings whose stay is not over, and live holds. For refusing to remove
//! what they name.
//!
//! It owns no list: what a hotel's bookings and holds say of themselves counts.

use super::Writer;
use super::arrivals::{Dates, On};
use super::hotel_holds::HotelHolds;
use crate::booking::Status;
use crate::civil::Night;
use crate::hold::Terms;
use crate::ids::{BookingId, HotelIx};
use crate::limits::NAMED_BOOKINGS_MAX;

/// What stands in the way of a removal.
#[derive(Debug, Default)]
pub(crate) struct InTheWay {
    /// At most [`NAMED_BOOKINGS_MAX`], by id.
    pub(crate) bookings: Vec<BookingId>,
    pub(crate) holds: bool,
}

impl InTheWay {
    pub(crate) const fn is_empty(&self) -> bool {
        self.bookings.is_empty() && !self.holds
    }
}

impl Writer {
    /// The bookings and live holds of a hotel whose stay is not over and whose terms are meant.
    pub(crate) fn standing_in_the_way(
        &self,
        hotel: HotelIx,
        today: Night,
        meant: impl Fn(&Terms) -> bool,
    ) -> InTheWay {
        let mut found = InTheWay::default();
        let not_over = Dates { on: On::Stay, from: today, to: Night(u16::MAX) };
        for (_, id) in self.shared.arrivals.list(hotel, not_over, None) {
            let Some(booking) = self.shared.bookings.get(&id) else { continue };
            let stands = matches!(booking.status, Status::Confirmed | Status::CheckedIn);
            if stands && meant(&booking.terms) {
                found.bookings.push(id);
            }
        }
        found.bookings.sort_unstable();
        found.bookings.truncate(NAMED_BOOKINGS_MAX);
        let live = |(at, id)| {
            let hold = self.shared.holds.get(&id)?;
            (hold.is_live() && hold.expires_ms == at).then_some(hold)
        };
        let entries = self.hotel_holds.get(hotel.at()).into_iter().flat_map(HotelHolds::entries);
        found.holds = entries.filter_map(live).any(|hold| meant(&hold.terms));
        found
    }
}
