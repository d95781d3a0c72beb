//! What a client was told happened, did: it stands in the log where the answer said, with that outcome, and
//! no node has lost what it said was on its disk.

use holdfast_engine::{Outcome, codec};

use crate::LogError;
use crate::sim::witness::Witness;
use crate::sim::world::world;
use crate::submit::Applied;

pub(crate) const LAW: &str = "nothing lost";

/// A client was told this for the command with `key`.
pub(crate) fn told(witness: &mut Witness, key: u128, applied: &Applied) {
    let Applied { index, ordinal, outcome } = applied;
    witness.told.insert(*index, u64::try_from(key & u128::from(u64::MAX)).unwrap_or(0));
    let at = |account: &crate::sim::witness::Account| {
        account.commands.get(usize::try_from(*ordinal).ok()?).cloned()
    };
    let known = witness.account(*index).and_then(at);
    if known != Some((Some(key), codec::encode(outcome))) {
        world().broke(
            LAW,
            format_args!(
                "{key:x} was told {} at {index}.{ordinal}, where the log has something else",
                name(outcome)
            ),
        );
    }
}

/// A node whose disk was never taken away refuses to start.
pub(crate) fn refuses_to_start(node: u64, error: &LogError) {
    world().broke(LAW, format_args!("node {node} finds on its disk that {error}"));
}

/// At the end every node has all that anybody was told.
pub(crate) fn check_end(witness: &Witness, node: u64, applied: u64) {
    if let Some((last, _)) = witness.told.last_key_value()
        && *last > applied
    {
        world().broke(
            LAW,
            format_args!("entry {last} was acknowledged; node {node} ends at entry {applied}"),
        );
    }
}

fn name(outcome: &Outcome) -> String {
    let text = format!("{outcome:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}
