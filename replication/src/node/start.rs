//! Starting a node: open, check, replay, lead, serve.
//!
//! It owns the order of these steps. Nothing is served, and no task runs, before the log was found whole.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use holdfast_engine::{Reader, State};
use openraft::{BasicNode, Config, SnapshotPolicy};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, watch};

use super::tasks::Alarm;
use super::{Inner, Node, RaftLog, Tasks, replay};
use crate::applied::AppliedLog;
use crate::clock::LogClock;
use crate::lead::{Lead, watch_lead};
use crate::limits::{CLOCK_AHEAD_MS_MAX, LEAD_WAIT_MAX};
use crate::log::{Log, LogError, LogOptions, LogStore};
use crate::network::NoPeers;
use crate::options::{OnProgress, Options};
use crate::proposer::{Proposer, Queue, complete};
use crate::raft_types::Raft;
use crate::reads::ReadIndex;
use crate::state_machine::{Follower, StateMachine};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the log cannot be applied: {0}")]
    Replay(#[source] io::Error),
    #[error("reading the log panicked")]
    ReplayPanicked,
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] io::Error),
    #[error("the log's core does not start: {0}")]
    Raft(String),
    #[error(
        "this machine's clock is {days} days ahead of the log's last entry. The log would follow it and \
         never go back: nights in between would be retired for good. Set the clock, or, if it is \
         right, start once with `holdfast serve --accept-clock`"
    )]
    ClockAhead { days: u64 },
    #[error("this node did not take the lead within {} s", LEAD_WAIT_MAX.as_secs())]
    NoLead,
}

impl OpenError {
    /// The log lacks something that was acknowledged: an operator must decide.
    pub fn is_loss(&self) -> bool {
        match self {
            Self::Log(error) => !matches!(
                error,
                LogError::Io(_) | LogError::InUse { .. } | LogError::Storage { .. }
            ),
            _ => false,
        }
    }
}

pub(super) async fn open(options: Options) -> Result<Node, OpenError> {
    let runtime = match options.threads {
        Some(threads) => Some(own_runtime(threads)?),
        None => None,
    };
    let handle = runtime.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone());
    let opened = handle.spawn(open_on(options)).await;
    let opened = opened.unwrap_or_else(|error| Err(OpenError::Raft(error.to_string())));
    match (opened, runtime) {
        (Ok(node), runtime) => {
            *node.0.runtime.lock() = runtime;
            Ok(node)
        }
        (Err(error), runtime) => {
            if let Some(runtime) = runtime {
                runtime.shutdown_background();
            }
            Err(error)
        }
    }
}

fn own_runtime(threads: usize) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(threads.max(1)).thread_name("holdfast-raft").enable_time().build()
}

/// A log that was opened and replayed.
struct Replayed {
    log: Log,
    store: LogStore,
    fresh: bool,
    machine: StateMachine,
    reader: Reader,
}

