//! When a snapshot is taken by itself: by bytes of log and by time, never by a number of entries.
//!
//! It owns the decision; it refuses to look at a clock, and to write.

use std::time::Duration;

use crate::limits::{SNAPSHOT_EVERY, SNAPSHOT_LOG_BYTES, SNAPSHOT_LOG_BYTES_MIN};

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
