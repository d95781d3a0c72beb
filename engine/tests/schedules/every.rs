//! Admission under every schedule and every value the memory model lets a load see, by loom.
//!
//! Few threads, few nights, limits of one and two; the reader and the writer are the real ones. A schedule
//! is cut off after so many preemptions as each law says, which is what keeps it to seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_engine::admission::{Admission, Demand, Ticket};
use holdfast_engine::command::{Release, Sweep};
use holdfast_engine::inventory::Cell;
use holdfast_engine::state::index::{Growth, Index};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Batch, Command, Reader, Verb, Writer};
use loom::thread::JoinHandle;

use crate::world::{GUEST, MINUTE, Product, World, night, stay};

/// Words of a thread's stack: the checker's own default is too small for the engine.
const STACK: usize = 1 << 16;

/// What a law is about: a world, and the one product of it.
struct Scene {
    world: World,
    product: Product,
}

/// Runs a law about a world of so many rooms under every schedule with at most so many preemptions.
fn explore(law: &str, preemptions: usize, rooms: u16, act: fn(Scene)) {
    explore_bare(law, preemptions, move || act(Scene::with(rooms)));
}

fn explore_bare(law: &str, preemptions: usize, act: impl Fn() + Copy + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.max_branches = 100_000;
    model.preemption_bound = Some(preemptions);
    // What builds the world is not worth a schedule of its own.
    model.expect_explicit_explore = true;
    let schedules = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&schedules);
    model.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        spawn(act).join().unwrap();
    });
    println!("{law}: {} schedules", schedules.load(Ordering::Relaxed));
}

fn spawn<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let thread = loom::thread::Builder::new().stack_size(STACK);
    thread.spawn(act).expect("a checker's thread can always be made")
}

impl Scene {
    /// So many rooms on four nights of one product.
    fn with(rooms: u16) -> Self {
        let mut world = World::new();
        let product = world.product();
        world.offer(product, 0, 3, rooms, 100_000);
        Self { world, product }
    }

    fn asker(&self) -> Asker {
        Asker { reader: self.world.reader.clone(), product: self.product, now: self.world.now }
    }
}

/// Who asks, from a thread of its own.
#[derive(Clone)]
struct Asker {
    reader: Reader,
    product: Product,
    now: u64,
}

impl Asker {
    fn ask(&self, stay: Stay, rooms: u32) -> Admission {
        let demand = Demand::of(stay, [(self.product.room_type, rooms)]);
        self.reader.admit(self.product.hotel, demand, self.now)
    }

    /// Asks where applied state has had the rooms all along, so that only requests in flight can be in the
    /// way.
    fn ask_for_what_is_there(&self, stay: Stay, rooms: u32) -> Option<Ticket> {
        match self.ask(stay, rooms) {
            Admission::Admitted(ticket) => Some(ticket),
            Admission::Contended => None,
            Admission::Refused => panic!("refused on the word of requests that may still fail"),
        }
    }

    fn cell(&self, day: u16) -> Cell {
        self.reader.cells(self.product.room_type, night(day), night(day))[0].1
    }
}

/// The log, in a thread of its own.
struct Log {
    writer: Writer,
    index: u64,
    now: u64,
}

impl Log {
    fn apply(&mut self, verb: Verb) {
        self.index += 1;
        let batch = Batch { at_ms: self.now, commands: vec![Command::plain(verb)] };
        let mut outcomes = Vec::new();
        self.writer.apply(self.index, &batch, &mut outcomes, &mut Vec::new());
        assert!(outcomes.iter().all(|outcome| outcome.refusal().is_none()), "{outcomes:?}");
    }
}

impl World {
    fn into_log(self) -> Log {
        Log { writer: self.writer, index: self.index, now: self.now }
    }
}

/// Everybody is gone: nothing is in escrow, and who asks alone for what is free gets it.
fn rests(asker: &Asker, free: u32) {
    for day in 0..4 {
        let taken = asker.reader.escrowed(asker.product.room_type, night(day));
        assert_eq!(taken, Some(0), "escrow of night {day} when nothing is under way");
    }
    let answer = asker.ask(stay(0, 3), free);
    assert!(matches!(answer, Admission::Admitted(_)), "alone, yet {answer:?}");
}

#[test]
fn the_last_room_of_a_shared_night_goes_to_one_of_two() {
    explore("two threads, one room, overlapping nights", 6, 1, |scene| {
        loom::explore();
        let (first, second) = (scene.asker(), scene.asker());
        let first = spawn(move || first.ask_for_what_is_there(stay(0, 2), 1));
        let second = spawn(move || second.ask_for_what_is_there(stay(1, 2), 1));
        let tickets = [first.join().unwrap(), second.join().unwrap()];
        let admitted = tickets.iter().flatten().count();
        assert_eq!(admitted, 1, "night 1 has one room");
        drop(tickets);
        rests(&scene.asker(), 1);
    });
}

#[test]
fn tickets_that_come_and_go_leave_nothing_behind() {
    explore("two threads, one room, tickets dropped at once", 6, 1, |scene| {
        loom::explore();
        let (first, second) = (scene.asker(), scene.asker());
        let first = spawn(move || drop(first.ask_for_what_is_there(stay(0, 3), 1)));
        let second = spawn(move || {
            drop(second.ask_for_what_is_there(stay(1, 2), 1));
            drop(second.ask_for_what_is_there(stay(0, 2), 1));
        });
        first.join().unwrap();
        second.join().unwrap();
        rests(&scene.asker(), 1);
    });
}

