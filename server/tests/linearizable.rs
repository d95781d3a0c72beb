//! The whole stack, HTTP doors to synced log, against a checker of linearizability that is not ours.
//!
//! Many short histories of concurrent holds, releases, confirmations, cancellations, allotments and looks
//! on a few cells, refusals included; some requests are given up half-way, some are sent again.
//! `HOLDFAST_HISTORIES` sets how many (200), `HOLDFAST_HISTORY_SEED` repeats a run's draws;
//! `HOLDFAST_KILL_HISTORIES` how many are of three nodes that are killed and frozen meanwhile (8).

#[path = "linearizable/doors.rs"]
mod doors;
#[path = "linearizable/failures.rs"]
mod failures;
#[path = "linearizable/history.rs"]
mod history;
#[expect(dead_code, reason = "the inventory as a whole is for the crash test")]
#[path = "support/hotel.rs"]
mod hotel;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "cluster/nodes.rs"]
mod nodes;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "faults/relay.rs"]
mod relay;
#[path = "linearizable/remembered.rs"]
mod remembered;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/server.rs"]
mod server;
#[path = "linearizable/spec.rs"]
mod spec;

use std::io::Write as _;
use std::net::SocketAddr;

use doors::{Doors, Fate, Honesty, Place};
use history::History;
use holdfast_server::auth::Role;
use holdfast_server::client::{Client, Limits};
use holdfast_server::config::Config;
use holdfast_server::serve::{self, Server};
use hotel::Hotel;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use spec::{CELLS, Op, Ret};

/// Askers of one history, and what each asks one after the other: short, since the search for an order
/// is exponential.
const ASKERS: u64 = 4;
const REQUESTS: usize = 5;
/// Rooms on each night, by room type.
const GIVEN: [u32; 2] = [1, 2];
/// Nights of the hotel: each history has some of its own.
const NIGHTS: usize = 690;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Past the capture of the test's output: what was met says what was proven.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

struct House {
    server: Option<Server>,
    partner: Client,
    hotel: Hotel,
    dir: Option<tempfile::TempDir>,
}

async fn open() -> House {
    let dir = tempfile::tempdir().unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let data_dir = dir.path().to_owned();
    let config = Config { data_dir, http: loopback, ops: loopback, ..Config::default() };
    let server = serve::start(config, None).await.unwrap();
    let anyone = Client::new(&format!("http://{}", server.http()), Limits::default()).unwrap();
    let client = |role, name| {
        anyone.with_token(&server.state().keys().mint(role, name, 3_600).unwrap()).unwrap()
    };
    let (partner, admin) = (client(Role::Partner, "chain"), client(Role::Admin, "root"));
    let hotel = Hotel::open(&partner, &admin, &GIVEN, NIGHTS).await;
    House { server: Some(server), partner, hotel, dir: Some(dir) }
}

impl House {
    async fn close(mut self) {
        let dir = self.dir.take();
        self.server.take().unwrap().shutdown().await;
        drop(dir);
    }

    /// The nights of the history with this number.
    fn place(&self, number: usize) -> Place<'_> {
        let kind = number % GIVEN.len();
        let first = number / GIVEN.len() * (CELLS + 1) % (NIGHTS - CELLS);
        Place { hotel: &self.hotel, kind, first, given: i32::try_from(GIVEN[kind]).unwrap() }
    }

    async fn record(&self, number: usize, seed: u64, honesty: Honesty) -> History {
        let place = self.place(number);
        let history = History::new(place.given);
        let doors = Doors::new(vec![self.partner.clone()], place, &history, honesty);
        let askers = (0..ASKERS).map(|asker| ask(&doors, seed.wrapping_add(asker)));
        futures_util::future::join_all(askers).await;
        history
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // A test that panics leaves its directory behind, since the node still writes there.
        if let Some(dir) = self.dir.take() {
            let _ = dir.keep();
        }
    }
}

