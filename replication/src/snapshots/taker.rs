//! Taking a snapshot of a running node, and cutting the log behind it.
//!
//! It owns the order: the state is marked between two entries, written beside them, and on disk under its
//! name; openraft is told; then the log is cut, no further than the older of the two that are kept, less what
//! followers and backups may still want. It refuses to wait for a cut: openraft makes it when nobody reads
//! there.
//!
//! **Invariant**: no entry is cut that the older snapshot kept does not stand for.

use std::sync::Arc;

use openraft::async_runtime::WatchReceiver;

use super::policy::Due;
use super::{SnapshotError, SnapshotTaken, Snapshots};
use crate::applied::AppliedLog;
use crate::archive::Archive;
use crate::backup::LogKeep;
use crate::clock::TimeSource;
use crate::limits::SNAPSHOT_LOOK_EVERY;
use crate::raft_types::Raft;
use crate::runtime;

/// What takes a group's snapshots.
pub(crate) struct Taker {
    pub snapshots: Arc<Snapshots>,
    pub raft: Raft,
    pub archive: Arc<Archive>,
    pub applied: Arc<AppliedLog>,
    pub log_keep: Arc<LogKeep>,
    /// Entries kept behind the older snapshot, for followers that lag.
    pub log_kept: u64,
    pub time: Arc<dyn TimeSource>,
}

impl Taker {
    /// Marks the state between two entries and writes it, while entries are applied; then cuts the log.
    pub async fn take(&self) -> Result<SnapshotTaken, SnapshotError> {
        self.look_who_needs_what_is_sent();
        let alone = self.snapshots.writing.clone().try_lock_owned();
        let alone = alone.map_err(|_| SnapshotError::Running)?;
        let marked = self.raft.with_state_machine(|machine| {
            let marked = machine.mark();
            Box::pin(async move { marked })
        });
        let stopped = |fatal: String| SnapshotError::NodeStopped(fatal);
        let marked = marked.await.map_err(|fatal| stopped(fatal.to_string()))??;
        let (snapshots, archive) = (self.snapshots.clone(), self.archive.clone());
        let written = runtime::spawn_blocking(move || {
            // Held here: whoever asked may go, and what is written goes on.
            let _alone = alone;
            snapshots.write(marked, &archive)
        });
        let written = written.await;
        let taken = written.unwrap_or(Err(SnapshotError::Panicked))?;
        let (index, bytes) = (taken.index, taken.bytes);
        tracing::info!(index, bytes, took_ms = taken.took.as_millis(), "a snapshot was written");
        self.cut(index).await.map_err(stopped)?;
        Ok(taken)
    }

    /// What is held for others is of no use where this node does not lead, which it is not told, or where their
    /// logs go on behind it: a node's start with it may have cut its answer off.
    fn look_who_needs_what_is_sent(&self) {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        match metrics.replication.as_ref().filter(|_| metrics.state.is_leader()) {
            None => self.snapshots.hold_nothing(),
            Some(logs) => self.snapshots.hold_for(|node, index| {
                logs.get(&node).is_some_and(|last| last.is_none_or(|last| last.index < index))
            }),
        }
    }

    /// Tells openraft of the snapshot as of `index`, and asks for the log to be cut.
    async fn cut(&self, index: u64) -> Result<(), String> {
        let text = |fatal: openraft::errors::Fatal<_>| fatal.to_string();
        self.raft.trigger().snapshot().await.map_err(text)?;
        let mut metrics = self.raft.metrics();
        loop {
            let known = metrics.borrow_watched().snapshot.map(|known| known.index);
            if known >= Some(index) {
                break;
            }
            metrics.changed().await.map_err(|_| "its core has ended".to_owned())?;
        }
        let Some(upto) = self.may_cut() else { return Ok(()) };
        if metrics.borrow_watched().purged.is_none_or(|purged| purged.index < upto) {
            tracing::info!(upto, "the log is cut");
            self.raft.trigger().purge_log(upto).await.map_err(text)?;
        }
        Ok(())
    }

    /// The last entry that need not stay; `None` where all must.
    fn may_cut(&self) -> Option<u64> {
        let older = self.snapshots.older().unwrap_or_else(|error| {
            tracing::warn!(%error, "the snapshots cannot be listed: the log is not cut");
            None
        });
        let wanted = older?.checked_sub(self.log_kept)?;
        self.log_keep.may_cut(wanted, self.applied.index()?)
    }

    /// Looks every so often, and takes one where it is due.
    pub async fn keep_taking(self: Arc<Self>) {
        // What a start applied from the log counts: the next start would apply it again.
        let (mut bytes, mut at) = (0, self.time.elapsed());
        loop {
            self.time.sleep(SNAPSHOT_LOOK_EVERY).await;
            let age = self.time.elapsed().saturating_sub(at);
            let due = Due { bytes: self.applied.bytes().saturating_sub(bytes), age };
            if !due.is_due() {
                continue;
            }
            // Before the mark: what is applied meanwhile counts for the next.
            let marked = self.applied.bytes();
            match self.take().await {
                Ok(_) => (bytes, at) = (marked, self.time.elapsed()),
                Err(error) => tracing::warn!(%error, "no snapshot was written"),
            }
        }
    }
}
