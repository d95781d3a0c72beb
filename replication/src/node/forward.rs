//! Forwarding: a follower hands commands to the leader, one hop at most.
//!
//! It owns the wait for the outcome, which is this node's own: the leader says where in the log the
//! commands stand, and applying them here gives the same outcome as there. So whoever writes through a
//! follower reads its own write there, and no outcome travels between nodes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_engine::Outcome;
use openraft::async_runtime::WatchReceiver;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

use crate::GroupId;
use crate::applied::AppliedLog;
use crate::clock::TimeSource;
use crate::limits::{BUSY_RETRY_AFTER, RECENT_COMMANDS_MAX, SUBMIT_WAIT_MAX};
use crate::network::ask::{self, Ask, Forwarded};
use crate::network::peers::Peers;
use crate::payload::Part;
use crate::peer::Purpose;
use crate::raft_types::Raft;
use crate::reads::LeadershipError;
use crate::submit::{
    Applied, AppliedMany, Deadline, ManySubmission, Pending, Submission, SubmitError, UnknownCause,
};

/// Outcomes of entries that were applied here and proposed elsewhere, the newest so many.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Outcomes>);

#[derive(Debug, Default)]
struct Outcomes {
    entries: VecDeque<(u64, Vec<Outcome>)>,
    commands: usize,
}

impl Recent {
    /// Keeps the outcomes of the entry at `index`, which is above every earlier one.
    pub fn keep(&self, index: u64, outcomes: Vec<Outcome>) {
        let mut kept = self.0.lock();
        kept.commands += outcomes.len();
        kept.entries.push_back((index, outcomes));
        while kept.commands > RECENT_COMMANDS_MAX
            && let Some((_, outcomes)) = kept.entries.pop_front()
        {
            kept.commands -= outcomes.len();
        }
    }

    /// `count` outcomes from `place` on, where they are still kept.
    fn get(&self, place: Forwarded, count: usize) -> Option<Vec<Outcome>> {
        let kept = self.0.lock();
        let at = kept.entries.binary_search_by_key(&place.index, |(index, _)| *index).ok()?;
        let (_, outcomes) = kept.entries.get(at)?;
        let first = usize::try_from(place.first_ordinal).ok()?;
        outcomes.get(first..first.checked_add(count)?).map(<[Outcome]>::to_vec)
    }
}

/// This group's way to whoever leads it.
pub(crate) struct ToLeader {
    pub peers: Arc<Peers>,
    pub group: GroupId,
    pub raft: Raft,
    pub recent: Arc<Recent>,
    pub applied: Arc<AppliedLog>,
    pub time: Arc<dyn TimeSource>,
    pub runtime: Handle,
    /// Permits for submissions under way.
    pub slots: Arc<Semaphore>,
}

/// A follower's own wait for outcomes is over this long after the leader's.
const GIVEN_UP: SubmitError = SubmitError::Unknown { cause: UnknownCause::TimedOut };

impl ToLeader {
    pub fn one(self: &Arc<Self>, leader: u64, part: &Part) -> Submission {
        let (answer, pending) = oneshot::channel();
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            return Pending::refused(SubmitError::Busy { retry_after: BUSY_RETRY_AFTER });
        };
        let (way, commands) = (self.clone(), vec![part.versioned()]);
        self.runtime.spawn(async move {
            let forwarded = way.forward(leader, commands).await;
            let applied = forwarded.and_then(|(place, outcomes)| {
                let (index, ordinal) = (place.index, place.first_ordinal);
                let outcome = outcomes.into_iter().next().ok_or(GIVEN_UP)?;
                Ok(Applied { index, ordinal, outcome })
            });
            // A dropped future does not want to know.
            drop(answer.send(applied));
            drop(slot);
        });
        Pending::queued(pending, Deadline::from_now(self.time.clone()))
    }

    pub async fn many(
        self: &Arc<Self>,
        leader: u64,
        parts: &[Part],
    ) -> Result<ManySubmission, SubmitError> {
        let (answer, pending) = oneshot::channel();
        let slot = self.slots.clone().acquire_owned().await;
        let slot = slot.map_err(|_| SubmitError::ShuttingDown)?;
        let (way, commands) = (self.clone(), parts.iter().map(Part::versioned).collect());
        self.runtime.spawn(async move {
            let forwarded = way.forward(leader, commands).await;
            let applied = forwarded.map(|(place, outcomes)| AppliedMany {
                index: place.index,
                first_ordinal: place.first_ordinal,
                outcomes,
            });
            drop(answer.send(applied));
            drop(slot);
        });
        Ok(Pending::queued(pending, Deadline::from_now(self.time.clone())))
    }

    /// A read index that the leader confirmed after this call began, applied here.
    pub async fn read_index(&self, leader: u64) -> Result<u64, LeadershipError> {
        let answer = self.ask(leader, &Ask::ReadIndex).await;
        let answer = answer.map_err(|_| LeadershipError::NotLeader { leader: Some(leader) })?;
        let index = ask::read_read_index(&answer).map_err(|_| LeadershipError::NoQuorum)??;
        if self.is_applied(index).await { Ok(index) } else { Err(LeadershipError::NoQuorum) }
    }

    async fn forward(
        &self,
        leader: u64,
        commands: Vec<Vec<u8>>,
    ) -> Result<(Forwarded, Vec<Outcome>), SubmitError> {
        let count = commands.len();
        let answer = self.ask(leader, &Ask::Forward(commands)).await;
        let answer = answer.map_err(|reached| match reached {
            Reached::No => SubmitError::NotLeader { leader: Some(leader) },
            Reached::Perhaps => GIVEN_UP,
        })?;
        let place = ask::read_forwarded(&answer).map_err(|_| GIVEN_UP)??;
        // It is committed. Where this node lags too far, the caller asks again with its key.
        if !self.is_applied(place.index).await {
            return Err(GIVEN_UP);
        }
        Ok((place, self.recent.get(place, count).ok_or(GIVEN_UP)?))
    }

    async fn is_applied(&self, index: u64) -> bool {
        tokio::select! {
            biased;
            () = self.applied.reached(index) => true,
            () = self.time.sleep(SUBMIT_WAIT_MAX) => false,
        }
    }

    async fn ask(&self, leader: u64, asked: &Ask) -> Result<Bytes, Reached> {
        let address = self.address(leader).ok_or(Reached::No)?;
        let link = self.peers.link(leader, &address, Purpose::Commands);
        let call = link.call(self.group).await.map_err(|_| Reached::No)?;
        tokio::select! {
            biased;
            answer = call.ask(asked.write()) => answer.map_err(|_| Reached::Perhaps),
            () = self.time.sleep(SUBMIT_WAIT_MAX) => Err(Reached::Perhaps),
        }
    }

    fn address(&self, node: u64) -> Option<String> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.membership_config.membership().get_node(&node).map(|node| node.addr.clone())
    }
}

/// Whether a request without an answer may have been acted on.
enum Reached {
    No,
    Perhaps,
}
