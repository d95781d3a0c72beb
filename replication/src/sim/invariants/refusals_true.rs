//! Who is told at a door that rooms are missing, without a word of the log, is told the truth: at some
//! moment between question and answer they were.

use crate::sim::hotel;
use crate::sim::witness::Witness;
use crate::sim::world::world;
use holdfast_engine::stay::Stay;

pub(crate) const LAW: &str = "refusals true";

/// A refusal without an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused {
    pub node: u64,
    pub stay: Stay,
    pub rooms: u32,
    /// The last entry of which anybody was told before the question.
    pub from: u64,
}

/// Called with the answer: `to` is the last entry that anybody has applied by then.
pub(crate) fn check(witness: &Witness, refused: Refused) {
    let Refused { node, stay, rooms, from } = refused;
    let short = |index: u64| {
        let account = witness.account(index);
        let free = account.map_or(&[][..], |account| &account.free);
        free.get(hotel::cells_of(stay))
            .is_some_and(|nights| nights.iter().any(|&free| free < rooms))
    };
    if !(from..witness.end()).any(short) {
        world().broke(
            LAW,
            format_args!(
                "node {node} says that {rooms} rooms are missing; from entry {from} to {} they never were",
                witness.end().saturating_sub(1)
            ),
        );
    }
}
