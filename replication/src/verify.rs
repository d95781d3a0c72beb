//! Verification: a log is folded once more, into a state of its own, and every step is looked at.
//!
//! It owns the reading of the log for that: of a node that runs, beside it, or of one that does not, without
//! changing a byte. What is right and wrong is the engine's. **Invariant**: the node's own state is
//! neither read nor written while its log is folded.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_engine::archive::Archived;
use holdfast_engine::digest::Digest;
use holdfast_engine::verify::Finding;
use holdfast_engine::{Event, Reader, State, Verifier, Writer};

use crate::GroupId;
use crate::archive::{Archive, ArchiveError};
use crate::limits::{VERIFY_CHUNK_ENTRIES, VERIFY_WHOLE_EVERY};
use crate::log::{DiskReader, Log, LogDamage, LogError};
use crate::options::Progress;
use crate::raft_types::{Entry, EntryPayload};
use crate::snapshots::begin::newest_continued;

/// What to verify, and how closely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope {
    /// Checks begin with the entry at this index; the log is folded from its beginning all the same.
    pub from: u64,
    /// Everything is looked at after every entry, not only what it touched: for short logs.
    pub full: bool,
}

/// What a verification saw.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The last entry of the snapshot that the fold began with; `None` where the log has its beginning.
    pub snapshot: Option<u64>,
    /// First and last entry that was folded; `None` of an empty log.
    pub entries: Option<(u64, u64)>,
    pub commands: u64,
    /// Of the state after the last entry.
    pub digest: Digest,
    /// The first of them; `found` counts all.
    pub findings: Vec<Finding>,
    pub found: u64,
}

/// Why a log could not be verified to its end.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the log is damaged: {0}")]
    Damaged(#[from] LogDamage),
    #[error("entry {index} cannot be decoded: {error}")]
    Undecodable { index: u64, error: String },
    #[error("the log begins with entry {first}, and no snapshot that can be read leads up to it")]
    Cut { first: u64 },
    #[error("the verification was given up")]
    Stopped,
    #[error("the verification panicked: {0}")]
    Panicked(String),
    #[error("the node stopped meanwhile")]
    NodeStopped,
}

/// Told of progress, on the thread that folds; `false` gives the verification up.
pub type Watch<'a> = &'a mut dyn FnMut(Progress) -> bool;

/// Verifies the whole log of a node that does not run. Entries that were never committed count too: a
/// node that is alone commits them when it starts.
pub fn verify_stopped(
    dir: &Path,
    group: GroupId,
    scope: Scope,
    watch: Watch<'_>,
) -> Result<Verified, VerifyError> {
    let disk = Log::read_only(dir, group)?;
    let last = disk.ends()?.last.map(|id| id.index);
    let mut fold = Fold::new(disk, (dir, group), scope)?;
    fold.run_to(last, watch)?;
    Ok(fold.end())
}

/// A fold under way.
pub(crate) struct Fold {
    disk: DiskReader,
    scope: Scope,
    writer: Writer,
    reader: Reader,
    verifier: Verifier,
    snapshot: Option<u64>,
    next: u64,
    first: u64,
    commands: u64,
}

impl Fold {
    /// Begins with the log's first entry; or, where the log was cut, with the newest snapshot in the node's
    /// directory that what is left of it continues.
    pub fn new(
        disk: DiskReader,
        (dir, group): (&Path, GroupId),
        scope: Scope,
    ) -> Result<Self, VerifyError> {
        let ends = disk.ends()?;
        let mut verifier = Verifier::new(scope.from);
        let Some(purged) = ends.purged else {
            let first = ends.first_index.unwrap_or(0);
            let (writer, reader) = State::new();
            let (snapshot, commands) = (None, 0);
            let next = first;
            return Ok(Self {
                disk,
                scope,
                writer,
                reader,
                verifier,
                snapshot,
                next,
                first,
                commands,
            });
        };
        let cut = || VerifyError::Cut { first: purged.index.saturating_add(1) };
        let (writer, reader, index) = newest_continued(dir, group, &disk).ok_or_else(cut)?;
        verifier.begin(&writer);
        let first = index.saturating_add(1);
        let (snapshot, commands) = (Some(index), 0);
        Ok(Self { disk, scope, writer, reader, verifier, snapshot, next: first, first, commands })
    }

