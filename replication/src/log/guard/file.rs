//! The guard's bytes, and how they get to disk whole or not at all.
//!
//! It owns encoding and reading. A file that does not read back exactly is damage,
//! never an empty guard.

use std::io;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

#[cfg(not(holdfast_sim))]
use super::whole_file;
use super::{Mark, Marks};
use crate::GroupId;
use crate::limits::GUARD_BYTES_MAX;
use crate::raft_types::{Leader, LogId, Vote};
#[cfg(holdfast_sim)]
use crate::sim::whole_file;

const MAGIC: &[u8; 7] = b"HFGUARD";
const VERSION: u8 = 1;
const HAS_LAST: u8 = 1;
const HAS_VOTE: u8 = 2;
const VOTE_COMMITTED: u8 = 4;
const SUM_BYTES: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("the guard file cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the guard file is damaged")]
    Damaged,
    #[error("the guard file has format version {0}; this build reads {VERSION}")]
    Version(u8),
}

/// The marks in the file, or `None` where there is no file.
pub(crate) fn read(path: &Path) -> Result<Option<Marks>, GuardError> {
    match whole_file::read(path, GUARD_BYTES_MAX)? {
        Some(bytes) => decode(&bytes).map(Some),
        None => Ok(None),
    }
}

/// Replaces the file: a crash at any moment leaves the old one or the new one, whole and synced.
pub(crate) fn replace(path: &Path, marks: &Marks) -> io::Result<()> {
    whole_file::replace(path, &encode(marks))
}

fn encode(marks: &Marks) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + marks.len() * 48);
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    // Groups are numbered by u16, so their count fits but for one that nobody runs.
    out.extend_from_slice(&u16::try_from(marks.len()).unwrap_or(u16::MAX).to_le_bytes());
    for (group, mark) in marks {
        let vote_committed = mark.vote.is_some_and(|vote| vote.committed);
        out.extend_from_slice(&group.0.to_le_bytes());
        out.push(
            flag(mark.last.is_some(), HAS_LAST)
                | flag(mark.vote.is_some(), HAS_VOTE)
                | flag(vote_committed, VOTE_COMMITTED),
        );
        let nobody = Leader { term: 0, node_id: 0 };
        let last = mark.last.unwrap_or(LogId::new(nobody, 0));
        let vote = mark.vote.map_or(nobody, |vote| vote.leader_id);
        let words =
            [last.leader_id.term, last.leader_id.node_id, last.index, vote.term, vote.node_id];
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
    out.extend_from_slice(&xxh3_64(&out).to_le_bytes());
    out
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

fn decode(bytes: &[u8]) -> Result<Marks, GuardError> {
    let body = bytes.len().checked_sub(SUM_BYTES).ok_or(GuardError::Damaged)?;
    let (body, sum) = bytes.split_at_checked(body).ok_or(GuardError::Damaged)?;
    let mut rest = body.strip_prefix(MAGIC).ok_or(GuardError::Damaged)?;
    if sum != xxh3_64(body).to_le_bytes() {
        return Err(GuardError::Damaged);
    }
    let [version] = take(&mut rest)?;
    if version != VERSION {
        return Err(GuardError::Version(version));
    }
    let mut marks = Marks::new();
    for _ in 0..u16::from_le_bytes(take(&mut rest)?) {
        let group = GroupId(u16::from_le_bytes(take(&mut rest)?));
        let [flags] = take(&mut rest)?;
        let leader_id = leader(&mut rest)?;
        let last = LogId::new(leader_id, word(&mut rest)?);
        let vote = Vote { leader_id: leader(&mut rest)?, committed: flags & VOTE_COMMITTED != 0 };
        let mark = Mark {
            last: (flags & HAS_LAST != 0).then_some(last),
            vote: (flags & HAS_VOTE != 0).then_some(vote),
        };
        marks.insert(group, mark);
    }
    if rest.is_empty() { Ok(marks) } else { Err(GuardError::Damaged) }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], GuardError> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(GuardError::Damaged)?;
    *rest = left;
    Ok(*taken)
}

fn word(rest: &mut &[u8]) -> Result<u64, GuardError> {
    take(rest).map(u64::from_le_bytes)
}

fn leader(rest: &mut &[u8]) -> Result<Leader, GuardError> {
    Ok(Leader { term: word(rest)?, node_id: word(rest)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        let leader_id = Leader { term: 4, node_id: 1 };
        let vote = Some(Vote { leader_id, committed: true });
        Marks::from([
            (GroupId(0), Mark { last: Some(LogId::new(leader_id, 812)), vote }),
            (GroupId(3), Mark::default()),
        ])
    }

    #[test]
    fn marks_survive_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("guard");
        assert_eq!(read(&path).expect("no file is no damage"), None);
        replace(&path, &Marks::new()).expect("written");
        replace(&path, &marks()).expect("replaced");
        assert_eq!(read(&path).expect("readable"), Some(marks()));
    }

    #[test]
    fn the_bytes_of_format_one_never_change() {
        let bytes = encode(&marks());
        let (body, sum) = bytes.split_at(bytes.len() - SUM_BYTES);
        let word = |value: u64| value.to_le_bytes().to_vec();
        let golden = [
            b"HFGUARD\x01\x02\x00".to_vec(),
            [vec![0, 0, 7], word(4), word(1), word(812), word(4), word(1)].concat(),
            [vec![3, 0, 0], word(0), word(0), word(0), word(0), word(0)].concat(),
        ];
        assert_eq!(body, golden.concat());
        assert_eq!(sum, xxh3_64(body).to_le_bytes());
    }

    #[test]
    fn any_flipped_bit_or_cut_is_damage_and_never_an_empty_guard() {
        let whole = encode(&marks());
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped).is_err(), "bit {bit}");
        }
        for cut in 0..whole.len() {
            assert!(decode(&whole[..cut]).is_err(), "cut {cut}");
        }
    }
}