/// One asker: one request after the other.
async fn ask(doors: &Doors<'_>, seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut asker = doors.history.asker();
    for _ in 0..REQUESTS {
        let fate = match dice.random_range(0..20) {
            0 => Fate::GivenUp(dice.random_range(0..40)),
            1..4 => Fate::Repeated(dice.random_range(0..40)),
            _ => Fate::Answered,
        };
        let (what, roll) = (dice.random_range(0..100), dice.random_range(0..1_000));
        let cell = dice.random_range(0..CELLS);
        let (hold, booking) = (doors.known_hold(roll), doors.known_booking(roll));
        asker = match (what, hold, booking) {
            (0..18, Some(hold), _) => doors.release(asker, hold, fate).await,
            (18..36, Some(hold), _) => doors.confirm(asker, hold, fate).await,
            (36..46, _, Some(booking)) => doors.cancel(asker, booking, fate).await,
            (46..54, ..) => doors.look(asker, cell).await,
            (54..57, ..) => doors.allot(asker, cell, dice.random_range(0..=2)).await,
            _ => {
                let to = dice.random_range(cell + 1..=CELLS);
                doors.hold(asker, (cell, to), fate).await
            }
        };
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_history_of_the_whole_stack_is_linearizable() {
    let histories = from_environment("HOLDFAST_HISTORIES").unwrap_or(200);
    let seed = from_environment("HOLDFAST_HISTORY_SEED")
        .unwrap_or_else(|| holdfast_server::random::bits() as u64);
    let mut dice = StdRng::seed_from_u64(seed);
    let house = open().await;
    let mut met = [0usize; 4];
    let mut requests = 0;
    for number in 0..usize::try_from(histories).unwrap() {
        let history = house.record(number, dice.random(), Honesty::Honest).await;
        let text = || format!("HOLDFAST_HISTORY_SEED={seed}, history {number}: {}", history.text());
        let found = history.is_linearizable();
        assert!(found.is_some_and(|yes| yes), "{found:?} in {}", text());
        requests += history.requests();
        met[0] += history.count(|ret| matches!(ret, Ret::Short(_)));
        met[1] += history.count(|ret| matches!(ret, Ret::Released | Ret::AlreadyConfirmed));
        met[2] += history.count(|ret| matches!(ret, Ret::Confirming));
        met[3] += history.count(|ret| matches!(ret, Ret::Done));
    }
    let told = format!(
        "linearizable: {histories} histories, {requests} requests, HOLDFAST_HISTORY_SEED={seed}: done \
         {}, short {}, too late {}, confirming {}",
        met[3], met[0], met[1], met[2]
    );
    say(&told);
    assert!(histories < 100 || met[0] > 0 && met[1] > 0, "{told}");
    house.close().await;
}

/// The stack behind a door that is wrong in a way that only concurrency shows.
async fn is_caught(honesty: Honesty) {
    let house = open().await;
    let mut dice = StdRng::seed_from_u64(1);
    let mut caught = false;
    for number in 0..300 {
        let history = house.record(number, dice.random(), honesty).await;
        // A search that was given up has caught nothing.
        caught = history.is_linearizable() == Some(false);
        if caught {
            break;
        }
    }
    assert!(caught, "{honesty:?} went unnoticed");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_door_that_refuses_on_the_word_of_requests_under_way_is_caught() {
    is_caught(Honesty::RefusesOnEscrow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_door_that_refuses_from_memory_is_caught() {
    is_caught(Honesty::RefusesFromMemory).await;
}

fn hold(number: u8, from: usize, to: usize) -> Op {
    Op::Hold { number, from, to, rooms: 1 }
}

/// What happened, in order: somebody asks, or hears.
enum Step {
    Asks(usize, Op),
    Hears(usize, Ret),
}

fn is_linearizable(given: i32, steps: Vec<Step>) -> bool {
    let history = History::new(given);
    for step in steps {
        match step {
            Step::Asks(asker, op) => history.asks(asker, op),
            Step::Hears(asker, ret) => history.hears(asker, ret),
        }
    }
    history.is_linearizable().unwrap()
}

#[test]
fn a_refusal_that_rests_on_a_request_that_fails_is_rejected() {
    use Step::{Asks, Hears};
    let refused_meanwhile = |second: Ret| {
        vec![
            // The second night is sold; the first is free.
            Asks(1, hold(0, 1, 2)),
            Hears(1, Ret::Done),
            Asks(1, hold(1, 0, 2)),
            Asks(2, hold(2, 0, 1)),
            Hears(2, second),
            Hears(1, Ret::Short(vec![1])),
        ]
    };
    assert!(!is_linearizable(1, refused_meanwhile(Ret::Short(vec![0]))));
    assert!(is_linearizable(1, refused_meanwhile(Ret::Done)));
}

#[test]
fn stale_refusals_double_sales_and_lost_answers_are_rejected() {
    use Step::{Asks, Hears};
    let held = || vec![Asks(1, hold(0, 0, 1)), Hears(1, Ret::Done)];
    let then = |steps: Vec<Step>| held().into_iter().chain(steps).collect::<Vec<_>>();
    let released = || vec![Asks(1, Op::Release(0)), Hears(1, Ret::Done), Asks(2, hold(1, 0, 1))];
    let refusal = Hears(2, Ret::Short(vec![0]));
    let stale = then(released().into_iter().chain([refusal]).collect());
    assert!(!is_linearizable(1, stale));
    let fresh = then(released().into_iter().chain([Hears(2, Ret::Done)]).collect());
    assert!(is_linearizable(1, fresh));
    assert!(!is_linearizable(1, then(vec![Asks(2, hold(1, 0, 1)), Hears(2, Ret::Done)])));
    assert!(!is_linearizable(1, then(vec![Asks(2, Op::Look(0)), Hears(2, Ret::Left(1))])));
    assert!(!is_linearizable(1, then(vec![Asks(2, Op::Confirm(0)), Hears(2, Ret::Released)])));
}

#[test]
fn a_request_without_an_answer_explains_a_refusal_from_when_it_was_asked_on() {
    use Step::{Asks, Hears};
    let refused = |asker: usize| [Asks(asker, hold(1, 0, 1)), Hears(asker, Ret::Short(vec![0]))];
    let mut unanswered = vec![Asks(1, hold(0, 0, 1))];
    unanswered.extend(refused(2));
    assert!(is_linearizable(1, unanswered));
    let mut too_late: Vec<Step> = refused(2).into();
    too_late.push(Asks(1, hold(0, 0, 1)));
    assert!(!is_linearizable(1, too_late));
}
