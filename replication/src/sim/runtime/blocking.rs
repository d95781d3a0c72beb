//! Work that blocks: on a thread of its own, which runs only while the simulation stands still for it.
//!
//! It owns the turns. A thread asks the simulation for what passes there (time, an answer, a task) and
//! stands until it is let go on; so a crash finds it between any two of its steps. **Invariant**: of all
//! threads of a simulation one runs at a time, in an order that the seed decides; a thread whose life is
//! over runs to its end without changing anything, before whoever ended that life goes on.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use openraft::AsyncRuntime;
use openraft_rt_sim::{SimInstant, SimRuntime};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Instant;
use super::life::{Life, Poller, Slot};
use crate::sim::world::{World, world};

/// What a thread asks for.
enum Asked {
    Pause(Duration),
    Wait(Pin<Box<dyn Future<Output = ()> + Send>>),
    Spawn(Arc<Slot>),
    /// It has ended.
    Ended,
}

/// A thread's end of the turns.
struct Turns {
    ask: Sender<Asked>,
    go: Receiver<SimInstant>,
    now: SimInstant,
    /// Nobody lets it go on any more: its life is over.
    is_over: bool,
}

impl Turns {
    fn ask(&mut self, asked: Asked) {
        if self.is_over {
            return;
        }
        // Whoever asks for what never comes is told by the other channel.
        let _ = self.ask.send(asked);
        self.wait();
    }

    fn wait(&mut self) {
        match self.go.recv() {
            Ok(now) => self.now = now,
            Err(_) => self.is_over = true,
        }
    }
}

thread_local! {
    static TURNS: RefCell<Option<Turns>> = const { RefCell::new(None) };
}

fn ask(asked: Asked) -> bool {
    TURNS.with(|turns| turns.borrow_mut().as_mut().map(|turns| turns.ask(asked)).is_some())
}

/// Lets time pass, on a thread for work that blocks; elsewhere nothing.
pub(crate) fn pause(duration: Duration) {
    ask(Asked::Pause(duration));
}

/// Stands until the life is over.
pub(crate) fn stand() {
    ask(Asked::Wait(Box::pin(std::future::pending())));
}

/// The twin of a oneshot's blocking wait.
pub(crate) fn wait<T: Send + 'static>(answer: oneshot::Receiver<T>) -> Option<T> {
    let place = Arc::new(Mutex::new(None));
    let put = place.clone();
    ask(Asked::Wait(Box::pin(async move { *put.lock() = answer.await.ok() })));
    let answer = place.lock().take();
    answer
}

/// The moment at which the simulation stands, where this is a thread for work that blocks.
pub(super) fn now() -> Option<SimInstant> {
    TURNS.with(|turns| turns.borrow().as_ref().map(|turns| turns.now))
}

/// Runs a task, whichever thread this is.
pub(super) fn spawn(slot: Arc<Slot>) {
    if !ask(Asked::Spawn(slot.clone())) {
        drop(SimRuntime::spawn(Poller(slot)));
    }
}

/// The simulation's end of the turns with one thread.
struct Worker<T> {
    /// `None` once its life is over.
    go: Option<Sender<SimInstant>>,
    asked: Receiver<Asked>,
    /// `None` once it was waited for.
    thread: Option<JoinHandle<Option<T>>>,
}

impl<T: Send + 'static> Worker<T> {
    fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (ask, asked) = channel();
        let (go, gone_on) = channel();
        let (world, life, now) = (world(), Life::current(), Instant::now().0);
        let log = tracing::dispatcher::get_default(Clone::clone);
        let thread = std::thread::spawn(move || {
            let _ended = Ended(ask.clone());
            let mut turns = Turns { ask, go: gone_on, now, is_over: false };
            turns.wait();
            if turns.is_over {
                return None;
            }
            TURNS.with(|place| *place.borrow_mut() = Some(turns));
            Some(within(&world, life, || tracing::dispatcher::with_default(&log, work)))
        });
        Self { go: Some(go), asked, thread: Some(thread) }
    }

    /// Lets it go on; what it asks for next.
    fn turn(&self) -> Asked {
        if let Some(go) = &self.go {
            // One that has ended takes no more turns, and says so.
            let _ = go.send(Instant::now().0);
        }
        self.asked.recv().unwrap_or(Asked::Ended)
    }

    fn end(&mut self) -> Option<T> {
        let ended = self.thread.take()?.join();
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.go = None;
        if let Some(thread) = self.thread.take() {
            // What it panics with in a life that is over is nobody's any more.
            let _ = thread.join();
        }
    }
}

/// Says that the thread has ended, also where it panicked.
struct Ended(Sender<Asked>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.send(Asked::Ended);
    }
}

fn within<T>(world: &Arc<World>, life: Option<Arc<Life>>, work: impl FnOnce() -> T) -> T {
    let _entered = world.enter();
    Life::within(life, work)
}

/// Runs `work` to its end, in virtual time.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let mut worker = Worker::start(work);
    loop {
        match worker.turn() {
            Asked::Pause(duration) => super::sleep(duration).await,
            Asked::Wait(future) => future.await,
            Asked::Spawn(slot) => drop(SimRuntime::spawn(Poller(slot))),
            Asked::Ended => break,
        }
    }
    match worker.end() {
        Some(done) => done,
        // It was let go on, so it has run.
        None => std::future::pending().await,
    }
}
