//! The twin of RocksDB, as far as this crate uses it: rows in key order, batches that are atomic, and a
//! sync that makes all before it last.
//!
//! It owns rows and their bytes. It refuses to know what they mean: keys, checksums and records are the
//! product's own. **Invariant**: after a lost power the rows are those of some moment not before the last
//! sync.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::dice::Dice;
use super::disk::{Disk, Step, disk_of};
use super::invariants::cut_stands;
use super::runtime::Instant;
use crate::GroupId;
use crate::log::keys;

/// After so long the machine writes by itself what was not synced.
const WRITE_BACK_AFTER: Duration = Duration::from_secs(5);

type Rows = BTreeMap<Vec<u8>, Arc<[u8]>>;

/// A database on a disk.
#[derive(Default)]
pub(crate) struct Store {
    rows: Rows,
    durable: Rows,
    unsynced: Vec<(Instant, WriteBatch)>,
    /// What the disk works on, and would have there after a crash or not.
    begun: Option<WriteBatch>,
}

impl Store {
    fn write(&mut self, batch: WriteBatch, synced: bool, now: Instant) {
        self.begun = None;
        batch.apply(&mut self.rows);
        self.unsynced.push((now, batch));
        if synced {
            self.sync();
        }
        while let Some((at, _)) = self.unsynced.first()
            && *at + WRITE_BACK_AFTER < now
        {
            self.unsynced.remove(0).1.apply(&mut self.durable);
        }
    }

    fn sync(&mut self) {
        for (_, batch) in self.unsynced.drain(..) {
            batch.apply(&mut self.durable);
        }
    }

    pub fn crash(&mut self, power: bool, dice: &mut Dice) {
        let reached_disk = self.begun.take().filter(|_| dice.one_in(2));
        if !power {
            self.sync();
        } else if !self.unsynced.is_empty() {
            let kept = usize::try_from(dice.below(self.unsynced.len() as u64 + 1)).unwrap_or(0);
            let all = kept == self.unsynced.len();
            for (_, batch) in self.unsynced.drain(..).take(kept) {
                batch.apply(&mut self.durable);
            }
            if !all {
                // What follows a hole in the file is not read back.
                self.rows = self.durable.clone();
                return;
            }
        }
        if let Some(batch) = reached_disk {
            batch.apply(&mut self.durable);
        }
        self.rows = self.durable.clone();
    }
}

#[derive(Debug)]
pub(crate) struct Error(String);

impl Error {
    pub fn into_string(self) -> String {
        self.0
    }
}

#[derive(Clone)]
enum Change {
    Put(Vec<u8>, Arc<[u8]>),
    Delete(Vec<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
}

#[derive(Clone, Default)]
pub(crate) struct WriteBatch(Vec<Change>);

impl WriteBatch {
    pub fn put(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.0.push(Change::Put(key.as_ref().to_vec(), value.as_ref().into()));
    }

    pub fn delete(&mut self, key: impl AsRef<[u8]>) {
        self.0.push(Change::Delete(key.as_ref().to_vec()));
    }

    pub fn delete_range(&mut self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) {
        self.0.push(Change::DeleteRange(from.as_ref().to_vec(), to.as_ref().to_vec()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn size_in_bytes(&self) -> usize {
        let bytes = |change: &Change| match change {
            Change::Put(key, value) => key.len() + value.len(),
            Change::Delete(key) => key.len(),
            Change::DeleteRange(from, to) => from.len() + to.len(),
        };
        self.0.iter().map(bytes).sum()
    }

    /// Where it cuts the log, as the log writes that.
    fn cut(&self) -> Option<Arc<[u8]>> {
        let cuts = |change: &Change| match change {
            Change::Put(key, value) => (*key == keys::purged(GroupId(0))).then(|| value.clone()),
            _ => None,
        };
        self.0.iter().find_map(cuts)
    }

    fn apply(&self, rows: &mut Rows) {
        for change in &self.0 {
            match change {
                Change::Put(key, value) => drop(rows.insert(key.clone(), value.clone())),
                Change::Delete(key) => drop(rows.remove(key)),
                Change::DeleteRange(from, to) => {
                    let range = rows.range(from.clone()..to.clone());
                    let keys: Vec<Vec<u8>> = range.map(|(key, _)| key.clone()).collect();
                    for key in keys {
                        rows.remove(&key);
                    }
                }
            }
        }
    }
}

/// An open database.
pub(crate) struct DB {
    store: Arc<Mutex<Store>>,
    disk: Arc<Disk>,
}

#[derive(Clone, Copy)]
pub(crate) struct WriteOptions {
    synced: bool,
}

pub(crate) struct ReadOptions {
    from: Vec<u8>,
    end: Vec<u8>,
}

impl DB {
    /// The disk begins to write: how long that takes.
    pub fn begin(&self, batch: &WriteBatch, synced: bool) -> Duration {
        self.store.lock().begun = Some(batch.clone());
        if batch.cut().is_some() {
            self.disk.springs_at(Step::Cut);
        }
        self.disk.write_time(synced)
    }

    pub fn write_opt(&self, batch: WriteBatch, options: &WriteOptions) -> Result<(), Error> {
        self.disk.may_write().map_err(Error)?;
        let cut = batch.cut();
        self.store.lock().write(batch, options.synced, Instant::now());
        if let Some(cut) = cut {
            cut_stands::check(&self.disk, &cut);
        }
        Ok(())
    }

    pub fn flush(&self) -> Result<(), Error> {
        self.flush_wal(true)
    }

    pub fn flush_wal(&self, _: bool) -> Result<(), Error> {
        self.disk.may_write().map_err(Error)?;
        self.store.lock().sync();
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "as RocksDB's")]
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store.lock().rows.get(key.as_ref()).map(|value| value.to_vec()))
    }

