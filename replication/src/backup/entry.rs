//! An entry of the log outside a log: as it lies in a piece of a backup.

use holdfast_engine::Batch;

use crate::GroupId;
use crate::log::{Damage, keys, record};
use crate::raft_types::{Entry, EntryPayload};

/// An entry that was read from a backup, its checksum checked.
#[derive(Debug, Clone)]
pub struct StoredEntry(Entry);

impl StoredEntry {
    /// Reads the value that the log of `group` has under `index`.
    pub fn read(group: GroupId, index: u64, value: &[u8]) -> Result<Self, Damage> {
        record::get_entry(&keys::entry(group, index), index, value).map(Self)
    }

    #[must_use]
    pub fn index(&self) -> u64 {
        self.0.log_id.index
    }

    /// When the leader stamped it, in the log's time; an entry without commands has no stamp.
    #[must_use]
    pub fn at_ms(&self) -> Option<u64> {
        match &self.0.payload {
            EntryPayload::Normal(payload) => payload.at_ms(),
            EntryPayload::Blank | EntryPayload::Membership(_) => None,
        }
    }

    /// Its commands, where it has any.
    pub(crate) fn batch(&self) -> Result<Option<&Batch>, holdfast_engine::codec::Error> {
        match &self.0.payload {
            EntryPayload::Normal(payload) => payload.batch().map(Some),
            EntryPayload::Blank | EntryPayload::Membership(_) => Ok(None),
        }
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.0
    }

    /// The same entry for another cluster: one that names members names none.
    pub(crate) fn for_another_cluster(&self) -> Entry {
        let payload = match &self.0.payload {
            EntryPayload::Normal(payload) => EntryPayload::Normal(payload.clone()),
            EntryPayload::Blank | EntryPayload::Membership(_) => EntryPayload::Blank,
        };
        Entry { log_id: self.0.log_id, payload }
    }
}
