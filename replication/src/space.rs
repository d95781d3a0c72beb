//! Room on the log's disk: watched, so that a full disk stops writes instead of the node.
//!
//! It owns one flag with two levels: low below the reserve, well again a quarter above it. It refuses to
//! free anything. **Invariant**: while it is low nothing new is proposed here, so what was acknowledged
//! has room to be kept, and writes go on once there is space again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::clock::TimeSource;
use crate::limits::DISK_LOOK_EVERY;
use crate::runtime;

#[derive(Debug)]
pub(crate) struct Space {
    dir: PathBuf,
    /// Bytes that must stay free.
    reserve: u64,
    free: AtomicU64,
    low: AtomicBool,
}

impl Space {
    pub fn new(dir: PathBuf, reserve: u64) -> Self {
        let space =
            Self { dir, reserve, free: AtomicU64::new(u64::MAX), low: AtomicBool::new(false) };
        space.look();
        space
    }

    pub fn is_low(&self) -> bool {
        // Relaxed: a flag on its own; a moment's lag costs a few entries of a large reserve.
        self.low.load(Ordering::Relaxed)
    }

    /// Bytes free at the last look.
    pub fn free(&self) -> u64 {
        // Relaxed: a number for people.
        self.free.load(Ordering::Relaxed)
    }

    /// Looks every so often; calls `ran_low` each time the disk has become too full.
    pub async fn watch(self: Arc<Self>, time: Arc<dyn TimeSource>, ran_low: impl Fn()) {
        loop {
            let before = self.is_low();
            let space = self.clone();
            // A disk that hangs must not hold up the runtime.
            let _ = runtime::spawn_blocking(move || space.look()).await;
            if self.is_low() && !before {
                ran_low();
            }
            time.sleep(DISK_LOOK_EVERY).await;
        }
    }

    fn look(&self) {
        match rustix::fs::statvfs(&self.dir) {
            Ok(disk) => self.judge(disk.f_bavail.saturating_mul(disk.f_frsize)),
            Err(error) => tracing::warn!(%error, "the disk's free space cannot be read"),
        }
    }

    fn judge(&self, free: u64) {
        // Relaxed, all of them: see the readers.
        self.free.store(free, Ordering::Relaxed);
        let was_low = self.low.load(Ordering::Relaxed);
        let enough =
            if was_low { self.reserve.saturating_add(self.reserve / 4) } else { self.reserve };
        let low = free < enough;
        self.low.store(low, Ordering::Relaxed);
        if low && !was_low {
            let reserve = self.reserve;
            tracing::error!(free, reserve, "the disk is nearly full: no new commands are taken");
        }
        if was_low && !low {
            tracing::info!(free, "the disk has space again: commands are taken");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_begins_below_the_reserve_and_ends_a_quarter_above_it() {
        let space = Space::new("/".into(), 0);
        assert!(!space.is_low() && space.free() > 0);
        let space = Space { reserve: 1_000, ..space };
        for (free, low) in
            [(1_000, false), (999, true), (1_000, true), (1_249, true), (1_250, false)]
        {
            space.judge(free);
            assert_eq!(space.is_low(), low, "{free} bytes free");
        }
    }
}
