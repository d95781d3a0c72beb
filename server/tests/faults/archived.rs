//! A booking whose stay is long over, asked for at a node that has it from a snapshot alone.

use holdfast_server::client::{Client, Limits};
use serde_json::Value;

use crate::hotel::Hotel;
use crate::nodes::{Nodes, until};
use crate::orders::Orders;
use crate::snapshots::{CUT_AT_ONCE, cut_behind, starts_itself_again};
use crate::trial::{alone, say};

const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// Past the stays, and the days that a booking stays in memory after them.
const LATER_DAYS: i64 = 40;
const TOKEN_TTL_S: u64 = 400 * 86_400;
const BOOKINGS: usize = 5;
const JOINS: u64 = 4;

/// One whose token counts for longer than what happens here lasts.
fn client(nodes: &Nodes, node: u64, role: &str) -> Client {
    let anyone = Client::new(&nodes.url(node), Limits::default()).unwrap();
    anyone.with_token(&nodes.up[&node].token_for(role, role, TOKEN_TTL_S)).unwrap()
}

/// Forty days pass: all walls say so, and whoever takes the lead then goes by them.
async fn days_pass(nodes: &Nodes, orders: &Orders) {
    for node in 1..=JOINS {
        orders.wall_ms(node, LATER_DAYS * DAY_MS);
    }
    let leader = nodes.leader().await;
    nodes.call_until_done(leader, &["leader", "transfer"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_booking_is_read_at_a_node_that_has_it_from_a_snapshot() {
    let _alone = alone().await;
    let mut nodes = Nodes::new(3);
    nodes.configure(&format!("{CUT_AT_ONCE}[archive]\nafter_days = 3\n"));
    let Some(orders) = Orders::load(&mut nodes, JOINS) else { return };
    for node in 1..=3 {
        nodes.start(node);
    }
    nodes.all_ready().await;
    let (partner, admin) = (client(&nodes, 1, "partner"), client(&nodes, 1, "admin"));
    let hotel = Hotel::open(&partner, &admin, &[10], 5).await;
    let mut told = Vec::new();
    for number in 0..BOOKINGS {
        let path = format!("/v1/bookings/{}", hotel.book(&partner, &number.to_string(), 0).await);
        let body: Value = partner.get(&path).await.unwrap().json().unwrap();
        told.push((path, body));
    }

    days_pass(&nodes, &orders).await;
    let listed = format!("/v1/hotels/{}/bookings", hotel.id);
    until("all bookings have left memory", async || {
        let page: Value = partner.get(&listed).await.unwrap().json().unwrap();
        page["items"].as_array().is_some_and(Vec::is_empty)
    })
    .await;
    let status = nodes.call(1, &["status"]).unwrap();
    cut_behind(&nodes, status["last_index"].as_u64().unwrap()).await;

    let address = nodes.extend(JOINS);
    nodes.start(JOINS);
    let by = nodes.leader().await;
    let id = JOINS.to_string();
    nodes.call_until_done(by, &["member", "add", &id, &address]).await;
    starts_itself_again(&mut nodes, JOINS).await;
    let there = client(&nodes, JOINS, "partner");
    for (path, body) in &told {
        let reply = there.get(path).await.unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.refusal());
        assert_eq!(reply.json::<Value>().unwrap(), *body, "{path}");
    }
    nodes.digests_agree().await;
    let report = nodes.call(JOINS, &["verify"]).unwrap();
    assert_eq!(report["found"], 0, "{report}");
    say(&format!("{BOOKINGS} archived bookings are read at a node that joined by snapshot"));
}
