//! A log verified beside its node, and after it; what that must not disturb.

use holdfast_engine::ari::Change;
use holdfast_engine::block::{BlockDraft, BlockLine};
use holdfast_engine::command::AddBlock;
use holdfast_engine::ids::{BlockId, HotelIx, RoomTypeIx};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Command, Principal, Verb};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::*;
use crate::fixture::{add_partner, night, small_hotel, time};
use crate::{Node, Options};

fn options(dir: &TempDir) -> Options {
    Options { time: time(), threads: Some(1), ..Options::alone(dir.path()) }
}

async fn node_with_traffic(dir: &TempDir) -> Node {
    let node = Node::open(options(dir)).await.expect("opened");
    for command in small_hotel() {
        node.submit(command, None).await.expect("applied");
    }
    let pending: Vec<_> = (10..800).map(|number| node.submit(add_partner(number), None)).collect();
    for pending in pending {
        pending.await.expect("applied");
    }
    node
}

#[tokio::test]
async fn a_running_nodes_state_is_that_of_its_log_folded_once_more() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = node_with_traffic(&dir).await;
    let (verifying, runtime) = (node.clone(), Handle::current());
    let fold = tokio::task::spawn_blocking(move || {
        let take = || runtime.block_on(verifying.digest());
        let mut told = Vec::new();
        let verified = verifying.verify_against(Scope::default(), take, &mut |progress| {
            told.push(progress);
            true
        });
        (verified, told)
    });
    // Writes go on meanwhile.
    for number in 1_000..1_100 {
        node.submit(add_partner(number), None).await.expect("applied");
    }
    let (verified, told) = fold.await.expect("did not panic");
    let (verified, digest) = verified.expect("verified");
    assert_eq!(verified.digest.differences(&digest).next(), None);
    assert_eq!((verified.found, verified.findings.len()), (0, 0));
    assert!(verified.commands >= 795, "{}", verified.commands);
    assert!(told.iter().all(|progress| progress.applied <= progress.last) && !told.is_empty());
    node.shutdown().await;
    let closed = node.verify(Scope::default(), &mut |_| true).expect_err("closed");
    assert!(matches!(closed, VerifyError::Damaged(LogDamage::Closed)), "{closed}");
}

#[tokio::test]
async fn a_stopped_nodes_log_is_verified_where_it_lies() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = node_with_traffic(&dir).await;
    node.shutdown().await;
    drop(node);
    for full in [false, true] {
        let scope = Scope { from: 3, full };
        let verified = verify_stopped(dir.path(), GroupId(0), scope, &mut |_| true);
        let verified = verified.expect("verified");
        assert_eq!((verified.found, verified.entries.map(|it| it.0)), (0, Some(0)));
        assert!(verified.commands >= 795, "{}", verified.commands);
    }
    let node = Node::open(options(&dir)).await.expect("left as it was");
    node.shutdown().await;
}

#[tokio::test]
async fn a_verification_ends_when_it_is_given_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = node_with_traffic(&dir).await;
    let give_up = GiveUp::default();
    let given_up = give_up.flag();
    drop(give_up);
    let ended = node.verify(Scope::default(), &mut |_| !given_up()).expect_err("given up");
    assert!(matches!(ended, VerifyError::Stopped), "{ended}");
    node.shutdown().await;
}

fn allot(rooms: u16, source: &str) -> Command {
    let mut commands = small_hotel();
    let Some(Command { verb: Verb::Allot(mut allot), .. }) = commands.pop() else {
        panic!("the last opens its nights")
    };
    allot.source = source.to_owned();
    for line in &mut allot.lines {
        line.change = Change { allotment: Some(rooms), ..line.change };
    }
    Command::plain(Verb::Allot(allot))
}

/// Promises five rooms of a night, and then has only two.
async fn promise_too_much(node: &Node) {
    let night = night();
    let draft = BlockDraft {
        name: "Group".into(),
        stay: Stay { check_in: night, check_out: night.plus(1) },
        lines: vec![BlockLine { room_type: RoomTypeIx(0), rooms: 5 }],
        definite: true,
        release_on: None,
    };
    let (hotel, principal) = (HotelIx(0), Principal::Partner(1));
    let block = AddBlock { id: BlockId(1), hotel, principal, draft };
    for command in [Command::plain(Verb::AddBlock(block)), allot(2, "cut")] {
        let applied = node.submit(command, None).await.expect("applied");
        assert!(applied.outcome.refusal().is_none(), "{:?}", applied.outcome);
    }
}

#[tokio::test]
async fn a_cut_log_is_verified_from_its_snapshot_whatever_was_over_its_limit_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::open(Options { log_kept: 0, ..options(&dir) }).await.expect("opened");
    for command in small_hotel() {
        node.submit(command, None).await.expect("applied");
    }
    promise_too_much(&node).await;
    let mut taken = Vec::new();
    for number in 10..13 {
        node.submit(add_partner(number), None).await.expect("applied");
        taken.push(node.snapshot().await.expect("written").index);
    }
    let allotted = node.submit(allot(1, "cut further"), None).await.expect("applied");
    assert!(allotted.outcome.refusal().is_none(), "{:?}", allotted.outcome);
    let (index, digest) = node.digest().await.expect("runs");
    let verified = node.verify(Scope { from: 0, full: true }, &mut |_| true).expect("verified");
    assert_eq!(verified.findings, []);
    assert_eq!(verified.snapshot, taken.last().copied());
    assert!(verified.entries.is_some_and(|(_, last)| last >= index));
    node.shutdown().await;
    let verified = verify_stopped(dir.path(), GroupId(0), Scope::default(), &mut |_| true);
    let verified = verified.expect("verified");
    assert_eq!((verified.findings, verified.snapshot), (vec![], taken.last().copied()));
    assert!(verified.digest.differences(&digest).all(|(part, ..)| part == "clock"));
}

#[test]
fn an_empty_directory_has_nothing_to_verify() {
    let dir = tempfile::tempdir().expect("a directory");
    let ended = verify_stopped(dir.path(), GroupId(0), Scope::default(), &mut |_| true);
    assert!(matches!(ended, Err(VerifyError::Log(_))), "{ended:?}");
}
