//! What is captured is the state at the mark, whatever the writer does meanwhile; and a state made of it
//! answers everything that follows as the first one does.

use std::thread;

use holdfast_engine::command::{Hold, JoinWaitlist};
use holdfast_engine::ids::WaitId;
use holdfast_engine::limits::WAITLIST_OFFER_S_MAX;
use holdfast_engine::state::{Capture, Decoded, LoadError, Part};
use holdfast_engine::verify::Finding;
use holdfast_engine::{Batch, Outcome, Reader, State, Verb, Verifier, Writer};

use crate::determinism::{log, replay};
use crate::world::answer::Answer;
use crate::world::{DAY, World, stay};

type Records = Vec<(Part, Vec<u8>)>;

/// Records of a capture; `meanwhile` is called between them.
fn records(capture: Capture, mut meanwhile: impl FnMut()) -> Records {
    let mut records = Vec::new();
    let put = |part: Part, record: &[u8]| {
        records.push((part, record.to_vec()));
        meanwhile();
        Ok::<_, ()>(())
    };
    capture.write(put).unwrap();
    records
}

fn load(records: &Records) -> Result<(Writer, Reader), LoadError> {
    let mut loading = State::load();
    for (part, record) in records {
        loading.put(Decoded::of(*part, record.clone())?)?;
    }
    loading.finish()
}

/// The rest of a log, entry by entry.
struct Rest<'a> {
    entries: std::iter::Enumerate<std::slice::Iter<'a, Batch>>,
    said: Vec<String>,
}

impl<'a> Rest<'a> {
    fn of(log: &'a [Batch]) -> Self {
        Self { entries: log.iter().enumerate(), said: Vec::new() }
    }

    fn step(&mut self, writer: &mut Writer) -> bool {
        let Some((at, batch)) = self.entries.next() else { return false };
        self.said.extend(replay(writer, at as u64 + 1, std::slice::from_ref(batch)));
        true
    }
}

/// What is wrong with a state at first sight.
fn findings(writer: &Writer) -> Vec<Finding> {
    let mut verifier = Verifier::new(0);
    verifier.begin(writer);
    verifier.findings().to_vec()
}

fn assert_same(first: &[String], second: &[String], mark: usize) {
    assert_eq!(first.len(), second.len());
    for (at, (one, two)) in first.iter().zip(second).enumerate() {
        assert_eq!(one, two, "marked after entry {mark}, {at} entries later");
    }
}

#[test]
fn a_capture_is_the_state_at_its_mark_though_an_entry_comes_between_any_two_records() {
    for seed in [1, 2] {
        let log = log(seed);
        for mark in (0..log.len()).step_by(log.len() / 12 + 1) {
            let (mut writer, _) = State::new();
            let mut rest = Rest::of(&log);
            (0..mark).for_each(|_| assert!(rest.step(&mut writer)));
            let at_mark = writer.digest();
            assert_eq!(findings(&writer), [], "seed {seed}, marked after entry {mark}");
            rest.said.clear();
            let capture = writer.capture().unwrap();
            assert!(writer.capture().is_none(), "one at a time");
            let records = records(capture, || {
                rest.step(&mut writer);
            });
            while rest.step(&mut writer) {}

            let (mut loaded, reader) = load(&records).unwrap();
            assert_eq!(loaded.digest(), at_mark, "seed {seed}, marked after entry {mark}");
            assert_eq!(reader.applied_index(), mark as u64);
            assert_eq!(findings(&loaded), [], "seed {seed}, marked after entry {mark}");
            let said = replay(&mut loaded, mark as u64 + 1, &log[mark..]);
            assert_same(&rest.said, &said, mark);
            assert_eq!(loaded.digest(), writer.digest(), "seed {seed}, marked after entry {mark}");
        }
    }
}

#[test]
fn a_capture_is_the_state_at_its_mark_while_the_writer_runs_beside_it() {
    let log = log(4);
    let (mut writer, _) = State::new();
    let mut rest = Rest::of(&log);
    let mut captured = Vec::new();
    let mut going_on = true;
    while going_on {
        let at_mark = writer.digest();
        let capture = writer.capture().unwrap();
        let index = capture.index();
        let capturing = thread::spawn(move || records(capture, thread::yield_now));
        // A part of the log only, however slowly the other thread runs: there is a mark after it.
        for _ in 0..log.len() / 6 {
            if !going_on || capturing.is_finished() {
                break;
            }
            going_on = rest.step(&mut writer);
        }
        captured.push((index, at_mark, capturing.join().unwrap()));
    }
    assert!(captured.len() > 1);
    for (index, at_mark, records) in captured {
        let (loaded, _) = load(&records).unwrap();
        assert_eq!(loaded.digest(), at_mark, "marked after entry {index}");
    }
}

