//! A clock that stands still until it is told to move.
//!
//! It owns time in tests, of this crate and of those above it. Sleepers wake when time is moved past
//! their end, never by themselves.

use std::sync::Arc;
use std::time::Duration;

use super::{Sleep, TimeSource};
use crate::runtime::watch;
use parking_lot::Mutex;

#[derive(Debug)]
pub struct DrivenTime {
    wall_ms: Mutex<u64>,
    elapsed: watch::Sender<Duration>,
    sleepers: Arc<watch::Sender<usize>>,
}

impl DrivenTime {
    pub fn new(wall_ms: u64) -> Self {
        Self {
            wall_ms: Mutex::new(wall_ms),
            elapsed: watch::Sender::new(Duration::ZERO),
            sleepers: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Moves both clocks on, and wakes whoever has slept long enough.
    pub fn advance(&self, by: Duration) {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        // Parts of a millisecond add up on the monotonic clock alone, then reach the wall whole.
        self.elapsed.send_modify(|elapsed| {
            let carried = elapsed.subsec_nanos() % 1_000_000 + by.subsec_nanos() % 1_000_000;
            *elapsed = elapsed.saturating_add(by);
            *self.wall_ms.lock() += by_ms + u64::from(carried / 1_000_000);
        });
    }

    /// Steps the wall clock alone, as an operator or a time server would.
    pub fn step_wall_ms(&self, by_ms: i64) {
        let mut wall_ms = self.wall_ms.lock();
        *wall_ms = wall_ms.saturating_add_signed(by_ms);
    }

    /// Waits until at least `count` sleepers wait for this clock.
    pub async fn sleepers(&self, count: usize) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.sleepers.subscribe().wait_for(|sleepers| *sleepers >= count).await;
    }
}

impl TimeSource for DrivenTime {
    fn wall_ms(&self) -> u64 {
        *self.wall_ms.lock()
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut elapsed = self.elapsed.subscribe();
        let end = self.elapsed().saturating_add(duration);
        let asleep = Asleep::new(self.sleepers.clone());
        Box::pin(async move {
            let _asleep = asleep;
            if elapsed.wait_for(|now| *now >= end).await.is_err() {
                // The clock is gone, and with it the time that would have woken this sleeper.
                std::future::pending::<()>().await;
            }
        })
    }
}

struct Asleep(Arc<watch::Sender<usize>>);

impl Asleep {
    fn new(sleepers: Arc<watch::Sender<usize>>) -> Self {
        sleepers.send_modify(|count| *count += 1);
        Self(sleepers)
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
