//! Admission: three answers, no promises, nothing leaked.

use holdfast_engine::admission::{Admission, Demand, Ticket};
use holdfast_engine::ids::RoomTypeIx;
use holdfast_engine::refusal::{Blocker, Layer, Reason};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Night, Outcome, Verb};

use crate::world::{MINUTE, Product, World, night, stay};

fn ask(world: &World, product: Product, stay: Stay, rooms: u32) -> Admission {
    let demand = Demand::of(stay, [(product.room_type, rooms)]);
    world.reader.admit(product.hotel, demand, world.now)
}

fn admitted(answer: Admission) -> Ticket {
    match answer {
        Admission::Admitted(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// The nights that a refusal names.
fn refused(world: &World, product: Product, stay: Stay, rooms: u32) -> Vec<Blocker> {
    assert!(matches!(ask(world, product, stay, rooms), Admission::Refused));
    let demand = Demand::of(stay, [(product.room_type, rooms)]);
    world.reader.still_short(product.hotel, &demand, world.now).unwrap()
}

fn escrow(world: &World, product: Product, days: std::ops::Range<u16>) -> Vec<u16> {
    days.map(|day| world.reader.escrowed(product.room_type, night(day)).unwrap()).collect()
}

/// Three rooms on the nights 0 to 9, but one on night 4 and none on night 6.
fn uneven() -> (World, Product) {
    let (mut world, product) = World::open(3);
    world.offer(product, 4, 4, 1, 100_000);
    world.offer(product, 6, 6, 0, 100_001);
    (world, product)
}

#[test]
fn a_refusal_names_every_short_night() {
    let (world, product) = uneven();
    let blockers = refused(&world, product, stay(3, 5), 2);
    let short = |day, free| Blocker {
        reason: Reason::Insufficient { free, wanted: 2, held: 0 },
        layer: Layer::RoomType(product.room_type),
        night: night(day),
    };
    assert_eq!(blockers, [short(4, 1), short(6, 0)]);
}

#[test]
fn a_refusal_sums_the_lines_and_names_the_nights_of_every_room_type() {
    let (mut world, first) = uneven();
    let second = world.product_in(first.hotel);
    world.offer(second, 0, 9, 3, 100_000);
    let lines =
        [(first.room_type, 1), (second.room_type, 2), (first.room_type, 1), (second.room_type, 2)];
    let demand = Demand::of(stay(3, 2), lines);
    assert_eq!(demand.rooms(), [(first.room_type, 2), (second.room_type, 4)]);
    let answer = world.reader.admit(first.hotel, demand.clone(), world.now);
    assert!(matches!(answer, Admission::Refused), "{answer:?}");
    let blockers = world.reader.still_short(first.hotel, &demand, world.now).unwrap();
    let nights: Vec<_> = blockers.iter().map(|blocker| (blocker.layer, blocker.night)).collect();
    let (a, b) = (Layer::RoomType(first.room_type), Layer::RoomType(second.room_type));
    assert_eq!(nights, [(a, night(4)), (b, night(3)), (b, night(4))]);
}

#[test]
fn what_was_taken_before_the_short_night_is_given_back() {
    let (mut world, first) = uneven();
    let second = world.product_in(first.hotel);
    world.offer(second, 0, 9, 3, 100_000);
    let kept = admitted(ask(&world, first, stay(0, 3), 1));
    let before = [escrow(&world, first, 0..10), escrow(&world, second, 0..10)];
    // The second room type is asked first, and has enough.
    let lines = [(second.room_type, 2), (first.room_type, 2)];
    let answer = world.reader.admit(first.hotel, Demand::of(stay(1, 7), lines), world.now);
    assert!(matches!(answer, Admission::Refused));
    assert_eq!([escrow(&world, first, 0..10), escrow(&world, second, 0..10)], before);
    drop(kept);
    assert_eq!(escrow(&world, first, 0..10), [0; 10]);
}

#[test]
fn a_ticket_sets_rooms_aside_and_returns_them_once() {
    let (world, product) = World::open(3);
    let first = admitted(ask(&world, product, stay(2, 2), 2));
    assert_eq!(escrow(&world, product, 1..5), [0, 2, 2, 0]);
    let second = admitted(ask(&world, product, stay(3, 2), 1));
    assert_eq!(escrow(&world, product, 1..5), [0, 2, 3, 1]);
    drop(first);
    assert_eq!(escrow(&world, product, 1..5), [0, 0, 1, 1]);
    drop(second);
    assert_eq!(escrow(&world, product, 0..20), [0; 20]);
}

#[test]
fn where_escrow_alone_stands_in_the_way_the_log_decides() {
    let (mut world, product) = World::open(3);
    let ticket = admitted(ask(&world, product, stay(2, 2), 2));
    assert!(matches!(ask(&world, product, stay(3, 1), 2), Admission::Contended));
    assert!(matches!(ask(&world, product, stay(3, 1), 4), Admission::Refused), "three at most");
    // The log goes by itself alone: it knows nothing of the ticket.
    world.hold(product, stay(3, 1), 2);
    assert!(matches!(ask(&world, product, stay(3, 1), 2), Admission::Refused));
    drop(ticket);
    drop(admitted(ask(&world, product, stay(3, 1), 1)));
}

#[test]
fn nothing_is_refused_while_holds_of_the_hotel_are_due() {
    let (mut world, product) = World::open(1);
    world.hold(product, stay(2, 2), 1);
    world.now += 15 * MINUTE - 1;
    assert!(matches!(ask(&world, product, stay(3, 1), 1), Admission::Refused));
    world.now += 1;
    assert!(matches!(ask(&world, product, stay(3, 1), 1), Admission::Contended));
    // Even for more rooms than there are: whoever doubts asks the log.
    assert!(matches!(ask(&world, product, stay(3, 1), 9), Admission::Contended));
    assert_eq!(escrow(&world, product, 0..10), [0; 10]);
    world.sweep();
    assert!(matches!(ask(&world, product, stay(3, 1), 9), Admission::Refused));
    drop(admitted(ask(&world, product, stay(3, 1), 1)));
}

#[test]
fn a_hold_that_was_confirmed_delays_refusals_only_until_the_log_has_looked() {
    let (mut world, product) = World::open(1);
    world.book(product, stay(2, 2), 1);
    world.now += 15 * MINUTE;
    assert!(matches!(ask(&world, product, stay(3, 1), 1), Admission::Contended));
    let wish = world.wish(product, stay(3, 1), 1);
    assert!(matches!(world.run(Verb::Hold(wish)), Outcome::Refused(_)));
    assert!(matches!(ask(&world, product, stay(3, 1), 1), Admission::Refused));
}

#[test]
fn still_short_says_what_a_refusal_would() {
    let (mut world, product) = World::open(1);
    let demand = Demand::of(stay(3, 1), [(product.room_type, 1)]);
    assert_eq!(world.reader.still_short(product.hotel, &demand, world.now), None);
    world.hold(product, stay(3, 1), 1);
    let blockers = world.reader.still_short(product.hotel, &demand, world.now).unwrap();
    let reason = Reason::Insufficient { free: 0, wanted: 1, held: 1 };
    assert_eq!((blockers.len(), blockers[0].reason), (1, reason));
    let due = world.now + 15 * MINUTE;
    assert_eq!(world.reader.still_short(product.hotel, &demand, due), None);
}

#[test]
fn what_has_no_calendar_is_left_to_the_log_and_takes_nothing() {
    let (mut world, product) = World::open(3);
    // Far past the calendars that one segment brings.
    let unknown = RoomTypeIx(50_000);
    let demand = Demand::of(stay(3, 2), [(product.room_type, 1), (unknown, 1)]);
    let answer = world.reader.admit(product.hotel, demand, world.now);
    assert!(matches!(answer, Admission::Contended));
    assert_eq!(escrow(&world, product, 0..10), [0; 10]);
    world.tick();
}

#[test]
fn absurd_stays_take_nothing_for_good() {
    let (world, product) = World::open(3);
    for stay in [
        stay(3, 0),
        Stay { check_in: night(5), check_out: night(3) },
        Stay { check_in: night(50), check_out: night(70) },
        Stay { check_in: Night(0), check_out: Night(u16::MAX) },
    ] {
        drop(ask(&world, product, stay, 1));
        drop(ask(&world, product, stay, u32::MAX));
        assert_eq!(escrow(&world, product, 0..76), [0; 76], "{stay:?}");
    }
}
