//! Followers that were away until the log they need was cut: they are sent a snapshot while guests book, start
//! themselves again with it, and are killed at every stage of that.
//!
//! Owns what tells how far a follower has come: its files, and what the nodes say. Nothing is timed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use holdfast_server::client::Request;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::nodes::{Nodes, until};
use crate::orders::Orders;
use crate::relay::Relays;
use crate::server::Server;
use crate::trial::{GOES_ON, Trial, alone, rounds, say};

/// Bytes of a snapshot that are sent together.
const PIECE: u64 = 1024 * 1024;
/// Hotels whose texts make a snapshot of several pieces, and the letters of a text, three bytes each.
const HOTELS: usize = 200;
const LETTERS: usize = 4_000;
/// Said by the program that takes the place of the one that received.
const TAKES_IN: &str = "the log begins behind a snapshot that was received";
/// A start and what it takes in sync less often.
const LIVES_MAX: i64 = 200;

/// The log is cut behind the older of two snapshots, and nothing is kept for those who lag.
pub const CUT_AT_ONCE: &str = "[snapshots]\nlog_kept = 0\n";

/// Makes the state so large that a snapshot of it is several pieces.
async fn fill(nodes: &Nodes) {
    let client = nodes.client(nodes.leader().await, "partner");
    let (name, text) = (json!({"th": "โรงแรม", "en": "Hotel"}), "ก".repeat(LETTERS));
    let mut made = JoinSet::new();
    for number in 0..HOTELS {
        let request = Request::post("/v1/hotels").key(format!("large-{number}")).json(&json!({
            "name": name, "description": {"th": text, "en": text}, "province": "TH-83",
            "lat": 7.88, "lon": 98.39, "stars": 3, "property_type": "hotel", "zone": "Asia/Bangkok",
            "currency": "THB",
        }));
        let client = client.clone();
        made.spawn(async move { client.settle(&request).await.unwrap().reply });
    }
    for reply in made.join_all().await {
        assert_eq!(reply.status, 201, "{}", reply.refusal());
    }
}

/// Lets every node that runs take snapshots until the entry after this one is cut off its log too.
pub async fn cut_behind(nodes: &Nodes, entry: u64) {
    for node in nodes.up.keys() {
        until("the log is cut", async || {
            nodes.call(*node, &["snapshot"]).unwrap();
            nodes.call(*node, &["status"]).unwrap()["first_index"].as_u64() > Some(entry + 1)
        })
        .await;
    }
}

/// Kills a node that follows, which stays away until the others have nothing but snapshots for it.
pub async fn leave_behind(trial: &mut Trial, node: u64) {
    follows(trial, node).await;
    trial.nodes.up.remove(&node).unwrap().kill();
    // By now nobody has more than the leader, and the one that is away has no more than that.
    let last = trial.last_entry(trial.nodes.leader().await);
    trial.ledger.beat.some(GOES_ON).await;
    cut_behind(&trial.nodes, last).await;
}

/// Waits until the leader knows that a node has what it has itself by now: one that is ready may still be on its
/// way there. Of one that it is sending a snapshot, or has just sent one, it keeps that and its log for a while.
pub async fn follows(trial: &Trial, node: u64) {
    let last = Some(trial.last_entry(trial.nodes.leader().await));
    until("the leader knows that a node follows", async || {
        let leader = trial.nodes.leader().await;
        let Ok(members) = trial.nodes.call(leader, &["member", "list"]) else { return false };
        let has_it =
            |member: &Value| member["node"] == node && member["matched_index"].as_u64() >= last;
        members["items"].as_array().unwrap().iter().any(has_it)
    })
    .await;
}

async fn left_behind(trial: &mut Trial) -> u64 {
    let node = trial.nodes.follower().await;
    leave_behind(trial, node).await;
    node
}

