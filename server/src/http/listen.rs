//! A listener: accepts connections up to a bound, serves them with limits, drains on stop.
//!
//! It knows no door. **Invariant:** after [`Listener::run`] returns, no connection is being served.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::limits::{
    DRAIN_TIMEOUT, HEAD_BYTES_MAX, HEAD_READ_TIMEOUT, HEADERS_MAX, HTTP2_STREAMS_MAX,
};

/// After a failed accept (out of file descriptors), how long to leave others time to close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a listener could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; is another process using the port?")]
pub struct Error {
    address: SocketAddr,
    source: std::io::Error,
}

pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    permits: Arc<Semaphore>,
}

impl Listener {
    pub async fn bind(address: SocketAddr, connections_max: usize) -> Result<Self, Error> {
        let fail = |source| Error { address, source };
        let socket = TcpListener::bind(address).await.map_err(fail)?;
        let bound = socket.local_addr().map_err(fail)?;
        Ok(Self { socket, address: bound, permits: Arc::new(Semaphore::new(connections_max)) })
    }

    /// As bound, with the port that 0 became.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` turns true, then finishes what is in progress, at most
    /// [`DRAIN_TIMEOUT`].
    pub async fn run(self, router: Router, mut stop: watch::Receiver<bool>) {
        let graceful = GracefulShutdown::new();
        let builder = builder();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, permit)) => {
                    let service = TowerToHyperService::new(router.clone());
                    let connection = builder
                        .serve_connection_with_upgrades(TokioIo::new(stream), service)
                        .into_owned();
                    let connection = graceful.watch(connection);
                    tokio::spawn(async move {
                        if let Err(error) = connection.await {
                            tracing::debug!(%error, "a connection ended early");
                        }
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.socket);
        if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!(address = %self.address, "requests still ran when the time was up");
        }
    }

    async fn accept(&self) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
        // The semaphore is never closed; were it, no connection would be taken.
        let permit = self.permits.clone().acquire_owned().await.map_err(std::io::Error::other)?;
        let (stream, _) = self.socket.accept().await?;
        stream.set_nodelay(true)?;
        Ok((stream, permit))
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_READ_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30));
    builder
}
