//! The waitlist: guests who want rooms that are not there, first come first served.
//!
//! An entry keeps the whole wish, so that an offer is made as a hold is made. An offer **is** a hold, with
//! a longer life; it refuses to be anything else. An entry ends for good: one that was offered is not
//! offered again, whatever becomes of the hold or the booking.

use crate::civil::LogTimeMs;
use crate::codec::{Decode, Encode};
use crate::command::Hold;
use crate::ids::{BookingId, HoldId, WaitId};

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Status {
    Waiting,
    /// The rooms are held for the guest, at the price of that moment.
    Offered(HoldId),
    /// The offer became a booking; a cancellation of that changes nothing here.
    Used(BookingId),
    /// The offer was not taken.
    Lapsed,
    /// The guest left.
    Cancelled,
    /// Nothing can be offered any more: the check-in day is over, sales have ended, or the guest has used
    /// the reference for something else.
    Closed,
}

/// An entry as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    pub id: WaitId,
    /// The place in the queue: entries are served in this order, within a hotel.
    pub number: u64,
    /// What is wanted; its id is the offer's, its life the offer's life. Carries no quotes.
    pub wish: Hold,
    pub status: Status,
    pub created_ms: LogTimeMs,
    pub ended_ms: Option<LogTimeMs>,
}

impl Entry {
    /// Waiting or offered.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, Status::Waiting | Status::Offered(_))
    }
}
