//! Tables that are full: what happens at each bound and one past it, in states whose bounds are small.
//!
//! The rule is the same as at the millions of `limits`: only the number is another.

use holdfast_engine::ari::{Change, LineOutcome, LineRefusal};
use holdfast_engine::command::{AddHotel, AddRatePlan, AddRoomType, Allot, Hold, Release};
use holdfast_engine::ids::{HoldId, HotelId, RatePlanId, RoomTypeId};
use holdfast_engine::limits::{ENDED_HOLD_MS_SURE, KEY_MS_SURE, REFERENCE_DAYS_KEPT};
use holdfast_engine::{Bounds, Code, Outcome, Principal, Verb};

use crate::world::{DAY, GUEST, OWNER, PARTNER, Product, World, cancel, drafts, line, stay};

fn code(outcome: &Outcome) -> Option<Code> {
    outcome.refusal().map(|refusal| refusal.code)
}

fn full(code: Code) -> Option<Code> {
    assert_eq!(code.status(), 503, "to be tried again later");
    Some(code)
}

fn release(hold: HoldId) -> Verb {
    Verb::Release(Release { hold, principal: GUEST })
}

#[test]
fn past_the_bound_of_keys_a_new_one_is_refused_and_no_old_one_loses_its_answer_early() {
    let bounds = Bounds { keys: 3, ..Bounds::default() };
    let (mut world, product) = World::open_within(9, bounds);
    let holds = [0; 3].map(|_| world.hold(product, stay(3, 1), 1));
    for (key, hold) in (1u128..).zip(holds) {
        world.now += 1;
        let outcome = world.run_keyed(key, 7, release(hold));
        assert!(matches!(outcome, Outcome::HoldChanged(_)), "{outcome:?}");
    }
    let first_ms = world.now - 2;
    let wish = Verb::Hold(world.wish(product, stay(3, 1), 1));
    let before = world.writer.digest();
    assert_eq!(code(&world.run_keyed(4, 7, wish.clone())), full(Code::KeysFull));
    let after = world.writer.digest();
    assert_eq!(after.differences(&before).filter(|part| part.0 != "clock").count(), 0);
    // Without a key there is nothing to keep.
    assert!(matches!(
        world.run(Verb::Tick(holdfast_engine::command::Tick)),
        Outcome::Ticked { .. }
    ));
    let replays = |world: &mut World, key: u128| {
        let outcome = world.run_keyed(key, 7, release(holds[key as usize - 1]));
        matches!(outcome, Outcome::Replayed(_))
    };
    assert!((1..=3).all(|key| replays(&mut world, key)));
    world.now = first_ms + KEY_MS_SURE - 1;
    assert_eq!(code(&world.run_keyed(4, 7, wish.clone())), full(Code::KeysFull));
    assert!((1..=3).all(|key| replays(&mut world, key)), "until the last millisecond of the hour");
    world.now += 1;
    let outcome = world.run_keyed(4, 7, wish);
    assert!(matches!(outcome, Outcome::Held { .. }), "the oldest made room: {outcome:?}");
    assert!((2..=3).all(|key| replays(&mut world, key)), "and it alone");
    let another = Verb::Hold(world.wish(product, stay(3, 1), 1));
    assert_eq!(code(&world.run_keyed(5, 7, another.clone())), full(Code::KeysFull));
    // The first is a new key now: judged anew, once there is room for its answer.
    world.now += 1;
    let outcome = world.run_keyed(1, 8, another);
    assert!(matches!(outcome, Outcome::Held { .. }), "{outcome:?}");
}

#[test]
fn past_the_bound_of_holds_a_new_one_is_refused_until_one_ended_an_hour_ago() {
    let bounds = Bounds { holds: 2, ..Bounds::default() };
    let (mut world, product) = World::open_within(9, bounds);
    let [ended, living] = [0; 2].map(|_| world.hold(product, stay(3, 1), 1));
    let try_one = |world: &mut World| {
        let wish = world.wish(product, stay(3, 1), 1);
        code(&world.run(Verb::Hold(wish)))
    };
    let before = world.writer.digest();
    assert_eq!(try_one(&mut world), full(Code::CapacityReached));
    let after = world.writer.digest();
    assert_eq!(after.differences(&before).filter(|part| part.0 != "clock").count(), 0);
    world.run(release(ended));
    let ended_ms = world.now;
    for at in [ended_ms, ended_ms + ENDED_HOLD_MS_SURE - 1] {
        world.now = at;
        assert_eq!(try_one(&mut world), full(Code::CapacityReached), "it can still be read");
        assert!(world.reader.hold(ended).is_some());
    }
    world.now = ended_ms + ENDED_HOLD_MS_SURE;
    assert_eq!(try_one(&mut world), None);
    assert!(world.reader.hold(ended).is_none(), "the one that ended first made room");
    assert!(world.reader.hold(living).is_some());
    // The other ran out meanwhile, but was seen to only now.
    assert_eq!(try_one(&mut world), full(Code::CapacityReached));
}

#[test]
fn past_the_bound_of_bookings_a_confirmation_is_refused_and_its_hold_goes_on() {
    let bounds = Bounds { bookings: 1, ..Bounds::default() };
    let (mut world, product) = World::open_within(9, bounds);
    let booking = world.book(product, stay(3, 1), 1);
    let hold = world.hold(product, stay(3, 1), 1);
    let confirm = Verb::Confirm(world.confirmation(hold));
    assert_eq!(code(&world.run(confirm.clone())), full(Code::CapacityReached));
    assert!(world.reader.hold(hold).unwrap().is_live());
    // A cancelled booking is a booking still.
    world.run(cancel(booking));
    assert_eq!(code(&world.run(confirm)), full(Code::CapacityReached));
}

