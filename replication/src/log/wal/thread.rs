//! The writer's thread.
//!
//! It owns the loop: wait for a request, gather what has come with it, flush. It refuses to know what is
//! written.

use std::io;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;

use super::Writer;
use crate::disk::{DiskFailure, OnDiskFailure};

pub(super) struct Driver {
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Reports a writer that panicked, since nobody joins it before the end.
struct PanicAlarm(OnDiskFailure);

impl Drop for PanicAlarm {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)(&DiskFailure::WriterDied);
        }
    }
}

impl Driver {
    pub fn start(writer: Writer) -> io::Result<Self> {
        let thread = thread::Builder::new().name("holdfast-wal".into()).spawn(|| run(writer))?;
        Ok(Self { thread: Mutex::new(Some(thread)) })
    }

    /// The thread waits on the channel itself.
    #[expect(clippy::unused_self, reason = "its twin of the simulation has a bell to ring")]
    pub fn wake(&self) {}

    /// Waits until the writer has met its stop.
    pub fn stop(&self) {
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

fn run(mut writer: Writer) {
    let _alarm = PanicAlarm(writer.on_failure.clone());
    loop {
        let Ok(first) = writer.inbox.recv() else { return };
        let round = writer.gather(first);
        let stop = round.stop;
        writer.flush(round);
        if stop {
            return;
        }
    }
}
