//! What this node answers to other nodes: Raft's requests, and ours.
//!
//! It owns the way from a frame to the group it names. It refuses to decide anything: Raft and the
//! proposer do. A forwarded command goes no further: where this node does not lead it says who does.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt, stream};
use holdfast_engine::{Command, Outcome, codec};
use openraft::async_runtime::WatchReceiver;
use openraft::raft::AppendEntriesRequest;
use tokio::sync::{mpsc, oneshot};

use super::ask::members::{write_changed, write_members};
use super::ask::{self, Ask, Forwarded, Standing};
use super::snapshots::{self, Receiving};
use crate::GroupId;
use crate::applied::AppliedLog;
use crate::clock::LogClock;
use crate::lead::Lead;
use crate::limits::{ENTRY_BYTES_SOFT_MAX, MANY_COMMANDS_MAX};
use crate::member::ANY_DISK;
use crate::node::members::Members;
use crate::payload::Part;
use crate::peer::listen::{Answers, Caller, Handler, Incoming};
use crate::peer::message::{self, Request};
use crate::proposer::{Item, Queue};
use crate::raft_types::{Raft, TypeConfig};
use crate::reads::{LeadershipError, ReadIndex, ReadPoint};
use crate::space::Space;
use crate::submit::{Applied, AppliedMany, SubmitError, UnknownCause};

/// One group of this node, as other nodes may ask it.
pub(crate) struct Group {
    pub id: GroupId,
    pub raft: Raft,
    pub queue: Arc<Queue>,
    pub read_index: Arc<ReadIndex>,
    pub clock: Arc<LogClock>,
    pub members: Arc<Members>,
    pub space: Arc<Space>,
    pub applied: Arc<AppliedLog>,
    pub receiving: Receiving,
}

/// Answers for all groups of this node; they are named once they run.
#[derive(Default)]
pub(crate) struct Answering {
    groups: ArcSwap<Vec<Arc<Group>>>,
}

impl Answering {
    pub fn add(&self, group: Arc<Group>) {
        self.groups.rcu(|groups| {
            let mut groups = Vec::clone(groups);
            groups.push(group.clone());
            groups
        });
    }
}

impl Handler for Answering {
    fn disk_of(&self, node: u64) -> u128 {
        let groups = self.groups.load();
        let known = groups.iter().find_map(|group| {
            let metrics = group.raft.metrics();
            let metrics = metrics.borrow_watched();
            metrics.membership_config.membership().get_node(&node).map(|member| member.disk)
        });
        known.unwrap_or(ANY_DISK)
    }

    fn handle(&self, caller: Caller, call: Incoming) -> BoxFuture<'static, Result<(), String>> {
        let groups = self.groups.load();
        let group = groups.iter().find(|group| group.id == caller.group).cloned();
        Box::pin(async move {
            let group = group.ok_or_else(|| format!("group {} is not up here", caller.group.0))?;
            group.answer(call).await
        })
    }
}

impl Group {
    async fn answer(&self, call: Incoming) -> Result<(), String> {
        let Incoming { mut requests, answers } = call;
        let Some(first) = requests.recv().await else { return Ok(()) };
        if first.first().is_some_and(|&method| method >= ask::FIRST_METHOD) {
            let asked = Ask::read(&first).map_err(unreadable)?;
            let body = self.answer_ask(asked).await?;
            answers.send(body).await;
            return Ok(());
        }
        if first.first() == Some(&snapshots::OFFER) {
            return self.receive(&first, requests, &answers).await;
        }
        let raft = &self.raft;
        let body = match Request::read(&first, self.id).map_err(unreadable)? {
            Request::Append(first) => return self.append((first, requests), &answers).await,
            Request::Vote(asked) => message::write_voted(&raft.vote(asked).await.map_err(text)?),
            Request::PreVote(asked) => {
                message::write_voted(&raft.pre_vote(asked).await.map_err(text)?)
            }
            Request::Transfer(asked) => {
                let response = raft.handle_transfer_leader(asked).await.map_err(text)?;
                message::write_transferred(&response)
            }
        };
        answers.send(body).await;
        Ok(())
    }