fn named(world: &mut World, product: Product, name: &str) -> Hold {
    let client_reference = Some(name.to_owned());
    Hold { client_reference, ..world.wish(product, stay(3, 1), 1) }
}

#[test]
fn past_the_bound_of_references_a_named_hold_is_refused_and_a_nameless_one_is_not() {
    let bounds = Bounds { references: 1, ..Bounds::default() };
    let (mut world, product) = World::open_within(9, bounds);
    let first = named(&mut world, product, "one");
    let id = first.id;
    assert!(matches!(world.run(Verb::Hold(first)), Outcome::Held { .. }));
    let second = named(&mut world, product, "two");
    assert_eq!(code(&world.run(Verb::Hold(second.clone()))), full(Code::CapacityReached));
    let same = named(&mut world, product, "one");
    assert_eq!(code(&world.run(Verb::Hold(same))), Some(Code::ReferenceDuplicate), "it is kept");
    world.hold(product, stay(3, 1), 1);
    // Given back, the name is free; booked, it is taken until long after check-out.
    world.run(release(id));
    assert!(matches!(world.run(Verb::Hold(second.clone())), Outcome::Held { .. }));
    let confirm = Verb::Confirm(world.confirmation(second.id));
    assert!(matches!(world.run(confirm), Outcome::Booked(_)));
    let third = named(&mut world, product, "three");
    assert_eq!(code(&world.run(Verb::Hold(third))), full(Code::CapacityReached));
    world.now += (u64::from(REFERENCE_DAYS_KEPT) + 6) * DAY;
    for _ in 0..40 {
        world.tick();
    }
    let product = world.product_in(product.hotel);
    let from = REFERENCE_DAYS_KEPT + 6;
    world.offer(product, from, from + 9, 9, 100_000);
    let dates = stay(REFERENCE_DAYS_KEPT + 8, 1);
    let third = Hold { stay: dates, ..named(&mut world, product, "three") };
    let outcome = world.run(Verb::Hold(third));
    assert!(matches!(outcome, Outcome::Held { .. }), "{outcome:?}");
}

#[test]
fn past_the_bound_of_sources_a_new_one_is_refused_and_the_known_ones_go_on() {
    let bounds = Bounds { sources: 2, ..Bounds::default() };
    let mut world = World::within(bounds);
    let product = world.product();
    let mut write = |source: &str, seq: u64, principal: Principal| {
        let change = Change { allotment: Some(seq as u16), ..Change::default() };
        let lines = vec![holdfast_engine::ari::Line { seq, ..line(product, 3, 3, change) }];
        let source = source.to_owned();
        world.run(Verb::Allot(Allot { principal, partner: PARTNER, source, lines }))
    };
    let applied = |outcome: Outcome| match outcome {
        Outcome::Allotted(lines) => lines.to_vec() == [LineOutcome::Applied],
        _ => false,
    };
    assert!(applied(write("one", 1, OWNER)) && applied(write("two", 2, OWNER)));
    assert_eq!(code(&write("three", 3, OWNER)), full(Code::CapacityReached));
    assert!(applied(write("one", 4, OWNER)) && applied(write("two", 5, OWNER)));
}

#[test]
fn past_the_bounds_of_the_catalogue_nothing_is_added_and_what_is_there_sells() {
    let bounds = Bounds { hotels: 1, room_types: 1, rate_plans: 1, ..Bounds::default() };
    let (mut world, product) = World::open_within(9, bounds);
    let (principal, hotel, room_type) = (OWNER, product.hotel, product.room_type);
    let id = world.mint();
    let add = AddHotel { id: HotelId(id), partner: PARTNER, draft: drafts::hotel() };
    assert_eq!(code(&world.run(Verb::AddHotel(add))), full(Code::CapacityReached));
    let draft = drafts::room_type();
    let add = AddRoomType { id: RoomTypeId(id), hotel, principal, draft };
    assert_eq!(code(&world.run(Verb::AddRoomType(add))), full(Code::CapacityReached));
    let draft = drafts::rate_plan();
    let add = AddRatePlan { id: RatePlanId(id), room_type, principal, draft };
    assert_eq!(code(&world.run(Verb::AddRatePlan(add))), full(Code::CapacityReached));
    world.hold(product, stay(3, 1), 1);
}

#[test]
fn past_the_bound_of_nights_with_rarer_rules_a_line_is_refused_whole_and_one_taken_away_makes_room()
{
    let bounds = Bounds { overlay_nights: 3, ..Bounds::default() };
    let (mut world, product) = World::open_within(9, bounds);
    let advance = |days| Change { min_advance: Some(days), ..Change::default() };
    let write = |world: &mut World, from, to, change| {
        let at = line(product, from, to, change);
        world.allot(&[at]).remove(0)
    };
    let refused = LineOutcome::Rejected(LineRefusal::CapacityReached);
    assert_eq!(write(&mut world, 3, 5, advance(Some(2))), LineOutcome::Applied);
    assert_eq!(write(&mut world, 6, 6, advance(Some(2))), refused);
    assert_eq!(write(&mut world, 5, 6, advance(Some(1))), refused, "no night of it");
    assert_eq!(write(&mut world, 3, 5, advance(Some(1))), LineOutcome::Applied, "no new entry");
    let cleared = Change { clear: holdfast_engine::ari::Rules::MIN_ADVANCE, ..Change::default() };
    assert_eq!(write(&mut world, 4, 4, cleared), LineOutcome::Applied);
    assert_eq!(write(&mut world, 6, 6, advance(Some(2))), LineOutcome::Applied);
    assert_eq!(write(&mut world, 4, 4, advance(Some(2))), refused);
}
