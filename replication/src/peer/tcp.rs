//! TCP: how bytes travel between nodes, and the listener that takes them.
//!
//! It owns sockets. Outside one machine the stream is encrypted and both ends show certificates; that is
//! wrapped around what is connected here.

use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::hello::Identity;
use super::link::{Dial, Io};
use super::listen::{Accepted, Handler, serve};
use crate::limits::{PEER_CONNECT_WAIT_MAX, PEER_CONNECTIONS_MAX};
use crate::runtime::{self, JoinSet, TcpListener, TcpStream, timeout};

/// How an accepted socket becomes a connection.
pub(crate) trait Accept: Send + Sync + 'static {
    fn accept(&self, stream: TcpStream) -> BoxFuture<'static, io::Result<Accepted>>;
}

/// Plain connections, for one machine.
#[derive(Debug)]
pub(crate) struct Tcp;

impl Dial for Tcp {
    fn dial<'a>(&'a self, _to: u64, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        Box::pin(async move { Ok(Box::new(connect(address).await?) as Box<dyn Io>) })
    }
}

impl Accept for Tcp {
    fn accept(&self, stream: TcpStream) -> BoxFuture<'static, io::Result<Accepted>> {
        Box::pin(async { Ok(Accepted { io: Box::new(stream), certificate: None }) })
    }
}

pub(super) async fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Serves callers until it is dropped; their connections end with it.
pub(crate) async fn listen(
    listener: TcpListener,
    accept: Arc<dyn Accept>,
    me: Identity,
    handler: Arc<dyn Handler>,
) {
    let mut served = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            Some(_) = served.join_next() => continue,
            accepted = listener.accept(), if served.len() < PEER_CONNECTIONS_MAX => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            // The caller's fault, or too many open files: either passes.
            Err(error) => {
                tracing::warn!(%error, "a connection of another node was not accepted");
                runtime::yield_now().await;
                continue;
            }
        };
        let (accept, handler) = (accept.clone(), handler.clone());
        served.spawn(async move {
            let _ = stream.set_nodelay(true);
            let ended = match timeout(PEER_CONNECT_WAIT_MAX, accept.accept(stream)).await {
                Ok(Ok(accepted)) => serve(accepted, me, handler).await,
                Ok(Err(error)) => Err(error),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "it said nothing in time")),
            };
            if let Err(error) = ended {
                tracing::info!(%from, %error, "a connection of another node ended");
            }
        });
    }
}
