//! Bounds of the tables that only a full deployment fills.
//!
//! It owns how many of each there may be; what happens past a bound is its command's. **Invariant**: a log is
//! folded under the bounds of [`crate::limits`] wherever it is folded; smaller ones are for tests, whose
//! states could not reach those.

use crate::limits::{BOOKINGS_MAX, HOLDS_MAX, KEYS_MAX, REFERENCES_MAX, SOURCES_MAX};

/// How many records each table keeps at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Idempotency keys with their answers.
    pub keys: usize,
    /// Holds, live and ended.
    pub holds: usize,
    /// Bookings in memory.
    pub bookings: usize,
    /// Client references, of live holds and of bookings.
    pub references: usize,
    /// ARI sources.
    pub sources: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            keys: KEYS_MAX,
            holds: HOLDS_MAX,
            bookings: BOOKINGS_MAX,
            references: REFERENCES_MAX,
            sources: SOURCES_MAX,
        }
    }
}
