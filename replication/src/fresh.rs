//! How old this node's state is at most.
//!
//! It owns the moment as of which the state is known to be whole: when somebody here last asked for a read
//! index whose answer is applied. It refuses other signs. That entries arrive, or what time they were given,
//! says nothing of how many are still to come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::applied::AppliedLog;
use crate::runtime::watch;

/// Moments are by the node's monotonic clock.
pub(crate) struct Freshness {
    /// In microseconds, and one more; zero for never.
    whole_as_of: AtomicU64,
    known: watch::Sender<bool>,
}

impl Freshness {
    pub fn new() -> Self {
        Self { whole_as_of: AtomicU64::new(0), known: watch::Sender::new(false) }
    }

    /// Whatever was committed before `asked` is applied here.
    pub fn confirmed(&self, asked: Duration) {
        let asked = u64::try_from(asked.as_micros()).unwrap_or(u64::MAX);
        // Release: whoever sees this sees what was applied before it.
        if self.whole_as_of.fetch_max(asked.saturating_add(1), Ordering::Release) == 0 {
            self.known.send_replace(true);
        }
    }

    /// Takes answers, read indexes with the moments when they were asked for, as they are applied. Ends with them.
    pub async fn settle(&self, applied: &AppliedLog, mut answers: mpsc::Receiver<(u64, Duration)>) {
        while let Some((index, asked)) = answers.recv().await {
            applied.reached(index).await;
            self.confirmed(asked);
        }
    }

    /// Whatever was committed before it is applied here; `None` where nobody has confirmed anything since this
    /// process began.
    pub fn whole_as_of(&self) -> Option<Duration> {
        // Acquire: pairs with the store, for a read that begins after this.
        self.whole_as_of.load(Ordering::Acquire).checked_sub(1).map(Duration::from_micros)
    }

    /// Returns once something was confirmed.
    pub async fn known(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.known.subscribe().wait_for(|known| *known).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_newest_question_that_was_answered_counts() {
        let fresh = Freshness::new();
        assert_eq!(fresh.whole_as_of(), None);
        fresh.confirmed(Duration::from_micros(7));
        // An older question is answered later: it tells nothing new.
        fresh.confirmed(Duration::ZERO);
        assert_eq!(fresh.whole_as_of(), Some(Duration::from_micros(7)));
    }

    #[tokio::test]
    async fn a_node_that_lags_is_as_old_as_its_lag_however_long_that_is() {
        let applied = AppliedLog::new(crate::fixture::time());
        let (fresh, mut seen) = (Arc::new(Freshness::new()), Vec::new());
        let (answered, answers) = mpsc::channel(8);
        for asked in 1..=5_u64 {
            let sent = answered.try_send((asked * 10, Duration::from_secs(asked * 60)));
            sent.expect("room for all");
        }
        let settle = fresh.settle(&applied, answers);
        tokio::pin!(settle);
        for index in [9, 10, 25, 30, 49] {
            applied.advance(index, None);
            assert!(futures_util::poll!(&mut settle).is_pending());
            seen.push(fresh.whole_as_of().map(|as_of| as_of.as_secs()));
        }
        assert_eq!(seen, [None, Some(60), Some(120), Some(180), Some(240)]);
        // Known for good: nobody waits.
        fresh.known().await;
        applied.advance(50, None);
        drop(answered);
        settle.await;
        assert_eq!(fresh.whole_as_of(), Some(Duration::from_secs(300)));
    }
}
