//! What a node says about itself, to operators and to readiness probes.
//!
//! It owns no state: it reads what others keep.

use std::time::Duration;

use openraft::ServerState;
use openraft::async_runtime::WatchReceiver;

use super::{Inner, Node};
use crate::clock::ClockHealth;
use crate::limits::{BEHIND_AFTER, NO_LEADER_AFTER};
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
    /// Index of the last entry that was cut off this node's log, behind a snapshot.
    pub purged: Option<u64>,
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
    /// How long ago an entry with log time was applied here last: a log that lives ticks every second.
    pub quiet: Duration,
    /// How old this node's state is at most, as [`Node::age`].
    pub age: Option<Duration>,
    /// Bytes free on the log's disk.
    pub disk_free: u64,
    /// Why nothing can be written through this node, or nothing fresh read, where that is so.
    pub stuck: Option<Stuck>,
}

/// Why a node makes no progress.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    #[error("the cluster has not begun, or has not added this node")]
    NotMember,
    #[error("no node leads")]
    NoLeader,
    #[error("this node leads, and no quorum of the voters answers it")]
    NoQuorum,
    #[error("node {leader} leads, and nothing of it arrives here")]
    Cut { leader: u64 },
    #[error("this node's state may be {s} s old: it has yet to catch up")]
    Behind { s: u64 },
    #[error("the disk is full: {free} bytes are free")]
    DiskFull { free: u64 },
}

/// Why a node can go on no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FatalError {
    #[error("the log can go on no more: {0}")]
    Raft(String),
    #[error("the {task} panicked: {message}")]
    Panicked { task: &'static str, message: String },
    #[error(
        "a snapshot up to entry {index} was received: this node takes it in when it starts again"
    )]
    SnapshotReceived { index: u64 },
    #[error("another node refuses this one: {0}")]
    Refused(String),
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
        purged: metrics.purged.map(|id| id.index),
        last_log: metrics.last_log_index,
        committed: metrics.local_committed.map(|id| id.index),
        applied: inner.applied.index(),
        queued: inner.queue.depth(),
        log_time_ms: node.now_ms(),
        applied_time_ms: inner.applied.at_ms(),
        clock: inner.clock.health(),
        guard: inner.log.guard_lag(),
        invariant_refusals: inner.applied.invariant_refusals(),
        quiet: inner.applied.quiet(),
        age: node.age(),
        disk_free: inner.space.free(),
        stuck: stuck(inner, (metrics.id, metrics.current_leader)),
    }
}

/// A log that lives ticks: one whose time stands still does not.
fn stuck(inner: &Inner, (node, leader): (u64, Option<u64>)) -> Option<Stuck> {
    if inner.space.is_low() {
        return Some(Stuck::DiskFull { free: inner.space.free() });
    }
    if inner.applied.index().is_none() {
        return Some(Stuck::NotMember);
    }
    if inner.applied.quiet() <= NO_LEADER_AFTER {
        let as_of = inner.to_leader.fresh.whole_as_of();
        let age = as_of.map(|as_of| inner.time.elapsed().saturating_sub(as_of));
        return age.filter(|age| *age > BEHIND_AFTER).map(|age| Stuck::Behind { s: age.as_secs() });
    }
    Some(match leader {
        Some(leader) if leader == node => Stuck::NoQuorum,
        Some(leader) => Stuck::Cut { leader },
        None => Stuck::NoLeader,
    })
}
