//! Every way to lose a part of the log, and what an operator is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use openraft::RaftLogReader;
use rocksdb::WriteBatch;

use super::super::{LogDamage, keys, record, rocks, rocks_dir};
use super::*;

const ENTRIES: u64 = 40;

fn cut(path: &Path, bytes: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).expect("opened");
    let length = file.metadata().expect("metadata").len();
    file.set_len(length - bytes).expect("cut");
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("written");
}

fn guard_file(dir: &Path) -> PathBuf {
    super::super::guard_path(dir)
}

fn opened_loss(dir: &Path) -> LogError {
    open(dir).map(drop).expect_err("refused")
}

/// All files of the log and its guard but RocksDB's own diary and lock.
fn bytes_of(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files =
        fs::read_dir(rocks_dir(dir)).expect("a log").map(|file| file.expect("a file").path());
    files
        .chain([guard_file(dir)])
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            !name.starts_with("LOG")
        })
        .map(|path| (path.clone(), fs::read(path).expect("read")))
        .collect()
}

#[tokio::test]
async fn a_torn_tail_that_nobody_was_told_of_is_repaired() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    let acknowledged = fs::read(guard_file(dir.path())).expect("a guard");
    let (log, mut store) = open(dir.path()).expect("opened");
    append(&mut store, [entry(ENTRIES)]).await;
    drop((store, log));
    // The last entry reached the disk half, and no acknowledgement went out.
    fs::write(guard_file(dir.path()), acknowledged).expect("written");
    cut(wal_files(dir.path()).last().expect("a WAL"), 20);
    let (_log, mut store) = open(dir.path()).expect("opened");
    let entries = store.try_get_log_entries(..).await.expect("read");
    assert_eq!(indexes(&entries), (0..ENTRIES).collect::<Vec<_>>());
    append(&mut store, [entry(ENTRIES)]).await;
}

#[tokio::test]
async fn a_cut_acknowledged_tail_is_refused_and_the_first_missing_entry_named() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    cut(wal_files(dir.path()).last().expect("a WAL"), 20);
    let before = bytes_of(dir.path());
    for _ in 0..2 {
        let error = opened_loss(dir.path());
        assert!(
            matches!(error, LogError::Lost { group: 3, first_missing: 39, acknowledged: 39 }),
            "{error}"
        );
        let text = error.to_string();
        assert!(text.contains("first missing entry is 39"), "{text}");
        assert!(text.contains("restore") && text.contains("learner"), "{text}");
    }
    assert_eq!(bytes_of(dir.path()), before, "a refused log is left as it was found");
}

#[tokio::test]
async fn a_byte_flipped_in_the_middle_is_refused_whichever_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    let wal = wal_files(dir.path()).pop().expect("a WAL");
    let whole = fs::read(&wal).expect("read");
    for at in (whole.len() / 4..whole.len() * 3 / 4).step_by(whole.len() / 16) {
        flip(&wal, at);
        let before = bytes_of(dir.path());
        let error = opened_loss(dir.path());
        let LogError::Lost { first_missing, acknowledged, .. } = error else { panic!("{error}") };
        assert!((1..ENTRIES).contains(&first_missing), "byte {at}: {first_missing}");
        assert_eq!(acknowledged, ENTRIES - 1);
        assert_eq!(bytes_of(dir.path()), before);
        fs::write(&wal, &whole).expect("healed");
    }
    assert!(open(dir.path()).is_ok());
}

#[tokio::test]
async fn a_removed_wal_file_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    fs::remove_file(wal_files(dir.path()).pop().expect("a WAL")).expect("removed");
    let error = opened_loss(dir.path());
    assert!(matches!(error, LogError::Lost { .. } | LogError::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn any_removed_table_or_manifest_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, mut store) = open(dir.path()).expect("opened");
    append(&mut store, (0..ENTRIES).map(entry)).await;
    log.close().expect("closed");
    drop((store, log));
    for (path, bytes) in bytes_of(dir.path()) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let needed =
            ["CURRENT", "MANIFEST", ".sst", "guard"].iter().any(|part| name.contains(part));
        if needed {
            fs::remove_file(&path).expect("removed");
            assert!(open(dir.path()).is_err(), "{name} is needed");
            fs::write(&path, bytes).expect("healed");
        }
    }
    assert!(open(dir.path()).is_ok());
}

