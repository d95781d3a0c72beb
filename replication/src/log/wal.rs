//! The one thread that writes a RocksDB: batch, one synced flush, then callbacks in order.
//!
//! It owns the order of everything durable: entries and votes of all groups share this path, and what
//! comes in during a flush is collected for the next one. It refuses to read.
//!
//! **Invariant**: a callback runs only after the sync that covers its request, and the guard is told
//! only what was synced.

#[cfg(holdfast_sim)]
#[path = "wal/task.rs"]
mod driver;
#[cfg(not(holdfast_sim))]
#[path = "wal/thread.rs"]
mod driver;

use std::io;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use driver::Driver;
use openraft::storage::IOFlushed;
use tokio::sync::oneshot;

use super::database::Database;
use super::group::Group;
use super::guard::Guard;
use super::rocks::WriteBatch;
use super::tail::weight;
use super::{keys, record, rocks};
use crate::disk::{DiskFailure, OnDiskFailure};
use crate::limits::{WAL_BYTES_SOFT_MAX, WAL_QUEUE_MAX, WAL_REQUESTS_MAX};
use crate::raft_types::{Entry, LogId, TypeConfig, Vote};

pub(crate) type Done = oneshot::Sender<io::Result<()>>;

pub(crate) enum Request {
    Append {
        group: Arc<Group>,
        entries: Vec<Entry>,
        flushed: IOFlushed<TypeConfig>,
    },
    Vote {
        group: Arc<Group>,
        vote: Vote,
        done: Done,
    },
    /// Unsynced and unanswered: losing it costs a little replay.
    Committed {
        group: Arc<Group>,
        upto: LogId,
    },
    Truncate {
        group: Arc<Group>,
        after: Option<LogId>,
        done: Done,
    },
    Purge {
        group: Arc<Group>,
        upto: LogId,
        done: Done,
    },
    Stop,
}

pub(crate) struct Wal {
    requests: Sender<Request>,
    driver: Driver,
}

impl Wal {
    pub fn start(
        db: Arc<Database>,
        guard: Arc<Guard>,
        on_failure: OnDiskFailure,
    ) -> io::Result<Self> {
        let (requests, inbox) = bounded(WAL_QUEUE_MAX);
        let writer = Writer { db, guard, on_failure, inbox, failed: None, value: Vec::new() };
        Ok(Self { requests, driver: Driver::start(writer)? })
    }

    /// Hands `request` to the writer; fails only once the writer has stopped.
    pub fn send(&self, request: Request) -> io::Result<()> {
        self.requests.send(request).map_err(|_| stopped())?;
        self.driver.wake();
        Ok(())
    }

