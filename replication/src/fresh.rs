//! How old this node's state is at most.
//!
//! It owns the moment as of which the state is known to be whole: when somebody here last asked for a read
//! index whose answer is applied. It refuses other signs. That entries arrive, or what time they were given,
//! says nothing of how many are still to come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::TimeSource;

pub(crate) struct Freshness {
    time: Arc<dyn TimeSource>,
    /// In microseconds of `time`'s monotonic clock, and one more; zero for never.
    whole_as_of: AtomicU64,
}

impl Freshness {
    pub fn new(time: Arc<dyn TimeSource>) -> Self {
        Self { time, whole_as_of: AtomicU64::new(0) }
    }

    /// Whatever was committed before `asked`, by the monotonic clock, is applied here.
    pub fn confirmed(&self, asked: Duration) {
        let asked = u64::try_from(asked.as_micros()).unwrap_or(u64::MAX);
        // Release: whoever sees this sees what was applied before it.
        self.whole_as_of.fetch_max(asked.saturating_add(1), Ordering::Release);
    }

    /// Whatever was committed so long ago is applied here; `None` where nobody has confirmed anything since
    /// this process began.
    pub fn age(&self) -> Option<Duration> {
        // Acquire: pairs with the store, for a read that begins after this.
        let whole_as_of = self.whole_as_of.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.time.elapsed().saturating_sub(Duration::from_micros(whole_as_of)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemTimeSource;

    #[test]
    fn an_age_is_of_the_newest_question_that_was_answered() {
        let time = Arc::new(SystemTimeSource::new());
        let fresh = Freshness::new(time.clone());
        assert_eq!(fresh.age(), None);
        let asked = time.elapsed();
        fresh.confirmed(asked);
        // An older question is answered later: it tells nothing new.
        fresh.confirmed(Duration::ZERO);
        let (before, age) = (time.elapsed(), fresh.age().expect("confirmed"));
        assert!(age >= before - asked && age <= time.elapsed() - asked + Duration::from_micros(1));
    }
}
