//! Members of a group: who they are, how far each is, and changes to that.
//!
//! It owns the conditions under which a change is made at all; Raft makes it, over a joint membership
//! where voters change. **Invariant**: no change is begun that would leave voters without a quorum that
//! answers, and a node's id goes with the disk it showed when it was added.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, RaftError};
use openraft::{ChangeMembers, Instant};

use crate::clock::TimeSource;
use crate::lead::{Lead, successor};
use crate::limits::{
    HAND_OVER_WAIT_MAX, MEMBER_CHANGE_WAIT_MAX, MEMBER_SILENT_AFTER, PROMOTE_LAG_MAX,
};
use crate::member::Member;
use crate::network::peers::Peers;
use crate::peer::Purpose;
use crate::raft_types::{Raft, TypeConfig};
use crate::runtime::watch;

/// A change to a group's members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Feeds the log to a node that runs, without a log, at `address`; it votes once it is promoted.
    AddLearner { node: u64, address: String },
    /// Lets a learner that has caught up vote.
    Promote { node: u64 },
    /// Takes a voter or a learner out.
    Remove { node: u64 },
    /// Hands the lead to a voter; the most advanced one where none is named.
    Lead { to: Option<u64> },
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Nothing was changed, and why.
    #[error("{0}")]
    Refused(String),
    /// Nothing was changed: nobody is known to lead.
    #[error("no node is known to lead")]
    NotLeader { leader: Option<u64> },
    /// It may have been made: look at the members.
    #[error("whether it was done is not known: {0}")]
    Unknown(String),
}

/// What a member is to its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberRole {
    Learner,
    Voter,
    Leader,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberStatus {
    pub node: u64,
    pub role: MemberRole,
    pub address: String,
    /// Index up to which it has the leader's log; `None` where the leader was not asked.
    pub matched: Option<u64>,
    /// How long ago the leader heard of it.
    pub heard: Option<Duration>,
}

/// The members of a group, as its leader may change them.
pub(crate) struct Members {
    pub node: u64,
    pub raft: Raft,
    pub peers: Arc<Peers>,
    pub time: Arc<dyn TimeSource>,
    pub lead: watch::Receiver<Lead>,
}

type Made = Result<(), ChangeError>;

impl Members {
    /// Makes a change, on the leader; anywhere else it says who that is.
    pub async fn change(&self, change: Change) -> Made {
        if let Lead::Following(leader) = *self.lead.borrow() {
            return Err(ChangeError::NotLeader { leader });
        }
        let made = async {
            match change {
                Change::AddLearner { node, address } => self.add(node, address).await,
                Change::Promote { node } => self.promote(node).await,
                Change::Remove { node } => self.remove(node).await,
                Change::Lead { to } => self.hand_over(to).await,
            }
        };
        tokio::select! {
            biased;
            made = made => made,
            () = self.time.sleep(MEMBER_CHANGE_WAIT_MAX) => {
                Err(ChangeError::Unknown("it took too long; see `member list`".into()))
            }
        }
    }

