//! What this node answers to Raft's requests of others.
//!
//! It owns the way from a frame to the group it names. It refuses to decide anything: Raft does.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt, stream};
use openraft::raft::AppendEntriesRequest;
use tokio::sync::mpsc;

use crate::GroupId;
use crate::peer::listen::{Answers, Caller, Handler, Incoming};
use crate::peer::message::{self, Request};
use crate::raft_types::{Raft, TypeConfig};

/// The groups of this node, by id.
pub(crate) type Groups = ArcSwap<Vec<(GroupId, Raft)>>;

/// Answers for all groups of this node.
pub(crate) struct Answering {
    pub groups: Arc<Groups>,
}

impl Handler for Answering {
    fn handle(&self, caller: Caller, call: Incoming) -> BoxFuture<'static, Result<(), String>> {
        let groups = self.groups.load();
        let raft = groups.iter().find(|(id, _)| *id == caller.group).map(|(_, raft)| raft.clone());
        Box::pin(async move {
            let raft = raft.ok_or_else(|| format!("this node has no group {}", caller.group.0))?;
            answer(raft, caller.group, call).await
        })
    }
}

async fn answer(raft: Raft, group: GroupId, call: Incoming) -> Result<(), String> {
    let Incoming { mut requests, answers } = call;
    let Some(first) = requests.recv().await else { return Ok(()) };
    let body = match read(&first, group)? {
        Request::Append(first) => return append(&raft, group, (first, requests), &answers).await,
        Request::Vote(request) => message::write_voted(&raft.vote(request).await.map_err(text)?),
        Request::PreVote(request) => {
            message::write_voted(&raft.pre_vote(request).await.map_err(text)?)
        }
        Request::Transfer(request) => {
            let response = raft.handle_transfer_leader(request).await.map_err(text)?;
            message::write_transferred(&response)
        }
    };
    answers.send(body).await;
    Ok(())
}

/// Feeds a stream of requests to Raft and its answers back, both in order.
async fn append(
    raft: &Raft,
    group: GroupId,
    (first, rest): (AppendEntriesRequest<TypeConfig>, mpsc::Receiver<Bytes>),
    answers: &Answers,
) -> Result<(), String> {
    // The stream that Raft reads ends at a request that cannot be read; the caller hears of it by the
    // call's end without an answer to it.
    let input = stream::once(async { first }).chain(appends(rest, group));
    let mut results = std::pin::pin!(raft.stream_append(input));
    while let Some(result) = results.next().await {
        let result = result.map_err(text)?;
        if !answers.send(message::write_appended(&result)).await {
            break;
        }
    }
    Ok(())
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

fn read(bytes: &[u8], group: GroupId) -> Result<Request, String> {
    Request::read(bytes, group).map_err(|damage| format!("the request cannot be read: {damage}"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
