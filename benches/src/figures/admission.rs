//! Admission alone: rooms set aside and given back, and what is refused, on one thread and on two.
//!
//! Rounds of all kinds take turns, and the middle round of each counts, so that what else the machine
//! does meets all of them alike. Rates are by the processor time of the threads that asked.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use holdfast_engine::ids::{HotelIx, RoomTypeIx};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Admission, Demand, Reader};

use super::Scale;
use crate::dice::Dice;
use crate::engine_run::{FIRST, Run, START_MS};
use crate::report::{Includes, big, per_s, row, title};
use crate::stopwatch::{rate, thread_time};
use crate::world::World;

const HOTELS: u32 = 6_850;
const NIGHTS: u16 = 729;
const ROUNDS: usize = 9;
/// More than any cell of the world has: refused by applied state, as what is sold out is.
const TOO_MANY: u32 = 1_000;

/// One request as a door has it when it has read the body.
#[derive(Debug, Clone, Copy)]
struct Request {
    hotel: HotelIx,
    room_type: RoomTypeIx,
    stay: Stay,
    rooms: u32,
}

/// Its name, what two threads ask, how (true where the answer is the one the name says), and whether memory
/// was asked for a few requests before, as a door does that has prices to look up first.
type Kind<'a> = (&'a str, &'a [Vec<Request>; 2], fn(&Reader, Request) -> bool, Known);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Late,
    Early,
}

const AHEAD: usize = 8;

impl Request {
    fn demand(self) -> Demand {
        Demand::of(self.stay, [(self.room_type, self.rooms)])
    }
}

pub fn run(scale: Scale) {
    let hotels = u32::try_from(scale.of(HOTELS as usize)).unwrap_or(HOTELS);
    let world = World { nights: NIGHTS, ..World::of(hotels, FIRST) };
    let cells = f64::from(world.room_types_count()) * f64::from(world.horizon);
    title(
        "admission",
        Includes::Engine,
        &format!(
            "In memory, no log. Stays of 1-4 nights (2.5 on average), one room type each, uniform over
             {} cells; the demand is made from the request, rooms are set aside and given back. Middle of
             {ROUNDS} rounds that take turns; by processor time of the asking threads.",
            big(cells)
        ),
    );
    let run = Run::load(world, START_MS);
    let reader = &run.reader;
    let count = scale.of(1 << 20);
    let uniform = [draw(world, 1, count), draw(world, 2, count)];
    let hot = [hot_cell(&uniform[0]), hot_cell(&uniform[1])];
    let greedy = uniform.clone().map(|all| asking(all, TOO_MANY));
    let greedy_hot = hot.clone().map(|all| asking(all, TOO_MANY));
    let kinds: [Kind; 7] = [
        ("admitted, uniform", &uniform, admitted, Known::Late),
        ("  known eight requests before", &uniform, admitted, Known::Early),
        ("admitted, one hot cell", &hot, admitted, Known::Late),
        ("refused, uniform", &greedy, refused, Known::Late),
        ("  known eight requests before", &greedy, refused, Known::Early),
        ("  and every short night named", &greedy, named, Known::Late),
        ("refused, one hot cell", &greedy_hot, refused, Known::Late),
    ];
    let words: Vec<AtomicU64> = (0..world.room_types_count() * u32::from(world.horizon))
        .map(|_| AtomicU64::new(0))
        .collect();
    let mut floor = Vec::new();
    let mut spent = vec![(Vec::new(), Vec::new()); kinds.len()];
    for _ in 0..ROUNDS {
        floor.push(random_adds(&words, count));
        for (kind, (alone, both)) in kinds.iter().zip(&mut spent) {
            alone.push(one_thread(reader, &kind.1[0], kind));
            both.push(two_threads(reader, kind));
        }
    }
    let remark = "floor: one at random among as many 64-bit words";
    row("atomic additions, one thread", &per_s(middle(&mut floor)), remark);
    for (kind, (alone, both)) in kinds.iter().zip(&mut spent) {
        let (alone, both) = (middle(alone), middle(both));
        let remark = format!("two threads {}, {:.2} times one", per_s(both), both / alone);
        row(kind.0, &per_s(alone), &remark);
    }
}

