//! Changes of bookings: other dates, rooms, guest data; what they take, give back and cost.

use std::collections::BTreeSet;

use holdfast_engine::ari::Change;
use holdfast_engine::booking::{Booking, Sealed, Status};
use holdfast_engine::catalogue::HotelStatus;
use holdfast_engine::command::{CheckIn, Confirm, HoldLine, Modify};
use holdfast_engine::ids::{BookingId, RatePlanIx};
use holdfast_engine::refusal::Reason;
use holdfast_engine::stay::Wanted;
use holdfast_engine::{Code, Outcome, Principal, Verb};

use super::{Is::*, play};
use crate::world::{
    DAY, GUEST, HOUR, OWNER, Product, RIVAL, World, cancel, hold_line, line, night, payment, stay,
};

/// 1,000.00 for a night, with 10 % and 7 % on top.
const NIGHT_TOTAL: i64 = 117_700;

pub fn tables() -> BTreeSet<&'static str> {
    refusals_of_changes()
}

fn to(from: u16, until: u16) -> Wanted {
    Wanted { check_in: Some(night(from)), check_out: Some(night(until)), lines: None }
}

fn rooms(lines: Vec<HoldLine>) -> Wanted {
    Wanted { lines: Some(lines), ..Wanted::default() }
}

fn change(booking: BookingId, wanted: Wanted) -> Modify {
    Modify {
        booking,
        principal: GUEST,
        version: None,
        wanted,
        guest: None,
        guest_key: None,
        expected_total: None,
    }
}

