//! What a node says about itself, to operators and to readiness probes.
//!
//! It owns no state: it reads what others keep.

use openraft::ServerState;
use openraft::async_runtime::WatchReceiver;

use super::Node;
use crate::clock::ClockHealth;
use crate::log::GuardLag;

/// What this node is in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Leader,
    Follower,
    Candidate,
    Learner,
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub role: Role,
    pub node: u64,
    /// Who leads, as far as this node knows.
    pub leader: Option<u64>,
    pub term: u64,
    /// Index of the last entry in this node's log.
    pub last_log: Option<u64>,
    pub committed: Option<u64>,
    pub applied: Option<u64>,
    /// Commands that wait to be proposed.
    pub queued: usize,
    /// The log's clock, in milliseconds.
    pub log_time_ms: u64,
    /// The stamp of the newest applied entry, in milliseconds.
    pub applied_time_ms: u64,
    pub clock: ClockHealth,
    pub guard: GuardLag,
    /// Commands applied by this process, at start or since, that met a state that must not be.
    pub invariant_refusals: u64,
}

/// Why a node can go on no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FatalError {
    #[error("the log can go on no more: {0}")]
    Raft(String),
    #[error("the {task} panicked: {message}")]
    Panicked { task: &'static str, message: String },
    #[error("the node has stopped")]
    Stopped,
}

pub(super) fn status(node: &Node) -> Status {
    let inner = &node.0;
    let metrics = inner.raft.metrics();
    let metrics = metrics.borrow_watched();
    Status {
        role: match metrics.state {
            ServerState::Leader => Role::Leader,
            ServerState::Follower => Role::Follower,
            ServerState::Candidate => Role::Candidate,
            ServerState::Learner => Role::Learner,
            ServerState::Shutdown => Role::Stopped,
        },
        node: metrics.id,
        leader: metrics.current_leader,
        term: metrics.current_term,
        last_log: metrics.last_log_index,
        committed: metrics.local_committed.map(|id| id.index),
        applied: inner.applied.index(),
        queued: inner.queue.depth(),
        log_time_ms: node.now_ms(),
        applied_time_ms: inner.applied.at_ms(),
        clock: inner.clock.health(),
        guard: inner.log.guard_lag(),
        invariant_refusals: inner.applied.invariant_refusals(),
    }
}
