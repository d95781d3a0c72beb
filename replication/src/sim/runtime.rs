//! What tasks run on in a simulation: one thread, a virtual clock, and lives that end with all their
//! tasks at once.
//!
//! It owns the twins of what `crate::runtime` names, over openraft's simulated runtime. **Invariant**: a
//! task belongs to the life of the node that spawned it; when that ends, nothing of it runs any more.

pub(crate) mod blocking;
mod join;
mod life;
mod raft;
pub(crate) mod watch;

use std::io;
use std::ops::Add;
use std::time::Duration;

use openraft::AsyncRuntime;
use openraft::Instant as _;
use openraft_rt_sim::{SimInstant, SimRuntime, SimSleep, SimTimeout};

pub(crate) use super::files::FILES;
pub(crate) use super::net::{TcpListener, TcpStream};
pub(crate) use blocking::wait;
pub(crate) use join::{AbortHandle, JoinHandle, JoinSet, spawn};
pub(crate) use life::Life;
pub(crate) use openraft_rt_sim::Elapsed;
pub(crate) use raft::RaftRuntime;

use super::world::world;

/// A moment of the virtual clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(SimInstant);

impl Instant {
    pub fn now() -> Self {
        Self(blocking::now().unwrap_or_else(SimInstant::now))
    }

    /// Virtual time since the simulation began.
    pub fn since_start(self) -> Duration {
        self.0.elapsed_since_start()
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0 + by)
    }
}

pub(crate) fn sleep(duration: Duration) -> SimSleep {
    SimRuntime::sleep(duration)
}

pub(crate) fn timeout<F: Future + Send>(duration: Duration, future: F) -> SimTimeout<F> {
    SimRuntime::timeout(duration, future)
}

/// Lets every other task that can run do so first.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// Runs `work` a moment later: what blocks in the product takes the time here that its files take.
pub(crate) fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let pause = Duration::from_micros(world().schedule.lock().between(10, 3_000));
    spawn(async move {
        sleep(pause).await;
        blocking::run(work).await
    })
}

/// The life in which it was taken: what is spawned through it belongs there.
#[derive(Clone)]
pub(crate) struct Handle(Option<std::sync::Arc<Life>>);

impl Handle {
    pub fn current() -> Self {
        Self(Life::current())
    }

    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Life::within(self.0.clone(), || spawn(future))
    }
}

/// A node of a simulation has no threads of its own.
pub(crate) struct Runtime(Handle);

impl Runtime {
    pub fn handle(&self) -> &Handle {
        &self.0
    }
}

pub(crate) fn own(_threads: usize, _name: &str) -> io::Result<Runtime> {
    Ok(Runtime(Handle::current()))
}
