//! A running server: data directory, node, listeners, and their orderly end.
//!
//! It owns the order in which things start and stop. `serve`, `demo`, tests and benchmarks all
//! start here. A node of a cluster opens its operators' door first, so that it can say what it waits for,
//! and the public one once the cluster's rules are in its log.
//!
//! **Invariant:** the log is closed after the last door.

mod stop;

use std::net::SocketAddr;

use futures_util::FutureExt;
use holdfast_engine::command::{Genesis, genesis::Quota};
use holdfast_engine::limits::HORIZON_NIGHTS_DEFAULT;
use holdfast_engine::{Command, Verb};
use holdfast_replication::{Cluster, FatalError, LogError, Node, OnProgress, OpenError, Options};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::backup::keeper::Keeper;
use crate::backup::place::Place;
use crate::config::{self, Config, MIB};
use crate::data_dir::{self, Addresses, DataDir};
use crate::http::listen::{self, Listener};
use crate::http::{api, ops};
use crate::limits::{CONNECTIONS_MAX, OPS_CONNECTIONS_MAX, SETTLE_LOOK_EVERY};
use crate::payment::lapsed::Lapsed;
use crate::state::AppState;
use crate::telemetry;

pub use self::stop::StopSignal;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    DataDir(#[from] data_dir::Error),
    #[error(transparent)]
    Listen(#[from] listen::Error),
    #[error(transparent)]
    Open(OpenError),
    #[error("{0} (`holdfast serve --accept-loss`, once)")]
    Lost(OpenError),
    #[error(
        "this data directory was made with a horizon of {made} nights; start with \
         --horizon {made}, or give another --data-dir"
    )]
    Horizon { made: u16 },
    #[error(
        "this data directory was made with quota.cell_share = {made}, which is fixed for good: say \
         that, leave it out, or give another --data-dir"
    )]
    CellShare { made: bool },
    #[error("the backup's place cannot be used: {0}")]
    Backup(String),
    #[error("the node refused its first command: {0}")]
    Genesis(String),
    #[error(
        "a node of a cluster does not go on with a loss: what it acknowledged, others rely on. Remove it, \
         and let this machine join under a new id"
    )]
    LossInCluster,
}

impl Error {
    /// It is what it was asked for while the log was read.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Open(OpenError::Stopped))
    }

    /// Names the flag where starting with less than was acknowledged is the operator's to decide.
    fn of_open(error: OpenError) -> Self {
        match error {
            OpenError::Log(
                LogError::InUse { .. } | LogError::Io(_) | LogError::LaterFormat { .. },
            ) => Self::Open(error),
            OpenError::Log(_) => Self::Lost(error),
            _ => Self::Open(error),
        }
    }
}

/// A server that accepts requests.
pub struct Server {
    state: AppState,
    addresses: Addresses,
    data_dir: DataDir,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    /// Why the node cannot serve after all, once that is so.
    failed: watch::Receiver<Option<String>>,
}

/// How a server ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to stop.
    Stopped,
    /// A snapshot was received, which a start takes in.
    StartAgain,
}

/// Starts a server. A node that is alone accepts requests when this returns; one of a cluster answers
/// its operators, and guests once the cluster has begun and it has caught up with the rules.
pub async fn start(config: Config, on_progress: Option<OnProgress>) -> Result<Server, Error> {
    telemetry::metrics();
    let mut data_dir = DataDir::open_in(&config.data_dir, config.cluster.as_ref())?;
    if config.accept_loss && config.cluster.is_some() {
        return Err(Error::LossInCluster);
    }
    if !config.accept_loss {
        data_dir.check_log()?;
    }
    let backup = place_of_backup(&config)?;
    // Bound before the log is read, so that a taken port is told at once.
    let http = Listener::bind(config.http, CONNECTIONS_MAX).await?;
    let ops = Listener::bind(config.ops, OPS_CONNECTIONS_MAX).await?;
    let lapsed = Lapsed::default();
    let options = Options { on_progress, ..options(&config, &data_dir, &lapsed) };
    let node = Node::open(options).await.map_err(Error::of_open)?;
    let ready = async {
        data_dir.log_is_made()?;
        if config.cluster.is_none() { configure(&node, &config).await } else { Ok(()) }
    };
    if let Err(error) = ready.await {
        node.shutdown().await;
        return Err(error);
    }
    let cluster_id = data_dir.identity().cluster_id.clone();
    let state = AppState::new(node, config, &cluster_id, data_dir.secrets());

    let addresses = Addresses { http: http.address(), ops: ops.address() };
    let (stop, stopping) = watch::channel(false);
    let (fail, failed) = watch::channel(None);
    let mut listeners = vec![
        tokio::spawn(public(http, state.clone(), (stopping.clone(), fail))),
        tokio::spawn(ops.run(ops::router(state.clone()), stopping.clone())),
        tokio::spawn({
            let state = state.clone();
            let stopping = stopping.clone();
            async move { lapsed.run(state.payments(), stopping).await }
        }),
    ];
    if let Some((place, settings)) = backup {
        let keeper = Keeper::new(state.backup_source(place), settings, state.backup().clone());
        listeners.push(tokio::spawn(keeper.run(stopping)));
    }
    let server = Server { state, addresses, data_dir, stop, listeners, failed };
    if let Err(error) = server.data_dir.publish(addresses) {
        server.shutdown().await;
        return Err(error.into());
    }
    tracing::info!(http = %addresses.http, ops = %addresses.ops, "serving");
    Ok(server)
}

