//! Confirmed leadership: one round of the quorum for everyone who asks meanwhile.
//!
//! It owns the rule that makes a shared answer sound: whoever asks while a round runs waits for the next
//! one, so no answer is older than its question.

use std::sync::Arc;

use openraft::ReadPolicy;
use openraft::errors::{LinearizableReadError, RaftError};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::raft_types::Raft;

/// What a linearizable read rests on, on whichever node it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadPoint {
    /// Committed after the read was asked for, and applied here now.
    pub index: u64,
    /// The log's time by the leader's clock, read after that, in milliseconds.
    pub now_ms: u64,
}

/// Why leadership could not be confirmed. Each means: ask again, or ask another node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeadershipError {
    #[error("this node does not lead")]
    NotLeader { leader: Option<u64> },
    #[error("no quorum answered")]
    NoQuorum,
    #[error("this node has stopped")]
    Stopped,
}

type Asked = oneshot::Sender<Result<u64, LeadershipError>>;

pub(crate) struct ReadIndex {
    /// Who waits for the next round; `None` once there is none to come.
    asked: Mutex<Option<Vec<Asked>>>,
    work: Notify,
}

impl ReadIndex {
    pub fn new() -> Self {
        Self { asked: Mutex::new(Some(Vec::new())), work: Notify::new() }
    }

    /// An index that was committed after this call began and is applied here now.
    pub async fn confirm(&self) -> Result<u64, LeadershipError> {
        let (asked, answer) = oneshot::channel();
        match self.asked.lock().as_mut() {
            Some(waiting) => waiting.push(asked),
            None => return Err(LeadershipError::Stopped),
        }
        self.work.notify_one();
        answer.await.unwrap_or(Err(LeadershipError::Stopped))
    }

    /// Tells everyone who asks, now and later, that there is no answer.
    pub fn close(&self) {
        // Dropping the senders is the answer.
        drop(self.asked.lock().take());
        self.work.notify_one();
    }

    /// Runs rounds as long as someone asks, until it is closed.
    pub async fn run<R: Rounds>(self: Arc<Self>, rounds: R) {
        loop {
            self.work.notified().await;
            let Some(asked) = self.asked.lock().as_mut().map(std::mem::take) else { return };
            if asked.is_empty() {
                continue;
            }
            let answer = rounds.round().await;
            for asked in asked {
                // Whoever has gone does not need the answer.
                let _ = asked.send(answer.clone());
            }
        }
    }
}

/// One round: confirm with a quorum, then wait until what it names is applied.
pub(crate) trait Rounds: Send + 'static {
    fn round(&self) -> impl Future<Output = Result<u64, LeadershipError>> + Send;
}

impl Rounds for Raft {
    async fn round(&self) -> Result<u64, LeadershipError> {
        #[cfg(holdfast_bug = "refuse_from_a_stale_leader")]
        {
            use openraft::async_runtime::WatchReceiver;
            let metrics = self.metrics();
            let now = metrics.borrow_watched();
            if now.state == openraft::ServerState::Leader {
                return Ok(now.last_applied.map_or(0, |id| id.index));
            }
        }
        match self.ensure_linearizable(ReadPolicy::ReadIndex).await {
            Ok(read) => Ok(read.index()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(to))) => {
                Err(LeadershipError::NotLeader { leader: to.leader_id })
            }
            Err(RaftError::APIError(_)) => Err(LeadershipError::NoQuorum),
            Err(RaftError::Fatal(_)) => Err(LeadershipError::Stopped),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// Each round hands the test a sender and waits for what it says.
    struct HeldRounds(mpsc::UnboundedSender<Asked>);

    impl Rounds for HeldRounds {
        async fn round(&self) -> Result<u64, LeadershipError> {
            let (round, answer) = oneshot::channel();
            self.0.send(round).expect("the test listens");
            answer.await.unwrap_or(Err(LeadershipError::NoQuorum))
        }
    }

    #[tokio::test]
    async fn whoever_asks_during_a_round_shares_the_next_one() {
        let (rounds, mut started) = mpsc::unbounded_channel();
        let read_index = Arc::new(ReadIndex::new());
        let runner = tokio::spawn(read_index.clone().run(HeldRounds(rounds)));
        let mut early = Box::pin(read_index.confirm());
        assert!(futures_util::poll!(&mut early).is_pending());
        let first = started.recv().await.expect("a round");
        let mut late = [Box::pin(read_index.confirm()), Box::pin(read_index.confirm())];
        for late in &mut late {
            assert!(futures_util::poll!(late).is_pending());
        }
        first.send(Ok(7)).expect("waited for");
        assert_eq!(early.await, Ok(7));
        let second = started.recv().await.expect("a round of their own");
        second.send(Ok(9)).expect("waited for");
        for late in late {
            assert_eq!(late.await, Ok(9));
        }
        assert!(started.try_recv().is_err(), "one round for both");
        read_index.close();
        assert_eq!(read_index.confirm().await, Err(LeadershipError::Stopped));
        runner.await.expect("ends");
    }
}
