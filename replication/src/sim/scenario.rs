//! One seed from its beginning to its end.
//!
//! It owns the order: a cluster begins, clients and faults come, faults end, all agree, and the laws are
//! held against what is left.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use openraft::AsyncRuntime;
use openraft_rt_sim::SimRuntime;

use super::clients::{Client, Mood, Told as ToldClients};
use super::cluster::{Cluster, FIRST_VOTERS};
use super::dice::Dice;
use super::hotel;
use super::invariants::{converges, digests_equal, expiry_on_time, nothing_lost};
use super::members::Members;
use super::nemesis::{Nemesis, WALL_OFF_MS_MAX, supervise};
use super::report::Told;
use super::runtime::{self, Instant, watch};
use super::snapshots;
use super::time::MachineTime;
use super::world::{Counts, World, world};

const CLIENTS: u64 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Everything of one seed.
pub(crate) fn run(seed: u64) -> Told {
    let world = World::new(seed);
    let entered = world.enter();
    let mut runtime = SimRuntime::with_seed(seed);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            live().await;
            let ended = Instant::now().since_start();
            Told::of(&super::world::world(), ended)
        })
    }));
    drop(runtime);
    drop(entered);
    ran.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        world.broke("the simulation runs", format_args!("it panicked: {text}"));
        Told::of(&world, Duration::ZERO)
    })
}

async fn live() {
    let mut dice = Dice::new(world().seed, 5);
    let cluster = Cluster::new();
    for id in FIRST_VOTERS {
        let drift_ppm = i64::try_from(dice.below(400)).unwrap_or(0) - 200;
        let off_ms = i64::try_from(dice.below(2 * WALL_OFF_MS_MAX)).unwrap_or(0);
        let off_ms = off_ms - i64::try_from(WALL_OFF_MS_MAX).unwrap_or(0);
        cluster.add_machine(id, MachineTime::new(drift_ppm, off_ms));
        let cluster = cluster.clone();
        runtime::spawn(async move { cluster.start(id).await });
    }
    runtime::spawn(supervise(cluster.clone()));
    if !found(&cluster, dice.of(&[3, 4, 6])).await {
        return converges::failed("no cluster was begun");
    }
    let (stop, stopped) = watch::channel(false);
    let told = Arc::new(ToldClients::default());
    let mood = Mood::of(&mut dice);
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|number| Client::new(number, (cluster.clone(), told.clone()), mood, stopped.clone()))
        .map(|client| runtime::spawn(client.run()))
        .collect();
    runtime::spawn(snapshots::keep_taking(cluster.clone()));
    let mut nemesis = Nemesis::new(cluster.clone());
    let faults = Duration::from_secs(dice.between(10, 35));
    nemesis.run(faults).await;
    nemesis.end().await;
    stop.send_replace(true);
    if !agreed(&cluster, &nemesis.members).await {
        return converges::failed("not all nodes have applied the same");
    }
    for client in clients {
        let _ = client.await;
    }
    // The last holds end.
    runtime::sleep(Duration::from_secs(u64::from(hotel::TTL_S_MAX) + 4)).await;
    if !agreed(&cluster, &nemesis.members).await {
        return converges::failed("not all nodes have applied the same in the end");
    }
    check_end(&cluster).await;
}

/// Makes the hotel, whatever it takes.
async fn found(cluster: &Cluster, rooms: u16) -> bool {
    let until = Instant::now() + converges::WITHIN;
    for command in hotel::founding(rooms) {
        loop {
            if Instant::now() > until {
                return false;
            }
            let up = cluster.processes().into_iter().next();
            if let Some((_, process)) = up {
                let (node, command) = (process.node.clone(), command.clone());
                let asked = process.run(async move { node.submit(command, None).await });
                if let Some(Ok(applied)) = asked.await {
                    let refusal = applied.outcome.refusal();
                    assert!(refusal.is_none(), "{refusal:?}");
                    break;
                }
            }
            runtime::sleep(LOOK_EVERY).await;
        }
    }
    true
}

/// Waits until all machines run and have applied as much as anybody had when they were asked.
async fn agreed(cluster: &Cluster, members: &Members) -> bool {
    let until = Instant::now() + converges::WITHIN;
    loop {
        let up = cluster.processes();
        let goal = world().witness.lock().end().saturating_sub(1);
        let leader = up.iter().find(|(_, process)| process.node.leads());
        // Confirmed, so that its members are the members.
        let leads = match leader {
            Some((_, process)) => {
                let node = process.node.clone();
                let confirmed = process.run(async move { node.confirm_leadership().await });
                matches!(confirmed.await, Some(Ok(_))) && members.settle().await
            }
            None => false,
        };
        if leads && up.len() == cluster.ids().len() {
            let mut all = true;
            for (_, process) in up {
                let node = process.node.clone();
                let wait = Duration::from_secs(2);
                all &= process.run(async move { node.wait_applied(goal, wait).await }).await
                    == Some(true);
            }
            if all {
                return true;
            }
        }
        if Instant::now() > until {
            return false;
        }
        runtime::sleep(LOOK_EVERY).await;
    }
}

async fn check_end(cluster: &Cluster) {
    // Stopped one after the other, and all at the same entry: whoever leads then writes no more.
    for (id, process) in cluster.processes() {
        let node = process.node.clone();
        let digest = process.run(async move { node.digest().await }).await;
        let Some(Ok((index, digest))) = digest else {
            converges::failed("a node gives no digest");
            continue;
        };
        expiry_on_time::check_end(id, process.node.reader());
        let world = world();
        let witness = world.witness.lock();
        nothing_lost::check_end(&witness, id, index);
        if index + 1 == witness.end() {
            digests_equal::compare(id, index, (&digest, &witness.digest()));
        }
    }
    let world = world();
    let mut witness = world.witness.lock();
    witness.check_whole();
    let mut term = 0;
    for account in &witness.accounts {
        if account.term > term {
            term = account.term;
            Counts::add(&world.counts.elections);
        }
    }
}
