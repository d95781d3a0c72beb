//! Idempotency keys: the answer a key was given, kept for a day, bounded.
//!
//! Doors read the table while apply writes it. **Invariant**: an answer is forgotten only when its time
//! is up, never to make room.

use std::collections::VecDeque;

use dashmap::DashMap;

use crate::civil::LogTimeMs;
use crate::hash::BuildFolded;
use crate::limits::{KEY_MS_KEPT, KEYS_MAX};
use crate::outcome::Outcome;

/// A stored answer.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Digest of the request that got it.
    pub fingerprint: u128,
    pub outcome: Outcome,
    pub at_ms: LogTimeMs,
}

/// The readable part.
pub type Keys = DashMap<u128, Stored, BuildFolded>;

/// The writer's part: what to forget, oldest first.
#[derive(Debug, Default)]
pub struct Forgetting {
    by_age: VecDeque<(LogTimeMs, u128)>,
}

impl Forgetting {
    /// Whether one more key fits.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.by_age.len() < KEYS_MAX
    }

    pub fn store(&mut self, keys: &Keys, key: u128, stored: Stored) {
        self.by_age.push_back((stored.at_ms, key));
        keys.insert(key, stored);
    }

    /// Forgets at most `max` answers whose time is up; how many.
    pub fn forget(&mut self, keys: &Keys, now: LogTimeMs, max: usize) -> u32 {
        let mut forgotten = 0;
        while let Some(&(at, key)) = self.by_age.front() {
            if now < at + KEY_MS_KEPT || forgotten as usize >= max {
                break;
            }
            keys.remove(&key);
            self.by_age.pop_front();
            forgotten += 1;
        }
        forgotten
    }
}
