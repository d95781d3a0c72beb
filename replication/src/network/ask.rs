//! What nodes ask each other besides Raft's own requests.
//!
//! ```text
//! request   | method u8 |
//!   clock      |                                 the wall, for the median of a new leader
//!   standing   |                                 whether the cluster was begun
//!   read index |                                 an index that a quorum confirms now
//!   forward    | n u32 | per command: length u32, command |
//!   members    |                                 who belongs to the group, and how far each is
//!   change     | see `members` |
//! answer
//!   clock      | wall u64, ms |
//!   standing   | has a log u8 |
//!   read index | 0, index u64, log time u64, ms  or  refusal |
//!   forward    | 0, index u64, first ordinal u32  or  refusal |
//! refusal   | 1, leader u64 (0: nobody known) | 2, retry u32, ms | 3, cause u8 | 4 | 5, n u64, bytes u64 | 6 | 7 |
//! ```
//!
//! Little-endian. Methods share their byte with [`crate::peer::message`], from 16 on.

pub(crate) mod members;

use std::time::Duration;

use bytes::{BufMut, Bytes};

use crate::log::record::{Body, Damage};
use crate::node::members::Change;
use crate::reads::{LeadershipError, ReadPoint};
use crate::submit::{SubmitError, UnknownCause};

pub(crate) const FIRST_METHOD: u8 = 16;
const CLOCK: u8 = FIRST_METHOD;
const STANDING: u8 = FIRST_METHOD + 1;
const READ_INDEX: u8 = FIRST_METHOD + 2;
const FORWARD: u8 = FIRST_METHOD + 3;
const MEMBERS: u8 = FIRST_METHOD + 4;
const CHANGE: u8 = FIRST_METHOD + 5;

/// A request of one node to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    Clock,
    Standing,
    ReadIndex,
    /// Commands that stay together in one entry, in order, each encoded with its version.
    Forward(Vec<Vec<u8>>),
    Members,
    Change(Change),
}

/// How another node stands to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// It has a log: the cluster was begun.
    pub has_log: bool,
}

/// Where forwarded commands stand in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forwarded {
    pub index: u64,
    pub first_ordinal: u32,
}

impl Ask {
    pub fn write(&self) -> Bytes {
        let mut out = Vec::with_capacity(64);
        match self {
            Self::Clock => out.push(CLOCK),
            Self::Standing => out.push(STANDING),
            Self::ReadIndex => out.push(READ_INDEX),
            Self::Members => out.push(MEMBERS),
            Self::Change(change) => {
                out.push(CHANGE);
                members::put_change(change, &mut out);
            }
            Self::Forward(commands) => {
                out.push(FORWARD);
                put_length(commands.len(), &mut out);
                for command in commands {
                    put_length(command.len(), &mut out);
                    out.put_slice(command);
                }
            }
        }
        out.into()
    }

    pub fn read(bytes: &[u8]) -> Result<Self, Damage> {
        let mut body = Body::new(bytes);
        let ask = match body.u8()? {
            CLOCK => Self::Clock,
            STANDING => Self::Standing,
            READ_INDEX => Self::ReadIndex,
            MEMBERS => Self::Members,
            CHANGE => Self::Change(members::get_change(&mut body)?),
            FORWARD => {
                let mut commands = Vec::new();
                for _ in 0..body.u32()? {
                    let length = usize::try_from(body.u32()?).map_err(|_| Damage::Malformed)?;
                    commands.push(body.take(length)?.to_vec());
                }
                Self::Forward(commands)
            }
            _ => return Err(Damage::Malformed),
        };
        body.end()?;
        Ok(ask)
    }
}

/// Lengths here are below the bound of a frame.
fn put_length(length: usize, out: &mut Vec<u8>) {
    out.put_u32_le(u32::try_from(length).unwrap_or(u32::MAX));
}

pub(crate) fn write_clock(wall_ms: u64) -> Bytes {
    Bytes::copy_from_slice(&wall_ms.to_le_bytes())
}

pub(crate) fn read_clock(bytes: &[u8]) -> Result<u64, Damage> {
    whole(bytes, |body| {
        let wall_ms = body.u64()?;
        Ok(wall_ms)
    })
}

pub(crate) fn write_standing(standing: Standing) -> Bytes {
    vec![u8::from(standing.has_log)].into()
}

pub(crate) fn read_standing(bytes: &[u8]) -> Result<Standing, Damage> {
    whole(bytes, |body| Ok(Standing { has_log: body.u8()? != 0 }))
}

pub(crate) fn write_read_index(answer: &Result<ReadPoint, LeadershipError>) -> Bytes {
    let mut out = Vec::with_capacity(16);
    match answer {
        Ok(ReadPoint { index, now_ms }) => {
            out.push(0);
            out.put_u64_le(*index);
            out.put_u64_le(*now_ms);
        }
        Err(LeadershipError::NotLeader { leader }) => {
            out.push(1);
            out.put_u64_le(leader.unwrap_or(0));
        }
        Err(LeadershipError::Stopped) => out.push(4),
        Err(LeadershipError::NoQuorum) => out.push(6),
    }
    out.into()
}

