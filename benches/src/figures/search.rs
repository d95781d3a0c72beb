//! Searches of a city of 2,000 hotels and of one of 100 in a country of 10,000, while a writer works at
//! full speed on the other core; and the least that memory asks for them.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use holdfast_engine::search::{Area, Filters, Query, Sort};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Night, Reader};

mod places;

use super::Scale;
use crate::dice::Dice;
use crate::engine_run::{FIRST, Run, START_MS, Spent, Steady};
use crate::report::{Includes, Latencies, big, per_s, row, short, title};
use crate::stopwatch::{now, rate, timed};
use crate::world::{CITY, Requests, TOWN, World};

const COUNTRY: u32 = 10_000;
const LARGEST: u32 = 2_000;
const SMALL: u32 = 100;
/// Hotels of the city that searches through the door are measured in.
pub const HOTELS: u32 = 500;
/// Searches of one round, before the floor has its turn.
const ROUND: usize = 100;
/// Bytes of a line of a processor's cache.
const LINE: usize = 64;

/// The marketplace around that city.
pub const fn world(first: Night) -> World {
    World { hotels: HOTELS * 4, rate_plans: 2, in_city: HOTELS, ..World::of(0, first) }
}

pub fn run(scale: Scale) {
    let share = if scale.quick { 10 } else { 1 };
    let (in_city, in_town) = (LARGEST / share, SMALL);
    let hotels = COUNTRY / share;
    let world = World { hotels, rate_plans: 2, in_city, in_town, ..World::of(0, FIRST) };
    title("search", Includes::Engine, &format!(
        "First page of 20 in a city with {in_city} hotels and in one with {in_town}, of {hotels} in the
         country, {} room types each with {} plans and {} nights: stays of 1-4 nights for two, a different
         stay each time, one core, while holds are made, confirmed and released on another without a pause.
         Floor: as many bytes as the lines of its calendars have, read from front to back.",
        world.room_types, world.rate_plans, world.nights,
    ));
    let engine = Run::load(world, START_MS);
    let reader = engine.reader.clone();
    let stop = AtomicBool::new(false);
    let written = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| write_until(engine, world, &stop, &written));
        let start = now();
        measure(&reader, world, scale);
        places::measure(&reader, world, scale);
        let time = start.elapsed();
        // Relaxed: a signal and a count, which order nothing.
        stop.store(true, Ordering::Relaxed);
        row("writes beside it", &per_s(rate(written.load(Ordering::Relaxed), time)), "holds");
    });
}

fn measure(reader: &Reader, world: World, scale: Scale) {
    let floor = Floor::new();
    let mut dice = Dice::new(4);
    for (place, code, hotels, sort) in [
        ("city by total price", CITY, world.in_city, Sort::Price),
        ("city, recommended", CITY, world.in_city, Sort::Recommended),
        ("town by total price", TOWN, world.in_town, Sort::Price),
    ] {
        let (mut own, mut least) = (Latencies::new(), Latencies::new());
        for _ in 0..scale.of(50) {
            for _ in 0..ROUND {
                let query = query(code, stay(world, &mut dice), sort);
                let (time, page) = timed(|| reader.search(&query));
                assert_eq!(page.items.len(), 20, "a city without rooms is no measure");
                own.record(time);
            }
            let lines = (hotels * world.room_types * (1 + world.rate_plans)) as usize;
            for _ in 0..ROUND {
                least.record(timed(|| black_box(floor.sum(&mut dice, lines))).0);
            }
        }
        row(&format!("{place} ({hotels} hotels)"), &short(own.at(0.5)), &own.summary());
        row("  floor", &short(least.at(0.5)), &least.summary());
        let ratio = own.at(0.5).as_secs_f64() / least.at(0.5).as_secs_f64();
        row("  times the floor", &format!("{ratio:.1} x"), "");
        row("  searches on one core", &per_s(1.0 / own.at(0.5).as_secs_f64()), "");
    }
    let circle = Area::Circle { lat_e6: 13_750_000, lon_e6: 100_550_000, radius_m: 10_000 };
    let mut own = Latencies::new();
    let mut total = 0;
    for _ in 0..scale.of(1_000) {
        let query = Query { area: circle, ..query(CITY, stay(world, &mut dice), Sort::Distance) };
        let (time, page) = timed(|| reader.search(&query));
        total = page.total;
        own.record(time);
    }
    let within = format!("10 km around a point ({} hotels)", big(total as f64));
    row(&within, &short(own.at(0.5)), &own.summary());
}

/// Holds without a pause until told to stop.
fn write_until(mut engine: Run, world: World, stop: &AtomicBool, written: &AtomicU64) {
    let mut requests = Requests::new(world, 5, 1_000_000);
    let mut steady = Steady::new(60);
    // Relaxed: a signal and a count, which order nothing.
    while !stop.load(Ordering::Relaxed) {
        let mut spent = Spent::default();
        steady.second(&mut engine, &mut requests, 2_048, &mut spent);
        written.fetch_add(spent.holds, Ordering::Relaxed);
    }
}

fn stay(world: World, dice: &mut Dice) -> Stay {
    let nights = u16::try_from(1 + dice.below(4)).unwrap_or(1);
    let from = 2 + dice.below(u32::from(world.nights) - 10);
    let check_in = world.first.plus(u16::try_from(from).unwrap_or(2));
    Stay { check_in, check_out: check_in.plus(nights) }
}

fn query(province: u8, stay: Stay, sort: Sort) -> Query {
    Query {
        area: Area::Province(province),
        stay,
        rooms: 1,
        adults: 2,
        children: Vec::new(),
        filters: Filters::default(),
        sort,
        after: None,
        limit: 20,
    }
}

/// Memory larger than the caches, read from a different place each time.
struct Floor {
    words: Vec<u64>,
}

impl Floor {
    fn new() -> Self {
        Self { words: (0..64u64 << 20).collect() }
    }

    fn sum(&self, dice: &mut Dice, lines: usize) -> u64 {
        let words = (lines * LINE / size_of::<u64>()).min(self.words.len());
        let most = u32::try_from(self.words.len() - words).unwrap_or(u32::MAX);
        let from = dice.below(most.max(1)) as usize;
        let read = self.words.get(from..from + words).unwrap_or_default();
        read.iter().fold(0, |sum: u64, word| sum.wrapping_add(*word))
    }
}
