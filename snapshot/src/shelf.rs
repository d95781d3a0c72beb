//! The snapshots of one group in a directory: the newest, what may go, and what was left unfinished.
//!
//! **Invariant**: an older snapshot goes only after a newer one is on disk under its name.

use std::io;
use std::path::{Path, PathBuf};

use holdfast_engine::state::Capture;

use crate::file::{SyncedFile, UNFINISHED, sync_directory};
use crate::files::{Files, MACHINE};
use crate::limits::{DAMAGED_KEPT, SNAPSHOTS_KEPT};
use crate::{Meta, Summary, WriteError, Writer};

/// Ending of a snapshot's name.
const FINISHED: &str = "hfsnap";
/// Ending of one that was found damaged.
const DAMAGED: &str = "damaged";

/// A directory of snapshots.
#[derive(Debug, Clone)]
pub struct Shelf {
    files: &'static dyn Files,
    dir: PathBuf,
}

/// A snapshot on the shelf, by its name; its bytes are not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Index of the last entry in it.
    pub index: u64,
    pub path: PathBuf,
}

impl Shelf {
    /// Opens the directory, which is made where it is not there, and removes what was left unfinished.
    /// One process at a time.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Self::open_on(MACHINE, dir)
    }

    /// As [`Self::open`], on other files than the machine's.
    pub fn open_on(files: &'static dyn Files, dir: &Path) -> io::Result<Self> {
        files.make_dir(dir)?;
        sync_directory(files, dir)?;
        for path in files.list(dir)? {
            if path.extension().is_some_and(|ending| ending == UNFINISHED) {
                files.remove(&path)?;
            }
        }
        Ok(Self::at_on(files, dir))
    }

    /// A directory that is only read.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self::at_on(MACHINE, dir)
    }

    /// As [`Self::at`], on other files than the machine's.
    #[must_use]
    pub fn at_on(files: &'static dyn Files, dir: &Path) -> Self {
        Self { files, dir: dir.to_owned() }
    }

    pub(crate) fn files(&self) -> &'static dyn Files {
        self.files
    }

    /// The name that the snapshot as of an entry has here.
    #[must_use]
    pub fn path_of(&self, index: u64) -> PathBuf {
        self.dir.join(format!("{index:020}.{FINISHED}"))
    }

    /// Every snapshot, the newest first.
    pub fn list(&self) -> io::Result<Vec<Kept>> {
        self.with_ending(FINISHED)
    }

    fn with_ending(&self, ending: &str) -> io::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for path in self.files.list(&self.dir)? {
            let is_one = path.extension().is_some_and(|has| has == ending);
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            if let Some(index) = stem.and_then(|stem| stem.parse().ok()).filter(|_| is_one) {
                kept.push(Kept { index, path });
            }
        }
        kept.sort_unstable_by_key(|kept: &Kept| std::cmp::Reverse(kept.index));
        Ok(kept)
    }

    /// The newest.
    pub fn newest(&self) -> io::Result<Option<Kept>> {
        Ok(self.list()?.into_iter().next())
    }

    /// Writes a capture, and what `rest` adds, as the newest snapshot; on return it is on disk under its name.
    pub fn put(
        &self,
        meta: &Meta,
        capture: Capture,
        rest: impl FnOnce(&mut Writer<SyncedFile>) -> Result<(), WriteError>,
    ) -> Result<(Kept, Summary), WriteError> {
        let path = self.path_of(meta.index);
        let file = SyncedFile::create(self.files, &path)?;
        let (file, summary) = Writer::capture(file, meta, capture, rest)?;
        file.commit()?;
        Ok((Kept { index: meta.index, path }, summary))
    }

    /// Takes a snapshot that was found damaged off the shelf: it counts no longer, and stays to be looked at.
    pub fn set_aside(&self, kept: &Kept) -> io::Result<()> {
        self.files.rename(&kept.path, &kept.path.with_extension(DAMAGED))?;
        sync_directory(self.files, &kept.path)
    }

    /// Removes all but the newest few, and the one as of entry `held`; those left of the newest, the newest
    /// first.
    pub fn tidy(&self, held: Option<u64>) -> io::Result<Vec<Kept>> {
        let mut kept = self.list()?;
        let mut old = kept.split_off(kept.len().min(SNAPSHOTS_KEPT));
        old.retain(|old| Some(old.index) != held);
        let damaged = self.with_ending(DAMAGED)?.into_iter().skip(DAMAGED_KEPT);
        for gone in old.into_iter().chain(damaged) {
            self.files.remove(&gone.path)?;
        }
        Ok(kept)
    }
}
