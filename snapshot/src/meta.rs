//! What a file says of itself: whose state it is, and as of which entry.

use crate::format::{Cut, Fields};

#[cfg(holdfast_format = "next")]
const NEXT_FIELD: u64 = u64::MAX;

/// The head of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The cluster whose state it is.
    pub cluster: u128,
    /// The Raft group.
    pub group: u16,
    /// Index of the last entry in it.
    pub index: u64,
    /// That entry's id, as the log writes it: opaque here.
    pub log_id: Vec<u8>,
    /// The membership as of that entry, as the log writes it: opaque here.
    pub membership: Vec<u8>,
    /// The log's clock at that entry, milliseconds.
    pub log_time_ms: u64,
}

impl Meta {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.log_id.len() + self.membership.len());
        bytes.extend_from_slice(&self.cluster.to_le_bytes());
        bytes.extend_from_slice(&self.group.to_le_bytes());
        bytes.extend_from_slice(&self.index.to_le_bytes());
        bytes.extend_from_slice(&self.log_time_ms.to_le_bytes());
        for opaque in [&self.log_id, &self.membership] {
            let length = u32::try_from(opaque.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(opaque);
        }
        #[cfg(holdfast_format = "next")]
        bytes.extend_from_slice(&NEXT_FIELD.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(version: u16, bytes: &[u8]) -> Result<Self, Cut> {
        let mut fields = Fields(bytes);
        let cluster = u128::from_le_bytes(fields.array()?);
        let group = u16::from_le_bytes(fields.array()?);
        let index = u64::from_le_bytes(fields.array()?);
        let log_time_ms = u64::from_le_bytes(fields.array()?);
        let mut opaque = || {
            let length = u32::from_le_bytes(fields.array()?);
            fields.take(usize::try_from(length).map_err(|_| Cut)?).map(<[u8]>::to_vec)
        };
        let (log_id, membership) = (opaque()?, opaque()?);
        fields.take(later_bytes(version))?;
        if !fields.0.is_empty() {
            return Err(Cut);
        }
        Ok(Self { cluster, group, index, log_id, membership, log_time_ms })
    }
}

/// Bytes that a later format has behind the fields of the first.
const fn later_bytes(version: u16) -> usize {
    match version {
        #[cfg(holdfast_format = "next")]
        2 => size_of::<u64>(),
        _ => 0,
    }
}
