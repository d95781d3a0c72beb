//! Check in: the guest of a booking has arrived.
//!
//! From the check-in day's first moment until the check-out time of the check-out day: a guest who comes
//! after midnight is a guest of the night before.

use crate::booking::Status;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::ids::BookingId;
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;

/// The guest is in the house. For the hotel's own people alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CheckIn {
    pub booking: BookingId,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
}

impl CheckIn {
    /// Refusals in order: not found (or not the hotel's to say), not `confirmed`, version mismatch, too
    /// early or too late.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let whose = (self.booking, self.principal);
        let found = writer.booking_to_move(whose, Status::Confirmed, self.version);
        let (booking, hotel) = match found {
            Ok(found) => found,
            Err(code) => return code.into(),
        };
        let terms = &booking.terms;
        let from = hotel.zone.instant(terms.check_in, 0);
        let until = hotel.zone.instant(terms.check_out, hotel.draft.check_out_minute);
        if !(from..until).contains(&writer.now_ms) {
            return Code::BookingState.into();
        }
        // From here the command must succeed.
        writer.move_booking(&booking, Status::CheckedIn)
    }
}
