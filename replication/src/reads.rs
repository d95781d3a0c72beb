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

#[derive(Default)]
pub(crate) struct ReadIndex {
    asked: Mutex<Vec<Asked>>,
    work: Notify,
}

impl ReadIndex {
    /// An index that was committed after this call began and is applied here now.
    pub async fn confirm(&self) -> Result<u64, LeadershipError> {
        let (asked, answer) = oneshot::channel();
        self.asked.lock().push(asked);
        self.work.notify_one();
        answer.await.unwrap_or(Err(LeadershipError::Stopped))
    }

    /// Runs rounds as long as someone asks. Ends with the group; whoever still asks is told so.
    pub async fn run<R: Rounds>(self: Arc<Self>, rounds: R) {
        loop {
            self.work.notified().await;
            let asked = std::mem::take(&mut *self.asked.lock());
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
