//! What says that a snapshot in a backup is whole: written after it, and naming it.
//!
//! **Invariant**: a snapshot that no manifest names is not there; one is never changed.

use super::{Hash, ObjectDamage};
use crate::format::{Fields, SUM_BYTES};
use crate::limits::NAME_BYTES_MAX;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const MAGIC: [u8; 8] = *b"HFBKUP\r\n";
const VERSION: u16 = 1;

/// A snapshot of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The cluster whose state it is; a node that is alone is a cluster of its own.
    pub cluster: u128,
    pub group: u16,
    /// The last entry in it.
    pub index: u64,
    /// The log's clock at that entry, milliseconds.
    pub log_time_ms: u64,
    /// When it was written, by the writer's wall clock, milliseconds.
    pub written_ms: u64,
    /// Of the snapshot's file.
    pub bytes: u64,
    pub contents: Hash,
    /// Names the key that opens guests' data, and does not give it away; [`Hash::NONE`] where nobody said.
    pub keys: Hash,
    /// The object's name.
    pub name: String,
}

impl Manifest {
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(128 + self.name.len());
        body.extend_from_slice(&self.cluster.to_le_bytes());
        body.extend_from_slice(&self.group.to_le_bytes());
        for word in [self.index, self.log_time_ms, self.written_ms, self.bytes] {
            body.extend_from_slice(&word.to_le_bytes());
        }
        body.extend_from_slice(&self.contents.0);
        body.extend_from_slice(&self.keys.0);
        body.extend_from_slice(&length(&self.name));
        body.extend_from_slice(self.name.as_bytes());
        let mut out = Vec::with_capacity(body.len() + 32);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        // Far below 32 bits: its one variable field is a name.
        out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&body);
        let sum = xxh3_64_with_seed(&out, 0);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    pub fn read(bytes: &[u8]) -> Result<Self, ObjectDamage> {
        let mut fields = Fields(bytes);
        if fields.array() != Ok(MAGIC) {
            return Err(ObjectDamage::Magic);
        }
        let version = u16::from_le_bytes(fields.array()?);
        if version != VERSION {
            return Err(ObjectDamage::Version(version));
        }
        let summed = bytes.len().checked_sub(SUM_BYTES).ok_or(ObjectDamage::Cut)?;
        let (summed, sum) = bytes.split_at_checked(summed).ok_or(ObjectDamage::Cut)?;
        if sum != xxh3_64_with_seed(summed, 0).to_le_bytes() {
            return Err(ObjectDamage::Contents);
        }
        let length = u32::from_le_bytes(fields.array()?);
        let body = fields.take(usize::try_from(length).map_err(|_| ObjectDamage::Cut)?)?;
        let mut fields = Fields(body);
        let manifest = Self {
            cluster: u128::from_le_bytes(fields.array()?),
            group: u16::from_le_bytes(fields.array()?),
            index: u64::from_le_bytes(fields.array()?),
            log_time_ms: u64::from_le_bytes(fields.array()?),
            written_ms: u64::from_le_bytes(fields.array()?),
            bytes: u64::from_le_bytes(fields.array()?),
            contents: Hash(fields.array()?),
            keys: Hash(fields.array()?),
            name: {
                let length = u32::from_le_bytes(fields.array()?);
                let length = usize::try_from(length).ok().filter(|long| *long <= NAME_BYTES_MAX);
                let name = fields.take(length.ok_or(ObjectDamage::Cut)?)?;
                std::str::from_utf8(name).map_err(|_| ObjectDamage::Head)?.to_owned()
            },
        };
        if fields.0.is_empty() { Ok(manifest) } else { Err(ObjectDamage::Head) }
    }
}

fn length(name: &str) -> [u8; 4] {
    u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes()
}