    /// Folds up to and with the entry at `last`.
    pub fn run_to(&mut self, last: Option<u64>, watch: Watch<'_>) -> Result<(), VerifyError> {
        let Some(last) = last else { return Ok(()) };
        while self.next <= last {
            let end = self.next.saturating_add(VERIFY_CHUNK_ENTRIES).min(last.saturating_add(1));
            // In chunks: a scan keeps the log from being closed.
            let mut chunk: Vec<Entry> = Vec::new();
            self.disk.scan(self.next..end, |entry| {
                chunk.push(entry);
                Ok(())
            })?;
            for entry in &chunk {
                self.apply(entry)?;
            }
            if !watch(Progress { applied: self.next.saturating_sub(1), last }) {
                return Err(VerifyError::Stopped);
            }
        }
        Ok(())
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        let index = entry.log_id.index;
        let (mut outcomes, mut events) = (Vec::new(), Vec::new());
        match &entry.payload {
            EntryPayload::Blank | EntryPayload::Membership(_) => self.writer.skip(index),
            EntryPayload::Normal(payload) => {
                let batch = payload.batch().map_err(|error| VerifyError::Undecodable {
                    index,
                    error: error.to_string(),
                })?;
                self.writer.apply(index, batch, &mut outcomes, &mut events);
                self.commands += batch.commands.len() as u64;
            }
        }
        self.verifier.after(&self.writer, &events);
        for event in &events {
            // Nobody keeps the archive of a fold.
            if let Event::BookingArchived(booking) = event {
                self.reader.has_left(booking.id);
            }
        }
        let due = self.scope.full || index % VERIFY_WHOLE_EVERY == VERIFY_WHOLE_EVERY - 1;
        if due && index >= self.scope.from {
            self.verifier.check_all(&self.writer);
        }
        self.next = index.saturating_add(1);
        Ok(())
    }

    /// Holds an archive against what the fold has archived: a finding where they differ, or where a record
    /// cannot be read.
    pub fn check_archive(&self, archive: &Archive) -> Option<Finding> {
        let index = self.next.saturating_sub(1);
        let settled = archive.settle().map_err(|error| ArchiveError::Io(error.to_string()));
        let found = settled.and_then(|()| archive.totals(index)).map(|totals| totals.archived);
        let expected = self.writer.archived();
        if found.as_ref() == Ok(&expected) {
            return None;
        }
        let shown = |archived: &Archived| {
            format!("{} bookings, digest {:032x}", archived.bookings, archived.digest)
        };
        Some(Finding {
            index,
            part: "archive",
            id: "on disk".to_owned(),
            night: None,
            expected: shown(&expected),
            found: found.as_ref().map_or_else(ToString::to_string, shown),
        })
    }

    /// A last whole check.
    pub fn end(mut self) -> Verified {
        let entries = self.next.checked_sub(1).filter(|_| self.next > self.first);
        if entries.is_some_and(|last| last >= self.scope.from) {
            self.verifier.check_all(&self.writer);
        }
        Verified {
            snapshot: self.snapshot,
            entries: entries.map(|last| (self.first, last)),
            commands: self.commands,
            digest: self.writer.digest(),
            findings: self.verifier.findings().to_vec(),
            found: self.verifier.found(),
        }
    }
}

/// Gives a verification up from another thread; dropping it does.
#[derive(Debug, Default)]
pub struct GiveUp(Arc<AtomicBool>);

impl GiveUp {
    /// What the folding thread looks at: true once it shall stop.
    pub fn flag(&self) -> impl Fn() -> bool + Send + Sync + 'static + use<> {
        let flag = self.0.clone();
        // Relaxed: a flag that orders nothing.
        move || flag.load(Ordering::Relaxed)
    }
}

impl Drop for GiveUp {
    fn drop(&mut self) {
        // Relaxed: as above.
        self.0.store(true, Ordering::Relaxed);
    }
}
