//! Spawning, and waiting for what was spawned.
//!
//! It owns the twins of tokio's join handle and join set. A task that panicked broke a law, whoever waits
//! for it.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::blocking;
use super::life::Slot;
use crate::sim::world::world;

/// Why a task has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JoinError {
    /// It was aborted, or its life is over.
    Cancelled,
    Panicked(String),
}

impl fmt::Display for JoinError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => out.write_str("the task was cancelled"),
            Self::Panicked(message) => write!(out, "the task panicked: {message}"),
        }
    }
}

impl std::error::Error for JoinError {}

pub(crate) struct JoinHandle<T> {
    result: oneshot::Receiver<Result<T, JoinError>>,
    abort: AbortHandle,
}

#[derive(Clone)]
pub(crate) struct AbortHandle(Weak<Slot>);

impl AbortHandle {
    pub fn abort(&self) {
        if let Some(slot) = self.0.upgrade() {
            slot.cancel();
        }
    }
}

impl<T> JoinHandle<T> {
    pub fn abort(&self) {
        self.abort.abort();
    }

    pub fn abort_handle(&self) -> AbortHandle {
        self.abort.clone()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.result).poll(context);
        polled.map(|result| result.unwrap_or(Err(JoinError::Cancelled)))
    }
}

/// Runs `future` as a task of the current life.
pub(crate) fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (tell, result) = oneshot::channel();
    let slot = Slot::new(Box::pin(async move {
        let ended = AssertUnwindSafe(future).catch_unwind().await;
        let ended = ended.map_err(|panic| {
            let message = message(panic.as_ref());
            world().broke("no task panics", format_args!("{message}"));
            JoinError::Panicked(message)
        });
        // Whoever does not wait does not want to know.
        let _ = tell.send(ended);
    }));
    let abort = AbortHandle(Arc::downgrade(&slot));
    blocking::spawn(slot);
    JoinHandle { result, abort }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a message".to_owned())
}

/// Tasks that end with the set.
pub(crate) struct JoinSet<T> {
    running: usize,
    aborts: Vec<AbortHandle>,
    tell: mpsc::UnboundedSender<Result<T, JoinError>>,
    ended: mpsc::UnboundedReceiver<Result<T, JoinError>>,
}

impl<T: Send + 'static> JoinSet<T> {
    pub fn new() -> Self {
        let (tell, ended) = mpsc::unbounded_channel();
        Self { running: 0, aborts: Vec::new(), tell, ended }
    }

    pub fn spawn(&mut self, future: impl Future<Output = T> + Send + 'static) {
        let tell = self.tell.clone();
        let task = spawn(async move {
            let ended = AssertUnwindSafe(future).catch_unwind().await;
            let ended = ended.map_err(|panic| JoinError::Panicked(message(panic.as_ref())));
            if let Err(panic) = &ended {
                world().broke("no task panics", format_args!("{panic}"));
            }
            let _ = tell.send(ended);
        });
        self.aborts.retain(|abort| abort.0.strong_count() > 0);
        self.aborts.push(task.abort_handle());
        self.running += 1;
    }

    pub fn len(&self) -> usize {
        self.running
    }

    /// `None` where nothing runs.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        if self.running == 0 {
            return None;
        }
        let ended = self.ended.recv().await;
        self.running -= 1;
        ended
    }

    #[expect(clippy::unused_async, reason = "tokio's waits")]
    pub async fn shutdown(&mut self) {
        self.abort_all();
        self.running = 0;
    }
}

impl<T> JoinSet<T> {
    fn abort_all(&mut self) {
        for abort in self.aborts.drain(..) {
            abort.abort();
        }
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.abort_all();
    }
}
