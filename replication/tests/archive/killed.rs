//! Killed with SIGKILL while bookings leave memory, and started again: nothing is lost, nothing differs.
//!
//! The child is this very test binary. `HOLDFAST_ARCHIVE_SEED` repeats a run's draws.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use holdfast_replication::Node;

use super::house::{book, bytes, find, open_hotel, options, pass};

/// Where the child finds its directory; its being there makes a test run the child.
const CHILD: &str = "HOLDFAST_ARCHIVE_CHILD";
const BOOKINGS: u128 = 40;
const DAYS: u64 = 30;
const ROUNDS: u64 = 6;

/// Says how far it is, line by line, so that the parent knows when to kill it.
async fn child(dir: &Path) {
    let (options, time) = options(dir, 0);
    let node = Node::open(options).await.expect("opened");
    open_hotel(&node).await;
    for number in 1..=BOOKINGS {
        book(&node, number, (number % 20) as u16).await;
    }
    println!("\nbooked");
    for day in 0..DAYS {
        pass(&node, &time, 1).await;
        println!("\nday {day}");
    }
    node.shutdown().await;
}

/// Starts the child and kills it after so many of its lines; `None` lets it end.
fn run_child(dir: &Path, lines: Option<usize>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "killed::killed_at_any_moment_nothing_archived_is_lost"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut told = said.filter(|line| line == "booked" || line.starts_with("day "));
    match lines {
        Some(lines) => {
            assert_eq!(told.by_ref().take(lines).count(), lines, "the child ended by itself");
            child.kill().unwrap();
            child.wait().unwrap();
        }
        None => {
            assert_eq!(told.count() as u64, DAYS + 1);
            assert!(child.wait().unwrap().success());
        }
    }
}

async fn all(node: &Node) -> Vec<Option<Vec<u8>>> {
    let mut all = Vec::new();
    for number in 1..=BOOKINGS {
        all.push(bytes(node, number).await);
    }
    all
}

#[tokio::test]
async fn killed_at_any_moment_nothing_archived_is_lost() {
    if let Ok(dir) = std::env::var(CHILD) {
        return child(Path::new(&dir)).await;
    }
    let seed = std::env::var("HOLDFAST_ARCHIVE_SEED").ok();
    let seed: u64 = seed.map_or(1, |text| text.parse().unwrap());
    let whole = tempfile::tempdir().unwrap();
    run_child(whole.path(), None);
    let node = Node::open(options(whole.path(), DAYS).0).await.expect("opened");
    let expected = all(&node).await;
    assert!(expected.iter().all(Option::is_some), "the child has booked them all");
    assert!(find(&node, 1).await.expect("there").1, "and archived them");
    node.shutdown().await;

    let mut dice = seed;
    for round in 0..ROUNDS {
        // Knuth's MMIX generator: any will do.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let lines = 1 + (dice >> 33) % DAYS;
        let dir = tempfile::tempdir().unwrap();
        run_child(dir.path(), Some(lines as usize));
        // Days may pass while it is down.
        let (options, time) = options(dir.path(), DAYS);
        let node = Node::open(options).await.expect("what was killed starts again");
        assert_eq!(all(&node).await, expected, "seed {seed}, round {round}, line {lines}");
        pass(&node, &time, 0).await;
        assert_eq!(all(&node).await, expected, "seed {seed}, round {round}, archived on");
        assert!(find(&node, BOOKINGS).await.expect("there").1);
        node.shutdown().await;
    }
}
