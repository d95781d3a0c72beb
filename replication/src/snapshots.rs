//! Snapshots of a node: taken beside the applying thread, kept two at a time, and what a start begins with.
//!
//! It owns when a snapshot is taken, what belongs into it besides the state (the archive, the place in the
//! log), and which one is trusted. It refuses to know the file's bytes: those are `holdfast-snapshot`'s.
//!
//! **Invariant**: a start from a snapshot and the rest of the log ends in the state that the whole log makes.

pub(crate) mod begin;
pub(crate) mod head;
mod policy;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holdfast_engine::state::Capture;
use holdfast_snapshot::{Shelf, WriteError};
use parking_lot::Mutex;

use crate::GroupId;
use crate::archive::{Archive, ArchiveError};
use crate::clock::TimeSource;
use crate::raft_types::{LogId, Raft, StoredMembership};
use crate::runtime;
pub(crate) use begin::Begin;

/// A snapshot that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotTaken {
    /// The last entry in it.
    pub index: u64,
    /// Of the file.
    pub bytes: u64,
    /// From the mark until it was on disk.
    pub took: Duration,
}

/// The newest snapshot that this node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotStatus {
    /// The last entry in it.
    pub index: u64,
    pub bytes: u64,
    /// Since it was on disk; of one that the node began with, since the start.
    pub age: Duration,
}

/// Why no snapshot was written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("a snapshot is being written already")]
    Running,
    #[error("nothing is applied yet")]
    Nothing,
    #[error("the snapshot cannot be written: {0}")]
    Write(#[from] WriteError),
    #[error("the snapshots' directory cannot be used: {0}")]
    Io(#[from] io::Error),
    #[error("writing the snapshot panicked")]
    Panicked,
    #[error("the node stopped meanwhile: {0}")]
    NodeStopped(String),
}

/// A state at a mark, with its place in the log.
pub(crate) struct Marked {
    pub capture: Capture,
    pub last: LogId,
    pub membership: StoredMembership,
    pub at_ms: u64,
}

/// The snapshots of one group.
pub(crate) struct Snapshots {
    shelf: Shelf,
    cluster: u128,
    group: GroupId,
    time: Arc<dyn TimeSource>,
    newest: Mutex<Option<Newest>>,
}

/// The newest one on disk.
#[derive(Debug, Clone, Copy)]
struct Newest {
    index: u64,
    bytes: u64,
    /// On the monotonic clock.
    at: Duration,
}

impl Snapshots {
    /// Opens the directory of a group's snapshots. One process at a time: whoever has the log open.
    pub fn open(
        dir: &Path,
        cluster: u128,
        group: GroupId,
        time: Arc<dyn TimeSource>,
    ) -> io::Result<Self> {
        let dir = directory(dir, group);
        // The simulation's disk has no files of this kind: there is never one to begin with.
        let shelf = if cfg!(holdfast_sim) { Shelf::at(&dir) } else { Shelf::open(&dir)? };
        Ok(Self { shelf, cluster, group, time, newest: Mutex::default() })
    }

    /// The newest one that this process has written or begun with.
    pub fn status(&self) -> Option<SnapshotStatus> {
        let Newest { index, bytes, at } = (*self.newest.lock())?;
        let age = self.time.elapsed().saturating_sub(at);
        Some(SnapshotStatus { index, bytes, age })
    }

    /// The name of the snapshot as of an entry.
    pub fn path_of(&self, index: u64) -> PathBuf {
        self.shelf.path_of(index)
    }

    fn has(&self, index: u64, bytes: u64) {
        *self.newest.lock() = Some(Newest { index, bytes, at: self.time.elapsed() });
    }

    /// Writes a marked state and the archive as of its index; it is on disk on return. Blocks for as long as
    /// that takes.
    fn write(&self, marked: Marked, archive: &Archive) -> Result<SnapshotTaken, SnapshotError> {
        let begun = self.time.elapsed();
        let Marked { capture, last, membership, at_ms } = marked;
        let meta = head::meta((self.cluster, self.group), last, &membership, at_ms);
        let (kept, summary) = self.shelf.put(&meta, capture, |file| {
            // What was leaving at the mark is handed over before what came later: now it can be read there.
            archive.settle()?;
            archive.for_each(last.index, |kept| {
                file.put_archived(kept.index, kept.record).map_err(Stopped::Write)
            })?;
            Ok(())
        })?;
        self.has(kept.index, summary.bytes);
        self.shelf.tidy()?;
        let took = self.time.elapsed().saturating_sub(begun);
        Ok(SnapshotTaken { index: kept.index, bytes: summary.bytes, took })
    }

    /// Marks the state between two entries and writes it; entries are applied meanwhile.
    pub async fn take(
        self: &Arc<Self>,
        raft: &Raft,
        archive: &Arc<Archive>,
    ) -> Result<SnapshotTaken, SnapshotError> {
        let marked = raft.with_state_machine(|machine| {
            let marked = machine.mark();
            Box::pin(async move { marked })
        });
        let marked = marked.await;
        let marked = marked.map_err(|fatal| SnapshotError::NodeStopped(fatal.to_string()))??;
        let (snapshots, archive) = (self.clone(), archive.clone());
        let written = runtime::spawn_blocking(move || snapshots.write(marked, &archive)).await;
        let taken = written.unwrap_or(Err(SnapshotError::Panicked))?;
        let (index, bytes) = (taken.index, taken.bytes);
        tracing::info!(index, bytes, took_ms = taken.took.as_millis(), "a snapshot was written");
        Ok(taken)
    }
}

/// Why the archive was not read to its end.
enum Stopped {
    Archive(ArchiveError),
    Write(WriteError),
}

impl From<ArchiveError> for Stopped {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<Stopped> for WriteError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Archive(error) => Self::Archive(error.to_string()),
            Stopped::Write(error) => error,
        }
    }
}

/// Where a group's snapshots lie in a node's data directory.
pub(crate) fn directory(dir: &Path, group: GroupId) -> PathBuf {
    dir.join("snapshots").join(group.0.to_string())
}
