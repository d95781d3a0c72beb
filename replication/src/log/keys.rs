//! The keys of the log's RocksDB.
//!
//! ```text
//! entry      | group u16 | 'e' | index u64 |     big-endian, so byte order is log order
//! vote       | group u16 | 'v' |
//! committed  | group u16 | 'c' |
//! purged     | group u16 | 'p' |
//! ```
//!
//! **Invariant**: every key starts with its group, so that no range of one group touches another's.

use crate::GroupId;

const ENTRY: u8 = b'e';
const ENTRY_END: u8 = ENTRY + 1;
const VOTE: u8 = b'v';
const COMMITTED: u8 = b'c';
const PURGED: u8 = b'p';

const ENTRY_KEY_BYTES: usize = 2 + 1 + 8;
const META_KEY_BYTES: usize = 2 + 1;

pub(crate) type EntryKey = [u8; ENTRY_KEY_BYTES];
pub(crate) type MetaKey = [u8; META_KEY_BYTES];

pub(crate) fn entry(group: GroupId, index: u64) -> EntryKey {
    let [g0, g1] = group.0.to_be_bytes();
    let [a, b, c, d, e, f, g, h] = index.to_be_bytes();
    [g0, g1, ENTRY, a, b, c, d, e, f, g, h]
}

/// The first key after all entries of `group`.
pub(crate) fn entries_end(group: GroupId) -> MetaKey {
    meta(group, ENTRY_END)
}

pub(crate) fn vote(group: GroupId) -> MetaKey {
    meta(group, VOTE)
}

pub(crate) fn committed(group: GroupId) -> MetaKey {
    meta(group, COMMITTED)
}

pub(crate) fn purged(group: GroupId) -> MetaKey {
    meta(group, PURGED)
}

fn meta(group: GroupId, kind: u8) -> MetaKey {
    let [g0, g1] = group.0.to_be_bytes();
    [g0, g1, kind]
}

/// The index in an entry's key; `None` where the key is not an entry of `group`.
pub(crate) fn entry_index(group: GroupId, key: &[u8]) -> Option<u64> {
    let key: &EntryKey = key.try_into().ok()?;
    let [g0, g1, kind, index @ ..] = *key;
    ([g0, g1] == group.0.to_be_bytes() && kind == ENTRY).then(|| u64::from_be_bytes(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_is_log_order_and_groups_stay_apart() {
        let ends = [0, 1, 255, 256, 1 << 32, u64::MAX];
        for pair in ends.windows(2) {
            assert!(entry(GroupId(7), pair[0]) < entry(GroupId(7), pair[1]));
        }
        assert!(entry(GroupId(7), u64::MAX).as_slice() < entries_end(GroupId(7)).as_slice());
        assert!(entries_end(GroupId(7)).as_slice() < entry(GroupId(8), 0).as_slice());
    }

    #[test]
    fn an_index_reads_back_only_in_its_group() {
        for index in [0, 1, 4_096, u64::MAX] {
            let key = entry(GroupId(513), index);
            assert_eq!(entry_index(GroupId(513), &key), Some(index));
            assert_eq!(entry_index(GroupId(514), &key), None);
        }
        assert_eq!(entry_index(GroupId(1), &vote(GroupId(1))), None);
    }
}
