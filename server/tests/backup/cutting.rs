//! The log is cut behind snapshots while the backup is written and bookings leave for the archive: whatever was
//! cut is in the backup, and what a restore makes has every booking.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use holdfast_engine::digest::Digest;
use holdfast_replication::backup::PieceError;
use holdfast_replication::{DrivenTime, Node, Options, SnapshotError};
use holdfast_server::backup::archiver::Source;
use holdfast_server::backup::keeper::{Keeper, Told};
use holdfast_server::backup::place::Place;
use holdfast_server::backup::plan::At;
use holdfast_server::backup::restore::{Asked, Made, NewNode, restore};
use holdfast_server::backup::survey::Survey;
use holdfast_server::config::Backup;
use holdfast_snapshot::backup::{Hash, Start};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::house::{book, bytes, find, open_hotel, options, pass};
use crate::making::{self, CLUSTER};

/// Days that go by, with a booking each.
const DAYS: u128 = 24;
/// Days between two snapshots of the node's own.
const SNAPSHOT_DAYS: u128 = 3;

/// A state as it was while the node ran.
struct Point {
    index: u64,
    digest: Digest,
    log_time_ms: u64,
    /// Days of the clock.
    day: u64,
    /// By number; as it is kept, and whether it had left memory.
    bookings: Vec<(Vec<u8>, bool)>,
}

impl Point {
    async fn of(node: &Node, day: u128) -> Self {
        let (index, digest) = node.digest().await.unwrap();
        let log_time_ms = node.reader().log_time_ms();
        let day = u64::try_from(day).unwrap();
        Self { index, digest, log_time_ms, day, bookings: bookings(node, u128::from(day)).await }
    }
}

async fn bookings(node: &Node, until: u128) -> Vec<(Vec<u8>, bool)> {
    let mut bookings = Vec::new();
    for number in 1..=until {
        let (_, has_left) = find(node, number).await.expect("never nowhere");
        bookings.push((bytes(node, number).await.expect("never nowhere"), has_left));
    }
    bookings
}

fn place(dir: &TempDir) -> Place {
    Place::open(dir.path().join("backup").to_str().unwrap(), true).unwrap()
}

/// A snapshot of the node's own, beside those that the backup takes.
async fn snapshot(node: &Node) -> u64 {
    loop {
        match node.snapshot().await {
            Ok(taken) => return taken.index,
            Err(SnapshotError::Running) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Where the node's log begins.
fn begins(node: &Node) -> u64 {
    let start = Start { cluster: CLUSTER, group: 0, first: 0, from_ms: 0, previous: Hash::NONE };
    match node.log_piece(start) {
        Err(PieceError::Gone { begins, .. }) => begins,
        Ok(_) => 0,
        Err(error) => panic!("{error}"),
    }
}

async fn open(dir: &Path, day: u64) -> (Node, Arc<DrivenTime>) {
    let (opened, time) = options(dir, day);
    (Node::open(Options { log_kept: 0, ..opened }).await.unwrap(), time)
}

async fn restored(dir: &TempDir, at: At, point: &Point) -> Made {
    let data_dir: PathBuf = dir.path().join("restored");
    let nodes = vec![NewNode { data_dir: data_dir.clone(), cluster: None }];
    let asked = Asked { from: place(dir), at, nodes, keys: dir.path().join("keys") };
    let made = restore(&asked, |_| {}).await.unwrap();
    let (node, _) = open(&data_dir.join("log"), point.day).await;
    let (_, digest) = node.digest().await.unwrap();
    assert_eq!(digest, point.digest, "{at}");
    assert_eq!(bookings(&node, u128::from(point.day)).await, point.bookings, "{at}");
    node.shutdown().await;
    std::fs::remove_dir_all(&data_dir).unwrap();
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_off_the_log_is_in_the_backup_with_every_booking_archived_or_not() {
    let dir = tempfile::tempdir().unwrap();
    making::write_keys(dir.path());
    let (node, time) = open(&dir.path().join("node"), 0).await;
    open_hotel(&node).await;
    let source =
        Source { place: place(&dir), node: node.clone(), cluster: CLUSTER, keys: making::keys() };
    let settings = Backup {
        to: String::new(),
        every: Duration::from_millis(5),
        snapshot_every: Duration::from_millis(50),
        keep: Duration::from_secs(3_600),
    };
    let told = Arc::new(Told::default());
    let (stop, stopping) = watch::channel(false);
    let keeping = tokio::spawn(Keeper::new(source, settings, told.clone()).run(stopping));

    let (mut points, mut own) = (Vec::new(), Vec::new());
    for day in 1..=DAYS {
        book(&node, day, u16::try_from(day).unwrap() + 1).await;
        pass(&node, &time, 1).await;
        points.push(Point::of(&node, day).await);
        time.advance(Duration::from_secs(1));
        if day.is_multiple_of(SNAPSHOT_DAYS) {
            own.push(snapshot(&node).await);
        }
    }
    stop.send(true).unwrap();
    keeping.await.unwrap();
    let report = told.report();
    assert_eq!((report.holes, report.failing), (0, None));
    let begins = begins(&node);
    assert!(begins > points[3].index, "the log was cut meanwhile: it begins with {begins}");
    node.shutdown().await;

    let survey = Survey::read(&place(&dir)).await.unwrap();
    assert_eq!((survey.wrong.len(), survey.spans().len()), (0, 1), "{:?}", survey.wrong);
    let last_snapshot = survey.snapshots.last().unwrap().index;
    let archived = points.last().unwrap().bookings.iter().filter(|booking| booking.1).count();
    assert!(archived > 10, "{archived} are archived");
    let first = survey.snapshots.first().unwrap().index;
    let inside = points.iter().filter(|point| point.index >= first).collect::<Vec<_>>();
    assert!(inside.iter().any(|point| point.index < last_snapshot), "before the last snapshot");
    assert!(inside.iter().any(|point| point.index < begins), "what the log has no more");
    for point in inside.iter().step_by(3).chain(inside.last()) {
        let made = restored(&dir, At::Index(point.index), point).await;
        assert_eq!(made.index, point.index);
        let made = restored(&dir, At::TimeMs(point.log_time_ms), point).await;
        assert_eq!((made.index, made.log_time_ms), (point.index, point.log_time_ms));
    }
}