fn changed(world: &mut World, verb: Modify) -> Booking {
    match world.run(Verb::Modify(verb)) {
        Outcome::BookingChanged(booking) => booking.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

fn sold(world: &World, product: Product, nights: std::ops::Range<u16>) -> Vec<u32> {
    nights.map(|at| world.cell(product.room_type, night(at)).sold()).collect()
}

fn refusals_of_changes() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(2);
    let other = world.product_in(product.hotel);
    let foreign = world.product();
    let booking = world.book(product, stay(5, 2), 1);
    let gone = world.book(product, stay(9, 1), 1);
    world.run(cancel(gone));
    world.book(product, stay(8, 1), 2);
    let closed = Change { closed: Some(true), ..Change::default() };
    let long = Change { min_stay_arrival: Some(3), ..Change::default() };
    world.allot(&[line(product, 20, 20, closed), line(product, 22, 22, long)]);
    let of = |wanted| Verb::Modify(change(booking, wanted));
    let with = |edit: &dyn Fn(&mut Modify)| {
        let mut verb = change(booking, to(5, 8));
        edit(&mut verb);
        Verb::Modify(verb)
    };
    let crowd = HoldLine { adults: 3, ..hold_line(product, 1) };
    let nobody = HoldLine { adults: 0, ..hold_line(product, 1) };
    let unknown = HoldLine { rate_plan: RatePlanIx(99), ..hold_line(product, 1) };
    let sealed = Sealed { guest: 1, key: 1, bytes: vec![0; 16_385] };
    play(
        &mut world,
        vec![
            (0, of(rooms(Vec::new())), No(Code::Malformed)),
            (0, of(rooms(vec![nobody])), No(Code::Malformed)),
            (0, with(&|verb| verb.guest = Some(sealed.clone())), No(Code::Malformed)),
            (0, with(&|verb| verb.booking = BookingId(1)), No(Code::NotFound)),
            (0, with(&|verb| verb.principal = Principal::Guest(2)), No(Code::NotFound)),
            (0, with(&|verb| verb.principal = Principal::Partner(RIVAL.0)), No(Code::NotFound)),
            (0, with(&|verb| verb.version = Some(9)), No(Code::VersionMismatch)),
            (0, Verb::Modify(change(gone, to(5, 6))), No(Code::BookingState)),
            (0, of(to(6, 6)), No(Code::StayTooShort)),
            (0, of(to(7, 6)), No(Code::StayTooShort)),
            (0, of(to(5, 36)), No(Code::StayTooLong)),
            (
                0,
                of(Wanted { check_in: Some(night(0).minus(1)), ..Wanted::default() }),
                No(Code::StayInPast),
            ),
            (0, of(to(59, 61)), No(Code::StayBeyondHorizon)),
            (0, of(rooms(vec![unknown])), No(Code::NotFound)),
            (0, of(rooms(vec![hold_line(foreign, 1)])), No(Code::NotFound)),
            (0, of(to(19, 21)), No(Code::StayClosed)),
            (0, of(rooms(vec![hold_line(other, 1)])), No(Code::RateMissing)),
            (0, of(to(22, 24)), No(Code::StayRestricted)),
            (0, of(rooms(vec![crowd])), No(Code::OccupancyTooMany)),
            (0, of(to(5, 9)), No(Code::InventoryInsufficient)),
            (0, of(rooms(vec![hold_line(product, 3)])), No(Code::InventoryInsufficient)),
            (0, with(&|verb| verb.expected_total = Some(1)), No(Code::PriceChanged)),
            (0, with(&|verb| verb.expected_total = Some(3 * NIGHT_TOTAL)), BookingChanged),
            (0, with(&|verb| verb.version = Some(1)), No(Code::VersionMismatch)),
            (0, with(&|verb| verb.version = Some(2)), BookingChanged),
        ],
    )
}

#[test]
fn a_change_is_refused_for_each_reason() {
    refusals_of_changes();
}

#[test]
fn a_refused_change_leaves_everything_as_it_was() {
    let (mut world, product) = World::open(1);
    let booking = world.book(product, stay(5, 2), 1);
    world.book(product, stay(8, 1), 1);
    let before = world.writer.digest();
    for (wanted, expected) in [(to(5, 9), None), (to(6, 8), Some(1))] {
        let verb = Modify { expected_total: expected, ..change(booking, wanted) };
        assert!(world.run(Verb::Modify(verb)).refusal().is_some());
    }
    assert_eq!(world.writer.digest(), before);
}

#[test]
fn its_own_nights_count_as_free_and_only_what_is_new_is_taken() {
    let (mut world, product) = World::open(1);
    let booking = world.book(product, stay(5, 3), 1);
    changed(&mut world, change(booking, to(6, 9)));
    assert_eq!(sold(&world, product, 4..10), [0, 0, 1, 1, 1, 0]);
    changed(&mut world, change(booking, to(7, 8)));
    assert_eq!(sold(&world, product, 4..10), [0, 0, 0, 1, 0, 0]);
    // Somewhere else altogether.
    changed(&mut world, change(booking, to(20, 22)));
    assert_eq!(sold(&world, product, 5..9), [0; 4]);
    assert_eq!(sold(&world, product, 20..22), [1, 1]);
    // After a cut there is nothing to take, and still something to give back.
    let cut = Change { allotment: Some(0), ..Change::default() };
    world.allot(&[line(product, 20, 21, cut)]);
    changed(&mut world, change(booking, to(20, 21)));
    assert_eq!(sold(&world, product, 20..22), [1, 0]);
}

#[test]
fn a_missing_room_is_named_with_what_is_wanted_beyond_ones_own() {
    let (mut world, product) = World::open(3);
    let booking = world.book(product, stay(5, 2), 2);
    world.book(product, stay(6, 1), 1);
    let verb = Verb::Modify(change(booking, rooms(vec![hold_line(product, 3)])));
    let refused = world.run(verb);
    let blockers = &refused.refusal().unwrap().blockers;
    let missing = Reason::Insufficient { free: 0, wanted: 1, held: 0 };
    assert_eq!(
        blockers.iter().map(|one| (one.reason, one.night)).collect::<Vec<_>>(),
        [(missing, night(6))]
    );
}

#[test]
fn kept_nights_keep_their_price_and_new_ones_cost_what_they_cost_today() {
    let (mut world, product) = World::open(4);
    let booking = world.book(product, stay(5, 2), 1);
    world.offer(product, 0, 30, 4, 200_000);
    let longer = changed(&mut world, change(booking, to(4, 8)));
    assert_eq!(longer.terms.lines[0].quote.prices, [200_000, 100_000, 100_000, 200_000]);
    assert_eq!(longer.terms.total, 6 * NIGHT_TOTAL);
    let shorter = changed(&mut world, change(booking, to(5, 6)));
    assert_eq!(shorter.terms.total, NIGHT_TOTAL);
    // A second room costs what it costs today; the first one keeps its price.
    let two = changed(&mut world, change(booking, rooms(vec![hold_line(product, 2)])));
    assert_eq!(two.terms.total, 3 * NIGHT_TOTAL);
    assert_eq!(two.terms.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [1, 1]);
    assert_eq!((two.version, two.terms.rooms()), (4, 2));
}

#[test]
fn rules_bar_what_is_new_and_not_what_is_kept() {
    let (mut world, product) = World::open(4);
    let booking = world.book(product, stay(5, 2), 1);
    let closed = Change { closed: Some(true), closed_to_arrival: Some(true), ..Change::default() };
    world.allot(&[line(product, 5, 6, closed)]);
    // The kept nights are closed, and nobody may arrive any more: this guest does.
    changed(&mut world, change(booking, to(5, 8)));
    let refused = world.run(Verb::Modify(change(booking, rooms(vec![hold_line(product, 2)]))));
    assert_eq!(refused.refusal().unwrap().code, Code::StayClosed);
    let refused = world.run(Verb::Modify(change(booking, to(6, 8))));
    assert_eq!(refused.refusal().unwrap().code, Code::StayRestricted, "arriving on another day");
    // A house off sale sells no night more, and takes some back.
    world.set_status(product.hotel, HotelStatus::Suspended);
    let refused = world.run(Verb::Modify(change(booking, to(5, 9))));
    assert_eq!(refused.refusal().unwrap().code, Code::StayClosed);
    changed(&mut world, change(booking, to(5, 7)));
}

#[test]
fn once_the_guest_has_come_only_the_check_out_moves() {
    let (mut world, product) = World::open(4);
    let booking = world.book(product, stay(0, 3), 1);
    world.run(Verb::CheckIn(CheckIn { booking, principal: OWNER, version: None }));
    world.now += DAY;
    let code = |outcome: Outcome| outcome.refusal().map(|refusal| refusal.code);
    for wanted in [to(1, 3), rooms(vec![hold_line(product, 2)])] {
        let outcome = world.run(Verb::Modify(change(booking, wanted)));
        assert_eq!(code(outcome), Some(Code::BookingState));
    }
    changed(&mut world, change(booking, to(0, 5)));
    assert_eq!(sold(&world, product, 0..6), [1, 1, 1, 1, 1, 0]);
    world.now += 2 * DAY;
    let outcome = world.run(Verb::Modify(change(booking, to(0, 2))));
    assert_eq!(code(outcome), Some(Code::StayInPast), "those nights are over");
    changed(&mut world, change(booking, to(0, 3)));
    assert_eq!(sold(&world, product, 0..6), [1, 1, 1, 0, 0, 0]);
}

#[test]
fn a_change_makes_no_fee_smaller_that_was_due_already() {
    let (mut world, product) = World::open(4);
    let booking = world.book(product, stay(4, 2), 1);
    // Free until two days before: what is given up now is paid back.
    let shorter = changed(&mut world, change(booking, to(4, 5)));
    let balance = shorter.balance();
    assert_eq!((balance.due, balance.refund, balance.at_hotel), (0, NIGHT_TOTAL, 0));
    let longer = changed(&mut world, change(booking, to(4, 7)));
    let balance = longer.balance();
    assert_eq!((balance.due, balance.refund, balance.at_hotel), (NIGHT_TOTAL, 0, 0));
    // The day before, half is due: moving the stay away does not make it free again.
    world.now += 2 * DAY + 9 * HOUR;
    let moved = changed(&mut world, change(booking, to(30, 31)));
    let half = 3 * NIGHT_TOTAL / 2;
    assert_eq!(moved.fee_floor, half);
    assert_eq!(moved.balance().refund, 2 * NIGHT_TOTAL - half);
    let Outcome::Cancelled(cancelled) = world.run(cancel(booking)) else { panic!() };
    let Status::Cancelled(end) = cancelled.status else { panic!() };
    assert_eq!((end.fee, end.refund, end.owed), (half, 2 * NIGHT_TOTAL - half, 0));
}

#[test]
fn what_refuses_a_change_is_kept_with_its_key_missing_rooms_included() {
    let (mut world, product) = World::open(1);
    let booking = world.book(product, stay(5, 2), 1);
    let other = world.book(product, stay(8, 1), 1);
    let verb = Verb::Modify(change(booking, to(5, 9)));
    let refused = world.run_keyed(1, 1, verb.clone());
    assert_eq!(refused.refusal().unwrap().code, Code::InventoryInsufficient);
    world.run(cancel(other));
    assert!(matches!(world.run_keyed(1, 1, verb.clone()), Outcome::Replayed(_)));
    assert!(matches!(world.run_keyed(2, 2, verb), Outcome::BookingChanged(_)));
}

#[test]
fn guest_data_changes_alone_and_a_reference_stays_taken_for_the_new_dates() {
    let (mut world, product) = World::open(4);
    let mut wish = world.wish(product, stay(5, 2), 1);
    wish.client_reference = Some("mine".to_owned());
    let again =
        holdfast_engine::command::Hold { id: holdfast_engine::ids::HoldId(9), ..wish.clone() };
    let hold = wish.id;
    world.run(Verb::Hold(wish));
    let confirm = Confirm { payment: payment(0), ..world.confirmation(hold) };
    let booking = confirm.booking;
    world.run(Verb::Confirm(confirm));
    let guest = Sealed { guest: 7, key: 8, bytes: vec![9] };
    let verb = Modify { guest: Some(guest.clone()), ..change(booking, Wanted::default()) };
    let after = changed(&mut world, verb);
    assert_eq!((after.guest.as_ref(), after.version), (&guest, 2));
    assert_eq!(after.terms.total, 2 * NIGHT_TOTAL);
    changed(&mut world, change(booking, to(20, 22)));
    let refused = world.run(Verb::Hold(again));
    let refusal = refused.refusal().unwrap();
    assert_eq!((refusal.code, refusal.booking), (Code::ReferenceDuplicate, Some(booking)));
}

#[test]
fn a_room_turns_over_on_the_same_day_and_middle_nights_are_checked() {
    let (mut world, product) = World::open(1);
    world.book(product, stay(5, 2), 1);
    world.book(product, stay(7, 2), 1);
    world.book(product, stay(3, 2), 1);
    assert_eq!(sold(&world, product, 3..9), [1; 6]);
    // Both ends are free, the middle is not.
    world.book(product, stay(11, 1), 1);
    let wish = world.wish(product, stay(10, 3), 1);
    let refused = world.run(Verb::Hold(wish));
    let blockers = &refused.refusal().unwrap().blockers;
    assert_eq!(blockers.iter().map(|one| one.night).collect::<Vec<_>>(), [night(11)]);
}
