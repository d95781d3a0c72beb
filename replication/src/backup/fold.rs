//! A state made of a snapshot and the entries after it: what a backup says, without a node.

use std::path::Path;

#[cfg(test)]
use holdfast_engine::State;
use holdfast_engine::digest::Digest;
use holdfast_engine::{Event, Reader, Writer};
use holdfast_snapshot::{LoadError, load};

use super::StoredEntry;

/// Why a backup cannot be folded further.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    #[error(transparent)]
    Snapshot(#[from] LoadError),
    #[error("entry {expected} is missing: the next one is {index}")]
    Hole { expected: u64, index: u64 },
    #[error("entry {index} cannot be decoded: {error}")]
    Undecodable { index: u64, error: String },
}

/// A fold under way.
#[derive(Debug)]
pub struct Fold {
    writer: Writer,
    reader: Reader,
    last: Option<u64>,
}

impl Fold {
    /// Begins with a snapshot's state.
    pub fn begin(snapshot: &Path) -> Result<Self, FoldError> {
        let loaded = load(snapshot)?;
        Ok(Self { writer: loaded.writer, reader: loaded.reader, last: Some(loaded.meta.index) })
    }

    /// Begins with nothing: for a log from its first entry on.
    #[cfg(test)]
    pub fn empty() -> Self {
        let (writer, reader) = State::new();
        Self { writer, reader, last: None }
    }

    /// The state after the last entry.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Index of the last entry.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    pub fn apply(&mut self, entry: &StoredEntry) -> Result<(), FoldError> {
        let index = entry.index();
        let expected = self.last.map_or(0, |last| last.saturating_add(1));
        if index != expected {
            return Err(FoldError::Hole { expected, index });
        }
        let batch = entry.batch().map_err(|error| {
            let error = error.to_string();
            FoldError::Undecodable { index, error }
        })?;
        let mut events = Vec::new();
        match batch {
            Some(batch) => self.writer.apply(index, batch, &mut Vec::new(), &mut events),
            None => self.writer.skip(index),
        }
        for event in &events {
            // Nobody keeps the archive of a fold.
            if let Event::BookingArchived(booking) = event {
                self.reader.has_left(booking.id);
            }
        }
        self.last = Some(index);
        Ok(())
    }

    pub fn digest(&self) -> Digest {
        self.writer.digest()
    }
}
