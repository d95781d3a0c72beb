//! A node that begins with a snapshot, its own or one it was sent, has the state that the log makes up to
//! there: that of the node which took it, and of everybody at that entry.

use holdfast_engine::digest::Digest;

use super::digests_equal;
use crate::raft_types::LogId;
use crate::sim::witness::Witness;
use crate::sim::world::world;

pub(crate) const LAW: &str = "snapshots true";

/// A node marks its state for a snapshot.
pub(crate) fn marked(witness: &mut Witness, node: u64, last: LogId, digest: Digest) {
    is_of_the_log(witness, node, last);
    let (end, index) = (witness.end(), last.index);
    if index + 1 == end {
        digests_equal::compare(node, index, (&digest, &witness.digest()));
    }
    match witness.marked.get(&index) {
        Some(before) => digests_equal::compare(node, index, (&digest, before)),
        None => drop(witness.marked.insert(index, digest)),
    }
}

/// A node begins with a snapshot.
pub(crate) fn begun(witness: &Witness, node: u64, last: LogId, digest: &Digest) {
    is_of_the_log(witness, node, last);
    let index = last.index;
    let Some(expected) = witness.marked.get(&index) else {
        let text = format_args!("node {node} begins with entry {index}, where nobody took one");
        return world().broke(LAW, text);
    };
    for (part, _, _) in digest.differences(expected) {
        world().broke(
            LAW,
            format_args!("node {node} begins with a snapshot as of {index} whose {part} differ"),
        );
    }
}

fn is_of_the_log(witness: &Witness, node: u64, last: LogId) {
    let term = witness.account(last.index).map(|account| account.term);
    if term != Some(last.leader_id.term) {
        let (index, found) = (last.index, last.leader_id.term);
        world().broke(
            LAW,
            format_args!(
                "node {node} has a snapshot as of {index} in term {found}; the log has {term:?}"
            ),
        );
    }
}
