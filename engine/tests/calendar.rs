//! The calendar: each day as a hold of that night alone would find it.

use holdfast_engine::ari::Change;
use holdfast_engine::calendar::{Day, Obstacle, Span};
use holdfast_engine::catalogue::HotelStatus;
use holdfast_engine::limits::CALENDAR_DAYS_MAX;
use holdfast_engine::{Code, Night};

use crate::world::{HORIZON, Product, World, line, night, stay};

fn days(world: &World, product: Product, from: Night, to: Night) -> Vec<Day> {
    world.reader.calendar(Span { hotel: product.hotel, from, to, adults: 2 }, world.now).unwrap()
}

fn day(world: &World, product: Product, at: u16) -> Day {
    days(world, product, night(at), night(at))[0]
}

#[test]
fn a_day_has_the_cheapest_price_with_taxes_and_the_rooms_of_all_types() {
    let (mut world, first) = World::open(3);
    let second = Product { rate_plan: world.rate_plan(first.room_type), ..first };
    let third = world.product_in(first.hotel);
    world.offer(second, 0, 9, 3, 90_000);
    world.offer(third, 0, 9, 2, 95_000);
    let found = days(&world, first, night(5), night(12));
    assert_eq!(found.len(), 8);
    // 900.00 and 10 % service charge, and 7 % VAT on both. A room type counts once, not once a plan.
    assert_eq!((found[0].price, found[0].available), (Some(105_930), 5));
    assert_eq!((found[5].price, found[5].available), (Some(117_700), 3));
    assert_eq!((found[0].min_stay, found[0].max_stay), (1, 30));
    assert!(found.iter().all(|day| day.can_arrive && day.can_depart && day.reason.is_none()));
    assert!(found.iter().zip(5..).all(|(day, at)| day.night == night(at)));
}

#[test]
fn the_least_obstacle_over_all_offerings_is_the_reason() {
    let (mut world, first) = World::open(1);
    let second = world.product_in(first.hotel);
    assert_eq!(day(&world, first, 3).reason, None, "the second has no price: the first is open");
    let on = Some(true);
    for (at, change, reason) in [
        (10, Change { closed: on, price: Some(1), ..Change::default() }, Obstacle::NoPrice),
        (11, Change { closed_to_arrival: on, ..Change::default() }, Obstacle::ClosedToArrival),
        (12, Change { allotment: Some(0), ..Change::default() }, Obstacle::SoldOut),
    ] {
        world.allot(&[line(first, at, at, change)]);
        let found = day(&world, first, at);
        assert_eq!((found.can_arrive, found.reason), (false, Some(reason)), "{at}");
    }
    assert_eq!(day(&world, first, 11).available, 1, "it can still be slept in");
    world.hold(first, stay(14, 1), 1);
    assert_eq!(day(&world, first, 14).reason, Some(Obstacle::HeldOut));
    world.book(first, stay(15, 1), 1);
    assert_eq!(day(&world, first, 15).reason, Some(Obstacle::SoldOut));
    let shut = Change { closed: on, ..Change::default() };
    world.allot(&[line(first, 16, 16, shut), line(second, 16, 16, shut)]);
    assert_eq!(day(&world, first, 16).reason, Some(Obstacle::Closed), "both room types are");
    assert_eq!((day(&world, first, 16).price, day(&world, first, 16).available), (None, 0));
}

#[test]
fn stay_limits_are_those_of_the_loosest_offering() {
    let (mut world, first) = World::open(1);
    let second = world.product_in(first.hotel);
    world.offer(second, 0, 9, 1, 100_000);
    let limit = |min, through, max| Change {
        min_stay_arrival: Some(min),
        min_stay_through: Some(through),
        max_stay_arrival: Some(max),
        ..Change::default()
    };
    world.allot(&[line(first, 4, 4, limit(5, 2, 6)), line(second, 4, 4, limit(2, 3, 9))]);
    let found = day(&world, first, 4);
    assert_eq!((found.min_stay, found.max_stay), (3, 9));
    let shut = Change { closed_to_departure: Some(true), ..Change::default() };
    world.allot(&[line(first, 5, 5, shut)]);
    assert!(day(&world, first, 5).can_depart, "from the second one may still leave");
    world.allot(&[line(second, 5, 5, shut)]);
    assert!(!day(&world, first, 5).can_depart);
}

#[test]
fn days_outside_what_is_sold_say_so() {
    let (mut world, product) = World::open(1);
    let found = days(&world, product, night(0).minus(2), night(HORIZON + 1));
    assert_eq!(found.len(), usize::from(HORIZON) + 4);
    let reasons: Vec<_> = found.iter().map(|day| day.reason).collect();
    assert_eq!(reasons[..3], [Some(Obstacle::InPast), Some(Obstacle::InPast), None]);
    assert_eq!(reasons[found.len() - 2..], [Some(Obstacle::BeyondHorizon); 2]);
    let big = Span { hotel: product.hotel, from: night(3), to: night(3), adults: 3 };
    let found = world.reader.calendar(big, world.now).unwrap();
    assert_eq!(found[0].reason, Some(Obstacle::TooManyGuests));
    world.set_status(product.hotel, HotelStatus::Suspended);
    assert_eq!(day(&world, product, 3).reason, Some(Obstacle::HotelNotLive));
}

#[test]
fn a_span_is_refused_one_past_its_bound() {
    let (world, product) = World::open(1);
    let ask = |to| {
        let span = Span { hotel: product.hotel, from: night(0), to, adults: 1 };
        world.reader.calendar(span, world.now).map(|days| days.len()).map_err(|no| no.code)
    };
    assert_eq!(ask(night(CALENDAR_DAYS_MAX - 1)), Ok(usize::from(CALENDAR_DAYS_MAX)));
    assert_eq!(ask(night(CALENDAR_DAYS_MAX)), Err(Code::Malformed));
    assert_eq!(ask(night(0).minus(1)), Err(Code::Malformed));
}
