//! Hold, extend, release.

use std::collections::BTreeSet;

use holdfast_engine::ari::{Change, Line};
use holdfast_engine::catalogue::HotelStatus;
use holdfast_engine::command::{Extend, Hold, HoldLine, Release, Sweep};
use holdfast_engine::ids::{HoldId, HotelIx, RatePlanIx, RoomTypeIx};
use holdfast_engine::quote::RoomQuote;
use holdfast_engine::refusal::{Blocker, Layer, Reason};
use holdfast_engine::stay::{Asked, Stay, quote_room, standing_version};
use holdfast_engine::{Code, Outcome, Principal, Refusal, Verb};

use super::{Is::*, play};
use crate::world::{
    ADMIN, GUEST, HORIZON, MINUTE, OWNER, Product, RIVAL, World, begin, hold_line, line, night,
    stay,
};

/// 1,000.00 for a night, with 10 % and 7 % on top.
const NIGHT_TOTAL: i64 = 117_700;

pub fn tables() -> BTreeSet<&'static str> {
    [refusals_of_holds(), extensions(), releases()].into_iter().flatten().collect()
}

fn refusal(world: &mut World, wish: Hold) -> Refusal {
    match world.run(Verb::Hold(wish)) {
        Outcome::Refused(refusal) => refusal.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

/// Every refusal of a hold, by a request that is wrong in one way only.
fn refusals_of_holds() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(3);
    let closed = Change { closed: Some(true), ..Change::default() };
    let long = Change { min_stay_arrival: Some(3), ..Change::default() };
    let other = world.product_in(product.hotel);
    world.allot(&[line(product, 20, 20, closed), line(product, 22, 22, long)]);
    let base = Hold { principal: OWNER, ..world.wish(product, stay(3, 2), 1) };
    let mut ids = 1u128..;
    let mut one = |change: &dyn Fn(&mut Hold)| {
        let mut wish = Hold { id: HoldId(ids.next().unwrap()), ..base.clone() };
        change(&mut wish);
        Verb::Hold(wish)
    };
    let dates = |from: u16, to: u16| Stay { check_in: night(from), check_out: night(to) };
    let dear = RoomQuote {
        prices: vec![i64::MAX].into(),
        extras: Vec::new().into(),
        inclusive: true,
        discount: 0,
        discounts: Vec::new().into(),
        room: i64::MAX,
        service: 0,
        vat: 0,
        fee: 0,
        total: i64::MAX,
    };
    let version = standing_version(&world.reader, product.rate_plan);
    let rows = vec![
        (0, one(&|wish| wish.id = HoldId(77)), Held),
        (0, one(&|wish| wish.lines.clear()), No(Code::Malformed)),
        (0, one(&|wish| wish.lines[0].adults = 0), No(Code::Malformed)),
        (0, one(&|wish| wish.id = HoldId(77)), No(Code::StateConflict)),
        (0, one(&|wish| wish.hotel = HotelIx(9)), No(Code::NotFound)),
        (0, one(&|wish| wish.principal = Principal::Partner(RIVAL.0)), No(Code::NotFound)),
        (0, one(&|wish| wish.lines[0].room_type = RoomTypeIx(9)), No(Code::NotFound)),
        (0, one(&|wish| wish.lines[0].rate_plan = RatePlanIx(9)), No(Code::NotFound)),
        (0, one(&|wish| wish.lines[0].rate_plan = other.rate_plan), No(Code::NotFound)),
        (0, one(&|wish| wish.stay = dates(3, 3)), No(Code::StayTooShort)),
        (0, one(&|wish| wish.stay = dates(5, 3)), No(Code::StayTooShort)),
        (0, one(&|wish| wish.stay = dates(3, 34)), No(Code::StayTooLong)),
        (0, one(&|wish| wish.stay.check_in = night(0).minus(1)), No(Code::StayInPast)),
        (0, one(&|wish| wish.stay = dates(HORIZON - 1, HORIZON + 1)), No(Code::StayBeyondHorizon)),
        (0, one(&|wish| wish.stay = dates(19, 21)), No(Code::StayClosed)),
        (0, one(&|wish| wish.lines = vec![hold_line(other, 1)]), No(Code::RateMissing)),
        (0, one(&|wish| wish.stay = dates(22, 24)), No(Code::StayRestricted)),
        (0, one(&|wish| wish.lines[0].adults = 3), No(Code::OccupancyTooMany)),
        (0, one(&|wish| wish.lines[0].children = vec![1, 2]), No(Code::OccupancyTooMany)),
        (0, one(&|wish| wish.lines[0].quantity = 3), No(Code::InventoryInsufficient)),
        (
            0,
            one(&|wish| wish.lines = vec![hold_line(product, 1); 3]),
            No(Code::InventoryInsufficient),
        ),
        (0, one(&|wish| wish.client_reference = Some("a".to_owned())), Held),
        (
            0,
            one(&|wish| {
                wish.stay = dates(9, 10);
                wish.client_reference = Some("a".to_owned());
            }),
            No(Code::ReferenceDuplicate),
        ),
        (
            0,
            one(&|wish| {
                wish.stay = dates(9, 10);
                wish.expected_total = Some(1);
            }),
            No(Code::PriceChanged),
        ),
        (
            0,
            one(&|wish| {
                wish.stay = dates(9, 10);
                wish.lines[0].quantity = 2;
                wish.lines[0].quote = Some((version, dear.clone()));
            }),
            No(Code::PriceOutOfRange),
        ),
        (
            0,
            one(&|wish| {
                wish.principal = GUEST;
                wish.stay = dates(9, 19);
                wish.lines[0].quantity = 3;
            }),
            Held,
        ),
    ];
    let mut met = play(&mut world, rows);
    // Ten holds of one guest, then one more.
    let mut rows: Vec<_> = (0..11u16)
        .map(|at| {
            let mut wish = world.wish(product, stay(30 + at, 1), 1);
            wish.principal = Principal::Guest(5);
            (0, Verb::Hold(wish), Held)
        })
        .collect();
    rows[10].2 = No(Code::QuotaExceeded);
    met.extend(play(&mut world, rows));
    met
}

#[test]
fn a_hold_is_refused_for_each_reason() {
    refusals_of_holds();
}

#[test]
fn refusals_of_a_hold_come_in_the_documented_order() {
    // Everything is wrong at once; then one thing after the other is mended.
    let (mut world, product) = World::open(3);
    let missing = world.product_in(product.hotel);
    let taken = world.wish(product, stay(40, 1), 3);
    let taken = Hold { principal: GUEST, client_reference: Some("mine".to_owned()), ..taken };
    assert!(matches!(world.run(Verb::Hold(taken.clone())), Outcome::Held { .. }));
    for at in 0..9 {
        world.hold(product, stay(41 + at, 1), 1);
    }
    let closed = Change { closed: Some(true), ..Change::default() };
    let arrival = Change { closed_to_arrival: Some(true), ..Change::default() };
    world.allot(&[line(product, 3, 5, closed), line(product, 3, 5, arrival)]);
    let mut wish = Hold {
        ttl_s: 0,
        hotel: HotelIx(9),
        stay: Stay { check_in: night(4), check_out: night(4) },
        lines: vec![HoldLine { adults: 3, ..hold_line(product, 4) }],
        expected_total: Some(1),
        ..taken.clone()
    };
    let refused = |world: &mut World, wish: &Hold, code| {
        assert_eq!(refusal(world, wish.clone()).code, code, "{wish:?}");
    };
    refused(&mut world, &wish, Code::Malformed);
    wish.ttl_s = 60;
    refused(&mut world, &wish, Code::StateConflict);
    wish.id = HoldId(1);
    refused(&mut world, &wish, Code::NotFound);
    wish.hotel = product.hotel;
    refused(&mut world, &wish, Code::StayTooShort);
    wish.stay = Stay { check_in: night(0).minus(1), check_out: night(HORIZON + 9) };
    refused(&mut world, &wish, Code::StayTooLong);
    wish.stay.check_out = night(3);
    refused(&mut world, &wish, Code::StayInPast);
    wish.stay = stay(HORIZON, 2);
    refused(&mut world, &wish, Code::StayBeyondHorizon);
    // All blockers of the stay at once, under the gravest one's name.
    wish.stay = stay(3, 2);
    wish.lines.push(HoldLine { adults: 3, ..hold_line(missing, 1) });
    refused(&mut world, &wish, Code::StayClosed);
    world.allot(&[line(product, 3, 5, Change { closed: Some(false), ..Change::default() })]);
    refused(&mut world, &wish, Code::RateMissing);
    wish.lines.pop();
    refused(&mut world, &wish, Code::StayRestricted);
    world.allot(&[line(
        product,
        3,
        5,
        Change { closed_to_arrival: Some(false), ..Change::default() },
    )]);
    refused(&mut world, &wish, Code::OccupancyTooMany);
    wish.lines[0].adults = 2;
    refused(&mut world, &wish, Code::InventoryInsufficient);
    wish.lines[0].quantity = 3;
    refused(&mut world, &wish, Code::QuotaExceeded);
    // One hold less: the quota is kept, the reference still stands.
    world.run(Verb::Release(Release { hold: HoldId(taken.id.0 + 1), principal: GUEST }));
    refused(&mut world, &wish, Code::ReferenceDuplicate);
    wish.client_reference = None;
    refused(&mut world, &wish, Code::PriceChanged);
    wish.expected_total = Some(2 * 3 * NIGHT_TOTAL);
    assert!(matches!(world.run(Verb::Hold(wish)), Outcome::Held { .. }));
}

#[test]
fn every_blocker_is_named_with_its_night_and_layer() {
    let (mut world, product) = World::open(2);
    let rules = |change| line(product, 3, 3, change);
    let second_plan = Product { rate_plan: world.rate_plan(product.room_type), ..product };
    world.allot(&[
        rules(Change { closed_to_arrival: Some(true), ..Change::default() }),
        rules(Change { min_stay_arrival: Some(4), ..Change::default() }),
        line(product, 4, 4, Change { min_stay_through: Some(5), ..Change::default() }),
        line(product, 5, 5, Change { max_stay_through: Some(2), ..Change::default() }),
        line(product, 6, 6, Change { closed_to_departure: Some(true), ..Change::default() }),
        line(product, 4, 4, Change { closed: Some(true), ..Change::default() }),
        line(product, 5, 5, Change { allotment: Some(1), ..Change::default() }),
    ]);
    world.book(product, stay(2, 1), 1);
    let mut wish = world.wish(product, stay(3, 3), 1);
    wish.lines.push(HoldLine { adults: 3, ..hold_line(second_plan, 1) });
    let found = refusal(&mut world, wish);
    assert_eq!(found.code, Code::StayClosed);
    let plan = Layer::RatePlan(product.rate_plan);
    let other = Layer::RatePlan(second_plan.rate_plan);
    let rooms = Layer::RoomType(product.room_type);
    let expected = [
        (Reason::ClosedToArrival, plan, 3),
        (Reason::MinStayArrival(4), plan, 3),
        (Reason::MinStayThrough(5), plan, 4),
        (Reason::MaxStayThrough(2), plan, 5),
        (Reason::ClosedToDeparture, plan, 6),
        (Reason::TooManyGuests, rooms, 3),
        (Reason::NoPrice, other, 3),
        (Reason::NoPrice, other, 4),
        (Reason::NoPrice, other, 5),
        (Reason::Closed, rooms, 4),
        (Reason::Insufficient { free: 1, wanted: 2, held: 0 }, rooms, 5),
    ];
    let expected =
        expected.map(|(reason, layer, day)| Blocker { reason, layer, night: night(day) });
    assert_eq!(found.blockers, expected);
}

#[test]
fn a_hotel_that_is_not_live_sells_nothing() {
    let (mut world, product) = World::open(2);
    let hold = world.hold(product, stay(3, 1), 1);
    world.set_status(product.hotel, HotelStatus::Suspended);
    let wish = world.wish(product, stay(3, 1), 1);
    let found = refusal(&mut world, wish);
    assert_eq!(found.code, Code::StayClosed);
    let blocker = Blocker { reason: Reason::HotelNotLive, layer: Layer::Hotel, night: night(3) };
    assert_eq!(found.blockers, [blocker]);
    let confirm = world.confirmation(hold);
    assert!(matches!(world.run(Verb::Confirm(confirm)), Outcome::Booked(_)), "promises stand");
}

#[test]
fn restrictions_are_read_where_they_belong() {
    let (mut world, product) = World::open(2);
    let set = |day, change| line(product, day, day, change);
    world.allot(&[
        set(5, Change { min_stay_arrival: Some(3), ..Change::default() }),
        set(5, Change { max_stay_arrival: Some(3), ..Change::default() }),
        set(5, Change { closed_to_arrival: Some(true), ..Change::default() }),
        set(9, Change { closed_to_departure: Some(true), ..Change::default() }),
    ]);
    let product_line = Line {
        rate_plan: Some(product.rate_plan),
        ..set(9, Change { closed: Some(true), ..Change::default() })
    };
    world.allot(&[product_line]);
    // Through the fifth night any stay may go; only arrivals on it are bound.
    world.hold(product, stay(4, 2), 1);
    world.hold(product, stay(4, 4), 1);
    // Departure on the ninth is barred although no night of the stay is; on the tenth the ninth is closed.
    let wish = world.wish(product, stay(8, 1), 1);
    let barred = refusal(&mut world, wish);
    assert_eq!((barred.code, barred.blockers[0].night), (Code::StayRestricted, night(9)));
    let wish = world.wish(product, stay(8, 2), 1);
    assert_eq!(refusal(&mut world, wish).code, Code::StayClosed);
    // Check-out on the day after the last priced night is open where there is no row.
    world.hold(product, stay(HORIZON - 1, 1), 1);
}

#[test]
fn the_price_is_the_authoritys() {
    let (mut world, product) = World::open(9);
    let wish = |world: &mut World, expected_total, quote| {
        let mut wish = world.wish(product, stay(3, 2), 2);
        wish.expected_total = expected_total;
        wish.lines[0].quote = quote;
        world.run(Verb::Hold(wish))
    };
    let total = |outcome: Outcome| match outcome {
        Outcome::Held { terms, .. } => terms.total,
        other => panic!("{other:?}"),
    };
    let hotel = world.reader.hotel(product.hotel).unwrap();
    let plan = world.reader.rate_plan(product.rate_plan).unwrap();
    let line = hold_line(product, 2);
    let quote = quote_room(&world.reader, &hotel, &plan, Asked::of(stay(3, 2), &line)).unwrap();
    assert_eq!(quote.1.total, 2 * NIGHT_TOTAL);
    assert_eq!(
        total(wish(&mut world, Some(4 * NIGHT_TOTAL), Some(quote.clone()))),
        4 * NIGHT_TOTAL
    );
    // The partner writes a new price: the door's quote is old, and what the guest agreed to decides.
    world.offer(product, 3, 4, 9, 200_000);
    match wish(&mut world, Some(4 * NIGHT_TOTAL), Some(quote.clone())) {
        Outcome::Refused(refusal) => {
            assert_eq!((refusal.code, refusal.total), (Code::PriceChanged, Some(8 * NIGHT_TOTAL)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(total(wish(&mut world, None, Some(quote))), 8 * NIGHT_TOTAL);
    assert_eq!(total(wish(&mut world, Some(8 * NIGHT_TOTAL), None)), 8 * NIGHT_TOTAL);
}

fn extensions() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let [hold, released, confirmed, paying] = [0; 4].map(|_| world.hold(product, stay(3, 1), 1));
    let confirm = world.confirmation(confirmed);
    let by = |hold, principal, ttl_s| Verb::Extend(Extend { hold, principal, ttl_s });
    let extend = |hold, ttl_s| by(hold, GUEST, ttl_s);
    play(
        &mut world,
        vec![
            (0, Verb::Release(Release { hold: released, principal: GUEST }), Changed),
            (0, Verb::Confirm(confirm), Booked),
            (0, begin(paying, 1, 2), Changed),
            (0, extend(HoldId(1), 0), No(Code::Malformed)),
            (0, extend(HoldId(1), 60), No(Code::NotFound)),
            (0, by(hold, Principal::Guest(2), 900), No(Code::NotFound)),
            (0, by(hold, Principal::Partner(RIVAL.0), 900), No(Code::NotFound)),
            (0, extend(released, 900), No(Code::HoldReleased)),
            (0, extend(confirmed, 900), No(Code::HoldAlreadyConfirmed)),
            (0, extend(paying, 900), No(Code::HoldConfirming)),
            // It lasts so long already: as it stands, and no extension is spent.
            (0, extend(hold, 900), Changed),
            (MINUTE, extend(hold, 60), Changed),
            (0, by(hold, OWNER, 900), Changed),
            (MINUTE, by(hold, ADMIN, 900), Changed),
            (MINUTE, extend(hold, 900), No(Code::HoldExtensionLimit)),
            (14 * MINUTE, extend(hold, 900), No(Code::HoldExpired)),
        ],
    )
}

#[test]
fn extensions_of_holds() {
    extensions();
}

fn releases() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let [hold, confirmed, paying, late] = [0; 4].map(|_| world.hold(product, stay(3, 1), 1));
    let confirm = world.confirmation(confirmed);
    let by = |hold, principal| Verb::Release(Release { hold, principal });
    play(
        &mut world,
        vec![
            (0, Verb::Confirm(confirm), Booked),
            (0, begin(paying, 1, 2), Changed),
            (0, by(HoldId(1), GUEST), No(Code::NotFound)),
            (0, by(hold, Principal::Guest(2)), No(Code::NotFound)),
            (0, by(hold, GUEST), Changed),
            (0, by(hold, GUEST), Changed),
            (0, by(paying, GUEST), No(Code::HoldConfirming)),
            (0, by(confirmed, GUEST), No(Code::HoldAlreadyConfirmed)),
            (15 * MINUTE - 1, Verb::Sweep(Sweep::default()), Swept(1)),
            (1, by(late, GUEST), No(Code::HoldExpired)),
            (0, Verb::Sweep(Sweep::default()), Swept(1)),
            (0, by(late, GUEST), No(Code::HoldExpired)),
        ],
    )
}

#[test]
fn releases_of_holds() {
    releases();
}

#[test]
fn a_released_reference_is_free_again_and_a_booked_one_is_not() {
    let (mut world, product) = World::open(20);
    let named = |world: &mut World| {
        let mut wish = world.wish(product, stay(3, 1), 1);
        wish.client_reference = Some("mine".to_owned());
        wish
    };
    let first = named(&mut world);
    world.run(Verb::Hold(first.clone()));
    let second = named(&mut world);
    let found = refusal(&mut world, second.clone());
    assert_eq!(
        (found.code, found.hold, found.booking),
        (Code::ReferenceDuplicate, Some(first.id), None)
    );
    world.run(Verb::Release(Release { hold: first.id, principal: GUEST }));
    assert!(matches!(world.run(Verb::Hold(second.clone())), Outcome::Held { .. }));
    let confirm = world.confirmation(second.id);
    let booking = confirm.booking;
    world.run(Verb::Confirm(confirm));
    world.run(crate::world::cancel(booking));
    let third = named(&mut world);
    let found = refusal(&mut world, third.clone());
    assert_eq!((found.hold, found.booking), (Some(second.id), Some(booking)), "cancelled or not");
    let other = Hold { principal: Principal::Guest(2), ..third };
    assert!(matches!(world.run(Verb::Hold(other)), Outcome::Held { .. }), "to each their own");
}
