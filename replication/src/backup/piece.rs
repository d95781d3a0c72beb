//! Cutting a piece out of a log that is in use.
//!
//! It owns reading; the bytes are the snapshot crate's.

use std::io;

use holdfast_snapshot::backup::{Sealed, SegmentWriter, Start};
use holdfast_snapshot::limits::SEGMENT_BYTES;

use super::StoredEntry;
use crate::log::{LogStore, keys, record};
use crate::raft_types::{Entry, EntryPayload};

/// Why no piece can be cut.
#[derive(Debug, thiserror::Error)]
pub enum PieceError {
    #[error("entry {from} is not in the log any more, which begins with entry {begins}")]
    Gone { from: u64, begins: u64 },
    #[error("the log cannot be read: {0}")]
    Log(#[from] io::Error),
}

/// A piece that begins as said and ends with entry `last` or where it is long enough; `None` where there is
/// none up to `last`. Blocks.
pub(crate) fn cut(store: &LogStore, start: Start, last: u64) -> Result<Option<Sealed>, PieceError> {
    let mut piece = SegmentWriter::begin(start);
    let mut value = Vec::new();
    while piece.next() <= last && piece.len() < SEGMENT_BYTES {
        let from = piece.next();
        let begins = store.group().purged().map_or(0, |purged| purged.index.saturating_add(1));
        if begins > from {
            return Err(PieceError::Gone { from, begins });
        }
        let entries = store.entries(from..last.saturating_add(1))?;
        if let Some(first) = entries.first().filter(|first| first.log_id.index != from) {
            return Err(PieceError::Gone { from, begins: first.log_id.index });
        }
        if entries.is_empty() {
            break;
        }
        for entry in &entries {
            record::put_shared_entry(
                &keys::entry(store.group().id, entry.log_id.index),
                entry,
                &mut value,
            );
            let at_ms = match &entry.payload {
                EntryPayload::Normal(payload) => payload.at_ms(),
                EntryPayload::Blank | EntryPayload::Membership(_) => None,
            };
            piece.put(&value, at_ms);
        }
    }
    Ok(piece.finish())
}

/// Whether the log has this very entry under its index; `None` where it does not reach there, or not any more.
/// Blocks.
pub(crate) fn has(store: &LogStore, entry: &StoredEntry) -> Result<Option<bool>, PieceError> {
    let index = entry.index();
    let own = store.entries(index..index.saturating_add(1))?;
    let own = own.first().filter(|own| own.log_id.index == index);
    Ok(own.map(|own| is_same(own, entry.entry())))
}

/// Ids alone do not tell: two nodes that are each alone give the same ones.
fn is_same(one: &Entry, other: &Entry) -> bool {
    let bytes = |entry: &Entry| match &entry.payload {
        EntryPayload::Normal(payload) => Some(payload.bytes().clone()),
        EntryPayload::Blank | EntryPayload::Membership(_) => None,
    };
    one.log_id == other.log_id && bytes(one) == bytes(other)
}
