//! The table of entries in flight: outcomes to their waiters, tickets back to escrow.
//!
//! It owns tickets from proposal to outcome. A waiter may give up waiting; the ticket stays here until
//! the entry's end is known.

use std::sync::Arc;

use holdfast_engine::limits::SWEEP_MAX;
use holdfast_engine::{Outcome, Ticket};
use openraft::errors::ClientWriteError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::ReplyReceiver;
use super::queue::{Queue, Waiter};
use crate::raft_types::Reply;
use crate::submit::{Applied, AppliedMany, SubmitError, UnknownCause};

/// One proposed entry and everyone who waits for it.
pub(crate) struct InFlight {
    /// Commands at the head of the entry that are the proposer's own.
    pub own: usize,
    /// The last of its own commands is a sweep.
    pub sweep: bool,
    pub waiters: Vec<(Waiter, Option<Ticket>)>,
    pub reply: ReplyReceiver,
    pub slot: OwnedSemaphorePermit,
}

/// Completes entries in the order in which they were proposed, which is the order of their outcomes.
pub(crate) async fn complete(mut entries: mpsc::UnboundedReceiver<InFlight>, queue: Arc<Queue>) {
    while let Some(entry) = entries.recv().await {
        entry.complete(&queue).await;
    }
}

impl InFlight {
    async fn complete(self, queue: &Queue) {
        let Self { own, sweep, waiters, reply, slot } = self;
        let answered = reply.await;
        drop(slot);
        match answered {
            Ok(Ok(response)) => {
                let Reply { outcomes } = response.data;
                if sweep && swept_all_it_may(outcomes.get(own.saturating_sub(1))) {
                    queue.sweep_again();
                }
                tell(waiters, response.log_id.index, own, outcomes);
            }
            Ok(Err(ClientWriteError::ForwardToLeader(to))) => {
                if sweep {
                    queue.owe_sweep();
                }
                fail(waiters, &SubmitError::NotLeader { leader: to.leader_id });
            }
            Ok(Err(_)) => fail(waiters, &SubmitError::Unknown { cause: UnknownCause::Discarded }),
            Err(_) => fail(waiters, &SubmitError::Unknown { cause: UnknownCause::Stopped }),
        }
    }
}

fn fail(waiters: Vec<(Waiter, Option<Ticket>)>, error: &SubmitError) {
    for (waiter, ticket) in waiters {
        drop(ticket);
        waiter.fail(error.clone());
    }
}

/// Escrow first, then the answer: whoever reads the answer finds the rooms counted once.
fn tell(waiters: Vec<(Waiter, Option<Ticket>)>, index: u64, own: usize, outcomes: Vec<Outcome>) {
    let mut outcomes = outcomes.into_iter().skip(own);
    let mut ordinal = u32::try_from(own).unwrap_or(u32::MAX);
    for (waiter, ticket) in waiters {
        drop(ticket);
        let commands = waiter.commands();
        match waiter {
            Waiter::One(answer) => {
                let applied = outcomes.next().map(|outcome| Applied { index, ordinal, outcome });
                // A dropped future does not want to know.
                drop(answer.send(applied.ok_or(INCOMPLETE)));
            }
            Waiter::Many { answer, commands } => {
                let outcomes: Vec<_> = outcomes.by_ref().take(commands).collect();
                let whole = outcomes.len() == commands;
                let many = AppliedMany { index, first_ordinal: ordinal, outcomes };
                drop(answer.send(if whole { Ok(many) } else { Err(INCOMPLETE) }));
            }
        }
        ordinal = ordinal.saturating_add(u32::try_from(commands).unwrap_or(u32::MAX));
    }
}

/// The engine answers every command; should it ever not, nobody may be told a wrong outcome.
const INCOMPLETE: SubmitError = SubmitError::Unknown { cause: UnknownCause::Stopped };

fn swept_all_it_may(outcome: Option<&Outcome>) -> bool {
    matches!(outcome, Some(Outcome::Swept { expired }) if *expired >= SWEEP_MAX)
}
