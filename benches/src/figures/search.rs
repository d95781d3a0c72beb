//! A search of a city with 500 hotels: the engine's own time, and the least that memory asks for it.

use std::hint::black_box;

use holdfast_engine::Night;
use holdfast_engine::search::{Area, Filters, Query, Sort};
use holdfast_engine::stay::Stay;

use super::Scale;
use crate::dice::Dice;
use crate::engine_run::{FIRST, Run, START_MS};
use crate::report::{Includes, Latencies, per_s, row, short, title};
use crate::stopwatch::timed;
use crate::world::{CITY, World};

/// Hotels of the city; three times as many lie elsewhere.
pub const HOTELS: u32 = 500;
/// Searches of one round, before the floor has its turn.
const ROUND: usize = 500;

/// The marketplace around the city.
pub const fn world(first: Night) -> World {
    World { hotels: HOTELS * 4, rate_plans: 2, in_city: HOTELS, ..World::of(0, first) }
}

pub fn run(scale: Scale) {
    let world = world(FIRST);
    title("search", Includes::Engine, &format!(
        "One search of a city with {HOTELS} hotels among {}, {} room types each with {} plans and {} nights:
         stays of 1-4 nights for two, first page of 20, one core, a different stay each time.
         Floor: the same cells and rate words loaded and summed, nothing else.",
        world.hotels, world.room_types, world.rate_plans, world.nights,
    ));
    let engine = Run::load(world, START_MS);
    let floor = Floor::new(world);
    let mut dice = Dice::new(4);
    let rounds = scale.of(20);
    for (name, sort) in [("recommended", Sort::Recommended), ("price", Sort::Price)] {
        let (mut own, mut least) = (Latencies::new(), Latencies::new());
        for _ in 0..rounds {
            let stays: Vec<Stay> = (0..ROUND).map(|_| stay(world, &mut dice)).collect();
            for &stay in &stays {
                let (time, page) = timed(|| engine.reader.search(&query(stay, sort)));
                assert_eq!(page.items.len(), 20, "a city without rooms is no measure");
                own.record(time);
            }
            for &stay in &stays {
                least.record(timed(|| black_box(floor.sum(stay))).0);
            }
        }
        row(&format!("city search by {name}"), &short(own.at(0.5)), &own.summary());
        row("  floor: the same words loaded", &short(least.at(0.5)), &least.summary());
        let ratio = own.at(0.5).as_secs_f64() / least.at(0.5).as_secs_f64();
        row("  times the floor", &format!("{ratio:.1} x"), "");
        let each = 1.0 / own.at(0.5).as_secs_f64();
        row("  searches on one core", &per_s(each), "");
    }
}

fn stay(world: World, dice: &mut Dice) -> Stay {
    let nights = u16::try_from(1 + dice.below(4)).unwrap_or(1);
    let from = 2 + dice.below(u32::from(world.nights) - 10);
    let check_in = world.first.plus(u16::try_from(from).unwrap_or(2));
    Stay { check_in, check_out: check_in.plus(nights) }
}

fn query(stay: Stay, sort: Sort) -> Query {
    Query {
        area: Area::Province(CITY),
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

/// Calendars of the city's size and spacing, and nothing around them.
struct Floor {
    words: Vec<u64>,
    ring: usize,
    rows: usize,
}

impl Floor {
    fn new(world: World) -> Self {
        let ring = usize::from(world.horizon) + 16;
        let rows = (HOTELS * world.room_types * (1 + world.rate_plans)) as usize;
        Self { words: (0..(ring * rows) as u64).collect(), ring, rows }
    }

    fn sum(&self, stay: Stay) -> u64 {
        let at = usize::from(stay.check_in.0) % (self.ring - 8);
        let nights = usize::from(stay.nights());
        let row = |row: usize| &self.words[row * self.ring + at..][..nights];
        (0..self.rows)
            .map(|at| row(at).iter().fold(0, |sum: u64, word| sum.wrapping_add(*word)))
            .fold(0, u64::wrapping_add)
    }
}
