//! Check out: the guest of a booking has left; nights that were not slept in are free again.

use crate::booking::{Departure, Status};
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::ids::BookingId;
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;

/// The guest is out of the house. Early, it frees the nights from that date of the hotel's on; what was
/// agreed to be paid does not change. For the hotel's own people alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CheckOut {
    pub booking: BookingId,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
}

impl CheckOut {
    /// Refusals in order: not found (or not the hotel's to say), not `checked_in`, version mismatch, an
    /// impossible state.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let whose = (self.booking, self.principal);
        let found = writer.booking_to_move(whose, Status::CheckedIn, self.version);
        let (booking, hotel) = match found {
            Ok(found) => found,
            Err(code) => return code.into(),
        };
        if !writer.cells_sold(&booking) {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        let at_ms = writer.now_ms;
        let departure = Departure { at_ms, on: hotel.zone.night_at(at_ms) };
        writer.move_booking(&booking, Status::CheckedOut(departure))
    }
}
