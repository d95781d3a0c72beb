//! The keeper's thread.
//!
//! It owns the wait between two writes of the file, and the alarm of a keeper that panicked.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{Shared, State};
use crate::disk::{DiskFailure, OnDiskFailure};
use crate::limits::GUARD_LAG_MAX;

/// Rung when the marks differ from the file, and at the end.
pub(super) type Changed = Condvar;

pub(super) struct Driver {
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Reports a keeper that panicked: the file would stay behind for ever, and nobody would know.
struct PanicAlarm(OnDiskFailure);

impl Drop for PanicAlarm {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)(&DiskFailure::Guard("its thread panicked".to_owned()));
        }
    }
}

impl Driver {
    pub fn start(keeper: Arc<Shared>, on_failure: OnDiskFailure) -> io::Result<Self> {
        let thread = thread::Builder::new().name("holdfast-guard".into()).spawn(move || {
            let _alarm = PanicAlarm(on_failure.clone());
            if let Err(error) = keep(&keeper) {
                on_failure(&DiskFailure::Guard(error.to_string()));
            }
        })?;
        Ok(Self { thread: Mutex::new(Some(thread)) })
    }

    /// Waits for the end of a keeper that was told to stop.
    pub fn join(&self) {
        if let Some(thread) = self.thread.lock().take() {
            // A keeper that panicked has no more to say; the write that follows speaks for it.
            let _ = thread.join();
        }
    }
}

fn keep(shared: &Shared) -> io::Result<()> {
    loop {
        let mut state = shared.state.lock();
        shared
            .changed
            .wait_while(&mut state, |state| state.dirty_since.is_none() && !state.stopping);
        if state.stopping {
            return Ok(());
        }
        // Not to wait for a condition but to write at most so often: a stop cuts it short.
        pause(&shared.changed, &mut state);
        drop(state);
        shared.write_if_dirty()?;
    }
}

fn pause(changed: &Condvar, state: &mut MutexGuard<'_, State>) {
    changed.wait_while_for(state, |state| !state.stopping, GUARD_LAG_MAX);
}
