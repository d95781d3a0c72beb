//! Verification finds nothing in a state that followed from its log, whatever the traffic was.
//!
//! That it finds what is planted is tested beside it, where a state can be corrupted.

use holdfast_engine::ids::RoomTypeIx;
use holdfast_engine::state::Decoded;
use holdfast_engine::{Batch, Event, Reader, State, Verifier, Writer};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::determinism::log;
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

/// A state made of a snapshot of another, and books that begin with it.
fn begun_with_snapshot_of(writer: &mut Writer) -> (Writer, Reader, Verifier) {
    let mut loading = State::load();
    let capture = writer.capture().expect("one at a time");
    let put = |part, record: &[u8]| loading.put(Decoded::of(part, record.to_vec())?);
    capture.write(put).unwrap();
    let (writer, reader) = loading.finish().unwrap();
    let mut verifier = Verifier::new(0);
    verifier.begin(&writer);
    (writer, reader, verifier)
}

/// Cells that promise more than they may.
fn over_their_limit(reader: &Reader) -> usize {
    let Some((first, end)) = reader.window() else { return 0 };
    let rows = (0u32..).map_while(|row| reader.room_type(RoomTypeIx(row)).map(|_| RoomTypeIx(row)));
    let cells = rows.flat_map(|row| reader.cells(row, first, end.minus(1)));
    cells.filter(|(_, cell)| cell.deficit() > 0).count()
}

fn fold(writer: &mut Writer, verifier: &mut Verifier, (index, batch): (u64, &Batch)) {
    let mut events = Vec::new();
    writer.apply(index, batch, &mut Vec::new(), &mut events);
    verifier.after(writer, &events);
}

#[test]
fn books_that_begin_with_a_snapshot_find_nothing_wherever_the_log_was_cut() {
    let (mut over, mut archived) = (0, 0);
    for seed in 11..=13 {
        let log = log(seed);
        let entries: Vec<_> = (1u64..).zip(&log).collect();
        // So many steps between two cuts that they fall anywhere.
        let step = log.len() / 7 + usize::from(seed);
        // And where a partner has just gone below what is promised.
        let mut below_left = 4;
        let (mut writer, _) = State::new();
        for (at, entry) in entries.iter().enumerate() {
            let mut events = Vec::new();
            writer.apply(entry.0, entry.1, &mut Vec::new(), &mut events);
            let is_cut = |event: &Event| matches!(event, Event::InventoryOversubscribed { .. });
            let below = events.iter().any(is_cut) && below_left > 0;
            below_left -= usize::from(below);
            if at % step != step - 1 && !below {
                continue;
            }
            let (mut folded, reader, mut verifier) = begun_with_snapshot_of(&mut writer);
            over += over_their_limit(&reader);
            archived += folded.archived().bookings;
            for entry in &entries[at + 1..] {
                fold(&mut folded, &mut verifier, *entry);
                if entry.0.is_multiple_of(WHOLE_EVERY) {
                    verifier.check_all(&folded);
                }
            }
            verifier.check_all(&folded);
            let told = told(&verifier);
            assert_eq!(verifier.found(), 0, "seed {seed}, cut after entry {}:\n{told}", at + 1);
        }
    }
    assert!(over > 0 && archived > 0, "{over} cells over their limit, {archived} archived");
}
