//! The real thing on the machine's own threads: the sums at the end are those of one thread after another.

use crate::mix::{self, Seen, Size};

/// A few seconds on two cores, built as tests are.
const SIZE: Size = Size { guests: 4, requests: 10_000, cuts: 2_000, looks: 20_000 };

#[test]
fn many_threads_leave_the_sums_of_one() {
    let mut seen = Seen::default();
    for seed in 1..=3 {
        seen.add(mix::run(seed, SIZE));
    }
    println!("{seen:?}");
    assert!(seen.is_all(), "{seen:?}");
}
