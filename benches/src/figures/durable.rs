//! Holds a second that are on disk before they are answered, in process.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use holdfast_engine::{Admission, Command, Night, Verb, codec};
use holdfast_replication::{Node, Options};
use tokio::task::JoinSet;

use super::Scale;
use crate::machine::sync_latency;
use crate::report::{Includes, Latencies, per_s, row, short, title};
use crate::stopwatch::{now, rate};
use crate::world::{self, Requests, World};

const DAY_MS: u64 = 86_400_000;
/// Commands of one `submit_many` while the world is loaded.
const LOAD_AT_ONCE: usize = 512;

/// A node of its own with a world in it.
#[derive(Clone)]
pub struct Loaded {
    node: Node,
    world: World,
}

impl Loaded {
    pub async fn open(dir: &Path) -> anyhow::Result<Self> {
        Self::of(Node::open(Options::alone(dir.join("log"))).await?).await
    }

    /// A node that leads, with a world brought into its log.
    pub async fn of(node: Node) -> anyhow::Result<Self> {
        let world = world_of(&node);
        load(&node, world).await?;
        Ok(Self { node, world })
    }

    /// Holds from so many tasks, each waiting for its outcome before it goes on.
    pub async fn load(&self, callers: u64, time: Duration) -> anyhow::Result<Load> {
        callers_load(&self.node, self.world, callers, time).await
    }

    pub async fn shutdown(self) {
        self.node.shutdown().await;
    }
}

pub async fn run(scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in(scratch)?;
    let loaded = Loaded::open(dir.path()).await?;
    title("durable", Includes::Fsync, &format!(
        "One node in this process: openraft, RocksDB log, synced to disk before the answer. Each caller is a
         task that admits, prices and submits one hold, waits for its outcome and goes on; every hold
         has a key and a guest of its own; {} room types. Callers, log and disk share this machine's cores.
         Floor: the same bytes per sync, written and fdatasync'ed over a file that has its length.",
        loaded.world.room_types_count(),
    ));
    let time = Duration::from_secs(if scale.quick { 1 } else { 4 });
    let bytes = hold_bytes(&loaded.node, loaded.world);
    for round in 1..=if scale.quick { 1 } else { 3 } {
        for callers in [1, 64, 1_024] {
            let load = loaded.load(callers, time).await?;
            row(
                &format!("round {round}: {callers} callers"),
                &per_s(load.rate()),
                &load.latencies.summary(),
            );
            let batch = usize::try_from(load.commands / load.entries.max(1)).unwrap_or(1).max(1);
            let syncs =
                sync_latency(scratch, batch * bytes, if scale.quick { 200 } else { 1_000 })?;
            let floor = rate(batch as u64, syncs.at(0.5));
            row(
                "  floor: fdatasync of the same bytes",
                &per_s(floor),
                &format!(
                    "{batch} holds of {bytes} bytes a sync, p50 {}; the node reaches {:.2} of it",
                    short(syncs.at(0.5)),
                    load.rate() / floor,
                ),
            );
        }
    }
    loaded.shutdown().await;
    Ok(())
}

/// A world that begins on the log's own day.
pub fn world_of(node: &Node) -> World {
    World::of(500, tomorrow(node.now_ms()))
}

/// The day after a moment, in the log's calendar.
pub fn tomorrow(now_ms: u64) -> Night {
    Night(u16::try_from(now_ms / DAY_MS).unwrap_or(u16::MAX) + 1)
}

/// Brings a world into a node's log.
pub async fn load(node: &Node, world: World) -> anyhow::Result<()> {
    for commands in world.commands() {
        let mut commands = commands.into_iter().peekable();
        while commands.peek().is_some() {
            let some = commands.by_ref().take(LOAD_AT_ONCE).collect();
            let applied = node.submit_many(some).await?.await?;
            let refused = applied.outcomes.iter().find_map(|outcome| outcome.refusal().cloned());
            anyhow::ensure!(refused.is_none(), "the world was refused: {refused:?}");
        }
    }
    Ok(())
}

fn hold_bytes(node: &Node, world: World) -> usize {
    let mut requests = Requests::new(world, 9, 1 << 30);
    codec::encode(&priced(node, &mut requests)).len()
}

fn priced(node: &Node, requests: &mut Requests) -> Command {
    let mut hold = requests.draw();
    world::quote(node.reader(), &mut hold);
    requests.keyed(Verb::Hold(hold))
}

/// What a number of callers got done.
pub struct Load {
    commands: u64,
    entries: u64,
    time: Duration,
    pub latencies: Latencies,
}

impl Load {
    pub fn rate(&self) -> f64 {
        rate(self.commands, self.time)
    }

    pub fn commands(&self) -> u64 {
        self.commands
    }

    /// Entries of the log meanwhile, ticks included.
    pub fn entries(&self) -> u64 {
        self.entries
    }
}

async fn callers_load(
    node: &Node,
    world: World,
    callers: u64,
    time: Duration,
) -> anyhow::Result<Load> {
    static SEED: AtomicU64 = AtomicU64::new(100);
    let first = node.status().applied.unwrap_or(0);
    let start = now();
    let until = start + time;
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        // Relaxed: any number that was not there before will do.
        let seed = SEED.fetch_add(1, Ordering::Relaxed);
        tasks.spawn(caller(node.clone(), Requests::new(world, seed, 1 << 30), until));
    }
    let mut latencies = Latencies::new();
    while let Some(done) = tasks.join_next().await {
        latencies.add(&done??);
    }
    let entries = node.status().applied.unwrap_or(0) - first;
    Ok(Load { commands: latencies.count(), entries, time: start.elapsed(), latencies })
}

async fn caller(node: Node, mut requests: Requests, until: Instant) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::new();
    let mut start = now();
    while start < until {
        let mut hold = requests.draw();
        let admission = node.reader().admit(hold.hotel, hold.demand(), node.now_ms());
        let Admission::Admitted(ticket) = admission else {
            anyhow::bail!("a world with room for all refused: {admission:?}");
        };
        world::quote(node.reader(), &mut hold);
        let applied = node.submit(requests.keyed(Verb::Hold(hold)), Some(ticket)).await?;
        anyhow::ensure!(applied.outcome.refusal().is_none(), "refused: {:?}", applied.outcome);
        let end = now();
        latencies.record(end - start);
        start = end;
    }
    Ok(latencies)
}

/// The node's directory with so many holds in it, `batch` to an entry.
pub async fn write_log(dir: &Path, entries: usize, batch: usize) -> anyhow::Result<()> {
    let node = Node::open(Options::alone(dir)).await?;
    let world = world_of(&node);
    load(&node, world).await?;
    let mut requests = Requests::new(world, 17, 1 << 30);
    for _ in 0..entries {
        let commands = (0..batch).map(|_| priced(&node, &mut requests)).collect();
        node.submit_many(commands).await?.await?;
    }
    node.shutdown().await;
    Ok(())
}
