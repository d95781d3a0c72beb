//! The log of a node: one RocksDB, one writer thread, one guard, any number of groups.
//!
//! It owns opening and closing: a log that has less than its guard says is not opened, and is left as
//! it was found. It refuses to know what an entry means.
//!
//! **Invariant**: nothing acknowledged as synced is missing from an open log, unless its operator has
//! accepted the loss in so many words.

mod database;
mod disk_reader;
mod group;
mod guard;
pub(crate) mod keys;
mod open;
pub(crate) mod record;
#[cfg(not(holdfast_sim))]
pub(crate) mod rocks;
mod salvage;
mod tail;
#[cfg(all(test, not(holdfast_sim)))]
mod tests;
mod wal;

#[cfg(holdfast_sim)]
pub(crate) use crate::sim::rocks;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use disk_reader::LogDamage;
pub(crate) use group::LogStore;
pub use guard::{GuardError, GuardLag};
pub use open::LogError;
pub use record::Damage;

use crate::GroupId;
use crate::clock::TimeSource;
use crate::disk::OnDiskFailure;
use crate::raft_types::{LogId, Vote};
pub(crate) use database::Database;
pub(crate) use disk_reader::DiskReader;
use group::Group;
use guard::{Guard, Mark};
use tail::Tail;
use wal::Wal;

pub(crate) struct LogOptions {
    /// The node's data directory; the log lies in it.
    pub dir: PathBuf,
    /// Start with what is left of a log that lost acknowledged entries.
    pub accept_loss: bool,
    /// Only to measure with.
    pub time: Arc<dyn TimeSource>,
    pub on_disk_failure: OnDiskFailure,
}

/// An open log. Dropping it writes what was sent, then ends its threads.
pub(crate) struct Log {
    // Before the guard, so that on drop the last sync is noted before the guard's last write.
    wal: Arc<Wal>,
    guard: Arc<Guard>,
    db: Arc<Database>,
}

/// One group's log, and whether it may be initialised: nothing was ever written or acknowledged.
pub(crate) struct OpenGroup {
    pub store: LogStore,
    pub fresh: bool,
}

impl Log {
    pub fn group(&self, id: GroupId) -> Result<OpenGroup, LogError> {
        let disk = DiskReader::new(self.db.clone(), id);
        let mark = self.guard.mark(id);
        let ends = open::check(&disk, id, &mark)?;
        let tail = Tail::new(ends.last, ends.purged);
        let fresh = mark == Mark::default() && ends == disk_reader::Ends::default();
        let group = Arc::new(Group::new(id, tail, ends.vote));
        let store = LogStore::new(group, disk, self.wal.clone(), ends.committed);
        Ok(OpenGroup { store, fresh })
    }

    pub fn guard_lag(&self) -> GuardLag {
        self.guard.lag()
    }

    /// A reader of a group of this log, for as long as it is open.
    pub fn reader(&self, id: GroupId) -> DiskReader {
        DiskReader::new(self.db.clone(), id)
    }

    /// A reader of a log that no process has open; nothing is written. Refused where less is there than
    /// the guard says.
    pub fn read_only(dir: &Path, id: GroupId) -> Result<DiskReader, LogError> {
        open::read_only(dir, id)
    }

    /// Writes what was sent, flushes it out of the WAL files, brings the guard up to date, and frees
    /// the files: whoever still holds a reader is told that the log is closed.
    pub fn close(&self) -> Result<(), LogError> {
        self.wal.stop();
        // An empty WAL makes the next start short and leaves checksummed files alone to be damaged.
        let flushed = self.db.get().map_or(Ok(()), |db| db.flush());
        self.db.close();
        self.guard.stop()?;
        flushed.map_err(open::storage_error)
    }
}

/// Says of a log that was written by other means than an open one what it acknowledges.
pub(crate) fn claim(
    dir: &Path,
    group: GroupId,
    (last, vote): (LogId, Vote),
) -> std::io::Result<()> {
    let mark = Mark { last: Some(last), vote: Some(vote) };
    guard::replace(&guard_path(dir), &[(group, mark)].into())
}

pub(crate) fn rocks_dir(dir: &Path) -> PathBuf {
    dir.join("raft-log")
}

pub(crate) fn guard_path(dir: &Path) -> PathBuf {
    dir.join("raft-log.guard")
}
