//! Archive: bookings whose stay is long over leave memory, the first to have checked out in front, at most so
//! many a step.
//!
//! Whatever their status: a guest who was never checked in or out has left all the same, and the nights are
//! not kept any more. Nothing but their place changes: they keep status and version, and their client
//! references stay taken. Proposed by the leader beside a tick, which moves the window that it goes by.

use crate::codec::{Decode, Encode};
use crate::limits::{ARCHIVE_DAYS_MAX, ARCHIVE_DAYS_MIN, ARCHIVE_MAX};
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;

/// Archives at most `bookings_max` bookings; values above the bound count as the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Archive {
    pub bookings_max: u32,
    /// Days after check-out, 3–1,095. A booking is due once its check-out lies so many days before the first
    /// night that is kept, which is yesterday in UTC.
    pub days: u16,
}

impl Archive {
    /// As many as one step may archive.
    #[must_use]
    pub const fn after(days: u16) -> Self {
        Self { bookings_max: ARCHIVE_MAX, days }
    }

    /// Refused: days out of range.
    pub(crate) fn apply(self, writer: &mut Writer) -> Outcome {
        if !(ARCHIVE_DAYS_MIN..=ARCHIVE_DAYS_MAX).contains(&self.days) {
            return Code::Malformed.into();
        }
        // From here the command must succeed.
        let bookings = writer.archive_due(self.days, self.bookings_max.min(ARCHIVE_MAX));
        Outcome::Archived { bookings }
    }
}
