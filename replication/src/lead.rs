//! Who leads, as the proposer may rely on it.
//!
//! It owns the moment at which a lead begins: not when the election is won, but when all earlier entries
//! are applied here and the log's clock is anchored above them.

use std::sync::Arc;

use openraft::async_runtime::WatchReceiver;
use openraft::{ReadPolicy, ServerState};
use tokio::sync::watch;

use crate::applied::AppliedLog;
use crate::clock::LogClock;
use crate::raft_types::{Leader, Raft};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// This node leads, in this term, and has applied an entry of it.
    Leading(Leader),
    /// Another node leads, or nobody known.
    Following(Option<u64>),
}

/// Follows the group's votes and leaders until it stops.
pub(crate) async fn watch_lead(
    raft: Raft,
    clock: Arc<LogClock>,
    applied: Arc<AppliedLog>,
    lead: watch::Sender<Lead>,
) {
    let mut metrics = raft.server_metrics();
    loop {
        let (leading, following) = {
            let now = metrics.borrow_watched();
            let leads = now.state == ServerState::Leader && now.vote.committed;
            (leads.then_some(now.vote.leader_id), now.current_leader)
        };
        match leading {
            Some(leader) if *lead.borrow() != Lead::Leading(leader) => {
                // Entries of earlier leaders are applied before the clock is read against them.
                if raft.ensure_linearizable(ReadPolicy::ReadIndex).await.is_ok() {
                    clock.anchor(&mut [clock.wall_ms()], applied.at_ms());
                    lead.send_replace(Lead::Leading(leader));
                    tracing::info!(term = leader.term, "this node leads");
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
        if metrics.changed().await.is_err() {
            lead.send_replace(Lead::Following(None));
            return;
        }
    }
}
