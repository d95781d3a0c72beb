//! No night has more rooms promised than its limit, at any index, on any node.

use crate::sim::hotel;
use crate::sim::witness::Seen;
use crate::sim::world::world;

pub(crate) const LAW: &str = "never oversold";
/// The engine's own books disagree with its counters.
pub(crate) const BOOKS: &str = "books agree";

pub(crate) fn check(seen: &Seen<'_>) {
    for (night, cell) in hotel::cells(seen.reader).into_iter().enumerate() {
        if cell.promised() > cell.limit() {
            let (node, index) = (seen.node, seen.entry.log_id.index);
            world().broke(
                LAW,
                format_args!(
                    "after entry {index} node {node} has {} of {} rooms promised on night {night}",
                    cell.promised(),
                    cell.limit()
                ),
            );
        }
    }
}