/// Waits until a node serves again with what it received, in the process that was started.
pub async fn starts_itself_again(nodes: &mut Nodes, node: u64) {
    until("a node takes a snapshot in", async || {
        let server = nodes.up.get_mut(&node).unwrap();
        assert!(server.runs(), "it ended:\n{}", server.said());
        server.said().contains(TAKES_IN)
    })
    .await;
    nodes.ready(node).await;
    let server = nodes.up.get_mut(&node).unwrap();
    let (id, said) = (server.id(), server.said());
    assert!(server.runs(), "process {id} ended:\n{said}");
    assert!(said.contains("starting again with a snapshot that was received"), "{said}");
}

/// The files of a node's snapshots.
fn files(nodes: &Nodes, node: u64) -> Vec<PathBuf> {
    let found = std::fs::read_dir(nodes.data(node).join("log/snapshots/0"));
    found.map(|files| files.flatten().map(|file| file.path()).collect()).unwrap_or_default()
}

fn with_ending(nodes: &Nodes, node: u64, ending: &str) -> Option<PathBuf> {
    let mut files = files(nodes, node).into_iter();
    files.find(|path| path.extension().is_some_and(|has| has == ending))
}

/// A snapshot in its place that was not there before.
fn new_snapshot(nodes: &Nodes, node: u64, before: &[PathBuf]) -> Option<PathBuf> {
    let is_one = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "hfsnap");
    files(nodes, node).into_iter().find(|path| is_one(path) && !before.contains(path))
}

/// Bytes that a node has of what it receives.
fn received(nodes: &Nodes, node: u64) -> Option<u64> {
    Some(std::fs::metadata(with_ending(nodes, node, "part")?).ok()?.len())
}

