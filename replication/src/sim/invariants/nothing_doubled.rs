//! What a client asks for with one key happens once, however often it had to ask, and is answered alike.

use holdfast_engine::{Event, Outcome, codec};

use crate::sim::witness::{Witness, effect};
use crate::sim::world::world;
use crate::submit::Applied;

pub(crate) const LAW: &str = "nothing doubled";

pub(crate) fn check_effects(witness: &mut Witness, index: u64, events: &[Event]) {
    for (kind, id) in events.iter().filter_map(effect) {
        if let Some(before) = witness.effects.insert((kind, id), index) {
            let deed = ["", "held", "booked", "cancelled", "ended"][usize::from(kind)];
            world().broke(
                LAW,
                format_args!("{id:x} was {deed} at entry {before} and again at entry {index}"),
            );
        }
    }
}

/// One key was answered twice.
pub(crate) fn check_answers(key: u128, first: &Applied, second: &Applied) {
    let plain = |applied: &Applied| match &applied.outcome {
        Outcome::Replayed(first) => codec::encode(&**first),
        outcome => codec::encode(outcome),
    };
    // A hold that was refused for want of rooms is judged anew.
    let judged_anew = first.outcome.refusal().is_some();
    if plain(first) != plain(second) && !judged_anew {
        world().broke(
            LAW,
            format_args!(
                "{key:x} was answered at {}.{} and otherwise at {}.{}",
                first.index, first.ordinal, second.index, second.ordinal
            ),
        );
    }
}