#[tokio::test]
async fn a_log_without_its_guard_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    fs::remove_file(guard_file(dir.path())).expect("removed");
    assert!(matches!(opened_loss(dir.path()), LogError::GuardMissing { .. }));
}

#[tokio::test]
async fn a_damaged_guard_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    flip(&guard_file(dir.path()), 20);
    assert!(matches!(opened_loss(dir.path()), LogError::Guard(_)));
}

#[tokio::test]
async fn a_guard_without_its_log_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    fs::remove_dir_all(rocks_dir(dir.path())).expect("removed");
    let error = opened_loss(dir.path());
    assert!(matches!(error, LogError::LogMissing { acknowledged: 39, .. }), "{error}");
}

#[tokio::test]
async fn a_log_of_another_history_is_refused() {
    let (dir, other) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
    crashed_log(dir.path(), ENTRIES).await;
    let (log, mut store) = open(other.path()).expect("opened");
    store.save_vote(&vote(1)).await.expect("voted");
    let leader_id = Leader { term: 0, node_id: 9 };
    let foreign =
        (0..ENTRIES).map(|index| Entry { log_id: LogId::new(leader_id, index), ..entry(index) });
    append(&mut store, foreign).await;
    drop((store, log));
    fs::copy(guard_file(dir.path()), guard_file(other.path())).expect("copied");
    assert!(matches!(opened_loss(other.path()), LogError::Replaced { index: 39, .. }));
}

#[tokio::test]
async fn a_lost_vote_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), 1).await;
    let earlier = fs::read_dir(rocks_dir(dir.path())).expect("a log");
    let kept: Vec<_> = earlier
        .map(|file| file.expect("a file").path())
        .map(|path| (path.clone(), fs::read(path).expect("read")))
        .collect();
    let (log, mut store) = open(dir.path()).expect("opened");
    store.save_vote(&vote(2)).await.expect("voted");
    drop((store, log));
    fs::remove_dir_all(rocks_dir(dir.path())).expect("removed");
    fs::create_dir(rocks_dir(dir.path())).expect("made");
    for (path, bytes) in kept {
        fs::write(path, bytes).expect("restored");
    }
    assert!(matches!(opened_loss(dir.path()), LogError::VoteLost { term: 2, .. }));
}

/// Writes around the log's own paths, as a failing disk below RocksDB's checksums would.
fn put_raw(dir: &Path, change: impl FnOnce(&mut WriteBatch)) {
    let db = rocks::open(&rocks_dir(dir), true).expect("opened");
    let mut batch = WriteBatch::default();
    change(&mut batch);
    db.write_opt(batch, &rocks::synced()).expect("written");
}

#[tokio::test]
async fn a_damaged_or_missing_entry_inside_is_found_by_the_scan_and_never_read() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    let key = keys::entry(GROUP, 7);
    put_raw(dir.path(), |batch| {
        let mut value = Vec::new();
        record::put_entry(&key, &entry(7), &mut value);
        *value.last_mut().expect("bytes") ^= 1;
        batch.put(key, value);
        batch.delete(keys::entry(GROUP, 9));
    });
    let before = bytes_of(dir.path());
    let stopped = Log::read_only(dir.path(), GROUP).expect("the ends are whole");
    let damage = stopped.scan(0..ENTRIES, |_| Ok(())).expect_err("damaged");
    assert!(matches!(damage, LogDamage::Entry { index: 7, .. }), "{damage}");
    drop(stopped);
    assert_eq!(bytes_of(dir.path()), before, "reading a stopped log changes nothing");
    let (_log, mut store) = open(dir.path()).expect("the ends are whole");
    let scan = |from| store.disk().scan(from..ENTRIES, |_| Ok(()));
    assert!(matches!(scan(0), Err(LogDamage::Entry { index: 7, .. })));
    assert_eq!(scan(8), Err(LogDamage::Hole { index: 9, found: 10 }));
    assert!(store.try_get_log_entries(0..ENTRIES).await.is_err());
    assert!(store.try_get_log_entries(8..12).await.is_err());
    assert!(store.try_get_log_entries(10..12).await.is_ok());
}