pub(crate) fn read_read_index(bytes: &[u8]) -> Result<Result<ReadPoint, LeadershipError>, Damage> {
    whole(bytes, |body| {
        Ok(match body.u8()? {
            0 => Ok(ReadPoint { index: body.u64()?, now_ms: body.u64()? }),
            1 => Err(LeadershipError::NotLeader { leader: some_node(body.u64()?) }),
            4 => Err(LeadershipError::Stopped),
            6 => Err(LeadershipError::NoQuorum),
            _ => return Err(Damage::Malformed),
        })
    })
}

pub(crate) fn write_forwarded(answer: &Result<Forwarded, SubmitError>) -> Bytes {
    let mut out = Vec::with_capacity(32);
    match answer {
        Ok(Forwarded { index, first_ordinal }) => {
            out.push(0);
            out.put_u64_le(*index);
            out.put_u32_le(*first_ordinal);
        }
        Err(SubmitError::NotLeader { leader }) => {
            out.push(1);
            out.put_u64_le(leader.unwrap_or(0));
        }
        Err(SubmitError::Busy { retry_after }) => {
            out.push(2);
            out.put_u32_le(u32::try_from(retry_after.as_millis()).unwrap_or(u32::MAX));
        }
        Err(SubmitError::Unknown { cause }) => {
            out.push(3);
            out.push(match cause {
                UnknownCause::TimedOut => 0,
                UnknownCause::Discarded => 1,
                UnknownCause::Stopped => 2,
            });
        }
        Err(SubmitError::ShuttingDown) => out.push(4),
        Err(SubmitError::TooLarge { commands, bytes }) => {
            out.push(5);
            out.put_u64_le(*commands as u64);
            out.put_u64_le(*bytes as u64);
        }
        Err(SubmitError::DiskFull) => out.push(7),
    }
    out.into()
}

pub(crate) fn read_forwarded(bytes: &[u8]) -> Result<Result<Forwarded, SubmitError>, Damage> {
    let size = |value: u64| usize::try_from(value).map_err(|_| Damage::Malformed);
    whole(bytes, |body| {
        Ok(match body.u8()? {
            0 => Ok(Forwarded { index: body.u64()?, first_ordinal: body.u32()? }),
            1 => Err(SubmitError::NotLeader { leader: some_node(body.u64()?) }),
            2 => {
                let retry_after = Duration::from_millis(u64::from(body.u32()?));
                Err(SubmitError::Busy { retry_after })
            }
            3 => {
                let cause = match body.u8()? {
                    0 => UnknownCause::TimedOut,
                    1 => UnknownCause::Discarded,
                    2 => UnknownCause::Stopped,
                    _ => return Err(Damage::Malformed),
                };
                Err(SubmitError::Unknown { cause })
            }
            4 => Err(SubmitError::ShuttingDown),
            5 => {
                let (commands, bytes) = (size(body.u64()?)?, size(body.u64()?)?);
                Err(SubmitError::TooLarge { commands, bytes })
            }
            7 => Err(SubmitError::DiskFull),
            _ => return Err(Damage::Malformed),
        })
    })
}

/// No node has the id 0.
fn some_node(id: u64) -> Option<u64> {
    (id != 0).then_some(id)
}

fn whole<T>(
    bytes: &[u8],
    read: impl FnOnce(&mut Body<'_>) -> Result<T, Damage>,
) -> Result<T, Damage> {
    let mut body = Body::new(bytes);
    let value = read(&mut body)?;
    body.end()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_back_and_cut_ones_do_not() {
        let forward = Ask::Forward(vec![vec![1, 2, 3], Vec::new(), vec![4]]);
        let change = Ask::Change(Change::Promote { node: 4 });
        for ask in [Ask::Clock, Ask::Standing, Ask::ReadIndex, Ask::Members, change, forward] {
            let bytes = ask.write();
            assert_eq!(Ask::read(&bytes), Ok(ask));
            for cut in 0..bytes.len() {
                assert!(Ask::read(&bytes[..cut]).is_err());
            }
        }
    }

    #[test]
    fn answers_read_back() {
        assert_eq!(read_clock(&write_clock(77)), Ok(77));
        let standing = Standing { has_log: true };
        assert_eq!(read_standing(&write_standing(standing)), Ok(standing));
        for answer in [
            Ok(ReadPoint { index: 9, now_ms: 1 << 41 }),
            Err(LeadershipError::NotLeader { leader: Some(3) }),
            Err(LeadershipError::NotLeader { leader: None }),
            Err(LeadershipError::NoQuorum),
            Err(LeadershipError::Stopped),
        ] {
            assert_eq!(read_read_index(&write_read_index(&answer)), Ok(answer));
        }
        let unknown = |cause| Err(SubmitError::Unknown { cause });
        for answer in [
            Ok(Forwarded { index: 1 << 40, first_ordinal: 7 }),
            Err(SubmitError::NotLeader { leader: Some(2) }),
            Err(SubmitError::Busy { retry_after: Duration::from_millis(250) }),
            unknown(UnknownCause::TimedOut),
            unknown(UnknownCause::Discarded),
            unknown(UnknownCause::Stopped),
            Err(SubmitError::ShuttingDown),
            Err(SubmitError::TooLarge { commands: 9, bytes: 1 << 20 }),
            Err(SubmitError::DiskFull),
        ] {
            assert_eq!(read_forwarded(&write_forwarded(&answer)), Ok(answer));
        }
    }
}
