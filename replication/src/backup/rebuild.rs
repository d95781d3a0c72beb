//! A node's log directory made from a backup: a snapshot, and the entries after it.
//!
//! It owns the change of identity: another cluster, other members, no vote for anybody. What a restored node
//! says can be taken for the first one's by nobody, and the other way round.
//!
//! **Invariant**: an entry that named members names none: who belongs to the new cluster stands in the
//! snapshot's head alone. The state after each index is the first cluster's.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use holdfast_snapshot::{CopyError, Meta, ReadError, Shelf, read_meta};

use super::StoredEntry;
use crate::GroupId;
use crate::limits::REBUILD_BATCH_BYTES;
use crate::log::rocks::{DB, WriteBatch};
use crate::log::{self, Damage, keys, record, rocks};
use crate::member::{ANY_DISK, Member};
use crate::raft_types::{Leader, LogId, Membership, StoredMembership, Vote};
use crate::roster::Roster;
use crate::snapshots::{self, head};

/// Who a restored node belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The new cluster's id; 0 for a node that will be alone.
    pub cluster: u128,
    pub group: GroupId,
    /// Its voters, by id: address for the others, and disk.
    pub voters: BTreeMap<u64, (String, u128)>,
}

impl Home {
    /// A node that is alone.
    #[must_use]
    pub fn alone(group: GroupId) -> Self {
        Self { cluster: 0, group, voters: BTreeMap::from([(1, (String::new(), ANY_DISK))]) }
    }
}

/// Why a log cannot be made from a backup.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("{path} is not empty")]
    NotEmpty { path: String },
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Snapshot(#[from] ReadError),
    #[error("the snapshot cannot be copied: {0}")]
    Copy(#[from] CopyError),
    #[error("the snapshot's place in the log is damaged: {0}")]
    Place(Damage),
    #[error("the snapshot is of group {found}, not {asked}")]
    OtherGroup { found: u16, asked: u16 },
    #[error("nobody would vote in the new cluster")]
    NoVoters,
    #[error("entry {expected} is missing: the next one is {index}")]
    Hole { expected: u64, index: u64 },
    #[error("the log's storage refuses: {0}")]
    Storage(String),
}

impl From<rocks::Error> for RebuildError {
    fn from(error: rocks::Error) -> Self {
        Self::Storage(error.into_string())
    }
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// The last entry.
    pub index: u64,
    /// Entries after the snapshot.
    pub entries: u64,
}

/// A log directory in the making. Until it is finished no node starts on it.
pub struct Rebuild {
    dir: PathBuf,
    group: GroupId,
    db: DB,
    batch: WriteBatch,
    value: Vec<u8>,
    last: LogId,
    entries: u64,
}

impl Rebuild {
    /// Begins in an empty directory, with a snapshot of any cluster.
    pub fn begin(dir: &Path, home: &Home, snapshot: &Path) -> Result<Self, RebuildError> {
        fs::create_dir_all(dir)?;
        if fs::read_dir(dir)?.next().is_some() {
            return Err(RebuildError::NotEmpty { path: dir.display().to_string() });
        }
        let meta = read_meta(snapshot)?;
        if meta.group != home.group.0 {
            return Err(RebuildError::OtherGroup { found: meta.group, asked: home.group.0 });
        }
        let (last, _) = head::place(&meta).map_err(RebuildError::Place)?;
        let new = new_head(home, last, &meta)?;
        let shelf = Shelf::open(&snapshots::directory(dir, home.group))?;
        shelf.adopt(snapshot, |_| new)?;
        let log_dir = log::rocks_dir(dir);
        fs::create_dir_all(&log_dir)?;
        let db = rocks::open(&log_dir, true)?;
        let (mut batch, mut value) = (WriteBatch::default(), Vec::new());
        let key = keys::purged(home.group);
        record::put_log_id(&key, &last, &mut value);
        batch.put(key, &value);
        Ok(Self { dir: dir.to_owned(), group: home.group, db, batch, value, last, entries: 0 })
    }

    /// Index of the last entry: of the snapshot, until one was put.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last.index
    }

    /// The next entry.
    pub fn put(&mut self, entry: &StoredEntry) -> Result<(), RebuildError> {
        let (index, expected) = (entry.index(), self.last.index.saturating_add(1));
        if index != expected {
            return Err(RebuildError::Hole { expected, index });
        }
        let key = keys::entry(self.group, index);
        let entry = entry.for_another_cluster();
        record::put_entry(&key, &entry, &mut self.value);
        self.batch.put(key, &self.value);
        self.last = entry.log_id;
        self.entries = self.entries.saturating_add(1);
        if self.batch.size_in_bytes() >= REBUILD_BATCH_BYTES {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), RebuildError> {
        let batch = std::mem::take(&mut self.batch);
        Ok(self.db.write_opt(batch, &rocks::unsynced())?)
    }

    /// Ends the log with the last entry that was put; it is on disk on return, and a node can start.
    pub fn finish(mut self) -> Result<Rebuilt, RebuildError> {
        // After every leader that the log knows, and nobody's: the next election is later still.
        let term = self.last.leader_id.term.saturating_add(1);
        let vote = Vote { leader_id: Leader { term, node_id: 0 }, committed: false };
        let key = keys::committed(self.group);
        record::put_log_id(&key, &self.last, &mut self.value);
        self.batch.put(key, &self.value);
        let key = keys::vote(self.group);
        record::put_vote(&key, &vote, &mut self.value);
        self.batch.put(key, &self.value);
        let batch = std::mem::take(&mut self.batch);
        self.db.write_opt(batch, &rocks::synced())?;
        self.db.flush()?;
        let (dir, group, last, entries) = (self.dir, self.group, self.last, self.entries);
        drop(self.db);
        log::claim(&dir, group, (last, vote))?;
        Ok(Rebuilt { index: last.index, entries })
    }
}

/// The same entry's head in the new cluster: other members, as of the snapshot.
fn new_head(home: &Home, last: LogId, meta: &Meta) -> Result<Meta, RebuildError> {
    let member = |(id, (address, disk)): (&u64, &(String, u128))| {
        (*id, Member { address: address.clone(), disk: *disk })
    };
    let nodes: BTreeMap<u64, Member> = home.voters.iter().map(member).collect();
    let voters = vec![nodes.keys().copied().collect()];
    let membership = Membership::new(voters, nodes).map_err(|_| RebuildError::NoVoters)?;
    let membership = StoredMembership::new(Some(last), membership);
    // Strangers to whoever was a member before: their ids begin anew.
    let roster = Roster::after(0, membership);
    Ok(head::meta((home.cluster, home.group), last, &roster, meta.log_time_ms))
}
