//! The process's clocks: wall time for tokens, file dates and new ids, elapsed time for metrics.
//!
//! Nothing here decides about a stay: "today", expiry and deadlines are the log's time, which the
//! node gives.
#![expect(clippy::disallowed_methods, reason = "the one place of the server that reads clocks")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 by this machine's wall clock.
pub fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Seconds since 1970 by this machine's wall clock.
pub fn wall_s() -> u64 {
    wall_ms() / 1_000
}

/// A point to measure from.
pub fn instant() -> Instant {
    Instant::now()
}
