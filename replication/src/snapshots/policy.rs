//! When a snapshot is taken by itself: by bytes of log and by time, never by a number of entries.
//!
//! It owns the decision and the task that looks; it refuses to write.

use std::sync::Arc;
use std::time::Duration;

use super::Snapshots;
use crate::applied::AppliedLog;
use crate::archive::Archive;
use crate::limits::{
    SNAPSHOT_EVERY, SNAPSHOT_LOG_BYTES, SNAPSHOT_LOG_BYTES_MIN, SNAPSHOT_LOOK_EVERY,
};
use crate::raft_types::Raft;

/// What was applied since the last snapshot, and how long ago that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub bytes: u64,
    pub age: Duration,
}

impl Due {
    pub fn is_due(self) -> bool {
        let by_time = self.age >= SNAPSHOT_EVERY && self.bytes >= SNAPSHOT_LOG_BYTES_MIN;
        by_time || self.bytes >= SNAPSHOT_LOG_BYTES
    }
}

impl Snapshots {
    /// Looks every so often, and takes one where it is due.
    pub async fn keep_taking(
        self: Arc<Self>,
        raft: Raft,
        archive: Arc<Archive>,
        applied: Arc<AppliedLog>,
    ) {
        // What a start applied from the log counts: the next start would apply it again.
        let (mut bytes, mut at) = (0, self.time.elapsed());
        loop {
            self.time.sleep(SNAPSHOT_LOOK_EVERY).await;
            let age = self.time.elapsed().saturating_sub(at);
            let due = Due { bytes: applied.bytes().saturating_sub(bytes), age };
            if !due.is_due() {
                continue;
            }
            // Before the mark: what is applied meanwhile counts for the next.
            let marked = applied.bytes();
            match self.take(&raft, &archive).await {
                Ok(_) => (bytes, at) = (marked, self.time.elapsed()),
                Err(error) => tracing::warn!(%error, "no snapshot was written"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_by_bytes_or_by_time_and_some_bytes() {
        let (min, max, hour) = (SNAPSHOT_LOG_BYTES_MIN, SNAPSHOT_LOG_BYTES, SNAPSHOT_EVERY);
        let second = Duration::from_secs(1);
        for (bytes, age, is_due) in [
            (0, Duration::ZERO, false),
            (max - 1, hour - second, false),
            (max, Duration::ZERO, true),
            (min, hour, true),
            (min - 1, 100 * hour, false),
        ] {
            assert_eq!(Due { bytes, age }.is_due(), is_due, "{bytes} bytes, {age:?}");
        }
    }
}
