//! How much of the log must stay because no backup has it yet.
//!
//! **Invariant**: what is kept is bounded: a backup that fails for too long costs a hole in it, not the disk.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::BACKUP_KEEPS_ENTRIES_MAX;

/// Written by whoever backs the log up, read by whoever cuts it.
#[derive(Debug)]
pub(crate) struct LogKeep(AtomicU64);

impl Default for LogKeep {
    /// Nothing is kept: no backup was asked for.
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl LogKeep {
    /// Entries from `index` on stay.
    pub fn keep_from(&self, index: u64) {
        // Relaxed: a number on its own; a cut that misses the newest keeps more.
        self.0.store(index, Ordering::Relaxed);
    }

    /// The last entry that may be cut, where a snapshot allows `wanted` and `applied` is the newest applied:
    /// less, while the backup has less, but never more than the bound behind. `None`: none may.
    pub fn may_cut(&self, wanted: u64, applied: u64) -> Option<u64> {
        // Relaxed: as above.
        let backed_up = self.0.load(Ordering::Relaxed).checked_sub(1);
        let bound = applied.checked_sub(BACKUP_KEEPS_ENTRIES_MAX);
        let most = backed_up.max(bound)?;
        if bound.is_some_and(|bound| backed_up.is_none_or(|has| has < bound.min(wanted))) {
            tracing::error!(
                backed_up,
                applied,
                "the log is cut before it is in the backup: the backup will have a hole"
            );
        }
        Some(wanted.min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_cut_no_further_than_the_backup_has_it_within_a_bound() {
        let keep = LogKeep::default();
        assert_eq!(keep.may_cut(500, 1_000), Some(500), "nobody backs up");
        keep.keep_from(0);
        assert_eq!(keep.may_cut(500, 1_000), None, "the backup has nothing yet");
        keep.keep_from(300);
        assert_eq!(keep.may_cut(500, 1_000), Some(299));
        assert_eq!(keep.may_cut(200, 1_000), Some(200));
        let applied = 400 + BACKUP_KEEPS_ENTRIES_MAX;
        assert_eq!(keep.may_cut(500, applied), Some(400), "the bound wins");
    }
}
