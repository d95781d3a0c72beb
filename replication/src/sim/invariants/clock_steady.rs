//! The log's clock never goes back, and follows no single machine's wall away from the true time.

use crate::sim::time::true_ms;
use crate::sim::witness::Witness;
use crate::sim::world::world;

pub(crate) const LAW: &str = "clock steady";
/// How far ahead of the true time the log may be, in milliseconds: what honest clocks differ by here, and
/// what they drift in a simulation.
const AHEAD_MS_MAX: u64 = 2_500;

pub(crate) fn check(witness: &Witness, index: u64, at_ms: u64) {
    let before = witness.accounts.iter().rev().find_map(|account| account.at_ms);
    if before.is_some_and(|before| at_ms < before) {
        world().broke(LAW, format_args!("entry {index} goes back to {at_ms}"));
    }
    let ahead = at_ms.saturating_sub(true_ms());
    if ahead > AHEAD_MS_MAX {
        world()
            .broke(LAW, format_args!("entry {index} is stamped {ahead} ms ahead of the true time"));
    }
}