    /// Everyone in the group, with what the leader knows of them where this is it.
    pub fn list(&self) -> Vec<MemberStatus> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        let voters: BTreeSet<u64> = membership.voter_ids().collect();
        let matched = |id: &u64| {
            let matched = metrics.replication.as_ref()?.get(id)?;
            Some(matched.as_ref().map_or(0, |log_id| log_id.index))
        };
        let heard = |id: &u64| {
            let at = metrics.heartbeat.as_ref()?.get(id)?.as_ref()?;
            Some(at.elapsed())
        };
        let status = |(id, member): (&u64, &Member)| MemberStatus {
            node: *id,
            role: match voters.contains(id) {
                true if metrics.current_leader == Some(*id) => MemberRole::Leader,
                true => MemberRole::Voter,
                false => MemberRole::Learner,
            },
            address: member.address.clone(),
            matched: matched(id),
            heard: heard(id),
        };
        membership.nodes().map(status).collect()
    }

    async fn add(&self, node: u64, address: String) -> Made {
        if self.get(node).is_some() {
            return refused(format!("node {node} is a member already; a new disk is a new id"));
        }
        if node == 0 {
            return refused("node ids begin at 1".to_owned());
        }
        let highest = self.highest().await?;
        if node <= highest {
            return refused(format!(
                "ids up to {highest} are or were members' and are never used again: another disk may have \
                 been node {node}; take one above {highest}"
            ));
        }
        let link = self.peers.link(node, &Member::at(&address), Purpose::Pulse);
        let disk = link.disk_now().await.map_err(|error| {
            ChangeError::Refused(format!("it must run before it is added, and does not: {error}"))
        })?;
        let member = Member { address, disk };
        self.write(ChangeMembers::AddNodes(BTreeMap::from([(node, member)])), true).await
    }

    /// The highest id that ever was a member's. A leader has applied all that was a member before it led; who is
    /// being added stands in the list.
    async fn highest(&self) -> Result<u64, ChangeError> {
        let ever = self.raft.with_state_machine(|machine| {
            let highest = machine.highest_member();
            Box::pin(async move { highest })
        });
        let ever = ever.await.map_err(|fatal| ChangeError::Unknown(fatal.to_string()))?;
        Ok(self.list().iter().map(|member| member.node).fold(ever, u64::max))
    }

    async fn promote(&self, node: u64) -> Made {
        let Some(learner) = self.get(node) else {
            return refused(format!("node {node} is no member; add it first"));
        };
        if learner.role != MemberRole::Learner {
            return refused(format!("node {node} votes already"));
        }
        if is_silent(&learner) {
            return refused(format!("node {node} does not answer"));
        }
        let last = self.raft.metrics().borrow_watched().last_log_index.unwrap_or(0);
        let lag = last.saturating_sub(learner.matched.unwrap_or(0));
        if lag > PROMOTE_LAG_MAX {
            return refused(format!(
                "node {node} is {lag} entries behind, {PROMOTE_LAG_MAX} are allowed; wait until it has \
                 caught up"
            ));
        }
        self.write(ChangeMembers::AddVoterIds(BTreeSet::from([node])), true).await
    }

    async fn remove(&self, node: u64) -> Made {
        let Some(member) = self.get(node) else {
            return refused(format!("node {node} is no member"));
        };
        if member.role == MemberRole::Learner {
            return self.write(ChangeMembers::RemoveNodes(BTreeSet::from([node])), false).await;
        }
        if node == self.node {
            return refused(format!(
                "node {node} leads; hand the lead over first (`holdfast admin leader transfer`)"
            ));
        }
        let left: Vec<MemberStatus> =
            self.list().into_iter().filter(|other| other.node != node).collect();
        let left = left.iter().filter(|other| other.role != MemberRole::Learner);
        let (voters, answer) = left.fold((0, 0), |(voters, answer), other| {
            let answers = other.node == self.node || !is_silent(other);
            (voters + 1, answer + usize::from(answers))
        });
        if 2 * answer <= voters {
            return refused(format!(
                "of the {voters} voters that would be left only {answer} answer: nothing could be \
                 written any more"
            ));
        }
        self.write(ChangeMembers::RemoveVoters(BTreeSet::from([node])), false).await
    }

    /// Hands the lead over and waits until another node has it.
    pub async fn hand_over(&self, to: Option<u64>) -> Made {
        let to = match to {
            Some(to) if to == self.node => return refused(format!("node {to} leads already")),
            Some(to) => match self.get(to) {
                Some(voter) if voter.role == MemberRole::Learner => {
                    return refused(format!("node {to} is a learner; promote it first"));
                }
                Some(voter) if is_silent(&voter) => {
                    return refused(format!("node {to} does not answer"));
                }
                Some(_) => to,
                None => return refused(format!("node {to} is no member")),
            },
            None => match successor(&self.raft, self.node) {
                Some(to) => to,
                None => return refused("no other voter answers".to_owned()),
            },
        };
        let mut lead = self.lead.clone();
        let asked = self.raft.trigger().transfer_leader(to).await;
        asked.map_err(|fatal| ChangeError::Unknown(fatal.to_string()))?;
        let other =
            |lead: &Lead| matches!(lead, Lead::Following(Some(leader)) if *leader != self.node);
        tokio::select! {
            biased;
            led = lead.wait_for(other) => match led.map(|lead| *lead) {
                Ok(Lead::Following(Some(leader))) if leader != to => {
                    refused(format!("node {leader} was faster and leads"))
                }
                Ok(_) => Ok(()),
                Err(_) => Err(ChangeError::Unknown("this node stops".into())),
            },
            () = self.time.sleep(HAND_OVER_WAIT_MAX) => {
                refused(format!("node {to} did not take the lead; this one goes on"))
            }
        }
    }

    async fn write(&self, change: ChangeMembers<u64, Member>, retain: bool) -> Made {
        let written = self.raft.change_membership(change, retain).await;
        match written {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(error)),
        }
    }

    fn get(&self, node: u64) -> Option<MemberStatus> {
        self.list().into_iter().find(|member| member.node == node)
    }
}

fn refusal(error: RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> ChangeError {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(to)) => {
            ChangeError::NotLeader { leader: to.leader_id }
        }
        RaftError::APIError(ClientWriteError::ChangeMembershipError(error)) => {
            ChangeError::Refused(error.to_string())
        }
        error => ChangeError::Unknown(error.to_string()),
    }
}

fn refused(why: String) -> Made {
    Err(ChangeError::Refused(why))
}

fn is_silent(member: &MemberStatus) -> bool {
    member.heard.is_none_or(|ago| ago > MEMBER_SILENT_AFTER)
}
