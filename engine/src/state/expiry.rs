//! When holds end: buckets of one second, cheap to add to, swept in (expiry, id) order.
//!
//! Entries are hints: a hold that was released, confirmed or extended leaves its entry behind, and the
//! caller says which still stand. Derived from the holds; in no digest.

use std::collections::BTreeMap;

use crate::civil::LogTimeMs;
use crate::ids::HoldId;

/// Every entry ever added and not yet taken.
#[derive(Debug, Default)]
pub struct Expiry {
    buckets: BTreeMap<u64, Vec<(LogTimeMs, HoldId)>>,
}

impl Expiry {
    pub fn add(&mut self, at: LogTimeMs, hold: HoldId) {
        self.buckets.entry(at / 1_000).or_default().push((at, hold));
    }

    /// Every entry, standing or not.
    pub fn entries(&self) -> impl Iterator<Item = (LogTimeMs, HoldId)> {
        self.buckets.values().flatten().copied()
    }

    /// No entry is due before this instant; `None` where there is none at all.
    #[must_use]
    pub fn earliest(&self) -> Option<LogTimeMs> {
        self.buckets.first_key_value().map(|(second, _)| second * 1_000)
    }

    /// Takes at most `max` standing entries that are due at `now`, in (expiry, id) order. Entries that
    /// do not stand are dropped on the way.
    pub fn take_due(
        &mut self,
        now: LogTimeMs,
        max: u32,
        stands: impl Fn(HoldId, LogTimeMs) -> bool,
    ) -> Vec<HoldId> {
        let mut due = Vec::new();
        while let Some(mut bucket) = self.buckets.first_entry() {
            if bucket.key() * 1_000 > now {
                break;
            }
            let entries = bucket.get_mut();
            // The last is the first to end, so that taking moves nothing. A hold whose expiry moved away
            // and came back has the same entry twice.
            entries.sort_unstable_by(|a, b| b.cmp(a));
            entries.dedup();
            while let Some(&(at, hold)) = entries.last() {
                if at > now || due.len() >= max as usize {
                    break;
                }
                if stands(hold, at) {
                    due.push(hold);
                }
                entries.pop();
            }
            if !entries.is_empty() {
                break;
            }
            bucket.remove();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_entries_come_in_order_and_at_most_so_many() {
        let mut expiry = Expiry::default();
        for (at, id) in [(5_500, 3), (5_400, 9), (5_400, 1), (7_000, 2), (5_450, 8)] {
            expiry.add(at, HoldId(id));
        }
        assert_eq!(expiry.earliest(), Some(5_000));
        let not_eight = |hold: HoldId, _| hold != HoldId(8);
        assert_eq!(expiry.take_due(5_399, 10, not_eight), []);
        assert_eq!(expiry.take_due(5_500, 2, not_eight), [HoldId(1), HoldId(9)]);
        assert_eq!(expiry.take_due(5_500, 2, not_eight), [HoldId(3)]);
        assert_eq!(expiry.take_due(9_000, 2, not_eight), [HoldId(2)]);
        assert_eq!(expiry.earliest(), None);
    }
}
