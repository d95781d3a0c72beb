//! A node is put together: its parts are made, and their tasks started.
//!
//! It owns which part knows which other. It refuses to open or read anything: that is done by then.

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_engine::Reader;
use openraft::{Config, SnapshotPolicy};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};

use super::forward::ToLeader;
use super::members::{Change, Members};
use super::recover::Recovered;
use super::start::raft_error;
use super::tasks::Alarm;
use super::{FatalError, Inner, Node, OpenError, RaftLog, Recent, Tasks};
use crate::GroupId;
use crate::applied::AppliedLog;
use crate::archive::Archive;
use crate::clock::{LogClock, TimeSource};
use crate::fresh::Freshness;
use crate::lead::{Clocks, Lead, watch_lead};
use crate::limits::FORWARDS_MAX;
use crate::log::{Log, LogStore};
use crate::member::ANY_DISK;
use crate::network::Alone;
use crate::network::answer::{Answering, Group};
use crate::network::peers::{Peers, Ways};
use crate::network::snapshots::Receiving;
use crate::options::Cluster;
use crate::peer::hello::Identity;
use crate::peer::link::Dial;
use crate::peer::tcp::{Accept, Tcp, listen};
use crate::peer::tls::Tls;
use crate::proposer::{Proposer, Queue, complete};
use crate::raft_types::Raft;
use crate::reads::ReadIndex;
use crate::runtime::{Handle, JoinHandle, TcpListener, watch};
use crate::snapshots::Taker;
use crate::space::Space;

/// What a node is put together from, besides its log.
pub(super) struct Parts<'a> {
    pub dir: PathBuf,
    pub group: GroupId,
    pub node: u64,
    pub cluster: Option<&'a Cluster>,
    pub time: Arc<dyn TimeSource>,
    pub applied: Arc<AppliedLog>,
    pub space: Arc<Space>,
    pub archive_days: u16,
    pub log_kept: u64,
}

/// What most parts of a node know.
struct Core {
    group: GroupId,
    me: Identity,
    peers: Arc<Peers>,
    raft: Raft,
    reader: Reader,
    archive: Arc<Archive>,
    taker: Arc<Taker>,
    clock: Arc<LogClock>,
    time: Arc<dyn TimeSource>,
    applied: Arc<AppliedLog>,
    queue: Arc<Queue>,
    lead: watch::Receiver<Lead>,
    read_index: Arc<ReadIndex>,
    members: Arc<Members>,
    space: Arc<Space>,
    alarm: Alarm,
}

/// Connects the pieces and starts their tasks.
pub(super) async fn assemble(parts: Parts<'_>, recovered: Recovered) -> Result<Node, OpenError> {
    let Parts { dir, group, node, cluster, time, applied, space, archive_days, log_kept } = parts;
    let Recovered { log, store, machine, reader, archive, snapshots, .. } = recovered;
    let me = Identity {
        cluster: cluster.map_or(0, |cluster| cluster.id),
        node,
        disk: cluster.map_or(ANY_DISK, |cluster| cluster.disk),
    };
    let listener = bind(cluster).await?;
    let (dial, accept) = connections(cluster, node)?;
    let peers = Peers::new(me, dial);
    let config = Arc::new(config(group.0).map_err(raft_error)?);
    let ways = Ways { peers: peers.clone(), group, snapshots: snapshots.clone() };
    let recent = machine.recent();
    let raft = Raft::new(node, config, ways, store.clone(), machine).await.map_err(raft_error)?;

    let (lead_tx, lead) = watch::channel(Lead::Following(None));
    let members = Members {
        node,
        raft: raft.clone(),
        peers: peers.clone(),
        time: time.clone(),
        lead: lead.clone(),
    };
    let taker = Arc::new(Taker {
        snapshots,
        raft: raft.clone(),
        archive: archive.clone(),
        applied: applied.clone(),
        log_keep: Arc::default(),
        log_kept,
        time: time.clone(),
    });
    let core = Core {
        group,
        me,
        peers,
        raft,
        reader,
        archive,
        taker,
        clock: Arc::new(LogClock::new(time.clone())),
        time,
        applied,
        queue: Arc::new(Queue::new()),
        lead,
        read_index: Arc::new(ReadIndex::new()),
        members: Arc::new(members),
        space,
        alarm: Alarm::new(),
    };
    let mut others = core.watch(lead_tx);
    if let Some(listener) = listener {
        let listens = listen(listener, accept, me, core.answering());
        others.push(core.alarm.spawn("listener", listens));
    }
    let to_leader = core.to_leader(recent);
    others.push(core.alarm.spawn("freshness", to_leader.clone().keep_confirming()));
    let tasks = core.propose(archive_days, others);
    Ok(core.node((log, store, dir, cluster.is_some()), to_leader, tasks))
}

