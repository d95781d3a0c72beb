//! The place in the log that a snapshot's head carries: log id and members, as the log writes them.
//!
//! ```text
//! log id  | the log's envelope under `snapshot-log-id` |
//! members | the log's envelope under `snapshot-members`: highest id u64 | index u64 | entry |
//! entry   | the one that names the members, the log's envelope under `snapshot-membership`; or nothing |
//! ```
//!
//! It owns these bytes; it refuses to read a file. Files of earlier builds have `entry | index u64` for members,
//! or nothing: the highest id is then that of the members they name.

use holdfast_snapshot::Meta;

use crate::GroupId;
use crate::log::{Damage, record};
use crate::raft_types::{Entry, EntryPayload, LogId, StoredMembership};
use crate::roster::Roster;

const LOG_ID_KEY: &[u8] = b"snapshot-log-id";
const MEMBERS_KEY: &[u8] = b"snapshot-members";
const MEMBERSHIP_KEY: &[u8] = b"snapshot-membership";

/// The head of a snapshot as of the entry `last`.
pub(crate) fn meta(
    (cluster, group): (u128, GroupId),
    last: LogId,
    roster: &Roster,
    at_ms: u64,
) -> Meta {
    let mut log_id = Vec::new();
    record::put_log_id(LOG_ID_KEY, &last, &mut log_id);
    Meta {
        cluster,
        group: group.0,
        index: last.index,
        log_id,
        membership: put_roster(roster),
        log_time_ms: at_ms,
    }
}

/// Log id and members out of a head.
pub(crate) fn place(meta: &Meta) -> Result<(LogId, Roster), Damage> {
    let last = record::get_log_id(LOG_ID_KEY, &meta.log_id)?;
    if last.index != meta.index {
        return Err(Damage::Malformed);
    }
    Ok((last, get_roster(&meta.membership)?))
}

fn put_roster(roster: &Roster) -> Vec<u8> {
    let (mut index, mut entry) = (0, Vec::new());
    let membership = roster.membership();
    if let Some(log_id) = *membership.log_id() {
        let payload = EntryPayload::Membership(membership.membership().clone());
        record::put_entry(MEMBERSHIP_KEY, &Entry { log_id, payload }, &mut entry);
        index = log_id.index;
    }
    let mut bytes = Vec::new();
    record::begin(&mut bytes);
    bytes.extend_from_slice(&roster.highest().to_le_bytes());
    bytes.extend_from_slice(&index.to_le_bytes());
    bytes.extend_from_slice(&entry);
    record::seal(MEMBERS_KEY, &mut bytes);
    bytes
}

fn get_roster(bytes: &[u8]) -> Result<Roster, Damage> {
    let Ok(body) = record::open(MEMBERS_KEY, bytes) else { return get_earlier(bytes) };
    let (highest, body) = body.split_first_chunk().ok_or(Damage::Malformed)?;
    let (index, entry) = body.split_first_chunk().ok_or(Damage::Malformed)?;
    let highest = u64::from_le_bytes(*highest);
    Ok(Roster::after(highest, get_membership(entry, u64::from_le_bytes(*index))?))
}

/// What earlier builds wrote.
fn get_earlier(bytes: &[u8]) -> Result<Roster, Damage> {
    let (entry, index) = match bytes.split_last_chunk() {
        Some((entry, index)) => (entry, u64::from_le_bytes(*index)),
        None if bytes.is_empty() => (bytes, 0),
        None => return Err(Damage::Malformed),
    };
    Ok(Roster::after(0, get_membership(entry, index)?))
}

fn get_membership(value: &[u8], index: u64) -> Result<StoredMembership, Damage> {
    if value.is_empty() {
        return Ok(StoredMembership::default());
    }
    let entry = record::get_entry(MEMBERSHIP_KEY, index, value)?;
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
            let roster = Roster::after(5, stored.clone());
            let whole = meta((9, GroupId(1)), last, &roster, 1_000);
            assert_eq!(place(&whole), Ok((last, roster)));
            let other = Meta { index: 78, ..whole.clone() };
            assert!(place(&other).is_err(), "another index");
            for byte in 0..whole.log_id.len() {
                let mut damaged = whole.clone();
                damaged.log_id[byte] ^= 1;
                assert!(place(&damaged).is_err(), "log id, byte {byte}");
            }
            for byte in 0..whole.membership.len() {
                let mut damaged = whole.clone();
                damaged.membership[byte] ^= 1;
                assert!(place(&damaged).is_err(), "members, byte {byte}");
            }
            let mut earlier = Vec::new();
            if let Some(log_id) = *stored.log_id() {
                let payload = EntryPayload::Membership(stored.membership().clone());
                record::put_entry(MEMBERSHIP_KEY, &Entry { log_id, payload }, &mut earlier);
                earlier.extend_from_slice(&log_id.index.to_le_bytes());
            }
            let earlier = Meta { membership: earlier, ..whole };
            assert_eq!(
                place(&earlier),
                Ok((last, Roster::after(0, stored))),
                "of an earlier build"
            );
        }
    }
}
