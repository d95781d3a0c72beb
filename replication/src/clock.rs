//! Time: the one place of this crate that asks a machine what time it is, and the log's clock.
//!
//! It owns the anchor taken with the lead, the monotonic time since, and the slow correction towards the
//! wall. It refuses to follow a step of the wall clock.
//!
//! **Invariant**: `LogClock::stamp` never goes back, whatever the wall does.

mod driven;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

pub use driven::DrivenTime;

use crate::limits::{CLOCK_SKEW_ALARM_MS, SLEW_PPM_MAX};
use crate::runtime;

pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a node gets its time from.
pub trait TimeSource: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch by this machine's wall clock: may step, either way.
    fn wall_ms(&self) -> u64;
    /// Time since some fixed moment: never steps, and goes on while the machine is suspended.
    fn elapsed(&self) -> Duration;
    /// Completes once `elapsed` has grown by `duration`.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The machine's own clocks, and tokio's timer.
#[derive(Debug)]
pub struct SystemTimeSource {
    start: Duration,
}

impl SystemTimeSource {
    pub fn new() -> Self {
        Self { start: since_boot() }
    }
}

impl Default for SystemTimeSource {
    fn default() -> Self {
        Self::new()
    }
}

impl TimeSource for SystemTimeSource {
    #[expect(clippy::disallowed_methods, reason = "the named module for clocks")]
    fn wall_ms(&self) -> u64 {
        // Before 1970 the wall is nonsense; zero makes the last log time win.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn elapsed(&self) -> Duration {
        since_boot().saturating_sub(self.start)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(runtime::sleep(duration))
    }
}

/// `Instant` will not do: it stands still while the machine is suspended, and a node that slept would take for
/// fresh what others have long gone past.
fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

/// The clock of the runtime's timers, for pauses that nothing replicated depends on.
#[cfg_attr(
    not(holdfast_sim),
    expect(clippy::disallowed_methods, reason = "the named module for clocks")
)]
pub(crate) fn timer_now() -> runtime::Instant {
    runtime::Instant::now()
}

/// The log's clock of a leader; between leads it runs on from what it last knew.
pub(crate) struct LogClock {
    time: Arc<dyn TimeSource>,
    reading: Mutex<Reading>,
}

#[derive(Debug)]
struct Reading {
    /// The log's time, in microseconds, at `at`.
    now_us: u64,
    at: Duration,
    /// No stamp is below this, in milliseconds.
    floor_ms: u64,
    /// Log minus wall at the last reading, in milliseconds.
    skew_ms: i64,
}

/// How the log's clock and this machine's wall clock stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockHealth {
    /// The log's clock minus the wall, in milliseconds.
    pub skew_ms: i64,
    /// The skew is past [`CLOCK_SKEW_ALARM_MS`]: someone should look at this machine's clock.
    pub alarm: bool,
}

impl LogClock {
    pub fn new(time: Arc<dyn TimeSource>) -> Self {
        let (wall_ms, at) = (time.wall_ms(), time.elapsed());
        let now_us = wall_ms.saturating_mul(1_000);
        let reading = Mutex::new(Reading { now_us, at, floor_ms: 0, skew_ms: 0 });
        Self { time, reading }
    }

    /// Taking the lead: start from the median of a quorum's clocks, but never below applied log time. The
    /// median.
    pub fn anchor(&self, quorum_wall_ms: &mut [u64], applied_ms: u64) -> u64 {
        let median_ms = median(quorum_wall_ms).unwrap_or_else(|| self.time.wall_ms());
        let mut reading = self.reading.lock();
        reading.at = self.time.elapsed();
        reading.floor_ms = reading.floor_ms.max(applied_ms);
        reading.now_us = median_ms.max(reading.floor_ms).saturating_mul(1_000);
        median_ms
    }

    /// A follower's view: log time is at least what was applied.
    pub fn observe(&self, applied_ms: u64) {
        let mut reading = self.reading.lock();
        reading.floor_ms = reading.floor_ms.max(applied_ms);
    }

    /// The stamp of the next entry, in milliseconds: not below any earlier stamp or applied time.
    pub fn stamp(&self) -> u64 {
        let mut reading = self.reading.lock();
        let now_ms = self.advance(&mut reading);
        reading.floor_ms = now_ms;
        now_ms
    }

    /// The log's time now, in milliseconds, without promising it to an entry.
    pub fn now_ms(&self) -> u64 {
        self.advance(&mut self.reading.lock())
    }

    pub fn wall_ms(&self) -> u64 {
        self.time.wall_ms()
    }

    pub fn health(&self) -> ClockHealth {
        let mut reading = self.reading.lock();
        self.advance(&mut reading);
        let skew_ms = reading.skew_ms;
        ClockHealth { skew_ms, alarm: skew_ms.unsigned_abs() >= CLOCK_SKEW_ALARM_MS }
    }