async fn open_on(options: Options) -> Result<Node, OpenError> {
    let Options {
        dir,
        group,
        node,
        time,
        on_progress,
        follower,
        accept_loss,
        accept_clock,
        on_disk_failure,
        ..
    } = options;
    let clock = Arc::new(LogClock::new(time.clone()));
    let applied = Arc::new(AppliedLog::new());
    let log_options = LogOptions { dir, accept_loss, time: time.clone(), on_disk_failure };
    let read = {
        let applied = applied.clone();
        move || {
            let log = Log::open(log_options)?;
            replayed(log, group, applied, follower, on_progress)
        }
    };
    let replayed = tokio::task::spawn_blocking(read).await;
    let replayed = replayed.unwrap_or_else(|error| Err(OpenError::Raft(error.to_string())))?;
    let Replayed { log, store, fresh, machine, reader } = replayed;
    let (last, wall) = (reader.log_time_ms(), time.wall_ms());
    if last > 0 && wall.saturating_sub(last) > CLOCK_AHEAD_MS_MAX && !accept_clock {
        return Err(OpenError::ClockAhead { days: (wall - last) / (24 * 3_600 * 1_000) });
    }

    let config = Arc::new(config(group.0).map_err(raft_error)?);
    let raft = Raft::new(node, config, NoPeers, store, machine).await.map_err(raft_error)?;
    if fresh {
        let members = BTreeMap::from([(node, BasicNode::default())]);
        raft.initialize(members).await.map_err(raft_error)?;
    } else {
        // Nobody else can lead: there is no election timeout to wait for.
        raft.trigger().elect(false).await.map_err(raft_error)?;
    }

    let (lead_tx, lead) = watch::channel(Lead::Following(None));
    let queue = Arc::new(Queue::new());
    let read_index = Arc::new(ReadIndex::new());
    let (in_flight, entries) = mpsc::unbounded_channel();
    let proposer = Proposer {
        log: RaftLog { raft: raft.clone(), reader: reader.clone() },
        queue: queue.clone(),
        clock: clock.clone(),
        time: time.clone(),
        lead: lead.clone(),
        in_flight,
    };
    let alarm = Alarm::new();
    let watch_lead = watch_lead(raft.clone(), clock.clone(), applied.clone(), lead_tx);
    let tasks = Tasks {
        proposer: alarm.spawn("proposer", proposer.run()),
        completer: alarm.spawn("completer", complete(entries, queue.clone())),
        others: vec![
            alarm.spawn("watch of the lead", watch_lead),
            alarm.spawn("read index", read_index.clone().run(raft.clone())),
        ],
    };
    let inner = Inner {
        group,
        reader,
        raft,
        log,
        clock,
        time,
        applied,
        queue,
        lead,
        read_index,
        alarm,
        tasks: Mutex::new(Some(tasks)),
        runtime: Mutex::new(None),
    };
    let node = Node(Arc::new(inner));
    wait_to_lead(&node).await?;
    Ok(node)
}

fn replayed(
    log: Log,
    group: crate::GroupId,
    applied: Arc<AppliedLog>,
    follower: Option<Follower>,
    mut on_progress: Option<OnProgress>,
) -> Result<Replayed, OpenError> {
    let opened = log.group(group)?;
    let (writer, reader) = State::new();
    let mut machine = StateMachine::new(writer, applied, follower);
    replay::replay(&opened.store, &mut machine, &mut on_progress)?;
    Ok(Replayed { log, store: opened.store, fresh: opened.fresh, machine, reader })
}

/// Leading means: everything that was in the log is applied, and an entry of the new term too.
async fn wait_to_lead(node: &Node) -> Result<(), OpenError> {
    let mut lead = node.0.lead.clone();
    let leads = async {
        // A group that stopped is the fatal branch's to report.
        if lead.wait_for(|lead| matches!(lead, Lead::Leading(_))).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let result = tokio::select! {
        biased;
        () = leads => Ok(()),
        fatal = node.fatal() => Err(OpenError::Raft(fatal.to_string())),
        () = tokio::time::sleep(LEAD_WAIT_MAX) => Err(OpenError::NoLead),
    };
    if result.is_err() {
        node.shutdown().await;
    }
    result
}

/// One voter today; the values are those of several, so that nothing is tuned twice.
fn config(group: u16) -> Result<Config, openraft::ConfigError> {
    let config = Config {
        cluster_name: format!("holdfast-{group}"),
        heartbeat_interval: 100,
        election_timeout_min: 500,
        election_timeout_max: 1_000,
        // At least twice the longest election timeout: an old leader must fall silent before a connected
        // quorum can elect another.
        quorum_loss_probe_interval: Some(2_000),
        max_payload_entries: 1_024,
        snapshot_policy: SnapshotPolicy::Never,
        enable_pre_vote: Some(true),
        enable_leader_restore: Some(false),
        ..Config::default()
    };
    config.validate()
}

fn raft_error(error: impl std::error::Error) -> OpenError {
    OpenError::Raft(error.to_string())
}
