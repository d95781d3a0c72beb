//! TCP: how bytes travel between nodes, and the listener that takes them.
//!
//! It owns sockets. Outside one machine the stream is encrypted and both ends show certificates; that is
//! wrapped around what is connected here.

use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::hello::Identity;
use super::link::{Dial, Io};
use super::listen::{Handler, serve};
use crate::limits::PEER_CONNECTIONS_MAX;

/// Plain connections.
#[derive(Debug)]
pub(crate) struct Tcp;

impl Dial for Tcp {
    fn dial<'a>(&'a self, _to: u64, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Io>)
        })
    }
}

/// Serves callers until it is dropped; their connections end with it.
pub(crate) async fn listen(listener: TcpListener, me: Identity, handler: Arc<dyn Handler>) {
    let mut served = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept(), if served.len() < PEER_CONNECTIONS_MAX => accepted,
            Some(_) = served.join_next() => continue,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            // The caller's fault, or too many open files: either passes.
            Err(error) => {
                tracing::warn!(%error, "a connection of another node was not accepted");
                tokio::task::yield_now().await;
                continue;
            }
        };
        let handler = handler.clone();
        served.spawn(async move {
            let _ = stream.set_nodelay(true);
            if let Err(error) = serve(Box::new(stream), me, handler).await {
                tracing::info!(%from, %error, "a connection of another node ended");
            }
        });
    }
}
