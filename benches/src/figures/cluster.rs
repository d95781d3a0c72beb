//! Holds a second that are on the disks of two of three nodes before they are answered, in process.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_replication::{Change, Cluster, Node, Options};

mod away;

use super::Scale;
use super::durable::Loaded;
use crate::report::{Includes, per_s, row, title};
use crate::stopwatch::now;

/// How long a cluster may take to begin, and a lead to move.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(1);
const TRANSFERS: usize = 20;

pub async fn run(scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    title("cluster", Includes::Quorum,
        "Three nodes in this process over loopback TCP, each with a log of its own on the one disk: openraft,
         RocksDB, synced on two of three before the answer. Callers are those of `durable`, at the node that
         leads. Callers, nodes and logs share this machine's cores and disk.");
    let dir = tempfile::tempdir_in(scratch)?;
    let mut three = Three::open(dir.path()).await?;
    let time = Duration::from_secs(if scale.quick { 1 } else { 4 });
    for round in 1..=if scale.quick { 1 } else { 3 } {
        for callers in [1, 64, 1_024] {
            let load = three.loaded.load(callers, time).await?;
            let text = load.latencies.summary();
            row(&format!("round {round}: {callers} callers"), &per_s(load.rate()), &text);
        }
    }
    away::run(&mut three).await?;
    transfers(&three.nodes, if scale.quick { 2 } else { TRANSFERS }).await?;
    for node in &three.nodes {
        node.shutdown().await;
    }
    Ok(())
}

/// Three nodes that are one cluster, and the world in it.
struct Three<'a> {
    voters: Voters<'a>,
    nodes: Vec<Node>,
    loaded: Loaded,
}

impl<'a> Three<'a> {
    async fn open(dir: &'a Path) -> anyhow::Result<Self> {
        let voters = Voters::in_dir(dir)?;
        let mut nodes = Vec::new();
        for node in 1..=3 {
            nodes.push(voters.open(node).await?);
        }
        let leader = leader(&nodes).await?;
        let loaded = Loaded::of(nodes[leader].clone()).await?;
        Ok(Self { voters, nodes, loaded })
    }

    /// A follower stops; who leads, and who it is.
    async fn one_goes(&self) -> anyhow::Result<(usize, usize)> {
        let leader = leader(&self.nodes).await?;
        let away = (leader + 1) % self.nodes.len();
        self.nodes[away].shutdown().await;
        Ok((leader, away))
    }

    async fn comes_back(&mut self, away: usize) -> anyhow::Result<()> {
        self.nodes[away] = self.voters.open(1 + away as u64).await?;
        Ok(())
    }

    /// Where a node has its snapshots.
    fn snapshots_of(&self, at: usize) -> PathBuf {
        self.voters.dir.join((1 + at).to_string()).join("snapshots/0")
    }
}

/// How long a lead takes to move on request, until the new leader is ready.
async fn transfers(nodes: &[Node], count: usize) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for _ in 0..count {
        let from = leader(nodes).await?;
        let start = now();
        nodes[from].change(Change::Lead { to: None }).await?;
        leader(nodes).await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let (middle, worst) = (times[times.len() / 2], times[times.len() - 1]);
    let text = format!("{count} transfers on request, worst {worst:?}");
    row("lead moved, until the next one is ready", &format!("{middle:?}"), &text);
    Ok(())
}

/// Three nodes that are to be one cluster.
struct Voters<'a> {
    dir: &'a Path,
    at: BTreeMap<u64, SocketAddr>,
}

impl<'a> Voters<'a> {
    fn in_dir(dir: &'a Path) -> anyhow::Result<Self> {
        let ports: Vec<TcpListener> =
            (0..3).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
        let mut at = BTreeMap::new();
        for (node, port) in (1..).zip(&ports) {
            at.insert(node, port.local_addr()?);
        }
        Ok(Self { dir, at })
    }

    async fn open(&self, node: u64) -> anyhow::Result<Node> {
        let named = self.at.iter().map(|(node, address)| (*node, address.to_string())).collect();
        let (disk, listen) = (u128::from(node), self.at[&node]);
        let cluster = Cluster { id: 1, disk, listen, tls: None, voters: named };
        let alone = Options::alone(self.dir.join(node.to_string()));
        // Nothing is kept for those who lag: one that was away can be made to need a snapshot.
        let options = Options { node, cluster: Some(cluster), log_kept: 0, ..alone };
        Ok(Node::open(options).await?)
    }
}

/// Which of the nodes leads.
async fn leader(nodes: &[Node]) -> anyhow::Result<usize> {
    let give_up = now() + PATIENCE;
    loop {
        if let Some(at) = nodes.iter().position(Node::leads) {
            return Ok(at);
        }
        anyhow::ensure!(now() < give_up, "no node leads");
        tokio::time::sleep(LOOK).await;
    }
}
