//! Opening a log: what must agree before anything is written.
//!
//! It owns the comparison of log and guard, and the words an operator reads when they disagree. It looks
//! at an existing log without changing a byte first.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::database::Database;
use super::disk_reader::{DiskReader, Ends, LogDamage};
use super::guard::{self, Guard, GuardError, Mark, Marks};
use super::record::Damage;
use super::tail::next;
use super::wal::Wal;
use super::{Log, LogOptions, guard_path, rocks, rocks_dir, salvage};
use crate::GroupId;
use crate::raft_types::Vote;

/// What to do about a log that lost something. Every such error ends with it.
const ADVICE: &str = "Nothing was changed. If this node is one of several, remove it and let it join \
    again as a new learner under a new id; if it is alone, restore its data directory from a backup, \
    or start it once with the loss accepted to go on with what is left";

/// Why a log is not opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("the log's directory cannot be used: {0}")]
    Io(#[from] io::Error),
    #[error("another process has this log open: {error}")]
    InUse { error: String },
    #[error("the log's storage refuses: {error}")]
    Storage { error: String },
    #[error("{0}. {ADVICE}")]
    Guard(#[source] GuardError),
    #[error(
        "the log is of a later build than this one: {what}. Nothing was changed, and nothing is lost: start \
         that later build, or a newer one, on this directory"
    )]
    LaterFormat { what: String },
    #[error(
        "the log has lost its guard file {path}: nothing says how much of it must be there. {ADVICE}"
    )]
    GuardMissing { path: String },
    #[error(
        "the log {path} is gone, but its guard says that group {group} acknowledged entries up to \
         {acknowledged}: the first missing entry is 0. {ADVICE}"
    )]
    LogMissing { path: String, group: u16, acknowledged: u64 },
    #[error(
        "the log of group {group} has lost acknowledged entries: the first missing entry is \
         {first_missing}, acknowledged were all up to {acknowledged}. {ADVICE}"
    )]
    Lost { group: u16, first_missing: u64, acknowledged: u64 },
    #[error(
        "entry {index} of group {group} is not the one that was acknowledged: the log is of another \
         time or node than its guard. {ADVICE}"
    )]
    Replaced { group: u16, index: u64 },
    #[error("group {group} has lost a vote it acknowledged, in term {term}. {ADVICE}")]
    VoteLost { group: u16, term: u64 },
    #[error("the log of group {group} is damaged: {damage}. {ADVICE}")]
    Damaged { group: u16, damage: LogDamage },
    #[error(
        "the log cannot be read back: {error}. Acknowledged are entries up to {acknowledged}. {ADVICE}"
    )]
    Unreadable { error: String, acknowledged: u64 },
}

impl LogError {
    /// What cannot be read because a later build wrote it is no damage, and no loss.
    pub(crate) fn of_damage(group: u16, damage: LogDamage) -> Self {
        match &damage {
            LogDamage::Entry { damage: Damage::Version(_), .. }
            | LogDamage::Meta { damage: Damage::Version(_), .. } => {
                Self::LaterFormat { what: damage.to_string() }
            }
            _ => Self::Damaged { group, damage },
        }
    }
}

impl From<GuardError> for LogError {
    fn from(error: GuardError) -> Self {
        match &error {
            GuardError::Version(_) => Self::LaterFormat { what: error.to_string() },
            GuardError::Io(_) | GuardError::Damaged => Self::Guard(error),
        }
    }
}

impl Log {
    pub fn open(options: LogOptions) -> Result<Self, LogError> {
        let LogOptions { dir, accept_loss, time, on_disk_failure } = options;
        let (log_dir, guard_path) = (rocks_dir(&dir), guard_path(&dir));
        let marks = if accept_loss {
            salvage::salvage(&log_dir, guard::read(&guard_path))?
        } else {
            agreed(&log_dir, &guard_path)?
        };
        rocks::make_dirs(&dir, &log_dir)?;
        // The guard comes first: a log without one is never taken for a new log.
        let guard = Guard::start(&guard_path, marks, time, on_disk_failure.clone())?;
        let guard = Arc::new(guard);
        let strict = !accept_loss;
        let db = rocks::open(&log_dir, strict).map_err(storage_error)?;
        let db = Arc::new(Database::new(db));
        let wal = Arc::new(Wal::start(db.clone(), guard.clone(), on_disk_failure)?);
        Ok(Self { wal, guard, db })
    }
}