    pub fn get_pinned(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Error> {
        self.get(key)
    }

    pub fn raw_iterator(&self) -> DBRawIterator<'_> {
        self.raw_iterator_opt(ReadOptions { from: Vec::new(), end: vec![u8::MAX; 64] })
    }

    pub fn raw_iterator_opt(&self, options: ReadOptions) -> DBRawIterator<'_> {
        DBRawIterator { db: self, options, at: None }
    }
}

/// A position among the rows, which are read as they are now.
pub(crate) struct DBRawIterator<'db> {
    db: &'db DB,
    options: ReadOptions,
    at: Option<(Vec<u8>, Arc<[u8]>)>,
}

impl DBRawIterator<'_> {
    fn first_from(&mut self, from: Bound<Vec<u8>>) {
        let store = self.db.store.lock();
        let end = Bound::Excluded(self.options.end.clone());
        let is_empty = match &from {
            Bound::Included(from) | Bound::Excluded(from) => *from >= self.options.end,
            Bound::Unbounded => false,
        };
        let mut rows = (!is_empty).then(|| store.rows.range((from, end))).into_iter().flatten();
        self.at = rows.next().map(|(key, value)| (key.clone(), value.clone()));
    }

    pub fn seek(&mut self, key: impl AsRef<[u8]>) {
        let from = key.as_ref().max(&self.options.from).to_vec();
        self.first_from(Bound::Included(from));
    }

    pub fn seek_to_first(&mut self) {
        self.first_from(Bound::Included(self.options.from.clone()));
    }

    pub fn seek_to_last(&mut self) {
        let store = self.db.store.lock();
        let range = self.options.from.clone()..self.options.end.clone();
        let last = store.rows.range(range).next_back();
        self.at = last.map(|(key, value)| (key.clone(), value.clone()));
    }

    pub fn next(&mut self) {
        if let Some((key, _)) = self.at.take() {
            self.first_from(Bound::Excluded(key));
        }
    }

    pub fn valid(&self) -> bool {
        self.at.is_some()
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as RocksDB's")]
    pub fn status(&self) -> Result<(), Error> {
        Ok(())
    }

    pub fn key(&self) -> Option<&[u8]> {
        self.at.as_ref().map(|(key, _)| key.as_slice())
    }

    pub fn item(&self) -> Option<(&[u8], &[u8])> {
        self.at.as_ref().map(|(key, value)| (key.as_slice(), &**value))
    }
}

pub(crate) fn exists(dir: &Path) -> bool {
    disk_of(dir).store(dir).is_some()
}

#[expect(clippy::unnecessary_wraps, reason = "as the product's")]
pub(crate) fn open(dir: &Path, _strict: bool) -> Result<DB, Error> {
    let disk = disk_of(dir);
    Ok(DB { store: disk.make_store(dir), disk })
}

pub(crate) fn open_read_only(dir: &Path, strict: bool) -> Result<DB, Error> {
    open(dir, strict)
}

pub(crate) fn open_archive(dir: &Path) -> Result<DB, Error> {
    open(dir, true)
}

#[expect(clippy::unnecessary_wraps, reason = "as the product's")]
pub(crate) fn make_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "as the product's")]
pub(crate) fn make_dirs(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

pub(crate) fn synced() -> WriteOptions {
    WriteOptions { synced: true }
}

pub(crate) fn unsynced() -> WriteOptions {
    WriteOptions { synced: false }
}

pub(crate) fn range(from: &[u8], end: &[u8], _fill_cache: bool) -> ReadOptions {
    ReadOptions { from: from.to_vec(), end: end.to_vec() }
}
