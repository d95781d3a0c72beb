//! The network between nodes on one machine: each node is reached through a relay that can be cut, also in
//! one direction only.
//!
//! Owns the bytes on their way. A cut drops nothing: what was sent waits, as it does in a sender that hears
//! no acknowledgement, and arrives once the cut is mended and the connection still stands. The relay tells
//! callers apart by the hello they begin with, so nodes speak without TLS here.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Where the caller's node id stands in a connection's first bytes: after the frame's head and the
/// cluster's id.
const FROM_AT: usize = 4 + 8 + 16;

/// Ways that carry nothing: from a node, to a node.
pub type Cuts = BTreeSet<(u64, u64)>;

pub struct Relays {
    cuts: Arc<watch::Sender<Cuts>>,
    /// Ends all connections with it.
    _tasks: JoinSet<()>,
}

impl Relays {
    /// Carries what comes to a node's relay on to where the node listens.
    pub async fn start(ways: &[(u64, SocketAddr, SocketAddr)]) -> Self {
        let cuts = Arc::new(watch::Sender::new(Cuts::new()));
        let mut tasks = JoinSet::new();
        for &(node, at, listens) in ways {
            let listener = TcpListener::bind(at).await.unwrap();
            tasks.spawn(relay(listener, (node, listens), cuts.clone()));
        }
        Self { cuts, _tasks: tasks }
    }

    /// What `from` sends to `to` arrives no more, be it asked or answered.
    pub fn cut(&self, from: u64, to: u64) {
        self.cuts.send_modify(|cuts| {
            cuts.insert((from, to));
        });
    }

    pub fn mend(&self) {
        self.cuts.send_modify(Cuts::clear);
    }
}

async fn relay(
    listener: TcpListener,
    (node, listens): (u64, SocketAddr),
    cuts: Arc<watch::Sender<Cuts>>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let caller = accepted.unwrap().0;
                connections.spawn(carry(caller, (node, listens), cuts.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, both ways, until either side ends it.
async fn carry(
    caller: TcpStream,
    (node, listens): (u64, SocketAddr),
    cuts: Arc<watch::Sender<Cuts>>,
) -> io::Result<()> {
    caller.set_nodelay(true)?;
    let mut first = [0; FROM_AT + 8];
    let (mut from_caller, to_caller) = caller.into_split();
    from_caller.read_exact(&mut first).await?;
    let from = u64::from_le_bytes(first[FROM_AT..].try_into().unwrap());
    // Where the node is down the caller learns it by the end of its connection.
    let called = TcpStream::connect(listens).await?;
    called.set_nodelay(true)?;
    let (from_called, mut to_called) = called.into_split();
    let (asked, answered) = (cuts.subscribe(), cuts.subscribe());
    let ask = async {
        open(&mut asked.clone(), (from, node)).await;
        to_called.write_all(&first).await?;
        pump((from_caller, to_called), (from, node), asked).await
    };
    tokio::select! {
        ended = ask => ended,
        ended = pump((from_called, to_caller), (node, from), answered) => ended,
    }
}

async fn pump(
    (mut from, mut to): (tokio::net::tcp::OwnedReadHalf, tokio::net::tcp::OwnedWriteHalf),
    way: (u64, u64),
    mut cuts: watch::Receiver<Cuts>,
) -> io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).await?;
        // Also the end of a connection is news that a cut holds back.
        open(&mut cuts, way).await;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&bytes[..count]).await?;
    }
}

async fn open(cuts: &mut watch::Receiver<Cuts>, way: (u64, u64)) {
    // The sender lives as long as the relay.
    let _ = cuts.wait_for(|cuts| !cuts.contains(&way)).await;
}
