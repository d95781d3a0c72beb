//! Starting a node: open, check, replay, lead, serve.
//!
//! It owns the order of these steps. Nothing is served, and no task runs, before the log was found whole.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use holdfast_engine::{Reader, State};
use openraft::{Config, SnapshotPolicy};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};

use super::forward::ToLeader;
use super::members::{Change, Members};
use super::tasks::Alarm;
use super::{Inner, Node, RaftLog, Tasks, join, replay};
use crate::GroupId;
use crate::applied::AppliedLog;
use crate::archive::{Archive, ArchiveError};
use crate::clock::{LogClock, TimeSource};
use crate::lead::{Clocks, Lead, watch_lead};
use crate::limits::{CLOCK_AHEAD_MS_MAX, FORWARDS_MAX, LEAD_WAIT_MAX};
use crate::log::{Log, LogError, LogOptions, LogStore};
use crate::member::{ANY_DISK, Member};
use crate::network::Alone;
use crate::network::answer::{Answering, Group};
use crate::network::peers::{Peers, Ways};
use crate::options::{Cluster, OnProgress, Options};
use crate::peer::hello::Identity;
use crate::peer::link::Dial;
use crate::peer::tcp::{Accept, Tcp, listen};
use crate::peer::tls::{Tls, TlsError};
use crate::proposer::{Proposer, Queue, complete};
use crate::raft_types::Raft;
use crate::reads::ReadIndex;
use crate::runtime::{self, Handle, TcpListener, watch};
use crate::space::Space;
use crate::state_machine::StateMachine;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
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
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("this node cannot listen for others at {at}: {cause}")]
    Listen { at: SocketAddr, cause: io::Error },
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
        Some(threads) => Some(runtime::own(threads, "holdfast-raft")?),
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

/// A log that was opened and replayed.
struct Replayed {
    log: Log,
    store: LogStore,
    fresh: bool,
    machine: StateMachine,
    reader: Reader,
    archive: Arc<Archive>,
}

impl Replayed {
    /// Refused: an archive that is not this state's.
    fn check_archive(self, accept_loss: bool) -> Result<Self, ArchiveError> {
        let (applied, archived) = self.machine.archived();
        let last = self.store.group().last().map(|id| id.index);
        self.archive.check(archived, (applied, last), accept_loss)?;
        Ok(self)
    }
}

async fn open_on(options: Options) -> Result<Node, OpenError> {
    let Options { dir, group, node, cluster, time, accept_clock, disk_reserve, .. } = options;
    let (space, archive_days) = (dir.clone(), options.archive_days);
    let applied = Arc::new(AppliedLog::new(time.clone()));
    let log_options = LogOptions {
        dir: dir.clone(),
        accept_loss: options.accept_loss,
        time: time.clone(),
        on_disk_failure: options.on_disk_failure.clone(),
    };
    let read = {
        let (applied, follower, on_progress) =
            (applied.clone(), options.follower, options.on_progress);
        move || {
            let log = Log::open(log_options)?;
            let (writer, reader) = State::new();
            let archive = Archive::open(&dir, group, reader, options.on_disk_failure)?;
            let machine = StateMachine::new(writer, applied, follower);
            let replayed = replayed(log, group, (machine, Arc::new(archive)), on_progress)?;
            Ok(replayed.check_archive(options.accept_loss)?)
        }
    };
    let replayed = runtime::spawn_blocking(read).await;
    let replayed = replayed.unwrap_or_else(|error| Err(OpenError::Raft(error.to_string())))?;
    let (last, wall) = (replayed.reader.log_time_ms(), time.wall_ms());
    if last > 0 && wall.saturating_sub(last) > CLOCK_AHEAD_MS_MAX && !accept_clock {
        return Err(OpenError::ClockAhead { days: (wall - last) / (24 * 3_600 * 1_000) });
    }
    let space = Arc::new(Space::new(space, disk_reserve));
    let fresh = replayed.fresh;
    let cluster_of = cluster.as_ref();
    let parts = Parts { group, node, cluster: cluster_of, time, applied, space, archive_days };
    let opened = assemble(parts, replayed).await?;
    match cluster {
        Some(_) if !fresh => {}
        Some(Cluster { voters, .. }) => begin(&opened, voters),
        None => {
            if let Err(error) = begin_alone(&opened.0.raft, node, fresh).await {
                opened.shutdown().await;
                return Err(error);
            }
            wait_to_lead(&opened).await?;
        }
    }
    Ok(opened)
}

/// What a node is put together from, besides its log.
struct Parts<'a> {
    group: GroupId,
    node: u64,
    cluster: Option<&'a Cluster>,
    time: Arc<dyn TimeSource>,
    applied: Arc<AppliedLog>,
    space: Arc<Space>,
    archive_days: u16,
}

