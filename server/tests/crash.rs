//! The promise of an acknowledgement, tested on the real binary: booked at full speed, killed with
//! SIGKILL at a moment drawn by a seed, started again, and every answer ever given held against
//! what is there.
//!
//! `HOLDFAST_CRASH_ROUNDS` sets how often (20), `HOLDFAST_CRASH_SEED` repeats a run's draws.

#[path = "support/damage.rs"]
mod damage;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/hotel.rs"]
mod hotel;
#[path = "support/load.rs"]
mod load;
#[path = "support/server.rs"]
mod server;
#[path = "support/writer.rs"]
mod writer;

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use holdfast_server::client::{Client, Limits, Request};
use hotel::Hotel;
use load::{Fuse, Kind, State, Step, Story};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use server::Server;
use tokio::task::JoinSet;
use writer::Written;

/// Connections that book.
const CONNECTIONS: usize = 8;
/// A round is cut off at most after this many answers.
const ANSWERS_MAX: u64 = 600;
const NIGHTS: usize = 25;
/// One room type that never fills, one that fills in time, one that is always contended, and one
/// whose allotment a stream keeps writing.
const ROOMS: [u32; 4] = [4_000, 300, 6, writer::STARTING];
/// Room types that are booked; the one after them is written.
const BOOKED: usize = 3;

fn limits() -> Limits {
    let patience = Duration::from_secs(60);
    // One for the stream beside those that book.
    Limits { connections_max: CONNECTIONS + 1, patience, ..Limits::default() }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Past the capture of the test's output: a seed is worth most when the run is cut off.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let rounds = from_environment("HOLDFAST_CRASH_ROUNDS").unwrap_or(20);
    let seed = from_environment("HOLDFAST_CRASH_SEED")
        .unwrap_or_else(|| holdfast_server::random::bits() as u64);
    say(&format!("crash: {rounds} rounds, HOLDFAST_CRASH_SEED={seed}"));
    let mut dice = StdRng::seed_from_u64(seed);

    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path());
    let (partner, admin) = (client(&server, "partner"), client(&server, "admin"));
    let hotel = Arc::new(Hotel::open(&partner, &admin, &ROOMS, NIGHTS).await);

    let mut stories: Vec<Story> = Vec::new();
    let mut last_seq = 0;
    for round in 0..rounds {
        let plan = Round {
            number: round,
            cut: dice.random_range(1..=ANSWERS_MAX),
            seed: dice.random(),
            last_seq,
        };
        let (fresh, written) = book_until_killed(server, &hotel, &plan).await;
        server = Server::start(data.path());
        let partner = client(&server, "partner");
        last_seq = writer::check(&partner, &hotel, BOOKED, written).await;
        let fresh = check_round(&partner, &hotel, fresh).await;
        say(&format!(
            "crash: round {round}: killed after {} answers; {} stories, {} in doubt; {} lines of \
             {} sent were answered: all there",
            plan.cut,
            fresh.stories.len(),
            fresh.in_doubt,
            written.applied - plan.last_seq,
            written.sent - plan.last_seq
        ));
        stories.extend(fresh.stories);
        check_cells(&partner, &hotel, &stories).await;
        release_what_is_held(&partner, &mut stories).await;
        check_cells(&partner, &hotel, &stories).await;
    }
    // Once more all of them, after the last of so many crashes.
    let partner = client(&server, "partner");
    check_states(&partner, &stories).await;
    assert_eq!(server.stop(), Some(0), "an orderly stop");
}

/// The checks above would be worth nothing if they could not fail: a server that comes back with
/// the files of an earlier day is caught.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "refused with 404")]
async fn a_server_that_came_back_without_its_last_day_is_caught() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (partner, admin) = (client(&server, "partner"), client(&server, "admin"));
    let hotel = Arc::new(Hotel::open(&partner, &admin, &ROOMS, NIGHTS).await);
    assert_eq!(server.stop(), Some(0));
    let earlier = tempfile::tempdir().unwrap();
    damage::copy_folder(data.path(), earlier.path());

    let round = Round { number: 0, cut: 100, seed: 1, last_seq: 0 };
    let (stories, _) = book_until_killed(Server::start(data.path()), &hotel, &round).await;
    let server = Server::start(earlier.path());
    check_states(&client(&server, "partner"), &stories).await;
}

fn client(server: &Server, role: &str) -> Client {
    server.client(role, &format!("crash-{role}"), limits())
}

struct Round {
    number: u64,
    /// The server is killed after this many answers to guests.
    cut: u64,
    seed: u64,
    last_seq: u64,
}

async fn book_until_killed(
    server: Server,
    hotel: &Arc<Hotel>,
    round: &Round,
) -> (Vec<Story>, Written) {
    let fuse = Fuse::new(round.cut);
    let partner = client(&server, "partner");
    let writer = writer::write(partner.clone(), Arc::clone(hotel), BOOKED, round.last_seq);
    let writer = tokio::spawn(writer);
    let mut guests = JoinSet::new();
    for connection in 0..CONNECTIONS as u64 {
        let guest = load::Guest {
            client: partner.clone(),
            hotel: Arc::clone(hotel),
            fuse: Arc::clone(&fuse),
            room_types: BOOKED,
            seed: round.seed.wrapping_add(connection),
            name: format!("r{}-c{connection}", round.number),
        };
        guests.spawn(guest.book_on());
    }
    fuse.burnt().await;
    server.kill();
    let stories = guests.join_all().await.into_iter().flatten().collect();
    (stories, writer.await.unwrap())
}