#[test]
fn what_was_captured_can_be_captured_again_byte_for_byte() {
    let log = log(5);
    let (mut writer, _) = State::new();
    replay(&mut writer, 1, &log);
    let first = records(writer.capture().unwrap(), || ());
    let (mut loaded, _) = load(&first).unwrap();
    let second = records(loaded.capture().unwrap(), || ());
    // The order within a part is that of the table, and a loaded one has no gaps.
    let sorted = |mut records: Records| {
        records.sort();
        records
    };
    assert_eq!(sorted(first), sorted(second));
}

#[test]
fn a_capture_that_is_given_up_leaves_the_way_free() {
    let (mut world, product) = World::open(3);
    drop(world.writer.capture().unwrap());
    let capture = world.writer.capture().unwrap();
    world.hold(product, stay(0, 2), 1);
    let mut left = 3;
    let stopped = capture.write(|_, _| {
        left -= 1;
        if left == 0 { Err("the disk is full") } else { Ok(()) }
    });
    assert_eq!(stopped, Err("the disk is full"));
    let at_mark = world.writer.digest();
    let capture = world.writer.capture().unwrap();
    world.hold(product, stay(1, 2), 1);
    let (loaded, _) = load(&records(capture, || ())).unwrap();
    assert_eq!(loaded.digest(), at_mark);
}

#[test]
fn waiting_guests_and_a_pass_of_retirement_are_captured() {
    let (mut world, product) = World::open(1);
    world.hold(product, stay(5, 1), 1);
    let wish = world.wish(product, stay(5, 1), 1);
    let wish = Hold { ttl_s: WAITLIST_OFFER_S_MAX, ..wish };
    let joined = world.run(Verb::JoinWaitlist(JoinWaitlist { id: WaitId(7), wish }));
    assert!(matches!(joined, Outcome::Waitlist(_)), "{joined:?}");
    world.now += 3 * DAY;
    world.tick();
    let at_mark = world.writer.digest();
    let capture = world.writer.capture().unwrap();
    let records = records(capture, || ());
    let (loaded, reader) = load(&records).unwrap();
    assert_eq!(loaded.digest(), at_mark);
    let mut again = World::unborn();
    (again.writer, again.reader) = (loaded, reader);
    (again.now, again.index) = (world.now, world.index);
    world.now += DAY;
    again.now += DAY;
    let (one, two) = (world.sweep(), again.sweep());
    assert_eq!(Answer::from(&one), Answer::from(&two));
    assert_eq!(world.writer.digest(), again.writer.digest());
}

#[test]
fn an_empty_state_is_captured_as_what_it_is() {
    let (mut writer, _) = State::new();
    let (mut loaded, reader) = load(&records(writer.capture().unwrap(), || ())).unwrap();
    assert_eq!(loaded.digest(), writer.digest());
    assert!(reader.settings().is_none());
    let log = log(6);
    replay(&mut writer, 1, &log);
    replay(&mut loaded, 1, &log);
    assert_eq!(loaded.digest(), writer.digest());
}

#[test]
fn records_out_of_order_or_cut_are_refused() {
    let (mut world, product) = World::open(3);
    world.hold(product, stay(0, 2), 1);
    let records = records(world.writer.capture().unwrap(), || ());
    assert!(matches!(load(&Vec::new()), Err(LoadError::NoHead)));
    assert!(matches!(load(&records[1..].to_vec()), Err(LoadError::NoHead)));
    let mut swapped = records.clone();
    let at = swapped.iter().position(|record| record.0 == Part::Cells).unwrap();
    swapped.swap(at - 1, at);
    assert!(matches!(load(&swapped), Err(LoadError::Order { .. })));
    for at in 0..records.len() {
        let mut cut = records.clone();
        cut[at].1.pop();
        assert!(load(&cut).is_err(), "{:?}", cut[at].0);
    }
}
