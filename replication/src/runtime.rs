//! What tasks run on: tokio; and, in a build for the simulation, its virtual clock, network and disks.
//!
//! It owns the names under which this crate spawns, sleeps, connects, watches and reaches the files of
//! snapshots, so that the same source runs on both. It refuses to add anything to them. **Invariant**:
//! nothing else in this crate names a task, a timer or a socket of tokio's; what is left of tokio elsewhere
//! wakes in the order of waiting.

#[cfg(not(holdfast_sim))]
pub(crate) use machine::*;

#[cfg(holdfast_sim)]
pub(crate) use crate::sim::runtime::*;

#[cfg(not(holdfast_sim))]
mod machine {
    use std::io;

    pub(crate) use holdfast_snapshot::MACHINE as FILES;
    pub(crate) use tokio::net::{TcpListener, TcpStream};
    pub(crate) use tokio::runtime::Handle;
    pub(crate) use tokio::spawn;
    use tokio::sync::oneshot;
    pub(crate) use tokio::sync::watch;
    pub(crate) use tokio::task::{AbortHandle, JoinHandle, JoinSet, spawn_blocking, yield_now};
    pub(crate) use tokio::time::error::Elapsed;
    pub(crate) use tokio::time::{Instant, sleep, timeout};

    /// Blocks until there is an answer; `None` where nobody will give one. For a thread of its own.
    pub(crate) fn wait<T: Send + 'static>(answer: oneshot::Receiver<T>) -> Option<T> {
        answer.blocking_recv().ok()
    }

    /// What openraft's own tasks run on.
    pub(crate) type RaftRuntime = openraft::impls::TokioRuntime;

    /// A runtime of threads of its own. Dropped, it waits for nothing that runs on it, so that it may be dropped
    /// on a thread of another.
    pub(crate) struct Runtime {
        handle: Handle,
        own: Option<tokio::runtime::Runtime>,
    }

    impl Runtime {
        pub fn handle(&self) -> &Handle {
            &self.handle
        }
    }

    impl Drop for Runtime {
        fn drop(&mut self) {
            if let Some(own) = self.own.take() {
                own.shutdown_background();
            }
        }
    }

    /// A runtime with so many threads, named `name`, at least one.
    pub(crate) fn own(threads: usize, name: &str) -> io::Result<Runtime> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let own = builder.worker_threads(threads.max(1)).thread_name(name).enable_all().build()?;
        Ok(Runtime { handle: own.handle().clone(), own: Some(own) })
    }
}
