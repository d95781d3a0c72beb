//! The same log gives the same outcomes and the same state, on every node and every time it is read.

use holdfast_engine::codec;
use holdfast_engine::digest::Digest;

use crate::sim::witness::{Account, Seen};
use crate::sim::world::world;

pub(crate) const LAW: &str = "digests equal";

pub(crate) fn check_outcomes(account: &Account, seen: &Seen<'_>) {
    let told = account.commands.iter().map(|(_, outcome)| outcome);
    let same = seen.outcomes.len() == account.commands.len()
        && seen.outcomes.iter().map(codec::encode).zip(told).all(|(one, two)| one == *two);
    if !same {
        let (node, index) = (seen.node, seen.entry.log_id.index);
        world().broke(LAW, format_args!("node {node} has other outcomes for entry {index}"));
    }
}

pub(crate) fn check_digest(account: &Account, seen: &Seen<'_>) {
    if let Some(expected) = &account.digest {
        compare(seen.node, seen.entry.log_id.index, (&seen.writer.digest(), expected));
    }
}

pub(crate) fn compare(node: u64, index: u64, (found, expected): (&Digest, &Digest)) {
    for (part, _, _) in found.differences(expected) {
        world().broke(LAW, format_args!("after entry {index} the {part} of node {node} differ"));
    }
}
