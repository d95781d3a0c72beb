//! A node on a real log in a real directory, on a driven clock.

mod cluster;
mod snapshots;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::*;
use crate::OnProgress;
use crate::fixture::{START_MS, add_partner, escrowed, knows_partner, small_hotel, ticket, time};
use crate::limits::TICK_EVERY;

fn options(dir: &TempDir) -> Options {
    Options { time: time(), threads: None, ..Options::alone(dir.path()) }
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = directory();
    let node = Node::open(options(&dir)).await.expect("opened");
    for command in small_hotel() {
        let applied = node.submit(command, None).await.expect("applied");
        assert!(applied.outcome.refusal().is_none(), "{applied:?}");
    }
    let pending: Vec<_> = (10..500).map(|number| node.submit(add_partner(number), None)).collect();
    for pending in pending {
        pending.await.expect("applied");
    }
    let (_, digest) = node.digest().await.expect("runs");
    node.shutdown().await;
    drop(node);

    let seen = Arc::new(AtomicU64::new(0));
    let progress: OnProgress = {
        let seen = seen.clone();
        Box::new(move |progress| {
            assert!(progress.applied <= progress.last);
            seen.store(progress.applied, Ordering::Relaxed);
            ControlFlow::Continue(())
        })
    };
    let options = Options { on_progress: Some(progress), ..options(&dir) };
    let node = Node::open(options).await.expect("opened again");
    assert!(seen.load(Ordering::Relaxed) > 0, "progress is shown");
    assert!((10..500).all(|number| knows_partner(node.reader(), number)));
    assert_eq!(node.digest().await.expect("runs").1, digest);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_asked_to_stop_ends_while_the_log_is_read_and_the_next_has_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::open(options(&dir)).await.expect("opened");
    for command in small_hotel().into_iter().chain([add_partner(7)]) {
        node.submit(command, None).await.expect("applied");
    }
    node.shutdown().await;
    drop(node);
    let on_progress: OnProgress = Box::new(|_| ControlFlow::Break(()));
    let stopped = Node::open(Options { on_progress: Some(on_progress), ..options(&dir) }).await;
    assert!(matches!(stopped.err(), Some(OpenError::Stopped)));
    // Nothing of it holds the log any more.
    let node = Node::open(options(&dir)).await.expect("opened again");
    assert!(knows_partner(node.reader(), 7));
    node.shutdown().await;
}

/// The first entry that a start applied from the log, and the node.
async fn start(dir: &TempDir) -> (u64, Node) {
    let first = Arc::new(AtomicU64::new(u64::MAX));
    let follower: crate::Follower = {
        let first = first.clone();
        Box::new(move |entry| {
            first.fetch_min(entry.index, Ordering::Relaxed);
        })
    };
    let options = Options { follower: Some(follower), ..options(dir) };
    let node = Node::open(options).await.expect("opened");
    (first.load(Ordering::Relaxed), node)
}

