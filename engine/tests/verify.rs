//! Verification finds nothing in a state that followed from its log, whatever the traffic was.
//!
//! That it finds what is planted is tested beside it, where a state can be corrupted.

use holdfast_engine::{Event, Verifier};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::world::traffic::{Dice, Step, Traffic};
use crate::world::{HOUR, World};

/// Entries between two whole checks of the run that checks cheaply.
const WHOLE_EVERY: u64 = 64;

/// Runs traffic and hands the world and what happened to `each` after every entry.
fn drive(seed: u8, steps: usize, mut each: impl FnMut(&World, &[Event])) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let rolls = vec(any::<u16>(), Dice::ROLLS);
    let (mut traffic, mut world) = (Traffic::default(), World::unborn());
    let mut waiting = traffic.founding();
    let mut close = |world: &mut World, waiting: &mut Vec<_>| {
        world.apply(std::mem::take(waiting));
        let events = world.take_events();
        each(world, &events);
    };
    close(&mut world, &mut waiting);
    for _ in 0..steps {
        let mut dice = Dice::new(rolls.new_tree(&mut runner).unwrap().current());
        match traffic.step(&mut dice, &world.reader, world.now) {
            Step::Send(command) => waiting.push(*command),
            Step::Pass(ms) => {
                close(&mut world, &mut waiting);
                world.now += ms;
            }
            Step::Rewind(_) => close(&mut world, &mut waiting),
        }
    }
    close(&mut world, &mut waiting);
    world.now += HOUR;
    world.sweep();
    let events = world.take_events();
    each(&world, &events);
}

fn told(verifier: &Verifier) -> String {
    verifier.findings().iter().map(|finding| format!("{finding}\n")).collect()
}

#[test]
fn nothing_is_found_in_a_state_that_followed_from_its_log() {
    for seed in 1..=3 {
        let mut verifier = Verifier::new(0);
        drive(seed, 3_000, |world, events| {
            verifier.after(&world.writer, events);
            if world.index.is_multiple_of(WHOLE_EVERY) {
                verifier.check_all(&world.writer);
            }
            assert_eq!(verifier.found(), 0, "seed {seed}:\n{}", told(&verifier));
        });
    }
}

#[test]
fn a_whole_check_after_every_entry_finds_nothing_either() {
    let mut verifier = Verifier::new(0);
    drive(9, 1_500, |world, events| {
        verifier.after(&world.writer, events);
        verifier.check_all(&world.writer);
        assert_eq!(verifier.found(), 0, "{}", told(&verifier));
    });
}

#[test]
fn verification_can_begin_anywhere_and_still_knows_the_cuts_before_it() {
    let mut verifier = Verifier::new(200);
    drive(4, 2_000, |world, events| {
        verifier.after(&world.writer, events);
        assert_eq!(verifier.found(), 0, "{}", told(&verifier));
    });
}