/// Additions a second to words at random: one miss of memory each, and nothing else.
fn random_adds(words: &[AtomicU64], count: usize) -> f64 {
    let mut dice = Dice::new(3);
    let end = u32::try_from(words.len()).unwrap_or(u32::MAX);
    let before = thread_time();
    for _ in 0..count {
        // Relaxed: nothing is ordered, time is all that is asked for.
        words[dice.below(end) as usize].fetch_add(1, Ordering::Relaxed);
    }
    rate(count as u64, thread_time() - before)
}

fn draw(world: World, seed: u64, count: usize) -> Vec<Request> {
    let mut dice = Dice::new(seed);
    let one = |_| {
        let room_type = dice.below(world.room_types_count());
        let nights = u16::try_from(1 + dice.below(4)).unwrap_or(1);
        let from = u16::try_from(dice.below(u32::from(world.nights - nights))).unwrap_or(0);
        let check_in = world.first.plus(from);
        Request {
            hotel: HotelIx(room_type / world.room_types),
            room_type: RoomTypeIx(room_type),
            stay: Stay { check_in, check_out: check_in.plus(nights) },
            rooms: 1,
        }
    };
    (0..count).map(one).collect()
}

/// The same stays, of one room type and from one night on.
fn hot_cell(requests: &[Request]) -> Vec<Request> {
    let first = requests[0];
    let check_in = first.stay.check_in;
    let same = |request: &Request| Request {
        stay: Stay { check_in, check_out: check_in.plus(request.stay.nights()) },
        ..first
    };
    requests.iter().map(same).collect()
}

fn asking(requests: Vec<Request>, rooms: u32) -> Vec<Request> {
    requests.into_iter().map(|request| Request { rooms, ..request }).collect()
}

fn admitted(reader: &Reader, request: Request) -> bool {
    matches!(reader.admit(request.hotel, request.demand(), START_MS), Admission::Admitted(_))
}

fn refused(reader: &Reader, request: Request) -> bool {
    matches!(reader.admit(request.hotel, request.demand(), START_MS), Admission::Refused)
}

fn named(reader: &Reader, request: Request) -> bool {
    let demand = request.demand();
    refused(reader, request)
        && reader
            .still_short(request.hotel, &demand, START_MS)
            .is_some_and(|nights| black_box(nights).len() == usize::from(request.stay.nights()))
}

fn one_thread(reader: &Reader, requests: &[Request], kind: &Kind) -> f64 {
    rate(requests.len() as u64, time_of(reader, requests, kind))
}

/// The sum of what each of two threads does while the other does the same.
fn two_threads(reader: &Reader, kind: &Kind) -> f64 {
    let begun = Barrier::new(2);
    thread::scope(|scope| {
        let threads = kind.1.each_ref().map(|requests| {
            let (begun, reader) = (&begun, reader.clone());
            scope.spawn(move || {
                begun.wait();
                one_thread(&reader, requests, kind)
            })
        });
        threads.into_iter().map(|thread| thread.join().unwrap_or(0.0)).sum()
    })
}

/// Processor time of this thread; every request must have been answered as the figure says.
fn time_of(reader: &Reader, requests: &[Request], kind: &Kind) -> Duration {
    let &(_, _, ask, known) = kind;
    let before = thread_time();
    let mut answered = 0;
    for (at, &request) in requests.iter().enumerate() {
        if known == Known::Early
            && let Some(later) = requests.get(at + AHEAD)
        {
            reader.expect(&later.demand());
        }
        answered += usize::from(ask(reader, request));
    }
    let time = thread_time() - before;
    assert_eq!(answered, requests.len(), "some were answered otherwise");
    time
}

fn middle(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