fn place_of_backup(config: &Config) -> Result<Option<(Place, config::Backup)>, Error> {
    let Some(settings) = config.backup.clone() else { return Ok(None) };
    let place = Place::open(&settings.to, true);
    let place = place.map_err(|error| Error::Backup(format!("{error:#}")))?;
    Ok(Some((place, settings)))
}

fn options(config: &Config, data_dir: &DataDir, lapsed: &Lapsed) -> Options {
    let cluster = config.cluster.as_ref().map(|cluster| Cluster {
        id: cluster.id,
        disk: data_dir.disk_id(),
        listen: cluster.listen,
        tls: cluster.tls.clone(),
        voters: cluster.voters.clone(),
    });
    Options {
        node: data_dir.identity().node_id,
        cluster,
        accept_loss: config.accept_loss,
        accept_clock: config.accept_clock,
        archive_days: config.archive_after_days,
        log_kept: config.log_kept,
        disk_reserve: config.disk_reserve_mib.saturating_mul(MIB),
        follower: Some(lapsed.follower()),
        ..Options::alone(data_dir.log_dir())
    }
}

/// The public door, once there are rules to serve by.
async fn public(
    http: Listener,
    state: AppState,
    (mut stopping, fail): (watch::Receiver<bool>, watch::Sender<Option<String>>),
) {
    let settled = tokio::select! {
        biased;
        settled = settle(&state) => settled,
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    if let Err(error) = settled {
        fail.send_replace(Some(error.to_string()));
        return;
    }
    // Requests are answered from now on, and asked for once the state is whole.
    let ready = async {
        state.node().caught_up().await;
        state.readiness().set_settled();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = http.run(api::router(state.clone()), stopping) => {}
        () = ready => {}
    }
}

/// Waits until the log has its rules. Whichever node of a new cluster is first gives them.
async fn settle(state: &AppState) -> Result<(), Error> {
    let (node, config) = (state.node(), state.config());
    loop {
        match configure(node, config).await {
            Ok(()) => return Ok(()),
            Err(Error::Genesis(why)) if node.in_cluster() => {
                // Nobody leads yet, or another node was first and its entry is on its way here.
                tracing::debug!(why, "the cluster's rules are not here yet");
                let next = state.reader().applied_index().saturating_add(1);
                node.wait_applied(next, SETTLE_LOOK_EVERY).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Gives a new log its rules; checks that an old one has those that were asked for.
async fn configure(node: &Node, config: &Config) -> Result<(), Error> {
    if let Some(made) = node.reader().settings() {
        if config.horizon_nights.is_some_and(|asked| asked != made.horizon_nights) {
            return Err(Error::Horizon { made: made.horizon_nights });
        }
        let cell_share = made.quota.cell_share;
        if config.cell_share.is_some_and(|asked| asked != cell_share) {
            return Err(Error::CellShare { made: cell_share });
        }
        return Ok(());
    }
    let genesis = Genesis {
        horizon_nights: config.horizon_nights.unwrap_or(HORIZON_NIGHTS_DEFAULT),
        quota: Quota { cell_share: config.cell_share.unwrap_or(false), ..Quota::default() },
    };
    let applied = node
        .submit(Command::plain(Verb::Genesis(genesis)), None)
        .await
        .map_err(|error| Error::Genesis(error.to_string()))?;
    match applied.outcome.refusal() {
        None => Ok(()),
        Some(refusal) => Err(Error::Genesis(refusal.code.name().to_owned())),
    }
}

impl Server {
    pub fn state(&self) -> &AppState {
        &self.state
    }

    pub fn http(&self) -> SocketAddr {
        self.addresses.http
    }

    pub fn ops(&self) -> SocketAddr {
        self.addresses.ops
    }

    /// Runs until it is asked to stop, or until the node is to be started again; stops in order then. An error where
    /// the node could not go on.
    pub async fn run(self, stop: &mut StopSignal) -> anyhow::Result<Ended> {
        let mut failed = self.failed.clone();
        let mut ended = Ended::Stopped;
        let fatal = tokio::select! {
            biased;
            () = stop.received() => None,
            fatal = self.state.node().fatal() => match fatal {
                FatalError::SnapshotReceived { index } => {
                    tracing::info!(index, "starting again with a snapshot that was received");
                    ended = Ended::StartAgain;
                    None
                }
                fatal => Some(fatal.to_string()),
            },
            Ok(why) = failed.wait_for(Option::is_some) => why.clone(),
        };
        match fatal {
            None => {
                self.shutdown().await;
                if ended == Ended::StartAgain && stop.received().now_or_never().is_some() {
                    tracing::info!("asked to stop meanwhile: not starting again");
                    ended = Ended::Stopped;
                }
                Ok(ended)
            }
            Some(fatal) => {
                // Nothing acknowledged is at risk: the log is as it was; a restart reads it.
                self.data_dir.withdraw();
                anyhow::bail!("the node can go on no more: {fatal}")
            }
        }
    }

    /// Stops accepting, finishes what runs, closes the log.
    pub async fn shutdown(self) {
        tracing::info!("stopping");
        self.state.readiness().set_stopping();
        // While the doors are still open: what comes in meanwhile is handed to the next leader.
        self.state.node().hand_over().await;
        self.data_dir.withdraw();
        // Both listeners hold receivers until they end.
        let _ = self.stop.send(true);
        for listener in self.listeners {
            if let Err(error) = listener.await {
                tracing::error!(%error, "a listener ended badly");
            }
        }
        self.state.node().shutdown().await;
        tracing::info!("stopped");
    }
}
