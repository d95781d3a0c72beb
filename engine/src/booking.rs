//! Bookings: confirmed holds.

pub mod fees;

use std::sync::Arc;

use crate::civil::{LogTimeMs, Night};
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::hold::Terms;
use crate::ids::BookingId;
use crate::stay::Stay;

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Status {
    Confirmed,
    CheckedIn,
    CheckedOut(Departure),
    Cancelled(Settlement),
    NoShow(Settlement),
}

/// How a stay ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Departure {
    pub at_ms: LogTimeMs,
    /// The hotel's date of it: nights of the stay from this one on are free again.
    pub on: Night,
}

/// What is left to settle of a booking that was given up. `paid + owed = fee + refund`, and one of
/// `refund` and `owed` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Settlement {
    pub at_ms: LogTimeMs,
    pub fee: i64,
    /// To the guest: what was paid beyond the fee.
    pub refund: i64,
    /// By the guest: what the fee is beyond what was paid.
    pub owed: i64,
}

/// What is left to pay of a booking that stands, and to give back, after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Now: of what is due at booking, what was not paid yet.
    pub due: i64,
    /// To the guest: what was paid beyond the total, and beyond what giving the booking up cost when it
    /// was changed.
    pub refund: i64,
    /// By the guest, at the hotel.
    pub at_hotel: i64,
}

/// Personal data of a guest, sealed at the door; opaque here. Erasing the key erases the person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Sealed {
    /// Which guest it is about, as a digest that only the deployment can make.
    pub guest: u128,
    /// Which of the guest's keys opens it.
    pub key: u128,
    pub bytes: Vec<u8>,
}

/// A guest's key, wrapped by the deployment's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WrappedKey {
    pub key: u128,
    pub bytes: Vec<u8>,
}

/// What was paid, and how.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Payment {
    /// The intent that was recorded first; 0 where none was needed.
    pub intent: u128,
    /// The provider's name, e.g. `mock`.
    pub method: String,
    /// The provider's own reference.
    pub provider_reference: String,
    pub amount: i64,
}

/// A booking as it stands. Its bytes are those of the archive's records.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Booking {
    pub id: BookingId,
    /// Who may read and change it.
    pub principal: Principal,
    pub terms: Arc<Terms>,
    pub status: Status,
    pub guest: Arc<Sealed>,
    pub payment: Arc<Payment>,
    pub version: u32,
    /// What giving it up cost at least when it was last changed, minor units: a change makes no fee
    /// smaller that was due already.
    pub fee_floor: i64,
    pub created_ms: LogTimeMs,
    /// When it became what it is now.
    pub changed_ms: LogTimeMs,
}

impl Booking {
    /// The nights whose rooms are sold to it: all of the stay while it stands, the first alone of a guest
    /// who did not come, those before an early departure, none once it is cancelled.
    #[must_use]
    pub fn sold_stay(&self) -> Stay {
        let Terms { check_in, check_out, .. } = *self.terms;
        let until = match self.status {
            Status::Confirmed | Status::CheckedIn => check_out,
            Status::CheckedOut(departure) => departure.on.clamp(check_in, check_out),
            Status::Cancelled(_) => check_in,
            Status::NoShow(_) => check_in.plus(1).min(check_out),
        };
        Stay { check_in, check_out: until }
    }

    /// What is left to pay and to give back while it stands.
    #[must_use]
    pub fn balance(&self) -> Balance {
        let (paid, total) = (self.payment.amount, self.terms.total);
        let due = self.terms.deposit_due().saturating_sub(paid).max(0);
        Balance {
            due,
            refund: paid.saturating_sub(total.max(self.fee_floor)).max(0),
            at_hotel: total.saturating_sub(paid).saturating_sub(due).max(0),
        }
    }

    /// What giving it up for `fee` leaves to settle.
    #[must_use]
    pub fn settle(&self, fee: i64, at_ms: LogTimeMs) -> Settlement {
        let over = self.payment.amount.saturating_sub(fee);
        Settlement { at_ms, fee, refund: over.max(0), owed: over.saturating_neg().max(0) }
    }
}
