//! One Raft group's log as openraft sees it: appends, votes, reads.
//!
//! It owns what of a group is in memory, and translates openraft's calls into requests to the one writer.
//! It refuses to write by itself.
//!
//! **Invariant**: an entry can be read from the moment `append` returns, by every reader.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;

use futures_util::{Stream, stream};
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use parking_lot::RwLock;
use tokio::sync::oneshot;

use super::disk_reader::DiskReader;
use super::tail::{Cut, Tail};
use super::wal::{Done, Request, Wal, stopped};
use crate::GroupId;
use crate::limits::READ_BYTES_MAX;
use crate::raft_types::{Entry, LogId, TypeConfig, Vote};
use crate::runtime;

/// A group's part of memory, shared by the store, its readers and the writer.
pub(crate) struct Group {
    pub id: GroupId,
    tail: RwLock<Tail>,
    vote: RwLock<Option<Vote>>,
}

impl Group {
    pub fn new(id: GroupId, tail: Tail, vote: Option<Vote>) -> Self {
        Self { id, tail: RwLock::new(tail), vote: RwLock::new(vote) }
    }

    pub fn mark_written(&self, index: u64) {
        self.tail.write().mark_written(index);
    }

    pub fn last(&self) -> Option<LogId> {
        self.tail.read().last()
    }

    pub fn purged(&self) -> Option<LogId> {
        self.tail.read().purged()
    }

    pub fn vote(&self) -> Option<Vote> {
        *self.vote.read()
    }
}

/// openraft's log storage over a shared RocksDB. Clones are readers and writers of the same group.
#[derive(Clone)]
pub(crate) struct LogStore {
    group: Arc<Group>,
    disk: DiskReader,
    wal: Arc<Wal>,
    committed: Option<LogId>,
}

impl LogStore {
    pub fn new(
        group: Arc<Group>,
        disk: DiskReader,
        wal: Arc<Wal>,
        committed: Option<LogId>,
    ) -> Self {
        Self { group, disk, wal, committed }
    }

    pub fn group(&self) -> &Group {
        &self.group
    }

    pub fn disk(&self) -> &DiskReader {
        &self.disk
    }

    /// Where the log was committed when it was last open: at least this may be applied at once.
    pub fn committed(&self) -> Option<LogId> {
        self.committed
    }

    /// Some entries of `range` from its first on, as far as the log has them; fewer at its beginning where
    /// it was cut there. Blocks.
    pub fn entries(&self, range: Range<u64>) -> io::Result<Vec<Entry>> {
        self.read(range, READ_BYTES_MAX)
    }

    async fn ask(&self, request: impl FnOnce(Arc<Group>, Done) -> Request) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        self.wal.send(request(self.group.clone(), done))?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Makes the log begin behind `last`, for which a snapshot stands: what comes before goes, and so does all
    /// that follows where this log has another entry in its place, since nothing of that was ever committed.
    /// Synced on return. Blocks: for a thread of its own, before openraft has the log.
    pub fn begin_behind(&self, last: LogId) -> io::Result<()> {
        let (done, truncated) = oneshot::channel();
        let found = self.disk.id_at(last.index)?;
        if found.is_some_and(|found| found != last) {
            let before = match last.index.checked_sub(1) {
                Some(before) => self.disk.id_at(before)?.or_else(|| self.group.purged()),
                None => None,
            };
            self.group.tail.write().truncate_after(before);
            let group = self.group.clone();
            self.wal.send(Request::Truncate { group, after: before, done })?;
            runtime::wait(truncated).unwrap_or_else(|| Err(stopped()))?;
        }
        self.group.tail.write().purge(last);
        let (done, purged) = oneshot::channel();
        self.wal.send(Request::Purge { group: self.group.clone(), upto: last, done })?;
        runtime::wait(purged).unwrap_or_else(|| Err(stopped()))
    }

    /// Entries of `range` that the log has, in order, without a hole; at least one where there is any.
    fn read(&self, range: Range<u64>, bytes_max: usize) -> io::Result<Vec<Entry>> {
        let cut = self.group.tail.read().read(range, bytes_max);
        self.complete(cut, bytes_max)
    }

    fn complete(&self, cut: Cut, bytes_max: usize) -> io::Result<Vec<Entry>> {
        let Cut { on_disk, in_memory } = cut;
        if on_disk.is_empty() {
            return Ok(in_memory);
        }
        let mut entries = self.disk.read(on_disk, bytes_max, || self.group.purged())?;
        entries.extend(in_memory);
        Ok(entries)
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        self.read(half_open(&range), usize::MAX)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.group.vote())
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.read(start..end, READ_BYTES_MAX)
    }

    /// For applying, and in bounded reads: after a restart that may be far more than fits in memory.
    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = Result<Entry, io::Error>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let Range { start, end } = half_open(&range);
        let rest = Rest { store: self.clone(), next: start, end, ready: VecDeque::new() };
        stream::unfold(rest, |mut rest| async move { rest.next().map(|item| (item, rest)) })
    }
}

/// What an entry stream has still to give.
struct Rest {
    store: LogStore,
    next: u64,
    end: u64,
    ready: VecDeque<Entry>,
}

impl Rest {
    fn fill(&mut self) -> io::Result<()> {
        let range = self.next..self.end;
        let cut = self.store.group.tail.write().read_to_apply(range, READ_BYTES_MAX);
        self.ready = self.store.complete(cut, READ_BYTES_MAX)?.into();
        Ok(())
    }

    fn next(&mut self) -> Option<io::Result<Entry>> {
        if self.ready.is_empty()
            && self.next < self.end
            && let Err(error) = self.fill()
        {
            return Some(self.fail(error));
        }
        let entry = self.ready.pop_front()?;
        self.next = entry.log_id.index.saturating_add(1);
        Some(Ok(entry))
    }

    /// The error, and nothing after it.
    fn fail(&mut self, error: io::Error) -> io::Result<Entry> {
        self.end = self.next;
        self.ready.clear();
        Err(error)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let tail = self.group.tail.read();
        Ok(LogState { last_purged_log_id: tail.purged(), last_log_id: tail.last() })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let vote = *vote;
        self.ask(|group, done| Request::Vote { group, vote, done }).await?;
        *self.group.vote.write() = Some(vote);
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.committed = committed;
        match committed {
            Some(upto) => self.wal.send(Request::Committed { group: self.group.clone(), upto }),
            None => Ok(()),
        }
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.committed)
    }

    async fn append<I>(&mut self, entries: I, flushed: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        {
            let mut tail = self.group.tail.write();
            for entry in &entries {
                if !tail.push(entry.clone()) {
                    let index = entry.log_id.index;
                    return Err(io::Error::other(format!("entry {index} would leave a hole")));
                }
            }
        }
        self.wal.send(Request::Append { group: self.group.clone(), entries, flushed })
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        self.group.tail.write().truncate_after(last);
        self.ask(|group, done| Request::Truncate { group, after: last, done }).await
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        self.group.tail.write().purge(upto);
        self.ask(|group, done| Request::Purge { group, upto, done }).await
    }
}

fn half_open(range: &impl RangeBounds<u64>) -> Range<u64> {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => u64::MAX,
    };
    start..end
}
