//! Reading a file: every block checked before anybody sees it, the end checked against all before it.
//!
//! In memory it holds one block. It refuses to guess: what is cut, damaged, of another version or followed
//! by anything is an error that says where.

use std::io::{self, BufReader, Read};
use std::path::Path;

use holdfast_engine::state::Part;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::files::{Files, Input};
use crate::format::{
    BLOCK_HEAD_BYTES, Cut, END, END_BYTES, Fields, MAGIC, PREFIX_BYTES, SUM_BYTES, VERSION,
    VERSION_OLDEST,
};
use crate::limits::{BLOCK_BYTES, BLOCK_BYTES_MAX, HEAD_BYTES_MAX};
use crate::{Meta, Summary};

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("it does not begin as a snapshot does")]
    Magic,
    #[error("format version {0} is not readable by this build, which reads up to {VERSION}")]
    Version(u16),
    #[error("the head does not match its checksum")]
    Head,
    #[error("it ends within block {block}")]
    Cut { block: u64 },
    #[error("block {block} does not match its checksum")]
    Block { block: u64 },
    #[error("block {block} has the unknown tag {tag}")]
    Tag { block: u64, tag: u8 },
    #[error("the end does not match what came before it")]
    End,
    #[error("something follows the end")]
    Trailing,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Io(io::Error),
    #[error("the snapshot is damaged: {0}")]
    Damaged(#[from] Damage),
}

/// Records of one part, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub part: Part,
    pub records: u32,
    /// One record after another.
    pub bytes: Vec<u8>,
}

/// A file being read.
pub struct Reader<R> {
    input: R,
    whole: Xxh3,
    meta: Meta,
    sums: Summary,
    is_at_end: bool,
}

impl<R: Read> Reader<R> {
    /// Reads and checks the head.
    pub fn open(mut input: R) -> Result<Self, ReadError> {
        let mut head = vec![0; PREFIX_BYTES];
        fill(&mut input, &mut head).map_err(|error| or_damage(error, Damage::Magic))?;
        let mut fields = Fields(&head);
        let cut = |_: Cut| Damage::Head;
        if fields.array().map_err(cut)? != MAGIC {
            return Err(Damage::Magic.into());
        }
        let version = u16::from_le_bytes(fields.array().map_err(cut)?);
        if !(VERSION_OLDEST..=VERSION).contains(&version) {
            return Err(Damage::Version(version).into());
        }
        let length = u32::from_le_bytes(fields.array().map_err(cut)?);
        let length = usize::try_from(length).ok().filter(|length| *length <= HEAD_BYTES_MAX);
        head.resize(PREFIX_BYTES + length.ok_or(Damage::Head)?, 0);
        let body = head.get_mut(PREFIX_BYTES..).unwrap_or_default();
        fill(&mut input, body).map_err(|error| or_damage(error, Damage::Head))?;
        let mut sum = [0; SUM_BYTES];
        fill(&mut input, &mut sum).map_err(|error| or_damage(error, Damage::Head))?;
        if u64::from_le_bytes(sum) != xxh3_64_with_seed(&head, 0) {
            return Err(Damage::Head.into());
        }
        let body = head.get(PREFIX_BYTES..).unwrap_or_default();
        let meta = Meta::decode(version, body).map_err(cut)?;
        let mut whole = Xxh3::new();
        whole.update(&head);
        whole.update(&sum);
        let bytes = bytes_of(&[&head, &sum]);
        let sums = Summary { blocks: 0, records: 0, bytes, checksum: 0 };
        Ok(Self { input, whole, meta, sums, is_at_end: false })
    }

    /// What the file says of itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// What was read so far; of the whole file once there are no more blocks.
    pub fn summary(&self) -> Summary {
        self.sums
    }

