//! Payments, confirmations, cancellations, and keys.

use std::collections::BTreeSet;

use holdfast_engine::booking::{Status, WrappedKey};
use holdfast_engine::catalogue::{Deposit, Penalty, Policy, RatePlanDraft, Tier};
use holdfast_engine::command::{
    BeginPayment, Cancel, ChangeRatePlan, Confirm, DeclinePayment, Release,
};
use holdfast_engine::ids::{BookingId, HoldId};
use holdfast_engine::{Code, Outcome, Principal, Verb};

use super::{Is::*, Row, play};
use crate::world::{
    ADMIN, DAY, GUEST, HOUR, MINUTE, OWNER, Product, RIVAL, World, begin, cancel, drafts,
    hold_line, night, payment, stay,
};

pub fn tables() -> BTreeSet<&'static str> {
    [payments(), confirmations(), cancellations()].into_iter().flatten().collect()
}

fn decline(hold: HoldId, intent: u128) -> Verb {
    Verb::DeclinePayment(DeclinePayment { hold, principal: GUEST, intent })
}

fn payments() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let [hold, released, booked, late] = [0; 4].map(|_| world.hold(product, stay(3, 1), 1));
    let confirm = world.confirmation(booked);
    let of = |hold, principal, expected_total| {
        Verb::BeginPayment(BeginPayment {
            hold,
            principal,
            intent: 1,
            key: 2,
            expected_total,
            revive: false,
        })
    };
    let stranger = DeclinePayment { hold, principal: Principal::Guest(2), intent: 1 };
    play(
        &mut world,
        vec![
            (0, Verb::Release(Release { hold: released, principal: GUEST }), Changed),
            (0, Verb::Confirm(confirm), Booked),
            (0, of(HoldId(1), GUEST, None), No(Code::NotFound)),
            (0, of(hold, Principal::Partner(RIVAL.0), None), No(Code::NotFound)),
            (0, of(released, GUEST, Some(1)), No(Code::HoldReleased)),
            (0, of(booked, GUEST, Some(1)), No(Code::HoldAlreadyConfirmed)),
            (0, of(hold, GUEST, Some(1)), No(Code::PriceChanged)),
            (0, decline(hold, 1), No(Code::HoldNotConfirming)),
            (0, of(hold, GUEST, Some(117_700)), Changed),
            // The same key again, whatever the total; another key must wait.
            (0, of(hold, GUEST, Some(1)), Changed),
            (0, begin(hold, 7, 8), No(Code::HoldConfirming)),
            (0, Verb::DeclinePayment(stranger), No(Code::NotFound)),
            (0, decline(HoldId(1), 1), No(Code::NotFound)),
            (0, decline(hold, 7), No(Code::HoldConfirming)),
            (0, decline(released, 1), No(Code::HoldReleased)),
            (0, decline(booked, 1), No(Code::HoldAlreadyConfirmed)),
            (0, decline(hold, 1), No(Code::PaymentDeclined)),
            (0, decline(hold, 1), No(Code::HoldNotConfirming)),
            // The hold goes on as before, for another payment.
            (0, begin(hold, 7, 8), Changed),
            (2 * MINUTE, decline(hold, 7), No(Code::HoldExpired)),
            (13 * MINUTE, begin(late, 7, 8), No(Code::HoldExpired)),
        ],
    )
}

#[test]
fn payments_of_holds() {
    payments();
}

