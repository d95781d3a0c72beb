//! How far this node has applied its log, for everyone who reads or waits.
//!
//! It owns these numbers and their waiters. One state machine raises them; they never go back.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::TimeSource;
use crate::runtime::watch;

/// The applied position. `None` is written as no index at all, since a log begins at zero.
pub(crate) struct AppliedLog {
    time: Arc<dyn TimeSource>,
    next: watch::Sender<u64>,
    at_ms: AtomicU64,
    /// When `at_ms` grew last, in microseconds of `time`'s monotonic clock.
    grew_us: AtomicU64,
    /// Bytes of the entries that were applied.
    bytes: AtomicU64,
    invariant_refusals: AtomicU64,
}

impl AppliedLog {
    pub fn new(time: Arc<dyn TimeSource>) -> Self {
        Self {
            grew_us: AtomicU64::new(micros(time.elapsed())),
            time,
            next: watch::Sender::new(0),
            at_ms: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            invariant_refusals: AtomicU64::new(0),
        }
    }

    /// The entry at `index`, stamped `at_ms` where it carried commands, is applied.
    pub fn advance(&self, index: u64, at_ms: Option<u64>) {
        if let Some(at_ms) = at_ms {
            // Relaxed: the watch below orders it for those who wait; others take any recent value.
            self.at_ms.fetch_max(at_ms, Ordering::Relaxed);
            // Relaxed: a time for people and probes.
            self.grew_us.store(micros(self.time.elapsed()), Ordering::Relaxed);
        }
        self.next.send_if_modified(|next| {
            let newer = index.saturating_add(1);
            let moved = newer > *next;
            *next = newer.max(*next);
            moved
        });
    }

    /// So many bytes of commands were applied.
    pub fn count_bytes(&self, bytes: usize) {
        // Relaxed: a count on its own.
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Bytes of all commands that this process has applied, the log's at its start included.
    pub fn bytes(&self) -> u64 {
        // Relaxed: as above.
        self.bytes.load(Ordering::Relaxed)
    }

    /// A command met a state that must not be.
    pub fn count_invariant_refusal(&self) {
        // Relaxed: a count on its own.
        self.invariant_refusals.fetch_add(1, Ordering::Relaxed);
    }

    pub fn invariant_refusals(&self) -> u64 {
        // Relaxed: as above.
        self.invariant_refusals.load(Ordering::Relaxed)
    }

    pub fn index(&self) -> Option<u64> {
        self.next.borrow().checked_sub(1)
    }

    /// The log time of the newest applied entry that carried one, in milliseconds; zero for none.
    pub fn at_ms(&self) -> u64 {
        // Relaxed: a single number that only grows.
        self.at_ms.load(Ordering::Relaxed)
    }

    /// How long ago this node last applied an entry that carried log time.
    pub fn quiet(&self) -> Duration {
        // Relaxed: as where it is stored.
        let grew = Duration::from_micros(self.grew_us.load(Ordering::Relaxed));
        self.time.elapsed().saturating_sub(grew)
    }

    /// Waits until `index` is applied.
    pub async fn reached(&self, index: u64) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.next.subscribe().wait_for(|next| *next > index).await;
    }
}

impl fmt::Debug for AppliedLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AppliedLog({:?})", self.index())
    }
}

/// In 64 bits: more than half a million years.
fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
