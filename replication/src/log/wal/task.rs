//! The writer as a task of the simulation: a flush takes as long as the simulated disk says.
//!
//! It owns the same loop as the writer's thread does in the product, with a pause where the disk works. A
//! crash in that pause leaves what was being written on the disk or not, as the seed decides.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Round, Writer};
use crate::runtime;

pub(super) struct Driver {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    bell: Notify,
}

struct State {
    writer: Writer,
    /// What the disk works on.
    at_work: Option<Round>,
    stopped: bool,
}

impl Driver {
    pub fn start(writer: Writer) -> io::Result<Self> {
        let state = Mutex::new(State { writer, at_work: None, stopped: false });
        let shared = Arc::new(Shared { state, bell: Notify::new() });
        runtime::spawn(run(shared.clone()));
        Ok(Self { shared })
    }

    pub fn wake(&self) {
        self.shared.bell.notify_one();
    }

    /// Flushes what was sent. After a crash, where this is but a drop, the disk takes nothing any more.
    pub fn stop(&self) {
        let mut state = self.shared.state.lock();
        if state.stopped {
            return;
        }
        state.stopped = true;
        if let Some(round) = state.at_work.take() {
            state.writer.flush(round);
        }
        while let Some(round) = state.next_round() {
            state.writer.flush(round);
        }
    }
}

impl State {
    fn next_round(&mut self) -> Option<Round> {
        let first = self.writer.inbox.try_recv().ok()?;
        Some(self.writer.gather(first))
    }
}

async fn run(shared: Arc<Shared>) {
    loop {
        shared.bell.notified().await;
        loop {
            let pause = {
                let mut state = shared.state.lock();
                if state.stopped {
                    return;
                }
                let Some(round) = state.next_round() else { break };
                // After a failure nothing more reaches the disk.
                let db = state.writer.db.get().filter(|_| state.writer.failed.is_none());
                let pause = db.map(|db| db.begin(&round.batch, round.needs_sync));
                state.at_work = Some(round);
                pause
            };
            runtime::sleep(pause.unwrap_or_default()).await;
            let mut state = shared.state.lock();
            let Some(round) = state.at_work.take() else { return };
            let stop = round.stop;
            state.writer.flush(round);
            if stop {
                state.stopped = true;
                return;
            }
        }
    }
}
