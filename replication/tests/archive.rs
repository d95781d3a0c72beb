//! Bookings that have left memory are on disk, readable by id, the same after every restart.

#[path = "archive/house.rs"]
mod house;
#[path = "archive/killed.rs"]
mod killed;

use std::path::Path;

use holdfast_engine::ids::BookingId;
use holdfast_replication::verify::{Scope, verify_stopped};
use holdfast_replication::{ArchiveError, GroupId, Node, OpenError, Options};
use rocksdb::DB;
use tempfile::TempDir;

use house::{book, bytes, find, open_hotel, options, pass};

const BOOKINGS: u128 = 12;

/// Twelve bookings, one a day, of which the earlier half has left memory.
async fn half_archived(dir: &TempDir) -> Vec<Option<Vec<u8>>> {
    let (options, time) = options(dir.path(), 0);
    let node = Node::open(options).await.expect("opened");
    open_hotel(&node).await;
    for number in 1..=BOOKINGS {
        book(&node, number, number as u16).await;
    }
    let before = all(&node).await;
    assert!(before.iter().all(Option::is_some));
    // Check-out of the n-th is on day n + 1; it leaves when that lies three days before yesterday.
    pass(&node, &time, 11).await;
    for number in 1..=BOOKINGS {
        let (_, archived) = find(&node, number).await.expect("never nowhere");
        assert_eq!(archived, number <= 6, "{number}");
    }
    assert_eq!(all(&node).await, before, "as it stood, byte for byte");
    assert_eq!(find(&node, 99).await, None);
    let verified = node.verify(Scope { from: 0, full: true }, &mut |_| true).expect("verified");
    assert_eq!(verified.findings, []);
    node.shutdown().await;
    assert_eq!(node.archived(BookingId(1)).await, Err(ArchiveError::Closed));
    before
}

async fn all(node: &Node) -> Vec<Option<Vec<u8>>> {
    let mut all = Vec::new();
    for number in 1..=BOOKINGS {
        all.push(bytes(node, number).await);
    }
    all
}

fn archive_of(dir: &Path) -> DB {
    DB::open_default(dir.join("archive")).expect("nobody has it open")
}

/// Key and value, as they are stored.
type Record = (Box<[u8]>, Box<[u8]>);

fn records(dir: &Path) -> Vec<Record> {
    archive_of(dir).iterator(rocksdb::IteratorMode::Start).map(Result::unwrap).collect()
}

async fn reopen(dir: &Path, change: impl FnOnce(&mut Options)) -> Result<Node, OpenError> {
    let (mut options, _) = options(dir, 11);
    change(&mut options);
    Node::open(options).await
}

#[tokio::test]
async fn a_restart_makes_the_same_records_of_the_log_whatever_became_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let before = half_archived(&dir).await;
    let written = records(dir.path());
    assert_eq!(written.len(), 6);
    let damages: [fn(&DB, &[u8]); 3] = [
        |_, _| {},
        // Lost with the page cache, and damaged on disk.
        |db, key| db.delete(key).unwrap(),
        |db, key| db.put(key, b"nonsense").unwrap(),
    ];
    for damage in damages {
        {
            let db = archive_of(dir.path());
            damage(&db, &written[2].0);
            db.flush().unwrap();
        }
        let node = reopen(dir.path(), |_| {}).await.expect("the log has them all");
        assert_eq!(all(&node).await, before);
        node.shutdown().await;
        assert_eq!(records(dir.path()), written);
    }
    std::fs::remove_dir_all(dir.path().join("archive")).unwrap();
    let node = reopen(dir.path(), |_| {}).await.expect("the log has them all");
    assert_eq!(all(&node).await, before);
    node.shutdown().await;
    assert_eq!(records(dir.path()), written);
    let (data, group) = (dir.path(), GroupId(0));
    let verified = verify_stopped(data, group, Scope::default(), &mut |_| true).expect("verified");
    assert_eq!(verified.found, 0);
}

#[tokio::test]
async fn a_record_that_the_log_did_not_make_is_refused_and_said() {
    let dir = tempfile::tempdir().unwrap();
    half_archived(&dir).await;
    let written = records(dir.path());
    // Another booking's key: the checksum takes it in.
    let mut other = written[0].0.to_vec();
    *other.last_mut().unwrap() = 77;
    archive_of(dir.path()).put(&other, &written[0].1).unwrap();
    let refused = reopen(dir.path(), |_| {}).await.map(drop).expect_err("refused");
    let OpenError::Archive(ArchiveError::Damaged { id, .. }) = &refused else {
        panic!("{refused}");
    };
    assert_eq!(*id, BookingId(77));
    assert!(refused.to_string().contains("Move the directory `archive` away"), "{refused}");
    std::fs::rename(dir.path().join("archive"), dir.path().join("away")).unwrap();
    let node = reopen(dir.path(), |_| {}).await.expect("as it was told");
    node.shutdown().await;
    assert_eq!(records(dir.path()), written);
}

#[tokio::test]
async fn an_archive_of_a_log_that_was_longer_is_refused_unless_the_loss_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    half_archived(&dir).await;
    std::fs::remove_dir_all(dir.path().join("raft-log")).unwrap();
    std::fs::remove_file(dir.path().join("raft-log.guard")).unwrap();
    let refused = reopen(dir.path(), |_| {}).await.map(drop).expect_err("refused");
    assert!(matches!(refused, OpenError::Archive(ArchiveError::Ahead { .. })), "{refused}");
    let node = reopen(dir.path(), |options| options.accept_loss = true).await.expect("accepted");
    assert_eq!(node.archived(BookingId(1)).await, Ok(None));
    node.shutdown().await;
    assert_eq!(records(dir.path()), []);
}

/// The log alone would do, so it is shown that the snapshot does: what it stands for is not applied again.
#[tokio::test]
async fn a_start_from_a_snapshot_makes_the_archive_anew_whatever_became_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let before = half_archived(&dir).await;
    let (opened, time) = options(dir.path(), 11);
    let node = Node::open(opened).await.expect("opened");
    let taken = node.snapshot().await.expect("written");
    // One more leaves after it: the log has that one.
    pass(&node, &time, 1).await;
    assert!(find(&node, 7).await.expect("never nowhere").1);
    let (_, digest) = node.digest().await.expect("runs");
    node.shutdown().await;
    let written = records(dir.path());
    assert_eq!(written.len(), 7);
    let damages: [fn(&DB, &[Record]); 4] = [
        |_, _| {},
        |db, all| all.iter().for_each(|(key, _)| db.delete(key).unwrap()),
        |db, all| db.put(&all[2].0, b"nonsense").unwrap(),
        // One that nobody archived: another's bytes under a key of its own are damage too.
        |db, all| db.put([&all[0].0[..17], &[77]].concat(), &all[0].1).unwrap(),
    ];
    for damage in damages {
        {
            let db = archive_of(dir.path());
            damage(&db, &written);
            db.flush().unwrap();
        }
        let (options, _) = options(dir.path(), 12);
        let node = Node::open(options).await.expect("the snapshot and the log have them all");
        assert_eq!(node.snapshot_status().map(|newest| newest.index), Some(taken.index));
        assert_eq!(node.digest().await.expect("runs").1, digest);
        assert_eq!(all(&node).await, before);
        node.shutdown().await;
        assert_eq!(records(dir.path()), written);
    }
}
