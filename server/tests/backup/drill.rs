//! The drill: a cluster of real processes is killed under load and its disks are gone; another one is made
//! from the backup, and held against what guests were told.
//!
//! The record of acknowledged bookings is kept by the guests and by nobody else.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use holdfast_server::client::{Client, Request};
use holdfast_server::clock;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::hotel::Hotel;
use crate::nodes::{Nodes, until};
use crate::server::BINARY;

/// What may be lost, by the backup's defaults.
const LOST_MAX: Duration = Duration::from_secs(60);
/// What may be lost with a backup every second, on a machine that does much else.
const LOST_HERE_MAX: Duration = Duration::from_secs(20);

/// How soon a guest without an answer asks again.
const REST: Duration = Duration::from_millis(20);

/// Bookings as they were acknowledged: when, and under which id.
type Record = Arc<Mutex<Vec<(Instant, String)>>>;

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "drill: {text}");
}

fn seconds() -> u64 {
    std::env::var("HOLDFAST_DRILL_SECONDS").map_or(3, |text| text.parse().unwrap())
}

/// Guests who book until the cluster is gone.
fn guests(nodes: &Nodes, hotel: &Arc<Hotel>, record: &Record) -> JoinSet<()> {
    let mut guests = JoinSet::new();
    for number in 0..8_u64 {
        let client = nodes.client(number % 3 + 1, "partner");
        let (hotel, record) = (hotel.clone(), record.clone());
        guests.spawn(async move {
            for story in 0.. {
                let (key, night) = (format!("{number}-{story}"), story % hotel.nights);
                match book(&client, &hotel, &key, night).await {
                    Some(booking) => record.lock().unwrap().push((clock::instant(), booking)),
                    // The node is down; the machine is shared with the others.
                    None => tokio::time::sleep(REST).await,
                }
            }
        });
    }
    guests
}

/// The id of a booking that was acknowledged.
async fn book(client: &Client, hotel: &Hotel, key: &str, night: usize) -> Option<String> {
    let kind = &hotel.room_types[0];
    let hold = Request::post("/v1/holds").key(format!("hold-{key}")).json(&json!({
        "hotel_id": hotel.id,
        "check_in": hotel.night(night),
        "check_out": hotel.night(night + 1),
        "lines": [{
            "room_type_id": kind.id, "rate_plan_id": kind.rate_plan,
            "quantity": 1, "adults": 2, "children_ages": [],
        }],
    }));
    let held = client.send(&hold).await.ok()?.ok::<Value>().ok()?;
    let book = Request::post("/v1/bookings").key(format!("book-{key}")).json(&json!({
        "hold_id": held["id"],
        "guest": {"name": "Test Guest", "email": format!("{key}@test.invalid")},
        "payment": {"method": "mock", "token": "tok_ok"},
    }));
    let booked = client.send(&book).await.ok()?.ok::<Value>().ok()?;
    Some(booked["id"].as_str().unwrap().to_owned())
}

fn with_backup(nodes: &Nodes, place: &Path) {
    for node in 1..=3 {
        let mut file = std::fs::OpenOptions::new().append(true).open(nodes.file(node)).unwrap();
        let place = place.display();
        write!(file, "\n[backup]\nto = \"file://{place}\"\nevery = \"1s\"\n").unwrap();
    }
}

fn admin(words: &[&str]) -> (bool, String) {
    let done = Command::new(BINARY).arg("admin").args(words).output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_cluster_comes_back_with_all_but_the_last_moments() {
    let place = tempfile::tempdir().unwrap();
    let from = place.path().to_str().unwrap().to_owned();
    let mut lost = Nodes::new(3);
    with_backup(&lost, place.path());
    (1..=3).for_each(|node| lost.start(node));
    lost.all_ready().await;
    let (partner, operator) = (lost.client(1, "partner"), lost.client(1, "admin"));
    let hotel = Arc::new(Hotel::open(&partner, &operator, &[4_000], 30).await);
    let record = Record::default();
    let mut guests = guests(&lost, &hotel, &record);
    tokio::time::sleep(Duration::from_secs(seconds())).await;
    // The one that leads, and writes the backup, is killed on the way: the next goes on.
    let leader = lost.leader().await;
    lost.up.remove(&leader).unwrap().kill();
    let before = record.lock().unwrap().len();
    until("guests book on", async || record.lock().unwrap().len() > before + 20).await;
    lost.start(leader);
    tokio::time::sleep(Duration::from_secs(seconds())).await;

    let begun = clock::instant();
    for (_, node) in std::mem::take(&mut lost.up) {
        node.kill();
    }
    let gone = clock::instant();
    guests.shutdown().await;
    (1..=3).for_each(|node| std::fs::remove_dir_all(lost.data(node)).unwrap());
    let keys = lost.file(1).with_file_name("keys");

    let mut new = Nodes::new(3);
    for name in ["signing.key", "deployment.key"] {
        std::fs::copy(keys.join(name), new.file(1).with_file_name("keys").join(name)).unwrap();
    }
    let files: Vec<String> = (1..=3).map(|node| new.file(node).display().to_string()).collect();
    let mut words = vec!["restore", "--from", &from, "--at", "latest"];
    files.iter().for_each(|file| words.extend(["--config", file]));
    let (is_done, said) = admin(&words);
    assert!(is_done, "{said}");
    say(said.lines().find(|line| line.starts_with("restored to")).unwrap());
    let restored = begun.elapsed();
    (1..=3).for_each(|node| new.start(node));
    new.all_ready().await;
    let took = begun.elapsed();

    let acknowledged = record.lock().unwrap().clone();
    check(&new, &hotel, (&acknowledged, gone)).await;
    say(&format!("directories after {restored:?}, serving after {took:?} from the loss"));
    let (is_good, said) = admin(&["backup", "verify", "--from", &from]);
    assert!(is_good && said.contains("nothing found"), "{said}");

    // The first cluster's own id is refused: its nodes and these could meet.
    let old = lost.file(1).display().to_string();
    let (is_done, said) = admin(&["restore", "--from", &from, "--at", "latest", "--config", &old]);
    assert!(!is_done && said.contains("an id of its own"), "{said}");
    // Once more to the same directories: they are in use.
    let (is_done, said) = admin(&words);
    assert!(!is_done && said.contains("is not empty"), "{said}");
}

/// Every booking is there that was acknowledged before the last moments; guests can book again.
async fn check(new: &Nodes, hotel: &Hotel, (record, gone): (&[(Instant, String)], Instant)) {
    let client = new.client(2, "partner");
    let mut missing = Vec::new();
    for (at, booking) in record {
        let reply = client.get(&format!("/v1/bookings/{booking}")).await.unwrap();
        match reply.status {
            200 => assert_eq!(reply.field("status").unwrap(), "confirmed"),
            404 => missing.push(gone.saturating_duration_since(*at)),
            _ => panic!("{}", reply.refusal()),
        }
    }
    let oldest = missing.iter().max().copied().unwrap_or_default();
    say(&format!(
        "{} bookings acknowledged, {} lost, the oldest {oldest:?} before the end",
        record.len(),
        missing.len()
    ));
    assert!(record.len() > 50, "too few to tell: {}", record.len());
    assert!(oldest <= LOST_HERE_MAX && oldest <= LOST_MAX, "{oldest:?} are lost");
    new.digests_agree().await;
    assert!(
        book(&new.client(3, "partner"), hotel, "after", 0).await.is_some(),
        "guests book again"
    );
}
