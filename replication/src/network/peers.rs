//! Raft's way to other nodes, over links.
//!
//! It owns which link a request takes: entries and snapshots never stand before a heartbeat or a vote. It
//! refuses to wait for a node that is down: a request fails at once and Raft paces itself.
//!
//! **Invariant**: answers of a stream come in the order of its requests, and a pre-vote is granted by
//! nobody but the node that was asked.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{AnyError, OptionalSend, RaftNetworkFactory, RaftNetworkV2};
use parking_lot::Mutex;

use super::snapshots;
use crate::GroupId;
use crate::limits::{PEER_SILENCE_MAX, REQUESTS_IN_FLIGHT_MAX};
use crate::log::Damage;
use crate::member::Member;
use crate::peer::Purpose;
use crate::peer::hello::Identity;
use crate::peer::link::{Call, Dial, Link};
use crate::peer::message::{self, Request};
use crate::raft_types::{Snapshot, TypeConfig, Vote};
use crate::runtime::{self, timeout};
use crate::snapshots::incoming::Offer;
use crate::snapshots::{SnapshotFile, Snapshots};

type Rpc<T> = Result<T, RPCError<TypeConfig>>;

/// The links of this node, shared by all its groups.
pub(crate) struct Peers {
    me: Identity,
    dial: Arc<dyn Dial>,
    links: Mutex<HashMap<(u64, Purpose), Link>>,
}

impl Peers {
    pub fn new(me: Identity, dial: Arc<dyn Dial>) -> Arc<Self> {
        Arc::new(Self { me, dial, links: Mutex::default() })
    }

    /// The link to a node. An address or a disk that has changed means a new link.
    pub fn link(&self, to: u64, member: &Member, purpose: Purpose) -> Link {
        let mut links = self.links.lock();
        if let Some(link) = links.get(&(to, purpose)).filter(|link| link.member() == member) {
            return link.clone();
        }
        let link = Link::new(self.me, (to, member), purpose, self.dial.clone());
        links.insert((to, purpose), link.clone());
        link
    }
}

/// Makes one group's ways to other nodes.
pub(crate) struct Ways {
    pub peers: Arc<Peers>,
    pub group: GroupId,
    pub snapshots: Arc<Snapshots>,
}

impl Ways {
    fn way(&self, to: u64, node: &Member, stream: Purpose) -> Way {
        let link = |purpose| self.peers.link(to, node, purpose);
        let (stream, pulse) = (link(stream), link(Purpose::Pulse));
        Way { to, group: self.group, stream, pulse, snapshots: self.snapshots.clone() }
    }
}

impl RaftNetworkFactory<TypeConfig> for Ways {
    type Network = Way;

    async fn new_client(&mut self, target: u64, node: &Member) -> Way {
        self.way(target, node, Purpose::Entries)
    }

    async fn new_heartbeat_client(&mut self, target: u64, node: &Member) -> Way {
        self.way(target, node, Purpose::Pulse)
    }

    async fn new_snapshot_client(&mut self, target: u64, node: &Member) -> Way {
        self.way(target, node, Purpose::Snapshots)
    }
}

/// One group's way to one node.
pub(crate) struct Way {
    to: u64,
    group: GroupId,
    /// What `stream_append` and snapshots take.
    stream: Link,
    /// What votes and transfers take.
    pulse: Link,
    /// Told what of a snapshot the other node takes.
    snapshots: Arc<Snapshots>,
}

impl Way {
    /// One small request, answered within `option`'s time.
    async fn ask(&self, request: Request, option: &RPCOption) -> Rpc<Bytes> {
        let asked = async {
            let call = self.pulse.call(self.group).await.map_err(unreachable)?;
            call.ask(request.write(self.group)).await.map_err(network)
        };
        timeout(option.soft_ttl(), asked).await.unwrap_or_else(|_| Err(silent(option.soft_ttl())))
    }
}

impl RaftNetworkV2<TypeConfig> for Way {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<AppendEntriesResponse<TypeConfig>> {
        let call = self.stream.call(self.group).await.map_err(unreachable)?;
        let asked = call.ask(Request::Append(rpc).write(self.group));
        let answer = timeout(option.soft_ttl(), asked).await;
        let answer = answer.map_err(|_| silent(option.soft_ttl()))?.map_err(network)?;
        message::read_appended(&answer).map(AppendEntriesResponse::from).map_err(damaged)
    }

