//! All nodes apply the same entries at the same indexes, whichever of their lives it is (Raft's "state
//! machine safety").

use super::nothing_lost;
use crate::raft_types::Entry;
use crate::sim::witness::Witness;
use crate::sim::world::world;

pub(crate) const LAW: &str = "one log";

/// A node applies something else than was applied at this index before.
pub(crate) fn differs(witness: &Witness, node: u64, index: u64, entry: &Entry) {
    let id = entry.log_id;
    if let Some(key) = witness.told.get(&index) {
        let law = nothing_lost::LAW;
        world().broke(
            law,
            format_args!(
                "entry {index} was acknowledged (client's number {key}); node {node} applies that of \
                 term {} there",
                id.leader_id.term
            ),
        );
        return;
    }
    let before = witness.account(index).map_or(0, |account| account.term);
    world().broke(
        LAW,
        format_args!(
            "at {index} an entry of term {before} was applied; node {node} applies one of term {}",
            id.leader_id.term
        ),
    );
}

/// A node applies an entry before anybody applied those before it.
pub(crate) fn skipped(node: u64, index: u64, end: u64) {
    world().broke(
        LAW,
        format_args!(
            "node {node} applies entry {index} though the last one anywhere is before {end}"
        ),
    );
}
