//! Idempotency keys: the answer a key was given, kept for a day, bounded.
//!
//! Doors read the table while apply writes it. **Invariant**: an answer is kept for [`KEY_MS_SURE`] at
//! least; what would need its place sooner is refused.

use std::sync::Arc;

use super::look_ahead::COMMANDS_AHEAD;
use super::queue::{Kept, Queue};
use super::table::Table;
use crate::civil::LogTimeMs;
use crate::codec::{Decode, Encode};
use crate::limits::{KEY_MS_KEPT, KEY_MS_SURE};
use crate::outcome::Outcome;
use crate::prefetch::prefetch;

/// A stored answer.
#[derive(Debug, Clone, Encode, Decode)]
pub struct Stored {
    /// Digest of the request that got it.
    pub fingerprint: u128,
    pub outcome: Outcome,
    pub at_ms: LogTimeMs,
}

/// The readable part.
pub type Keys = Table<u128, Stored>;

/// The writer's part: what to forget, oldest first.
#[derive(Debug, Default)]
pub struct Forgetting {
    by_age: Queue<(LogTimeMs, u128)>,
}

impl Forgetting {
    /// Makes room for one more key where all `places` are taken; false where every answer is too young.
    pub fn make_room(&mut self, keys: &Keys, now: LogTimeMs, places: usize) -> bool {
        if self.by_age.len() < places {
            return true;
        }
        self.forget_older(keys, now.saturating_sub(KEY_MS_SURE), 1) == 1
    }

    /// Keeps the answer to a key that has none.
    pub fn store(&mut self, keys: &Keys, key: u128, stored: Stored) {
        self.by_age.push((stored.at_ms, key));
        keys.add(key, stored);
    }

    /// Oldest first: when each answer was given, and its key.
    pub fn by_age(&self) -> impl Iterator<Item = (LogTimeMs, u128)> {
        self.by_age.iter().copied()
    }

    /// The order of ages as it stands, to keep.
    pub(super) fn keep(&mut self) -> Kept<(LogTimeMs, u128)> {
        self.by_age.keep()
    }

    /// The next oldest, of a state that is being loaded.
    pub(super) fn load(&mut self, at: LogTimeMs, key: u128) {
        self.by_age.push((at, key));
    }

    /// Forgets at most `max` answers whose time is up; how many.
    pub fn forget(&mut self, keys: &Keys, now: LogTimeMs, max: u32) -> u32 {
        self.forget_older(keys, now.saturating_sub(KEY_MS_KEPT), max)
    }

    /// Asks memory for the answers that are forgotten next.
    fn look_ahead(&self, keys: &Keys) {
        let next = || self.by_age.iter().take(COMMANDS_AHEAD);
        next().for_each(|(_, key)| keys.prefetch(key));
        next().for_each(|(_, key)| keys.prefetch_record::<3>(key));
        for (_, key) in next() {
            keys.look(key, |stored| match &stored.outcome {
                Outcome::Held { terms, .. } => prefetch(Arc::as_ptr(terms)),
                Outcome::Booked(booking) | Outcome::Cancelled(booking) => {
                    prefetch(Arc::as_ptr(booking));
                }
                Outcome::HoldChanged(hold) => prefetch(Arc::as_ptr(hold)),
                _ => {}
            });
        }
    }

    fn forget_older(&mut self, keys: &Keys, than: LogTimeMs, max: u32) -> u32 {
        let mut forgotten = 0;
        while let Some(&(at, key)) = self.by_age.first() {
            if at > than || forgotten >= max {
                break;
            }
            if max > 1 && (forgotten as usize).is_multiple_of(COMMANDS_AHEAD) {
                self.look_ahead(keys);
            }
            keys.remove(&key);
            self.by_age.pop();
            forgotten += 1;
        }
        forgotten
    }
}
