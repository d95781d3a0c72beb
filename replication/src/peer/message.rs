//! What Raft asks another node and what it answers, as bytes of a frame's body.
//!
//! ```text
//! request  | method u8 |
//!   append    | vote | log id? previous | log id? committed | count u32 |
//!               per entry: index u64, length u32, record |
//!   vote      | vote | log id? last | transfer u8 |                     pre-vote likewise
//!   transfer  | vote | to u64 | log id? last |
//! answer
//!   append    | 0, log id? matching  or  1, log id in conflict  or  2, higher vote |
//!   vote      | vote | granted u8 | log id? last |
//!   transfer  | 0  or  1, vote, vote  or  2, log id?, log id? |
//! log id?  | 0 | or | 1, term u64, node u64, index u64 |      vote | term u64, node u64, committed u8 |
//! ```
//!
//! Little-endian; entries are records as a log has them, of version 1 whatever the logs of both nodes have,
//! whose checksums take their group and index in. The method is the first byte of every request.

use bytes::{BufMut, Bytes};
use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, StreamAppendResult, TransferLeaderError,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};

use crate::GroupId;
use crate::log::keys;
use crate::log::record::{self, Body, Damage};
use crate::raft_types::{LogId, TypeConfig, Vote};

const APPEND: u8 = 1;
const VOTE: u8 = 2;
const PRE_VOTE: u8 = 3;
const TRANSFER: u8 = 4;

/// A request of Raft's.
#[derive(Debug)]
pub(crate) enum Request {
    Append(AppendEntriesRequest<TypeConfig>),
    Vote(VoteRequest<TypeConfig>),
    PreVote(VoteRequest<TypeConfig>),
    Transfer(TransferLeaderRequest<TypeConfig>),
}

impl Request {
    pub fn write(&self, group: GroupId) -> Bytes {
        let mut out = Vec::with_capacity(128);
        match self {
            Self::Append(request) => put_append(request, group, &mut out),
            Self::Vote(request) => put_vote_request(VOTE, request, &mut out),
            Self::PreVote(request) => put_vote_request(PRE_VOTE, request, &mut out),
            Self::Transfer(request) => {
                out.push(TRANSFER);
                record::put_vote_fields(request.from_leader(), &mut out);
                out.put_u64_le(*request.to_node_id());
                put_log_id(request.last_log_id(), &mut out);
            }
        }
        out.into()
    }

    pub fn read(bytes: &[u8], group: GroupId) -> Result<Self, Damage> {
        let mut body = Body::new(bytes);
        let request = match body.u8()? {
            APPEND => Self::Append(get_append(&mut body, group)?),
            VOTE => Self::Vote(get_vote_request(&mut body)?),
            PRE_VOTE => Self::PreVote(get_vote_request(&mut body)?),
            TRANSFER => {
                let (from, to) = (body.vote()?, body.u64()?);
                Self::Transfer(TransferLeaderRequest::new(from, to, get_log_id(&mut body)?))
            }
            _ => return Err(Damage::Malformed),
        };
        body.end()?;
        Ok(request)
    }
}

fn put_append(request: &AppendEntriesRequest<TypeConfig>, group: GroupId, out: &mut Vec<u8>) {
    out.push(APPEND);
    record::put_vote_fields(&request.vote, out);
    put_log_id(request.prev_log_id.as_ref(), out);
    put_log_id(request.leader_commit.as_ref(), out);
    // Both counts are below the bounds of a request, far below the width.
    out.put_u32_le(u32::try_from(request.entries.len()).unwrap_or(u32::MAX));
    let mut value = Vec::new();
    for entry in &request.entries {
        record::put_shared_entry(&keys::entry(group, entry.log_id.index), entry, &mut value);
        out.put_u64_le(entry.log_id.index);
        out.put_u32_le(u32::try_from(value.len()).unwrap_or(u32::MAX));
        out.put_slice(&value);
    }
}

