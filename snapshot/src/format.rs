//! The bytes that every file has: magic, version, tags. docs/snapshot-format.md draws them.
//!
//! It owns numbers and the reading of fixed fields; it refuses to read or write a file.

/// First bytes of every file. The line ends are there to be broken by whoever takes it for text.
pub const MAGIC: [u8; 8] = *b"HFSNAP\r\n";
/// The format that this build writes, and the newest that it reads.
#[cfg(not(holdfast_format = "next"))]
pub const VERSION: u16 = 1;
/// As a later build would, for the test of an upgrade: the head ends with a field more.
#[cfg(holdfast_format = "next")]
pub const VERSION: u16 = 2;
/// The oldest format that this build reads.
pub const VERSION_OLDEST: u16 = 1;
/// Bytes before the head's body: magic, version, length of the body.
pub const PREFIX_BYTES: usize = 8 + 2 + 4;
/// Bytes before a block's records: tag, number of records, their length.
pub const BLOCK_HEAD_BYTES: usize = 1 + 4 + 4;
/// The tag of what ends a file; blocks have those of the engine's parts.
pub const END: u8 = 0;
/// Bytes of the end after its tag: blocks, records, bytes before the end, checksum of the whole.
pub const END_BYTES: usize = 8 + 8 + 8 + 16;
/// Bytes of a checksum.
pub const SUM_BYTES: usize = 8;

/// Bytes end before the field does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut;

/// Fields one after another.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Cut> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Cut)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Cut> {
        self.take(N)?.try_into().map_err(|_| Cut)
    }
}
