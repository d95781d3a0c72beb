//! Times and counts of the calls made.
//!
//! A call's time runs from its first sending to its definite answer, repeats and waits included:
//! what the channel would have seen.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::clock;

/// Kinds of calls, in the order of a booking's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Hold,
    Book,
    Cancel,
    /// Ends a hold that could not be booked.
    Release,
}

impl Step {
    pub const ALL: [Step; 4] = [Step::Hold, Step::Book, Step::Cancel, Step::Release];

    pub fn name(self) -> &'static str {
        match self {
            Step::Hold => "hold",
            Step::Book => "book",
            Step::Cancel => "cancel",
            Step::Release => "release",
        }
    }
}

/// One call that got a definite answer.
#[derive(Clone, Debug)]
pub struct Call {
    pub step: Step,
    pub took: Duration,
    pub attempts: u32,
    pub accepted: bool,
}

/// The calls of one kind.
#[derive(Debug)]
pub struct Calls {
    pub sent: u64,
    pub accepted: u64,
    pub repeats: u64,
    micros: Histogram<u64>,
}

/// The longest time told apart; longer ones count as this.
const MICROS_MAX: u64 = 600_000_000;

impl Calls {
    fn new() -> anyhow::Result<Self> {
        let micros = Histogram::new_with_max(MICROS_MAX, 3)?;
        Ok(Self { sent: 0, accepted: 0, repeats: 0, micros })
    }

    /// Milliseconds within which `part` (0..=1) of the calls were answered.
    #[expect(clippy::cast_precision_loss, reason = "shown to three places")]
    pub fn quantile_ms(&self, part: f64) -> f64 {
        self.micros.value_at_quantile(part) as f64 / 1_000.0
    }
}

#[derive(Debug)]
pub struct Measure {
    started: Option<Stopwatch>,
    pub elapsed: Duration,
    calls: [Calls; 4],
}

impl Measure {
    pub fn new() -> anyhow::Result<Self> {
        let calls = [Calls::new()?, Calls::new()?, Calls::new()?, Calls::new()?];
        Ok(Self { started: None, elapsed: Duration::ZERO, calls })
    }

    pub fn start(&mut self) {
        self.started = Some(Stopwatch::start());
    }

    pub fn stop(&mut self) {
        self.elapsed = self.started.as_ref().map_or(Duration::ZERO, Stopwatch::took);
    }

    pub fn add(&mut self, call: &Call) {
        let calls = &mut self.calls[call.step as usize];
        calls.sent += 1;
        calls.accepted += u64::from(call.accepted);
        calls.repeats += u64::from(call.attempts.saturating_sub(1));
        let micros = u64::try_from(call.took.as_micros()).unwrap_or(MICROS_MAX);
        calls.micros.saturating_record(micros);
    }

    pub fn of(&self, step: Step) -> &Calls {
        &self.calls[step as usize]
    }

    /// Definite answers in a second.
    #[expect(clippy::cast_precision_loss, reason = "shown to one place")]
    pub fn per_second(&self, answers: u64) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { answers as f64 / seconds } else { 0.0 }
    }
}

/// Measures from its start.
#[derive(Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(clock::instant())
    }

    pub fn took(&self) -> Duration {
        self.0.elapsed()
    }
}
