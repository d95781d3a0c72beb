//! The thread that writes the guard, and the marks it writes.
//!
//! It owns when the file is written: some time after a sync, at once before a truncation and at the end.
//! It refuses to be waited for by an acknowledgement.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{Mark, Marks, file};
use crate::GroupId;
use crate::disk::{DiskFailure, OnDiskFailure};
use crate::limits::GUARD_LAG_MAX;
use crate::raft_types::{LogId, Vote};

pub(crate) struct Guard {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    path: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// Held while the file is written, so that two writers cannot swap an old file for a newer one.
    writing: Mutex<()>,
}

struct State {
    marks: Marks,
    /// `marks` differ from the file.
    dirty: bool,
    stopping: bool,
}

impl Guard {
    /// Writes `marks` at once, then keeps the file close behind what is noted.
    pub fn start(path: &Path, marks: Marks, on_failure: OnDiskFailure) -> io::Result<Self> {
        file::replace(path, &marks)?;
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            state: Mutex::new(State { marks, dirty: false, stopping: false }),
            changed: Condvar::new(),
            writing: Mutex::new(()),
        });
        let keeper = shared.clone();
        let thread = thread::Builder::new().name("holdfast-guard".into()).spawn(move || {
            if let Err(error) = keeper.keep() {
                on_failure(&DiskFailure::Guard(error.to_string()));
            }
        })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
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
        if !std::mem::replace(&mut state.dirty, true) {
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
            state.dirty = true;
        }
        self.shared.write_if_dirty()
    }

    /// Brings the file up to date and ends the thread.
    pub fn stop(&self) -> io::Result<()> {
        self.shared.state.lock().stopping = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            // A keeper that panicked has no more to say; the write below speaks for it.
            let _ = thread.join();
        }
        self.shared.write_if_dirty()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Whoever wants to know of a failure calls `stop`: a guard that is too low is only careful.
        let _ = self.stop();
    }
}

impl Shared {
    fn keep(&self) -> io::Result<()> {
        loop {
            let mut state = self.state.lock();
            self.changed.wait_while(&mut state, |state| !state.dirty && !state.stopping);
            if state.stopping {
                return Ok(());
            }
            // Not to wait for a condition but to write at most so often: a stop cuts it short.
            Self::pause(&self.changed, &mut state);
            drop(state);
            self.write_if_dirty()?;
        }
    }

    fn pause(changed: &Condvar, state: &mut MutexGuard<'_, State>) {
        changed.wait_while_for(state, |state| !state.stopping, GUARD_LAG_MAX);
    }

    fn write_if_dirty(&self) -> io::Result<()> {
        let _writing = self.writing.lock();
        let marks = {
            let mut state = self.state.lock();
            if !std::mem::replace(&mut state.dirty, false) {
                return Ok(());
            }
            state.marks.clone()
        };
        file::replace(&self.path, &marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft_types::Leader;

    fn id(index: u64) -> LogId {
        LogId::new(Leader { term: 1, node_id: 1 }, index)
    }

    fn started(path: &Path) -> Guard {
        Guard::start(path, Marks::new(), Arc::new(|failure| panic!("{failure}"))).expect("started")
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
