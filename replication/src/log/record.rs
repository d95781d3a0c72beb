//! The values of the log's RocksDB: one envelope, three kinds of body.
//!
//! ```text
//! envelope   | version u8 = 1 | xxh3-64 of key and body, u64 | body |
//! entry      | term u64 | node u64 | kind u8 | 0: nothing; 1: the payload's bytes; 3: a membership |
//! log id     | term u64 | node u64 | index u64 |
//! vote       | term u64 | node u64 | committed u8 |
//! membership | sets u16 | per set: n u16, n × id u64 | nodes u16 | per node: id u64, disk u128, n u16, n bytes |
//!              (kind 2, of earlier builds, has no disks)
//! ```
//!
//! Little-endian. The checksum takes the key in, so a value under a wrong index is seen as damage.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use crate::member::{ANY_DISK, Member};
use crate::payload::Payload;
use crate::raft_types::{Entry, EntryPayload, Leader, LogId, Membership, Vote};

/// The version that this build writes to its own disk, and the newest that it reads.
#[cfg(not(holdfast_format = "next"))]
const VERSION: u8 = 1;
/// As a later build would, for the test of an upgrade: the body has a byte before it.
#[cfg(holdfast_format = "next")]
const VERSION: u8 = NEXT;
/// The version in which others are given entries: frames and pieces of a backup carry this one, whatever a
/// node's own disk has, so that builds of two versions can be one cluster.
const SHARED_VERSION: u8 = 1;
#[cfg(holdfast_format = "next")]
const NEXT: u8 = 2;
const HEAD_BYTES: usize = 1 + 8;

const BLANK: u8 = 0;
const NORMAL: u8 = 1;
const MEMBERSHIP_WITHOUT_DISKS: u8 = 2;
const MEMBERSHIP: u8 = 3;

/// What is wrong with a stored value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("its checksum does not match")]
    Checksum,
    #[error("format version {0} is not readable by this build, which reads up to {VERSION}")]
    Version(u8),
    #[error("it is cut short or malformed")]
    Malformed,
}

/// Writes `entry`'s value for `key` into `out`, replacing what was there: for this node's own disk.
pub(crate) fn put_entry(key: &[u8], entry: &Entry, out: &mut Vec<u8>) {
    put_entry_as(VERSION, (key, entry), out);
}

/// The same for others to read: another node, or whoever restores a backup.
pub(crate) fn put_shared_entry(key: &[u8], entry: &Entry, out: &mut Vec<u8>) {
    put_entry_as(SHARED_VERSION, (key, entry), out);
}

fn put_entry_as(version: u8, (key, entry): (&[u8], &Entry), out: &mut Vec<u8>) {
    begin_as(version, out);
    put_leader(&entry.log_id.leader_id, out);
    match &entry.payload {
        EntryPayload::Blank => out.push(BLANK),
        EntryPayload::Normal(payload) => {
            out.push(NORMAL);
            out.extend_from_slice(payload.bytes());
        }
        EntryPayload::Membership(membership) => {
            out.push(MEMBERSHIP);
            put_membership(membership, out);
        }
    }
    seal(key, out);
}

pub(crate) fn get_entry(key: &[u8], index: u64, value: &[u8]) -> Result<Entry, Damage> {
    let mut body = Body(open(key, value)?);
    let leader_id = body.leader()?;
    let payload = match body.u8()? {
        BLANK => EntryPayload::Blank,
        NORMAL => EntryPayload::Normal(Payload::from_bytes(Bytes::copy_from_slice(body.rest()))),
        MEMBERSHIP => EntryPayload::Membership(body.membership(true)?),
        MEMBERSHIP_WITHOUT_DISKS => EntryPayload::Membership(body.membership(false)?),
        _ => return Err(Damage::Malformed),
    };
    body.end()?;
    Ok(Entry { log_id: LogId::new(leader_id, index), payload })
}

/// The log id alone, for the ends of the log.
pub(crate) fn get_entry_id(key: &[u8], index: u64, value: &[u8]) -> Result<LogId, Damage> {
    Ok(LogId::new(Body(open(key, value)?).leader()?, index))
}

pub(crate) fn put_vote(key: &[u8], vote: &Vote, out: &mut Vec<u8>) {
    begin(out);
    put_vote_fields(vote, out);
    seal(key, out);
}

