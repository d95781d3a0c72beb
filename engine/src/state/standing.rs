//! What still stands in a hotel: bookings whose stay is not over, and live holds. For refusing to remove
//! what they name.
//!
//! Entries are hints, dropped once their check-out is behind today: what a booking says of itself counts.
//! Derived from holds and bookings; in no digest.

use super::Writer;
use super::ledger::HotelHolds;
use crate::booking::Status;
use crate::civil::Night;
use crate::hold::Terms;
use crate::ids::{BookingId, HotelIx};
use crate::limits::NAMED_BOOKINGS_MAX;

/// The bookings of one hotel that may still stand.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    entries: Vec<(Night, BookingId)>,
    /// Entries at which those that are over are dropped.
    clean_at: usize,
}

/// Below so many entries nothing is dropped.
const CLEAN_LEAST: usize = 64;

impl Standing {
    fn add(&mut self, check_out: Night, booking: BookingId, today: Night) {
        if self.entries.len() >= self.clean_at {
            self.entries.retain(|entry| entry.0 >= today);
            self.clean_at = (2 * self.entries.len()).max(CLEAN_LEAST);
        }
        self.entries.push((check_out, booking));
    }
}

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
    /// A booking has these dates now. To be called when it is made and whenever its check-out changes.
    pub(crate) fn note_standing(&mut self, booking: BookingId, terms: &Terms) {
        let Some((first, _)) = self.shared.window() else { return };
        let at = terms.hotel.at();
        if self.standing.len() <= at {
            self.standing.resize_with(at + 1, Standing::default);
        }
        if let Some(standing) = self.standing.get_mut(at) {
            standing.add(terms.check_out, booking, first);
        }
    }

    /// The bookings and live holds of a hotel whose stay is not over and whose terms are meant.
    pub(crate) fn standing_in_the_way(
        &self,
        hotel: HotelIx,
        today: Night,
        meant: impl Fn(&Terms) -> bool,
    ) -> InTheWay {
        let mut found = InTheWay::default();
        let entries = self.standing.get(hotel.at()).map_or(&[][..], |known| &known.entries);
        for (_, id) in entries {
            let Some(booking) = self.shared.bookings.get(id) else { continue };
            let stands = matches!(booking.status, Status::Confirmed | Status::CheckedIn)
                && booking.terms.check_out > today;
            if stands && meant(&booking.terms) {
                found.bookings.push(*id);
            }
        }
        found.bookings.sort_unstable();
        found.bookings.dedup();
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
