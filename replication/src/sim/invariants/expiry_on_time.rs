//! A hold ends when its time is over: not before, and, while the log moves, not much later.

use holdfast_engine::hold::Status;
use holdfast_engine::{Event, Reader};

use crate::limits::TICK_EVERY;
use crate::sim::time::millis;
use crate::sim::world::world;

pub(crate) const LAW: &str = "expiry on time";
/// How much later than its time, by the log's clock, a hold may be found alive besides a tick, in
/// milliseconds.
const SLACK_MS: u64 = 500;

pub(crate) fn check(reader: &Reader, (index, at_ms): (u64, u64), events: &[Event]) {
    for event in events {
        if let Event::HoldChanged(hold) = event
            && hold.status == Status::Expired
            && hold.expires_ms > at_ms
        {
            let early = hold.expires_ms - at_ms;
            world().broke(LAW, format_args!("entry {index} ends a hold {early} ms early"));
        }
    }
    let due = reader.next_expiry_ms();
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
