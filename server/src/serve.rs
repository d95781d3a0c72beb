//! A running server: data directory, node, listeners, and their orderly end.
//!
//! It owns the order in which things start and stop. `serve`, `demo`, tests and benchmarks all
//! start here. **Invariant:** the log is closed after the last door.

use std::net::SocketAddr;

use holdfast_engine::command::{Genesis, genesis::Quota};
use holdfast_engine::limits::HORIZON_NIGHTS_DEFAULT;
use holdfast_engine::{Command, Verb};
use holdfast_replication::{LogError, Node, OpenError, Options, Progress};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::data_dir::{self, Addresses, DataDir};
use crate::http::listen::{self, Listener};
use crate::http::{api, ops};
use crate::limits::{CONNECTIONS_MAX, OPS_CONNECTIONS_MAX};
use crate::payment::lapsed::Lapsed;
use crate::state::AppState;
use crate::telemetry;

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
    #[error("the node refused its first command: {0}")]
    Genesis(String),
}

impl Error {
    /// Names the flag where starting with less than was acknowledged is the operator's to decide.
    fn of_open(error: OpenError) -> Self {
        match error {
            OpenError::Log(LogError::InUse { .. } | LogError::Io(_)) => Self::Open(error),
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
}

/// Told how far the log has been read at start: applied entries and their number.
pub type OnProgress = Box<dyn FnMut(Progress) + Send>;

/// Starts a server; returns once it accepts requests.
pub async fn start(config: Config, on_progress: Option<OnProgress>) -> Result<Server, Error> {
    telemetry::metrics();
    let mut data_dir = DataDir::open(&config.data_dir)?;
    if !config.accept_loss {
        data_dir.check_log()?;
    }
    // Bound before the log is read, so that a taken port is told at once.
    let http = Listener::bind(config.http, CONNECTIONS_MAX).await?;
    let ops = Listener::bind(config.ops, OPS_CONNECTIONS_MAX).await?;
    let lapsed = Lapsed::default();
    let options = Options {
        on_progress,
        accept_loss: config.accept_loss,
        accept_clock: config.accept_clock,
        follower: Some(lapsed.follower()),
        ..Options::alone(data_dir.log_dir())
    };
    let node = Node::open(options).await.map_err(Error::of_open)?;
    let made = data_dir.log_is_made().map_err(Error::from);
    let ready = match made {
        Ok(()) => configure(&node, &config).await,
        Err(error) => Err(error),
    };
    if let Err(error) = ready {
        node.shutdown().await;
        return Err(error);
    }
    let cluster_id = data_dir.identity().cluster_id.clone();
    let state = AppState::new(node, config, &cluster_id, data_dir.secrets());

    let addresses = Addresses { http: http.address(), ops: ops.address() };
    let (stop, stopping) = watch::channel(false);
    let listeners = vec![
        tokio::spawn(http.run(api::router(state.clone()), stopping.clone())),
        tokio::spawn(ops.run(ops::router(state.clone()), stopping.clone())),
        tokio::spawn({
            let state = state.clone();
            async move { lapsed.run(state.payments(), stopping).await }
        }),
    ];
    let server = Server { state, addresses, data_dir, stop, listeners };
    if let Err(error) = server.data_dir.publish(addresses) {
        server.shutdown().await;
        return Err(error.into());
    }
    tracing::info!(http = %addresses.http, ops = %addresses.ops, "serving");
    Ok(server)
}

/// Gives a new log its rules; checks that an old one has those that were asked for.
async fn configure(node: &Node, config: &Config) -> Result<(), Error> {
    if let Some(made) = node.reader().settings() {
        return match config.horizon_nights {
            Some(asked) if asked != made.horizon_nights => {
                Err(Error::Horizon { made: made.horizon_nights })
            }
            _ => Ok(()),
        };
    }
    let genesis = Genesis {
        horizon_nights: config.horizon_nights.unwrap_or(HORIZON_NIGHTS_DEFAULT),
        quota: Quota::default(),
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

    /// Runs until a stop signal, then stops in order. An error where the node could not go on.
    pub async fn run(self) -> anyhow::Result<()> {
        let fatal = tokio::select! {
            () = stop_signal() => None,
            fatal = self.state.node().fatal() => Some(fatal),
        };
        match fatal {
            None => {
                self.shutdown().await;
                Ok(())
            }
            Some(fatal) => {
                // Nothing acknowledged is at risk: the log is as it was; a restart reads it.
                self.data_dir.withdraw();
                anyhow::bail!("the node can go on no more: {fatal}; start it again")
            }
        }
    }

    /// Stops accepting, finishes what runs, closes the log.
    pub async fn shutdown(self) {
        tracing::info!("stopping");
        self.state.readiness().set_stopping();
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

/// SIGTERM or SIGINT.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Without handlers the signals end the process the hard way, which the log survives.
        _ => std::future::pending().await,
    }
}
