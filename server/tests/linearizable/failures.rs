//! Histories of three nodes, asked at all their doors while the one that leads is killed, frozen or made to
//! follow: every answer, of whichever node, fits into one order.
//!
//! Owns the cluster and its failures. What a failure left without an answer stays in flight in the history,
//! or is asked again with its key at another node.

use std::process::Child;
use std::time::Duration;

use holdfast_server::client::{Client, Limits};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::doors::{Doors, Honesty, Place};
use super::history::History;
use super::hotel::Hotel;
use super::nodes::Nodes;
use super::relay::Relays;
use super::spec::{CELLS, Op, Ret};
use super::{ask, from_environment, say};

/// Rooms on each night.
const GIVEN: u32 = 2;
const NIGHTS: usize = 400;
/// Askers of one history: two at each node.
const ASKERS: u64 = 6;

/// What is done to the node that leads, while the history is recorded.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Killed,
    Frozen,
    HandsOver,
}

const FAILURES: [Failure; 4] =
    [Failure::Killed, Failure::Frozen, Failure::Killed, Failure::HandsOver];

async fn open(mut nodes: Nodes) -> (Nodes, Hotel) {
    for node in 1..=3 {
        nodes.start(node);
    }
    nodes.all_ready().await;
    let (partner, admin) = (nodes.client(2, "partner"), nodes.client(1, "admin"));
    let hotel = Hotel::open(&partner, &admin, &[GIVEN], NIGHTS).await;
    (nodes, hotel)
}

/// Clients that wait no longer for a node than somebody with two others at hand.
fn doors_of(nodes: &Nodes) -> Vec<Client> {
    let limits = Limits { request: Duration::from_secs(2), ..Limits::default() };
    let token = nodes.up[&1].token("partner", "partner");
    let client = |node| Client::new(&nodes.url(node), limits.clone()).unwrap();
    (1..=3).map(|node| client(node).with_token(&token).unwrap()).collect()
}

fn place(hotel: &Hotel, number: usize) -> Place<'_> {
    let first = number * (CELLS + 1) % (NIGHTS - CELLS);
    Place { hotel, kind: 0, first, given: i32::try_from(GIVEN).unwrap() }
}

/// Fails the leader once so much was asked.
async fn fail(
    (nodes, leader): (&mut Nodes, u64),
    failure: Failure,
    (history, after): (&History, usize),
) -> Option<Child> {
    while history.requests() < after {
        tokio::task::yield_now().await;
    }
    match failure {
        Failure::Killed => nodes.up.remove(&leader).unwrap().kill(),
        Failure::Frozen => nodes.up[&leader].signal("STOP"),
        Failure::HandsOver => return Some(nodes.begin(leader, &["leader", "transfer"])),
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn histories_of_three_nodes_whose_leader_fails_are_linearizable() {
    let histories = from_environment("HOLDFAST_KILL_HISTORIES").unwrap_or(8);
    let seed = from_environment("HOLDFAST_HISTORY_SEED")
        .unwrap_or_else(|| holdfast_server::random::bits() as u64);
    let mut dice = StdRng::seed_from_u64(seed);
    let (mut nodes, hotel) = open(Nodes::new(3)).await;
    let clients = doors_of(&nodes);
    let (mut requests, mut unanswered, mut undecided) = (0, 0, 0);
    for number in 0..usize::try_from(histories).unwrap() {
        let failure = FAILURES[number % FAILURES.len()];
        let place = place(&hotel, number);
        let history = History::new(place.given);
        let doors = Doors::new(clients.clone(), place, &history, Honesty::Honest);
        let (draws, after) = (dice.random::<u64>(), dice.random_range(2..12));
        let askers = (0..ASKERS).map(|asker| ask(&doors, draws.wrapping_add(asker)));
        let asked = futures_util::future::join_all(askers);
        let leader = nodes.leader().await;
        let fails = fail((&mut nodes, leader), failure, (&history, after));
        let (call, _) = tokio::join!(fails, asked);
        let text = || format!("seed {seed}, history {number}, {failure:?}: {}", history.text());
        match history.is_linearizable() {
            Some(found) => assert!(found, "{}", text()),
            None => undecided += 1,
        }
        requests += history.requests();
        unanswered += history.requests() - history.count(|_| true);
        match failure {
            Failure::Killed => nodes.start(leader),
            Failure::Frozen => nodes.up[&leader].signal("CONT"),
            Failure::HandsOver => assert!(call.unwrap().wait().unwrap().success()),
        }
        nodes.all_ready().await;
        nodes.digests_agree().await;
        if number == 0 {
            a_lie_is_seen(&history);
        }
    }
    say(&format!(
        "linearizable with failures: {histories} histories, {requests} requests, {unanswered} without \
         an answer, {undecided} histories too long to decide, HOLDFAST_HISTORY_SEED={seed}"
    ));
    assert!(undecided * 4 <= histories, "{undecided} of {histories} were not decided");
}

/// The same history with one answer more that cannot be.
fn a_lie_is_seen(history: &History) {
    let liar = history.asker();
    history.asks(liar, Op::Look(0));
    history.hears(liar, Ret::Left(i32::try_from(GIVEN).unwrap() + 1));
    assert_ne!(history.is_linearizable(), Some(true), "a lie fits: {}", history.text());
}

/// A node that is cut off knows what was; its word is caught where it is taken for what is, and it gives none
/// where it is asked for more.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_a_node_that_is_cut_off_happens_to_know_is_not_linearizable() {
    let (nodes, ways) = Nodes::behind_relays(3);
    let relays = Relays::start(&ways).await;
    let (nodes, hotel) = open(nodes).await;
    let clients = doors_of(&nodes);
    let cut = nodes.follower().await;
    for other in (1..=3).filter(|other| *other != cut) {
        relays.cut(cut, other);
        relays.cut(other, cut);
    }
    let at = |node: u64| vec![clients[usize::try_from(node - 1).unwrap()].clone()];
    let leader = nodes.leader().await;
    for (honesty, elsewhere, fits) in
        [(Honesty::ReadsWhatIsThere, cut, false), (Honesty::Honest, leader, true)]
    {
        let history = History::new(i32::try_from(GIVEN).unwrap());
        let number = usize::from(fits);
        let writes = Doors::new(at(leader), place(&hotel, number), &history, Honesty::Honest);
        let reads = Doors::new(at(elsewhere), place(&hotel, number), &history, honesty);
        let asker = history.asker();
        let asker = writes.hold(asker, (0, 1), super::doors::Fate::Answered).await;
        reads.look(asker, 0).await;
        assert_eq!(history.is_linearizable(), Some(fits), "{}", history.text());
    }
    let request = holdfast_server::client::Request::get("/v1/hotels/none/inventory")
        .header(http::HeaderName::from_static("engine-read"), "linearizable");
    let refused = at(cut)[0].send(&request).await;
    assert!(refused.is_err() || refused.is_ok_and(|reply| reply.status == 503));
}
