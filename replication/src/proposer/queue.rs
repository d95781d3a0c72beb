//! What waits to be proposed: bounded by commands and by bytes, first come first served.
//!
//! It owns a command and its ticket until the proposer takes them. A full queue gives both back at once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_engine::Ticket;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use crate::limits::{
    BUSY_RETRY_AFTER, QUEUE_BULK_COMMANDS_MAX, QUEUE_BYTES_MAX, QUEUE_COMMANDS_MAX,
};
use crate::payload::Part;
use crate::submit::{Answer, Applied, AppliedMany, SubmitError};

/// Commands that stay together, in order, in one entry.
pub(crate) struct Item {
    pub parts: Parts,
    pub ticket: Option<Ticket>,
    pub waiter: Waiter,
}

/// One command without a vector, or many.
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the common one, and moves twice"
)]
pub(crate) enum Parts {
    One(Option<Part>),
    Many(std::vec::IntoIter<Part>),
}

pub(crate) enum Waiter {
    One(Answer<Applied>),
    Many { answer: Answer<AppliedMany>, commands: usize },
}

impl Waiter {
    pub fn commands(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many { commands, .. } => *commands,
        }
    }

    /// Tells that there is no outcome. Whoever dropped the future does not want to know.
    pub fn fail(self, error: SubmitError) {
        match self {
            Self::One(answer) => drop(answer.send(Err(error))),
            Self::Many { answer, .. } => drop(answer.send(Err(error))),
        }
    }
}

impl Item {
    pub fn one(part: Part, ticket: Option<Ticket>, answer: Answer<Applied>) -> Self {
        Self { parts: Parts::One(Some(part)), ticket, waiter: Waiter::One(answer) }
    }

    pub fn many(parts: Vec<Part>, answer: Answer<AppliedMany>) -> Self {
        let waiter = Waiter::Many { answer, commands: parts.len() };
        Self { parts: Parts::Many(parts.into_iter()), ticket: None, waiter }
    }

    fn bytes(&self) -> usize {
        match &self.parts {
            Parts::One(part) => part.as_ref().map_or(0, |part| part.encoded.len()),
            Parts::Many(parts) => parts.as_slice().iter().map(|part| part.encoded.len()).sum(),
        }
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        match self {
            Self::One(part) => part.take(),
            Self::Many(parts) => parts.next(),
        }
    }
}

pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    work: Notify,
    /// Room for commands of `submit_many`, which wait for it; it comes back as they are proposed.
    bulk_room: Semaphore,
    sweep_again: AtomicBool,
    sweep_owed: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    commands: usize,
    bytes: usize,
    closed: bool,
}

impl Queue {
    pub fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            work: Notify::new(),
            bulk_room: Semaphore::new(QUEUE_BULK_COMMANDS_MAX as usize),
            sweep_again: AtomicBool::new(false),
            sweep_owed: AtomicBool::new(false),
        }
    }

    /// Queues `item`, or drops it and its ticket and says why.
    pub fn push(&self, item: Item) -> Result<(), SubmitError> {
        let (commands, bytes) = (item.waiter.commands(), item.bytes());
        let refused = {
            let mut waiting = self.waiting.lock();
            let full = waiting.commands + commands > QUEUE_COMMANDS_MAX as usize
                || waiting.bytes + bytes > QUEUE_BYTES_MAX;
            if !waiting.closed && !full {
                waiting.commands += commands;
                waiting.bytes += bytes;
                waiting.items.push_back(item);
                drop(waiting);
                self.work.notify_one();
                return Ok(());
            }
            if waiting.closed {
                SubmitError::ShuttingDown
            } else {
                SubmitError::Busy { retry_after: BUSY_RETRY_AFTER }
            }
        };
        // Outside the lock: a ticket's drop is not this queue's business.
        drop(item);
        Err(refused)
    }

    /// Waits for room among the bulk commands, then queues like [`Queue::push`].
    pub async fn push_bulk(&self, item: Item) -> Result<(), SubmitError> {
        let commands = u32::try_from(item.waiter.commands()).unwrap_or(u32::MAX);
        let Ok(room) = self.bulk_room.acquire_many(commands).await else {
            return Err(SubmitError::ShuttingDown);
        };
        self.push(item)?;
        // Given back by `take` when these commands leave the queue.
        room.forget();
        Ok(())
    }

    /// Whole items, oldest first, until `commands_max` or `bytes_max` would be passed; at least one.
    pub fn take(&self, commands_max: usize, bytes_max: usize) -> Vec<Item> {
        let mut taken = Vec::new();
        let (mut commands, mut bytes, mut bulk) = (0, 0, 0);
        {
            let mut waiting = self.waiting.lock();
            while let Some(item) = waiting.items.front() {
                let (more_commands, more_bytes) = (item.waiter.commands(), item.bytes());
                let full =
                    commands + more_commands > commands_max || bytes + more_bytes > bytes_max;
                if full && !taken.is_empty() {
                    break;
                }
                commands += more_commands;
                bytes += more_bytes;
                if let Waiter::Many { commands, .. } = item.waiter {
                    bulk += commands;
                }
                taken.extend(waiting.items.pop_front());
            }
            waiting.commands -= commands;
            waiting.bytes -= bytes;
        }
        if bulk > 0 {
            self.bulk_room.add_permits(bulk);
        }
        taken
    }

    /// Waits until something waits to be proposed: `true`. Closed and empty: `false`.
    pub async fn work(&self) -> bool {
        loop {
            {
                let waiting = self.waiting.lock();
                // Acquire is not needed: the flag carries no data, a late look costs one tick.
                if !waiting.items.is_empty() || self.sweep_again.load(Ordering::Relaxed) {
                    return true;
                }
                if waiting.closed {
                    return false;
                }
            }
            self.work.notified().await;
        }
    }

    /// A sweep left holds that are due: the next entry sweeps on, without waiting for a tick.
    pub fn sweep_again(&self) {
        // Relaxed: see `work`.
        self.sweep_again.store(true, Ordering::Relaxed);
        self.work.notify_one();
    }

    pub fn take_sweep_again(&self) -> bool {
        // Relaxed: see `work`.
        self.sweep_again.swap(false, Ordering::Relaxed)
    }

    /// An entry with a sweep was refused by the log: the next one has it, whenever that comes. Nobody is
    /// woken, since a log that refuses would refuse that as well.
    pub fn owe_sweep(&self) {
        // Relaxed: see `work`.
        self.sweep_owed.store(true, Ordering::Relaxed);
    }

    pub fn take_owed_sweep(&self) -> bool {
        // Relaxed: see `work`.
        self.sweep_owed.swap(false, Ordering::Relaxed)
    }

    /// Takes nothing more in; what waits is still proposed.
    pub fn close(&self) {
        self.waiting.lock().closed = true;
        self.bulk_room.close();
        self.work.notify_one();
    }

    pub fn refuse_all(&self, error: &SubmitError) {
        for item in self.take(usize::MAX, usize::MAX) {
            drop(item.ticket);
            item.waiter.fail(error.clone());
        }
    }

    /// Commands that wait.
    pub fn depth(&self) -> usize {
        self.waiting.lock().commands
    }
}
