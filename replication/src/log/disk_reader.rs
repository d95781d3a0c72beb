//! Entries read back from RocksDB, each checked before anyone sees it.
//!
//! It owns the scan: order, checksums and contiguity. It refuses to repair or to skip.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::MappedRwLockReadGuard;

use super::database::Database;
use super::record::{self, Damage};
use super::rocks::{DB, DBRawIterator};
use super::tail::{next, weight};
use super::{keys, rocks};
use crate::GroupId;
use crate::raft_types::{Entry, LogId, Vote};

/// What is wrong with a stored log, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogDamage {
    #[error("entry {index} is missing: the next one in the log is {found}")]
    Hole { index: u64, found: u64 },
    #[error("entry {index} is missing at the end of the log")]
    Short { index: u64 },
    #[error("entry {index} is damaged: {damage}")]
    Entry { index: u64, damage: Damage },
    #[error("the log's {what} is damaged: {damage}")]
    Meta { what: &'static str, damage: Damage },
    #[error("a key of another kind lies among the entries")]
    ForeignKey,
    #[error("the log cannot be read: {0}")]
    Storage(String),
    #[error("the log is closed")]
    Closed,
}

impl From<LogDamage> for io::Error {
    fn from(damage: LogDamage) -> Self {
        Self::new(io::ErrorKind::InvalidData, damage)
    }
}

impl From<rocks::Error> for LogDamage {
    fn from(error: rocks::Error) -> Self {
        Self::Storage(error.into_string())
    }
}

/// What the ends of a group's log say, before its middle is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    pub first_index: Option<u64>,
    pub last: Option<LogId>,
    pub purged: Option<LogId>,
    pub committed: Option<LogId>,
    pub vote: Option<Vote>,
}

#[derive(Clone)]
pub(crate) struct DiskReader {
    db: Arc<Database>,
    group: GroupId,
}

impl DiskReader {
    pub fn new(db: Arc<Database>, group: GroupId) -> Self {
        Self { db, group }
    }

    fn db(&self) -> Result<MappedRwLockReadGuard<'_, DB>, LogDamage> {
        self.db.get().ok_or(LogDamage::Closed)
    }

    pub fn ends(&self) -> Result<Ends, LogDamage> {
        let mut ends = Ends { vote: self.vote()?, ..Ends::default() };
        let (key, what) = (keys::committed(self.group), "committed position");
        ends.committed = self.log_id(key, what)?;
        ends.purged = self.log_id(keys::purged(self.group), "purged position")?;
        let db = self.db()?;
        let mut rows = self.rows(&db, next(ends.purged)..u64::MAX, false);
        if rows.valid() {
            ends.first_index = Some(self.row(&rows, record::get_entry_id)?.index);
        } else {
            rows.status()?;
        }
        rows.seek_to_last();
        if rows.valid() {
            ends.last = Some(self.row(&rows, record::get_entry_id)?);
        } else {
            rows.status()?;
        }
        Ok(ends)
    }

    /// The log id at `index`, where the log has it.
    pub fn id_at(&self, index: u64) -> Result<Option<LogId>, LogDamage> {
        let key = keys::entry(self.group, index);
        let db = self.db()?;
        let Some(value) = db.get_pinned(key)? else { return Ok(None) };
        let id = record::get_entry_id(&key, index, &value);
        id.map(Some).map_err(|damage| LogDamage::Entry { index, damage })
    }

    /// Calls `each` with every entry of `range`; the first that is missing or damaged ends the scan.
    pub fn scan(
        &self,
        range: Range<u64>,
        mut each: impl FnMut(Entry) -> Result<(), LogDamage>,
    ) -> Result<(), LogDamage> {
        let db = self.db()?;
        let mut rows = self.rows(&db, range.clone(), false);
        for index in range {
            if !rows.valid() {
                rows.status()?;
                return Err(LogDamage::Short { index });
            }
            let entry = self.row(&rows, record::get_entry)?;
            if entry.log_id.index != index {
                return Err(LogDamage::Hole { index, found: entry.log_id.index });
            }
            each(entry)?;
            rows.next();
        }
        Ok(())
    }

    /// Entries of `range` until `bytes_max` are read. `purged_now` tells whether a missing beginning
    /// was purged while reading: that alone is no hole.
    pub fn read(
        &self,
        range: Range<u64>,
        bytes_max: usize,
        purged_now: impl Fn() -> Option<LogId>,
    ) -> io::Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut bytes = 0_usize;
        let db = self.db()?;
        let mut rows = self.rows(&db, range.clone(), true);
        let mut expected = range.start;
        while rows.valid() {
            let entry = self.row(&rows, record::get_entry)?;
            bytes = bytes.saturating_add(weight(&entry));
            if bytes > bytes_max && !entries.is_empty() {
                return Ok(entries);
            }
            let index = entry.log_id.index;
            let purged = entries.is_empty() && next(purged_now()) >= index;
            if index != expected && !purged {
                return Err(LogDamage::Hole { index: expected, found: index }.into());
            }
            expected = index.saturating_add(1);
            entries.push(entry);
            rows.next();
        }
        rows.status().map_err(LogDamage::from)?;
        if expected != range.end && next(purged_now()) < range.end {
            return Err(LogDamage::Short { index: expected }.into());
        }
        Ok(entries)
    }

    fn rows<'db>(&self, db: &'db DB, range: Range<u64>, fill_cache: bool) -> DBRawIterator<'db> {
        let end_key = match range.end {
            u64::MAX => keys::entries_end(self.group).to_vec(),
            end => keys::entry(self.group, end).to_vec(),
        };
        let start_key = keys::entry(self.group, range.start);
        let options = rocks::range(&start_key, &end_key, fill_cache);
        let mut rows = db.raw_iterator_opt(options);
        rows.seek(start_key);
        rows
    }

    fn row<T>(
        &self,
        rows: &DBRawIterator<'_>,
        get: impl FnOnce(&[u8], u64, &[u8]) -> Result<T, Damage>,
    ) -> Result<T, LogDamage> {
        let (key, value) = rows.item().ok_or(LogDamage::ForeignKey)?;
        let index = keys::entry_index(self.group, key).ok_or(LogDamage::ForeignKey)?;
        get(key, index, value).map_err(|damage| LogDamage::Entry { index, damage })
    }

    fn vote(&self) -> Result<Option<Vote>, LogDamage> {
        let key = keys::vote(self.group);
        let db = self.db()?;
        let Some(value) = db.get_pinned(key)? else { return Ok(None) };
        let vote = record::get_vote(&key, &value);
        vote.map(Some).map_err(|damage| LogDamage::Meta { what: "vote", damage })
    }

    fn log_id(&self, key: keys::MetaKey, what: &'static str) -> Result<Option<LogId>, LogDamage> {
        let db = self.db()?;
        let Some(value) = db.get_pinned(key)? else { return Ok(None) };
        let id = record::get_log_id(&key, &value);
        id.map(Some).map_err(|damage| LogDamage::Meta { what, damage })
    }
}
