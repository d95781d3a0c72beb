//! A snapshot's records under another head: the same state as another cluster's.
//!
//! **Invariant**: the copy gets its name only after all of the first file was checked.

use std::path::Path;

use crate::file::SyncedFile;
use crate::read;
use crate::{Kept, Meta, ReadError, Shelf, Summary, WriteError, Writer};

/// Why a snapshot is not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Shelf {
    /// Puts a copy of a snapshot here, of the same entry, under what `head` makes of its head; on return it is
    /// on disk under its name.
    pub fn adopt(
        &self,
        from: &Path,
        head: impl FnOnce(&Meta) -> Meta,
    ) -> Result<(Kept, Summary), CopyError> {
        let mut reader = read::open(self.files(), from)?;
        let meta = head(reader.meta());
        let (index, found) = (meta.index, reader.meta().index);
        if index != found {
            return Err(WriteError::AnotherIndex { index, found }.into());
        }
        let path = self.path_of(index);
        let file = SyncedFile::create(self.files(), &path).map_err(WriteError::Io)?;
        let mut writer = Writer::begin(file, &meta)?;
        while let Some(block) = reader.next_block()? {
            writer.put_block(&block)?;
        }
        let (file, summary) = writer.finish()?;
        file.commit().map_err(WriteError::Io)?;
        Ok((Kept { index, path }, summary))
    }
}
