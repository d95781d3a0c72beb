//! The proposer: commands of all connections into few entries, several in flight.
//!
//! It owns a command from the moment it is queued until its outcome is told, and with it the command's
//! ticket. While earlier entries are in flight commands gather; an idle log gets a batch of one at once.
//!
//! **Invariant**: a ticket is dropped exactly once, here: on the outcome, on discard, when the lead is
//! lost, or at the end.

mod completer;
mod queue;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use holdfast_engine::command::{Archive, Sweep, Tick};
use holdfast_engine::{Command, Verb};
use openraft::impls::ProgressResponder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

pub(crate) use completer::{InFlight, complete};
pub(crate) use queue::{Item, Queue};

use crate::clock::{LogClock, TimeSource};
use crate::lead::Lead;
use crate::limits::{ENTRIES_IN_FLIGHT_MAX, ENTRY_BYTES_SOFT_MAX, ENTRY_COMMANDS_MAX, TICK_EVERY};
use crate::payload::{Part, Payload};
use crate::raft_types::{Leader, TypeConfig};
use crate::runtime::watch;
use crate::submit::SubmitError;

pub(crate) type ReplyReceiver = openraft::type_config::alias::OneshotReceiverOf<
    TypeConfig,
    openraft::raft::ClientWriteResult<TypeConfig>,
>;

/// Where entries go: a Raft group, or a test's stand-in for one.
pub(crate) trait Log: Send + Sync + 'static {
    /// Proposes `payload` in the lead of `leader` and no other; the answer comes through the responder.
    fn propose(
        &self,
        payload: Payload,
        leader: Leader,
        responder: ProgressResponder<TypeConfig, openraft::raft::ClientWriteResult<TypeConfig>>,
    ) -> impl Future<Output = ()> + Send;

    /// Holds are due at `now_ms`, so that a sweep has something to do.
    fn holds_due(&self, now_ms: u64) -> bool;

    /// The step that archives bookings, where some are due and what was archived before is written.
    fn archive_due(&self) -> Option<Archive>;
}

pub(crate) struct Proposer<L> {
    pub log: L,
    pub queue: Arc<Queue>,
    pub clock: Arc<LogClock>,
    pub time: Arc<dyn TimeSource>,
    pub lead: watch::Receiver<Lead>,
    pub in_flight: mpsc::UnboundedSender<InFlight>,
}

impl<L: Log> Proposer<L> {
    /// Runs until the queue is closed and empty, or there is nobody left to lead. Nothing waits on.
    pub async fn run(mut self) {
        self.propose_all().await;
        self.queue.close();
        self.queue.refuse_all(&SubmitError::ShuttingDown);
    }

    /// The channel to the completer needs no bound: the slots are its bound.
    async fn propose_all(&mut self) {
        let slots = Arc::new(Semaphore::new(ENTRIES_IN_FLIGHT_MAX));
        let mut tick = self.time.sleep(Duration::ZERO);
        let mut led = None;
        loop {
            let Lead::Leading(leader) = *self.lead.borrow_and_update() else {
                if !self.wait_to_lead().await {
                    return;
                }
                continue;
            };
            if led.replace(leader) != Some(leader) {
                // Its clock may be past what is due by the one before: it does not wait for a tick of its last
                // lead.
                tick = self.time.sleep(Duration::ZERO);
            }
            let slot = tokio::select! {
                biased;
                changed = self.lead.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                slot = slots.clone().acquire_owned() => slot,
            };
            let Ok(slot) = slot else { return };
            let tick_is_due = tokio::select! {
                biased;
                _ = self.lead.changed() => continue,
                () = &mut tick => true,
                open = self.queue.work() => if open { false } else { return },
            };
            if tick_is_due {
                tick = self.time.sleep(TICK_EVERY);
            }
            self.propose(leader, slot, tick_is_due).await;
        }
    }

    /// Refuses what waits, since it was never proposed, until the lead changes. `false` at the end.
    async fn wait_to_lead(&mut self) -> bool {
        tokio::select! {
            biased;
            changed = self.lead.changed() => changed.is_ok(),
            open = self.queue.work() => {
                // Others learn of a lead while this task is yet to be told: what they submit by then is not refused.
                // No lead begins while it is looked at.
                let lead = self.lead.borrow();
                if let Lead::Following(leader) = *lead {
                    // A follower does not sweep; the next leader looks for itself.
                    self.queue.take_sweep_again();
                    self.queue.refuse_all(&SubmitError::NotLeader { leader });
                }
                open
            }
        }
    }

    async fn propose(&self, leader: Leader, slot: OwnedSemaphorePermit, tick: bool) {
        let at_ms = self.clock.stamp();
        let (again, owed) = (self.queue.take_sweep_again(), self.queue.take_owed_sweep());
        let sweep = again || owed || (tick && self.log.holds_due(at_ms));
        let mut parts = Vec::new();
        if tick {
            parts.push(Part::new(Command::plain(Verb::Tick(Tick))));
        }
        // Before the sweep, which is looked for at the end of the proposer's own.
        if tick && let Some(archive) = self.log.archive_due() {
            parts.push(Part::new(Command::plain(Verb::Archive(archive))));
        }
        if sweep {
            parts.push(Part::new(Command::plain(Verb::Sweep(Sweep::default()))));
        }
        let own = parts.len();
        let mut waiters = Vec::new();
        for item in self.queue.take(ENTRY_COMMANDS_MAX, ENTRY_BYTES_SOFT_MAX) {
            parts.extend(item.parts);
            waiters.push((item.waiter, item.ticket));
        }
        if parts.is_empty() {
            return;
        }
        let payload = Payload::assemble(at_ms, parts.into_iter());
        let (responder, reply) = ProgressResponder::complete_only();
        let in_flight = InFlight { own, sweep, waiters, reply, slot };
        // First the table, then the log: a ticket has an owner at every moment. A completer that is
        // gone drops what it is handed, and with it the tickets.
        let _ = self.in_flight.send(in_flight);
        self.log.propose(payload, leader, responder).await;
    }
}