pub(crate) fn get_vote(key: &[u8], value: &[u8]) -> Result<Vote, Damage> {
    let mut body = Body(open(key, value)?);
    let vote = body.vote()?;
    body.end()?;
    Ok(vote)
}

pub(crate) fn put_log_id(key: &[u8], log_id: &LogId, out: &mut Vec<u8>) {
    begin(out);
    put_log_id_fields(log_id, out);
    seal(key, out);
}

pub(crate) fn get_log_id(key: &[u8], value: &[u8]) -> Result<LogId, Damage> {
    let mut body = Body(open(key, value)?);
    let log_id = body.log_id()?;
    body.end()?;
    Ok(log_id)
}

/// Begins a value's envelope in `out`, replacing what was there; its body follows.
pub(crate) fn begin(out: &mut Vec<u8>) {
    begin_as(VERSION, out);
}

fn begin_as(version: u8, out: &mut Vec<u8>) {
    out.clear();
    out.push(version);
    out.extend_from_slice(&[0; 8]);
    #[cfg(holdfast_format = "next")]
    if version == NEXT {
        out.push(u8::MAX);
    }
}

/// Closes the envelope once its body is whole.
pub(crate) fn seal(key: &[u8], out: &mut [u8]) {
    if let Some((head, body)) = out.split_at_mut_checked(HEAD_BYTES)
        && let Some(sum) = head.get_mut(1..)
    {
        sum.copy_from_slice(&checksum(key, body).to_le_bytes());
    }
}

/// The body of a value that is whole.
pub(crate) fn open<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], Damage> {
    let (head, body) = value.split_at_checked(HEAD_BYTES).ok_or(Damage::Malformed)?;
    let (&version, sum) = head.split_first().ok_or(Damage::Malformed)?;
    // First of all: where the checksum lies is the version's to say.
    let body_at = match version {
        1 => 0,
        #[cfg(holdfast_format = "next")]
        NEXT => 1,
        later => return Err(Damage::Version(later)),
    };
    if sum != checksum(key, body).to_le_bytes() {
        return Err(Damage::Checksum);
    }
    body.get(body_at..).ok_or(Damage::Malformed)
}

fn checksum(key: &[u8], body: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(key);
    hasher.update(body);
    hasher.digest()
}

/// A vote's fields alone, for what is not stored under a key.
pub(crate) fn put_vote_fields(vote: &Vote, out: &mut Vec<u8>) {
    put_leader(&vote.leader_id, out);
    out.push(u8::from(vote.committed));
}

/// A log id's fields alone.
pub(crate) fn put_log_id_fields(log_id: &LogId, out: &mut Vec<u8>) {
    put_leader(&log_id.leader_id, out);
    out.extend_from_slice(&log_id.index.to_le_bytes());
}

fn put_leader(leader: &Leader, out: &mut Vec<u8>) {
    out.extend_from_slice(&leader.term.to_le_bytes());
    out.extend_from_slice(&leader.node_id.to_le_bytes());
}

fn put_membership(membership: &Membership, out: &mut Vec<u8>) {
    let sets = membership.get_joint_config();
    put_count(sets.len(), out);
    for set in sets {
        put_count(set.len(), out);
        for id in set {
            out.extend_from_slice(&id.to_le_bytes());
        }
    }
    put_count(membership.nodes().count(), out);
    for (id, node) in membership.nodes() {
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&node.disk.to_le_bytes());
        put_text(&node.address, out);
    }
}