fn get_append(
    body: &mut Body<'_>,
    group: GroupId,
) -> Result<AppendEntriesRequest<TypeConfig>, Damage> {
    let vote = body.vote()?;
    let (prev_log_id, leader_commit) = (get_log_id(body)?, get_log_id(body)?);
    let mut entries = Vec::new();
    for _ in 0..body.u32()? {
        let index = body.u64()?;
        let length = usize::try_from(body.u32()?).map_err(|_| Damage::Malformed)?;
        entries.push(record::get_entry(&keys::entry(group, index), index, body.take(length)?)?);
    }
    Ok(AppendEntriesRequest { vote, prev_log_id, entries, leader_commit })
}

fn put_vote_request(method: u8, request: &VoteRequest<TypeConfig>, out: &mut Vec<u8>) {
    out.push(method);
    record::put_vote_fields(&request.vote, out);
    put_log_id(request.last_log_id.as_ref(), out);
    out.push(u8::from(request.leadership_transfer));
}

fn get_vote_request(body: &mut Body<'_>) -> Result<VoteRequest<TypeConfig>, Damage> {
    let mut request = VoteRequest::new(body.vote()?, get_log_id(body)?);
    request.leadership_transfer = body.u8()? != 0;
    Ok(request)
}

fn put_log_id(id: Option<&LogId>, out: &mut Vec<u8>) {
    out.push(u8::from(id.is_some()));
    if let Some(id) = id {
        record::put_log_id_fields(id, out);
    }
}

fn get_log_id(body: &mut Body<'_>) -> Result<Option<LogId>, Damage> {
    match body.u8()? {
        0 => Ok(None),
        1 => body.log_id().map(Some),
        _ => Err(Damage::Malformed),
    }
}

/// Of one appended request.
pub(crate) fn write_appended(result: &StreamAppendResult<TypeConfig>) -> Bytes {
    let mut out = Vec::with_capacity(32);
    match result {
        Ok(matching) => {
            out.push(0);
            put_log_id(matching.as_ref(), &mut out);
        }
        Err(StreamAppendError::Conflict(id)) => {
            out.push(1);
            record::put_log_id_fields(id, &mut out);
        }
        Err(StreamAppendError::HigherVote(vote)) => {
            out.push(2);
            record::put_vote_fields(vote, &mut out);
        }
    }
    out.into()
}

pub(crate) fn read_appended(bytes: &[u8]) -> Result<StreamAppendResult<TypeConfig>, Damage> {
    let mut body = Body::new(bytes);
    let result = match body.u8()? {
        0 => Ok(get_log_id(&mut body)?),
        1 => Err(StreamAppendError::Conflict(body.log_id()?)),
        2 => Err(StreamAppendError::HigherVote(body.vote()?)),
        _ => return Err(Damage::Malformed),
    };
    body.end()?;
    Ok(result)
}

/// Of a vote or a pre-vote.
pub(crate) fn write_voted(response: &VoteResponse<TypeConfig>) -> Bytes {
    let mut out = Vec::with_capacity(64);
    record::put_vote_fields(&response.vote, &mut out);
    out.push(u8::from(response.vote_granted));
    put_log_id(response.last_log_id.as_ref(), &mut out);
    out.into()
}

pub(crate) fn read_voted(bytes: &[u8]) -> Result<VoteResponse<TypeConfig>, Damage> {
    let mut body = Body::new(bytes);
    let (vote, granted): (Vote, bool) = (body.vote()?, body.u8()? != 0);
    let last = get_log_id(&mut body)?;
    body.end()?;
    Ok(VoteResponse::new(vote, last, granted))
}

/// Of a transfer of leadership.
pub(crate) fn write_transferred(response: &TransferLeaderResponse<TypeConfig>) -> Bytes {
    let mut out = Vec::with_capacity(64);
    match response {
        Ok(()) => out.push(0),
        Err(TransferLeaderError::VoteChanged { expected, actual }) => {
            out.push(1);
            record::put_vote_fields(expected, &mut out);
            record::put_vote_fields(actual, &mut out);
        }
        Err(TransferLeaderError::LogNotFlushed { expected, actual }) => {
            out.push(2);
            put_log_id(expected.as_ref(), &mut out);
            put_log_id(actual.as_ref(), &mut out);
        }
    }
    out.into()
}