    fn stream_append<'s, S>(
        &'s mut self,
        mut input: S,
        _option: RPCOption,
    ) -> BoxFuture<'s, Rpc<BoxStream<'s, Rpc<StreamAppendResult<TypeConfig>>>>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        Box::pin(async move {
            // Before the call: Raft pauses after a failure where the next request is drawn. A call that
            // fails before that is made again at once, for as long as the node is down.
            let Some(first) = input.next().await else {
                return Ok(Box::pin(futures_util::stream::empty()) as BoxStream<'s, _>);
            };
            let call = self.stream.call(self.group).await.map_err(unreachable)?;
            let input = Some(futures_util::stream::iter([first]).chain(input));
            let appending = Appending { input, call, group: self.group, in_flight: 0 };
            let answers = futures_util::stream::unfold(Some(appending), |appending| async {
                let mut appending = appending?;
                let answer = appending.next().await?;
                // The first refusal or error ends the stream.
                let goes_on = matches!(answer, Ok(Ok(_)));
                Some((answer, goes_on.then_some(appending)))
            });
            Ok(Box::pin(answers) as BoxStream<'s, _>)
        })
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<VoteResponse<TypeConfig>> {
        let answer = self.ask(Request::Vote(rpc), &option).await?;
        message::read_voted(&answer).map_err(damaged)
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<VoteResponse<TypeConfig>> {
        let answer = self.ask(Request::PreVote(rpc), &option).await?;
        message::read_voted(&answer).map_err(damaged)
    }

    async fn transfer_leader(
        &mut self,
        req: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<TransferLeaderResponse<TypeConfig>> {
        let answer = self.ask(Request::Transfer(req), &option).await?;
        message::read_transferred(&answer).map_err(damaged)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let Snapshot { meta, snapshot: file } = snapshot;
        let paused = |error: io::Error| Unreachable::new(&AnyError::error(error.to_string()));
        let Some(last) = meta.last_log_id else {
            return Err(paused(io::Error::other("the snapshot has no place in the log")).into());
        };
        let offer = Offer { last, bytes: file.bytes, checksum: file.checksum };
        let is_taken = || self.snapshots.is_taken((&meta, &file), self.to);
        let sent = snapshots::send((&self.stream, self.group), vote, (&file, offer), is_taken);
        tokio::select! {
            biased;
            sent = sent => match sent {
                Ok(theirs) => {
                    self.snapshots.was_sent(self.to);
                    Ok(SnapshotResponse::new(theirs))
                }
                // Whatever it was: a pause, and on where it broke off.
                Err(error) => {
                    tracing::debug!(%error, index = last.index, "a snapshot is not there yet");
                    if error.kind() == io::ErrorKind::NotFound {
                        self.snapshots.hold_nothing();
                    }
                    Err(paused(error).into())
                }
            },
            closed = cancel => Err(closed.into()),
        }
    }

    fn backoff(&self) -> Option<Backoff> {
        // The link paces its own attempts; Raft need only not spin.
        Some(Backoff::new(std::iter::repeat(Duration::from_millis(50))))
    }
}

/// A stream of requests under way: at most [`REQUESTS_IN_FLIGHT_MAX`] sent and not yet answered.
struct Appending<S> {
    /// `None` once it has ended.
    input: Option<S>,
    call: Call,
    group: GroupId,
    in_flight: usize,
}

impl<S> Appending<S>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Unpin,
{
    /// The next answer, sending on meanwhile; `None` when all that came in is answered.
    async fn next(&mut self) -> Option<Rpc<StreamAppendResult<TypeConfig>>> {
        loop {
            let may_send = self.in_flight < REQUESTS_IN_FLIGHT_MAX;
            let input = self.input.as_mut().filter(|_| may_send);
            if input.is_none() && self.in_flight == 0 {
                return None;
            }
            let request = async {
                match input {
                    Some(input) => input.next().await,
                    None => std::future::pending().await,
                }
            };
            let waits = self.in_flight > 0;
            tokio::select! {
                biased;
                answer = self.call.answer(), if waits => {
                    self.in_flight -= 1;
                    return Some(appended(answer));
                }
                request = request => match request {
                    Some(request) => {
                        self.call.request(Request::Append(request).write(self.group)).await;
                        self.in_flight += 1;
                    }
                    None => self.input = None,
                },
                () = runtime::sleep(PEER_SILENCE_MAX), if waits => {
                    return Some(Err(silent(PEER_SILENCE_MAX)));
                }
            }
        }
    }
}

fn appended(answer: Option<io::Result<Bytes>>) -> Rpc<StreamAppendResult<TypeConfig>> {
    let ended = || Err(io::Error::other("the other node ended the stream"));
    let answer = answer.unwrap_or_else(ended).map_err(network)?;
    message::read_appended(&answer).map_err(damaged)
}

/// Nothing was sent: the node cannot be reached.
fn unreachable(error: io::Error) -> RPCError<TypeConfig> {
    Unreachable::new(&AnyError::error(error.to_string())).into()
}

/// Something may have been sent.
fn network(error: io::Error) -> RPCError<TypeConfig> {
    NetworkError::new(&AnyError::error(error.to_string())).into()
}

fn silent(waited: Duration) -> RPCError<TypeConfig> {
    let text = format!("no answer within {} ms", waited.as_millis());
    network(io::Error::new(io::ErrorKind::TimedOut, text))
}

fn damaged(damage: Damage) -> RPCError<TypeConfig> {
    network(io::Error::new(io::ErrorKind::InvalidData, format!("an answer is damaged: {damage}")))
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};

    use super::*;
    use crate::fixture;
    use crate::member::ANY_DISK;
    use crate::network::Alone;
    use crate::raft_types::Leader;

    /// Raft pauses after a failure where the next request is drawn: a stream that fails before it draws one
    /// is made again at once, and two tasks never sleep while a node is down.
    #[tokio::test]
    async fn a_stream_to_a_node_that_is_down_fails_with_its_first_request_and_not_before() {
        let me = Identity { cluster: 1, node: 1, disk: ANY_DISK };
        let dir = tempfile::tempdir().expect("made");
        let (group, time) = (GroupId(0), fixture::time());
        let snapshots = Snapshots::open(dir.path(), 1, group, time).expect("made");
        let (peers, snapshots) = (Peers::new(me, Arc::new(Alone)), Arc::new(snapshots));
        let ways = Ways { peers, group, snapshots };
        let mut way = ways.way(2, &Member::at("nowhere:1"), Purpose::Entries);
        let option = || RPCOption::new(Duration::from_secs(1));
        let idle = way.stream_append(stream::pending(), option());
        assert!(idle.now_or_never().is_none(), "there is nothing to send yet");
        let vote = Vote { leader_id: Leader { term: 1, node_id: 1 }, committed: true };
        let (prev_log_id, entries, leader_commit) = (None, Vec::new(), None);
        let request = AppendEntriesRequest { vote, prev_log_id, entries, leader_commit };
        let sent = way.stream_append(stream::iter([request]), option()).await;
        assert!(matches!(sent, Err(RPCError::Unreachable(_))));
    }
}