impl Core {
    /// Starts what runs beside the writes.
    fn watch(&self, lead: watch::Sender<Lead>) -> Vec<JoinHandle<()>> {
        let (alarm, raft) = (&self.alarm, &self.raft);
        let clocks = Clocks {
            peers: self.peers.clone(),
            group: self.group,
            node: self.me.node,
            time: self.time.clone(),
        };
        let (clock, applied) = (self.clock.clone(), self.applied.clone());
        let watched = watch_lead(raft.clone(), clock, applied, (clocks, lead));
        let space = watch_space(self.space.clone(), self.members.clone());
        vec![
            alarm.spawn("watch of the lead", watched),
            alarm.spawn("read index", self.read_index.clone().run(raft.clone())),
            alarm.spawn("snapshots", self.taker.clone().keep_taking()),
            alarm.spawn("watch of the disk", space),
        ]
    }

    fn propose(&self, archive_days: u16, others: Vec<JoinHandle<()>>) -> Tasks {
        let (in_flight, entries) = mpsc::unbounded_channel();
        let proposer = Proposer {
            log: RaftLog {
                raft: self.raft.clone(),
                reader: self.reader.clone(),
                archive: self.archive.clone(),
                archive_days,
            },
            queue: self.queue.clone(),
            clock: self.clock.clone(),
            time: self.time.clone(),
            lead: self.lead.clone(),
            in_flight,
        };
        Tasks {
            proposer: self.alarm.spawn("proposer", proposer.run()),
            completer: self.alarm.spawn("completer", complete(entries, self.queue.clone())),
            others,
        }
    }

    /// What answers other nodes.
    fn answering(&self) -> Arc<Answering> {
        let answering = Arc::new(Answering::default());
        let alarm = self.alarm.clone();
        let staged = Box::new(move |index| alarm.raise(FatalError::SnapshotReceived { index }));
        answering.add(Arc::new(Group {
            id: self.group,
            raft: self.raft.clone(),
            queue: self.queue.clone(),
            read_index: self.read_index.clone(),
            clock: self.clock.clone(),
            members: self.members.clone(),
            space: self.space.clone(),
            applied: self.applied.clone(),
            receiving: Receiving { snapshots: self.taker.snapshots.clone(), staged },
        }));
        answering
    }

    fn to_leader(&self, recent: Arc<Recent>) -> Arc<ToLeader> {
        Arc::new(ToLeader {
            me: self.me,
            peers: self.peers.clone(),
            group: self.group,
            raft: self.raft.clone(),
            lead: self.lead.clone(),
            queue: self.queue.clone(),
            space: self.space.clone(),
            read_index: self.read_index.clone(),
            clock: self.clock.clone(),
            members: self.members.clone(),
            recent,
            applied: self.applied.clone(),
            fresh: Freshness::new(),
            time: self.time.clone(),
            runtime: Handle::current(),
            slots: Arc::new(Semaphore::new(FORWARDS_MAX)),
        })
    }

    fn node(
        self,
        (log, store, dir, in_cluster): (Log, LogStore, PathBuf, bool),
        to_leader: Arc<ToLeader>,
        tasks: Tasks,
    ) -> Node {
        let Self { group, raft, reader, archive, taker, clock, time, applied, .. } = self;
        Node(Arc::new(Inner {
            dir,
            group,
            in_cluster,
            reader,
            raft,
            log,
            store,
            archive,
            taker,
            clock,
            time,
            applied,
            queue: self.queue,
            lead: self.lead,
            read_index: self.read_index,
            alarm: self.alarm,
            to_leader,
            members: self.members,
            space: self.space,
            tasks: Mutex::new(Some(tasks)),
            runtime: Mutex::new(None),
        }))
    }
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
        // Snapshots are taken by bytes and time, and the log is cut behind them, by `snapshots::Taker`.
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: u64::MAX,
        enable_pre_vote: Some(true),
        enable_leader_restore: Some(false),
        ..Config::default()
    };
    config.validate()
}