#[tokio::test]
async fn what_a_later_build_has_written_is_no_loss_and_is_left_as_it_is() {
    type Key = fn(&mut WriteBatch, &mut Vec<u8>);
    let written: [Key; 3] = [
        |batch, value| {
            let key = keys::entry(GROUP, ENTRIES - 1);
            record::put_entry(&key, &entry(ENTRIES - 1), value);
            value[0] += 1;
            batch.put(key, &value);
        },
        |batch, value| {
            let key = keys::vote(GROUP);
            record::put_vote(&key, &vote(2), value);
            value[0] += 1;
            batch.put(key, &value);
        },
        |batch, value| {
            let key = keys::purged(GROUP);
            record::put_log_id(&key, &entry(3).log_id, value);
            value[0] += 1;
            batch.put(key, &value);
        },
    ];
    for write in written {
        let dir = tempfile::tempdir().expect("a directory");
        crashed_log(dir.path(), ENTRIES).await;
        put_raw(dir.path(), |batch| write(batch, &mut Vec::new()));
        let before = bytes_of(dir.path());
        let refused = opened_loss(dir.path());
        assert!(matches!(refused, LogError::LaterFormat { .. }), "{refused}");
        let says = "format version 2 is not readable by this build, which reads up to 1";
        assert!(refused.to_string().contains(says), "{refused}");
        assert_eq!(bytes_of(dir.path()), before, "the refused start changed files");
        let accepted = LogOptions { accept_loss: true, ..options(dir.path()) };
        let refused = open_with(accepted).map(drop).expect_err("nothing is lost");
        assert!(matches!(refused, LogError::LaterFormat { .. }), "{refused}");
    }
}

#[tokio::test]
async fn an_accepted_loss_keeps_what_is_whole_from_the_beginning() {
    let dir = tempfile::tempdir().expect("a directory");
    crashed_log(dir.path(), ENTRIES).await;
    put_raw(dir.path(), |batch| batch.delete(keys::entry(GROUP, 20)));
    let (log, mut store) = open_with(LogOptions { accept_loss: true, ..options(dir.path()) })
        .expect("the loss is accepted");
    assert_eq!(store.try_get_log_entries(..).await.expect("read").len(), 20);
    append(&mut store, [entry(20)]).await;
    drop((store, log));
    // Once accepted the log is an ordinary one again.
    let (_log, mut store) = open(dir.path()).expect("opened");
    assert_eq!(store.try_get_log_entries(..).await.expect("read").len(), 21);
    assert_eq!(store.read_vote().await.expect("read"), Some(vote(1)));
}

#[tokio::test]
async fn a_cut_a_flip_or_a_lost_guard_can_be_accepted() {
    type Harm = fn(&Path);
    let harms: [Harm; 5] = [
        |dir| flip(&wal_files(dir)[0], 100),
        |dir| cut(&wal_files(dir)[0], 400),
        |dir| flip(&wal_files(dir)[0], 2_000),
        |dir| fs::remove_file(guard_file(dir)).expect("removed"),
        |dir| fs::remove_dir_all(rocks_dir(dir)).expect("removed"),
    ];
    for (number, harm) in harms.into_iter().enumerate() {
        let dir = tempfile::tempdir().expect("a directory");
        crashed_log(dir.path(), ENTRIES).await;
        harm(dir.path());
        assert!(open(dir.path()).is_err(), "harm {number} is seen");
        let accepted = LogOptions { accept_loss: true, ..options(dir.path()) };
        let (log, mut store) = open_with(accepted).expect("the loss is accepted");
        let left = indexes(&store.try_get_log_entries(..).await.expect("read"));
        let count = left.len() as u64;
        assert_eq!(store.read_vote().await.expect("read").is_some(), count > 0, "harm {number}");
        assert_eq!(left, (0..count).collect::<Vec<_>>(), "harm {number}");
        append(&mut store, [entry(count)]).await;
        drop((store, log));
        open(dir.path()).expect("an ordinary log again");
    }
}
