//! The archive on disk: bookings that have left memory, readable by their id.
//!
//! It owns a RocksDB of its own, beside the log's and never shared with it, and the thread that writes it. It
//! refuses to decide what leaves: that is a step of the log. Every record says at which log index it left, so
//! that what belongs to the state at an index can be told from what came after.
//!
//! **Invariant**: a booking is readable at every moment: in the state's table, in what is leaving it, or here.
//! The same log gives the same records; putting one a second time changes nothing.
//!
//! Writes are not synced one by one: a start puts again what left since the snapshot that it begins with,
//! which carries what had left by then. Whoever takes a snapshot calls [`Archive::settle`] before.

mod record;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_engine::archive::{self, Archived};
use holdfast_engine::booking::Booking;
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Event, Reader, codec};
use holdfast_snapshot::{ArchivedError, ArchivedRecord};

use crate::GroupId;
use crate::disk::OnDiskFailure;
use crate::limits::{ARCHIVE_BATCH_BYTES, ARCHIVE_READ_TOGETHER};
use crate::log::rocks::{self, WriteBatch};
use crate::log::{Damage, Database};
use crate::runtime::FILES;
use record::{Kept, Key};
use writer::Writer;

/// Why an archive cannot be opened, read, or be the one of this state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    #[error("the archive's directory cannot be used: {0}")]
    Io(String),
    #[error("the archive's storage refuses: {0}. {ADVICE}")]
    Storage(String),
    #[error("the archive's record of {id} is damaged: {damage}. {ADVICE}")]
    Damaged { id: BookingId, damage: Damage },
    #[error("the archive's record of {id} cannot be decoded: {error}. {ADVICE}")]
    Undecodable { id: BookingId, error: String },
    #[error(
        "the archive is not that of this state: at index {index} it has {found} bookings with digest \
         {found_digest:032x}, expected are {expected} with {expected_digest:032x}. {ADVICE}"
    )]
    Differs { index: u64, expected: u64, found: u64, expected_digest: u128, found_digest: u128 },
    #[error("the archive knows of entry {index}, which the log does not have. {ADVICE}")]
    Ahead { index: u64 },
    #[error("the archive cannot be made anew from the snapshot: {0}")]
    Snapshot(String),
    #[error("the archive is closed")]
    Closed,
}

impl ArchiveError {
    /// Records are wrong, or not those that are expected: a snapshot can make them anew.
    pub fn is_of_records(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Undecodable { .. } | Self::Differs { .. })
    }
}

/// What to do about it.
const ADVICE: &str =
    "Move the directory `archive` away and start again: snapshot and log make it anew";

/// What of an archive belongs to the state at an index, and what came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub archived: Archived,
    /// The latest index at which a booking left.
    pub last: Option<u64>,
}

/// An open archive. Dropping it writes what was handed over and ends its thread.
pub(crate) struct Archive {
    group: GroupId,
    reader: Reader,
    // Before the database, so that on drop its thread ends first.
    writer: Writer,
    db: Arc<Database>,
}

impl Archive {
    /// Opens the archive in a node's data directory; made where there is none.
    pub fn open(
        dir: &Path,
        group: GroupId,
        reader: Reader,
        on_failure: OnDiskFailure,
    ) -> Result<Self, ArchiveError> {
        let dir = directory(dir);
        rocks::make_dir(&dir).map_err(|error| ArchiveError::Io(error.to_string()))?;
        let db = rocks::open_archive(&dir).map_err(storage)?;
        let db = Arc::new(Database::new(db));
        let writer = Writer::start(db.clone(), group, reader.clone(), on_failure);
        let writer = writer.map_err(|error| ArchiveError::Io(error.to_string()))?;
        Ok(Self { group, reader, writer, db })
    }

    /// Of the state whose archive it is.
    #[cfg(all(test, holdfast_sim))]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Hands over what the entry at `index` archived. Returns at once, but where too many steps wait to be
    /// written already; an error where the writer has ended.
    pub fn keep(&self, index: u64, events: &[Event]) -> io::Result<()> {
        let archived = |event: &Event| match event {
            Event::BookingArchived(booking) => Some(Arc::clone(booking)),
            _ => None,
        };
        let bookings: Vec<_> = events.iter().filter_map(archived).collect();
        if bookings.is_empty() { Ok(()) } else { self.writer.keep(index, bookings) }
    }

    /// Whether all that was handed over is written: then, and only then, a leader proposes more.
    pub fn is_idle(&self) -> bool {
        self.reader.leaving_count() == 0
    }

    /// An archived booking that is still on its way here; reads no disk.
    pub fn leaving(&self, id: BookingId) -> Option<Arc<Booking>> {
        self.reader.leaving(id)
    }

    /// An archived booking. Reads the disk; an id that was never archived seldom does.
    pub fn get(&self, id: BookingId) -> Result<Option<Arc<Booking>>, ArchiveError> {
        // First what is leaving: it goes from there only once it is here.
        if let Some(booking) = self.leaving(id) {
            return Ok(Some(booking));
        }
        let key = Key { group: self.group, id };
        let db = self.db.get().ok_or(ArchiveError::Closed)?;
        let Some(value) = db.get_pinned(key.bytes()).map_err(storage)? else { return Ok(None) };
        let kept = Kept::read(key, &value)?;
        Ok(Some(Arc::new(kept.booking()?)))
    }

    /// Waits until all that was handed over is written and synced. Blocks.
    pub fn settle(&self) -> io::Result<()> {
        self.writer.settle()
    }

