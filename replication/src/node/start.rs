//! Starting a node: open, check, replay, lead, serve.
//!
//! It owns the order of these steps. Nothing is served, and no task runs, before the log was found whole.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::assemble::{Parts, assemble};
use super::recover::Recovery;
use super::{Node, join};
use crate::applied::AppliedLog;
use crate::archive::ArchiveError;
use crate::lead::Lead;
use crate::limits::{CLOCK_AHEAD_MS_MAX, LEAD_WAIT_MAX};
use crate::log::LogError;
use crate::member::Member;
use crate::options::{Cluster, Options};
use crate::peer::tls::TlsError;
use crate::raft_types::Raft;
use crate::runtime::{self, Handle};
use crate::space::Space;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(
        "the log begins with entry {first}, and no snapshot that can be read leads up to it. If this node is \
         one of several, remove it and let it join again as a new learner under a new id; if it is alone, \
         restore its data directory from a backup"
    )]
    NoSnapshot { first: u64 },
    #[error(
        "the snapshot {path} is of a later build than this one: {why}. Nothing was changed, and nothing is \
         lost: start that later build, or a newer one, on this directory"
    )]
    LaterSnapshot { path: String, why: String },
    #[error("the snapshots' directory cannot be used: {0}")]
    Snapshots(#[source] io::Error),
    #[error("a snapshot that was received cannot be taken in: {0}")]
    Received(#[source] io::Error),
    #[error("the log cannot be applied: {0}")]
    Replay(#[source] io::Error),
    #[error("reading the log panicked")]
    ReplayPanicked,
    #[error("a thread cannot be started: {0}")]
    Thread(#[source] io::Error),
    #[error("the log's core does not start: {0}")]
    Raft(String),
    #[error(
        "this machine's clock is {days} days ahead of the log's last entry. The log would follow it and \
         never go back: nights in between would be retired for good. Set the clock, or, if it is \
         right, start once with `holdfast serve --accept-clock`"
    )]
    ClockAhead { days: u64 },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("this node cannot listen for others at {at}: {cause}")]
    Listen { at: SocketAddr, cause: io::Error },
    #[error("asked to stop while the log was read")]
    Stopped,
    #[error("this node did not take the lead within {} s", LEAD_WAIT_MAX.as_secs())]
    NoLead,
}

impl OpenError {
    /// The log lacks something that was acknowledged: an operator must decide.
    pub fn is_loss(&self) -> bool {
        match self {
            Self::Log(error) => !matches!(
                error,
                LogError::Io(_)
                    | LogError::InUse { .. }
                    | LogError::Storage { .. }
                    | LogError::LaterFormat { .. }
            ),
            Self::NoSnapshot { .. } => true,
            _ => false,
        }
    }
}

pub(super) async fn open(options: Options) -> Result<Node, OpenError> {
    let runtime = match options.threads {
        Some(threads) => Some(runtime::own(threads, "holdfast-raft").map_err(OpenError::Thread)?),
        None => None,
    };
    let handle = runtime.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone());
    let opened = handle.spawn(open_on(options)).await;
    let opened = opened.unwrap_or_else(|error| Err(OpenError::Raft(error.to_string())));
    opened.inspect(|node| *node.0.runtime.lock() = runtime)
}

async fn open_on(options: Options) -> Result<Node, OpenError> {
    let Options { dir, group, node, cluster, time, accept_clock, .. } = options;
    let applied = Arc::new(AppliedLog::new(time.clone()));
    let recovery = Recovery {
        dir: dir.clone(),
        cluster: cluster.as_ref().map_or(0, |cluster| cluster.id),
        group,
        time: time.clone(),
        applied: applied.clone(),
        follower: options.follower,
        on_progress: options.on_progress,
        accept_loss: options.accept_loss,
        on_disk_failure: options.on_disk_failure,
    };
    let recovered = runtime::spawn_blocking(move || recovery.run()).await;
    let recovered = recovered.unwrap_or_else(|error| Err(OpenError::Raft(error.to_string())))?;
    let (last, wall) = (recovered.reader.log_time_ms(), time.wall_ms());
    if last > 0 && wall.saturating_sub(last) > CLOCK_AHEAD_MS_MAX && !accept_clock {
        return Err(OpenError::ClockAhead { days: (wall - last) / (24 * 3_600 * 1_000) });
    }
    let fresh = recovered.fresh;
    let parts = Parts {
        dir: dir.clone(),
        group,
        node,
        cluster: cluster.as_ref(),
        time,
        applied,
        space: Arc::new(Space::new(dir, options.disk_reserve)),
        archive_days: options.archive_days,
        log_kept: options.log_kept,
    };
    let opened = assemble(parts, recovered).await?;
    match cluster {
        Some(_) if !fresh => {}
        Some(Cluster { voters, .. }) => begin(&opened, voters),
        None => {
            if let Err(error) = begin_alone(&opened.0.raft, node, fresh).await {
                opened.shutdown().await;
                return Err(error);
            }
            wait_to_lead(&opened).await?;
            // Its age is known from the first read on.
            let _ = opened.read_point().await;
        }
    }
    Ok(opened)
}

/// Lets a node without a log begin its cluster, or find that it was begun.
fn begin(node: &Node, voters: BTreeMap<u64, String>) {
    let inner = &node.0;
    let fresh = join::Fresh {
        me: inner.to_leader.me,
        group: inner.group,
        peers: inner.to_leader.peers.clone(),
        raft: inner.raft.clone(),
        time: inner.time.clone(),
        voters,
    };
    let alarm = inner.alarm.clone();
    let task = inner.alarm.spawn("beginning", async move {
        if let Err(fatal) = fresh.begin().await {
            alarm.raise(fatal);
        }
    });
    if let Some(tasks) = inner.tasks.lock().as_mut() {
        tasks.others.push(task);
    }
}

async fn begin_alone(raft: &Raft, node: u64, fresh: bool) -> Result<(), OpenError> {
    if fresh {
        let members = BTreeMap::from([(node, Member::default())]);
        raft.initialize(members).await.map_err(raft_error)
    } else {
        // Nobody else can lead: there is no election timeout to wait for.
        raft.trigger().elect(false).await.map_err(raft_error)
    }
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
        () = runtime::sleep(LEAD_WAIT_MAX) => Err(OpenError::NoLead),
    };
    if result.is_err() {
        node.shutdown().await;
    }
    result
}

pub(super) fn raft_error(error: impl std::error::Error) -> OpenError {
    OpenError::Raft(error.to_string())
}