/// The guard's marks, once the log was found to have all they claim.
fn agreed(log_dir: &Path, guard_path: &Path) -> Result<Marks, LogError> {
    let marks = guard::read(guard_path)?;
    if !rocks::exists(log_dir) {
        let marks = marks.unwrap_or_default();
        return match marks.iter().find(|(_, mark)| !mark.is_empty()) {
            None => Ok(marks),
            Some((group, mark)) => Err(LogError::LogMissing {
                path: log_dir.display().to_string(),
                group: group.0,
                acknowledged: mark.last.map_or(0, |last| last.index),
            }),
        };
    }
    let Some(marks) = marks else {
        return Err(LogError::GuardMissing { path: guard_path.display().to_string() });
    };
    let db = rocks::open_read_only(log_dir, true).map_err(|error| unreadable(error, &marks))?;
    let db = Arc::new(Database::new(db));
    for (group, mark) in &marks {
        check(&DiskReader::new(db.clone(), *group), *group, mark)?;
    }
    Ok(marks)
}

pub(super) fn read_only(dir: &Path, group: GroupId) -> Result<DiskReader, LogError> {
    let (log_dir, guard_path) = (rocks_dir(dir), guard_path(dir));
    agreed(&log_dir, &guard_path)?;
    let db = rocks::open_read_only(&log_dir, true).map_err(storage_error)?;
    Ok(DiskReader::new(Arc::new(Database::new(db)), group))
}

/// Whether a group's log has what `mark` says it acknowledged, by its ends alone.
pub(super) fn check(disk: &DiskReader, group: GroupId, mark: &Mark) -> Result<Ends, LogError> {
    let group = group.0;
    let damaged = |damage| LogError::of_damage(group, damage);
    let ends = disk.ends().map_err(damaged)?;
    let begin = next(ends.purged);
    if let Some(found) = ends.first_index
        && found != begin
    {
        return Err(damaged(LogDamage::Hole { index: begin, found }));
    }
    let end = next(ends.last).max(begin);
    // A committed entry was synced too, here or on a quorum that had this node's word for it.
    let known = [mark.last, ends.committed];
    if let Some(acknowledged) = known.into_iter().flatten().map(|id| id.index).max()
        && acknowledged >= end
    {
        return Err(LogError::Lost { group, first_missing: end, acknowledged });
    }
    if let Some(last) = mark.last
        && last.index >= begin
        && disk.id_at(last.index).map_err(damaged)? != Some(last)
    {
        return Err(LogError::Replaced { group, index: last.index });
    }
    if let Some(vote) = mark.vote
        && ends.vote.is_none_or(|found| rank(&found) < rank(&vote))
    {
        return Err(LogError::VoteLost { group, term: vote.leader_id.term });
    }
    Ok(ends)
}

/// Votes in the order in which a node may give them.
fn rank(vote: &Vote) -> (u64, u64, bool) {
    (vote.leader_id.term, vote.leader_id.node_id, vote.committed)
}

fn unreadable(error: rocks::Error, marks: &Marks) -> LogError {
    let acknowledged = marks.values().filter_map(|mark| mark.last).map(|last| last.index).max();
    let acknowledged = acknowledged.unwrap_or(0);
    LogError::Unreadable { error: error.into_string(), acknowledged }
}

pub(super) fn storage_error(error: rocks::Error) -> LogError {
    let error = error.into_string();
    // RocksDB has no kind of its own for this; its text has been the same for ten years.
    if error.contains("lock") { LogError::InUse { error } } else { LogError::Storage { error } }
}