    /// Every record that left at `through` or before, by id: what a snapshot of the state at that index
    /// carries, once they are settled. Checks each record's checksum. Blocks.
    pub fn for_each<E: From<ArchiveError>>(
        &self,
        through: u64,
        mut visit: impl FnMut(Kept<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.rows(|key, value| {
            let kept = Kept::read(key, value)?;
            if kept.index <= through { visit(kept) } else { Ok(()) }
        })
    }

    /// Every key with its value, whatever that is worth. A few at a time: whoever closes the archive does not
    /// wait for the rest. What is put meanwhile may be seen or not.
    fn rows<E: From<ArchiveError>>(
        &self,
        mut visit: impl FnMut(Key, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut from, end) = Key::range(self.group);
        loop {
            let db = self.db.get().ok_or(ArchiveError::Closed)?;
            let mut rows = db.raw_iterator_opt(rocks::range(&from, &end, false));
            rows.seek(from);
            for _ in 0..ARCHIVE_READ_TOGETHER {
                let Some((key, value)) = rows.item() else {
                    return Ok(rows.status().map_err(storage)?);
                };
                let none = || ArchiveError::Storage("a key is none of an archive's".to_owned());
                visit(Key::read(key).ok_or_else(none)?, value)?;
                rows.next();
            }
            match rows.key().map(Key::read) {
                Some(Some(next)) => from = next.bytes(),
                _ => return Ok(rows.status().map_err(storage)?),
            }
        }
    }

    /// What left at `through` or before, counted anew, and the latest index of all. Blocks.
    pub fn totals(&self, through: u64) -> Result<Totals, ArchiveError> {
        let mut totals = Totals::default();
        self.for_each(u64::MAX, |kept| {
            totals.last = totals.last.max(Some(kept.index));
            if kept.index <= through {
                totals.archived.add(kept.record);
            }
            Ok::<_, ArchiveError>(())
        })?;
        Ok(totals)
    }

    /// Holds the archive against a state that was read from its log: `applied` is the last index it has,
    /// `last` that of the log. Records past `applied` come again when their entry is applied; past `last`
    /// there is none, unless the loss of the log's end was accepted: then they are dropped. Blocks.
    pub fn check(
        &self,
        expected: Archived,
        (applied, last): (Option<u64>, Option<u64>),
        accept_loss: bool,
    ) -> Result<(), ArchiveError> {
        self.settle().map_err(|error| ArchiveError::Io(error.to_string()))?;
        if accept_loss {
            self.drop_past(last)?;
        }
        // Nothing applied is before index 0, and archives nothing.
        let index = applied.unwrap_or(0);
        let totals = self.totals(index)?;
        if let Some(ahead) = totals.last.filter(|_| totals.last > last) {
            return Err(ArchiveError::Ahead { index: ahead });
        }
        let found = totals.archived;
        if found == expected {
            return Ok(());
        }
        Err(ArchiveError::Differs {
            index,
            expected: expected.bookings,
            found: found.bookings,
            expected_digest: expected.digest,
            found_digest: found.digest,
        })
    }

    fn drop_past(&self, last: Option<u64>) -> Result<(), ArchiveError> {
        let mut past = WriteBatch::default();
        self.for_each(u64::MAX, |kept| {
            if Some(kept.index) > last {
                past.delete(kept.key.bytes());
            }
            Ok::<_, ArchiveError>(())
        })?;
        let db = self.db.get().ok_or(ArchiveError::Closed)?;
        db.write_opt(past, &rocks::synced()).map_err(storage)
    }

    /// Makes what left at `through` or before anew from a snapshot as of that index, synced; what left later
    /// stays, where it can be read: its entries were applied after the snapshot. Blocks.
    pub fn restore(&self, snapshot: &Path, through: u64) -> Result<(), ArchiveError> {
        self.settle().map_err(|error| ArchiveError::Io(error.to_string()))?;
        let mut batch = Batch { archive: self, batch: WriteBatch::default() };
        self.rows(|key, value| {
            if Kept::read(key, value).is_ok_and(|kept| kept.index > through) {
                return Ok(());
            }
            batch.batch.delete(key.bytes());
            batch.write_if(ARCHIVE_BATCH_BYTES)
        })?;
        let mut value = Vec::new();
        let read = FILES.read_archived(snapshot, |ArchivedRecord { index, record }| {
            let none = |error: codec::Error| ArchiveError::Snapshot(error.to_string());
            let key = Key { group: self.group, id: archive::read(record).map_err(none)?.id };
            record::put_bytes(key, (index, record), &mut value);
            batch.batch.put(key.bytes(), &value);
            batch.write_if(ARCHIVE_BATCH_BYTES)
        });
        read.map_err(|error| match error {
            ArchivedError::Stopped(error) => error,
            error => ArchiveError::Snapshot(error.to_string()),
        })?;
        batch.write_if(0)?;
        self.settle().map_err(|error| ArchiveError::Io(error.to_string()))
    }

    /// Writes what was handed over, and frees the files.
    pub fn close(&self) -> Result<(), ArchiveError> {
        self.writer.stop();
        let flushed = self.db.get().map_or(Ok(()), |db| db.flush());
        self.db.close();
        flushed.map_err(storage)
    }
}

/// What is written together, so that neither memory nor one write grows with the archive.
struct Batch<'a> {
    archive: &'a Archive,
    batch: WriteBatch,
}

impl Batch<'_> {
    /// Writes what has gathered where that is at least so many bytes.
    fn write_if(&mut self, bytes: usize) -> Result<(), ArchiveError> {
        if self.batch.size_in_bytes() < bytes {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        let db = self.archive.db.get().ok_or(ArchiveError::Closed)?;
        db.write_opt(batch, &rocks::unsynced()).map_err(storage)
    }
}

fn directory(dir: &Path) -> PathBuf {
    dir.join("archive")
}

fn storage(error: rocks::Error) -> ArchiveError {
    ArchiveError::Storage(error.into_string())
}