pub(crate) fn read_transferred(bytes: &[u8]) -> Result<TransferLeaderResponse<TypeConfig>, Damage> {
    let mut body = Body::new(bytes);
    let response = match body.u8()? {
        0 => Ok(()),
        1 => {
            let (expected, actual) = (body.vote()?, body.vote()?);
            Err(TransferLeaderError::VoteChanged { expected, actual })
        }
        2 => {
            let (expected, actual) = (get_log_id(&mut body)?, get_log_id(&mut body)?);
            Err(TransferLeaderError::LogNotFlushed { expected, actual })
        }
        _ => return Err(Damage::Malformed),
    };
    body.end()?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Payload;
    use crate::raft_types::{Entry, EntryPayload, Leader};

    const GROUP: GroupId = GroupId(5);

    fn id(index: u64) -> LogId {
        LogId::new(Leader { term: 3, node_id: 9 }, index)
    }

    fn vote(committed: bool) -> Vote {
        Vote { leader_id: Leader { term: 4, node_id: 2 }, committed }
    }

    fn append() -> Request {
        let payload = EntryPayload::Normal(Payload::from_bytes(Bytes::from_static(b"rooms")));
        Request::Append(AppendEntriesRequest {
            vote: vote(true),
            prev_log_id: Some(id(6)),
            entries: vec![
                Entry { log_id: id(7), payload },
                Entry { log_id: id(8), payload: EntryPayload::Blank },
            ],
            leader_commit: None,
        })
    }

    fn requests() -> Vec<Request> {
        let mut asked = VoteRequest::new(vote(false), Some(id(5)));
        asked.leadership_transfer = true;
        vec![
            append(),
            Request::Vote(asked),
            Request::PreVote(VoteRequest::new(vote(false), None)),
            Request::Transfer(TransferLeaderRequest::new(vote(true), 3, Some(id(8)))),
        ]
    }

    #[test]
    fn requests_read_back() {
        for request in requests() {
            let read = Request::read(&request.write(GROUP), GROUP).expect("reads");
            assert_eq!(format!("{read:?}"), format!("{request:?}"));
        }
    }

    #[test]
    fn a_request_cut_anywhere_or_with_more_behind_it_is_refused() {
        for request in requests() {
            let whole = request.write(GROUP);
            for cut in 0..whole.len() {
                assert!(Request::read(&whole[..cut], GROUP).is_err(), "{request:?} cut at {cut}");
            }
            let longer = [&whole[..], &[0]].concat();
            assert!(Request::read(&longer, GROUP).is_err());
        }
    }

    #[test]
    fn an_entry_for_another_group_or_with_a_flipped_bit_is_damage() {
        let bytes = append().write(GROUP);
        assert_eq!(Request::read(&bytes, GroupId(6)).unwrap_err(), Damage::Checksum);
        let mut flipped = bytes.to_vec();
        let at = flipped.windows(5).position(|five| five == b"rooms").expect("the payload");
        flipped[at] ^= 1;
        assert_eq!(Request::read(&flipped, GROUP).unwrap_err(), Damage::Checksum);
    }

    #[test]
    fn answers_read_back() {
        let higher = StreamAppendError::HigherVote(vote(true));
        for result in
            [Ok(None), Ok(Some(id(7))), Err(StreamAppendError::Conflict(id(3))), Err(higher)]
        {
            assert_eq!(read_appended(&write_appended(&result)), Ok(result));
        }
        for response in [
            VoteResponse::new(vote(false), Some(id(4)), true),
            VoteResponse::new(vote(true), None, false),
        ] {
            assert_eq!(read_voted(&write_voted(&response)), Ok(response));
        }
        let changed =
            TransferLeaderError::VoteChanged { expected: vote(true), actual: vote(false) };
        let behind = TransferLeaderError::LogNotFlushed { expected: Some(id(4)), actual: None };
        for response in [Ok(()), Err(changed), Err(behind)] {
            assert_eq!(read_transferred(&write_transferred(&response)), Ok(response));
        }
    }
}
