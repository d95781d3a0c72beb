//! Real nodes of a cluster: written anywhere, killed, changed while they run.
//!
//! `HOLDFAST_CLUSTER_KILLS` sets how often the leader is killed (1); the gaps in writing are said.

#[path = "cluster/ages.rs"]
mod ages;
#[path = "cluster/beat.rs"]
mod beat;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/hotel.rs"]
mod hotel;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "cluster/nodes.rs"]
mod nodes;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/server.rs"]
mod server;
#[path = "cluster/writes.rs"]
mod writes;

use std::io::Write;
use std::time::Duration;

use holdfast_server::client::{Client, Request};
use hotel::Hotel;
use http::HeaderName;
use nodes::{Nodes, until};
use serde_json::{Value, json};
use writes::Writes;

/// Past the capture of the test's output.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn kills() -> usize {
    std::env::var("HOLDFAST_CLUSTER_KILLS").map_or(1, |text| text.parse().unwrap())
}

fn hold(hotel: &Hotel, key: &str) -> Request {
    let kind = &hotel.room_types[0];
    Request::post("/v1/holds").key(key).json(&json!({
        "hotel_id": hotel.id, "check_in": hotel.night(0), "check_out": hotel.night(2),
        "lines": [{"room_type_id": kind.id, "rate_plan_id": kind.rate_plan, "quantity": 1,
            "adults": 2, "children_ages": []}],
    }))
}