    /// The next block; `None` after the last, the end checked.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if self.is_at_end {
            return Ok(None);
        }
        let block = self.sums.blocks + 1;
        let cut = |error| or_damage(error, Damage::Cut { block });
        let mut tag = [0];
        fill(&mut self.input, &mut tag).map_err(cut)?;
        let [tag] = tag;
        if tag == END {
            self.read_end()?;
            return Ok(None);
        }
        let mut head = [0; BLOCK_HEAD_BYTES];
        let [first, rest @ ..] = &mut head;
        *first = tag;
        fill(&mut self.input, rest).map_err(cut)?;
        let [_, a, b, c, d, e, f, g, h] = head;
        let records = u32::from_le_bytes([a, b, c, d]);
        let length = usize::try_from(u32::from_le_bytes([e, f, g, h])).ok();
        let length = length.filter(|length| *length <= BLOCK_BYTES_MAX);
        let length = length.ok_or(Damage::Block { block })?;
        // Not taken at its word: a damaged length takes no memory that no file has.
        let mut bytes = Vec::with_capacity(length.min(BLOCK_BYTES + SUM_BYTES));
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        let read = (&mut self.input).take(wanted).read_to_end(&mut bytes).map_err(ReadError::Io)?;
        if read < length {
            return Err(Damage::Cut { block }.into());
        }
        let mut sum = [0; SUM_BYTES];
        fill(&mut self.input, &mut sum).map_err(cut)?;
        let mut hash = Xxh3::with_seed(block);
        hash.update(&head);
        hash.update(&bytes);
        if hash.digest() != u64::from_le_bytes(sum) {
            return Err(Damage::Block { block }.into());
        }
        [&head[..], &bytes, &sum].iter().for_each(|bytes| self.whole.update(bytes));
        self.sums.blocks = block;
        self.sums.records += u64::from(records);
        self.sums.bytes += bytes_of(&[&head, &bytes, &sum]);
        let part = Part::of_tag(tag).ok_or(Damage::Tag { block, tag })?;
        Ok(Some(Block { part, records, bytes }))
    }

    fn read_end(&mut self) -> Result<(), ReadError> {
        let bad = |error| or_damage(error, Damage::End);
        let mut end = [0; 1 + END_BYTES];
        let [_, rest @ ..] = &mut end;
        fill(&mut self.input, rest).map_err(bad)?;
        let mut sum = [0; SUM_BYTES];
        fill(&mut self.input, &mut sum).map_err(bad)?;
        self.sums.checksum = self.whole.digest128();
        let [_, rest @ ..] = &end;
        let mut fields = Fields(rest);
        let mut number = || fields.array().map(u64::from_le_bytes).map_err(|_| Damage::End);
        let said = [number()?, number()?, number()?];
        let whole = u128::from_le_bytes(fields.array().map_err(|_| Damage::End)?);
        let Summary { blocks, records, bytes, checksum } = self.sums;
        let is_right = u64::from_le_bytes(sum) == xxh3_64_with_seed(&end, 0)
            && said == [blocks, records, bytes]
            && whole == checksum;
        if !is_right {
            return Err(Damage::End.into());
        }
        if self.input.read(&mut [0]).map_err(ReadError::Io)? != 0 {
            return Err(Damage::Trailing.into());
        }
        self.sums.bytes += bytes_of(&[&end, &sum]);
        self.is_at_end = true;
        Ok(())
    }
}

fn bytes_of(parts: &[&[u8]]) -> u64 {
    parts.iter().map(|part| u64::try_from(part.len()).unwrap_or(u64::MAX)).sum()
}

fn fill(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<()> {
    input.read_exact(bytes)
}

/// A file that ends too early is damaged; one that cannot be read is another matter.
fn or_damage(error: io::Error, damage: Damage) -> ReadError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ReadError::Damaged(damage),
        _ => ReadError::Io(error),
    }
}

pub(crate) fn open(
    files: &dyn Files,
    path: &Path,
) -> Result<Reader<BufReader<Box<dyn Input>>>, ReadError> {
    let file = files.open(path).map_err(ReadError::Io)?;
    Reader::open(BufReader::with_capacity(BLOCK_BYTES, file))
}

/// Whether what begins so can be a file that this build reads, by its first bytes.
pub fn check_start(bytes: &[u8]) -> Result<(), Damage> {
    let mut fields = Fields(bytes);
    if fields.array() != Ok(MAGIC) {
        return Err(Damage::Magic);
    }
    match fields.array().map(u16::from_le_bytes) {
        Ok(version) if (VERSION_OLDEST..=VERSION).contains(&version) => Ok(()),
        Ok(version) => Err(Damage::Version(version)),
        Err(_) => Err(Damage::Head),
    }
}

pub(crate) fn verify<R: Read>(mut reader: Reader<R>) -> Result<(Meta, Summary), ReadError> {
    while reader.next_block()?.is_some() {}
    Ok((reader.meta, reader.sums))
}
