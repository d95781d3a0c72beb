//! Guests, a partner, readers and the log at once, and the sums when all is over.
//!
//! Everybody is a thread of their own, on the real state; what each does follows a seed, when it happens
//! does not. On threads of the machine it is the stress test, under a checker the larger mix.

mod sums;

#[cfg(holdfast_sync = "shuttle")]
use shuttle::{sync::mpsc, thread};
use std::sync::Arc;
use std::sync::atomic::Ordering;
#[cfg(not(holdfast_sync = "shuttle"))]
use std::{sync::mpsc, thread};

use holdfast_engine::admission::{Admission, Demand, Ticket};
use holdfast_engine::ari::{Change, Line, OnConflict};
use holdfast_engine::command::{Allot, Cancel, Confirm, Hold, Release, Sweep};
use holdfast_engine::digest::Digest;
use holdfast_engine::ids::{BookingId, HoldId};
use holdfast_engine::inventory::Cell;
use holdfast_engine::state::{Capture, Part};
use holdfast_engine::stay::Stay;
use holdfast_engine::sync::AtomicU64;
use holdfast_engine::{Batch, Command, Outcome, Principal, Reader, Verb, Writer};

use crate::world::{OWNER, PARTNER, Product, World, hold_line, line, night, payment, stay};

/// Nights that are asked for, from today on.
const NIGHTS: u16 = 4;
/// Rooms of each of the two room types; a cut takes some of them away for a while.
const ROOMS: u16 = 3;

/// How much everybody does.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub guests: u64,
    /// Requests of each guest.
    pub requests: usize,
    /// Writes of the partner.
    pub cuts: usize,
    /// Looks of the reader.
    pub looks: usize,
}

/// What took place, so that a test can say that it was not nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    pub held: usize,
    pub booked: usize,
    pub refused: usize,
    pub contended: usize,
    pub discarded: usize,
    /// Marks at which the state was captured.
    pub captured: usize,
}

impl Seen {
    pub const fn add(&mut self, other: Self) {
        self.held += other.held;
        self.booked += other.booked;
        self.refused += other.refused;
        self.contended += other.contended;
        self.discarded += other.discarded;
        self.captured += other.captured;
    }

    /// Everything took place at least once.
    pub const fn is_all(&self) -> bool {
        let Self { held, booked, refused, contended, discarded, captured } = *self;
        let taken = held > 0 && booked > 0 && captured > 0;
        taken && refused > 0 && contended > 0 && discarded > 0
    }
}

/// The cells of both room types, night by night.
type Cells = [[Cell; NIGHTS as usize]; 2];

/// Knuth's MMIX generator: any will do, it only has to follow the seed.
struct Dice(u64);

