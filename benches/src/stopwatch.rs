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

/// Processor time this thread has had, by the kernel's count; zero where there is none to be had.
pub fn thread_time() -> Duration {
    // The kernel brings its count up to date when a thread steps aside.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}
