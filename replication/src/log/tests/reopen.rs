//! What a log is after it was closed, dropped or truncated.

use openraft::RaftLogReader;
use openraft::storage::RaftLogStorage;

use super::super::guard;
use super::*;

#[tokio::test]
async fn a_dropped_log_has_every_acknowledged_entry_and_the_vote() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), 10).await;
    let (_log, mut store) = open(dir.path()).expect("opened");
    let entries = store.try_get_log_entries(0..100).await.expect("read");
    assert_eq!(indexes(&entries), (0..10).collect::<Vec<_>>());
    let EntryPayload::Normal(payload) = &entries[7].payload else { panic!("not a payload") };
    assert_eq!(payload.bytes(), &Bytes::from(7_u64.to_le_bytes().repeat(32)));
    assert_eq!(store.read_vote().await.expect("read"), Some(vote(1)));
}

#[tokio::test]
async fn a_closed_log_needs_no_wal_to_be_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, mut store) = open(dir.path()).expect("opened");
    append(&mut store, (0..50).map(entry)).await;
    log.close().expect("closed");
    drop((store, log));
    let (_log, mut store) = open(dir.path()).expect("opened");
    assert_eq!(store.try_get_log_entries(..).await.expect("read").len(), 50);
    append(&mut store, [entry(50)]).await;
}

#[tokio::test]
async fn only_a_log_without_any_history_is_fresh() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = Log::open(options(dir.path())).expect("opened");
    assert!(log.group(GROUP).expect("opened").fresh);
    drop(log);
    // Nothing was written: it may still begin here.
    let log = Log::open(options(dir.path())).expect("opened");
    let opened = log.group(GROUP).expect("opened");
    assert!(opened.fresh);
    let mut store = opened.store;
    store.save_vote(&vote(1)).await.expect("voted");
    drop((store, log));
    let log = Log::open(options(dir.path())).expect("opened");
    assert!(!log.group(GROUP).expect("opened").fresh);
}

#[tokio::test]
async fn the_committed_position_survives_without_being_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, mut store) = open(dir.path()).expect("opened");
    append(&mut store, (0..5).map(entry)).await;
    store.save_committed(Some(id(3))).await.expect("sent");
    append(&mut store, [entry(5)]).await;
    drop((store, log));
    let (_log, mut store) = open(dir.path()).expect("opened");
    assert_eq!(store.read_committed().await.expect("read"), Some(id(3)));
}

#[tokio::test]
async fn a_truncated_log_opens_though_it_was_longer_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, mut store) = open(dir.path()).expect("opened");
    append(&mut store, (0..10).map(entry)).await;
    store.truncate_after(Some(id(5))).await.expect("truncated");
    let marks = guard::read(&super::super::guard_path(dir.path())).expect("read").expect("there");
    assert_eq!(marks[&GROUP].last, Some(id(5)));
    drop((store, log));
    let (_log, mut store) = open(dir.path()).expect("opened");
    assert_eq!(indexes(&store.try_get_log_entries(..).await.expect("read")), [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_purged_log_opens_and_goes_on_where_it_was_cut() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, mut store) = open(dir.path()).expect("opened");
    append(&mut store, (0..10).map(entry)).await;
    store.purge(id(6)).await.expect("purged");
    drop((store, log));
    let (log, mut store) = open(dir.path()).expect("opened");
    assert_eq!(indexes(&store.try_get_log_entries(..).await.expect("read")), [7, 8, 9]);
    store.purge(id(9)).await.expect("purged");
    drop((store, log));
    let (_log, mut store) = open(dir.path()).expect("opened");
    append(&mut store, [entry(10)]).await;
    assert_eq!(indexes(&store.try_get_log_entries(..).await.expect("read")), [10]);
}

#[tokio::test]
async fn groups_share_a_log_and_never_an_entry() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = Log::open(options(dir.path())).expect("opened");
    let mut a = log.group(GroupId(0)).expect("opened").store;
    let mut b = log.group(GroupId(1)).expect("opened").store;
    append(&mut a, (0..5).map(entry)).await;
    append(&mut b, (0..3).map(entry)).await;
    a.truncate_after(Some(id(1))).await.expect("truncated");
    drop((a, b, log));
    let log = Log::open(options(dir.path())).expect("opened");
    let last = |group| log.group(GroupId(group)).expect("opened").store.group().last();
    assert_eq!((last(0), last(1), last(2)), (Some(id(1)), Some(id(2)), None));
}

#[tokio::test]
async fn a_log_is_open_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let _open = open(dir.path()).expect("opened");
    assert!(matches!(open(dir.path()), Err(LogError::InUse { .. })));
}

#[tokio::test]
async fn a_bounded_read_gives_the_first_entries_from_disk_and_from_memory() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, mut store) = open(dir.path()).expect("opened");
    let big = |index| {
        let bytes = Bytes::from(vec![1; 1024 * 1024]);
        Entry { log_id: id(index), payload: EntryPayload::Normal(Payload::from_bytes(bytes)) }
    };
    append(&mut store, (0..6).map(big)).await;
    assert_eq!(indexes(&store.limited_get_log_entries(2, 6).await.expect("read")), [2]);
    drop((store, log));
    let (_log, mut store) = open(dir.path()).expect("opened");
    append(&mut store, [entry(6)]).await;
    assert_eq!(indexes(&store.limited_get_log_entries(2, 7).await.expect("read")), [2]);
    assert_eq!(store.try_get_log_entries(2..7).await.expect("read").len(), 5);
}
