//! Why not, and a year's calendar: what both cost for a hotel of five room types on two plans.

use std::hint::black_box;

use holdfast_engine::Reader;
use holdfast_engine::calendar::Span;
use holdfast_engine::explain::Ask;
use holdfast_engine::ids::HotelIx;
use holdfast_engine::stay::Stay;

use super::Scale;
use crate::dice::Dice;
use crate::engine_run::{FIRST, Run, START_MS};
use crate::report::{Includes, Latencies, row, short, title};
use crate::stopwatch::timed;
use crate::world::World;

const HOTELS: u32 = 2_000;
/// Days of one calendar.
const DAYS: u16 = 365;

pub fn explain(scale: Scale) {
    let world = World { rate_plans: 2, ..World::of(HOTELS, FIRST) };
    title("explain", Includes::Engine, &format!(
        "Every blocker of a stay of 1-4 nights, and the nearest stays that work, for all offerings of one of
         {HOTELS} hotels, {} room types with {} plans each; a different hotel and stay each time.",
        world.room_types, world.rate_plans,
    ));
    let engine = Run::load(world, START_MS);
    let mut dice = Dice::new(4);
    // More rooms than there are: every move of the dates is tried for every offering, in vain.
    for (name, rooms) in [("the stay can be had", 1), ("no stay works", world.rooms + 1)] {
        let mut own = Latencies::new();
        for _ in 0..scale.of(20_000) {
            let (hotel, stay) = (HotelIx(dice.below(HOTELS)), stay(world, &mut dice));
            own.record(timed(|| black_box(ask(&engine.reader, hotel, stay, rooms))).0);
        }
        row(name, &short(own.at(0.5)), &own.summary());
    }
}

fn ask(reader: &Reader, hotel: HotelIx, stay: Stay, rooms: u16) -> usize {
    let (room_type, rate_plan, promo) = (None, None, None);
    let ask = Ask { hotel, stay, rooms, adults: 2, children: &[], room_type, rate_plan, promo };
    let found = reader.explain(&ask, START_MS).expect("dates on sale");
    assert_eq!(
        found.nearest.is_empty(),
        found.offerings.iter().all(|one| !one.blockers.is_empty())
    );
    found.nearest.len()
}

fn stay(world: World, dice: &mut Dice) -> Stay {
    let nights = u16::try_from(1 + dice.below(4)).unwrap_or(1);
    let from = 20 + dice.below(u32::from(world.nights) - 60);
    let check_in = world.first.plus(u16::try_from(from).unwrap_or(20));
    Stay { check_in, check_out: check_in.plus(nights) }
}

pub fn calendar(scale: Scale) {
    let world = World { rate_plans: 2, ..World::of(HOTELS, FIRST) };
    title("calendar", Includes::Engine, &format!(
        "{DAYS} days of one of {HOTELS} hotels, {} room types with {} plans each: {} words, the days' prices
         with taxes, and the list that is returned. A different hotel each time, then the same again.",
        world.room_types, world.rate_plans,
        u32::from(DAYS) * world.room_types * (1 + world.rate_plans),
    ));
    let engine = Run::load(world, START_MS);
    let mut dice = Dice::new(4);
    let (mut cold, mut warm) = (Latencies::new(), Latencies::new());
    for _ in 0..scale.of(10_000) {
        let hotel = HotelIx(dice.below(HOTELS));
        let span = Span { hotel, from: world.first, to: world.first.plus(DAYS - 1), adults: 2 };
        for times in [&mut cold, &mut warm] {
            let (time, days) = timed(|| engine.reader.calendar(span, START_MS));
            assert_eq!(days.map(|days| days.len()).ok(), Some(usize::from(DAYS)));
            times.record(time);
        }
    }
    row("a hotel that was not looked at before", &short(cold.at(0.5)), &cold.summary());
    row("the same hotel again", &short(warm.at(0.5)), &warm.summary());
}
