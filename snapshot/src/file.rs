//! A file that is there whole or not at all: written beside its name, synced, then renamed.
//!
//! **Invariant**: after [`SyncedFile::commit`] the name leads to exactly these bytes, on disk, over a loss of
//! power; before it, or where that fails, to what it led to before.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::files::{Durable, Files, Output};
use crate::limits::SYNC_BYTES;

/// Ending of a file that is not whole yet.
pub(crate) const UNFINISHED: &str = "tmp";

/// A file under a name of its own until it is whole.
pub struct SyncedFile {
    files: &'static dyn Files,
    file: BufWriter<Output>,
    unfinished: PathBuf,
    name: PathBuf,
    /// Bytes since the last sync.
    unsynced: u64,
    committed: bool,
}

impl SyncedFile {
    /// Begins a file that shall have this name. What an earlier attempt left is overwritten.
    pub fn create(files: &'static dyn Files, name: &Path) -> io::Result<Self> {
        let unfinished = name.with_extension(UNFINISHED);
        let file = BufWriter::with_capacity(1 << 18, files.create(&unfinished)?);
        Ok(Self { files, file, unfinished, name: name.to_owned(), unsynced: 0, committed: false })
    }

    /// Syncs, takes the name, and syncs the directory.
    pub fn commit(mut self) -> io::Result<()> {
        self.sync()?;
        self.files.rename(&self.unfinished, &self.name)?;
        self.committed = true;
        sync_directory(self.files, &self.name)
    }
}

impl fmt::Debug for SyncedFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SyncedFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for SyncedFile {
    fn drop(&mut self) {
        if !self.committed {
            // What stays is overwritten or swept up by the next; there is nobody to tell.
            let _ = self.files.remove(&self.unfinished);
        }
    }
}

impl Write for SyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced = self.unsynced.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        if self.unsynced >= SYNC_BYTES {
            self.sync()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Durable for SyncedFile {
    fn sync(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_mut().sync()?;
        self.unsynced = 0;
        Ok(())
    }
}

/// The directory in which `name` lies, so that a renaming or removal there is on disk.
pub(crate) fn sync_directory(files: &dyn Files, name: &Path) -> io::Result<()> {
    let parent = name.parent().filter(|parent| !parent.as_os_str().is_empty());
    files.sync_dir(parent.unwrap_or_else(|| Path::new(".")))
}
