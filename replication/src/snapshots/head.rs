//! The place in the log that a snapshot's head carries: log id and membership, as the log writes them.
//!
//! It owns their bytes (docs/snapshot-format.md says where they lie); it refuses to read a file.

use holdfast_snapshot::Meta;

use crate::GroupId;
use crate::log::{Damage, record};
use crate::raft_types::{Entry, EntryPayload, LogId, StoredMembership};

const LOG_ID_KEY: &[u8] = b"snapshot-log-id";
const MEMBERSHIP_KEY: &[u8] = b"snapshot-membership";

/// The head of a snapshot as of the entry `last`.
pub(crate) fn meta(
    (cluster, group): (u128, GroupId),
    last: LogId,
    membership: &StoredMembership,
    at_ms: u64,
) -> Meta {
    let mut log_id = Vec::new();
    record::put_log_id(LOG_ID_KEY, &last, &mut log_id);
    Meta {
        cluster,
        group: group.0,
        index: last.index,
        log_id,
        membership: put_membership(membership),
        log_time_ms: at_ms,
    }
}

/// Log id and membership out of a head.
pub(crate) fn place(meta: &Meta) -> Result<(LogId, StoredMembership), Damage> {
    let last = record::get_log_id(LOG_ID_KEY, &meta.log_id)?;
    if last.index != meta.index {
        return Err(Damage::Malformed);
    }
    Ok((last, get_membership(&meta.membership)?))
}

/// As an entry that carries it, and its index; nothing where there is none yet.
fn put_membership(membership: &StoredMembership) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(log_id) = *membership.log_id() {
        let payload = EntryPayload::Membership(membership.membership().clone());
        record::put_entry(MEMBERSHIP_KEY, &Entry { log_id, payload }, &mut bytes);
        bytes.extend_from_slice(&log_id.index.to_le_bytes());
    }
    bytes
}

fn get_membership(bytes: &[u8]) -> Result<StoredMembership, Damage> {
    if bytes.is_empty() {
        return Ok(StoredMembership::default());
    }
    let (value, index) = bytes.split_last_chunk::<8>().ok_or(Damage::Malformed)?;
    let entry = record::get_entry(MEMBERSHIP_KEY, u64::from_le_bytes(*index), value)?;
    match entry.payload {
        EntryPayload::Membership(membership) => {
            Ok(StoredMembership::new(Some(entry.log_id), membership))
        }
        _ => Err(Damage::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::member::Member;
    use crate::raft_types::{Leader, Membership};

    #[test]
    fn a_place_in_the_log_comes_back_and_damage_does_not() {
        let last = LogId::new(Leader { term: 3, node_id: 2 }, 77);
        let nodes = BTreeMap::from([(1, Member { address: "n1:1".into(), disk: 5 })]);
        let membership = Membership::new(vec![BTreeSet::from([1])], nodes).expect("valid");
        let at = LogId::new(Leader { term: 1, node_id: 1 }, 4);
        for stored in [StoredMembership::default(), StoredMembership::new(Some(at), membership)] {
            let whole = meta((9, GroupId(1)), last, &stored, 1_000);
            assert_eq!(place(&whole), Ok((last, stored)));
            let other = Meta { index: 78, ..whole.clone() };
            assert!(place(&other).is_err(), "another index");
            for byte in 0..whole.log_id.len() {
                let mut damaged = whole.clone();
                damaged.log_id[byte] ^= 1;
                assert!(place(&damaged).is_err(), "log id, byte {byte}");
            }
            // The index behind it is under the checksum of the file's head alone.
            for byte in 0..whole.membership.len().saturating_sub(8) {
                let mut damaged = whole.clone();
                damaged.membership[byte] ^= 1;
                assert!(place(&damaged).is_err(), "membership, byte {byte}");
            }
        }
    }
}
