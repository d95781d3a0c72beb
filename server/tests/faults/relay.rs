//! The network between nodes on one machine: each node is reached through a relay that can be cut, also in
//! one direction only.
//!
//! Owns the bytes on their way, and how many of a snapshot's come through. A cut drops nothing: what was sent waits, as it does in a sender that hears
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
/// Where it says what the connection is for: after the caller's id and disk, and whom it means.
const PURPOSE_AT: usize = FROM_AT + 8 + 16 + 8;
/// What a connection for snapshots says.
const SNAPSHOTS: u8 = 3;

/// Ways that carry nothing: from a node, to a node.
pub type Cuts = BTreeSet<(u64, u64)>;

/// What of the network the test decides.
struct Orders {
    cuts: watch::Sender<Cuts>,
    /// Bytes that a connection for snapshots carries to the node that receives.
    snapshot_bytes: watch::Sender<u64>,
}

pub struct Relays {
    orders: Arc<Orders>,
    /// Ends all connections with it.
    _tasks: JoinSet<()>,
}

impl Relays {
    /// Carries what comes to a node's relay on to where the node listens.
    pub async fn start(ways: &[(u64, SocketAddr, SocketAddr)]) -> Self {
        let (cuts, snapshot_bytes) = (watch::Sender::default(), watch::Sender::new(u64::MAX));
        let orders = Arc::new(Orders { cuts, snapshot_bytes });
        let mut tasks = JoinSet::new();
        for &(node, at, listens) in ways {
            let listener = TcpListener::bind(at).await.unwrap();
            tasks.spawn(relay(listener, (node, listens), orders.clone()));
        }
        Self { orders, _tasks: tasks }
    }

    /// What `from` sends to `to` arrives no more, be it asked or answered.
    pub fn cut(&self, from: u64, to: u64) {
        self.orders.cuts.send_modify(|cuts| {
            cuts.insert((from, to));
        });
    }

    pub fn mend(&self) {
        self.orders.cuts.send_modify(Cuts::clear);
    }

    /// From now on each connection for snapshots, whenever it was made, carries so many bytes to the node
    /// that receives, all in all, and holds back the rest.
    pub fn hold_snapshots_behind(&self, bytes: u64) {
        self.orders.snapshot_bytes.send_replace(bytes);
    }

    pub fn let_snapshots_through(&self) {
        self.hold_snapshots_behind(u64::MAX);
    }
}

async fn relay(listener: TcpListener, (node, listens): (u64, SocketAddr), orders: Arc<Orders>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let caller = accepted.unwrap().0;
                connections.spawn(carry(caller, (node, listens), orders.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, both ways, until either side ends it.
async fn carry(
    caller: TcpStream,
    (node, listens): (u64, SocketAddr),
    orders: Arc<Orders>,
) -> io::Result<()> {
    caller.set_nodelay(true)?;
    let mut first = [0; PURPOSE_AT + 1];
    let (mut from_caller, to_caller) = caller.into_split();
    from_caller.read_exact(&mut first).await?;
    let from = u64::from_le_bytes(first[FROM_AT..FROM_AT + 8].try_into().unwrap());
    let room = (first[PURPOSE_AT] == SNAPSHOTS).then(|| orders.snapshot_bytes.subscribe());
    // Where the node is down the caller learns it by the end of its connection.
    let called = TcpStream::connect(listens).await?;
    called.set_nodelay(true)?;
    let (from_called, mut to_called) = called.into_split();
    let (asked, answered) = (orders.cuts.subscribe(), orders.cuts.subscribe());
    let ask = async {
        open(&mut asked.clone(), (from, node)).await;
        to_called.write_all(&first).await?;
        pump((from_caller, to_called), ((from, node), asked), room).await
    };
    tokio::select! {
        ended = ask => ended,
        ended = pump((from_called, to_caller), ((node, from), answered), None) => ended,
    }
}

async fn pump(
    (mut from, mut to): (tokio::net::tcp::OwnedReadHalf, tokio::net::tcp::OwnedWriteHalf),
    (way, mut cuts): ((u64, u64), watch::Receiver<Cuts>),
    mut room: Option<watch::Receiver<u64>>,
) -> io::Result<()> {
    let mut bytes = vec![0; 64 * 1024];
    let mut carried = 0;
    loop {
        let count = from.read(&mut bytes).await?;
        carried += count as u64;
        if let Some(room) = &mut room {
            // As in `open`: what gives it lives as long as the relay.
            let _ = room.wait_for(|room| carried <= *room).await;
        }
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
