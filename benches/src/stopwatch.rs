//! Time as a benchmark measures it: the one place of this crate that reads the monotonic clock.

use std::time::{Duration, Instant};

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "the named module for clocks of this crate")]
pub fn now() -> Instant {
    Instant::now()
}

/// Runs `work`; how long it took, and what it gave.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = now();
    let result = work();
    (start.elapsed(), result)
}

/// How many a second, as a number for people.
#[allow(clippy::cast_precision_loss)] // Counts are far below 2⁵².
pub fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
