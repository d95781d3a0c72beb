//! Searches a second that nodes add: a leader alone, with a follower, with a learner too, each node with the
//! same small share of a processor.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use holdfast_server::auth::Keys;
use holdfast_server::clock;
use holdfast_server::data_dir::peek_signing;

use super::durable::tomorrow;
use super::http::{holder, searchers};
use super::{Scale, search};
use crate::child::Child;
use crate::cpu_share::CpuShare;
use crate::http_load::{Done, Maker, Pace, load};
use crate::report::{Includes, big, per_s, row, title};
use crate::world::World;

/// Hundredths of a processor that each node may use.
const SHARE_PERCENT: u64 = 20;
/// Holds a second that the leader takes meanwhile.
const HOLDS_PER_S: f64 = 50.0;
/// Connections that search at each node.
const CONNECTIONS: usize = 8;
/// A reply may be so old, in milliseconds, or is refused.
const AGE_MAX_MS: u64 = 3_000;

/// A node of the cluster, in a process of its own.
struct One {
    child: Child,
    share: CpuShare,
}

pub fn run(scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    title("reads", Includes::Http, &format!(
        "Real nodes of one cluster, each a process with {SHARE_PERCENT} % of one processor (a control group of the
         kernel's): a leader, a follower, a learner. GET /v1/search of the city with {} hotels, first page of 20,
         {CONNECTIONS} connections a node, closed loop, no reply older than {AGE_MAX_MS} ms, while the leader takes {HOLDS_PER_S} holds
         a second (open loop). The nodes that are not asked get the log all the same.",
        search::HOTELS,
    ));
    let shares: Result<Vec<CpuShare>, String> =
        (1..=3).map(|node| CpuShare::make(&node.to_string(), SHARE_PERCENT)).collect();
    let shares = match shares {
        Ok(shares) => shares,
        Err(why) => {
            row("SKIPPED: nodes cannot be held to a share", "", &why);
            return Ok(());
        }
    };
    let dir = tempfile::tempdir_in(scratch)?;
    let (nodes, world, keys) = start(dir.path(), shares)?;
    let time = Duration::from_secs(if scale.quick { 2 } else { 6 });
    let all: Vec<SocketAddr> = nodes.iter().map(|node| node.child.address).collect();
    // Thrown away: each node has its memory and its caches after it.
    measure(&all, world, &keys, time / 3)?;
    for round in 1..=if scale.quick { 1 } else { 2 } {
        let mut alone = None;
        for count in 1..=nodes.len() {
            let asked = &all[..count];
            let (searched, held) = measure(asked, world, &keys, time)?;
            let rates: Vec<f64> = searched.iter().map(Done::rate).collect();
            let sum: f64 = rates.iter().sum();
            let first = *alone.get_or_insert(sum);
            let who =
                ["leader alone", "leader and follower", "leader, follower and learner"][count - 1];
            let each: Vec<String> = rates.iter().map(|rate| big(*rate)).collect();
            row(
                &format!("round {round}: {who}"),
                &per_s(sum),
                &format!(
                    "{:.2} x the leader alone ({} of each node); {} beside",
                    sum / first,
                    each.join(" + "),
                    per_s(held.rate())
                ),
            );
        }
    }
    Ok(())
}

/// Two voters and a learner, with the same world, held to their shares once they have it.
fn start(dir: &Path, shares: Vec<CpuShare>) -> anyhow::Result<(Vec<One>, World, Arc<Keys>)> {
    let keys = dir.join("keys");
    std::fs::create_dir(&keys)?;
    for name in ["signing.key", "deployment.key"] {
        std::fs::write(keys.join(name), "5a".repeat(32))?;
    }
    let ports: Vec<TcpListener> =
        (0..3).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let at: Vec<SocketAddr> =
        ports.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
    drop(ports);
    let voters = [at[0], at[1]];
    let data = |node: usize| dir.join(format!("node-{node}"));
    // The first one last: it waits until the second votes for it, and gives the third all it has.
    let second = Child::node(&data(2), (2, at[1]), &voters, None)?;
    let third = Child::node(&data(3), (3, at[2]), &voters, None)?;
    let first = Child::node(&data(1), (1, at[0]), &voters, Some((3, at[2])))?;
    let children = [first, second, third];
    let nodes: Vec<One> =
        children.into_iter().zip(shares).map(|(child, share)| One { child, share }).collect();
    for node in &nodes {
        node.share.take(node.child.id())?;
    }
    let (identity, seed) = peek_signing(&data(1))?;
    let keys = Arc::new(Keys::new(&identity.cluster_id, &seed));
    Ok((nodes, search::world(tomorrow(clock::wall_ms())), keys))
}

/// Searches at all of these nodes at once, and holds at the first; what became of each.
fn measure(
    asked: &[SocketAddr],
    world: World,
    keys: &Arc<Keys>,
    time: Duration,
) -> anyhow::Result<(Vec<Done>, Done)> {
    let one = |address, makers: Vec<Maker>, pace| {
        let (done, _) = load(address, makers, pace, time)?;
        ensure!(
            done.failed.is_empty(),
            "replies that were no success, by status: {:?}",
            done.failed
        );
        anyhow::Ok(done)
    };
    let failed = || anyhow::anyhow!("a load panicked");
    std::thread::scope(|scope| {
        let loads: Vec<_> = asked
            .iter()
            .map(|address| {
                let makers = searchers(world, *address, CONNECTIONS, Some(AGE_MAX_MS));
                scope.spawn(move || one(*address, makers, Pace::Closed))
            })
            .collect();
        let held =
            one(asked[0], vec![holder((world, keys), asked[0], 0)], Pace::Open(HOLDS_PER_S))?;
        let searched: anyhow::Result<Vec<Done>> =
            loads.into_iter().map(|load| load.join().map_err(|_| failed())?).collect();
        Ok((searched?, held))
    })
}
