//! The archive's part of a file: finished bookings that lie on disk, not in memory.
//!
//! ```text
//! record | index u64 of the entry that archived it | length u32 | the engine's record: length bytes |
//! ```
//!
//! It owns these bytes; what keeps an archive puts them in and takes them out. **Invariant**: a file that is
//! loaded carries as many of them as its state has archived, with the digest the state has.

use std::io::Read;

use holdfast_engine::state::Part;

use crate::format::Fields;
use crate::{ReadError, Reader};

/// A booking as a file carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchivedRecord<'a> {
    /// Of the entry that archived it.
    pub index: u64,
    /// What the engine digests.
    pub record: &'a [u8],
}

/// A record that is cut or longer than its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is cut short or malformed")]
pub struct Malformed;

/// The records of a block, one after another; after the first that is malformed there is none.
pub(crate) fn records(bytes: &[u8]) -> impl Iterator<Item = Result<ArchivedRecord<'_>, Malformed>> {
    let mut fields = Fields(bytes);
    std::iter::from_fn(move || {
        if fields.0.is_empty() {
            return None;
        }
        let record = first(&mut fields);
        if record.is_none() {
            fields.0 = &[];
        }
        Some(record.ok_or(Malformed))
    })
}

fn first<'a>(fields: &mut Fields<'a>) -> Option<ArchivedRecord<'a>> {
    let index = u64::from_le_bytes(fields.array().ok()?);
    let length = usize::try_from(u32::from_le_bytes(fields.array().ok()?)).ok()?;
    let record = fields.take(length).ok()?;
    Some(ArchivedRecord { index, record })
}

/// Why the archive's records of a file could not all be handed out.
#[derive(Debug, thiserror::Error)]
pub enum ArchivedError<E> {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("a record of the archive is malformed")]
    Malformed(#[from] Malformed),
    /// What took the records stopped.
    #[error(transparent)]
    Stopped(E),
}

/// What [`crate::read_archived`] does with a file that was opened.
pub(crate) fn read<R: Read, E>(
    mut reader: Reader<R>,
    mut visit: impl FnMut(ArchivedRecord<'_>) -> Result<(), E>,
) -> Result<(), ArchivedError<E>> {
    while let Some(block) = reader.next_block()? {
        if block.part == Part::Archived {
            for record in records(&block.bytes) {
                visit(record?).map_err(ArchivedError::Stopped)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_follow_each_other_and_a_cut_ends_them() {
        let one = [&7u64.to_le_bytes()[..], &2u32.to_le_bytes(), b"hi"].concat();
        let two = [&one[..], &8u64.to_le_bytes(), &0u32.to_le_bytes()].concat();
        let read: Result<Vec<_>, _> = records(&two).collect();
        let expected = [(7, &b"hi"[..]), (8, &b""[..])];
        let expected = expected.map(|(index, record)| ArchivedRecord { index, record });
        assert_eq!(read.unwrap(), expected);
        for cut in 1..one.len() {
            let read: Vec<_> = records(&one[..cut]).collect();
            assert_eq!(read, [Err(Malformed)], "cut {cut}");
        }
    }
}
