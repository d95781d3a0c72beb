//! The state after a log is a function of that log alone: not of who reads, asks and gives up meanwhile.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use holdfast_engine::admission::Demand;
use holdfast_engine::ids::RoomTypeIx;
use holdfast_engine::stay::Stay;
use holdfast_engine::{Admission, Batch, Night, Reader, State, Writer, codec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::world::answer::Answer;
use crate::world::traffic::{Dice, Step, Traffic};
use crate::world::{START, World};

const STEPS: usize = 4_000;
const THREADS: usize = 4;

/// A log of random traffic; the same seed gives the same log.
pub fn log(seed: u8) -> Vec<Batch> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let rolls = vec(any::<u16>(), Dice::ROLLS);
    let mut traffic = Traffic::default();
    let mut world = World::unborn();
    let mut waiting = traffic.founding();
    let mut log = Vec::new();
    let mut close = |world: &mut World, waiting: &mut Vec<_>| {
        let commands = std::mem::take(waiting);
        log.push(Batch { at_ms: world.now, commands: commands.clone() });
        world.apply(commands);
    };
    close(&mut world, &mut waiting);
    for _ in 0..STEPS {
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
    log
}

/// Applies a log; every answer and event as text.
pub fn replay(writer: &mut Writer, first_index: u64, log: &[Batch]) -> Vec<String> {
    let mut said = Vec::new();
    for (index, batch) in (first_index..).zip(log) {
        let (mut outcomes, mut events) = (Vec::new(), Vec::new());
        writer.apply(index, batch, &mut outcomes, &mut events);
        let answers: Vec<_> = outcomes.iter().map(Answer::from).collect();
        said.push(format!("{answers:?} {events:?}"));
    }
    said
}

/// Asks for rooms and gives them up again until told to stop; how often it was admitted.
fn besiege(reader: &Reader, seed: u64, stop: &AtomicBool, begun: &Barrier) -> usize {
    let mut state = seed;
    let mut roll = |n: u64| {
        // Knuth's MMIX generator: any will do, it only has to differ between threads.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    begun.wait();
    let mut tickets = Vec::new();
    let mut admitted = 0;
    // Relaxed: a flag that orders nothing.
    while !stop.load(Ordering::Relaxed) {
        let now = reader.log_time_ms().max(START);
        let today = (now / crate::world::DAY) as u16;
        let check_in = Night(today + roll(8) as u16);
        let stay = Stay { check_in, check_out: check_in.plus(1 + roll(4) as u16) };
        let room_types = [roll(8), roll(8)].map(|at| RoomTypeIx(at as u32));
        let demand = Demand::of(stay, room_types.map(|room_type| (room_type, 1 + roll(2) as u32)));
        let hotel = holdfast_engine::ids::HotelIx(roll(3) as u32);
        if let Admission::Admitted(ticket) = reader.admit(hotel, demand, now) {
            tickets.push(ticket);
            admitted += 1;
        }
        if tickets.len() > 8 {
            tickets.swap_remove(roll(8) as usize);
        }
    }
    admitted
}

/// Rooms in escrow anywhere.
fn escrowed(reader: &Reader) -> u32 {
    let room_types = (0..).map(RoomTypeIx);
    let known = room_types.take_while(|&room_type| reader.room_type(room_type).is_some());
    known
        .flat_map(|room_type| (0..200).map(move |night| (room_type, Night(night))))
        .filter_map(|(room_type, night)| reader.escrowed(room_type, night))
        .map(u32::from)
        .sum()
}

#[test]
fn the_same_log_gives_the_same_state_whatever_is_admitted_meanwhile() {
    for seed in [1, 2] {
        let log = log(seed);
        let (mut quiet, _) = State::new();
        let said = replay(&mut quiet, 1, &log);

        let (mut besieged, reader) = State::new();
        let (stop, begun) = (AtomicBool::new(false), Barrier::new(THREADS + 1));
        let admitted = AtomicUsize::new(0);
        let through_the_wire: Vec<Batch> =
            log.iter().map(|batch| codec::decode(&codec::encode(batch)).unwrap()).collect();
        let (founding, rest) = through_the_wire.split_at(1);
        let mut said_besieged = replay(&mut besieged, 1, founding);
        thread::scope(|scope| {
            for thread in 0..THREADS as u64 {
                let (reader, stop, begun) = (&reader, &stop, &begun);
                let admitted = &admitted;
                scope.spawn(move || {
                    let count = besiege(reader, thread + 1, stop, begun);
                    // Relaxed: read after the threads have been joined.
                    admitted.fetch_add(count, Ordering::Relaxed);
                });
            }
            begun.wait();
            said_besieged.extend(replay(&mut besieged, 2, rest));
            // Relaxed: as in `besiege`.
            stop.store(true, Ordering::Relaxed);
        });
        assert!(admitted.into_inner() > 0, "the siege took place");
        assert_eq!(said.len(), said_besieged.len());
        for (at, (quiet, besieged)) in said.iter().zip(&said_besieged).enumerate() {
            assert_eq!(quiet, besieged, "seed {seed}, entry {}", at + 1);
        }
        assert_eq!(quiet.digest(), besieged.digest(), "seed {seed}");
        assert_eq!(escrowed(&reader), 0, "every ticket was returned, once");
    }
}

#[test]
fn every_part_of_the_state_is_in_the_digest() {
    let log = log(3);
    let (mut writer, _) = State::new();
    replay(&mut writer, 1, &log[..1]);
    let founded = writer.digest();
    // Not of the end alone: a random world may end without holds.
    let mut digests = Vec::new();
    let later = (2..).zip(&log[1..]).map(|(index, batch)| (index, std::slice::from_ref(batch)));
    for (index, batch) in later {
        replay(&mut writer, index, batch);
        if index % 64 == 0 {
            digests.push(writer.digest());
        }
    }
    for (at, (name, then)) in founded.parts().enumerate() {
        let changed = digests.iter().any(|digest| digest.parts().nth(at) != Some((name, then)));
        assert!(changed, "{name}");
    }
}
