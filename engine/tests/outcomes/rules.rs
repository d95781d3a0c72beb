//! Restrictions: defaults of a plan, what a night says instead, the clock's rules, and closures of every
//! layer.

use holdfast_engine::ari::{Available, Change, Line, LineOutcome, LineRefusal, Rules};
use holdfast_engine::catalogue::{RatePlanDraft, StayRules};
use holdfast_engine::command::{AddRoomType, ChangeRatePlan};
use holdfast_engine::ids::{HotelIx, RoomTypeId};
use holdfast_engine::rates::{CutOff, OccupancyPrices};
use holdfast_engine::refusal::{Layer, Reason};
use holdfast_engine::search::{Area, Filters, Query, Sort};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Outcome, Verb};

use crate::world::{
    ADMIN, DAY, HORIZON, HOUR, OWNER, PARTNER, Product, RIVAL, World, cancel, drafts, line, night,
    stay,
};

/// What stands in the way of one room, by reason, layer and days after today.
fn blockers(world: &mut World, product: Product, stay: Stay) -> Vec<(Reason, Layer, u16)> {
    let wish = world.wish(product, stay, 1);
    match world.run(Verb::Hold(wish)) {
        Outcome::Held { .. } => Vec::new(),
        Outcome::Refused(refusal) => {
            let found = refusal.blockers.iter();
            found.map(|one| (one.reason, one.layer, one.night.0 - night(0).0)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn reasons(world: &mut World, product: Product, stay: Stay) -> Vec<Reason> {
    let found = found_by_search(world, stay);
    let blockers: Vec<_> = blockers(world, product, stay).into_iter().map(|one| one.0).collect();
    assert_eq!(found, blockers.is_empty(), "search and hold: {blockers:?}");
    blockers
}

fn found_by_search(world: &World, stay: Stay) -> bool {
    let query = Query {
        area: Area::Province(10),
        stay,
        rooms: 1,
        adults: 2,
        children: Vec::new(),
        filters: Filters::default(),
        sort: Sort::Price,
        after: None,
        limit: 9,
    };
    world.reader.search(&query).total > 0
}

fn set_rules(world: &mut World, product: Product, rules: StayRules) {
    let draft = RatePlanDraft { rules, ..drafts::rate_plan() };
    let (rate_plan, principal, version) = (product.rate_plan, ADMIN, None);
    let change = ChangeRatePlan { rate_plan, principal, version, draft };
    let outcome = world.run(Verb::ChangeRatePlan(change));
    assert!(matches!(outcome, Outcome::RatePlan(_)), "{outcome:?}");
}

fn write(world: &mut World, product: Product, day: u16, change: Change) -> LineOutcome {
    world.allot(&[line(product, day, day, change)])[0]
}

#[test]
fn a_dated_row_replaces_the_plans_default_and_may_lower_a_minimum() {
    let (mut world, product) = World::open(9);
    let rules = StayRules {
        min_stay_arrival: Some(3),
        max_stay_arrival: Some(5),
        min_stay_through: Some(2),
        max_stay_through: Some(6),
        ..StayRules::default()
    };
    set_rules(&mut world, product, rules);
    let expected = [Reason::MinStayArrival(3), Reason::MinStayThrough(2)];
    assert_eq!(reasons(&mut world, product, stay(5, 1)), expected);
    assert_eq!(reasons(&mut world, product, stay(5, 6)), [Reason::MaxStayArrival(5)]);
    assert_eq!(reasons(&mut world, product, stay(5, 3)), []);
    // A period with a lower minimum, and one without any.
    let lower = Change { min_stay_arrival: Some(2), ..Change::default() };
    assert_eq!(write(&mut world, product, 5, lower), LineOutcome::Applied);
    assert_eq!(reasons(&mut world, product, stay(5, 2)), []);
    let none = Change { min_stay_arrival: Some(0), min_stay_through: Some(0), ..Change::default() };
    assert_eq!(write(&mut world, product, 5, none), LineOutcome::Applied);
    assert_eq!(reasons(&mut world, product, stay(5, 1)), []);
    // Cleared, the default holds again.
    let clear = Rules::MIN_STAY_ARRIVAL.with(Rules::MIN_STAY_THROUGH);
    let clear = Change { clear, ..Change::default() };
    assert_eq!(write(&mut world, product, 5, clear), LineOutcome::Applied);
    assert_eq!(write(&mut world, product, 5, clear), LineOutcome::Unchanged);
    assert_eq!(reasons(&mut world, product, stay(5, 1)), expected);
}

#[test]
fn a_maximum_below_the_minimum_of_its_kind_is_refused_defaults_included() {
    let (mut world, product) = World::open(9);
    let rules =
        StayRules { min_stay_arrival: Some(3), min_advance: Some(4), ..StayRules::default() };
    set_rules(&mut world, product, rules);
    let out = LineOutcome::Rejected(LineRefusal::MaxBelowMin);
    let none = Change::default();
    for (change, expected) in [
        (Change { max_stay_arrival: Some(2), ..none }, out),
        (Change { max_stay_arrival: Some(3), ..none }, LineOutcome::Applied),
        (Change { max_stay_through: Some(2), ..none }, LineOutcome::Applied),
        (
            Change { min_stay_arrival: Some(1), max_stay_arrival: Some(2), ..none },
            LineOutcome::Applied,
        ),
        (Change { max_advance: Some(Some(3)), ..none }, out),
        (Change { max_advance: Some(Some(4)), ..none }, LineOutcome::Applied),
        (
            Change { min_advance: Some(None), max_advance: Some(Some(0)), ..none },
            LineOutcome::Applied,
        ),
        (Change { clear: Rules::MIN_ADVANCE, ..none }, out),
        // What the line does not write is not judged again.
        (Change { price: Some(5), ..none }, LineOutcome::Applied),
    ] {
        assert_eq!(write(&mut world, product, 5, change), expected, "{change:?}");
    }
    for rules in [
        StayRules { min_stay_arrival: Some(3), max_stay_arrival: Some(2), ..StayRules::default() },
        StayRules { min_stay_through: Some(3), max_stay_through: Some(2), ..StayRules::default() },
        StayRules { min_advance: Some(3), max_advance: Some(2), ..StayRules::default() },
        StayRules { min_stay_arrival: Some(0), ..StayRules::default() },
        StayRules { max_stay_through: Some(63), ..StayRules::default() },
        StayRules { min_advance: Some(1_101), ..StayRules::default() },
        StayRules { cut_off: Some(CutOff { days: 0, minute: 1_440 }), ..StayRules::default() },
    ] {
        assert!(!rules.is_valid(), "{rules:?}");
    }
}

#[test]
fn advance_is_counted_in_the_hotels_days_and_read_on_the_check_in_row() {
    let (mut world, product) = World::open(9);
    let none = Change::default();
    write(&mut world, product, 5, Change { min_advance: Some(Some(5)), ..none });
    write(&mut world, product, 6, Change { max_advance: Some(Some(5)), ..none });
    assert_eq!(reasons(&mut world, product, stay(5, 2)), []);
    assert_eq!(reasons(&mut world, product, stay(6, 1)), [Reason::MaxAdvance(5)]);
    assert_eq!(reasons(&mut world, product, stay(4, 3)), [], "only the check-in's row is read");
    // Ten in the morning in Bangkok; fourteen hours later it is tomorrow there.
    world.now += 14 * HOUR - 1;
    assert_eq!(reasons(&mut world, product, stay(5, 2)), []);
    world.now += 1;
    world.tick();
    assert_eq!(reasons(&mut world, product, stay(5, 2)), [Reason::MinAdvance(5)]);
    assert_eq!(reasons(&mut world, product, stay(6, 1)), []);
}

#[test]
fn zero_days_of_advance_are_zero_days() {
    let (mut world, product) = World::open(9);
    let rules = StayRules { max_advance: Some(0), ..StayRules::default() };
    set_rules(&mut world, product, rules);
    assert_eq!(reasons(&mut world, product, stay(0, 1)), []);
    assert_eq!(reasons(&mut world, product, stay(1, 1)), [Reason::MaxAdvance(0)]);
    let rules = StayRules { min_advance: Some(0), ..StayRules::default() };
    set_rules(&mut world, product, rules);
    assert_eq!(reasons(&mut world, product, stay(0, 1)), []);
    // A night can do without the default.
    set_rules(&mut world, product, StayRules { min_advance: Some(9), ..StayRules::default() });
    assert_eq!(reasons(&mut world, product, stay(2, 1)), [Reason::MinAdvance(9)]);
    write(&mut world, product, 2, Change { min_advance: Some(None), ..Change::default() });
    assert_eq!(reasons(&mut world, product, stay(2, 1)), []);
    let clear = Change { clear: Rules::MIN_ADVANCE, ..Change::default() };
    write(&mut world, product, 2, clear);
    assert_eq!(reasons(&mut world, product, stay(2, 1)), [Reason::MinAdvance(9)]);
}

#[test]
fn a_night_stops_selling_at_its_cut_off_by_the_hotels_clock() {
    let (mut world, product) = World::open(9);
    let noon = CutOff { days: 2, minute: 720 };
    set_rules(&mut world, product, StayRules { cut_off: Some(noon), ..StayRules::default() });
    // Ten in the morning in Bangkok. The second day's cut-off is at noon today.
    assert_eq!(reasons(&mut world, product, stay(1, 1)), [Reason::CutOff(noon)]);
    assert_eq!(reasons(&mut world, product, stay(2, 1)), []);
    let booking = world.book(product, stay(2, 2), 1);
    world.now += 2 * HOUR - 1;
    assert_eq!(reasons(&mut world, product, stay(2, 1)), []);
    let hold = world.hold(product, stay(2, 1), 1);
    world.now += 1;
    world.tick();
    let layer = Layer::RatePlan(product.rate_plan);
    let cut = |days: &[u16]| -> Vec<_> {
        days.iter().map(|&day| (Reason::CutOff(noon), layer, day)).collect()
    };
    assert_eq!(blockers(&mut world, product, stay(2, 1)), cut(&[2]));
    assert_eq!(
        blockers(&mut world, product, stay(1, 3)),
        cut(&[1, 2]),
        "every stay night is judged"
    );
    assert_eq!(reasons(&mut world, product, stay(3, 2)), []);
    // What was promised before stays: the hold can be confirmed, the booking stands.
    let confirm = world.confirmation(hold);
    assert!(matches!(world.run(Verb::Confirm(confirm)), Outcome::Booked(_)));
    assert!(matches!(world.run(cancel(booking)), Outcome::Cancelled(_)));
    // A night says otherwise, of itself alone.
    let later = CutOff { days: 0, minute: 1_439 };
    write(&mut world, product, 2, Change { cut_off: Some(Some(later)), ..Change::default() });
    assert_eq!(reasons(&mut world, product, stay(2, 1)), []);
    write(&mut world, product, 3, Change { cut_off: Some(None), ..Change::default() });
    world.now += DAY;
    world.tick();
    assert_eq!(reasons(&mut world, product, stay(2, 2)), []);
    assert_eq!(blockers(&mut world, product, stay(2, 3)), cut(&[]), "the fourth is two days ahead");
}

#[test]
fn closures_of_every_layer_add_up_and_none_changes_another() {
    let (mut world, product) = World::open(9);
    let closed = |on| Change { closed: Some(on), ..Change::default() };
    let rooms = |on| line(product, 5, 5, closed(on));
    let plan = |on| Line { rate_plan: Some(product.rate_plan), ..rooms(on) };
    let hotel = |on| Line { hotel: Some(product.hotel), ..rooms(on) };
    let all = [
        (Reason::Closed, Layer::RatePlan(product.rate_plan), 5),
        (Reason::Closed, Layer::Hotel, 5),
        (Reason::Closed, Layer::RoomType(product.room_type), 5),
    ];
    assert_eq!(world.allot(&[rooms(true), plan(true), hotel(true)]), [LineOutcome::Applied; 3]);
    assert_eq!(blockers(&mut world, product, stay(4, 3)), all);
    assert!(!found_by_search(&world, stay(4, 3)));
    assert_eq!(world.allot(&[hotel(true)]), [LineOutcome::Unchanged]);
    world.allot(&[rooms(false)]);
    assert_eq!(blockers(&mut world, product, stay(5, 1)), all[..2]);
    world.allot(&[plan(false)]);
    assert_eq!(blockers(&mut world, product, stay(5, 1)), all[1..2]);
    assert_eq!(world.cell(product.room_type, night(5)).available(), 0);
    world.allot(&[hotel(false)]);
    assert_eq!(blockers(&mut world, product, stay(4, 3)), []);
}

#[test]
fn a_room_type_that_is_added_later_is_closed_where_its_hotel_is() {
    let (mut world, product) = World::open(9);
    let closed = Change { closed: Some(true), ..Change::default() };
    let weekend = Line {
        hotel: Some(product.hotel),
        days: holdfast_engine::Weekdays(0b110_0000),
        ..line(product, 1, 20, closed)
    };
    world.allot(&[weekend]);
    let add = AddRoomType {
        id: RoomTypeId(7_777),
        hotel: product.hotel,
        principal: OWNER,
        draft: drafts::room_type(),
    };
    let Outcome::RoomType(added) = world.run(Verb::AddRoomType(add)) else { panic!() };
    for day in 0..HORIZON {
        let (new, old) =
            (world.cell(added.ix, night(day)), world.cell(product.room_type, night(day)));
        assert_eq!(new.hotel_closed(), old.hotel_closed(), "day {day}");
    }
    assert!(world.cell(added.ix, night(6)).hotel_closed());
    // The window moves on: the night's successor in the ring is open.
    world.now += 10 * DAY;
    world.tick();
    let opened = Line { from: night(10), days: holdfast_engine::Weekdays::ALL, ..weekend };
    let opened = Line { change: Change { closed: Some(false), ..closed }, ..opened };
    assert_eq!(world.allot(&[opened]), [LineOutcome::Applied]);
    assert!(!world.cell(added.ix, night(13)).hotel_closed());
}

#[test]
fn a_line_of_a_hotel_only_closes_and_opens() {
    let (mut world, product) = World::open(9);
    let closed = Change { closed: Some(true), ..Change::default() };
    let good = Line { hotel: Some(product.hotel), ..line(product, 5, 6, closed) };
    let rejected = LineOutcome::Rejected;
    for (bad, refusal) in [
        (Line { change: Change::default(), ..good }, LineRefusal::NothingToWrite),
        (
            Line { change: Change { allotment: Some(1), ..closed }, ..good },
            LineRefusal::HotelTakesClosedOnly,
        ),
        (Line { to: night(4), ..good }, LineRefusal::EmptyRange),
        (Line { hotel: Some(HotelIx(99)), ..good }, LineRefusal::UnknownHotel),
        (Line { from: night(0).minus(1), ..good }, LineRefusal::PastNight),
        (Line { to: night(HORIZON), ..good }, LineRefusal::BeyondHorizon),
    ] {
        assert_eq!(world.allot(&[bad]), [rejected(refusal)], "{bad:?}");
    }
    let allot = |principal, partner| {
        let (source, lines) = ("x".to_owned(), vec![good]);
        Verb::Allot(holdfast_engine::command::Allot { principal, partner, source, lines })
    };
    let Outcome::Allotted(lines) = world.run(allot(ADMIN, RIVAL)) else { panic!() };
    assert_eq!(*lines, [rejected(LineRefusal::UnknownHotel)], "another partner's");
    let Outcome::Allotted(lines) = world.run(allot(ADMIN, PARTNER)) else { panic!() };
    assert_eq!(*lines, [LineOutcome::Applied]);
    // The same hotel twice in one batch: the last wins.
    let opened = Line { change: Change { closed: Some(false), ..closed }, ..good };
    let twice = world.allot(&[opened, good]);
    assert_eq!(twice, [LineOutcome::Superseded, LineOutcome::Applied]);
}

#[test]
fn what_is_left_to_sell_is_taken_only_as_of_the_last_promise() {
    let (mut world, product) = World::open(9);
    let left =
        |rooms, as_of| Change { available: Some(Available { rooms, as_of }), ..Change::default() };
    let seen = world.reader.applied_index();
    assert_eq!(write(&mut world, product, 5, left(2, seen)), LineOutcome::Applied);
    assert_eq!(world.cell(product.room_type, night(5)).allotment(), 2);
    // What the partner writes itself makes no count stale; a hold in between does.
    assert_eq!(write(&mut world, product, 5, left(3, seen)), LineOutcome::Applied);
    world.hold(product, stay(5, 1), 1);
    let stale = LineOutcome::Rejected(LineRefusal::StaleVersion);
    assert_eq!(write(&mut world, product, 5, left(3, seen)), stale);
    assert_eq!(world.cell(product.room_type, night(5)).available(), 2);
    let seen = world.reader.applied_index();
    assert_eq!(write(&mut world, product, 5, left(3, seen)), LineOutcome::Applied);
    let cell = world.cell(product.room_type, night(5));
    assert_eq!((cell.allotment(), cell.available()), (4, 3), "three left beside the one held");
    // The hold ends: the count is stale again, whether or not anybody has swept.
    world.now += HOUR;
    assert_eq!(write(&mut world, product, 5, left(3, seen)), stale);
    let twice = Change { allotment: Some(4), ..left(3, u64::MAX) };
    let refused = LineOutcome::Rejected(LineRefusal::Contradiction);
    assert_eq!(write(&mut world, product, 5, twice), refused);
    let overbooked = Change { overbook: Some(9), ..left(3, u64::MAX) };
    let below = LineOutcome::Rejected(LineRefusal::BelowZero);
    assert_eq!(write(&mut world, product, 5, overbooked), below, "more than three may be sold");
}

#[test]
fn rooms_are_sold_beyond_the_allotment_as_far_as_overbooking_goes() {
    let (mut world, product) = World::open(1);
    world.book(product, stay(5, 1), 1);
    let short = Reason::Insufficient { free: 0, wanted: 1, held: 0 };
    assert_eq!(reasons(&mut world, product, stay(5, 1)), [short]);
    write(&mut world, product, 5, Change { overbook: Some(1), ..Change::default() });
    assert_eq!(reasons(&mut world, product, stay(5, 1)), []);
    assert_eq!(world.cell(product.room_type, night(5)).available(), 0);
}

#[test]
fn a_line_with_a_value_out_of_bounds_is_rejected() {
    let (mut world, product) = World::open(9);
    let draft =
        RatePlanDraft { price_min: Some(1_000), price_max: Some(200_000), ..drafts::rate_plan() };
    let (rate_plan, principal, version) = (product.rate_plan, ADMIN, None);
    world.run(Verb::ChangeRatePlan(ChangeRatePlan { rate_plan, principal, version, draft }));
    let none = Change::default();
    let occupancy = |price| OccupancyPrices::new([(1, price)]);
    for (change, refusal) in [
        (Change { min_advance: Some(Some(1_101)), ..none }, LineRefusal::AdvanceOutOfRange),
        (Change { max_advance: Some(Some(1_101)), ..none }, LineRefusal::AdvanceOutOfRange),
        (
            Change { cut_off: Some(Some(CutOff { days: 1_101, minute: 0 })), ..none },
            LineRefusal::CutOffOutOfRange,
        ),
        (
            Change { cut_off: Some(Some(CutOff { days: 0, minute: 1_440 })), ..none },
            LineRefusal::CutOffOutOfRange,
        ),
        (
            Change { min_stay_arrival: Some(1), clear: Rules::MIN_STAY_ARRIVAL, ..none },
            LineRefusal::Contradiction,
        ),
        (Change { price: Some(999), ..none }, LineRefusal::PriceOutsideBounds),
        (Change { price: Some(200_001), ..none }, LineRefusal::PriceOutsideBounds),
        (Change { occupancy: occupancy(999), ..none }, LineRefusal::PriceOutsideBounds),
    ] {
        let outcome = write(&mut world, product, 5, change);
        assert_eq!(outcome, LineOutcome::Rejected(refusal), "{change:?}");
    }
    for change in [
        Change { price: Some(1_000), ..none },
        Change { price: Some(200_000), ..none },
        Change { occupancy: occupancy(1_000), ..none },
        Change { min_advance: Some(Some(1_100)), ..none },
        Change { cut_off: Some(Some(CutOff { days: 1_100, minute: 1_439 })), ..none },
    ] {
        assert_eq!(write(&mut world, product, 5, change), LineOutcome::Applied, "{change:?}");
    }
    let prices = world.reader.dated_rules(product.rate_plan, night(5)).occupancy;
    assert_eq!(prices.pairs().collect::<Vec<_>>(), [(1, 1_000)]);
    let gone = Change { occupancy: OccupancyPrices::new([]), ..none };
    assert_eq!(write(&mut world, product, 5, gone), LineOutcome::Applied);
    assert!(world.reader.dated_rules(product.rate_plan, night(5)).occupancy.is_empty());
}
