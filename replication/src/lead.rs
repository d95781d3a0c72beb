//! Who leads, as the proposer may rely on it.
//!
//! It owns the moment at which a lead begins: not when the election is won, but when all earlier entries
//! are applied here and the log's clock is anchored above them.

use std::sync::Arc;

use futures_util::future::join_all;
use openraft::async_runtime::WatchReceiver;
use openraft::{Instant, ReadPolicy, ServerState};

use crate::GroupId;
use crate::applied::AppliedLog;
use crate::clock::{LogClock, TimeSource};
use crate::limits::{
    CLOCK_DISAGREE_MS_MAX, CLOCKS_WAIT_MAX, LEADER_RETRY_EVERY, MEMBER_SILENT_AFTER,
};
use crate::member::Member;
use crate::network::ask::{self, Ask};
use crate::network::peers::Peers;
use crate::peer::Purpose;
use crate::raft_types::{Leader, Raft};
use crate::runtime::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// This node leads, in this term, and has applied an entry of it.
    Leading(Leader),
    /// Another node leads, or nobody known.
    Following(Option<u64>),
}

/// The clocks of the group's voters.
pub(crate) struct Clocks {
    pub peers: Arc<Peers>,
    pub group: GroupId,
    pub node: u64,
    pub time: Arc<dyn TimeSource>,
}

impl Clocks {
    /// The walls of a quorum of voters at least, asked until so many answer; `None` where this node leads no
    /// more. One wall alone, or those of a minority, may be wrong by any number of years.
    async fn of_quorum(&self, raft: &Raft, leader: Leader) -> Option<Vec<u64>> {
        loop {
            let walls = self.ask(raft, self.time.wall_ms()).await;
            if 2 * walls.len() > self.others(raft).len() + 1 {
                return Some(walls);
            }
            if leads(raft) != Some(leader) {
                return None;
            }
            self.time.sleep(CLOCKS_WAIT_MAX).await;
        }
    }

    /// The walls of all voters that answer within [`CLOCKS_WAIT_MAX`], this node's among them.
    async fn ask(&self, raft: &Raft, own: u64) -> Vec<u64> {
        let asked = join_all(self.others(raft).into_iter().map(|(id, member)| async move {
            let link = self.peers.link(id, &member, Purpose::Pulse);
            let asked = async { link.call(self.group).await?.ask(Ask::Clock.write()).await };
            tokio::select! {
                biased;
                answer = asked => ask::read_clock(&answer.ok()?).ok(),
                () = self.time.sleep(CLOCKS_WAIT_MAX) => None,
            }
        }));
        asked.await.into_iter().flatten().chain([own]).collect()
    }

    /// This node's clock is not to be trusted with the log's: another voter shall lead.
    async fn hand_over(&self, raft: &Raft, (own, median): (u64, u64)) {
        tracing::error!(
            own_ms = own,
            quorum_ms = median,
            "this node's clock disagrees with the others': it hands the lead over. Set its clock"
        );
        if let Some(to) = successor(raft, self.node) {
            let _ = raft.trigger().transfer_leader(to).await;
        }
    }

    fn others(&self, raft: &Raft) -> Vec<(u64, Member)> {
        let metrics = raft.metrics();
        let metrics = metrics.borrow_watched();
        let membership = metrics.membership_config.membership();
        let voters = membership.voter_ids().filter(|id| *id != self.node);
        let member = |id| membership.get_node(&id).map(|node| (id, node.clone()));
        voters.filter_map(member).collect()
    }
}

/// The voter that should lead after this node: of those that answer the one that has most of the log.
pub(crate) fn successor(raft: &Raft, node: u64) -> Option<u64> {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let heard = |id: &u64| {
        let at = metrics.heartbeat.as_ref()?.get(id)?.as_ref()?;
        (at.elapsed() <= MEMBER_SILENT_AFTER).then_some(())
    };
    let matched = |id: &u64| metrics.replication.as_ref()?.get(id).copied().flatten();
    let voters = metrics.membership_config.membership().voter_ids();
    voters.filter(|id| *id != node && heard(id).is_some()).max_by_key(matched)
}

/// The lead that this node has by its vote, ready or not.
fn leads(raft: &Raft) -> Option<Leader> {
    let metrics = raft.server_metrics();
    let now = metrics.borrow_watched();
    (now.state == ServerState::Leader && now.vote.committed).then_some(now.vote.leader_id)
}

/// Follows the group's votes and leaders until it stops.
pub(crate) async fn watch_lead(
    raft: Raft,
    clock: Arc<LogClock>,
    applied: Arc<AppliedLog>,
    (clocks, lead): (Clocks, watch::Sender<Lead>),
) {
    let mut metrics = raft.server_metrics();
    loop {
        let following = metrics.borrow_watched().current_leader;
        match leads(&raft) {
            Some(leader) if *lead.borrow() != Lead::Leading(leader) => {
                // Entries of earlier leaders are applied before the clock is read against them.
                if raft.ensure_linearizable(ReadPolicy::ReadIndex).await.is_ok()
                    && let Some(mut walls) = clocks.of_quorum(&raft, leader).await
                {
                    let own = clock.wall_ms();
                    let median = clock.anchor(&mut walls, applied.at_ms());
                    lead.send_replace(Lead::Leading(leader));
                    tracing::info!(term = leader.term, clocks = walls.len(), "this node leads");
                    if median.abs_diff(own) > CLOCK_DISAGREE_MS_MAX {
                        clocks.hand_over(&raft, (own, median)).await;
                    }
                }
            }
            Some(_) => {}
            None => {
                clock.observe(applied.at_ms());
                lead.send_if_modified(|lead| {
                    let changed = *lead != Lead::Following(following);
                    *lead = Lead::Following(following);
                    changed
                });
            }
        }
        // A quorum that did not answer just now: nothing of the metrics changes when it does.
        let is_unready = leads(&raft).is_some_and(|leader| *lead.borrow() != Lead::Leading(leader));
        let goes_on = tokio::select! {
            biased;
            changed = metrics.changed() => changed.is_ok(),
            () = clocks.time.sleep(LEADER_RETRY_EVERY), if is_unready => true,
        };
        if !goes_on {
            lead.send_replace(Lead::Following(None));
            return;
        }
    }
}