fn confirmations() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let [hold, paid, released, late] = [0; 4].map(|_| world.hold(product, stay(3, 1), 1));
    let base = world.confirmation(hold);
    let of = |hold, intent| Confirm { hold, intent, ..base.clone() };
    let id = |id| BookingId(id);
    let mut large = of(hold, None);
    large.guest.bytes = vec![0; 16_385];
    let rows: Vec<Row> = vec![
        (0, Verb::Release(Release { hold: released, principal: GUEST }), Changed),
        (0, begin(paid, 5, 6), Changed),
        (0, Verb::Confirm(Confirm { hold: HoldId(1), ..large.clone() }), No(Code::Malformed)),
        (0, Verb::Confirm(of(HoldId(1), None)), No(Code::NotFound)),
        (
            0,
            Verb::Confirm(Confirm { principal: Principal::Guest(2), ..of(hold, None) }),
            No(Code::NotFound),
        ),
        (0, Verb::Confirm(of(released, None)), No(Code::HoldReleased)),
        (0, Verb::Confirm(of(hold, Some(5))), No(Code::HoldNotConfirming)),
        (0, Verb::Confirm(of(paid, None)), No(Code::HoldConfirming)),
        (0, Verb::Confirm(of(paid, Some(9))), No(Code::HoldConfirming)),
        (
            0,
            Verb::Confirm(Confirm { expected_total: Some(1), ..of(hold, None) }),
            No(Code::PriceChanged),
        ),
        (
            0,
            Verb::Confirm(Confirm {
                expected_total: Some(117_700),
                booking: id(1),
                ..of(hold, None)
            }),
            Booked,
        ),
        (
            0,
            Verb::Confirm(Confirm { booking: id(2), ..of(hold, None) }),
            No(Code::HoldAlreadyConfirmed),
        ),
        (
            0,
            Verb::Confirm(Confirm { booking: id(1), ..of(paid, Some(5)) }),
            No(Code::StateConflict),
        ),
        (
            0,
            Verb::Confirm(Confirm { booking: id(3), principal: OWNER, ..of(paid, Some(5)) }),
            Booked,
        ),
        (
            15 * MINUTE,
            Verb::Confirm(Confirm { booking: id(4), ..of(late, None) }),
            No(Code::HoldExpired),
        ),
    ];
    let met = play(&mut world, rows);
    let booking = world.reader.booking(id(3)).unwrap();
    assert_eq!(booking.principal, GUEST, "a booking is its guest's, whoever confirmed it");
    let cell = world.cell(product.room_type, night(3));
    assert_eq!((cell.sold(), cell.held()), (2, 1));
    met
}

#[test]
fn confirmations_of_holds() {
    confirmations();
}

#[test]
fn a_second_confirmation_names_the_booking() {
    let (mut world, product) = World::open(20);
    let hold = world.hold(product, stay(3, 1), 1);
    let first = world.confirmation(hold);
    let booking = first.booking;
    world.run(Verb::Confirm(first));
    let second = world.confirmation(hold);
    let outcome = world.run(Verb::Confirm(second));
    assert_eq!(outcome.refusal().and_then(|refusal| refusal.booking), Some(booking));
    assert_eq!(world.reader.bookings_of(GUEST, None, 9).bookings, [booking]);
}

#[test]
fn a_guests_key_is_kept_once() {
    let (mut world, product) = World::open(20);
    for bytes in [vec![1], vec![2]] {
        let hold = world.hold(product, stay(3, 1), 1);
        let guest_key = Some(WrappedKey { key: 8, bytes });
        let confirm = Confirm { guest_key, ..world.confirmation(hold) };
        assert!(matches!(world.run(Verb::Confirm(confirm)), Outcome::Booked(_)));
    }
    assert_eq!(world.reader.guest_key(7, 8).unwrap().bytes, [1]);
    assert_eq!(world.reader.guest_key_newest(7).unwrap().key, 8);
}

fn cancellations() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(20);
    let early = world.book(product, stay(3, 2), 1);
    let late = world.book(product, stay(3, 2), 1);
    let by = |booking, principal, version| Verb::Cancel(Cancel { booking, principal, version });
    let met = play(
        &mut world,
        vec![
            (0, by(BookingId(1), GUEST, None), No(Code::NotFound)),
            (0, by(early, Principal::Guest(2), Some(9)), No(Code::NotFound)),
            (0, by(early, Principal::Partner(RIVAL.0), None), No(Code::NotFound)),
            (0, by(early, GUEST, Some(2)), No(Code::VersionMismatch)),
            (0, by(early, OWNER, Some(1)), Cancelled),
            (0, by(early, GUEST, Some(1)), Cancelled),
            (0, by(early, GUEST, None), Cancelled),
            // From ten in the morning to the last millisecond of the check-in day in Bangkok, and past it.
            (3 * DAY + 14 * HOUR, by(late, GUEST, None), No(Code::BookingState)),
            (0, by(late, GUEST, Some(9)), No(Code::VersionMismatch)),
            (0, by(early, GUEST, None), Cancelled),
        ],
    );
    assert_eq!(world.cell(product.room_type, night(3)).sold(), 1);
    met
}

