//! The tasks of a node, and the end of one that was not meant to end.
//!
//! It owns the word that a task has panicked: without it the node would stand still and say nothing.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::FatalError;
use crate::runtime::{self, JoinHandle, watch};

/// Where the first panic of a task is told.
#[derive(Debug, Clone)]
pub(super) struct Alarm(Arc<watch::Sender<Option<FatalError>>>);

impl Alarm {
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Runs a task without which the node cannot go on.
    pub fn spawn(
        &self,
        task: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let alarm = self.clone();
        runtime::spawn(async move {
            // What it shared is used no more: the node ends.
            if let Err(panic) = AssertUnwindSafe(work).catch_unwind().await {
                let message = message(panic.as_ref());
                tracing::error!(task, message, "a task of the node panicked");
                alarm.raise(FatalError::Panicked { task, message });
            }
        })
    }

    /// Tells that the node can go on no more; the first word counts.
    pub fn raise(&self, fatal: FatalError) {
        self.0.send_if_modified(|told| {
            let is_first = told.is_none();
            told.get_or_insert(fatal);
            is_first
        });
    }

    /// Resolves when a task has panicked, or has said that the node must end.
    pub async fn raised(&self) -> FatalError {
        let mut told = self.0.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let raised = told.wait_for(Option::is_some).await;
        raised.ok().and_then(|told| told.clone()).unwrap_or(FatalError::Stopped)
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_panic_is_told_to_whoever_asks_before_or_after() {
        let alarm = Alarm::new();
        let early = tokio::spawn({
            let alarm = alarm.clone();
            async move { alarm.raised().await }
        });
        alarm.spawn("quiet", async {}).await.expect("ends");
        assert!(alarm.raised().now_or_never().is_none());
        for task in ["proposer", "completer"] {
            alarm.spawn(task, async move { panic!("the {task} fell over") }).await.expect("caught");
        }
        let message = "the proposer fell over".to_owned();
        let first = FatalError::Panicked { task: "proposer", message };
        assert_eq!(early.await.expect("told"), first);
        assert_eq!(alarm.raised().await, first);
        assert_eq!(first.to_string(), "the proposer panicked: the proposer fell over");
    }
}
