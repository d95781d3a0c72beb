//! Once faults end, the group leads, writes and agrees again within a bounded time.

use std::time::Duration;

use crate::sim::world::world;

pub(crate) const LAW: &str = "converges";
/// Virtual time from the end of the last fault until every node has applied the same.
pub(crate) const WITHIN: Duration = Duration::from_secs(40);

pub(crate) fn failed(what: &str) {
    world().broke(LAW, format_args!("{what} within {} s of the last fault", WITHIN.as_secs()));
}

/// A node gave up though its disk works.
pub(crate) fn gave_up(node: u64, why: &dyn std::fmt::Display) {
    world().broke(LAW, format_args!("node {node} can go on no more: {why}"));
}