#[test]
fn cancellations_of_bookings() {
    cancellations();
}

#[test]
fn fees_follow_the_policy_to_the_second_and_the_first_answer_stands() {
    // Free until 18:00 two days before, half until 18:00 the day before, then all; two rooms, two nights.
    let total = 2 * 2 * 117_700;
    // 18:00 in Bangkok on the day after tomorrow, for check-in in four days; the world begins at 10:00.
    let free_until = 2 * DAY + 8 * HOUR;
    for (after, fee) in [
        (0, 0),
        (free_until, 0),
        (free_until + 1, total / 2),
        (free_until + DAY, total / 2),
        (free_until + DAY + 1, total),
        // The last millisecond of the check-in day.
        (4 * DAY + 14 * HOUR - 1, total),
    ] {
        let (mut world, product) = World::open(20);
        let booking = world.book(product, stay(4, 2), 2);
        // What the partner changes later is not this booking's.
        world.run(Verb::ChangeRatePlan(ChangeRatePlan {
            rate_plan: product.rate_plan,
            principal: OWNER,
            version: None,
            draft: RatePlanDraft {
                policy: Policy {
                    tiers: vec![Tier {
                        until_days: 0,
                        until_minute: 0,
                        penalty: Penalty::Fixed(1),
                    }],
                }
                .into(),
                ..drafts::rate_plan()
            },
        }));
        world.now += after;
        let outcome = world.run(cancel(booking));
        let Outcome::Cancelled(cancelled) = &outcome else { panic!("{after}: {outcome:?}") };
        let Status::Cancelled(end) = cancelled.status else { panic!("{cancelled:?}") };
        let left = (end.fee, end.refund, end.owed);
        assert_eq!(left, (fee, total - fee, 0), "after {after} ms");
        world.now += 9 * DAY;
        match world.run(cancel(booking)) {
            Outcome::Cancelled(again) => assert_eq!(again.status, cancelled.status),
            other => panic!("{other:?}"),
        }
    }
}

/// A product of its own on these terms, open like the others.
fn product_on(world: &mut World, product: Product, policy: Policy, deposit: Deposit) -> Product {
    let draft = RatePlanDraft { policy: policy.into(), deposit, ..drafts::rate_plan() };
    let rate_plan = world.rate_plan(product.room_type);
    let change = ChangeRatePlan { rate_plan, principal: OWNER, version: None, draft };
    assert!(matches!(world.run(Verb::ChangeRatePlan(change)), Outcome::RatePlan(_)));
    let product = Product { rate_plan, ..product };
    world.offer(product, 0, 30, 20, 100_000);
    product
}

#[test]
fn each_line_is_cancelled_by_its_own_policy_and_paid_by_its_own_deposit() {
    let (mut world, product) = World::open(20);
    let one = 117_700;
    let fixed = Policy {
        tiers: vec![Tier { until_days: 0, until_minute: 1_439, penalty: Penalty::Fixed(777) }],
    };
    let nights = Policy {
        tiers: vec![Tier { until_days: 0, until_minute: 1_439, penalty: Penalty::Nights(1) }],
    };
    let first = product_on(&mut world, product, fixed, Deposit::Nights(1));
    let second = product_on(&mut world, product, nights, Deposit::PercentBp(1_000));
    let mut wish = world.wish(first, stay(4, 2), 2);
    wish.lines.push(hold_line(second, 1));
    wish.lines.push(hold_line(product, 1));
    let hold = wish.id;
    let Outcome::Held { terms, .. } = world.run(Verb::Hold(wish)) else { panic!() };
    // Two rooms' first night; a tenth of two nights; the whole of two nights.
    assert_eq!(terms.deposit_due(), 2 * one + 2 * one / 10 + 2 * one);
    let paid = payment(terms.deposit_due());
    let confirm = Confirm { payment: paid, ..world.confirmation(hold) };
    let booking = confirm.booking;
    assert!(matches!(world.run(Verb::Confirm(confirm)), Outcome::Booked(_)));
    // A day before: 777 once for the line, one night, and half of two nights.
    world.now += 3 * DAY;
    let Outcome::Cancelled(cancelled) = world.run(cancel(booking)) else { panic!() };
    let Status::Cancelled(end) = cancelled.status else { panic!() };
    assert_eq!(end.fee, 777 + one + one);
    assert_eq!((end.refund, end.owed), (terms.deposit_due() - end.fee, 0));
}

