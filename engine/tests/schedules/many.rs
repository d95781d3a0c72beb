//! The larger mix under many schedules, by shuttle.
//!
//! `HOLDFAST_SCHEDULES` says how many, `HOLDFAST_SCHEDULES_SEED` which; the same seed runs the same ones.
//! Shuttle switches threads at every atomic of ours and takes each as sequentially consistent: what the
//! memory model adds is for the other checker.

use std::sync::{Arc, Mutex};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use crate::mix::{self, Seen, Size};

const SIZE: Size = Size { guests: 2, requests: 4, cuts: 2, looks: 4 };
/// Bytes of a thread's stack.
const STACK: usize = 1 << 19;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    config
}

/// Runs the mix under so many of a scheduler's schedules (a number of the environment counts instead).
fn explore<S: Scheduler + 'static>(name: &str, schedules: usize, by: fn(u64, usize) -> S) {
    let schedules = number("HOLDFAST_SCHEDULES", schedules as u64) as usize;
    let scheduler = by(number("HOLDFAST_SCHEDULES_SEED", 1), schedules);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let all = Arc::clone(&seen);
    Runner::new(scheduler, config()).run(move || {
        let seed = shuttle::rand::RngCore::next_u64(&mut shuttle::rand::thread_rng());
        let seen = mix::run(seed, SIZE);
        all.lock().unwrap().add(seen);
    });
    let seen = *seen.lock().unwrap();
    println!("{name}: {schedules} schedules, {seen:?}");
    assert!(seen.is_all(), "{seen:?}");
}

#[test]
fn the_mix_keeps_its_sums_under_random_schedules() {
    explore("random", 1_500, |seed, count| RandomScheduler::new_from_seed(seed, count));
}

/// Few preemptions at unlikely places, where random schedules hardly ever come.
#[test]
fn the_mix_keeps_its_sums_under_schedules_of_few_preemptions() {
    explore("few preemptions", 500, |seed, count| PctScheduler::new_from_seed(seed, 4, count));
}
