//! Laws of the log in a backup: pieces hold what was applied, all of it, and fold to the node's own state.

use holdfast_engine::digest::Digest;
use holdfast_snapshot::backup::{Chains, Hash, Segment, Start};
use tempfile::TempDir;

use super::{Fold, FoldError, Home, Rebuild, RebuildError, Rebuilt, StoredEntry};
use crate::fixture::{add_partner, small_hotel};
use crate::{GroupId, Node, Options};

const CLUSTER: u128 = 0xC1;
const GROUP: GroupId = GroupId(0);

async fn node(dir: &TempDir) -> Node {
    Node::open(Options { threads: None, ..Options::alone(dir.path()) }).await.expect("opened")
}

fn start(first: u64, previous: Hash) -> Start {
    Start { cluster: CLUSTER, group: GROUP.0, first, from_ms: 0, previous }
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_of_a_log_in_use_fold_to_the_nodes_own_state() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = node(&dir).await;
    for command in small_hotel() {
        node.submit(command, None).await.expect("applied");
    }
    let (mut next, mut previous) = (0, Hash::NONE);
    let (mut chains, mut fold) = (Chains::of(CLUSTER, GROUP.0), Fold::empty());
    let mut to_ms = 0;
    for round in 0..5 {
        for number in 0..20 {
            node.submit(add_partner(100 * (round + 1) + number), None).await.expect("applied");
        }
        while let Some(piece) = node.log_piece(start(next, previous)).expect("readable") {
            chains.follow(&piece.head, piece.link).expect("follows");
            let read = Segment::read(&piece.bytes).expect("whole");
            for (index, value) in read.entries() {
                let entry = StoredEntry::read(GROUP, index, value).expect("whole");
                assert_eq!(node.has_entry(&entry).expect("readable"), Some(true));
                to_ms = to_ms.max(entry.at_ms().unwrap_or(0));
                fold.apply(&entry).expect("follows");
            }
            assert_eq!(read.head.to_ms, to_ms);
            (next, previous) = (piece.head.last + 1, piece.link);
        }
        let (index, digest) = node.digest().await.expect("runs");
        if Some(index) == fold.last() {
            assert_eq!(fold.digest(), digest, "at {index}");
        }
    }
    assert_eq!(chains.all().len(), 1, "one chain");
    assert!(fold.last() > Some(100));
    let missing = node.log_piece(start(next + 1_000_000, previous)).expect("readable");
    assert_eq!(missing, None, "nothing is there yet");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_another_history_or_place_is_seen() {
    let (one, other) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
    let (one, other) = (node(&one).await, node(&other).await);
    for number in 0..10 {
        one.submit(add_partner(number + 10), None).await.expect("applied");
    }
    let piece = one.log_piece(start(0, Hash::NONE)).expect("readable").expect("some");
    let read = Segment::read(&piece.bytes).expect("whole");
    let entries: Vec<_> = read.entries().collect();
    let (index, value) = entries[5];
    assert!(StoredEntry::read(GROUP, index + 1, value).is_err(), "another place");
    assert!(StoredEntry::read(GroupId(1), index, value).is_err(), "another group");
    let entry = StoredEntry::read(GROUP, index, value).expect("whole");
    let error = Fold::empty().apply(&entry).expect_err("not the first");
    assert!(matches!(error, FoldError::Hole { expected: 0, .. }), "{error}");
    assert_eq!(one.has_entry(&entry).expect("readable"), Some(true));
    for number in 0..4 {
        other.submit(add_partner(number + 50), None).await.expect("applied");
    }
    assert_eq!(
        other.has_entry(&entry).expect("readable"),
        Some(false),
        "the same id, other commands"
    );
    // One that is not reached yet is nobody's.
    let (last, value) = entries[entries.len() - 1];
    let last = StoredEntry::read(GROUP, last, value).expect("whole");
    assert_eq!(other.has_entry(&last).expect("readable"), None);
    one.shutdown().await;
    other.shutdown().await;
}

/// Every entry that a node has applied, and the digest of the state after each.
fn history(node: &Node) -> Vec<(StoredEntry, Digest)> {
    let mut fold = Fold::empty();
    let piece = node.log_piece(start(0, Hash::NONE)).expect("readable").expect("some");
    let read = Segment::read(&piece.bytes).expect("whole");
    let folded = read.entries().map(|(index, value)| {
        let entry = StoredEntry::read(GROUP, index, value).expect("whole");
        fold.apply(&entry).expect("follows");
        (entry, fold.digest())
    });
    folded.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_rebuilt_at_any_entry_has_the_state_of_the_log_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let driven = |dir: &TempDir| Options {
        threads: None,
        time: crate::fixture::time(),
        ..Options::alone(dir.path())
    };
    let node = Node::open(driven(&dir)).await.expect("opened");
    for command in small_hotel() {
        node.submit(command, None).await.expect("applied");
    }
    let taken = node.snapshot().await.expect("written");
    for number in 0..20 {
        node.submit(add_partner(100 + number), None).await.expect("applied");
    }
    let history = history(&node);
    let snapshot = node.snapshot_path(taken.index);
    let last = history.last().expect("some").0.index();
    for at in [taken.index, taken.index + 1, taken.index + 7, last] {
        let new = tempfile::tempdir().expect("a directory");
        let home = Home::alone(GROUP);
        let mut rebuild = Rebuild::begin(new.path(), &home, &snapshot).expect("begun");
        for (entry, _) in &history {
            if entry.index() > taken.index && entry.index() <= at {
                rebuild.put(entry).expect("follows");
            }
        }
        let made = rebuild.finish().expect("on disk");
        assert_eq!(made, Rebuilt { index: at, entries: at - taken.index });
        let (_, expected) = &history[usize::try_from(at).expect("few")];
        let rebuilt = Node::open(driven(&new)).await.expect("starts");
        assert_eq!(&rebuilt.digest().await.expect("runs").1, expected, "at {at}");
        rebuilt.submit(add_partner(500), None).await.expect("goes on");
        let (_, digest) = rebuilt.digest().await.expect("runs");
        rebuilt.shutdown().await;
        drop(rebuilt);
        let again = Node::open(driven(&new)).await.expect("starts again");
        assert_eq!(again.digest().await.expect("runs").1, digest);
        again.shutdown().await;
    }
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_refuses_a_hole_another_group_and_a_directory_with_something_in_it() {
    let (dir, new) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
    let node = node(&dir).await;
    for number in 0..5 {
        node.submit(add_partner(10 + number), None).await.expect("applied");
    }
    let taken = node.snapshot().await.expect("written");
    for number in 0..5 {
        node.submit(add_partner(100 + number), None).await.expect("applied");
    }
    let (history, snapshot) = (history(&node), node.snapshot_path(taken.index));
    let begin = |home: &Home| Rebuild::begin(new.path(), home, &snapshot);
    let other = begin(&Home::alone(GroupId(9)));
    assert!(matches!(other.err(), Some(RebuildError::OtherGroup { found: 0, asked: 9 })));
    let mut rebuild = begin(&Home::alone(GROUP)).expect("begun");
    let (skipped, _) = &history[usize::try_from(taken.index).expect("few") + 2];
    let hole = rebuild.put(skipped).expect_err("one is missing");
    let expected = taken.index + 1;
    assert!(matches!(hole, RebuildError::Hole { expected: it, .. } if it == expected), "{hole}");
    drop(rebuild);
    let again = begin(&Home::alone(GROUP));
    assert!(matches!(again.err(), Some(RebuildError::NotEmpty { .. })));
    let unfinished = Node::open(Options { threads: None, ..Options::alone(new.path()) }).await;
    assert!(unfinished.is_err(), "what was not finished does not start");
    node.shutdown().await;
}
