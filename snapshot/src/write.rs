//! Writing a state: records gathered into blocks, each with its checksum, all with another.
//!
//! It owns the order of bytes and no file: what it writes to may be a file, a connection or memory. In
//! memory it holds one block.

use std::io::{self, Write};

use holdfast_engine::state::{Capture, Part};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::format::{BLOCK_HEAD_BYTES, END, END_BYTES, MAGIC, VERSION};
use crate::limits::{BLOCK_BYTES, BLOCK_BYTES_MAX, HEAD_BYTES_MAX};
use crate::{Block, Meta};

/// Why a state cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("a record of the {part:?} has {bytes} bytes, more than {BLOCK_BYTES_MAX}")]
    RecordTooLong { part: Part, bytes: usize },
    #[error("the head has {bytes} bytes, more than {HEAD_BYTES_MAX}")]
    HeadTooLong { bytes: usize },
    #[error("the records stand at entry {found}, the head says {index}")]
    AnotherIndex { index: u64, found: u64 },
    #[error("the archive cannot be read: {0}")]
    Archive(String),
}

/// What a file has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    pub blocks: u64,
    pub records: u64,
    /// Of the whole file.
    pub bytes: u64,
    /// XXH3-128 over everything before the end.
    pub checksum: u128,
}

/// A file in the making.
pub struct Writer<W> {
    out: W,
    whole: Xxh3,
    /// The block that is being gathered, its head included.
    block: Vec<u8>,
    part: Option<Part>,
    block_records: u32,
    /// A record of the archive being put together, kept for its capacity.
    archived: Vec<u8>,
    sums: Summary,
}

impl<W: Write> Writer<W> {
    /// Writes the head.
    pub fn begin(out: W, meta: &Meta) -> Result<Self, WriteError> {
        let body = meta.encode();
        let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= HEAD_BYTES_MAX);
        let length = length.ok_or(WriteError::HeadTooLong { bytes: body.len() })?;
        let mut head = Vec::with_capacity(body.len() + 64);
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&length.to_le_bytes());
        head.extend_from_slice(&body);
        let sum = xxh3_64_with_seed(&head, 0);
        head.extend_from_slice(&sum.to_le_bytes());
        let mut writer = Self {
            out,
            whole: Xxh3::new(),
            block: Vec::with_capacity(BLOCK_BYTES + BLOCK_HEAD_BYTES),
            part: None,
            block_records: 0,
            archived: Vec::new(),
            sums: Summary { blocks: 0, records: 0, bytes: 0, checksum: 0 },
        };
        writer.write(&head)?;
        Ok(writer)
    }

    /// Writes everything a capture hands out, what `rest` adds, and the end.
    pub fn capture(
        out: W,
        meta: &Meta,
        capture: Capture,
        rest: impl FnOnce(&mut Self) -> Result<(), WriteError>,
    ) -> Result<(W, Summary), WriteError> {
        let (index, found) = (meta.index, capture.index());
        if index != found {
            return Err(WriteError::AnotherIndex { index, found });
        }
        let mut writer = Self::begin(out, meta)?;
        capture.write(|part, record| writer.put(part, record))?;
        rest(&mut writer)?;
        writer.finish()
    }

    /// One more record of the archive, and the index of the entry that archived it; after all parts of a
    /// capture.
    pub fn put_archived(&mut self, index: u64, record: &[u8]) -> Result<(), WriteError> {
        self.archived.clear();
        self.archived.extend_from_slice(&index.to_le_bytes());
        // A length past 32 bits is past the bound of a record too, and refused as that.
        let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
        self.archived.extend_from_slice(&length.to_le_bytes());
        self.archived.extend_from_slice(record);
        let whole = std::mem::take(&mut self.archived);
        let put = self.put(Part::Archived, &whole);
        self.archived = whole;
        put
    }

    /// One more record; parts in their order.
    pub fn put(&mut self, part: Part, record: &[u8]) -> Result<(), WriteError> {
        if record.len() > BLOCK_BYTES_MAX {
            return Err(WriteError::RecordTooLong { part, bytes: record.len() });
        }
        let is_full = self.block.len() + record.len() > BLOCK_BYTES + BLOCK_HEAD_BYTES;
        if self.part != Some(part) || is_full {
            self.end_block()?;
            self.part = Some(part);
        }
        if self.block.is_empty() {
            self.block.resize(BLOCK_HEAD_BYTES, 0);
        }
        self.block.extend_from_slice(record);
        self.block_records += 1;
        Ok(())
    }

    /// A whole block, as it was read from another file.
    pub fn put_block(&mut self, block: &Block) -> Result<(), WriteError> {
        self.end_block()?;
        self.part = Some(block.part);
        self.block.resize(BLOCK_HEAD_BYTES, 0);
        self.block.extend_from_slice(&block.bytes);
        self.block_records = block.records;
        self.end_block()
    }

    fn end_block(&mut self) -> Result<(), WriteError> {
        let Some(part) = self.part.filter(|_| self.block_records > 0) else { return Ok(()) };
        let mut block = std::mem::take(&mut self.block);
        // No block is longer than 32 bits say, by the bound on its records.
        let length = u32::try_from(block.len() - BLOCK_HEAD_BYTES).unwrap_or(u32::MAX);
        let head = std::iter::once(part.tag())
            .chain(self.block_records.to_le_bytes())
            .chain(length.to_le_bytes());
        block.iter_mut().zip(head).for_each(|(at, byte)| *at = byte);
        self.sums.blocks += 1;
        // The ordinal is the seed, so that a block at another's place is seen.
        let sum = xxh3_64_with_seed(&block, self.sums.blocks);
        block.extend_from_slice(&sum.to_le_bytes());
        self.write(&block)?;
        self.sums.records += u64::from(self.block_records);
        self.block_records = 0;
        block.clear();
        self.block = block;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.whole.update(bytes);
        self.sums.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.out.write_all(bytes)
    }

    /// Writes the end; what was written to, and what there is.
    pub fn finish(mut self) -> Result<(W, Summary), WriteError> {
        self.end_block()?;
        self.sums.checksum = self.whole.digest128();
        let mut end = Vec::with_capacity(1 + END_BYTES + 8);
        end.push(END);
        for number in [self.sums.blocks, self.sums.records, self.sums.bytes] {
            end.extend_from_slice(&number.to_le_bytes());
        }
        end.extend_from_slice(&self.sums.checksum.to_le_bytes());
        let sum = xxh3_64_with_seed(&end, 0);
        end.extend_from_slice(&sum.to_le_bytes());
        self.write(&end)?;
        self.out.flush()?;
        Ok((self.out, self.sums))
    }
}