/// A text's length and its bytes; addresses and messages are cut far below the width.
pub(crate) fn put_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let bytes = bytes.get(..usize::from(u16::MAX)).unwrap_or(bytes);
    put_count(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Counts in a membership are of nodes and of bytes of an address: far below the width.
fn put_count(count: usize, out: &mut Vec<u8>) {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    out.extend_from_slice(&count.to_le_bytes());
}

/// What of a body is not read yet.
pub(crate) struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn take(&mut self, bytes: usize) -> Result<&'a [u8], Damage> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(Damage::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        self.take(N)?.try_into().map_err(|_| Damage::Malformed)
    }

    pub fn u8(&mut self) -> Result<u8, Damage> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Result<u16, Damage> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Damage> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Damage> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn u128(&mut self) -> Result<u128, Damage> {
        self.array().map(u128::from_le_bytes)
    }

    fn leader(&mut self) -> Result<Leader, Damage> {
        Ok(Leader { term: self.u64()?, node_id: self.u64()? })
    }

    pub fn vote(&mut self) -> Result<Vote, Damage> {
        Ok(Vote { leader_id: self.leader()?, committed: self.u8()? != 0 })
    }

    pub fn log_id(&mut self) -> Result<LogId, Damage> {
        Ok(LogId::new(self.leader()?, self.u64()?))
    }

    fn membership(&mut self, with_disks: bool) -> Result<Membership, Damage> {
        let mut sets = Vec::new();
        for _ in 0..self.u16()? {
            let mut set = BTreeSet::new();
            for _ in 0..self.u16()? {
                set.insert(self.u64()?);
            }
            sets.push(set);
        }
        let mut nodes = BTreeMap::new();
        for _ in 0..self.u16()? {
            let id = self.u64()?;
            let disk = if with_disks { self.u128()? } else { ANY_DISK };
            nodes.insert(id, Member { address: self.text()?, disk });
        }
        Membership::new(sets, nodes).map_err(|_| Damage::Malformed)
    }

    /// A length and so many bytes of UTF-8.
    pub fn text(&mut self) -> Result<String, Damage> {
        let bytes = self.u16()?;
        let text = std::str::from_utf8(self.take(usize::from(bytes))?);
        Ok(text.map_err(|_| Damage::Malformed)?.to_owned())
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub fn end(&self) -> Result<(), Damage> {
        if self.0.is_empty() { Ok(()) } else { Err(Damage::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"key";

    fn leader() -> Leader {
        Leader { term: 3, node_id: 9 }
    }

    fn written(payload: EntryPayload) -> Vec<u8> {
        let mut out = Vec::new();
        put_entry(KEY, &Entry { log_id: LogId::new(leader(), 5), payload }, &mut out);
        out
    }

    fn membership() -> Membership {
        let sets = vec![BTreeSet::from([1, 2]), BTreeSet::from([2, 3])];
        let member = |id: u64| Member { address: format!("n{id}:1"), disk: u128::from(id) << 100 };
        let nodes = BTreeMap::from([1, 2, 3, 4].map(|id| (id, member(id))));
        Membership::new(sets, nodes).expect("valid")
    }

    #[test]
    fn entries_read_back() {
        let normal = EntryPayload::Normal(Payload::from_bytes(Bytes::from_static(b"commands")));
        let entry = get_entry(KEY, 5, &written(normal)).expect("readable");
        assert_eq!(entry.log_id, LogId::new(leader(), 5));
        let EntryPayload::Normal(payload) = entry.payload else { panic!("not normal") };
        assert_eq!(payload.bytes().as_ref(), b"commands");

        let read = get_entry(KEY, 5, &written(EntryPayload::Membership(membership())));
        let EntryPayload::Membership(read) = read.expect("readable").payload else {
            panic!("not a membership")
        };
        assert_eq!(read, membership());
        assert_eq!(
            get_entry_id(KEY, 5, &written(EntryPayload::Blank)),
            Ok(LogId::new(leader(), 5))
        );
    }

    #[test]
    fn votes_and_log_ids_read_back() {
        let mut out = Vec::new();
        for committed in [false, true] {
            put_vote(KEY, &Vote { leader_id: leader(), committed }, &mut out);
            assert_eq!(get_vote(KEY, &out), Ok(Vote { leader_id: leader(), committed }));
        }
        put_log_id(KEY, &LogId::new(leader(), 77), &mut out);
        assert_eq!(get_log_id(KEY, &out), Ok(LogId::new(leader(), 77)));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let whole =
            written(EntryPayload::Normal(Payload::from_bytes(Bytes::from_static(b"rooms"))));
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(get_entry(KEY, 5, &flipped).is_err(), "bit {bit}");
        }
        for cut in 0..whole.len() {
            assert!(get_entry(KEY, 5, &whole[..cut]).is_err(), "cut {cut}");
        }
        assert_eq!(get_entry(b"other", 5, &whole).unwrap_err(), Damage::Checksum);
    }

    #[test]
    fn the_bytes_of_format_one_never_change() {
        let head = [1, 55, 148, 111, 225, 95, 84, 144, 51];
        let body = [3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 7];
        let normal = EntryPayload::Normal(Payload::from_bytes(Bytes::from_static(&[7])));
        assert_eq!(written(normal), [&head[..], &body[..]].concat());
    }
}