/// From which bytes on snapshots were sent, by the word of all that run.
fn sent_from(nodes: &mut Nodes) -> BTreeSet<u64> {
    let said: Vec<String> = nodes.up.values_mut().map(Server::said).collect();
    let sent = said.iter().flat_map(|said| said.lines());
    let sent = sent.filter(|line| line.contains("a snapshot is sent"));
    let from = sent.map(|line| {
        let (_, rest) = line.split_once("\"from\":").unwrap();
        rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
    });
    from.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_killed_while_it_is_sent_a_snapshot_loses_nothing() {
    let _alone = alone().await;
    let (nodes, ways) = Nodes::behind_relays(3);
    nodes.configure(CUT_AT_ONCE);
    let relays = Relays::start(&ways).await;
    let mut trial = Trial::begin(nodes, 3).await;
    fill(&trial.nodes).await;
    trial.open().await;
    for _ in 0..rounds() {
        let node = left_behind(&mut trial).await;
        trial.hurt();
        trial.nodes.start(node);
        starts_itself_again(&mut trial.nodes, node).await;
        trial.goes_on("follower takes a snapshot in").await;
        for pieces in [0, 2] {
            receiver_killed((&mut trial, &relays), pieces).await;
        }
        killed_while_taking_in(&mut trial).await;
        sender_killed((&mut trial, &relays)).await;
    }
    trial.close().await;
}

/// Leaves a follower with some pieces of a snapshot, and the rest held back on its way.
async fn half_way((trial, relays): (&mut Trial, &Relays), pieces: u64) -> u64 {
    let node = left_behind(trial).await;
    relays.hold_snapshots_behind(pieces * PIECE + PIECE / 2);
    trial.hurt();
    trial.nodes.start(node);
    until("a part of a snapshot has arrived", async || {
        received(&trial.nodes, node) == Some(pieces * PIECE)
    })
    .await;
    node
}

async fn receiver_killed((trial, relays): (&mut Trial, &Relays), pieces: u64) {
    let node = half_way((trial, relays), pieces).await;
    trial.nodes.up.remove(&node).unwrap().kill();
    relays.let_snapshots_through();
    trial.nodes.start(node);
    starts_itself_again(&mut trial.nodes, node).await;
    let from = sent_from(&mut trial.nodes);
    assert!(from.contains(&(pieces * PIECE)), "not from where it broke off: {from:?}");
    trial.goes_on(&format!("follower killed with {pieces} MiB of a snapshot")).await;
    trial.nodes.all_ready().await;
}

/// What another node sends is another file: the half of the first is no use, and goes.
async fn sender_killed((trial, relays): (&mut Trial, &Relays)) {
    let node = half_way((trial, relays), 2).await;
    let leader = trial.nodes.leader().await;
    trial.nodes.up.remove(&leader).unwrap().kill();
    relays.let_snapshots_through();
    starts_itself_again(&mut trial.nodes, node).await;
    trial.goes_on("leader killed while it sends a snapshot").await;
    assert_eq!(received(&trial.nodes, node), None, "{:?}", files(&trial.nodes, node));
    trial.nodes.start(leader);
    trial.nodes.all_ready().await;
}

async fn killed_while_taking_in(trial: &mut Trial) {
    let node = left_behind(trial).await;
    let before = files(&trial.nodes, node);
    trial.hurt();
    trial.nodes.start(node);
    let mut seen = "";
    until("a snapshot is received", async || {
        seen = match with_ending(&trial.nodes, node, "staged") {
            Some(_) => "received",
            None if new_snapshot(&trial.nodes, node, &before).is_some() => "in its place",
            None => "",
        };
        !seen.is_empty()
    })
    .await;
    trial.nodes.up.remove(&node).unwrap().kill();
    trial.nodes.start(node);
    trial.nodes.ready(node).await;
    assert_eq!(with_ending(&trial.nodes, node, "staged"), None);
    trial.goes_on(&format!("follower killed with a snapshot that is {seen}")).await;
    trial.nodes.all_ready().await;
}

/// A node that dies at the first sync of its first life, the second of its second, and so on, until one of
/// its lives gets through: between any two steps to the disk there is a death.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_dies_at_every_sync_of_an_install_loses_nothing() {
    let _alone = alone().await;
    let mut nodes = Nodes::new(3);
    nodes.configure(CUT_AT_ONCE);
    let Some(orders) = Orders::load(&mut nodes, 3) else { return };
    let mut trial = Trial::begin(nodes, 3).await;
    trial.open().await;
    for _ in 0..rounds() {
        let node = left_behind(&mut trial).await;
        let before: Vec<PathBuf> = files(&trial.nodes, node);
        trial.hurt();
        let mut found = BTreeSet::new();
        let mut lives = 0;
        loop {
            lives += 1;
            assert!(lives < LIVES_MAX, "it never gets through: {found:?}");
            orders.dies_at_sync(node, lives);
            if gets_through(&mut trial, node, &before).await {
                break;
            }
            let left = files(&trial.nodes, node).into_iter();
            let new = left.filter(|file| !before.contains(file));
            let endings = new.filter_map(|file| Some(file.extension()?.to_str()?.to_owned()));
            found.insert(endings.collect::<Vec<_>>().join(" and "));
        }
        // It may be dying of its next sync, which nobody can tell from outside.
        trial.nodes.up.remove(&node).unwrap().kill();
        orders.mend(node);
        trial.nodes.start(node);
        trial.nodes.all_ready().await;
        say(&format!("{lives} lives of an install, which left behind {found:?}"));
        assert!(found.contains("staged"), "no death between receiving and taking in: {found:?}");
        trial.goes_on("follower dies at every sync of an install").await;
    }
    trial.close().await;
}

/// Starts a node that may die; whether it lives to serve with a snapshot.
async fn gets_through(trial: &mut Trial, node: u64, before: &[PathBuf]) -> bool {
    let Ok(server) = trial.nodes.try_start(node) else { return false };
    trial.nodes.up.insert(node, server);
    let mut lives = true;
    until("a node takes a snapshot in, or dies", async || {
        let server = trial.nodes.up.get_mut(&node).unwrap();
        lives = server.runs();
        let begun = server.said().contains("begun with a snapshot");
        !lives || begun && new_snapshot(&trial.nodes, node, before).is_some()
    })
    .await;
    if lives {
        return true;
    }
    trial.nodes.up.remove(&node).unwrap().kill();
    false
}