#[test]
fn two_rooms_go_to_two_of_three() {
    explore("three threads, two rooms, overlapping nights", 2, 2, |scene| {
        loom::explore();
        let askers = [stay(0, 2), stay(1, 2), stay(1, 1)].map(|stay| {
            let asker = scene.asker();
            spawn(move || asker.ask_for_what_is_there(stay, 1))
        });
        let tickets = askers.map(|asker| asker.join().unwrap());
        let admitted = tickets.iter().flatten().count();
        assert_eq!(admitted, 2, "night 1 has two rooms");
        drop(tickets);
        rests(&scene.asker(), 2);
    });
}

#[test]
fn a_ticket_may_be_returned_by_another_thread() {
    explore("two threads, two rooms, a ticket returned elsewhere", 4, 2, |scene| {
        let asker = scene.asker();
        let ticket = asker.ask_for_what_is_there(stay(0, 2), 2).expect("alone");
        loom::explore();
        let returned = spawn(move || drop(ticket));
        let asked = spawn(move || drop(asker.ask_for_what_is_there(stay(1, 2), 1)));
        returned.join().unwrap();
        asked.join().unwrap();
        rests(&scene.asker(), 2);
    });
}

#[test]
fn a_writer_beside_leaves_no_refusal_where_a_room_was_always_free() {
    explore("two threads and the writer, two rooms", 2, 2, |mut scene| {
        let wish = scene.world.wish(scene.product, stay(0, 2), 1);
        let asker = scene.asker();
        let (first, second) = (asker.clone(), asker.clone());
        loom::explore();
        let mut log = scene.world.into_log();
        let log = spawn(move || {
            let release = Release { hold: wish.id, principal: GUEST };
            log.apply(Verb::Hold(wish));
            log.apply(Verb::Release(release));
        });
        let first = spawn(move || drop(first.ask_for_what_is_there(stay(0, 2), 1)));
        let second = spawn(move || drop(second.ask_for_what_is_there(stay(1, 2), 1)));
        first.join().unwrap();
        second.join().unwrap();
        log.join().unwrap();
        rests(&asker, 2);
    });
}

#[test]
fn nothing_is_refused_for_a_hold_that_is_due() {
    explore("one thread and a sweep, one room", 4, 1, |mut scene| {
        scene.world.hold(scene.product, stay(0, 2), 1);
        scene.world.now += 15 * MINUTE;
        let asker = scene.asker();
        loom::explore();
        let mut log = scene.world.into_log();
        let sweep = spawn(move || log.apply(Verb::Sweep(Sweep::default())));
        let asked = spawn(move || drop(asker.ask_for_what_is_there(stay(0, 2), 1)));
        asked.join().unwrap();
        sweep.join().unwrap();
    });
}

#[test]
fn nothing_is_refused_for_a_hold_that_was_due_when_it_was_applied() {
    explore("one thread and a late entry, one room", 4, 1, |mut scene| {
        let wish = scene.world.wish(scene.product, stay(0, 2), 1);
        // The entry was stamped a quarter of an hour before it is applied.
        let asker = Asker { now: scene.world.now + 15 * MINUTE, ..scene.asker() };
        loom::explore();
        let mut log = scene.world.into_log();
        let late = spawn(move || log.apply(Verb::Hold(wish)));
        let asked = spawn(move || drop(asker.ask_for_what_is_there(stay(0, 2), 1)));
        asked.join().unwrap();
        late.join().unwrap();
    });
}

#[test]
fn a_reader_sees_every_night_whole() {
    explore("one reader and the writer, one room", 3, 1, |mut scene| {
        let hold = scene.world.hold(scene.product, stay(0, 1), 1);
        let confirm = scene.world.confirmation(hold);
        let (asker, reader) = (scene.asker(), scene.world.reader.clone());
        loom::explore();
        let index = scene.world.index + 1;
        let mut log = scene.world.into_log();
        let log = spawn(move || log.apply(Verb::Confirm(confirm)));
        let looked = spawn(move || {
            let applied = reader.applied_index();
            let cell = asker.cell(0);
            assert_eq!(cell.promised(), 1, "held or sold, never both or neither: {cell:?}");
            assert!(applied < index || cell.sold() == 1, "an index shows what it says is applied");
        });
        looked.join().unwrap();
        log.join().unwrap();
    });
}

/// Fifty-six entries in sixteen buckets, one short of a split of the first, whose chain has an overflow.
fn nearly_split() -> (Index, Growth) {
    let (index, mut growth) = (Index::default(), Growth::default());
    let first = [0, 16, 0, 16, 0, 16, 0, 16, 16];
    let others = (0..47).map(|nth| 1 + nth % 15);
    for (place, tag) in (0..).zip(first.into_iter().chain(others)) {
        assert!(index.insert(&mut growth, tag, place));
    }
    (index, growth)
}

#[test]
fn what_a_table_has_is_found_while_a_bucket_splits() {
    explore_bare("one reader and a split of the index", 2, || {
        let (index, mut growth) = nearly_split();
        let index = Arc::new(index);
        let read = Arc::clone(&index);
        loom::explore();
        let writer = spawn(move || assert!(index.insert(&mut growth, 1, 56)));
        let reader = spawn(move || {
            // The last of the overflow, which moves to the new bucket.
            let found = read.find(16, |place| (place == 8).then_some(place));
            assert_eq!(found, Some(8), "what is in the table was not found");
        });
        reader.join().unwrap();
        writer.join().unwrap();
    });
}