/// Connects the pieces and starts their tasks.
async fn assemble(parts: Parts<'_>, replayed: Replayed) -> Result<Node, OpenError> {
    let Parts { group, node, cluster, time, applied, space, archive_days } = parts;
    let Replayed { log, store, machine, reader, archive, .. } = replayed;
    let me = Identity {
        cluster: cluster.map_or(0, |cluster| cluster.id),
        node,
        disk: cluster.map_or(ANY_DISK, |cluster| cluster.disk),
    };
    let listener = bind(cluster).await?;
    let (dial, accept) = connections(cluster, node)?;
    let peers = Peers::new(me, dial);
    let config = Arc::new(config(group.0).map_err(raft_error)?);
    let ways = Ways { peers: peers.clone(), group };
    let recent = machine.recent();
    let raft = Raft::new(node, config, ways, store.clone(), machine).await.map_err(raft_error)?;

    let clock = Arc::new(LogClock::new(time.clone()));
    let (lead_tx, lead) = watch::channel(Lead::Following(None));
    let (queue, read_index) = (Arc::new(Queue::new()), Arc::new(ReadIndex::new()));
    let (in_flight, entries) = mpsc::unbounded_channel();
    let proposer = Proposer {
        log: RaftLog {
            raft: raft.clone(),
            reader: reader.clone(),
            archive: archive.clone(),
            archive_days,
        },
        queue: queue.clone(),
        clock: clock.clone(),
        time: time.clone(),
        lead: lead.clone(),
        in_flight,
    };
    let members = Arc::new(Members {
        node,
        raft: raft.clone(),
        peers: peers.clone(),
        time: time.clone(),
        lead: lead.clone(),
    });
    let alarm = Alarm::new();
    let clocks = Clocks { peers: peers.clone(), group, node, time: time.clone() };
    let watched = watch_lead(raft.clone(), clock.clone(), applied.clone(), (clocks, lead_tx));
    let mut others = vec![
        alarm.spawn("watch of the lead", watched),
        alarm.spawn("read index", read_index.clone().run(raft.clone())),
        alarm.spawn("watch of the disk", watch_space(space.clone(), members.clone())),
    ];
    if let Some(listener) = listener {
        let answering = Arc::new(Answering::default());
        answering.add(Arc::new(Group {
            id: group,
            raft: raft.clone(),
            queue: queue.clone(),
            read_index: read_index.clone(),
            clock: clock.clone(),
            members: members.clone(),
            space: space.clone(),
        }));
        others.push(alarm.spawn("listener", listen(listener, accept, me, answering)));
    }
    let tasks = Tasks {
        proposer: alarm.spawn("proposer", proposer.run()),
        completer: alarm.spawn("completer", complete(entries, queue.clone())),
        others,
    };
    let to_leader = Arc::new(ToLeader {
        me,
        peers,
        group,
        raft: raft.clone(),
        lead: lead.clone(),
        queue: queue.clone(),
        read_index: read_index.clone(),
        clock: clock.clone(),
        members: members.clone(),
        recent,
        applied: applied.clone(),
        time: time.clone(),
        runtime: Handle::current(),
        slots: Arc::new(Semaphore::new(FORWARDS_MAX)),
    });
    Ok(Node(Arc::new(Inner {
        group,
        in_cluster: cluster.is_some(),
        reader,
        raft,
        log,
        store,
        log_keep: Arc::default(),
        archive,
        clock,
        time,
        applied,
        queue,
        lead,
        read_index,
        alarm,
        to_leader,
        members,
        space,
        tasks: Mutex::new(Some(tasks)),
        runtime: Mutex::new(None),
    })))
}

/// A leader without room for its log lets another node lead, where one can.
async fn watch_space(space: Arc<Space>, members: Arc<Members>) {
    let time = members.time.clone();
    let runtime = Handle::current();
    let ran_low = || {
        let members = members.clone();
        runtime.spawn(async move {
            let _ = members.change(Change::Lead { to: None }).await;
        });
    };
    space.watch(time, ran_low).await;
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

async fn bind(cluster: Option<&Cluster>) -> Result<Option<TcpListener>, OpenError> {
    let Some(cluster) = cluster else { return Ok(None) };
    let at = cluster.listen;
    let bound = TcpListener::bind(at).await;
    bound.map(Some).map_err(|cause| OpenError::Listen { at, cause })
}

type Ends = (Arc<dyn Dial>, Arc<dyn Accept>);

/// How this node reaches others, and how they reach it.
fn connections(cluster: Option<&Cluster>, node: u64) -> Result<Ends, OpenError> {
    Ok(match cluster {
        None => (Arc::new(Alone), Arc::new(Tcp)),
        Some(Cluster { tls: None, .. }) => (Arc::new(Tcp), Arc::new(Tcp)),
        Some(Cluster { tls: Some(files), .. }) => {
            let tls = Arc::new(Tls::read(files, node)?);
            (tls.clone(), tls)
        }
    })
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

fn replayed(
    log: Log,
    group: GroupId,
    (machine, archive): (StateMachine, Arc<Archive>),
    mut on_progress: Option<OnProgress>,
) -> Result<Replayed, OpenError> {
    let opened = log.group(group)?;
    let reader = archive.reader().clone();
    let mut machine = machine.with_archive(archive.clone());
    replay::replay(&opened.store, &mut machine, &mut on_progress)?;
    Ok(Replayed { log, store: opened.store, fresh: opened.fresh, machine, reader, archive })
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

/// One voter today; the values are those of several, so that nothing is tuned twice.
fn config(group: u16) -> Result<Config, openraft::ConfigError> {
    let config = Config {
        cluster_name: format!("holdfast-{group}"),
        heartbeat_interval: 100,
        // A follower waits for a lease, as long as the longest timeout, and then for a timeout: an
        // election begins 0.9 to 1.2 s after the last heartbeat.
        election_timeout_min: 300,
        election_timeout_max: 600,
        // At least twice the longest election timeout: an old leader must fall silent before a connected
        // quorum can elect another.
        quorum_loss_probe_interval: Some(1_500),
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
