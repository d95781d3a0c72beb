//! Processes killed, frozen, stopped in order and started again.

use std::time::Duration;

use holdfast_server::client::{Client, Reply, Request};
use holdfast_server::clock;
use serde_json::json;

use crate::hotel::Hotel;
use crate::nodes::Nodes;
use crate::trial::{Trial, alone, rounds};

/// A command that waits for a leader that stands still is answered before its own limit of 10 s.
const HANDED_ON_MAX: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_are_killed_or_stopped_lose_nothing() {
    let _alone = alone().await;
    let mut trial = Trial::begin(Nodes::new(3), 3).await;
    trial.open().await;
    for _ in 0..rounds() {
        let leader = trial.nodes.leader().await;
        trial.hurt();
        trial.nodes.up.remove(&leader).unwrap().kill();
        trial.goes_on("leader killed").await;
        trial.nodes.start(leader);
        trial.nodes.all_ready().await;

        let follower = trial.nodes.follower().await;
        trial.hurt();
        trial.nodes.up.remove(&follower).unwrap().kill();
        trial.goes_on("follower killed").await;
        trial.nodes.start(follower);
        trial.nodes.all_ready().await;

        let (leader, follower) = (trial.nodes.leader().await, trial.nodes.follower().await);
        trial.hurt();
        let to = follower.to_string();
        trial.nodes.call_until_done(follower, &["leader", "transfer", "--to", &to]).await;
        trial.goes_on("lead transferred").await;
        assert_ne!(trial.nodes.leader().await, leader);

        // An upgrade: each node in turn, the next once the last is ready; the leader last.
        trial.hurt();
        let leader = trial.nodes.leader().await;
        let mut order: Vec<u64> = trial.nodes.up.keys().copied().collect();
        order.sort_by_key(|node| *node == leader);
        for node in order {
            assert_eq!(trial.nodes.up.remove(&node).unwrap().stop(), Some(0));
            trial.nodes.start(node);
            trial.nodes.all_ready().await;
        }
        trial.goes_on("rolling restart, the leader last").await;
    }
    trial.close().await;
    // All at once, and once more all that was told is there.
    let all: Vec<u64> = trial.nodes.up.keys().copied().collect();
    trial.open().await;
    for node in &all {
        trial.nodes.up.remove(node).unwrap().kill();
    }
    trial.hurt();
    for node in all {
        trial.nodes.start(node);
    }
    trial.nodes.all_ready().await;
    trial.goes_on("all nodes killed at once").await;
    trial.close().await;
}

/// A leader that stands still while the others elect another wakes up with an old state and requests that
/// came meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_was_frozen_neither_refuses_nor_acknowledges_from_its_old_state() {
    let _alone = alone().await;
    let mut trial = Trial::begin(Nodes::new(3), 3).await;
    trial.open().await;
    for round in 0..rounds() {
        let frozen = trial.nodes.leader().await;
        let other = trial.nodes.follower().await;
        let name = format!("innkeeper-{round}");
        let there = trial.nodes.client_as(other, "partner", &name);
        let inn = Hotel::open(&there, &trial.nodes.client(other, "admin"), &[1], 2).await;
        let (full, free) = (Room { inn: &inn, night: 0 }, Room { inn: &inn, night: 1 });
        let held = full.hold(&there, "held").await;
        assert_eq!(held.status, 201, "{}", held.refusal());
        trial.ledger.beat.some(5).await;
        trial.hurt();
        trial.nodes.up[&frozen].signal("STOP");
        let asked_at = clock::instant();
        // Handed to the frozen leader: nobody waits for that one longer than until another leads.
        let handed = full.hold(&there, "handed on").await;
        assert_eq!(handed.code(), "inventory.insufficient", "{handed:?}");
        assert!(asked_at.elapsed() < HANDED_ON_MAX, "answered after {:?}", asked_at.elapsed());
        assert_ne!(trial.nodes.leader_of(other), Some(frozen));
        trial.goes_on("leader frozen").await;
        // What was full is free now, and what was free is full.
        let freed = Request::delete(format!("/v1/holds/{}", held.field("id").unwrap()));
        there.settle(&freed).await.unwrap().reply.ok::<serde_json::Value>().unwrap();
        let taken = free.hold(&there, "taken").await;
        assert_eq!(taken.status, 201, "{}", taken.refusal());
        // Asked while it is frozen, answered when it wakes.
        let stale = trial.nodes.client_as(frozen, "partner", &name);
        let asked = async {
            tokio::join!(full.hold(&stale, "stale"), free.hold(&stale, "stale"), async {
                // They are on their way once other requests at other doors had their answers.
                trial.ledger.beat.some(20).await;
                trial.nodes.up[&frozen].signal("CONT");
            })
        };
        let (now_free, now_full, ()) = asked.await;
        assert_eq!(now_free.status, 201, "{}", now_free.refusal());
        assert_eq!(now_full.code(), "inventory.insufficient", "{now_full:?}");
        trial.nodes.all_ready().await;

        let follower = trial.nodes.follower().await;
        trial.hurt();
        trial.nodes.up[&follower].signal("STOP");
        trial.goes_on("follower frozen").await;
        trial.nodes.up[&follower].signal("CONT");
        trial.nodes.all_ready().await;
    }
    trial.close().await;
}

/// The one room of an inn, on one night.
struct Room<'a> {
    inn: &'a Hotel,
    night: usize,
}

impl Room<'_> {
    async fn hold(&self, client: &Client, name: &str) -> Reply {
        let (inn, night) = (self.inn, self.night);
        let kind = &inn.room_types[0];
        let request = Request::post("/v1/holds").key(format!("{name}-{night}")).json(&json!({
            "hotel_id": inn.id, "check_in": inn.night(night), "check_out": inn.night(night + 1),
            "lines": [{"room_type_id": kind.id, "rate_plan_id": kind.rate_plan, "quantity": 1,
                "adults": 2, "children_ages": []}],
        }));
        client.settle(&request).await.unwrap().reply
    }
}
