//! A node's state is no older than the node says: whatever anybody was told before that is in it.

use std::time::Duration;

use crate::sim::runtime::Instant;
use crate::sim::world::world;

pub(crate) const LAW: &str = "ages true";
/// A machine's quartz may run slow; an age is by that.
const DRIFT: u32 = 1_000;
const SLACK: Duration = Duration::from_millis(1);

/// Which entry was the last that anybody had been told of, and from when on.
#[derive(Debug, Default)]
pub(crate) struct Heard(Vec<(Duration, u64)>);

impl Heard {
    pub fn note(&mut self, index: u64) {
        if self.0.last().is_none_or(|(_, last)| *last < index) {
            self.0.push((Instant::now().since_start(), index));
        }
    }

    /// The last that was told before `at`.
    fn before(&self, at: Duration) -> Option<u64> {
        let later = self.0.partition_point(|(told, _)| *told < at);
        self.0.get(later.checked_sub(1)?).map(|(_, index)| *index)
    }
}

/// What node `node` says of its state, which ends with entry `applied`.
pub(crate) fn check(node: u64, (age, applied): (Duration, u64), heard: &Heard) {
    let age = age.saturating_add(age / DRIFT).saturating_add(SLACK);
    let as_of = Instant::now().since_start().saturating_sub(age);
    if let Some(missing) = heard.before(as_of).filter(|told| *told > applied) {
        world().broke(
            LAW,
            format_args!(
                "node {node} says that its state, which ends with entry {applied}, is at most {age:?} old, \
                 though {missing} was acknowledged before"
            ),
        );
    }
}