struct Checked {
    stories: Vec<Story>,
    in_doubt: usize,
}

/// Holds one round's answers against the server as it came back; what was in doubt is settled.
async fn check_round(partner: &Client, hotel: &Arc<Hotel>, stories: Vec<Story>) -> Checked {
    check_states(partner, &stories).await;
    let in_doubt = stories.iter().filter(|story| story.in_doubt()).count();
    let mut checks = JoinSet::new();
    for mut story in stories {
        let (partner, hotel) = (partner.clone(), Arc::clone(hotel));
        checks.spawn(async move {
            for step in &mut story.steps {
                settle_or_repeat(&partner, step).await;
            }
            // A released hold gives its reference back.
            if !matches!(story.state(), State::Refused | State::Released { .. }) {
                check_reference(&partner, &hotel, &story).await;
            }
            story
        });
    }
    let stories = checks.join_all().await;
    check_states(partner, &stories).await;
    Checked { stories, in_doubt }
}

/// A step in doubt gets its definite answer; an answered one gets the same answer again.
async fn settle_or_repeat(partner: &Client, step: &mut Step) {
    let repeatable = match (&step.answer, step.kind) {
        (None, _) => true,
        // A refusal for want of rooms is judged anew, and would now take rooms.
        (Some(first), Kind::Hold | Kind::Book) => first.status == 201,
        // A delete has no key: what it did shows in the state.
        (Some(_), Kind::Release | Kind::Cancel) => false,
    };
    if !repeatable {
        return;
    }
    let again = partner.settle(&step.request).await.unwrap().reply;
    let Some(first) = &step.answer else {
        step.answer = Some(again);
        return;
    };
    assert_eq!(again.status, first.status, "{}", again.refusal());
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{:?}", step.request);
    assert_eq!(again.json::<Value>().unwrap(), first.json::<Value>().unwrap());
}

/// The story's reference is taken: under a new key the same hold is not made twice.
async fn check_reference(partner: &Client, hotel: &Hotel, story: &Story) {
    let request = load::hold_request(hotel, story, &format!("{}-other", story.reference));
    let reply = partner.settle(&request).await.unwrap().reply;
    let code = reply.code();
    // Where rooms are short the door says so before the log looks at references.
    let short = story.room_type != 0 && code == "inventory.insufficient";
    assert!(
        reply.status == 409 && (short || code == "reference.duplicate"),
        "{}: {} {code}",
        story.reference,
        reply.status
    );
}

/// Every hold and booking that was acknowledged is there, in the state its last answer left it in;
/// a step in doubt may or may not have been done.
async fn check_states(partner: &Client, stories: &[Story]) {
    let mut checks = JoinSet::new();
    for story in stories {
        let (path, status) = match story.state() {
            State::Refused => continue,
            State::Held { hold } => (format!("/v1/holds/{hold}"), "active"),
            State::Released { hold } => (format!("/v1/holds/{hold}"), "released"),
            State::Booked { booking } => (format!("/v1/bookings/{booking}"), "confirmed"),
            State::Cancelled { booking } => (format!("/v1/bookings/{booking}"), "cancelled"),
        };
        let doubtful = story.steps.iter().find(|step| step.answer.is_none()).map(|step| step.kind);
        let (partner, reference) = (partner.clone(), story.reference.clone());
        checks.spawn(async move {
            let reply = partner.get(&path).await.unwrap();
            assert_eq!(reply.status, 200, "{reference}: {path}: {}", reply.refusal());
            let found = reply.field("status").unwrap();
            let after = match doubtful {
                Some(Kind::Book) => "confirmed",
                Some(Kind::Release) => "released",
                Some(Kind::Cancel) => "cancelled",
                Some(Kind::Hold) | None => status,
            };
            let paying = doubtful == Some(Kind::Book) && found == "confirming";
            let fits = found == status || found == after || paying;
            assert!(fits, "{reference}: {path} is {found}, should be {status} or {after}");
        });
    }
    checks.join_all().await;
}

/// Every cell is what the stories add up to: nothing lost, nothing done twice, nothing sold too
/// often.
async fn check_cells(partner: &Client, hotel: &Hotel, stories: &[Story]) {
    let mut expected: HashMap<(usize, usize), (u32, u32)> = HashMap::new();
    for story in stories {
        for night in story.nights.clone() {
            let (held, sold) = expected.entry((story.room_type, night)).or_default();
            match story.state() {
                State::Held { .. } => *held += 1,
                State::Booked { .. } => *sold += 1,
                State::Refused | State::Released { .. } | State::Cancelled { .. } => {}
            }
        }
    }
    for (place, cell) in hotel.inventory(partner).await {
        if place.0 >= BOOKED {
            continue;
        }
        let (held, sold) = expected.get(&place).copied().unwrap_or_default();
        assert_eq!((cell.held, cell.sold), (held, sold), "held and sold of {cell:?}");
        assert!(cell.held + cell.sold <= cell.allotment, "{cell:?} is sold too often");
        assert_eq!(cell.allotment, ROOMS[place.0], "{cell:?}");
    }
}

/// Holds end after a while by themselves; ended here, they cannot do so in the middle of a later
/// check.
async fn release_what_is_held(partner: &Client, stories: &mut [Story]) {
    for story in stories {
        if let State::Held { hold } = story.state() {
            let request = Request::delete(format!("/v1/holds/{hold}"));
            let reply = partner.settle(&request).await.unwrap().reply;
            story.steps.push(Step { kind: Kind::Release, request, answer: Some(reply) });
        }
    }
}
