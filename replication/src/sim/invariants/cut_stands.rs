//! What is cut off a log, a snapshot stands for that is whole and on that very disk, name and bytes: a power
//! loss just then takes neither.

use holdfast_snapshot::Reader;

use crate::GroupId;
use crate::log::{keys, record};
use crate::node::OpenError;
use crate::sim::disk::Disk;
use crate::sim::world::{Counts, world};
use crate::snapshots::head;

pub(crate) const LAW: &str = "cut stands";

/// A log was cut on that disk; `purged` is what it wrote of where.
pub(crate) fn check(disk: &Disk, purged: &[u8]) {
    let Ok(last) = record::get_log_id(&keys::purged(GroupId(0)), purged) else {
        world().broke(LAW, format_args!("node {} writes a cut nobody can read", disk.node));
        return;
    };
    Counts::add(&world().counts.cuts);
    world().note(format_args!("node {} cuts its log behind {}", disk.node, last.index));
    // The newest has the last name.
    let mut sure = disk.durable().into_iter().rev().map(|(_, bytes)| whole_up_to(&bytes));
    if !sure.any(|stands_for| stands_for >= Some(last.index)) {
        world().broke(
            LAW,
            format_args!(
                "node {} cuts its log up to entry {}, and no whole snapshot is sure on its disk",
                disk.node, last.index
            ),
        );
    }
}

/// A node does not start: its log is cut, and nothing stands for what it lacks.
pub(crate) fn nothing_leads_up(node: u64, why: &OpenError) {
    world().broke(LAW, format_args!("node {node} does not start: {why}"));
}

/// The last entry in a snapshot; `None` where it is none, or not whole.
fn whole_up_to(bytes: &[u8]) -> Option<u64> {
    let mut reader = Reader::open(bytes).ok()?;
    while reader.next_block().ok()?.is_some() {}
    head::place(reader.meta()).ok().map(|(last, _)| last.index)
}
