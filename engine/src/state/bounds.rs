//! Bounds of the tables that only a full deployment fills.
//!
//! It owns how many of each there may be; what happens past a bound is its command's. **Invariant**: a log is
//! folded under the bounds of [`crate::limits`] wherever it is folded; smaller ones are for tests, whose
//! states could not reach those.

use crate::limits::{
    BOOKINGS_MAX, HOLDS_MAX, HOTELS_MAX, KEYS_MAX, OVERLAY_NIGHTS_MAX, RATE_PLANS_MAX,
    REFERENCES_MAX, ROOM_TYPES_MAX, SOURCES_MAX,
};

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
    /// Hotels, of all partners.
    pub hotels: u32,
    pub room_types: u32,
    pub rate_plans: u32,
    /// Nights of all plans that say more than a rate word has room for.
    pub overlay_nights: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            keys: KEYS_MAX,
            holds: HOLDS_MAX,
            bookings: BOOKINGS_MAX,
            references: REFERENCES_MAX,
            sources: SOURCES_MAX,
            hotels: HOTELS_MAX,
            room_types: ROOM_TYPES_MAX,
            rate_plans: RATE_PLANS_MAX,
            overlay_nights: OVERLAY_NIGHTS_MAX,
        }
    }
}