#[tokio::test]
async fn a_start_begins_with_the_newest_snapshot_that_is_whole_and_ends_where_the_log_does() {
    let dir = directory();
    let node = Node::open(options(&dir)).await.expect("opened");
    for command in small_hotel() {
        node.submit(command, None).await.expect("applied");
    }
    let first = node.snapshot().await.expect("written");
    for number in 10..50 {
        node.submit(add_partner(number), None).await.expect("applied");
    }
    let second = node.snapshot().await.expect("written");
    assert!(second.index > first.index);
    node.submit(add_partner(50), None).await.expect("applied");
    let (_, digest) = node.digest().await.expect("runs");
    node.shutdown().await;
    drop(node);

    let (begun, node) = start(&dir).await;
    assert!(begun > second.index, "from the second on: {begun} after {}", second.index);
    assert_eq!(node.digest().await.expect("runs").1, digest);
    node.submit(add_partner(51), None).await.expect("goes on");
    let (_, digest) = node.digest().await.expect("runs");
    node.shutdown().await;
    drop(node);

    // The newest is damaged, and half of a third was written: the one before serves.
    let shelf = dir.path().join("snapshots/0");
    let newest = shelf.join(format!("{:020}.hfsnap", second.index));
    let mut bytes = std::fs::read(&newest).expect("is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newest, bytes).expect("damaged");
    std::fs::write(shelf.join("99.tmp"), b"half").expect("left behind");
    let (begun, node) = start(&dir).await;
    assert!(begun > first.index && begun < second.index, "{begun}");
    assert_eq!(node.digest().await.expect("runs").1, digest);
    node.shutdown().await;
    drop(node);

    // None is left: the log is whole.
    std::fs::remove_dir_all(&shelf).expect("removed");
    let (begun, node) = start(&dir).await;
    assert!(begun < first.index, "{begun}");
    assert_eq!(node.digest().await.expect("runs").1, digest);
    node.shutdown().await;
}

#[tokio::test]
async fn a_node_on_a_runtime_of_its_own_serves_callers_of_another() {
    let dir = directory();
    let options = Options { threads: Some(1), ..options(&dir) };
    let node = Node::open(options).await.expect("opened");
    node.submit(add_partner(7), None).await.expect("applied");
    let status = node.status();
    assert_eq!((status.role, status.leader, status.term), (Role::Leader, Some(1), 1));
    assert_eq!(status.applied, status.last_log);
    node.shutdown().await;
    assert_eq!(node.submit(add_partner(8), None).await.unwrap_err(), SubmitError::ShuttingDown);
}

#[tokio::test]
async fn a_confirmed_leader_has_applied_what_was_committed_when_it_was_asked() {
    let dir = directory();
    let node = Node::open(options(&dir)).await.expect("opened");
    let applied = node.submit(add_partner(7), None).await.expect("applied");
    let (one, two) = tokio::join!(node.confirm_leadership(), node.confirm_leadership());
    assert!(one.expect("leads") >= applied.index);
    assert!(two.expect("leads") >= applied.index);
    node.shutdown().await;
    assert!(node.confirm_leadership().await.is_err());
}

#[tokio::test]
async fn waiting_for_an_index_ends_when_it_is_applied_or_time_is_up() {
    let dir = directory();
    let time = time();
    let options = Options { time: time.clone(), ..options(&dir) };
    let node = Node::open(options).await.expect("opened");
    let applied = node.submit(add_partner(7), None).await.expect("applied");
    assert!(node.wait_applied(applied.index, Duration::ZERO).await);
    let mut waits = Box::pin(node.wait_applied(u64::MAX - 1, Duration::from_secs(2)));
    assert!(futures_util::poll!(&mut waits).is_pending());
    time.advance(Duration::from_secs(2));
    assert!(!waits.await);
    node.shutdown().await;
}

#[tokio::test]
async fn log_time_moves_while_nobody_writes_and_never_goes_back_over_a_restart() {
    let dir = directory();
    let time = time();
    let node = Node::open(Options { time: time.clone(), ..options(&dir) }).await.expect("opened");
    // The first tick is due at once and rides with this command; the next one is then waited for.
    let before = node.submit(add_partner(7), None).await.expect("applied").index;
    time.advance(TICK_EVERY);
    assert!(node.wait_applied(before + 1, Duration::from_secs(3_600)).await);
    assert_eq!(node.status().applied_time_ms, START_MS + 1_000);
    node.shutdown().await;
    drop(node);

    // The machine comes back with its clock ten years behind.
    time.step_wall_ms(-10 * 365 * 24 * 3_600 * 1_000);
    let node = Node::open(Options { time, ..options(&dir) }).await.expect("opened");
    assert_eq!(node.now_ms(), START_MS + 1_000);
    assert!(node.status().clock.alarm);
    node.shutdown().await;
}

#[tokio::test]
async fn a_clock_years_ahead_of_the_log_is_not_followed_unless_the_operator_says_so() {
    let dir = directory();
    let time = time();
    let node = Node::open(Options { time: time.clone(), ..options(&dir) }).await.expect("opened");
    node.submit(add_partner(7), None).await.expect("applied");
    node.shutdown().await;
    drop(node);

    time.step_wall_ms(10 * 365 * 24 * 3_600 * 1_000);
    let refused = Node::open(Options { time: time.clone(), ..options(&dir) }).await;
    assert!(matches!(refused.err(), Some(OpenError::ClockAhead { days: 3_650 })));
    let accepted = Options { time, accept_clock: true, ..options(&dir) };
    let node = Node::open(accepted).await.expect("opened");
    assert!(node.now_ms() >= START_MS + 10 * 365 * 24 * 3_600 * 1_000);
    node.shutdown().await;
}

#[tokio::test]
async fn a_ticket_is_back_in_escrow_when_its_outcome_is_known() {
    let dir = directory();
    let node = Node::open(options(&dir)).await.expect("opened");
    node.submit_many(small_hotel()).await.expect("queued").await.expect("applied");
    let pending = node.submit(add_partner(5), Some(ticket(node.reader(), 2)));
    assert_eq!(escrowed(node.reader()), 2);
    pending.await.expect("applied");
    assert_eq!(escrowed(node.reader()), 0);
    node.shutdown().await;
}

#[tokio::test]
async fn a_follower_of_the_log_sees_events_in_log_order() {
    let dir = directory();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let follower: crate::Follower = {
        let seen = seen.clone();
        Box::new(move |entry| seen.lock().push((entry.index, entry.events.len())))
    };
    let options = Options { follower: Some(follower), ..options(&dir) };
    let node = Node::open(options).await.expect("opened");
    node.submit_many(small_hotel()).await.expect("queued").await.expect("applied");
    let before = seen.lock().iter().map(|(_, events)| events).sum::<usize>();
    for number in 10..30 {
        node.submit(add_partner(number), None).await.expect("applied");
    }
    node.shutdown().await;
    let seen = seen.lock();
    assert_eq!(seen.iter().map(|(_, events)| events).sum::<usize>(), before + 20);
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn commands_up_to_the_bound_share_an_entry_and_one_more_is_refused() {
    let dir = directory();
    let node = Node::open(options(&dir)).await.expect("opened");
    node.submit_many(small_hotel()).await.expect("queued").await.expect("applied");
    let commands = |count: usize| (0..count as u128).map(add_partner).collect::<Vec<_>>();
    let many = node.submit_many(commands(MANY_COMMANDS_MAX)).await.expect("queued");
    assert_eq!(many.await.expect("applied").outcomes.len(), MANY_COMMANDS_MAX);
    let refused = node.submit_many(commands(MANY_COMMANDS_MAX + 1)).await.map(drop);
    assert!(matches!(refused, Err(SubmitError::TooLarge { commands: 1_025, .. })), "{refused:?}");
    node.shutdown().await;
}

#[tokio::test]
async fn a_command_past_the_bytes_of_an_entry_is_refused() {
    let dir = directory();
    let node = Node::open(options(&dir)).await.expect("opened");
    let verb = holdfast_engine::Verb::AddPartner(command::AddPartner {
        id: holdfast_engine::ids::PartnerId(1),
        name: "P".repeat(ENTRY_BYTES_SOFT_MAX),
    });
    let command = Command::plain(verb);
    let refused = node.submit(command.clone(), None).await;
    assert!(matches!(refused, Err(SubmitError::TooLarge { commands: 1, .. })), "{refused:?}");
    let refused = node.submit_many(vec![command]).await.map(drop);
    assert!(matches!(refused, Err(SubmitError::TooLarge { commands: 1, .. })), "{refused:?}");
    node.shutdown().await;
}

#[tokio::test]
async fn an_accepted_loss_starts_with_what_is_left_and_goes_on() {
    let dir = directory();
    let node = Node::open(options(&dir)).await.expect("opened");
    node.submit_many(small_hotel()).await.expect("queued").await.expect("applied");
    node.shutdown().await;
    std::fs::remove_dir_all(dir.path().join("raft-log")).expect("removed");
    let refused = Node::open(options(&dir)).await.map(drop).expect_err("refused");
    assert!(refused.is_loss(), "{refused}");
    let accepted = Options { accept_loss: true, ..options(&dir) };
    let node = Node::open(accepted).await.expect("the loss is accepted");
    node.submit_many(small_hotel()).await.expect("queued").await.expect("applied");
    node.shutdown().await;
    let node = Node::open(options(&dir)).await.expect("an ordinary node again");
    assert!(node.reader().settings().is_some());
    node.shutdown().await;
}