#[test]
fn a_fee_beyond_what_was_paid_is_owed() {
    let (mut world, product) = World::open(20);
    let policy = drafts::rate_plan().policy.as_ref().clone();
    let product = product_on(&mut world, product, policy, Deposit::Fixed(500));
    let hold = world.hold(product, stay(2, 1), 1);
    assert_eq!(world.reader.hold(hold).unwrap().terms.deposit_due(), 500);
    let confirm = Confirm { payment: payment(500), ..world.confirmation(hold) };
    let booking = confirm.booking;
    world.run(Verb::Confirm(confirm));
    world.now += 2 * DAY;
    let Outcome::Cancelled(cancelled) = world.run(cancel(booking)) else { panic!() };
    let Status::Cancelled(end) = cancelled.status else { panic!() };
    assert_eq!((end.fee, end.refund, end.owed), (117_700, 0, 117_200));
}

#[test]
fn the_same_key_gets_the_same_answer_and_another_body_a_refusal() {
    let (mut world, product) = World::open(1);
    let wish = Verb::Hold(world.wish(product, stay(3, 1), 1));
    let other = Verb::Hold(world.wish(product, stay(4, 1), 1));
    let Outcome::Held { terms, expires_ms } = world.run_keyed(1, 1, wish.clone()) else { panic!() };
    world.now += MINUTE;
    match world.run_keyed(1, 1, wish.clone()) {
        Outcome::Replayed(first) => match first.as_ref() {
            Outcome::Held { terms: again, expires_ms: at } => {
                assert_eq!((again.id, *at), (terms.id, expires_ms));
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    let reused = world.run_keyed(1, 2, other);
    assert_eq!(reused.refusal().map(|refusal| refusal.code), Some(Code::KeyReused));
    assert_eq!(world.cell(product.room_type, night(3)).held(), 1);
    assert_eq!(world.reader.stored(1).map(|stored| stored.fingerprint), Some(1));
}

#[test]
fn missing_rooms_are_judged_anew_and_other_refusals_are_not() {
    let (mut world, product) = World::open(1);
    let first = world.hold(product, stay(3, 1), 1);
    let wish = Verb::Hold(world.wish(product, stay(3, 1), 1));
    let code = |outcome: &Outcome| outcome.refusal().map(|refusal| refusal.code);
    let refused = world.run_keyed(1, 1, wish.clone());
    assert_eq!(code(&refused), Some(Code::InventoryInsufficient));
    world.run(Verb::Release(Release { hold: first, principal: GUEST }));
    assert!(matches!(world.run_keyed(1, 1, wish), Outcome::Held { .. }));

    let confirm = world.confirmation(first);
    let confirm = Verb::Confirm(confirm);
    assert_eq!(code(&world.run_keyed(2, 2, confirm.clone())), Some(Code::HoldReleased));
    assert!(matches!(world.run_keyed(2, 2, confirm), Outcome::Replayed(_)), "stored: {first:?}");
}

#[test]
fn a_payment_that_began_does_not_end_its_request() {
    let (mut world, product) = World::open(1);
    let hold = world.hold(product, stay(3, 1), 1);
    // One key for the whole request: the begin, the confirmation, and every retry of either.
    assert!(matches!(world.run_keyed(1, 1, begin(hold, 5, 6)), Outcome::HoldChanged(_)));
    assert!(matches!(world.run_keyed(1, 1, begin(hold, 5, 6)), Outcome::HoldChanged(_)));
    let confirm = Confirm { intent: Some(5), payment: payment(1), ..world.confirmation(hold) };
    let confirm = Verb::Confirm(confirm);
    assert!(matches!(world.run_keyed(1, 1, confirm.clone()), Outcome::Booked(_)));
    assert!(matches!(world.run_keyed(1, 1, begin(hold, 5, 6)), Outcome::Replayed(_)));
    assert!(matches!(world.run_keyed(1, 1, confirm), Outcome::Replayed(_)));
    assert_eq!(ADMIN, Principal::Admin(1));
}
