//! Snapshots of a node: taken beside the applying thread, kept two at a time, and what a start begins with.
//!
//! It owns when a snapshot is taken, what belongs into it besides the state (the archive, the place in the
//! log), and which one is trusted. It refuses to know the file's bytes: those are `holdfast-snapshot`'s.
//!
//! **Invariant**: a start from a snapshot and the rest of the log ends in the state that the whole log makes.

pub(crate) mod begin;
pub(crate) mod head;
pub(crate) mod incoming;
mod install;
mod policy;
mod sending;
mod taker;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holdfast_engine::digest::Digest;
use holdfast_engine::state::Capture;
use holdfast_snapshot::limits::SNAPSHOTS_KEPT;
use holdfast_snapshot::{LoadError, Loaded, Meta, Shelf, Summary, WriteError};
use parking_lot::Mutex;

use crate::GroupId;
use crate::archive::{Archive, ArchiveError};
use crate::clock::TimeSource;
use crate::raft_types::{LogId, SnapshotMeta, StoredMembership};
use crate::roster::Roster;
use crate::runtime::{FILES, watch};
pub(crate) use begin::{Begin, of_a_later_build};
use sending::Sending;
pub(crate) use taker::Taker;

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
    pub roster: Roster,
    pub at_ms: u64,
}

/// The snapshots of one group.
pub(crate) struct Snapshots {
    dir: PathBuf,
    shelf: Shelf,
    cluster: u128,
    group: GroupId,
    time: Arc<dyn TimeSource>,
    newest: Mutex<Option<Newest>>,
    sending: Sending,
    /// Held while one is written, from its mark until it has its name: a mark is free again before that.
    writing: Arc<tokio::sync::Mutex<()>>,
    /// Held while one is received.
    receiving: Arc<tokio::sync::Mutex<()>>,
    /// How often one was to be received: the latest sender counts.
    senders: watch::Sender<u64>,
}

/// A whole snapshot on disk: what openraft passes around for its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotFile {
    pub path: PathBuf,
    pub index: u64,
    pub bytes: u64,
    /// Over the whole but its end: no two files of one index are taken for each other.
    pub checksum: u128,
}

/// The newest one on disk.
#[derive(Debug, Clone)]
struct Newest {
    file: SnapshotFile,
    meta: SnapshotMeta,
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
        let shelf = Shelf::open_on(FILES, &dir)?;
        let (newest, sending, senders) =
            (Mutex::default(), Sending::default(), watch::Sender::new(0));
        let (writing, receiving) = (Arc::default(), Arc::default());
        Ok(Self { dir, shelf, cluster, group, time, newest, sending, writing, receiving, senders })
    }

    /// The newest one that this process has written or begun with.
    pub fn status(&self) -> Option<SnapshotStatus> {
        let newest = self.newest.lock();
        let Newest { file, at, .. } = newest.as_ref()?;
        let age = self.time.elapsed().saturating_sub(*at);
        Some(SnapshotStatus { index: file.index, bytes: file.bytes, age })
    }

    /// The same, as openraft has it.
    pub fn current(&self) -> Option<(SnapshotMeta, SnapshotFile)> {
        let newest = self.newest.lock();
        newest.as_ref().map(|newest| (newest.meta.clone(), newest.file.clone()))
    }

    /// The one that a node is sent which needs one: what others are being sent already, else the newest.
    pub fn to_send(&self) -> Option<(SnapshotMeta, SnapshotFile)> {
        self.held().or_else(|| self.current())
    }

    fn held(&self) -> Option<(SnapshotMeta, SnapshotFile)> {
        self.sending.held(self.time.elapsed())
    }

    /// Node `to` takes what it is sent of a snapshot: that one stays until it has all of it.
    pub fn is_taken(&self, snapshot: (&SnapshotMeta, &SnapshotFile), to: u64) {
        self.sending.heard(snapshot, to, self.time.elapsed());
    }

    /// Nothing is held for others any more: its file is gone, or this node does not lead and sends nothing.
    pub fn hold_nothing(&self) {
        self.sending.drop_held();
    }

    /// What others are being sent is held for those alone that need it still, by node and its index.
    pub fn hold_for(&self, needs: impl Fn(u64, u64) -> bool) {
        self.sending.hold_for(needs);
    }

    /// Node `to` needs no snapshot any more.
    pub fn was_sent(&self, to: u64) {
        self.sending.ended(to);
    }

    /// The name of the snapshot as of an entry.
    pub fn path_of(&self, index: u64) -> PathBuf {
        self.shelf.path_of(index)
    }

    fn has(&self, file: SnapshotFile, last: LogId, membership: StoredMembership) {
        let meta = SnapshotMeta { last_log_id: Some(last), last_membership: membership };
        *self.newest.lock() = Some(Newest { file, meta, at: self.time.elapsed() });
    }

    /// Writes a marked state and the archive as of its index; it is on disk on return. Blocks for as long as
    /// that takes.
    fn write(&self, marked: Marked, archive: &Archive) -> Result<SnapshotTaken, SnapshotError> {
        let begun = self.time.elapsed();
        let Marked { capture, last, roster, at_ms } = marked;
        let meta = head::meta((self.cluster, self.group), last, &roster, at_ms);
        let (kept, summary) = self.shelf.put(&meta, capture, |file| {
            // What was leaving at the mark is handed over before what came later: now it can be read there.
            archive.settle()?;
            archive.for_each(last.index, |kept| {
                file.put_archived(kept.index, kept.record).map_err(Stopped::Write)
            })?;
            Ok(())
        })?;
        let Summary { bytes, checksum, .. } = summary;
        let file = SnapshotFile { path: kept.path, index: kept.index, bytes, checksum };
        self.has(file, last, roster.membership().clone());
        self.shelf.tidy(self.held().map(|held| held.1.index))?;
        let took = self.time.elapsed().saturating_sub(begun);
        Ok(SnapshotTaken { index: kept.index, bytes, took })
    }

    /// The index of the older of the two snapshots that are kept: the log goes back to it, so that either may
    /// be begun with; or to one before them that another node is being sent. `None` while there is one alone.
    fn older(&self) -> io::Result<Option<u64>> {
        let kept = self.shelf.list()?;
        let older = kept.get(SNAPSHOTS_KEPT - 1).map(|older| older.index);
        Ok(older.map(|older| self.held().map_or(older, |held| older.min(held.1.index))))
    }
}

/// What a snapshot's file has in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInFile {
    pub head: Meta,
    pub bytes: u64,
    pub blocks: u64,
    pub records: u64,
    /// Bookings of the archive.
    pub archived: u64,
    /// Of the state.
    pub digest: Digest,
}

/// Reads and checks a snapshot's file, and makes the state of it. Blocks; takes as much memory as the state.
pub fn verify_snapshot_file(path: &Path) -> Result<SnapshotInFile, LoadError> {
    let Loaded { meta: head, summary, writer, .. } = FILES.load(path)?;
    let Summary { blocks, records, bytes, .. } = summary;
    let (archived, digest) = (writer.archived().bookings, writer.digest());
    Ok(SnapshotInFile { head, bytes, blocks, records, archived, digest })
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
