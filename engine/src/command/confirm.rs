//! Confirm: a hold becomes a booking. Log order and log time decide between it and the expiry.

use std::sync::Arc;

use super::revive::Revival;
use crate::booking::{self, Booking, Payment, Sealed, WrappedKey};
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::hold::Status;
use crate::ids::{BookingId, HoldId};
use crate::limits::{
    PAYMENT_METHOD_BYTES_MAX, PROVIDER_REFERENCE_BYTES_MAX, SEALED_BYTES_MAX, WRAPPED_KEY_BYTES_MAX,
};
use crate::outcome::Outcome;
use crate::refusal::{Code, Refusal};
use crate::state::Writer;

/// The guest has agreed and, where a payment was begun, it was authorised.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Confirm {
    pub hold: HoldId,
    /// Made at the door.
    pub booking: BookingId,
    pub principal: Principal,
    /// The payment intent; `None` only where no payment was begun.
    pub intent: Option<u128>,
    pub guest: Sealed,
    /// The guest's key, where the state may not have it yet.
    pub guest_key: Option<WrappedKey>,
    pub payment: Payment,
    /// What the guest agreed to pay, minor units.
    pub expected_total: Option<i64>,
    /// Take the hold anew where it has expired and no payment was begun, for no more than
    /// `expected_total`, which is then needed.
    pub revive: bool,
}

impl Confirm {
    /// Refusals in order: malformed, not found, ended (released, confirmed; expired, unless it is revived:
    /// then those of a revival), the payment is another's or was not begun, price changed, the booking's id is taken,
    /// capacity, an impossible state.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if !self.is_within_bounds() {
            return Code::Malformed.into();
        }
        let Some(mut hold) = writer.hold_for(self.hold, self.principal) else {
            return Code::NotFound.into();
        };
        let mut revival = None;
        match (hold.status_at(writer.now_ms), self.intent, self.expected_total) {
            (Status::Active, None, _) => {}
            (Status::Confirming(payment), Some(intent), _) if payment.intent == intent => {}
            (Status::Active, Some(_), _) => return Code::HoldNotConfirming.into(),
            (Status::Expired, None, Some(expected)) if self.revive => {
                match Revival::judge(writer, &hold, expected) {
                    Ok(judged) => revival = Some(judged),
                    Err(refusal) => return refusal.into(),
                }
            }
            (ended, ..) => return writer.ended_hold(ended),
        }
        if revival.is_none() && self.expected_total.is_some_and(|agreed| agreed != hold.terms.total)
        {
            let total = Some(hold.terms.total);
            return Refusal { total, ..Code::PriceChanged.into() }.into();
        }
        if writer.shared.bookings.contains(&self.booking) {
            return Code::StateConflict.into();
        }
        if writer.bookings_count >= writer.bounds.bookings {
            return Code::CapacityReached.into();
        }
        let stands = writer.cells_hold(&hold.terms) && writer.promo_reserved(&hold.terms);
        if revival.is_none() && !stands {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        if let Some(revival) = revival {
            hold = revival.take(writer);
        }
        let booking = Arc::new(Booking {
            id: self.booking,
            principal: hold.terms.principal,
            terms: Arc::clone(&hold.terms),
            status: booking::Status::Confirmed,
            guest: Arc::new(self.guest.clone()),
            payment: Arc::new(self.payment.clone()),
            version: 1,
            fee_floor: 0,
            created_ms: writer.now_ms,
            changed_ms: writer.now_ms,
        });
        writer.keep_guest_key(self.guest.guest, self.guest_key.as_ref());
        writer.sell(hold, &booking);
        writer.events.push(Event::Booked(Arc::clone(&booking)));
        Outcome::Booked(booking)
    }

    fn is_within_bounds(&self) -> bool {
        !(self.revive && self.expected_total.is_none())
            && fits_sealed(&self.guest)
            && self.guest_key.as_ref().is_none_or(fits_wrapped)
            && self.payment.method.len() <= PAYMENT_METHOD_BYTES_MAX
            && self.payment.provider_reference.len() <= PROVIDER_REFERENCE_BYTES_MAX
    }
}

/// Whether sealed personal data is within its bound.
pub(super) fn fits_sealed(sealed: &Sealed) -> bool {
    sealed.bytes.len() <= SEALED_BYTES_MAX
}

/// Whether a wrapped key is within its bound.
pub(super) fn fits_wrapped(key: &WrappedKey) -> bool {
    key.bytes.len() <= WRAPPED_KEY_BYTES_MAX
}
