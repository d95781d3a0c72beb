//! Forwarding: a follower hands commands to the leader, one hop at most.
//!
//! It owns the wait for the outcome, which is this node's own: the leader says where in the log the
//! commands stand, and applying them here gives the same outcome as there. So whoever writes through a
//! follower reads its own write there, and no outcome travels between nodes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use holdfast_engine::Outcome;
use openraft::async_runtime::WatchReceiver;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::members::{Change, ChangeError, MemberStatus, Members};
use crate::GroupId;
use crate::applied::AppliedLog;
use crate::clock::{LogClock, TimeSource};
use crate::fresh::Freshness;
use crate::lead::Lead;
use crate::limits::{
    BUSY_RETRY_AFTER, CONFIRM_EVERY, CONFIRMS_WAITING_MAX, LEADER_RETRY_EVERY, LEADER_WAIT_MAX,
    RECENT_COMMANDS_MAX, SUBMIT_WAIT_MAX,
};
use crate::member::Member;
use crate::network::answer::take;
use crate::network::ask::members::{read_changed, read_members};
use crate::network::ask::{self, Ask, Forwarded};
use crate::network::peers::Peers;
use crate::payload::Part;
use crate::peer::Purpose;
use crate::peer::hello::Identity;
use crate::proposer::Queue;
use crate::raft_types::Raft;
use crate::reads::{LeadershipError, ReadIndex, ReadPoint};
use crate::runtime::{Handle, watch};
use crate::space::Space;
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

/// This group's way to whoever leads it, this node included.
pub(crate) struct ToLeader {
    pub me: Identity,
    pub peers: Arc<Peers>,
    pub group: GroupId,
    pub raft: Raft,
    pub lead: watch::Receiver<Lead>,
    pub queue: Arc<Queue>,
    pub space: Arc<Space>,
    pub read_index: Arc<ReadIndex>,
    pub clock: Arc<LogClock>,
    pub members: Arc<Members>,
    pub recent: Arc<Recent>,
    pub applied: Arc<AppliedLog>,
    pub fresh: Freshness,
    pub time: Arc<dyn TimeSource>,
    pub runtime: Handle,
    /// Permits for submissions under way.
    pub slots: Arc<Semaphore>,
}

/// A follower's own wait for outcomes is over this long after the leader's.
const GIVEN_UP: SubmitError = SubmitError::Unknown { cause: UnknownCause::TimedOut };

/// Who takes commands now.
#[derive(Debug, Clone, Copy)]
enum Leads {
    Here,
    There(u64),
}

