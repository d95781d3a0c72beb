//! What a backup is made of, besides snapshots: pieces of the log, and what names a snapshot as whole.
//!
//! It owns the bytes (docs/backup-format.md), the names of objects, and the rule by which pieces belong
//! together. It refuses to know where objects lie and what an entry means.
//!
//! **Invariant**: a piece says which piece it follows by that one's hash, so that a hole, a swap or another
//! cluster's piece between two others is found without reading an entry.

mod chain;
mod manifest;
mod segment;

use std::fmt;

pub use chain::{Broken, Chain, Chains};
pub use manifest::Manifest;
pub use segment::{HEAD_BYTES, Sealed, Segment, SegmentHead, SegmentWriter, Start};

use crate::format::Cut;

/// Folder of the pieces of the log.
pub const LOG: &str = "log";
/// Folder of the snapshots.
pub const SNAPSHOTS: &str = "snapshots";
/// Folder of what names snapshots as whole.
pub const MANIFESTS: &str = "manifests";

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash(pub [u8; HASH_BYTES]);

pub(crate) const HASH_BYTES: usize = 32;

impl Hash {
    /// What a piece names that follows none.
    pub const NONE: Self = Self([0; HASH_BYTES]);

    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// A BLAKE3 hash of bytes that come one after another.
#[derive(Debug, Clone, Default)]
pub struct Hashing(blake3::Hasher);

impl Hashing {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash(*self.0.finalize().as_bytes())
    }
}

/// The name of the piece that begins with an entry: whoever writes one takes it for all.
#[must_use]
pub fn segment_name(first: u64) -> String {
    format!("{LOG}/{first:020}.hflog")
}

/// The name of a snapshot's manifest.
#[must_use]
pub fn manifest_name(index: u64) -> String {
    format!("{MANIFESTS}/{index:020}.hfman")
}

/// A name for a snapshot; `tag` keeps two that were made at once apart.
#[must_use]
pub fn snapshot_name(index: u64, tag: u64) -> String {
    format!("{SNAPSHOTS}/{index:020}-{tag:016x}.hfsnap")
}

/// The index in a name of any of the three.
#[must_use]
pub fn index_of(name: &str) -> Option<u64> {
    let file = name.rsplit('/').next()?;
    let digits = file.get(..20)?;
    let is_ours = file.get(20..).is_some_and(|rest| rest.starts_with(['.', '-']));
    digits.parse().ok().filter(|_| is_ours)
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectDamage {
    #[error("it is something else")]
    Magic,
    #[error("its format version {0} is not readable by this build")]
    Version(u16),
    #[error("its head is damaged")]
    Head,
    #[error("it is cut short")]
    Cut,
    #[error("its contents are not those that were written")]
    Contents,
    #[error("its entries are not those that its head names")]
    Entries,
}

impl From<Cut> for ObjectDamage {
    fn from(_: Cut) -> Self {
        Self::Cut
    }
}
