//! ARI lines: what becomes of each, and what it says to those who follow.

use holdfast_engine::ari::{Change, Line, LineOutcome, LineRefusal, OnConflict};
use holdfast_engine::command::Allot;
use holdfast_engine::ids::{RatePlanIx, RoomTypeIx};
use holdfast_engine::{Code, Event, Night, Outcome, Principal, Verb, Weekdays};

use crate::world::{
    ADMIN, DAY, GUEST, HORIZON, HOUR, OWNER, PARTNER, Product, RIVAL, World, line, night, stay,
};

use LineOutcome::{Applied, Rejected, Stale, Superseded, Unchanged};

fn rooms(allotment: u16) -> Change {
    Change { allotment: Some(allotment), ..Change::default() }
}

fn plus(delta: i16) -> Change {
    Change { allotment_delta: Some(delta), ..Change::default() }
}

fn price(amount: i64) -> Change {
    Change { price: Some(amount), ..Change::default() }
}

fn send(world: &mut World, source: &str, lines: Vec<Line>) -> Vec<LineOutcome> {
    let source = source.to_owned();
    let allot = Allot { principal: OWNER, partner: PARTNER, source, lines };
    match world.run(Verb::Allot(allot)) {
        Outcome::Allotted(outcomes) => outcomes.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn seq(seq: u64, line: Line) -> Line {
    Line { seq, ..line }
}

fn allotments(world: &World, product: Product, days: std::ops::Range<u16>) -> Vec<u32> {
    days.map(|day| world.cell(product.room_type, night(day)).allotment()).collect()
}

#[test]
fn a_line_is_rejected_for_each_reason_and_never_stops_the_next() {
    let (mut world, product) = World::open(3);
    let mut rivals = world.product();
    // A hotel of the rival's own.
    rivals.room_type = {
        use holdfast_engine::command::{AddHotel, AddRoomType};
        use holdfast_engine::ids::{HotelId, RoomTypeId};
        let draft = crate::world::drafts::hotel();
        let add = AddHotel { id: HotelId(1), partner: RIVAL, draft };
        let Outcome::Hotel(hotel) = world.run(Verb::AddHotel(add)) else { panic!() };
        let add = AddRoomType {
            id: RoomTypeId(1),
            hotel: hotel.ix,
            principal: ADMIN,
            draft: crate::world::drafts::room_type(),
        };
        let Outcome::RoomType(room_type) = world.run(Verb::AddRoomType(add)) else { panic!() };
        room_type.ix
    };
    world.book(product, stay(8, 1), 2);
    let good = line(product, 5, 6, rooms(4));
    let priced = line(product, 5, 6, price(5));
    let upside_down =
        Change { min_stay_arrival: Some(3), max_stay_arrival: Some(2), ..Change::default() };
    let through =
        Change { min_stay_through: Some(3), max_stay_through: Some(2), ..Change::default() };
    let cases = [
        (Line { change: Change::default(), ..good }, LineRefusal::NothingToWrite),
        (Line { rate_plan: None, ..priced }, LineRefusal::NeedsRatePlan),
        (Line { to: night(4), ..good }, LineRefusal::EmptyRange),
        (Line { days: Weekdays(0), ..good }, LineRefusal::NoWeekday),
        (Line { days: Weekdays(0x80), ..good }, LineRefusal::NoWeekday),
        (Line { change: rooms(4_096), ..good }, LineRefusal::TooLarge),
        (Line { change: plus(4_093), ..good }, LineRefusal::TooLarge),
        (Line { change: plus(-4), ..good }, LineRefusal::BelowZero),
        (Line { change: price(-1), ..priced }, LineRefusal::PriceOutOfRange),
        (line(product, 5, 6, upside_down), LineRefusal::MaxBelowMin),
        (line(product, 5, 6, through), LineRefusal::MaxBelowMin),
        (Line { room_type: RoomTypeIx(99), ..good }, LineRefusal::UnknownRoomType),
        (Line { room_type: rivals.room_type, ..good }, LineRefusal::NotYours),
        (Line { rate_plan: Some(RatePlanIx(99)), ..priced }, LineRefusal::UnknownRatePlan),
        (Line { rate_plan: Some(rivals.rate_plan), ..priced }, LineRefusal::UnknownRatePlan),
        (Line { from: night(0).minus(1), ..good }, LineRefusal::PastNight),
        (Line { to: night(HORIZON), ..good }, LineRefusal::BeyondHorizon),
        (Line { to: Night(u16::MAX), ..good }, LineRefusal::BeyondHorizon),
        (
            Line { on_conflict: OnConflict::Reject, ..line(product, 7, 9, rooms(1)) },
            LineRefusal::BelowPromised,
        ),
    ];
    for (bad, refusal) in cases {
        let before = world.writer.digest();
        assert_eq!(world.allot(&[bad]), [Rejected(refusal)], "{bad:?}");
        let after = world.writer.digest();
        assert_eq!((before.cells, before.rates), (after.cells, after.rates), "{refusal:?}");
        let (code, _) = refusal.name();
        assert!(!code.is_empty());
    }
    let mixed = world.allot(&[cases[0].0, good, cases[5].0, priced]);
    assert_eq!(mixed[1], Applied);
    assert_eq!(mixed[3], Applied);
}

#[test]
fn a_command_is_refused_whole_in_order() {
    let (mut world, product) = World::open(3);
    let one = line(product, 5, 5, rooms(4));
    let allot = |principal, source: usize| {
        let source = "s".repeat(source);
        Verb::Allot(Allot { principal, partner: PARTNER, source, lines: vec![one] })
    };
    for (principal, source, expected) in [
        (Principal::Partner(RIVAL.0), 65, Some(Code::Malformed)),
        (Principal::Partner(RIVAL.0), 64, Some(Code::NotFound)),
        (GUEST, 64, Some(Code::NotFound)),
        (OWNER, 64, None),
        (ADMIN, 0, None),
    ] {
        let outcome = world.run(allot(principal, source));
        assert_eq!(outcome.refusal().map(|refusal| refusal.code), expected);
    }
}

#[test]
fn today_at_the_hotel_can_be_written_and_yesterday_cannot() {
    let (mut world, product) = World::open(3);
    let at = |from| line(product, from, 3, rooms(9));
    // Ten in the morning; fourteen hours later it is tomorrow in Bangkok, and 17:00 in UTC.
    world.now += 14 * HOUR - 1;
    assert_eq!(world.allot(&[at(0)]), [Applied]);
    world.now += 1;
    assert_eq!(world.allot(&[at(0)]), [Rejected(LineRefusal::PastNight)]);
    assert_eq!(world.allot(&[at(1)]), [Unchanged]);
}

#[test]
fn weekdays_choose_nights() {
    let (mut world, product) = World::open(3);
    // The first day is a Sunday.
    let weekend = Line { days: Weekdays(0b110_0000), ..line(product, 0, 13, rooms(8)) };
    assert_eq!(world.allot(&[weekend]), [Applied]);
    let expected = [8, 3, 3, 3, 3, 3, 8, 8, 3, 3, 3, 3, 3, 8];
    assert_eq!(allotments(&world, product, 0..14), expected);
    let none_of_them = Line { days: Weekdays(0b110_0000), ..line(product, 1, 5, rooms(0)) };
    assert_eq!(world.allot(&[none_of_them]), [Unchanged]);
}

#[test]
fn setting_one_thing_never_changes_another() {
    let (mut world, product) = World::open(3);
    let word = |world: &World| world.reader.rates(product.rate_plan, night(5), night(5))[0].1;
    let before = word(&world);
    let change = Change { closed_to_arrival: Some(true), ..Change::default() };
    world.allot(&[line(product, 5, 5, change)]);
    assert_eq!(word(&world), before.with_closed_to_arrival(true));
    let cell = world.cell(product.room_type, night(5));
    let closed = Change { closed: Some(true), ..Change::default() };
    world.allot(&[line(product, 5, 5, closed)]);
    assert_eq!(world.cell(product.room_type, night(5)), cell.with_closed(true));
    assert_eq!(
        word(&world),
        before.with_closed_to_arrival(true),
        "the room type is closed, not the plan"
    );
    let plan_only = Line { rate_plan: Some(product.rate_plan), ..line(product, 6, 6, closed) };
    world.allot(&[plan_only]);
    assert!(!world.cell(product.room_type, night(6)).closed());
}

#[test]
fn lines_of_a_source_rise_and_what_is_not_above_is_stale() {
    let (mut world, product) = World::open(3);
    let at = |number, allotment| seq(number, line(product, 5, 5, rooms(allotment)));
    assert_eq!(send(&mut world, "a", vec![at(5, 4)]), [Applied]);
    assert_eq!(send(&mut world, "a", vec![at(5, 6), at(4, 6), at(6, 6)]), [Stale, Stale, Applied]);
    assert_eq!(send(&mut world, "b", vec![at(1, 7)]), [Applied], "each source counts for itself");
    assert_eq!(world.reader.source_seq(PARTNER, "a"), Some(6));
    // A rejected line leaves the count as it is: mended, it can be sent again.
    assert_eq!(send(&mut world, "a", vec![at(9, 4_096)]), [Rejected(LineRefusal::TooLarge)]);
    assert_eq!(world.reader.source_seq(PARTNER, "a"), Some(6));
    assert_eq!(send(&mut world, "a", vec![at(9, 4)]), [Applied]);
    // What changes nothing counts too.
    assert_eq!(send(&mut world, "a", vec![at(10, 4)]), [Unchanged]);
    assert_eq!(send(&mut world, "a", vec![at(10, 5)]), [Stale]);
}

#[test]
fn of_the_same_cell_twice_the_last_wins() {
    let (mut world, product) = World::open(3);
    let of = |from, to, change| line(product, from, to, change);
    for (lines, expected) in [
        (vec![of(5, 5, rooms(4)), of(5, 5, rooms(6))], vec![Superseded, Applied]),
        // The later line says again what the earlier one had changed: it counts as applied.
        (vec![of(6, 6, rooms(7)), of(6, 6, rooms(7))], vec![Superseded, Applied]),
        (vec![of(6, 6, rooms(7)), of(6, 6, rooms(7))], vec![Superseded, Unchanged]),
        // Wider covers narrower, and two together cover one; a part is not the whole.
        (vec![of(8, 8, rooms(4)), of(7, 9, rooms(6))], vec![Superseded, Applied]),
        (
            vec![of(10, 11, rooms(4)), of(10, 10, rooms(6)), of(11, 11, rooms(7))],
            vec![Superseded, Applied, Applied],
        ),
        (vec![of(12, 14, rooms(4)), of(13, 13, rooms(6))], vec![Applied, Applied]),
        // Another field of the same night is another matter.
        (vec![of(15, 15, rooms(4)), of(15, 15, price(7))], vec![Applied, Applied]),
        // What is added to stands; what is written over, however it came about, does not.
        (vec![of(16, 16, rooms(4)), of(16, 16, plus(1))], vec![Applied, Applied]),
        (
            vec![of(17, 17, rooms(4)), of(17, 17, plus(1)), of(17, 17, rooms(9))],
            vec![Superseded, Superseded, Applied],
        ),
        // A line that was not taken makes nothing void.
        (
            vec![of(18, 18, rooms(4)), of(18, 18, rooms(4_096))],
            vec![Applied, Rejected(LineRefusal::TooLarge)],
        ),
        (
            vec![
                of(19, 19, Change { price: Some(9), ..rooms(4) }),
                of(19, 19, price(7)),
                of(19, 19, rooms(5)),
            ],
            vec![Superseded, Applied, Applied],
        ),
    ] {
        assert_eq!(world.allot(&lines), expected, "{lines:?}");
    }
    assert_eq!(allotments(&world, product, 5..6), [6]);
    assert_eq!(allotments(&world, product, 7..20), [6, 6, 6, 6, 7, 4, 6, 4, 4, 5, 9, 4, 5]);
}

#[test]
fn a_cut_below_what_is_promised_is_taken_refused_or_clamped() {
    let limit = |world: &World, product: Product, day| {
        let cell = world.cell(product.room_type, night(day));
        (cell.allotment(), cell.overbook(), cell.available(), cell.deficit())
    };
    let with =
        |change, on_conflict| move |product| Line { on_conflict, ..line(product, 5, 7, change) };
    let both = |allotment, overbook| Change { overbook: Some(overbook), ..rooms(allotment) };
    let rejected = Rejected(LineRefusal::BelowPromised);
    for (allotment, overbook, promised, write, outcome, expected) in [
        (5, 0, 3, with(rooms(1), OnConflict::Accept), Applied, (1, 0, 0, 2)),
        (5, 0, 3, with(rooms(1), OnConflict::Reject), rejected, (5, 0, 2, 0)),
        (5, 0, 3, with(rooms(1), OnConflict::Clamp), Applied, (3, 0, 0, 0)),
        (5, 0, 3, with(rooms(3), OnConflict::Reject), Applied, (3, 0, 0, 0)),
        (5, 0, 3, with(plus(-4), OnConflict::Clamp), Applied, (3, 0, 0, 0)),
        (5, 0, 3, with(plus(-4), OnConflict::Reject), rejected, (5, 0, 2, 0)),
        // Overbooking is part of what may be promised.
        (2, 2, 3, with(rooms(1), OnConflict::Reject), Applied, (1, 2, 0, 0)),
        (2, 2, 4, with(both(2, 0), OnConflict::Reject), rejected, (2, 2, 0, 0)),
        (2, 2, 4, with(both(2, 0), OnConflict::Clamp), Applied, (2, 2, 0, 0)),
        (2, 2, 3, with(both(0, 0), OnConflict::Clamp), Applied, (2, 1, 0, 0)),
        (2, 3, 4, with(both(3, 0), OnConflict::Clamp), Applied, (3, 1, 0, 0)),
    ] {
        let (mut world, product) = World::open(1);
        world.allot(&[line(product, 5, 7, both(allotment, overbook))]);
        world.book(product, stay(6, 1), promised);
        assert_eq!(world.allot(&[write(product)]), [outcome]);
        assert_eq!(
            limit(&world, product, 6),
            expected,
            "{allotment}+{overbook}, {promised} promised"
        );
    }
}

#[test]
fn a_deficit_is_announced_when_it_grows() {
    let (mut world, product) = World::open(5);
    world.book(product, stay(5, 2), 4);
    world.take_events();
    let deficits = |world: &mut World| {
        let events = world.take_events();
        let found = events.into_iter().filter_map(|event| match event {
            Event::InventoryOversubscribed { room_type, night, deficit } => {
                assert_eq!(room_type, product.room_type);
                Some((night, deficit))
            }
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    world.allot(&[line(product, 4, 8, rooms(3))]);
    assert_eq!(deficits(&mut world), [(night(5), 1), (night(6), 1)]);
    world.allot(&[line(product, 5, 5, rooms(1))]);
    assert_eq!(deficits(&mut world), [(night(5), 3)]);
    world.allot(&[line(product, 5, 5, rooms(2))]);
    assert_eq!(deficits(&mut world), [], "it shrank");
    // Nothing more is sold there, and a cut that is deeper still can be refused.
    let deeper = Line { on_conflict: OnConflict::Reject, ..line(product, 5, 5, rooms(1)) };
    assert_eq!(world.allot(&[deeper]), [Rejected(LineRefusal::BelowPromised)]);
    let higher = Line { on_conflict: OnConflict::Reject, ..line(product, 5, 5, rooms(3)) };
    assert_eq!(world.allot(&[higher]), [Applied], "a rise is no cut, though it does not suffice");
}

#[test]
fn a_new_plan_sells_nothing_until_it_has_price_and_rooms_on_every_night() {
    let mut world = World::new();
    let product = world.product();
    let code = |world: &mut World| {
        let wish = world.wish(product, stay(5, 2), 1);
        world.run(Verb::Hold(wish)).refusal().map(|refusal| refusal.code)
    };
    assert_eq!(code(&mut world), Some(Code::RateMissing));
    world.allot(&[line(product, 5, 5, price(100))]);
    assert_eq!(code(&mut world), Some(Code::RateMissing));
    world.allot(&[line(product, 6, 6, price(0))]);
    assert_eq!(code(&mut world), Some(Code::InventoryInsufficient), "zero is a price");
    world.allot(&[line(product, 5, 5, rooms(1))]);
    assert_eq!(code(&mut world), Some(Code::InventoryInsufficient));
    world.allot(&[line(product, 6, 6, rooms(1))]);
    assert_eq!(code(&mut world), None);
    world.now += DAY;
}