    /// Writes what was sent so far, then ends the thread.
    pub fn stop(&self) {
        // A writer that is gone already needs no telling.
        let _ = self.requests.send(Request::Stop);
        self.driver.stop();
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn stopped() -> io::Error {
    io::Error::other("the log's writer has stopped")
}

struct Writer {
    db: Arc<Database>,
    guard: Arc<Guard>,
    on_failure: OnDiskFailure,
    inbox: Receiver<Request>,
    /// The first failure: after it nothing is written and nothing acknowledged.
    failed: Option<DiskFailure>,
    /// The value being encoded, kept for its capacity.
    value: Vec<u8>,
}

/// Requests that share one flush, with what is to be told when it is done.
#[derive(Default)]
struct Round {
    batch: WriteBatch,
    bytes: usize,
    needs_sync: bool,
    after: Vec<After>,
    stop: bool,
}

enum After {
    Appended { group: Arc<Group>, last: Option<LogId>, flushed: IOFlushed<TypeConfig> },
    Voted { group: Arc<Group>, vote: Vote, done: Done },
    Done(Done),
}

impl Writer {
    /// `first`, and what has come in since, as much as one flush takes.
    fn gather(&mut self, first: Request) -> Round {
        let mut round = Round::default();
        self.take(first, &mut round);
        for _ in 1..WAL_REQUESTS_MAX {
            if round.stop || round.bytes >= WAL_BYTES_SOFT_MAX {
                break;
            }
            let Ok(request) = self.inbox.try_recv() else { break };
            self.take(request, &mut round);
        }
        round
    }

    fn take(&mut self, request: Request, round: &mut Round) {
        match request {
            Request::Append { group, entries, flushed } => {
                let last = entries.last().map(|entry| entry.log_id);
                for entry in &entries {
                    let key = keys::entry(group.id, entry.log_id.index);
                    record::put_entry(&key, entry, &mut self.value);
                    round.batch.put(key, &self.value);
                    round.bytes += weight(entry);
                }
                round.needs_sync |= last.is_some();
                round.after.push(After::Appended { group, last, flushed });
            }
            Request::Vote { group, vote, done } => {
                let key = keys::vote(group.id);
                record::put_vote(&key, &vote, &mut self.value);
                round.batch.put(key, &self.value);
                round.needs_sync = true;
                round.after.push(After::Voted { group, vote, done });
            }
            Request::Committed { group, upto } => {
                let key = keys::committed(group.id);
                record::put_log_id(&key, &upto, &mut self.value);
                round.batch.put(key, &self.value);
            }
            Request::Truncate { group, after, done } => self.truncate(&group, after, done, round),
            Request::Purge { group, upto, done } => {
                let key = keys::purged(group.id);
                record::put_log_id(&key, &upto, &mut self.value);
                round.batch.put(key, &self.value);
                let from = keys::entry(group.id, 0);
                let to = keys::entry(group.id, upto.index.saturating_add(1));
                round.batch.delete_range(from, to);
                round.needs_sync = true;
                round.after.push(After::Done(done));
            }
            Request::Stop => round.stop = true,
        }
    }

    /// What came before is flushed first, so that the guard can then be lowered below it.
    fn truncate(&mut self, group: &Group, after: Option<LogId>, done: Done, round: &mut Round) {
        self.flush(std::mem::take(round));
        if self.failed.is_none()
            && let Err(error) = self.guard.lower(group.id, after)
        {
            self.fail(DiskFailure::Guard(error.to_string()));
        }
        let from = keys::entry(group.id, super::tail::next(after));
        round.batch.delete_range(from.as_slice(), keys::entries_end(group.id).as_slice());
        round.needs_sync = true;
        round.after.push(After::Done(done));
    }

    fn flush(&mut self, round: Round) {
        let Round { batch, needs_sync, after, .. } = round;
        if self.failed.is_none() && !batch.is_empty() {
            let is_synced = needs_sync && cfg!(not(holdfast_bug = "acknowledge_before_sync"));
            let options = if is_synced { rocks::synced() } else { rocks::unsynced() };
            let written = match self.db.get() {
                Some(db) => db.write_opt(batch, &options).map_err(rocks::Error::into_string),
                // Closed only after this thread has ended; should it ever not be, nothing was written.
                None => Err("the log is closed".to_owned()),
            };
            if let Err(error) = written {
                self.fail(DiskFailure::Log(error));
            }
        }
        for after in after {
            self.tell(after);
        }
    }

    fn tell(&self, after: After) {
        let result = match &self.failed {
            None => Ok(()),
            Some(failure) => Err(io::Error::other(failure.clone())),
        };
        let synced = result.is_ok();
        match after {
            After::Appended { group, last, flushed } => {
                if synced && let Some(last) = last {
                    group.mark_written(last.index);
                    self.guard.note_last(group.id, last);
                }
                flushed.io_completed(result);
            }
            After::Voted { group, vote, done } => {
                if synced {
                    self.guard.note_vote(group.id, vote);
                }
                // Whoever asked may have been cancelled; the vote stands all the same.
                let _ = done.send(result);
            }
            After::Done(done) => {
                let _ = done.send(result);
            }
        }
    }

    fn fail(&mut self, failure: DiskFailure) {
        (self.on_failure)(&failure);
        self.failed.get_or_insert(failure);
    }
}
