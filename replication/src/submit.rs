//! What a caller gets for a command: a future, an outcome, or the honest reason why there is none.
//!
//! It owns the words of the facade for writes. A dropped future loses nothing: the command is queued, and
//! its ticket is in the proposer's hands.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use holdfast_engine::Outcome;
use tokio::sync::oneshot;

use crate::clock::{Sleep, TimeSource};
use crate::limits::SUBMIT_WAIT_MAX;

/// One command's outcome and where in the log it stands.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Log index of the entry.
    pub index: u64,
    /// Position of the command within its entry.
    pub ordinal: u32,
    pub outcome: Outcome,
}

/// The outcomes of commands submitted together, in their order; they share one entry.
#[derive(Debug, Clone)]
pub struct AppliedMany {
    pub index: u64,
    /// Position of the first command within its entry; the others follow.
    pub first_ordinal: u32,
    pub outcomes: Vec<Outcome>,
}

/// Why a command has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Never proposed: too much waits already.
    #[error("too many commands wait; retry after {} ms", retry_after.as_millis())]
    Busy { retry_after: Duration },
    /// Never proposed: this node does not lead, or does not yet.
    #[error("this node does not lead")]
    NotLeader { leader: Option<u64> },
    /// Proposed, but what became of it is not known here: a retry with the same key finds out.
    #[error("the outcome is unknown: {cause}")]
    Unknown { cause: UnknownCause },
    /// Never proposed: this node is going down.
    #[error("this node is shutting down")]
    ShuttingDown,
    /// Never proposed: more commands, or more bytes, than one entry takes.
    #[error("too large for one entry: {commands} commands, {bytes} bytes")]
    TooLarge { commands: usize, bytes: usize },
    /// Never proposed: the leader's disk has too little space left for the log to grow.
    #[error("the disk is full")]
    DiskFull,
}

/// Why nobody knows the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCause {
    #[error("it took too long")]
    TimedOut,
    #[error("its entry was discarded by a new leader")]
    Discarded,
    #[error("this node stopped")]
    Stopped,
}

pub(crate) type Answer<T> = oneshot::Sender<Result<T, SubmitError>>;

/// A queued command's outcome to be. Dropping it is harmless.
#[must_use = "the outcome is lost if nobody waits for it"]
pub struct Pending<T>(Inner<T>);

enum Inner<T> {
    Refused(Option<SubmitError>),
    Queued { answer: oneshot::Receiver<Result<T, SubmitError>>, deadline: Deadline },
}

pub type Submission = Pending<Applied>;
pub type ManySubmission = Pending<AppliedMany>;

/// When one submission has waited long enough, from when it was queued, wherever it is by then.
pub(crate) struct Deadline {
    time: Arc<dyn TimeSource>,
    end: Duration,
    /// Made when somebody waits: an answer that is there at once needs no timer.
    sleep: Option<Sleep>,
}

impl Deadline {
    pub fn from_now(time: Arc<dyn TimeSource>) -> Self {
        let end = time.elapsed().saturating_add(SUBMIT_WAIT_MAX);
        Self { time, end, sleep: None }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Self { time, end, sleep } = self;
        let sleep = sleep.get_or_insert_with(|| time.sleep(end.saturating_sub(time.elapsed())));
        sleep.as_mut().poll(context)
    }
}

impl<T> Pending<T> {
    pub(crate) fn queued(
        answer: oneshot::Receiver<Result<T, SubmitError>>,
        deadline: Deadline,
    ) -> Self {
        Self(Inner::Queued { answer, deadline })
    }

    pub(crate) fn refused(error: SubmitError) -> Self {
        Self(Inner::Refused(Some(error)))
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, SubmitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // Polled again after it answered: it has nothing more to say than that it is over.
            Inner::Refused(error) => {
                Poll::Ready(Err(error.take().unwrap_or(SubmitError::ShuttingDown)))
            }
            Inner::Queued { answer, deadline } => {
                if let Poll::Ready(answer) = Pin::new(answer).poll(context) {
                    let stopped = SubmitError::Unknown { cause: UnknownCause::Stopped };
                    return Poll::Ready(answer.unwrap_or(Err(stopped)));
                }
                ready!(deadline.poll(context));
                // The command is still on its way, and its ticket with it.
                self.0 = Inner::Refused(None);
                Poll::Ready(Err(SubmitError::Unknown { cause: UnknownCause::TimedOut }))
            }
        }
    }
}

impl<T> Unpin for Pending<T> {}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.0 {
            Inner::Refused(_) => "Pending(refused)",
            Inner::Queued { .. } => "Pending(queued)",
        })
    }
}
