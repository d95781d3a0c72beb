//! Payments that lapsed: their hold expired while they were under way, and nobody came back for them.
//!
//! It follows the log's events and voids each at the providers. Every node does, and again after each
//! start: voiding what was never set aside, or was voided before, changes nothing. **Invariant:** the
//! thread that applies the log never waits for a provider.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_engine::Event;
use holdfast_replication::Follower;
use tokio::sync::{Notify, watch};

use crate::limits::LAPSED_PAYMENTS_MAX;
use crate::payment::Payments;

/// Intents that are to be voided. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Lapsed(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    intents: Mutex<VecDeque<u128>>,
    woken: Notify,
}

impl Lapsed {
    /// What the node calls with each entry that made events.
    pub fn follower(&self) -> Follower {
        let lapsed = self.clone();
        Box::new(move |entry| {
            for event in entry.events {
                if let Event::PaymentLapsed { intent, .. } = event {
                    lapsed.add(*intent);
                }
            }
        })
    }

    fn add(&self, intent: u128) {
        let mut intents = self.0.intents.lock().unwrap_or_else(PoisonError::into_inner);
        if intents.len() >= LAPSED_PAYMENTS_MAX {
            // The oldest: what a long log brings up at start was voided by whoever ran before.
            tracing::warn!("more payments lapsed than this node remembers; the oldest is left out");
            intents.pop_front();
        }
        intents.push_back(intent);
        drop(intents);
        self.0.woken.notify_one();
    }

    fn next(&self) -> Option<u128> {
        self.0.intents.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Voids what lapsed, one after the other, until the server stops.
    pub async fn run(self, payments: &Payments, mut stopping: watch::Receiver<bool>) {
        loop {
            while let Some(intent) = self.next() {
                if *stopping.borrow() {
                    return;
                }
                payments.void(intent).await;
            }
            tokio::select! {
                () = self.0.woken.notified() => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
        let lapsed = Lapsed::default();
        for intent in 0..=LAPSED_PAYMENTS_MAX as u128 {
            lapsed.add(intent);
        }
        assert_eq!(lapsed.next(), Some(1));
        assert_eq!(lapsed.0.intents.lock().unwrap().len(), LAPSED_PAYMENTS_MAX - 1);
    }
}
