//! Keys and values of the archive's RocksDB.
//!
//! ```text
//! key   | group u16 | booking id u128 |                          big-endian
//! value | version u8 = 1 | xxh3-64 of key and body, u64 | body |   the envelope of the log's values
//! body  | log index u64, little-endian | the engine's record |
//! ```
//!
//! **Invariant**: the bytes follow from the log alone, so that writing a record again writes the same.

use holdfast_engine::archive;
use holdfast_engine::booking::Booking;
use holdfast_engine::ids::BookingId;

use super::ArchiveError;
use crate::GroupId;
use crate::log::record;
use crate::log::record::Damage;

const KEY_BYTES: usize = 2 + 16;

/// Whose record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub group: GroupId,
    pub id: BookingId,
}

impl Key {
    pub fn bytes(self) -> [u8; KEY_BYTES] {
        let mut bytes = [0; KEY_BYTES];
        let (group, id) = bytes.split_at_mut(2);
        group.copy_from_slice(&self.group.0.to_be_bytes());
        id.copy_from_slice(&self.id.0.to_be_bytes());
        bytes
    }

    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (group, id) = bytes.split_at_checked(2)?;
        let group = GroupId(u16::from_be_bytes(group.try_into().ok()?));
        Some(Self { group, id: BookingId(u128::from_be_bytes(id.try_into().ok()?)) })
    }

    /// The first key of a group, and the first after all of its keys.
    pub fn range(group: GroupId) -> ([u8; KEY_BYTES], Vec<u8>) {
        let first = Self { group, id: BookingId(0) }.bytes();
        let end = match group.0.checked_add(1) {
            Some(next) => next.to_be_bytes().to_vec(),
            // Longer than every key of the last group.
            None => vec![u8::MAX; KEY_BYTES + 1],
        };
        (first, end)
    }
}

/// One record, as it lies in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept<'a> {
    pub key: Key,
    /// Of the entry that archived it.
    pub index: u64,
    /// What the engine digests.
    pub record: &'a [u8],
}

impl<'a> Kept<'a> {
    pub fn read(key: Key, value: &'a [u8]) -> Result<Self, ArchiveError> {
        let damaged = |damage| ArchiveError::Damaged { id: key.id, damage };
        let body = record::open(&key.bytes(), value).map_err(damaged)?;
        let (index, record) = body.split_first_chunk().ok_or_else(|| damaged(Damage::Malformed))?;
        Ok(Self { key, index: u64::from_le_bytes(*index), record })
    }

    pub fn booking(&self) -> Result<Booking, ArchiveError> {
        let id = self.key.id;
        archive::read(self.record)
            .map_err(|error| ArchiveError::Undecodable { id, error: error.to_string() })
    }
}

/// Writes the value of a booking that left at `index` into `out`, replacing what was there.
pub(super) fn put(key: Key, index: u64, booking: &Booking, out: &mut Vec<u8>) {
    put_bytes(key, (index, &archive::record(booking)), out);
}

/// The same of a booking's record.
pub(super) fn put_bytes(key: Key, (index, bytes): (u64, &[u8]), out: &mut Vec<u8>) {
    record::begin(out);
    out.extend_from_slice(&index.to_le_bytes());
    out.extend_from_slice(bytes);
    record::seal(&key.bytes(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_groups_stay_apart() {
        for group in [0, 7, u16::MAX] {
            let group = GroupId(group);
            let (from, end) = Key::range(group);
            for id in [0, 1, u128::MAX] {
                let key = Key { group, id: BookingId(id) };
                assert_eq!(Key::read(&key.bytes()), Some(key));
                assert!(from <= key.bytes() && key.bytes().as_slice() < end.as_slice());
            }
        }
        let (_, end) = Key::range(GroupId(7));
        assert!(end.as_slice() <= Key::range(GroupId(8)).0.as_slice());
        assert_eq!(Key::read(&[0; 17]), None);
    }

    #[test]
    fn a_value_is_the_envelope_the_index_and_the_record() {
        let key = Key { group: GroupId(1), id: BookingId(2) };
        let mut value = Vec::new();
        record::begin(&mut value);
        value.extend_from_slice(&[5, 0, 0, 0, 0, 0, 0, 0, 9, 9]);
        record::seal(&key.bytes(), &mut value);
        let kept = Kept::read(key, &value).expect("whole");
        assert_eq!((kept.index, kept.record), (5, &[9, 9][..]));
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Kept::read(key, &flipped).is_err(), "bit {bit}");
        }
        for cut in 0..value.len() {
            assert!(Kept::read(key, &value[..cut]).is_err(), "cut {cut}");
        }
        let other = Key { id: BookingId(3), ..key };
        assert!(Kept::read(other, &value).is_err(), "another's");
        assert!(kept.booking().is_err(), "no booking");
    }
}
