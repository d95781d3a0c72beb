//! Killed with SIGKILL while snapshots are written and the log is cut behind them: nothing acknowledged is lost,
//! and every snapshot that is left leads to the same state.
//!
//! The child is this very test binary. `HOLDFAST_SNAPSHOT_SEED` repeats a run's draws.

#[allow(dead_code)] // Few of its parts are needed here.
#[path = "archive/house.rs"]
mod house;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use holdfast_engine::Command;
use holdfast_engine::command::{AddPartner, Verb};
use holdfast_engine::digest::Digest;
use holdfast_engine::ids::PartnerId;
use holdfast_replication::verify::{Scope, verify_stopped};
use holdfast_replication::{GroupId, Node, Options};

use house::{book, find, open_hotel, options, pass};

/// Where the child finds its directory; its being there makes a test run the child.
const CHILD: &str = "HOLDFAST_SNAPSHOT_CHILD";
/// Commands between two snapshots.
const TOGETHER: u128 = 25;
const FIRST: u128 = 1_000;
const ROUNDS: u64 = 6;
/// Snapshots that a child may take before it is killed.
const SNAPSHOTS_MAX: u64 = 12;
const BOOKINGS: u128 = 12;

fn options_of(dir: &Path) -> Options {
    Options { log_kept: 0, ..options(dir, 0).0 }
}

async fn add_partner(node: &Node, number: u128) {
    let verb = Verb::AddPartner(AddPartner { id: PartnerId(number), name: format!("P{number}") });
    let applied = node.submit(Command::plain(verb), None).await.expect("applied");
    assert!(applied.outcome.refusal().is_none());
}

/// Says what was acknowledged, line by line, so that the parent knows what must be there.
async fn child(dir: &Path) {
    let (opened, time) = options(dir, 0);
    let node = Node::open(Options { log_kept: 0, ..opened }).await.expect("opened");
    open_hotel(&node).await;
    for number in 1..=BOOKINGS {
        book(&node, number, number as u16).await;
    }
    for round in 0.. {
        let first = FIRST + round * TOGETHER;
        // Both at once: the kill falls into either.
        let written = async {
            for number in first..first + TOGETHER {
                add_partner(&node, number).await;
                println!("\nacknowledged {number}");
            }
            if round < BOOKINGS {
                pass(&node, &time, 1).await;
            }
        };
        let (taken, ()) = tokio::join!(node.snapshot(), written);
        taken.expect("written");
    }
}

/// Starts a child, kills it after so many acknowledgements, and says which was the last it told of.
fn kill_after(dir: &Path, acknowledgements: u64) -> u128 {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "killed_at_any_moment_every_snapshot_leads_to_the_same_state",
        ])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = said.filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    let last = told.take(acknowledgements as usize).last().expect("it says so");
    child.kill().unwrap();
    child.wait().unwrap();
    last
}

fn snapshots(dir: &Path) -> Vec<PathBuf> {
    let there = fs::read_dir(dir.join("snapshots/0")).unwrap().map(|entry| entry.unwrap().path());
    let mut whole: Vec<_> = there.filter(|path| path.extension().unwrap() == "hfsnap").collect();
    whole.sort();
    whole
}

/// The digest after a start, and where it began.
async fn start(dir: &Path, last: u128) -> (Option<u64>, Digest) {
    let node = Node::open(options_of(dir)).await.expect("what was killed starts again");
    for number in FIRST..=last {
        assert!(node.reader().partner(PartnerId(number)).is_some(), "{number} of {last} is lost");
    }
    for number in 1..=BOOKINGS {
        assert!(find(&node, number).await.is_some(), "booking {number} is nowhere");
    }
    let begun = node.snapshot_status().map(|newest| newest.index);
    node.shutdown().await;
    drop(node);
    let verified = verify_stopped(dir, GroupId(0), Scope::default(), &mut |_| true);
    let verified = verified.expect("folded");
    assert_eq!(verified.findings, []);
    (begun, verified.digest)
}

#[tokio::test]
async fn killed_at_any_moment_every_snapshot_leads_to_the_same_state() {
    if let Ok(dir) = std::env::var(CHILD) {
        return child(Path::new(&dir)).await;
    }
    let seed = std::env::var("HOLDFAST_SNAPSHOT_SEED").ok();
    let mut dice: u64 = seed.map_or(1, |text| text.parse().unwrap());
    let mut cut = 0;
    for round in 0..ROUNDS {
        // Knuth's MMIX generator: any will do.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let acknowledgements = 1 + (dice >> 33) % (SNAPSHOTS_MAX * TOGETHER as u64);
        let dir = tempfile::tempdir().unwrap();
        let last = kill_after(dir.path(), acknowledgements);
        let there = snapshots(dir.path());
        let (begun, digest) = start(dir.path(), last).await;
        assert_eq!(begun.is_some(), !there.is_empty(), "round {round}");
        if let [.., older, newest] = &there[..] {
            fs::remove_file(newest).unwrap();
            let (begun_older, from_older) = start(dir.path(), last).await;
            let name = older.file_stem().unwrap().to_str().unwrap();
            assert_eq!(begun_older, name.parse().ok(), "round {round}");
            // A start ticks: its clock is its own.
            assert!(
                digest.differences(&from_older).all(|(part, ..)| part == "clock"),
                "round {round}"
            );
            cut += 1;
        }
    }
    assert!(cut > 0, "no child lived long enough to cut its log");
}
