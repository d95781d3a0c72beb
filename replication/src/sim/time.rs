//! The clocks of one simulated machine: a monotonic one that runs a little fast or slow, and a wall that
//! is off and may jump.
//!
//! It owns what a node may believe of the time. True time is the simulation's.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::runtime::{self, Instant};
use crate::clock::{Sleep, TimeSource};
use crate::fixture::START_MS;

/// True time, in milliseconds since the epoch.
pub(crate) fn true_ms() -> u64 {
    START_MS + millis(Instant::now().since_start())
}

pub(crate) struct MachineTime {
    /// Of its quartz, in parts per million.
    drift_ppm: i64,
    /// Of its wall, in milliseconds.
    off_ms: AtomicI64,
}

impl MachineTime {
    pub fn new(drift_ppm: i64, off_ms: i64) -> Self {
        Self { drift_ppm, off_ms: AtomicI64::new(off_ms) }
    }

    /// From now on the wall is so far from the truth.
    pub fn set_off_ms(&self, off_ms: i64) {
        // Relaxed: one thread.
        self.off_ms.store(off_ms, Ordering::Relaxed);
    }
}

impl TimeSource for MachineTime {
    fn wall_ms(&self) -> u64 {
        // Relaxed: one thread.
        let off_ms = self.off_ms.load(Ordering::Relaxed);
        (START_MS + millis(self.elapsed())).saturating_add_signed(off_ms)
    }

    fn elapsed(&self) -> Duration {
        let elapsed = Instant::now().since_start();
        let ns = i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX);
        let drifted = ns.saturating_add(ns / 1_000_000 * self.drift_ppm);
        Duration::from_nanos(drifted.unsigned_abs())
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(runtime::sleep(duration))
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