impl Dice {
    fn new(seed: u64, who: u64) -> Self {
        Self(seed ^ (who + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What is sent to the log, with whom to tell.
struct Entry {
    verb: Verb,
    ticket: Option<Ticket>,
    /// Nothing where the entry was discarded before it reached the log.
    answer: mpsc::Sender<Option<Outcome>>,
}

/// What every thread knows.
#[derive(Clone)]
struct Place {
    reader: Reader,
    products: [Product; 2],
    clock: Arc<AtomicU64>,
    entries: mpsc::Sender<Entry>,
}

impl Place {
    fn send(&self, verb: Verb, ticket: Option<Ticket>) -> Option<Outcome> {
        let (answer, answered) = mpsc::channel();
        self.entries.send(Entry { verb, ticket, answer }).expect("the log runs to the end");
        answered.recv().expect("the log answers everybody")
    }

    /// Relaxed: a clock that orders nothing.
    fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }
}

fn cells(reader: &Reader, products: [Product; 2]) -> Cells {
    products.map(|product| {
        let nights = reader.cells(product.room_type, night(0), night(NIGHTS - 1));
        std::array::from_fn(|at| nights[at].1)
    })
}

/// A refusal, and the entries of which one must have been the reason.
struct Refused {
    first: u64,
    last: u64,
    stay: Stay,
    rooms: [u32; 2],
}

/// Cells as a reader saw them after an index had been read, and the last entry it can have seen.
struct Look {
    first: u64,
    last: u64,
    cells: Cells,
}

/// What a guest remembers.
#[derive(Default)]
struct Memory {
    holds: Vec<HoldId>,
    refused: Vec<Refused>,
    seen: Seen,
}

struct Guest {
    place: Place,
    dice: Dice,
    principal: Principal,
    hold: Hold,
    confirm: Confirm,
    next: u128,
}

impl Guest {
    fn mint(&mut self) -> u128 {
        self.next += 1;
        self.next
    }

    fn run(mut self, requests: usize) -> Memory {
        let mut memory = Memory::default();
        for _ in 0..requests {
            self.request(&mut memory);
        }
        memory
    }

    fn request(&mut self, memory: &mut Memory) {
        let from = self.dice.below(u64::from(NIGHTS)) as u16;
        let stay = stay(from, 1 + self.dice.below(u64::from(NIGHTS - from)) as u16);
        let rooms = match self.dice.below(4) {
            0 => [1, 1],
            1 => [0, 1 + self.dice.below(2) as u32],
            _ => [1 + self.dice.below(2) as u32, 0],
        };
        let wanted = || self.place.products.iter().zip(rooms).filter(|(_, rooms)| *rooms > 0);
        let demand = Demand::of(stay, wanted().map(|(product, rooms)| (product.room_type, rooms)));
        let lines = wanted().map(|(product, rooms)| hold_line(*product, rooms as u16)).collect();
        let hotel = self.place.products[0].hotel;
        let first = self.place.reader.applied_index();
        let ticket = match self.place.reader.admit(hotel, demand, self.place.now()) {
            Admission::Admitted(ticket) => Some(ticket),
            Admission::Contended => {
                memory.seen.contended += 1;
                None
            }
            Admission::Refused => {
                let last = self.place.reader.applied_index() + 1;
                memory.refused.push(Refused { first, last, stay, rooms });
                memory.seen.refused += 1;
                // Time goes on although nobody is sold anything.
                if self.dice.below(4) == 0 {
                    drop(self.place.send(Verb::Sweep(Sweep::default()), None));
                }
                return;
            }
        };
        let id = HoldId(self.mint());
        let (ttl_s, principal) = (1 + self.dice.below(3) as u32, self.principal);
        let hold = Hold { id, principal, stay, lines, ttl_s, ..self.hold.clone() };
        match self.place.send(Verb::Hold(hold), ticket) {
            Some(Outcome::Held { terms, .. }) => {
                memory.holds.push(id);
                memory.seen.held += 1;
                self.end(id, terms.total, memory);
            }
            Some(_) => {}
            None => memory.seen.discarded += 1,
        }
    }

    /// A third each is confirmed, released, or left to expire.
    fn end(&mut self, hold: HoldId, total: i64, memory: &mut Memory) {
        let principal = self.principal;
        match self.dice.below(3) {
            0 => {
                let (booking, payment) = (BookingId(self.mint()), payment(total));
                let confirm = Confirm { hold, booking, principal, payment, ..self.confirm.clone() };
                if let Some(Outcome::Booked(_)) = self.place.send(Verb::Confirm(confirm), None) {
                    memory.seen.booked += 1;
                    // Most think better of it, or soon nothing would be left to sell.
                    if self.dice.below(8) > 0 {
                        let cancel = Cancel { booking, principal, version: None };
                        drop(self.place.send(Verb::Cancel(cancel), None));
                    }
                }
            }
            1 => drop(self.place.send(Verb::Release(Release { hold, principal }), None)),
            _ => {}
        }
    }
}

/// Cuts allotments and gives them back; what is promised stays.
fn partner(place: &Place, mut dice: Dice, cuts: usize) {
    for seq in 1..=cuts as u64 {
        let from = dice.below(u64::from(NIGHTS)) as u16;
        let to = from + dice.below(u64::from(NIGHTS - from)) as u16;
        let change = Change {
            allotment: Some(dice.below(u64::from(ROOMS) + 1) as u16),
            ..Change::default()
        };
        let product = place.products[dice.below(2) as usize];
        let cut = Line { seq, on_conflict: OnConflict::Clamp, ..line(product, from, to, change) };
        let source = "cuts".to_owned();
        let allot = Allot { principal: OWNER, partner: PARTNER, source, lines: vec![cut] };
        drop(place.send(Verb::Allot(allot), None));
    }
}

/// Reads an index and then the cells, which must be whole and within their limits.
fn look(place: &Place, looks: usize) -> Vec<Look> {
    let look = |_| {
        let first = place.reader.applied_index();
        let cells = cells(&place.reader, place.products);
        let last = place.reader.applied_index() + 1;
        for cell in cells.as_flattened() {
            assert!(
                cell.promised() <= cell.limit(),
                "a reader saw a cell above its limit: {cell:?}"
            );
        }
        Look { first, last, cells }
    };
    (0..looks).map(look).collect()
}

/// What was read out beside the writer.
type Records = Vec<(Part, Vec<u8>)>;

/// Reads states out while the log goes on.
fn capture(marks: &mpsc::Receiver<Capture>) -> Vec<Records> {
    let mut all = Vec::new();
    while let Ok(capture) = marks.recv() {
        let mut records = Records::new();
        let put = |part, record: &[u8]| {
            records.push((part, record.to_vec()));
            Ok::<_, ()>(())
        };
        capture.write(put).expect("nothing refuses a record");
        all.push(records);
    }
    all
}

/// The one that applies, and what it has written down.
struct Log {
    writer: Writer,
    place: (Reader, [Product; 2]),
    clock: Arc<AtomicU64>,
    dice: Dice,
    index: u64,
    batches: Vec<Batch>,
    /// The cells after each entry, the first before any.
    history: Vec<Cells>,
    /// To whom captures go, and the digest at each of their marks.
    marks: Option<mpsc::Sender<Capture>>,
    marked: Vec<Digest>,
}

impl Log {
    fn run(mut self, entries: &mpsc::Receiver<Entry>) -> Self {
        self.history.push(cells(&self.place.0, self.place.1));
        while let Ok(Entry { verb, ticket, answer }) = entries.recv() {
            if self.dice.below(8) == 0 {
                drop(ticket);
                drop(answer.send(None));
                continue;
            }
            if self.dice.below(6) == 0 {
                self.apply(Verb::Sweep(Sweep::default()));
            }
            if self.dice.below(4) == 0 {
                self.mark();
            }
            let outcome = self.apply(verb);
            // The proposer answers and lets go of the ticket in either order.
            if self.dice.below(2) == 0 {
                drop(ticket);
                drop(answer.send(Some(outcome)));
            } else {
                drop(answer.send(Some(outcome)));
                drop(ticket);
            }
        }
        self.marks = None;
        self
    }

    /// One state a run: each of its cells is a switch of threads to a checker.
    fn mark(&mut self) {
        let Some(marks) = self.marks.take() else { return };
        let capture = self.writer.capture().expect("the first");
        self.marked.push(self.writer.digest());
        marks.send(capture).expect("it is read to the end");
    }

    fn apply(&mut self, verb: Verb) -> Outcome {
        // Relaxed: as in `Place::now`; only this thread stores.
        let at_ms = self.clock.load(Ordering::Relaxed) + self.dice.below(400);
        self.clock.store(at_ms, Ordering::Relaxed);
        self.index += 1;
        let batch = Batch { at_ms, commands: vec![Command::plain(verb)] };
        let mut outcomes = Vec::new();
        self.writer.apply(self.index, &batch, &mut outcomes, &mut Vec::new());
        self.batches.push(batch);
        let after = cells(&self.place.0, self.place.1);
        let before = self.history.last().expect("there is a first");
        for (before, after) in before.as_flattened().iter().zip(after.as_flattened()) {
            let grew = after.promised() > before.promised();
            assert!(!grew || after.promised() <= after.limit(), "{before:?} became {after:?}");
        }
        self.history.push(after);
        outcomes.remove(0)
    }
}

fn found() -> (World, [Product; 2]) {
    let mut world = World::new();
    let first = world.product();
    let products = [first, world.product_in(first.hotel)];
    for product in products {
        world.offer(product, 0, NIGHTS - 1, ROOMS, 100_000);
    }
    (world, products)
}

/// Lets them all run, and checks what is left.
pub fn run(seed: u64, size: Size) -> Seen {
    let (mut world, products) = found();
    let (hold, confirm) = (world.wish(products[0], stay(0, 1), 1), world.confirmation(HoldId(0)));
    let clock = Arc::new(AtomicU64::new(world.now));
    let (entries, incoming) = mpsc::channel();
    let (marks, to_read) = mpsc::channel();
    let reader = world.reader.clone();
    let place = Place { reader: reader.clone(), products, clock: Arc::clone(&clock), entries };
    let (first_index, dice) = (world.index, Dice::new(seed, 0));
    let log = Log {
        writer: world.writer,
        place: (reader.clone(), products),
        clock,
        dice,
        index: first_index,
        batches: Vec::new(),
        history: Vec::new(),
        marks: Some(marks),
        marked: Vec::new(),
    };
    let capturing = thread::spawn(move || capture(&to_read));
    let log = thread::spawn(move || log.run(&incoming));
    let guests = (1..=size.guests).map(|who| {
        let guest = Guest {
            place: Place { reader: reader.clone(), ..place.clone() },
            dice: Dice::new(seed, who),
            principal: Principal::Guest(u128::from(who)),
            hold: hold.clone(),
            confirm: confirm.clone(),
            next: u128::from(who) << 64,
        };
        thread::spawn(move || guest.run(size.requests))
    });
    let guests: Vec<_> = guests.collect();
    let (cutting, looking) = (place.clone(), place.clone());
    let cutting = thread::spawn(move || partner(&cutting, Dice::new(seed, 99), size.cuts));
    let looking = thread::spawn(move || look(&looking, size.looks));
    drop(place);
    let memories: Vec<_> = guests.into_iter().map(|guest| guest.join().unwrap()).collect();
    cutting.join().unwrap();
    let looks = looking.join().unwrap();
    let log = log.join().unwrap();
    let captured = capturing.join().unwrap();
    sums::check_captures(&log.marked, &captured);
    sums::check_refusals(&log.history, first_index, &memories);
    sums::check_looks(&log.history, first_index, &looks);
    sums::check_sums(&reader, products, &memories);
    sums::check_replay(&log);
    let mut seen = Seen { captured: captured.len(), ..Seen::default() };
    memories.iter().for_each(|memory| seen.add(memory.seen));
    seen
}