impl ToLeader {
    pub fn one(self: &Arc<Self>, part: &Part) -> Submission {
        let (answer, pending) = oneshot::channel();
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            return Pending::refused(SubmitError::Busy { retry_after: BUSY_RETRY_AFTER });
        };
        let (way, commands) = (self.clone(), vec![part.versioned()]);
        self.runtime.spawn(async move {
            let forwarded = way.forward(commands).await;
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

    pub async fn many(self: &Arc<Self>, parts: &[Part]) -> Result<ManySubmission, SubmitError> {
        let (answer, pending) = oneshot::channel();
        let slot = self.slots.clone().acquire_owned().await;
        let slot = slot.map_err(|_| SubmitError::ShuttingDown)?;
        let (way, commands) = (self.clone(), parts.iter().map(Part::versioned).collect());
        self.runtime.spawn(async move {
            let forwarded = way.forward(commands).await;
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

    /// Keeps the state's age known, whether anybody reads or not.
    ///
    /// It asks on while earlier answers are yet to be applied: the age of a node that lags is its lag.
    pub async fn keep_confirming(self: Arc<Self>) {
        let (answered, answers) = mpsc::channel(CONFIRMS_WAITING_MAX);
        let ask = async {
            loop {
                let asked = self.time.elapsed();
                // Without a leader the age grows, which is what there is to tell.
                if let Ok(point) = self.confirm_point(asked).await
                    && answered.send((point.index, asked)).await.is_err()
                {
                    return;
                }
                self.time.sleep(CONFIRM_EVERY).await;
            }
        };
        join(ask, self.fresh.settle(&self.applied, answers)).await;
    }

    /// A point that the leader confirmed after this call began, applied here. Each attempt asks anew.
    pub async fn read_point(&self) -> Result<ReadPoint, LeadershipError> {
        let asked = self.time.elapsed();
        let point = self.confirm_point(asked).await?;
        if !self.is_applied(point.index).await {
            return Err(LeadershipError::NoQuorum);
        }
        // From here on this node's view of the log's time is not behind what the leader's was.
        self.clock.observe(point.now_ms);
        self.fresh.confirmed(asked);
        Ok(point)
    }

    /// A point that the leader confirmed after this call began, which was `asked`; on a follower perhaps not applied
    /// yet.
    async fn confirm_point(&self, asked: Duration) -> Result<ReadPoint, LeadershipError> {
        let until = asked.saturating_add(LEADER_WAIT_MAX);
        loop {
            let read = match self.whoever_leads(until).await {
                None => return Err(LeadershipError::NotLeader { leader: None }),
                Some(Leads::Here) => self.read_index.confirm().await.map(|index| {
                    let now_ms = self.clock.now_ms().max(self.applied.at_ms());
                    ReadPoint { index, now_ms }
                }),
                Some(Leads::There(leader)) => self.read_point_of(leader).await,
            };
            match read {
                Err(LeadershipError::NotLeader { .. }) if self.time.elapsed() < until => {
                    self.pause().await;
                }
                read => return read,
            }
        }
    }

    async fn read_point_of(&self, leader: u64) -> Result<ReadPoint, LeadershipError> {
        let answer = self.ask(leader, &Ask::ReadIndex).await;
        let answer = answer.map_err(|_| LeadershipError::NotLeader { leader: Some(leader) })?;
        ask::read_read_index(&answer).map_err(|_| LeadershipError::NoQuorum)?
    }

    /// Changes members, wherever the leader is.
    pub async fn change(&self, change: Change) -> Result<(), ChangeError> {
        let until = self.time.elapsed().saturating_add(LEADER_WAIT_MAX);
        match self.whoever_leads(until).await {
            None => Err(ChangeError::NotLeader { leader: None }),
            Some(Leads::Here) => self.members.change(change).await,
            Some(Leads::There(leader)) => {
                let answer = self.ask(leader, &Ask::Change(change)).await;
                let answer = answer.map_err(|reached| match reached {
                    Reached::No => ChangeError::NotLeader { leader: Some(leader) },
                    Reached::Perhaps => ChangeError::Unknown("the leader did not answer".into()),
                })?;
                let unreadable = |_| ChangeError::Unknown("the leader's answer is damaged".into());
                read_changed(&answer).map_err(unreadable)?
            }
        }
    }

    /// The members with what the leader knows of them; without that where no leader answers.
    pub async fn members(&self) -> Vec<MemberStatus> {
        if let Some(Leads::There(leader)) = self.leads()
            && let Ok(answer) = self.ask(leader, &Ask::Members).await
            && let Ok(members) = read_members(&answer)
        {
            return members;
        }
        self.members.list()
    }

    /// Until a leader has taken the commands: an election or a transfer delays them, no more. Only what
    /// was certainly never proposed is handed on again.
    async fn forward(
        &self,
        commands: Vec<Vec<u8>>,
    ) -> Result<(Forwarded, Vec<Outcome>), SubmitError> {
        let until = self.time.elapsed().saturating_add(LEADER_WAIT_MAX);
        loop {
            let tried = match self.whoever_leads(until).await {
                None => return Err(SubmitError::NotLeader { leader: None }),
                Some(Leads::Here) if self.space.is_low() => Err(SubmitError::DiskFull),
                Some(Leads::Here) => take(&self.queue, &commands).await,
                Some(Leads::There(leader)) => self.hand_to(leader, &commands).await,
            };
            match tried {
                Err(SubmitError::NotLeader { .. }) if self.time.elapsed() < until => {
                    self.pause().await;
                }
                tried => return tried,
            }
        }
    }

    async fn hand_to(
        &self,
        leader: u64,
        commands: &[Vec<u8>],
    ) -> Result<(Forwarded, Vec<Outcome>), SubmitError> {
        let answer = self.ask(leader, &Ask::Forward(commands.to_vec())).await;
        let answer = answer.map_err(|reached| match reached {
            Reached::No => SubmitError::NotLeader { leader: Some(leader) },
            Reached::Perhaps => GIVEN_UP,
        })?;
        let place = ask::read_forwarded(&answer).map_err(|_| GIVEN_UP)?;
        let place = place.map_err(|error| match error {
            // That node stops; the next leader takes it.
            SubmitError::ShuttingDown => SubmitError::NotLeader { leader: None },
            error => error,
        })?;
        // It is committed. Where this node lags too far, the caller asks again with its key.
        if !self.is_applied(place.index).await {
            return Err(GIVEN_UP);
        }
        let outcomes = self.recent.get(place, commands.len()).ok_or(GIVEN_UP)?;
        Ok((place, outcomes))
    }

    async fn is_applied(&self, index: u64) -> bool {
        tokio::select! {
            biased;
            () = self.applied.reached(index) => true,
            () = self.time.sleep(SUBMIT_WAIT_MAX) => false,
        }
    }

    async fn ask(&self, leader: u64, asked: &Ask) -> Result<Bytes, Reached> {
        let member = self.member(leader).ok_or(Reached::No)?;
        let link = self.peers.link(leader, &member, Purpose::Commands);
        let call = link.call(self.group).await.map_err(|_| Reached::No)?;
        let hands_over = matches!(asked, Ask::Change(Change::Lead { .. }));
        // One that stands still, or is cut off, is waited for no longer than until another leads: what it
        // was told may have been done, and only the next leader can tell.
        tokio::select! {
            biased;
            answer = call.ask(asked.write()) => answer.map_err(|_| Reached::Perhaps),
            // Unless that is what it was asked for: then its answer comes when another leads.
            () = self.another_leads(leader), if !hands_over => Err(Reached::Perhaps),
            () = self.time.sleep(SUBMIT_WAIT_MAX) => Err(Reached::Perhaps),
        }
    }

    /// Returns once a node other than `leader` is known to lead.
    async fn another_leads(&self, leader: u64) {
        let mut lead = self.lead.clone();
        let other = |lead: &Lead| match lead {
            Lead::Leading(_) => true,
            Lead::Following(led_by) => led_by.is_some_and(|node| node != leader),
        };
        if lead.wait_for(other).await.is_err() {
            // This node stops; whoever waits is answered by that.
            std::future::pending::<()>().await;
        }
    }

    fn leads(&self) -> Option<Leads> {
        match *self.lead.borrow() {
            Lead::Leading(_) => Some(Leads::Here),
            // Elected, and not yet ready to lead.
            Lead::Following(leader) => leader.filter(|&id| id != self.me.node).map(Leads::There),
        }
    }

    /// Who leads, once that is known, unless it takes past `until`.
    async fn whoever_leads(&self, until: Duration) -> Option<Leads> {
        let mut lead = self.lead.clone();
        let too_late = self.time.sleep(until.saturating_sub(self.time.elapsed()));
        tokio::pin!(too_late);
        loop {
            lead.mark_unchanged();
            if let Some(leads) = self.leads() {
                return Some(leads);
            }
            tokio::select! {
                biased;
                changed = lead.changed() => changed.ok()?,
                () = &mut too_late => return None,
            }
        }
    }

    /// After an attempt that reached no leader: until another leads, or a little while.
    async fn pause(&self) {
        let mut lead = self.lead.clone();
        lead.mark_unchanged();
        tokio::select! {
            biased;
            _ = lead.changed() => {}
            () = self.time.sleep(LEADER_RETRY_EVERY) => {}
        }
    }

    fn member(&self, node: u64) -> Option<Member> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.membership_config.membership().get_node(&node).cloned()
    }
}

/// Whether a request without an answer may have been acted on.
enum Reached {
    No,
    Perhaps,
}
