//! Laws of the log in a backup: pieces hold what was applied, all of it, and fold to the node's own state.

use holdfast_snapshot::backup::{Chains, Hash, Segment, Start};
use tempfile::TempDir;

use super::{Fold, FoldError, StoredEntry};
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
