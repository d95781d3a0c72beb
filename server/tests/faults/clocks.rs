//! Wall clocks that step, on the node that leads and on one that follows.

use holdfast_server::clock;
use jiff::Timestamp;

use crate::nodes::{Nodes, until};
use crate::orders::Orders;
use crate::trial::{Trial, alone, rounds};

const DAY_MS: i64 = 24 * 3_600 * 1_000;
const STEPS: [(&str, i64); 2] = [("ten years ahead", 3_652 * DAY_MS), ("a day behind", -DAY_MS)];
/// The log's time may be so far from the true one: a lead is taken within seconds of being won.
const LOG_OFF_MS_MAX: u64 = 5_000;

/// The log's time by the word of a node is the true one, nearly.
fn log_is_right(nodes: &Nodes, node: u64) {
    let status = nodes.call(node, &["status"]).unwrap();
    let log: Timestamp = status["log_time"].as_str().unwrap().parse().unwrap();
    let off = log.as_millisecond().unsigned_abs().abs_diff(clock::wall_ms());
    assert!(off < LOG_OFF_MS_MAX, "node {node}: the log's time is {off} ms off: {status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wall_clock_that_steps_moves_no_log_and_ends_no_hold() {
    let _alone = alone().await;
    let mut nodes = Nodes::new(3);
    let Some(orders) = Orders::load(&mut nodes, 3) else { return };
    let mut trial = Trial::begin(nodes, 3).await;
    trial.open().await;
    for _ in 0..rounds() {
        for (step, ms) in STEPS {
            let leader = trial.nodes.leader().await;
            trial.hurt();
            orders.wall_ms(leader, ms);
            trial.goes_on(&format!("leader's clock {step}")).await;
            log_is_right(&trial.nodes, leader);
            // It does not win the lead with such a clock either: it hands it on.
            let other = trial.nodes.follower().await;
            trial.nodes.call_until_done(leader, &["leader", "transfer"]).await;
            trial.hurt();
            let to = leader.to_string();
            trial.nodes.call_until_done(other, &["leader", "transfer", "--to", &to]).await;
            until("a node with a right clock leads", async || trial.nodes.leader().await != leader)
                .await;
            trial.goes_on(&format!("lead given to a node whose clock is {step}")).await;
            for node in trial.nodes.up.keys() {
                log_is_right(&trial.nodes, *node);
            }
            orders.mend(leader);
        }
        starts_with_a_wrong_clock(&mut trial, &orders).await;
    }
    trial.close().await;
}

/// Ten years ahead a node does not start; a day behind it does, and follows the log.
async fn starts_with_a_wrong_clock(trial: &mut Trial, orders: &Orders) {
    let node = trial.nodes.follower().await;
    trial.nodes.up.remove(&node).unwrap().kill();
    orders.wall_ms(node, STEPS[0].1);
    let ended = trial.nodes.try_start(node).err().expect("a wall ten years ahead is refused");
    assert!(ended.said.contains("days ahead of the log's last entry"), "{}", ended.said);
    orders.wall_ms(node, STEPS[1].1);
    trial.nodes.start(node);
    trial.nodes.ready(node).await;
    log_is_right(&trial.nodes, node);
    orders.mend(node);
}
