//! The archive: finished bookings that have left memory, as records and as what the state keeps of them.
//!
//! It owns the record's bytes and the running count and digest by which replicas compare what they have
//! archived, and by which an archive on disk is held against the state. It refuses to know where the records
//! lie. **Invariant**: the digest is a sum over records, so that whoever has the records, in any order, can
//! make it anew.

use xxhash_rust::xxh3::xxh3_128;

use crate::booking::Booking;
use crate::codec::{self, Decode, Encode};

/// What the state keeps of all that was ever archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Archived {
    pub bookings: u64,
    /// The sum of the records' digests.
    pub digest: u128,
}

impl Archived {
    /// Counts one more record.
    pub fn add(&mut self, record: &[u8]) {
        self.bookings += 1;
        self.digest = self.digest.wrapping_add(xxh3_128(record));
    }

    /// What is left of it without an earlier part of itself.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            bookings: self.bookings.saturating_sub(earlier.bookings),
            digest: self.digest.wrapping_sub(earlier.digest),
        }
    }
}

/// A booking as the archive keeps it: [`codec::encode`] of it, with the codec's version byte.
#[must_use]
pub fn record(booking: &Booking) -> Vec<u8> {
    codec::encode(booking)
}

/// Reads what [`record`] wrote.
pub fn read(record: &[u8]) -> Result<Booking, codec::Error> {
    codec::decode(record)
}