/// A read as fresh as `name: value` asks; what the hotel's first night has held.
async fn held(client: &Client, hotel: &Hotel, (name, value): (&'static str, &str)) -> u64 {
    let (from, to) = (hotel.night(0), hotel.night(0));
    let path = format!("/v1/hotels/{}/inventory?from={from}&to={to}", hotel.id);
    let request = Request::get(path).header(HeaderName::from_static(name), value);
    let body: Value = client.send(&request).await.unwrap().ok().unwrap();
    body["items"][0]["held"].as_u64().unwrap()
}

/// What a search finds on a node that has applied `index`; its reply says which state it is of.
async fn found(client: &Client, hotel: &Hotel, index: &str) -> Value {
    let (from, to) = (hotel.night(2), hotel.night(4));
    let path = format!(
        "/v1/search?bbox=98,7,99,8&check_in={from}&check_out={to}&rooms=1&adults=2&sort=price"
    );
    let name = HeaderName::from_static("min-engine-index");
    let reply = client.send(&Request::get(path).header(name, index)).await.unwrap();
    assert!(reply.header("engine-index").unwrap() >= index, "{reply:?}");
    assert!(reply.header("engine-age").is_some());
    reply.ok().unwrap()
}

async fn three() -> Nodes {
    let mut nodes = Nodes::new(3);
    nodes.start(1);
    nodes.start(2);
    // Two of three: no majority decides to begin, all of them do.
    let (status, says) = nodes.readyz(1).await;
    assert_eq!(status, 503);
    assert_eq!(says, "starting: the cluster has not begun, or has not added this node");
    nodes.start(3);
    nodes.all_ready().await;
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_take_writes_anywhere_and_go_on_without_their_leader() {
    let mut nodes = three().await;
    let hotel = Hotel::open(&nodes.client(1, "partner"), &nodes.client(2, "admin"), &[3], 5).await;
    let mut last = String::new();
    for node in [1, 2, 3] {
        let reply = nodes.client(node, "partner").send(&hold(&hotel, &format!("h{node}"))).await;
        let reply = reply.unwrap();
        reply.ok::<Value>().unwrap();
        last = reply.header("engine-index").unwrap().to_owned();
    }
    let (leader, follower) = (nodes.leader().await, nodes.follower().await);
    let page = found(&nodes.client(leader, "partner"), &hotel, &last).await;
    assert_eq!(page["total"], 1, "{page}");
    for node in [1, 2, 3] {
        let client = nodes.client(node, "partner");
        // A search takes nobody else's time: whichever node is asked answers from what it has applied.
        assert_eq!(found(&client, &hotel, &last).await, page);
        assert_eq!(held(&client, &hotel, ("min-engine-index", &last)).await, 3);
        assert_eq!(held(&client, &hotel, ("engine-read", "linearizable")).await, 3);
        assert_eq!(held(&client, &hotel, ("max-engine-age", "60000")).await, 3);
        // Sold out is said by any node, on a leader's word.
        let refused = client.send(&hold(&hotel, &format!("none-{node}"))).await.unwrap();
        assert_eq!((refused.status, refused.code()), (409, "inventory.insufficient".into()));
        let again = client.send(&hold(&hotel, "h1")).await.unwrap();
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again:?}");
        let age: u64 = again.header("engine-age").unwrap().parse().unwrap();
        assert!(age < 60_000);
    }
    let status = nodes.call(follower, &["status"]).unwrap();
    assert_eq!((&status["role"], &status["leader"]), (&json!("follower"), &json!(leader)));

    let mut gaps = Vec::new();
    for _ in 0..kills() {
        let leader = nodes.leader().await;
        let others = nodes.up.keys().filter(|node| **node != leader);
        let clients = others.map(|node| nodes.client(*node, "partner")).collect();
        let writes = Writes::start(clients, gaps.len());
        writes.some(20).await;
        nodes.up.remove(&leader).unwrap().kill();
        writes.some(20).await;
        gaps.push(writes.stop().await);
        nodes.start(leader);
        nodes.all_ready().await;
    }
    say(&format!("leader killed: writes stopped for {gaps:?}"));
    nodes.digests_agree().await;

    let follower = nodes.follower().await;
    let clients = nodes.up.keys().map(|node| nodes.client(*node, "partner")).collect();
    let writes = Writes::start(clients, 1_000);
    writes.some(20).await;
    nodes.call_until_done(follower, &["leader", "transfer", "--to", &follower.to_string()]).await;
    assert_eq!(nodes.leader().await, follower);
    writes.some(20).await;
    say(&format!("lead transferred: writes stopped for {:?}", writes.stop().await));

    // An orderly stop hands the lead over first: the others do not wait for an election.
    let writes = Writes::start(vec![nodes.client(leader_but(&nodes, follower), "partner")], 2_000);
    writes.some(20).await;
    assert_eq!(nodes.up.remove(&follower).unwrap().stop(), Some(0));
    writes.some(20).await;
    say(&format!("leader stopped in order: writes stopped for {:?}", writes.stop().await));
    assert_ne!(nodes.leader().await, follower);
    nodes.digests_agree().await;
}

fn leader_but(nodes: &Nodes, leader: u64) -> u64 {
    *nodes.up.keys().find(|node| **node != leader).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_node_takes_a_voters_place_and_strangers_are_refused() {
    let mut nodes = three().await;
    let partner = nodes.client(1, "partner");
    let hotel = Hotel::open(&partner, &nodes.client(1, "admin"), &[5], 5).await;
    let gone = nodes.follower().await;
    let address = nodes.extend(4);
    let early = nodes.call(1, &["member", "add", "4", &address]).unwrap_err();
    assert!(early.contains("it must run before it is added"), "{early}");
    nodes.start(4);
    nodes.call_until_done(gone, &["member", "add", "4", &address]).await;
    nodes.ready(4).await;
    // A learner reads as freshly as anybody, and takes writes for the leader.
    let learner = nodes.client(4, "partner");
    learner.send(&hold(&hotel, "through the learner")).await.unwrap().ok::<Value>().unwrap();
    assert_eq!(held(&learner, &hotel, ("engine-read", "linearizable")).await, 1);
    nodes.call_until_done(4, &["member", "promote", "4"]).await;
    nodes.call_until_done(4, &["member", "remove", &gone.to_string()]).await;
    nodes.up.remove(&gone).unwrap().kill();
    let members = nodes.call(4, &["member", "list"]).unwrap();
    let roles: Vec<&str> = members["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles.len(), 3);
    assert!(!roles.contains(&"learner"));
    nodes.digests_agree().await;

    // Who was taken out does not come back under its id with an empty disk, not by an operator's word either.
    std::fs::remove_dir_all(nodes.data(gone)).unwrap();
    ends_with(&nodes, gone, "is no member any more");
    let again = nodes.call(4, &["member", "add", &gone.to_string(), "127.0.0.1:1"]).unwrap_err();
    assert!(again.contains("are never used again"), "{again}");

    // A voter whose disk was wiped is a stranger under its old id.
    let wiped = nodes.follower().await;
    nodes.up.remove(&wiped).unwrap().kill();
    std::fs::remove_dir_all(nodes.data(wiped)).unwrap();
    ends_with(&nodes, wiped, "has another disk");
    // So is a node of another cluster with this one's addresses.
    let file = nodes.file(wiped);
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("id = \"").unwrap() + "id = \"".len();
    let other = format!("{}{}{}", &text[..at], "f".repeat(32), &text[at + 32..]);
    std::fs::write(&file, other).unwrap();
    std::fs::remove_dir_all(nodes.data(wiped)).unwrap();
    ends_with(&nodes, wiped, "belongs to cluster");
    let left = nodes.leader().await;
    nodes
        .client(left, "partner")
        .send(&hold(&hotel, "goes on"))
        .await
        .unwrap()
        .ok::<Value>()
        .unwrap();

    // One of three is left: it says so, and reads go on.
    let other = leader_but(&nodes, left);
    nodes.up.remove(&other).unwrap().kill();
    until("a node without its quorum says so", async || {
        let (status, says) = nodes.readyz(left).await;
        status == 503 && (says.contains("no quorum") || says.contains("no node leads"))
    })
    .await;
    assert_eq!(held(&nodes.client(left, "partner"), &hotel, ("max-engine-age", "600000")).await, 2);
}

/// Starts a node that does not stay, and looks why.
fn ends_with(nodes: &Nodes, node: u64, why: &str) {
    let said = match nodes.try_start(node) {
        Err(ended) => ended.said,
        Ok(server) => server.ended(Duration::from_secs(60)).said,
    };
    assert!(said.contains(why), "{said}");
}
