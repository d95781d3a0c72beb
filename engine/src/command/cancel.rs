//! Cancel: a booking is given up before check-in, for the fee its policy says.

use std::sync::Arc;

use crate::booking::{Status, fees};
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::ids::BookingId;
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;

/// The booking shall be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Cancel {
    pub booking: BookingId,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
}

impl Cancel {
    /// Refusals in order: not found, not `confirmed`, version mismatch, the check-in day is over, an
    /// impossible state. A second cancellation answers as the first did.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some((booking, hotel)) = writer.booking_for(self.booking, self.principal) else {
            return Code::NotFound.into();
        };
        match booking.status {
            Status::Confirmed => {}
            Status::Cancelled(_) => return Outcome::Cancelled(booking),
            _ => return Code::BookingState.into(),
        }
        if self.version.is_some_and(|version| version != booking.version) {
            return Code::VersionMismatch.into();
        }
        if hotel.zone.night_at(writer.now_ms) > booking.terms.check_in {
            return Code::BookingState.into();
        }
        if !writer.cells_sold(&booking) || !writer.promo_committed(&booking.terms) {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        let fee = fees::cancelling(&booking, writer.now_ms, &hotel.zone);
        let settlement = booking.settle(fee, writer.now_ms);
        let cancelled = writer.change_status(&booking, Status::Cancelled(settlement));
        writer.events.push(Event::BookingCancelled(Arc::clone(&cancelled)));
        Outcome::Cancelled(cancelled)
    }
}
