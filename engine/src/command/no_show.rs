//! No-show: the guest of a booking has not come. The first night stays sold, the later ones are free.

use crate::booking::{Status, fees};
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::ids::BookingId;
use crate::limits::NO_SHOW_MS_MAX;
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;

/// Nobody came. From 00:00 of the check-in day to 48 h after 00:00 of the check-out day, hotel-local, both
/// included. For the hotel's own people alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct NoShow {
    pub booking: BookingId,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
}

impl NoShow {
    /// Refusals in order: not found (or not the hotel's to say), not `confirmed`, version mismatch, too
    /// early or too late, an impossible state.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let whose = (self.booking, self.principal);
        let found = writer.booking_to_move(whose, Status::Confirmed, self.version);
        let (booking, hotel) = match found {
            Ok(found) => found,
            Err(code) => return code.into(),
        };
        let from = hotel.zone.instant(booking.terms.check_in, 0);
        let until = hotel.zone.instant(booking.terms.check_out, 0) + NO_SHOW_MS_MAX;
        if !(from..=until).contains(&writer.now_ms) {
            return Code::BookingState.into();
        }
        if !writer.cells_sold(&booking) {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        let fee = fees::not_coming(&booking, writer.now_ms, &hotel.zone);
        let settlement = booking.settle(fee, writer.now_ms);
        writer.move_booking(&booking, Status::NoShow(settlement))
    }
}
