//! Bookings: confirmed holds.

use std::sync::Arc;

use crate::civil::LogTimeMs;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::hold::Terms;
use crate::ids::BookingId;

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Status {
    Confirmed,
    CheckedIn,
    CheckedOut,
    Cancelled(Cancellation),
    NoShow,
}

/// How a cancellation ended. `fee + refund` is what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Cancellation {
    pub at_ms: LogTimeMs,
    pub fee: i64,
    pub refund: i64,
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

/// A booking as it stands.
#[derive(Debug, Clone)]
pub struct Booking {
    pub id: BookingId,
    /// Who may read and change it.
    pub principal: Principal,
    pub terms: Arc<Terms>,
    pub status: Status,
    pub guest: Arc<Sealed>,
    pub payment: Arc<Payment>,
    pub version: u32,
    pub created_ms: LogTimeMs,
}
