//! Going on with what is left of a log, because its operator has said so.
//!
//! It owns the only place where entries are dropped for being unreadable. It refuses to guess: a group
//! keeps what reads back whole from its beginning, and nothing after the first damage.

use std::path::Path;
use std::sync::Arc;

use super::database::Database;
use super::disk_reader::{DiskReader, LogDamage};
use super::guard::{GuardError, Mark, Marks};
use super::open::{LogError, storage_error};
use super::record::Damage;
use super::rocks::{DB, WriteBatch};
use super::{keys, record, rocks};
use crate::GroupId;
use crate::raft_types::{LogId, Vote};

/// Cuts every group after its last whole entry and returns the marks of what is left.
pub(super) fn salvage(
    log_dir: &Path,
    guard: Result<Option<Marks>, GuardError>,
) -> Result<Marks, LogError> {
    let marks = guard.unwrap_or_default().unwrap_or_default();
    if !rocks::exists(log_dir) {
        tracing::warn!("the log is gone and the loss is accepted: starting with an empty one");
        return Ok(Marks::new());
    }
    let db = rocks::open(log_dir, false).map_err(storage_error)?;
    let found = groups(&db)?;
    let db = Arc::new(Database::new(db));
    let mut left = Marks::new();
    for group in found {
        let mark = cut(&db, group)?;
        let acknowledged = marks.get(&group).and_then(|mark| mark.last).map(|last| last.index);
        let kept = mark.last.map(|last| last.index);
        tracing::warn!(group = group.0, ?kept, ?acknowledged, "the log's loss is accepted");
        left.insert(group, mark);
    }
    db.close();
    Ok(left)
}

/// Every group that has a key.
fn groups(db: &DB) -> Result<Vec<GroupId>, LogError> {
    let mut found = Vec::new();
    let mut rows = db.raw_iterator();
    rows.seek_to_first();
    while let Some(&[g0, g1, ..]) = rows.key() {
        let group = GroupId(u16::from_be_bytes([g0, g1]));
        found.push(group);
        let Some(after) = group.0.checked_add(1) else { break };
        rows.seek(after.to_be_bytes());
    }
    rows.status().map_err(storage_error)?;
    Ok(found)
}

fn cut(database: &Arc<Database>, group: GroupId) -> Result<Mark, LogError> {
    let disk = DiskReader::new(database.clone(), group);
    let Some(db) = database.get() else { return Ok(Mark::default()) };
    let db = &*db;
    let purged = read_id(db, &keys::purged(group))?;
    let begin = super::tail::next(purged);
    let mut last = purged;
    // The scan ends at the first entry that is missing or damaged: that is where the log is cut. What
    // cannot be read just now, or only by a later build, is not lost and is not cut.
    let scanned = disk.scan(begin..u64::MAX, |entry| {
        last = Some(entry.log_id);
        Ok(())
    });
    if let Err(
        damage @ (LogDamage::Storage(_)
        | LogDamage::Closed
        | LogDamage::Entry { damage: Damage::Version(_), .. }),
    ) = scanned
    {
        return Err(LogError::of_damage(group.0, damage));
    }
    if last.is_none() {
        return forget(db, group);
    }
    let committed = read_id(db, &keys::committed(group))?;
    let vote = vote_at_least(read_vote(db, group)?, last);

    let mut batch = WriteBatch::default();
    let mut value = Vec::new();
    let from = keys::entry(group, super::tail::next(last));
    batch.delete_range(from.as_slice(), keys::entries_end(group).as_slice());
    let key = keys::committed(group);
    match committed.filter(|id| super::tail::next(Some(*id)) <= super::tail::next(last)) {
        Some(_) => {}
        // What is left was committed once if what came after it was.
        None => match last.filter(|_| committed.is_some()) {
            Some(last) => {
                record::put_log_id(&key, &last, &mut value);
                batch.put(key, &value);
            }
            None => batch.delete(key),
        },
    }
    if let Some(vote) = vote {
        let key = keys::vote(group);
        record::put_vote(&key, &vote, &mut value);
        batch.put(key, &value);
    }
    db.write_opt(batch, &rocks::synced()).map_err(storage_error)?;
    Ok(Mark { last, vote })
}

/// Of a group without its first entry nothing can be used: it begins anew.
fn forget(db: &DB, group: GroupId) -> Result<Mark, LogError> {
    let mut batch = WriteBatch::default();
    batch.delete_range(keys::entry(group, 0).as_slice(), keys::entries_end(group).as_slice());
    for key in [keys::vote(group), keys::committed(group), keys::purged(group)] {
        batch.delete(key);
    }
    db.write_opt(batch, &rocks::synced()).map_err(storage_error)?;
    Ok(Mark::default())
}

fn read_id(db: &DB, key: &keys::MetaKey) -> Result<Option<LogId>, LogError> {
    let value = db.get(key).map_err(storage_error)?;
    whole(value.map(|value| record::get_log_id(key, &value)), "position")
}

fn read_vote(db: &DB, group: GroupId) -> Result<Option<Vote>, LogError> {
    let key = keys::vote(group);
    let value = db.get(key).map_err(storage_error)?;
    whole(value.map(|value| record::get_vote(&key, &value)), "vote")
}

/// A damaged position or vote counts as none: less is known, nothing wrong is. One of a later build is not
/// damaged.
fn whole<T>(read: Option<Result<T, Damage>>, what: &'static str) -> Result<Option<T>, LogError> {
    match read {
        Some(Err(damage @ Damage::Version(_))) => {
            Err(LogError::of_damage(0, LogDamage::Meta { what, damage }))
        }
        read => Ok(read.and_then(Result::ok)),
    }
}

/// A node that has an entry of a term has voted in that term at least.
fn vote_at_least(vote: Option<Vote>, last: Option<LogId>) -> Option<Vote> {
    let implied = last.map(|last| Vote { leader_id: last.leader_id, committed: false });
    match (vote, implied) {
        (Some(vote), Some(implied)) if implied.leader_id > vote.leader_id => Some(implied),
        (vote, implied) => vote.or(implied),
    }
}