    async fn answer_ask(&self, asked: Ask) -> Result<Bytes, String> {
        Ok(match asked {
            Ask::Clock => ask::write_clock(self.clock.wall_ms()),
            Ask::Standing => {
                let has_log = self.raft.is_initialized().await.map_err(text)?;
                ask::write_standing(Standing { has_log })
            }
            Ask::ReadIndex => {
                // A leader that has not taken its clock from a quorum yet has but its own wall to tell, and
                // whoever asks would never go back behind that.
                let confirmed = match *self.members.lead.borrow() {
                    Lead::Leading(_) => Ok(()),
                    Lead::Following(leader) => Err(LeadershipError::NotLeader { leader }),
                };
                let confirmed = match confirmed {
                    Ok(()) => self.read_index.confirm().await,
                    Err(error) => Err(error),
                };
                let point = |index| ReadPoint { index, now_ms: self.clock.now_ms() };
                ask::write_read_index(&confirmed.map(point))
            }
            Ask::Forward(_) if self.space.is_low() => {
                ask::write_forwarded(&Err(SubmitError::DiskFull))
            }
            Ask::Forward(commands) => {
                let taken = take(&self.queue, &commands).await;
                ask::write_forwarded(&taken.map(|(place, _)| place))
            }
            Ask::Members => write_members(&self.members.list()),
            Ask::Change(change) => write_changed(&self.members.change(change).await),
        })
    }

    /// Feeds a stream of requests to Raft and its answers back, both in order.
    async fn append(
        &self,
        (first, rest): (AppendEntriesRequest<TypeConfig>, mpsc::Receiver<Bytes>),
        answers: &Answers,
    ) -> Result<(), String> {
        // The stream that Raft reads ends at a request that cannot be read; the caller hears of it by
        // the call's end without an answer to it.
        let input = stream::once(async { first }).chain(appends(rest, self.id));
        let mut results = std::pin::pin!(self.raft.stream_append(input));
        while let Some(result) = results.next().await {
            let result = result.map_err(text)?;
            if !answers.send(message::write_appended(&result)).await {
                break;
            }
        }
        Ok(())
    }
}

/// Proposes commands that came as bytes; where they stand in the log, and their outcomes.
pub(crate) async fn take(
    queue: &Queue,
    commands: &[Vec<u8>],
) -> Result<(Forwarded, Vec<Outcome>), SubmitError> {
    let (count, bytes) = (commands.len(), commands.iter().map(Vec::len).sum());
    if count > MANY_COMMANDS_MAX || bytes > ENTRY_BYTES_SOFT_MAX {
        return Err(SubmitError::TooLarge { commands: count, bytes });
    }
    let read = |encoded: &Vec<u8>| {
        let command = codec::decode::<Command>(encoded).ok()?;
        Some(Part::from_versioned(command, encoded))
    };
    let mut parts = commands.iter().map(read).collect::<Option<Vec<_>>>().ok_or_else(|| {
        // Another build's command. It was never proposed, so the caller may ask again.
        tracing::error!("a forwarded command cannot be read: are all nodes of one version?");
        SubmitError::NotLeader { leader: None }
    })?;
    // A waiter that is dropped unanswered was in the hands of a proposer that ended.
    let stopped = SubmitError::Unknown { cause: UnknownCause::Stopped };
    if count == 1
        && let Some(part) = parts.pop()
    {
        let (answer, pending) = oneshot::channel();
        queue.push(Item::one(part, None, answer))?;
        let Applied { index, ordinal, outcome } = pending.await.unwrap_or(Err(stopped))?;
        return Ok((Forwarded { index, first_ordinal: ordinal }, vec![outcome]));
    }
    let (answer, pending) = oneshot::channel();
    queue.push_bulk(Item::many(parts, answer)).await?;
    let AppliedMany { index, first_ordinal, outcomes } = pending.await.unwrap_or(Err(stopped))?;
    Ok((Forwarded { index, first_ordinal }, outcomes))
}

fn appends(
    requests: mpsc::Receiver<Bytes>,
    group: GroupId,
) -> impl Stream<Item = AppendEntriesRequest<TypeConfig>> + Send {
    stream::unfold(requests, move |mut requests| async move {
        let bytes = requests.recv().await?;
        match Request::read(&bytes, group) {
            Ok(Request::Append(request)) => Some((request, requests)),
            Ok(other) => {
                tracing::error!(?group, ?other, "a stream of entries carries another request");
                None
            }
            Err(damage) => {
                tracing::error!(?group, %damage, "a request of another node cannot be read");
                None
            }
        }
    })
}

fn unreadable(damage: crate::log::Damage) -> String {
    format!("the request cannot be read: {damage}")
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
