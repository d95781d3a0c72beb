//! What nodes ask the leader about members: who there is, and to change that.
//!
//! ```text
//! change   | kind u8 | node u64 | address: n u16, n bytes |     add 1, promote 2, remove 3, lead 4
//! changed  | 0  or  1, leader u64  or  2, text  or  3, text |
//! members  | n u16 | per member: node u64 | role u8 | address | matched: 0 or 1, u64 | heard: 0 or 1, ms u64 |
//! ```

use std::time::Duration;

use bytes::{BufMut, Bytes};

use super::{some_node, whole};
use crate::log::record::{self, Body, Damage};
use crate::node::members::{Change, ChangeError, MemberRole, MemberStatus};

const ADD: u8 = 1;
const PROMOTE: u8 = 2;
const REMOVE: u8 = 3;
const LEAD: u8 = 4;

pub(super) fn put_change(change: &Change, out: &mut Vec<u8>) {
    let (kind, node, address) = match change {
        Change::AddLearner { node, address } => (ADD, *node, address.as_str()),
        Change::Promote { node } => (PROMOTE, *node, ""),
        Change::Remove { node } => (REMOVE, *node, ""),
        Change::Lead { to } => (LEAD, to.unwrap_or(0), ""),
    };
    out.push(kind);
    out.put_u64_le(node);
    record::put_text(address, out);
}

pub(super) fn get_change(body: &mut Body<'_>) -> Result<Change, Damage> {
    let (kind, node, address) = (body.u8()?, body.u64()?, body.text()?);
    Ok(match kind {
        ADD => Change::AddLearner { node, address },
        PROMOTE => Change::Promote { node },
        REMOVE => Change::Remove { node },
        LEAD => Change::Lead { to: some_node(node) },
        _ => return Err(Damage::Malformed),
    })
}

pub(crate) fn write_changed(answer: &Result<(), ChangeError>) -> Bytes {
    let mut out = Vec::with_capacity(64);
    match answer {
        Ok(()) => out.push(0),
        Err(ChangeError::NotLeader { leader }) => {
            out.push(1);
            out.put_u64_le(leader.unwrap_or(0));
        }
        Err(ChangeError::Refused(why)) => {
            out.push(2);
            record::put_text(why, &mut out);
        }
        Err(ChangeError::Unknown(why)) => {
            out.push(3);
            record::put_text(why, &mut out);
        }
    }
    out.into()
}

pub(crate) fn read_changed(bytes: &[u8]) -> Result<Result<(), ChangeError>, Damage> {
    whole(bytes, |body| {
        Ok(match body.u8()? {
            0 => Ok(()),
            1 => Err(ChangeError::NotLeader { leader: some_node(body.u64()?) }),
            2 => Err(ChangeError::Refused(body.text()?)),
            3 => Err(ChangeError::Unknown(body.text()?)),
            _ => return Err(Damage::Malformed),
        })
    })
}

pub(crate) fn write_members(members: &[MemberStatus]) -> Bytes {
    let mut out = Vec::with_capacity(64);
    // A membership counts its nodes in the same width.
    out.put_u16_le(u16::try_from(members.len()).unwrap_or(u16::MAX));
    for member in members {
        out.put_u64_le(member.node);
        out.push(match member.role {
            MemberRole::Learner => 0,
            MemberRole::Voter => 1,
            MemberRole::Leader => 2,
        });
        record::put_text(&member.address, &mut out);
        put_some(member.matched, &mut out);
        let heard = member.heard.map(|ago| u64::try_from(ago.as_millis()).unwrap_or(u64::MAX));
        put_some(heard, &mut out);
    }
    out.into()
}

pub(crate) fn read_members(bytes: &[u8]) -> Result<Vec<MemberStatus>, Damage> {
    whole(bytes, |body| {
        let mut members = Vec::new();
        for _ in 0..body.u16()? {
            let node = body.u64()?;
            let role = match body.u8()? {
                0 => MemberRole::Learner,
                1 => MemberRole::Voter,
                2 => MemberRole::Leader,
                _ => return Err(Damage::Malformed),
            };
            let (address, matched) = (body.text()?, get_some(body)?);
            let heard = get_some(body)?.map(Duration::from_millis);
            members.push(MemberStatus { node, role, address, matched, heard });
        }
        Ok(members)
    })
}

fn put_some(value: Option<u64>, out: &mut Vec<u8>) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        out.put_u64_le(value);
    }
}

fn get_some(body: &mut Body<'_>) -> Result<Option<u64>, Damage> {
    match body.u8()? {
        0 => Ok(None),
        1 => body.u64().map(Some),
        _ => Err(Damage::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_and_their_answers_read_back() {
        for change in [
            Change::AddLearner { node: 4, address: "n4:7400".into() },
            Change::Promote { node: 4 },
            Change::Remove { node: 1 },
            Change::Lead { to: None },
            Change::Lead { to: Some(2) },
        ] {
            let mut out = Vec::new();
            put_change(&change, &mut out);
            assert_eq!(whole(&out, get_change), Ok(change));
        }
        for answer in [
            Ok(()),
            Err(ChangeError::NotLeader { leader: Some(2) }),
            Err(ChangeError::Refused("no".into())),
            Err(ChangeError::Unknown("perhaps".into())),
        ] {
            assert_eq!(read_changed(&write_changed(&answer)), Ok(answer));
        }
    }

    #[test]
    fn members_read_back_and_cut_ones_do_not() {
        let member = |node, role, matched| MemberStatus {
            node,
            role,
            address: format!("n{node}:7400"),
            matched,
            heard: matched.map(Duration::from_millis),
        };
        let members = vec![
            member(1, MemberRole::Leader, Some(9)),
            member(2, MemberRole::Voter, None),
            member(3, MemberRole::Learner, Some(0)),
        ];
        let bytes = write_members(&members);
        assert_eq!(read_members(&bytes), Ok(members));
        for cut in 0..bytes.len() {
            assert!(read_members(&bytes[..cut]).is_err());
        }
    }
}
