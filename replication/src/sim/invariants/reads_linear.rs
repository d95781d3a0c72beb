//! A linearizable read sees everything that anybody was told before it began, on whichever node it is made.

use holdfast_engine::Reader;
use holdfast_engine::ids::HoldId;

use crate::reads::ReadPoint;
use crate::sim::world::world;

pub(crate) const LAW: &str = "reads linear";

/// Somebody was told of `index`, and of a hold, before the read began.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    pub index: u64,
    pub hold: Option<u128>,
}

pub(crate) fn check(node: u64, before: Before, (point, reader): (ReadPoint, &Reader)) {
    if point.index < before.index {
        world().broke(
            LAW,
            format_args!(
                "node {node} reads at entry {}, though {} was acknowledged before",
                point.index, before.index
            ),
        );
    }
    let seen = |hold: &u128| reader.hold(HoldId(*hold)).is_some();
    if let Some(hold) = before.hold.filter(|hold| !seen(hold)) {
        world()
            .broke(LAW, format_args!("node {node} does not see {hold:x}, which was held before"));
    }
}
