//! Holds a second that are on the disks of two of three nodes before they are answered, in process.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use holdfast_replication::{Change, Cluster, Node, Options};

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
    let nodes = open(dir.path()).await?;
    let leader = leader(&nodes).await?;
    let loaded = Loaded::of(nodes[leader].clone()).await?;
    let time = Duration::from_secs(if scale.quick { 1 } else { 4 });
    for round in 1..=if scale.quick { 1 } else { 3 } {
        for callers in [1, 64, 1_024] {
            let load = loaded.load(callers, time).await?;
            let text = load.latencies.summary();
            row(&format!("round {round}: {callers} callers"), &per_s(load.rate()), &text);
        }
    }
    transfers(&nodes, if scale.quick { 2 } else { TRANSFERS }).await?;
    for node in &nodes {
        node.shutdown().await;
    }
    Ok(())
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

async fn open(dir: &Path) -> anyhow::Result<Vec<Node>> {
    let ports: Vec<TcpListener> =
        (0..3).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let mut voters: BTreeMap<u64, SocketAddr> = BTreeMap::new();
    for (node, port) in (1..).zip(&ports) {
        voters.insert(node, port.local_addr()?);
    }
    drop(ports);
    let named: BTreeMap<u64, String> =
        voters.iter().map(|(node, address)| (*node, address.to_string())).collect();
    let mut nodes = Vec::new();
    for (node, listen) in voters {
        let disk = u128::from(node);
        let cluster = Cluster { id: 1, disk, listen, tls: None, voters: named.clone() };
        let alone = Options::alone(dir.join(node.to_string()));
        nodes.push(Node::open(Options { node, cluster: Some(cluster), ..alone }).await?);
    }
    Ok(nodes)
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
