//! Check-in, check-out, no-show.

use std::collections::BTreeSet;

use holdfast_engine::booking::Status;
use holdfast_engine::catalogue::{Policy, RatePlanDraft};
use holdfast_engine::command::{ChangeRatePlan, CheckIn, CheckOut, Confirm, NoShow};
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Code, Outcome, Principal, Verb};

use super::{Is::*, play};
use crate::world::{
    ADMIN, DAY, GUEST, HOUR, MINUTE, OWNER, RIVAL, World, cancel, drafts, night, payment, stay,
};

/// From ten in the morning to midnight in Bangkok.
const TO_MIDNIGHT: u64 = 14 * HOUR;

pub fn tables() -> BTreeSet<&'static str> {
    [check_ins(), check_outs(), no_shows()].into_iter().flatten().collect()
}

fn arrive(booking: BookingId) -> Verb {
    Verb::CheckIn(CheckIn { booking, principal: OWNER, version: None })
}

fn depart(booking: BookingId) -> Verb {
    Verb::CheckOut(CheckOut { booking, principal: OWNER, version: None })
}

fn missed(booking: BookingId) -> Verb {
    Verb::NoShow(NoShow { booking, principal: OWNER, version: None })
}

fn check_ins() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let [first, second, third, gone] = [0; 4].map(|_| world.book(product, stay(3, 2), 1));
    let by = |principal, version| Verb::CheckIn(CheckIn { booking: first, principal, version });
    // Noon of the check-out day is check-out time.
    let noon = 2 * DAY + 12 * HOUR;
    let met = play(
        &mut world,
        vec![
            (0, arrive(BookingId(1)), No(Code::NotFound)),
            // A guest does not check itself in, and another partner knows of no such booking.
            (0, by(GUEST, Some(9)), No(Code::NotFound)),
            (0, by(Principal::Partner(RIVAL.0), None), No(Code::NotFound)),
            (0, by(OWNER, Some(9)), No(Code::VersionMismatch)),
            (0, cancel(gone), Cancelled),
            (0, arrive(gone), No(Code::BookingState)),
            (2 * DAY + TO_MIDNIGHT - 1, by(OWNER, None), No(Code::BookingState)),
            (1, by(OWNER, Some(1)), BookingChanged),
            (0, by(OWNER, Some(1)), No(Code::BookingState)),
            (0, cancel(first), No(Code::BookingState)),
            (
                noon - 1,
                Verb::CheckIn(CheckIn { booking: second, principal: ADMIN, version: None }),
                BookingChanged,
            ),
            (1, arrive(third), No(Code::BookingState)),
        ],
    );
    let booking = world.reader.booking(first).unwrap();
    assert_eq!((booking.status, booking.version), (Status::CheckedIn, 2));
    assert_eq!(world.cell(product.room_type, night(4)).sold(), 3, "nobody lost a room");
    met
}

#[test]
fn guests_arrive_between_the_check_in_day_and_the_check_out_time() {
    check_ins();
}

fn check_outs() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let booking = world.book(product, stay(0, 4), 2);
    let by = |principal, version| Verb::CheckOut(CheckOut { booking, principal, version });
    let met = play(
        &mut world,
        vec![
            (0, depart(BookingId(1)), No(Code::NotFound)),
            (0, depart(booking), No(Code::BookingState)),
            (0, arrive(booking), BookingChanged),
            (0, by(GUEST, None), No(Code::NotFound)),
            (0, by(OWNER, Some(1)), No(Code::VersionMismatch)),
            (DAY + TO_MIDNIGHT, by(OWNER, Some(2)), BookingChanged),
            (0, depart(booking), No(Code::BookingState)),
            (0, missed(booking), No(Code::BookingState)),
        ],
    );
    // It is the third day's first moment: two nights were slept in.
    let sold = |at| world.cell(product.room_type, night(at)).sold();
    assert_eq!([0, 1, 2, 3].map(sold), [2, 2, 0, 0]);
    met
}

#[test]
fn an_early_departure_frees_the_nights_from_that_day_on() {
    check_outs();
}

#[test]
fn a_late_departure_frees_nothing_and_fails_nowhere() {
    let (mut world, product) = World::open(20);
    let booking = world.book(product, stay(0, 2), 1);
    world.run(arrive(booking));
    world.now += 9 * DAY;
    world.tick();
    assert!(matches!(world.run(depart(booking)), Outcome::BookingChanged(_)));
}

fn no_shows() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let [booking, late, never] = [0; 3].map(|_| world.book(product, stay(3, 3), 2));
    let by = |principal, version| Verb::NoShow(NoShow { booking, principal, version });
    let met = play(
        &mut world,
        vec![
            (0, missed(BookingId(1)), No(Code::NotFound)),
            (0, by(GUEST, None), No(Code::NotFound)),
            (0, by(OWNER, Some(2)), No(Code::VersionMismatch)),
            (2 * DAY + TO_MIDNIGHT - 1, by(OWNER, None), No(Code::BookingState)),
            (1, by(OWNER, Some(1)), BookingChanged),
            (0, by(OWNER, None), No(Code::BookingState)),
            (0, cancel(booking), No(Code::BookingState)),
            (3 * DAY + 48 * HOUR, missed(late), BookingChanged),
            (1, missed(never), No(Code::BookingState)),
        ],
    );
    let sold = |at| world.cell(product.room_type, night(at)).sold();
    assert_eq!([3, 4, 5].map(sold), [6, 2, 2], "the first night stays sold");
    met
}

#[test]
fn who_did_not_come_is_said_from_the_check_in_day_to_two_days_after_check_out() {
    no_shows();
}

#[test]
fn not_coming_costs_what_cancelling_would_and_without_tiers_the_first_night() {
    let night_total = 117_700;
    let total = 2 * night_total;
    // (the plan's tiers, paid) → (fee, refund, owed).
    for (policy, paid, expected) in [
        (drafts::rate_plan().policy, total, (total, 0, 0)),
        (drafts::rate_plan().policy, night_total, (total, 0, night_total)),
        (Policy::default().into(), total, (night_total, night_total, 0)),
        (Policy::default().into(), 1, (night_total, 0, night_total - 1)),
    ] {
        let (mut world, product) = World::open(20);
        let draft = RatePlanDraft { policy, ..drafts::rate_plan() };
        let change =
            ChangeRatePlan { rate_plan: product.rate_plan, principal: OWNER, version: None, draft };
        world.run(Verb::ChangeRatePlan(change));
        let hold = world.hold(product, stay(1, 2), 1);
        let confirm = Confirm { payment: payment(paid), ..world.confirmation(hold) };
        let booking = confirm.booking;
        world.run(Verb::Confirm(confirm));
        world.now += TO_MIDNIGHT + 20 * MINUTE;
        let outcome = world.run(missed(booking));
        let Outcome::BookingChanged(booking) = &outcome else { panic!("{outcome:?}") };
        let Status::NoShow(end) = booking.status else { panic!("{booking:?}") };
        assert_eq!((end.fee, end.refund, end.owed), expected);
    }
}
