//! A piece of the log: entries as the log writes them, behind a head that says which.
//!
//! **Invariant**: the head holds the hash of the entries, the hash of the piece before it, and is hashed
//! itself; a chain of heads is checked without an entry, and an entry against its head.

use std::ops::RangeInclusive;

use super::{HASH_BYTES, Hash, ObjectDamage};
use crate::format::Fields;
use crate::limits::SEGMENT_BYTES_MAX;

const MAGIC: [u8; 8] = *b"HFLOGS\r\n";
const VERSION: u16 = 1;
const PREFIX_BYTES: usize = 8 + 2 + 4;
const BODY_BYTES: usize = 16 + 2 + 4 * 8 + HASH_BYTES + 8 + HASH_BYTES;
const SIGNED_BYTES: usize = PREFIX_BYTES + BODY_BYTES;
/// Bytes before the first entry, in version 1.
pub const HEAD_BYTES: usize = SIGNED_BYTES + HASH_BYTES;

/// What a piece says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHead {
    /// The cluster whose log it is; a node that is alone is a cluster of its own.
    pub cluster: u128,
    /// The Raft group.
    pub group: u16,
    /// Index of the first entry.
    pub first: u64,
    /// Index of the last entry.
    pub last: u64,
    /// The log's clock before the first entry, milliseconds.
    pub from_ms: u64,
    /// The log's clock after the last entry.
    pub to_ms: u64,
    /// Of the piece before it; [`Hash::NONE`] where it follows none.
    pub previous: Hash,
    /// Bytes of the entries.
    pub bytes: u64,
    /// Over the entries.
    pub contents: Hash,
}

impl SegmentHead {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&u32::try_from(BODY_BYTES).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&self.cluster.to_le_bytes());
        out.extend_from_slice(&self.group.to_le_bytes());
        for word in [self.first, self.last, self.from_ms, self.to_ms] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.previous.0);
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.contents.0);
        let link = Hash::of(&out);
        out.extend_from_slice(&link.0);
        out
    }

    /// The head at the beginning of a piece, checked, and its hash: what the next piece names.
    pub fn read(bytes: &[u8]) -> Result<(Self, Hash), ObjectDamage> {
        let mut fields = Fields(bytes);
        if fields.array() != Ok(MAGIC) {
            return Err(ObjectDamage::Magic);
        }
        let version = u16::from_le_bytes(fields.array()?);
        if version != VERSION {
            return Err(ObjectDamage::Version(version));
        }
        let length = u32::from_le_bytes(fields.array()?);
        if usize::try_from(length) != Ok(BODY_BYTES) {
            return Err(ObjectDamage::Head);
        }
        let signed = bytes.get(..SIGNED_BYTES).ok_or(ObjectDamage::Cut)?;
        let head = Self {
            cluster: u128::from_le_bytes(fields.array()?),
            group: u16::from_le_bytes(fields.array()?),
            first: u64::from_le_bytes(fields.array()?),
            last: u64::from_le_bytes(fields.array()?),
            from_ms: u64::from_le_bytes(fields.array()?),
            to_ms: u64::from_le_bytes(fields.array()?),
            previous: Hash(fields.array()?),
            bytes: u64::from_le_bytes(fields.array()?),
            contents: Hash(fields.array()?),
        };
        let link = Hash(fields.array()?);
        let is_right = link == Hash::of(signed) && head.first <= head.last;
        if is_right { Ok((head, link)) } else { Err(ObjectDamage::Head) }
    }

    /// Indexes of its entries.
    #[must_use]
    pub fn range(&self) -> RangeInclusive<u64> {
        self.first..=self.last
    }
}

/// Where a piece begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    pub cluster: u128,
    pub group: u16,
    /// Index of its first entry.
    pub first: u64,
    /// The log's clock before that entry, milliseconds.
    pub from_ms: u64,
    /// Of the piece before it, or [`Hash::NONE`].
    pub previous: Hash,
}

/// A piece in the making.
#[derive(Debug)]
pub struct SegmentWriter {
    start: Start,
    /// Room for the head, then entries.
    bytes: Vec<u8>,
    next: u64,
    to_ms: u64,
}

/// A piece that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub head: SegmentHead,
    /// Of its head: what the next piece names.
    pub link: Hash,
    pub bytes: Vec<u8>,
}

impl SegmentWriter {
    #[must_use]
    pub fn begin(start: Start) -> Self {
        let bytes = vec![0; HEAD_BYTES];
        Self { start, bytes, next: start.first, to_ms: start.from_ms }
    }

    /// The next entry as the log writes it; `at_ms` is the log's clock after it, where it has a stamp.
    pub fn put(&mut self, value: &[u8], at_ms: Option<u64>) {
        // An entry is a few MiB at most.
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(value);
        self.next = self.next.saturating_add(1);
        self.to_ms = self.to_ms.max(at_ms.unwrap_or(0));
    }

    /// Index of the entry that is put next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Bytes so far, its head included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == self.start.first
    }

    /// `None` where nothing was put.
    #[must_use]
    pub fn finish(mut self) -> Option<Sealed> {
        let last = self.next.checked_sub(1).filter(|_| !self.is_empty())?;
        let Start { cluster, group, first, from_ms, previous } = self.start;
        let entries = self.bytes.get(HEAD_BYTES..).unwrap_or_default();
        let head = SegmentHead {
            cluster,
            group,
            first,
            last,
            from_ms,
            to_ms: self.to_ms,
            previous,
            bytes: u64::try_from(entries.len()).unwrap_or(u64::MAX),
            contents: Hash::of(entries),
        };
        let encoded = head.encode();
        let link = encoded.get(SIGNED_BYTES..).and_then(|link| link.try_into().ok()).map(Hash)?;
        self.bytes.iter_mut().zip(encoded).for_each(|(at, byte)| *at = byte);
        Some(Sealed { head, link, bytes: self.bytes })
    }
}

/// A piece that was read, its bytes checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    pub head: SegmentHead,
    pub link: Hash,
    entries: Vec<&'a [u8]>,
}

impl<'a> Segment<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, ObjectDamage> {
        let (head, link) = SegmentHead::read(bytes)?;
        let contents = bytes.get(HEAD_BYTES..).ok_or(ObjectDamage::Cut)?;
        if u64::try_from(contents.len()) != Ok(head.bytes) || contents.len() > SEGMENT_BYTES_MAX {
            return Err(ObjectDamage::Cut);
        }
        if Hash::of(contents) != head.contents {
            return Err(ObjectDamage::Contents);
        }
        let mut entries = Vec::new();
        let mut fields = Fields(contents);
        while !fields.0.is_empty() {
            let length = u32::from_le_bytes(fields.array()?);
            entries.push(fields.take(usize::try_from(length).map_err(|_| ObjectDamage::Cut)?)?);
        }
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if head.last.checked_sub(head.first).and_then(|span| span.checked_add(1)) != Some(count) {
            return Err(ObjectDamage::Entries);
        }
        Ok(Self { head, link, entries })
    }

    /// Entries as the log writes them, with their indexes.
    pub fn entries(&self) -> impl Iterator<Item = (u64, &'a [u8])> {
        self.head.range().zip(self.entries.iter().copied())
    }

    /// The last entry as the log writes it.
    #[must_use]
    pub fn last(&self) -> Option<&'a [u8]> {
        self.entries.last().copied()
    }
}
