//! The snapshot that other nodes are being sent: it stays, and the log behind it, while newer ones are taken, so
//! that a sending that breaks off goes on where it was.
//!
//! It owns who is being sent it and how long that holds it; one snapshot at a time. It refuses to send.
//! **Invariant**: what nobody acknowledges a piece of is held for [`SNAPSHOT_HELD_SILENT_MAX`] at most, and
//! nothing longer than [`SNAPSHOT_HELD_MAX`]: a node that never gets done costs a bounded length of the log.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

use super::SnapshotFile;
use crate::limits::{SNAPSHOT_HELD_MAX, SNAPSHOT_HELD_SILENT_MAX};
use crate::raft_types::SnapshotMeta;

/// What is held for those who are being sent it.
#[derive(Debug, Default)]
pub(super) struct Sending(Mutex<Option<Held>>);

/// Instants are the monotonic clock's.
#[derive(Debug)]
struct Held {
    meta: SnapshotMeta,
    file: SnapshotFile,
    since: Duration,
    /// When each node acknowledged its last piece.
    heard: BTreeMap<u64, Duration>,
}

impl Sending {
    /// Node `to` has acknowledged a piece of a snapshot, or said from where it wants it.
    pub fn heard(&self, (meta, file): (&SnapshotMeta, &SnapshotFile), to: u64, now: Duration) {
        let mut held = self.0.lock();
        let held = held.get_or_insert_with(|| {
            let (meta, file) = (meta.clone(), file.clone());
            Held { meta, file, since: now, heard: BTreeMap::new() }
        });
        if held.file == *file {
            held.heard.insert(to, now);
        }
    }

    /// Node `to` has it, or will have none.
    pub fn ended(&self, to: u64) {
        self.hold_for(|node, _| node != to);
    }

    /// Holds it for those nodes alone that need it still, by the snapshot's index.
    pub fn hold_for(&self, needs: impl Fn(u64, u64) -> bool) {
        let mut held = self.0.lock();
        if let Some(Held { file, heard, .. }) = held.as_mut() {
            heard.retain(|node, _| needs(*node, file.index));
            if heard.is_empty() {
                *held = None;
            }
        }
    }

    /// Nobody is sent it any more.
    pub fn drop_held(&self) {
        *self.0.lock() = None;
    }

    /// What is held still.
    pub fn held(&self, now: Duration) -> Option<(SnapshotMeta, SnapshotFile)> {
        let mut held = self.0.lock();
        if let Some(Held { file, since, heard, .. }) = held.as_mut() {
            heard.retain(|_, at| now.saturating_sub(*at) <= SNAPSHOT_HELD_SILENT_MAX);
            let is_over = now.saturating_sub(*since) > SNAPSHOT_HELD_MAX;
            if is_over || heard.is_empty() {
                tracing::warn!(
                    file.index,
                    "a snapshot is held no longer for those who were sent it"
                );
                *held = None;
            }
        }
        held.as_ref().map(|held| (held.meta.clone(), held.file.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(index: u64) -> (SnapshotMeta, SnapshotFile) {
        let path = "nothing reads it".into();
        (SnapshotMeta::default(), SnapshotFile { path, index, bytes: 9, checksum: 9 })
    }

    fn held(sending: &Sending, at_s: u64) -> Option<u64> {
        sending.held(Duration::from_secs(at_s)).map(|(_, file)| file.index)
    }

    #[test]
    fn a_snapshot_is_held_while_somebody_takes_it_and_no_longer_than_the_bounds() {
        let (silent, most) = (SNAPSHOT_HELD_SILENT_MAX.as_secs(), SNAPSHOT_HELD_MAX.as_secs());
        let sending = Sending::default();
        assert_eq!(held(&sending, 0), None);
        let heard = |index, to, at_s| {
            let (meta, file) = snapshot(index);
            sending.heard((&meta, &file), to, Duration::from_secs(at_s));
        };
        heard(5, 2, 0);
        heard(6, 3, 0);
        assert_eq!(held(&sending, silent), Some(5), "the first, and for whoever is sent that one");
        assert_eq!(held(&sending, silent + 1), None, "silent for too long");
        heard(6, 2, 0);
        heard(6, 3, 0);
        sending.ended(2);
        assert_eq!(held(&sending, 1), Some(6), "another still wants it");
        sending.ended(3);
        assert_eq!(held(&sending, 1), None, "all have it");
        heard(7, 2, 0);
        for at_s in 1..=most {
            heard(7, 2, at_s);
        }
        assert_eq!(held(&sending, most), Some(7));
        heard(7, 2, most + 1);
        assert_eq!(held(&sending, most + 1), None, "it never gets done");
        heard(8, 2, 0);
        sending.hold_for(|node, index| (node, index) == (2, 8));
        assert_eq!(held(&sending, 0), Some(8), "it is needed");
        sending.hold_for(|_, index| index > 8);
        assert_eq!(held(&sending, 0), None, "by nobody");
        heard(8, 2, 0);
        sending.drop_held();
        assert_eq!(held(&sending, 0), None, "nobody is sent it");
    }
}
