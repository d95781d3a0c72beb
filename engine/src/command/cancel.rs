//! Cancel: a booking is given up before check-in, for the fee its policy says.

use std::sync::Arc;

use crate::booking::{Booking, Cancellation, Status};
use crate::catalogue::policy::Priced;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::ids::BookingId;
use crate::inventory::Cell;
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;
use crate::zone::Zone;

/// The booking shall be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Cancel {
    pub booking: BookingId,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
}

/// The fee of cancelling `booking` at an instant: each line by its own policy.
#[must_use]
pub fn fee(booking: &Booking, at_ms: u64, zone: &Zone) -> i64 {
    let terms = &booking.terms;
    let mut fee = 0i64;
    for line in &terms.lines {
        let quantity = i64::from(line.quantity);
        let nightly: Vec<i64> =
            line.quote.nightly_total().into_iter().map(|night| night * quantity).collect();
        let total = line.quote.total * quantity;
        let priced = Priced { check_in: terms.check_in, total, nightly: &nightly };
        fee = fee.saturating_add(line.policy.fee(priced, at_ms, zone));
    }
    fee.clamp(0, terms.total.max(0))
}

impl Cancel {
    /// Refusals in order: not found, not `confirmed`, version mismatch, the check-in day is over, an
    /// impossible state. A second cancellation answers as the first did.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some((booking, zone)) = writer.booking_for(self.booking, self.principal) else {
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
        if zone.night_at(writer.now_ms) > booking.terms.check_in {
            return Code::BookingState.into();
        }
        let can_give = |cell: Cell, rooms: u32| cell.sold() >= rooms;
        if !writer.cells_carry(&booking.terms, can_give) {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        let fee = fee(&booking, writer.now_ms, &zone);
        let refund = booking.payment.amount.saturating_sub(fee).max(0);
        let cancellation = Cancellation { at_ms: writer.now_ms, fee, refund };
        let cancelled = Arc::new(Booking {
            status: Status::Cancelled(cancellation),
            version: booking.version + 1,
            ..Booking::clone(&booking)
        });
        writer.unsell(&cancelled);
        writer.events.push(Event::BookingCancelled(Arc::clone(&cancelled)));
        Outcome::Cancelled(cancelled)
    }
}