    /// Adds the monotonic time since the last reading, and of the rest of the way to the wall at most
    /// [`SLEW_PPM_MAX`] of that time.
    fn advance(&self, reading: &mut Reading) -> u64 {
        let elapsed = self.time.elapsed();
        let passed = elapsed.saturating_sub(reading.at);
        let passed_us = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        let wall_us = self.time.wall_ms().saturating_mul(1_000);
        let straight_us = if cfg!(holdfast_bug = "follow_the_wall") {
            wall_us
        } else {
            reading.now_us.saturating_add(passed_us)
        };
        let slew_max_us = passed_us.saturating_mul(SLEW_PPM_MAX) / 1_000_000;
        let away_us = straight_us.abs_diff(wall_us).min(slew_max_us);
        let slewed_us = if wall_us >= straight_us {
            straight_us.saturating_add(away_us)
        } else {
            straight_us.saturating_sub(away_us)
        };
        // Time too short to earn a microsecond of slew is kept for the next reading.
        if slew_max_us > 0 {
            reading.now_us = slewed_us;
            reading.at = reading.at.saturating_add(Duration::from_micros(passed_us));
        }
        let now_ms = (slewed_us / 1_000).max(reading.floor_ms);
        reading.skew_ms = now_ms.checked_signed_diff(wall_us / 1_000).unwrap_or(i64::MAX);
        now_ms
    }
}

/// The lower median: with an even number of clocks the more careful one.
fn median(clocks: &mut [u64]) -> Option<u64> {
    clocks.sort_unstable();
    clocks.get(clocks.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR_MS: u64 = 365 * 24 * 3_600 * 1_000;
    const START_MS: u64 = 1_795_000_000_000;

    fn clock() -> (Arc<DrivenTime>, LogClock) {
        let time = Arc::new(DrivenTime::new(START_MS));
        let clock = LogClock::new(time.clone());
        clock.anchor(&mut [START_MS], 0);
        (time, clock)
    }

    #[test]
    fn the_log_runs_with_monotonic_time() {
        let (time, clock) = clock();
        assert_eq!(clock.stamp(), START_MS);
        time.advance(Duration::from_secs(90));
        assert_eq!(clock.stamp(), START_MS + 90_000);
        assert_eq!(clock.health(), ClockHealth { skew_ms: 0, alarm: false });
    }

    #[test]
    fn a_wall_ten_years_ahead_is_alarmed_and_not_followed() {
        let (time, clock) = clock();
        time.step_wall_ms((10 * YEAR_MS).cast_signed());
        assert_eq!(clock.stamp(), START_MS);
        assert!(clock.health().alarm);
        time.advance(Duration::from_secs(1_000));
        // 500 ppm of 1,000 s is half a second.
        assert_eq!(clock.stamp(), START_MS + 1_000_500);
    }

    #[test]
    fn a_wall_ten_years_behind_never_turns_the_log_back() {
        let (time, clock) = clock();
        let before = clock.stamp();
        time.step_wall_ms(-(10 * YEAR_MS).cast_signed());
        assert_eq!(clock.stamp(), before);
        assert!(clock.health().alarm);
        time.advance(Duration::from_secs(1_000));
        assert_eq!(clock.stamp(), before + 999_500);
    }

    #[test]
    fn a_small_difference_is_slewed_away_and_stays_away() {
        let (time, clock) = clock();
        time.step_wall_ms(100);
        for _ in 0..2_000 {
            time.advance(Duration::from_millis(250));
            clock.stamp();
        }
        assert_eq!(clock.health(), ClockHealth { skew_ms: 0, alarm: false });
    }

    #[test]
    fn readings_a_microsecond_apart_lose_no_time() {
        let (time, clock) = clock();
        for _ in 0..100_000 {
            time.advance(Duration::from_micros(1));
            clock.now_ms();
        }
        assert_eq!(clock.stamp(), START_MS + 100);
    }

    #[test]
    fn the_lead_is_taken_at_the_median_but_not_below_applied_time() {
        let (_, clock) = clock();
        clock.anchor(&mut [START_MS + 7_000, START_MS + 5, START_MS + 9], 0);
        assert_eq!(clock.stamp(), START_MS + 9);
        clock.anchor(&mut [START_MS], START_MS + 60_000);
        assert_eq!(clock.stamp(), START_MS + 60_000);
    }

    #[test]
    fn stamps_stay_above_what_was_observed() {
        let (_, clock) = clock();
        clock.observe(START_MS + 5_000);
        assert_eq!(clock.stamp(), START_MS + 5_000);
        assert!(clock.health().alarm);
    }
}
