//! A hold ends when its time is over: not before, and, while the log moves, not much later. A log that
//! stood still, since nobody led, sweeps with the first tick of whoever leads again.

use holdfast_engine::hold::Status;
use holdfast_engine::{Event, Reader};

use crate::limits::TICK_EVERY;
use crate::sim::time::millis;
use crate::sim::world::world;

pub(crate) const LAW: &str = "expiry on time";
/// How much later than its time, by the log's clock, a hold may be found alive besides a tick, in
/// milliseconds.
const SLACK_MS: u64 = 500;

/// Log time moves since then without standing still for longer than between two ticks.
#[derive(Debug, Default)]
pub(crate) struct Moving {
    since_ms: u64,
    last_ms: u64,
}

impl Moving {
    fn to(&mut self, at_ms: u64) -> u64 {
        if at_ms.saturating_sub(self.last_ms) > millis(TICK_EVERY) + SLACK_MS {
            self.since_ms = at_ms;
        }
        self.last_ms = at_ms;
        self.since_ms
    }
}

pub(crate) fn check(
    moving: &mut Moving,
    reader: &Reader,
    (index, at_ms): (u64, u64),
    events: &[Event],
) {
    let since_ms = moving.to(at_ms);
    for event in events {
        if let Event::HoldChanged(hold) = event
            && hold.status == Status::Expired
            && hold.expires_ms > at_ms
        {
            let early = hold.expires_ms - at_ms;
            world().broke(LAW, format_args!("entry {index} ends a hold {early} ms early"));
        }
    }
    let due = reader.next_expiry_ms().max(since_ms);
    if due.saturating_add(millis(TICK_EVERY) + SLACK_MS) < at_ms {
        let late = at_ms - due;
        world().broke(LAW, format_args!("after entry {index} a hold is {late} ms overdue"));
    }
}

/// Nothing was asked for any more for longer than a hold lives.
pub(crate) fn check_end(node: u64, reader: &Reader) {
    let due = reader.next_expiry_ms();
    if due != u64::MAX {
        world().broke(LAW, format_args!("node {node} still waits for an expiry at {due}"));
    }
}
