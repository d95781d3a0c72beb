//! The thread that writes the guard, and the marks it writes.
//!
//! It owns when the file is written: some time after a sync, at once before a truncation and at the end.
//! It refuses to be waited for by an acknowledgement.

#[cfg(holdfast_sim)]
#[path = "keeper/task.rs"]
mod driver;
#[cfg(not(holdfast_sim))]
#[path = "keeper/thread.rs"]
mod driver;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use driver::{Changed, Driver};
use parking_lot::Mutex;

use super::{Mark, Marks, file};
use crate::GroupId;
use crate::clock::TimeSource;
use crate::disk::OnDiskFailure;
use crate::raft_types::{LogId, Vote};

pub(crate) struct Guard {
    shared: Arc<Shared>,
    driver: Driver,
}

/// How far the guard's file is behind what was acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GuardLag {
    /// Age of the oldest acknowledgement that the file does not know of; zero where it knows of all.
    pub now: Duration,
    /// The longest that any had to wait since the log was opened.
    pub longest: Duration,
}

struct Shared {
    time: Arc<dyn TimeSource>,
    path: PathBuf,
    state: Mutex<State>,
    changed: Changed,
    /// Held while the file is written, so that two writers cannot swap an old file for a newer one.
    writing: Mutex<()>,
}

struct State {
    marks: Marks,
    /// Since when `marks` differ from the file.
    dirty_since: Option<Duration>,
    /// Since when what is being written just now has waited.
    writing_since: Option<Duration>,
    longest: Duration,
    stopping: bool,
}

impl Guard {
    /// Writes `marks` at once, then keeps the file close behind what is noted.
    pub fn start(
        path: &Path,
        marks: Marks,
        time: Arc<dyn TimeSource>,
        on_failure: OnDiskFailure,
    ) -> io::Result<Self> {
        file::replace(path, &marks)?;
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            time,
            state: Mutex::new(State::new(marks)),
            changed: Changed::new(),
            writing: Mutex::new(()),
        });
        let driver = Driver::start(shared.clone(), on_failure)?;
        Ok(Self { shared, driver })
    }

    pub fn mark(&self, group: GroupId) -> Mark {
        self.shared.state.lock().marks.get(&group).copied().unwrap_or_default()
    }

    /// Entries up to `last` are synced.
    pub fn note_last(&self, group: GroupId, last: LogId) {
        self.note(group, |mark| mark.last = Some(last));
    }

    /// `vote` is synced.
    pub fn note_vote(&self, group: GroupId, vote: Vote) {
        self.note(group, |mark| mark.vote = Some(vote));
    }

    fn note(&self, group: GroupId, change: impl FnOnce(&mut Mark)) {
        let mut state = self.shared.state.lock();
        change(state.marks.entry(group).or_default());
        if state.dirty_since.is_none() {
            state.dirty_since = Some(self.shared.time.elapsed());
            self.shared.changed.notify_one();
        }
    }

    /// Claims nothing after `last` any more, on disk, before this returns: call it, then truncate.
    pub fn lower(&self, group: GroupId, last: Option<LogId>) -> io::Result<()> {
        {
            let mut state = self.shared.state.lock();
            let mark = state.marks.entry(group).or_default();
            if mark.last.map(|id| id.index) <= last.map(|id| id.index) {
                return Ok(());
            }
            mark.last = last;
            state.dirty_since.get_or_insert_with(|| self.shared.time.elapsed());
        }
        self.shared.write_if_dirty()
    }

    pub fn lag(&self) -> GuardLag {
        let state = self.shared.state.lock();
        let oldest = state.writing_since.or(state.dirty_since);
        let now =
            oldest.map_or(Duration::ZERO, |since| self.shared.time.elapsed().saturating_sub(since));
        GuardLag { now, longest: state.longest.max(now) }
    }

    /// Brings the file up to date and ends the thread.
    pub fn stop(&self) -> io::Result<()> {
        self.shared.state.lock().stopping = true;
        self.shared.changed.notify_all();
        self.driver.join();
        self.shared.write_if_dirty()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Whoever wants to know of a failure calls `stop`: a guard that is too low is only careful.
        let _ = self.stop();
    }
}

impl State {
    fn new(marks: Marks) -> Self {
        let longest = Duration::ZERO;
        Self { marks, dirty_since: None, writing_since: None, longest, stopping: false }
    }
}

impl Shared {
    fn write_if_dirty(&self) -> io::Result<()> {
        let _writing = self.writing.lock();
        let marks = {
            let mut state = self.state.lock();
            let Some(since) = state.dirty_since.take() else { return Ok(()) };
            state.writing_since = Some(since);
            state.marks.clone()
        };
        file::replace(&self.path, &marks)?;
        let now = self.time.elapsed();
        let mut state = self.state.lock();
        if let Some(since) = state.writing_since.take() {
            state.longest = state.longest.max(now.saturating_sub(since));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::DiskFailure;
    use crate::raft_types::Leader;

    fn id(index: u64) -> LogId {
        LogId::new(Leader { term: 1, node_id: 1 }, index)
    }

    fn started(path: &Path) -> Guard {
        let on_failure = Arc::new(|failure: &DiskFailure| panic!("{failure}"));
        Guard::start(path, Marks::new(), crate::fixture::time(), on_failure).expect("started")
    }

    #[test]
    fn a_stop_brings_the_file_up_to_date() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("guard");
        let guard = started(&path);
        for index in 0..100 {
            guard.note_last(GroupId(2), id(index));
        }
        guard.stop().expect("written");
        let marks = file::read(&path).expect("readable").expect("there");
        assert_eq!(marks[&GroupId(2)].last, Some(id(99)));
    }

    #[test]
    fn the_lag_is_that_of_the_oldest_acknowledgement_not_yet_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, time) = (dir.path().join("guard"), crate::fixture::time());
        let on_failure = Arc::new(|failure: &DiskFailure| panic!("{failure}"));
        let guard = Guard::start(&path, Marks::new(), time.clone(), on_failure).expect("started");
        assert_eq!(guard.lag(), GuardLag::default());
        // Held, so that the keeper cannot write meanwhile.
        let writing = guard.shared.writing.lock();
        guard.note_last(GroupId(0), id(1));
        time.advance(Duration::from_millis(70));
        guard.note_last(GroupId(0), id(2));
        time.advance(Duration::from_millis(30));
        let lag = Duration::from_millis(100);
        assert_eq!(guard.lag(), GuardLag { now: lag, longest: lag });
        drop(writing);
        guard.stop().expect("written");
        assert_eq!(guard.lag(), GuardLag { now: Duration::ZERO, longest: lag });
    }

    #[test]
    fn lowering_is_on_disk_when_it_returns_and_never_raises() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("guard");
        let guard = started(&path);
        guard.note_last(GroupId(0), id(10));
        guard.lower(GroupId(0), Some(id(4))).expect("lowered");
        let marks = file::read(&path).expect("readable").expect("there");
        assert_eq!(marks[&GroupId(0)].last, Some(id(4)));
        guard.lower(GroupId(0), Some(id(7))).expect("nothing to lower");
        assert_eq!(guard.mark(GroupId(0)).last, Some(id(4)));
    }
}
