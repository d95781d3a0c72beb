//! The beat of acknowledged writes: how many there were, and the longest pause between two.
//!
//! Owns the measure of a write gap. A pause that still lasts counts as long as it has lasted.

use std::time::{Duration, Instant};

use holdfast_server::clock;
use tokio::sync::watch;

/// How long writes may stay away before the test calls them stopped.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Beat(watch::Sender<Done>);

#[derive(Clone, Copy)]
struct Done {
    writes: usize,
    /// When the last one was, or when the measure began.
    last: Option<Instant>,
    longest: Duration,
}

impl Beat {
    /// The first pause begins with the first write.
    pub fn new() -> Self {
        Self(watch::Sender::new(Done { writes: 0, last: None, longest: Duration::ZERO }))
    }

    /// A write was acknowledged now.
    pub fn acknowledged(&self) {
        self.0.send_modify(|done| {
            let now = clock::instant();
            let pause = done.last.map_or(Duration::ZERO, |last| now.duration_since(last));
            done.longest = done.longest.max(pause);
            (done.writes, done.last) = (done.writes + 1, Some(now));
        });
    }

    /// Forgets earlier pauses; one may begin now.
    #[allow(dead_code, reason = "not every test that has this file measures twice")]
    pub fn begin(&self) {
        self.0.send_modify(|done| {
            (done.last, done.longest) = (Some(clock::instant()), Duration::ZERO);
        });
    }

    /// Waits for `count` more writes.
    pub async fn some(&self, count: usize) {
        let mut done = self.0.subscribe();
        let wanted = done.borrow().writes + count;
        let enough = done.wait_for(|done| done.writes >= wanted);
        tokio::time::timeout(PATIENCE, enough).await.expect("writes go on").unwrap();
    }

    pub fn longest(&self) -> Duration {
        let done = *self.0.borrow();
        let still = done.last.map_or(Duration::ZERO, |last| clock::instant().duration_since(last));
        done.longest.max(still)
    }
}
