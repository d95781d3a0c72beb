//! Snapshots of a simulation: any node is asked for one, now and then.
//!
//! It owns when. Writing, cutting, sending and taking in are the product's.

use std::sync::Arc;
use std::time::Duration;

use super::cluster::Cluster;
use super::dice::Dice;
use super::runtime;
use super::world::{Counts, world};

/// Asks for snapshots until the simulation ends.
pub(crate) async fn keep_taking(cluster: Arc<Cluster>) {
    let mut dice = Dice::new(world().seed, 7);
    // Some worlds take few.
    let pause_ms_max = dice.of(&[1_500, 4_000, 8_000]);
    loop {
        runtime::sleep(Duration::from_millis(dice.between(100, pause_ms_max))).await;
        let node = dice.of(&cluster.ids());
        take(&cluster, node);
    }
}

/// Lets a node write a snapshot and cut its log, where it runs.
pub(crate) fn take(cluster: &Cluster, node: u64) {
    let Some(process) = cluster.process(node) else { return };
    runtime::spawn(async move {
        let taking = process.node.clone();
        let taken = process.run(async move { taking.snapshot().await }).await;
        let counts = &world().counts;
        match &taken {
            Some(Ok(taken)) => {
                Counts::add(&counts.snapshots);
                world().note(format_args!("node {node} has one as of {}", taken.index));
            }
            Some(Err(error)) => {
                Counts::add(&counts.snapshots_failed);
                world().note(format_args!("node {node} has none: {error}"));
            }
            None => {}
        }
    });
}
