//! Snapshots of nodes: the log is cut behind them, and who lags behind the cut is sent one.

use std::fs;
use std::path::PathBuf;

use holdfast_snapshot::{Kept, Shelf};
use openraft::async_runtime::WatchReceiver;

use super::cluster::Group;
use super::*;
use crate::log::Log;
use crate::node::members::{Change, ChangeError};
use crate::snapshots::{SnapshotError, verify_snapshot_file};
use crate::verify::verify_stopped;

fn shelf(dir: &TempDir) -> PathBuf {
    dir.path().join("snapshots/0")
}

fn kept(dir: &TempDir) -> Vec<Kept> {
    Shelf::at(&shelf(dir)).list().expect("readable")
}

fn damage(kept: &Kept) {
    let mut bytes = fs::read(&kept.path).expect("there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&kept.path, bytes).expect("written");
}

/// Waits until the log is cut up to `index`.
async fn cut(node: &Node, index: u64) {
    let mut metrics = node.0.raft.metrics();
    while metrics.borrow_watched().purged.map(|purged| purged.index) < Some(index) {
        metrics.changed().await.expect("runs");
    }
}

async fn add_partners(node: &Node, numbers: std::ops::Range<u128>) {
    for number in numbers {
        let applied = node.submit(add_partner(number), None).await.expect("applied");
        assert!(applied.outcome.refusal().is_none(), "{applied:?}");
    }
}

/// A node whose log has its rules.
async fn open_with_rules(dir: &TempDir, log_kept: u64) -> Node {
    let node = Node::open(Options { log_kept, ..options(dir) }).await.expect("opened");
    for command in small_hotel() {
        node.submit(command, None).await.expect("applied");
    }
    node
}

/// What the log has on disk: the index before its first entry.
fn purged(dir: &TempDir) -> Option<u64> {
    let disk = Log::read_only(dir.path(), GroupId(0)).expect("whole");
    disk.ends().expect("readable").purged.map(|purged| purged.index)
}

#[tokio::test]
async fn the_log_goes_back_to_the_older_snapshot_so_that_damage_to_the_newest_costs_nothing() {
    let dir = directory();
    let all = |dir| Options { log_kept: 0, ..options(dir) };
    let node = open_with_rules(&dir, 0).await;
    add_partners(&node, 10..20).await;
    let first = node.snapshot().await.expect("written");
    add_partners(&node, 20..30).await;
    assert_eq!(node.0.raft.metrics().borrow_watched().purged, None, "one alone cuts nothing");
    let second = node.snapshot().await.expect("written");
    cut(&node, first.index).await;
    add_partners(&node, 30..40).await;
    let (_, digest) = node.digest().await.expect("runs");
    node.shutdown().await;
    drop(node);
    assert_eq!(purged(&dir), Some(first.index), "no further");

    let verified = verify_stopped(dir.path(), GroupId(0), Scope::default(), &mut |_| true);
    let verified = verified.expect("folded from the newest");
    assert_eq!((verified.snapshot, verified.found), (Some(second.index), 0));
    assert_eq!(verified.entries.map(|entries| entries.0), Some(second.index + 1));
    assert_eq!(verified.digest, digest);

    let node = Node::open(all(&dir)).await.expect("from the newest");
    let verified = node.verify(Scope::default(), &mut |_| true).expect("folded");
    assert_eq!((verified.snapshot, verified.found), (Some(second.index), 0));
    assert_eq!(node.snapshot_status().map(|newest| newest.index), Some(second.index));
    assert_eq!(node.digest().await.expect("runs").1, digest);
    node.shutdown().await;
    drop(node);

    damage(&kept(&dir)[0]);
    let node = Node::open(all(&dir)).await.expect("from the older");
    assert_eq!(node.snapshot_status().map(|newest| newest.index), Some(first.index));
    assert_eq!(node.digest().await.expect("runs").1, digest);
    // The damaged one counts no longer: one more is not enough to cut.
    let third = node.snapshot().await.expect("written");
    assert_eq!(
        kept(&dir).iter().map(|kept| kept.index).collect::<Vec<_>>(),
        [third.index, first.index]
    );
    node.shutdown().await;
    drop(node);
    assert_eq!(purged(&dir), Some(first.index));

    kept(&dir).iter().for_each(damage);
    let refused = Node::open(all(&dir)).await.map(drop).expect_err("nothing leads up to the log");
    assert!(matches!(refused, OpenError::NoSnapshot { first: next } if next == first.index + 1));
    assert!(refused.is_loss());
}

#[tokio::test]
async fn what_a_backup_or_a_lagging_follower_may_want_is_not_cut() {
    let dir = directory();
    let node = open_with_rules(&dir, 5).await;
    node.keep_log_from(4);
    add_partners(&node, 10..30).await;
    let first = node.snapshot().await.expect("written");
    add_partners(&node, 30..40).await;
    node.snapshot().await.expect("written");
    cut(&node, 3).await;
    node.keep_log_from(u64::MAX);
    add_partners(&node, 40..50).await;
    node.snapshot().await.expect("written");
    cut(&node, first.index).await;
    node.shutdown().await;
    drop(node);
    assert!(purged(&dir) > Some(first.index) && purged(&dir) <= Some(kept(&dir)[1].index - 5));
}

/// A node that was sent a snapshot, started again with it.
async fn taken_in(group: &mut Group, id: u64) {
    let FatalError::SnapshotReceived { index } = group.nodes[&id].fatal().await else {
        panic!("another end")
    };
    group.nodes.remove(&id).expect("there").shutdown().await;
    group.start(id).await;
    assert!(group.nodes[&id].0.applied.index() >= Some(index));
}

/// Digests of all nodes at the index of the last entry written.
async fn digests_are_equal(group: &Group, last: u64) {
    group.applied_everywhere(last).await;
    let mut digests = Vec::new();
    for node in group.nodes.values() {
        digests.push(node.digest().await.expect("runs").1);
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
}

/// Two snapshots through `leader`, and its log cut behind the first of them.
async fn cut_behind(group: &Group, leader: u64, from: u128) -> u64 {
    for number in from..from + 20 {
        group.write(leader, add_partner(number)).await;
    }
    let first = group.nodes[&leader].snapshot().await.expect("written");
    group.write(leader, add_partner(from + 20)).await;
    group.nodes[&leader].snapshot().await.expect("written");
    cut(&group.nodes[&leader], first.index).await;
    first.index
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lags_behind_the_cut_is_sent_a_snapshot_and_goes_on_where_it_broke_off() {
    let mut group = Group::begin_with(|options| Options { log_kept: 0, ..options }).await;
    let leader = group.leader().await;
    let gone = group.follower().await;
    group.nodes.remove(&gone).expect("there").shutdown().await;
    cut_behind(&group, leader, 100).await;
    // As a sending that broke off leaves it.
    let (_, file) = group.nodes[&leader].0.taker.snapshots.current().expect("two of them");
    let bytes = fs::read(&file.path).expect("there");
    let half = &bytes[..bytes.len() / 2];
    let part = format!("{:020}-{}-{:032x}.part", file.index, file.bytes, file.checksum);
    fs::write(shelf(&group.dirs[&gone]).join(part), half).expect("written");
    fs::write(shelf(&group.dirs[&gone]).join("7-7-7.part"), b"another").expect("written");
    group.start(gone).await;
    taken_in(&mut group, gone).await;
    let endings = |ending: &str| {
        let there = fs::read_dir(shelf(&group.dirs[&gone])).expect("there");
        there.filter(|entry| entry.as_ref().unwrap().path().extension().unwrap() == ending).count()
    };
    assert_eq!((endings("part"), endings("staged")), (0, 0), "nothing is left behind");
    let last = group.write(gone, add_partner(500)).await;
    digests_are_equal(&group, last).await;

    // A node that was never there, and one that must go on by itself after the next start.
    group.start(4).await;
    let address = group.addresses[&4].clone();
    group.change(leader, Change::AddLearner { node: 4, address }).await;
    taken_in(&mut group, 4).await;
    let last = group.write(leader, add_partner(501)).await;
    digests_are_equal(&group, last).await;
    group.nodes.remove(&4).expect("there").shutdown().await;
    group.start(4).await;
    let last = group.write(leader, add_partner(502)).await;
    digests_are_equal(&group, last).await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sending_that_breaks_off_goes_on_with_its_snapshot_though_newer_ones_were_taken() {
    let mut group = Group::begin_with(|options| Options { log_kept: 0, ..options }).await;
    let leader = group.leader().await;
    let gone = group.follower().await;
    group.nodes.remove(&gone).expect("there").shutdown().await;
    cut_behind(&group, leader, 100).await;
    // As a sending that broke off leaves both ends.
    let snapshots = group.nodes[&leader].0.taker.snapshots.clone();
    let (meta, file) = snapshots.current().expect("two of them");
    let bytes = fs::read(&file.path).expect("there");
    let part = format!("{:020}-{}-{:032x}.part", file.index, file.bytes, file.checksum);
    let part = shelf(&group.dirs[&gone]).join(part);
    fs::write(&part, &bytes[..bytes.len() / 2]).expect("written");
    snapshots.is_taken((&meta, &file), gone);
    for from in [200, 300, 400] {
        for number in from..from + 20 {
            group.write(leader, add_partner(number)).await;
        }
        group.nodes[&leader].snapshot().await.expect("written");
    }
    assert_eq!(kept(&group.dirs[&leader]).len(), 3, "two, and the one that is sent");
    cut(&group.nodes[&leader], file.index).await;
    assert_eq!(
        group.nodes[&leader].0.raft.metrics().borrow_watched().purged.map(|it| it.index),
        Some(file.index)
    );
    assert!(snapshots.current().expect("newer").1.index > file.index);

    group.start(gone).await;
    let FatalError::SnapshotReceived { index } = group.nodes[&gone].fatal().await else {
        panic!("another end")
    };
    assert_eq!(index, file.index, "the one that it had half of");
    group.nodes.remove(&gone).expect("there").shutdown().await;
    group.start(gone).await;
    // The log after it is still there: no second snapshot is needed.
    let last = group.write(gone, add_partner(500)).await;
    digests_are_equal(&group, last).await;
    // Whether it answered for the snapshot or its start cut that off: its log says that it has it.
    snapshots.is_taken((&meta, &file), gone);
    loop {
        let taken = group.nodes[&leader].snapshot().await.expect("written");
        assert!(taken.index > file.index);
        if snapshots.to_send() == snapshots.current() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(kept(&group.dirs[&leader]).len(), 2);
    assert!(kept(&group.dirs[&leader])[1].index > file.index);

    // A node that does not lead sends nothing, whatever it sent before: its log is cut.
    group.nodes[&gone].snapshot().await.expect("written");
    let snapshots = group.nodes[&gone].0.taker.snapshots.clone();
    let (meta, file) = snapshots.current().expect("its own");
    snapshots.is_taken((&meta, &file), leader);
    assert!(cut_behind(&group, gone, 600).await > file.index);
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_was_a_members_is_refused_for_good_though_the_log_forgot_it() {
    let mut group = Group::begin_with(|options| Options { log_kept: 0, ..options }).await;
    let leader = group.leader().await;
    let address = group.addresses[&4].clone();
    let add = |node| Change::AddLearner { node, address: address.clone() };
    group.start(4).await;
    group.change(leader, add(4)).await;
    group.change(leader, Change::Remove { node: 4 }).await;
    group.nodes.remove(&4).expect("there").shutdown().await;
    let refused = async |group: &Group, by: u64| {
        let refused = group.nodes[&by].change(add(4)).await.expect_err("it was a member");
        let text = refused.to_string();
        assert!(matches!(refused, ChangeError::Refused(_)), "{text}");
        assert!(text.contains("ids up to 4 are or were members'"), "{text}");
    };
    refused(&group, leader).await;
    // No entry is left that named it: a snapshot remembers.
    for id in [1, 2, 3] {
        group.applied_everywhere(cut_behind(&group, id, 100 * u128::from(id)).await).await;
    }
    refused(&group, leader).await;
    for id in [1, 2, 3] {
        group.nodes.remove(&id).expect("there").shutdown().await;
    }
    for id in [1, 2, 3] {
        group.start(id).await;
        assert!(group.nodes[&id].snapshot_status().is_some(), "begun with a snapshot");
    }
    let leader = group.leader().await;
    group.write(leader, add_partner(900)).await;
    refused(&group, leader).await;
    let other = group.follower().await;
    refused(&group, other).await;
    // Another disk comes under an id that nobody had.
    group.addresses.insert(5, address.clone());
    group.dirs.insert(5, directory());
    group.start(5).await;
    group.change(leader, add(5)).await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_is_damaged_is_sent_again_from_its_beginning() {
    let mut group = Group::begin_with(|options| Options { log_kept: 0, ..options }).await;
    let leader = group.leader().await;
    let gone = group.follower().await;
    group.nodes.remove(&gone).expect("there").shutdown().await;
    cut_behind(&group, leader, 100).await;
    let (_, file) = group.nodes[&leader].0.taker.snapshots.current().expect("two of them");
    let part = format!("{:020}-{}-{:032x}.part", file.index, file.bytes, file.checksum);
    fs::write(shelf(&group.dirs[&gone]).join(part), b"nonsense").expect("written");
    group.start(gone).await;
    taken_in(&mut group, gone).await;
    let last = group.write(gone, add_partner(500)).await;
    digests_are_equal(&group, last).await;
    group.stop().await;
}

/// Each step of taking a snapshot in ends in a start that goes on with it, or as if it had never come.
#[tokio::test]
async fn a_start_goes_on_wherever_taking_a_snapshot_in_was_cut_off() {
    let from = directory();
    let node = open_with_rules(&from, 0).await;
    add_partners(&node, 10..20).await;
    let taken = node.snapshot().await.expect("written");
    let (_, digest) = node.digest().await.expect("runs");
    node.shutdown().await;
    let whole = fs::read(&kept(&from)[0].path).expect("there");

    let staged = |dir: &TempDir, bytes: &[u8]| {
        fs::create_dir_all(shelf(dir)).expect("made");
        let name = format!("{:020}.staged", taken.index);
        fs::write(shelf(dir).join(name), bytes).expect("written");
    };
    // Nothing was done yet; and, after it, all but the renaming.
    let dir = directory();
    for _ in 0..2 {
        staged(&dir, &whole);
        let _ = fs::remove_file(shelf(&dir).join(format!("{:020}.hfsnap", taken.index)));
        // What came of it once more, and of a later one, which may be gone on with.
        let part = |index| shelf(&dir).join(format!("{index:020}-9-9.part"));
        fs::write(part(taken.index), b"again").expect("written");
        fs::write(part(taken.index + 100), b"later").expect("written");
        let node = Node::open(options(&dir)).await.expect("taken in");
        assert!(node.0.applied.index() >= Some(taken.index));
        assert!(knows_partner(node.reader(), 19));
        assert_eq!((part(taken.index).exists(), part(taken.index + 100).exists()), (false, true));
        node.shutdown().await;
    }
    // Damaged on the way: as if it had never come.
    let dir = directory();
    staged(&dir, &whole[..whole.len() - 1]);
    let node = Node::open(options(&dir)).await.expect("begins anew");
    assert!(!knows_partner(node.reader(), 19));
    node.shutdown().await;
    // One that the log is past already takes its place, and the log stays.
    staged(&from, &whole);
    let node = Node::open(options(&from)).await.expect("opened");
    assert_eq!(node.digest().await.expect("runs").1, digest);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_asked_for_at_once_are_written_one_after_another() {
    let dir = directory();
    let node = open_with_rules(&dir, 5).await;
    let mut askers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let node = node.clone();
        askers.spawn(async move {
            let mut written = 0;
            while written < 20 {
                match node.snapshot().await {
                    Ok(_) => written += 1,
                    Err(SnapshotError::Running) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    // Nothing is applied meanwhile: all of them have one name.
    askers.join_all().await;
    let kept = kept(&dir);
    assert_eq!(kept.len(), 1);
    verify_snapshot_file(&kept[0].path).expect("whole");
    node.shutdown().await;
}
