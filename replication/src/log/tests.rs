//! The log as a whole: openraft's own suite, reopening, and every way to lose something.
//!
//! It owns no law of its own; each test states one of the log's.

mod damage;
mod reopen;
mod suite;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::type_config::TypeConfigExt;

use super::{Log, LogError, LogOptions, LogStore};
use crate::GroupId;
use crate::payload::Payload;
use crate::raft_types::{Entry, EntryPayload, Leader, LogId, TypeConfig, Vote};

const GROUP: GroupId = GroupId(3);

fn options(dir: &Path) -> LogOptions {
    LogOptions {
        dir: dir.to_owned(),
        accept_loss: false,
        time: crate::fixture::time(),
        on_disk_failure: Arc::new(|failure| panic!("{failure}")),
    }
}

fn open(dir: &Path) -> Result<(Log, LogStore), LogError> {
    open_with(options(dir))
}

fn open_with(options: LogOptions) -> Result<(Log, LogStore), LogError> {
    let log = Log::open(options)?;
    let store = log.group(GROUP)?.store;
    Ok((log, store))
}

fn id(index: u64) -> LogId {
    LogId::new(Leader { term: 1, node_id: 1 }, index)
}

fn entry(index: u64) -> Entry {
    let bytes = Bytes::from(index.to_le_bytes().repeat(32));
    Entry { log_id: id(index), payload: EntryPayload::Normal(Payload::from_bytes(bytes)) }
}

fn vote(term: u64) -> Vote {
    Vote { leader_id: Leader { term, node_id: 1 }, committed: true }
}

/// Appends and waits until the entries are acknowledged as synced.
async fn append(store: &mut LogStore, entries: impl IntoIterator<Item = Entry> + Send) {
    let (flushed, synced) = TypeConfig::oneshot();
    let entries: Vec<_> = entries.into_iter().collect();
    store.append(entries, IOFlushed::signal(flushed)).await.expect("appended");
    synced.await.expect("answered").expect("synced");
}

/// A log of `entries` entries, one sync each, as a crash leaves it: nothing flushed out of the WAL.
async fn crashed_log(dir: &Path, entries: u64) {
    let (log, mut store) = open(dir).expect("opened");
    store.save_vote(&vote(1)).await.expect("voted");
    for index in 0..entries {
        append(&mut store, [entry(index)]).await;
    }
    drop((store, log));
}

fn indexes(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.log_id.index).collect()
}

/// The WAL files of the log, oldest first.
fn wal_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(super::rocks_dir(dir)).expect("a log");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    files.sort();
    files
}
