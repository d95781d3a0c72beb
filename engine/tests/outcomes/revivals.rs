//! Expired holds taken anew, by the begin of a payment or by a confirmation without one.

use std::collections::BTreeSet;

use holdfast_engine::ari::Change;
use holdfast_engine::command::{BeginPayment, Confirm, DeclinePayment, Release};
use holdfast_engine::hold::Status;
use holdfast_engine::ids::{BookingId, HoldId};
use holdfast_engine::{Code, Event, Outcome, Verb};

use super::{Is::*, play};
use crate::world::{GUEST, HOUR, MINUTE, Product, World, begin, line, night, payment, stay};

/// 1,000.00 for a night, with 10 % and 7 % on top.
const NIGHT_TOTAL: i64 = 117_700;

pub fn tables() -> BTreeSet<&'static str> {
    revivals()
}

fn revive(hold: HoldId, expected_total: Option<i64>) -> Verb {
    Verb::BeginPayment(BeginPayment {
        hold,
        principal: GUEST,
        intent: 5,
        key: 6,
        expected_total,
        revive: true,
    })
}

fn decline(hold: HoldId) -> Verb {
    Verb::DeclinePayment(DeclinePayment { hold, principal: GUEST, intent: 5 })
}

/// A world whose one hold has expired a minute ago.
fn expired(rooms: u16) -> (World, Product, HoldId) {
    let (mut world, product) = World::open(rooms);
    let hold = world.hold(product, stay(3, 1), 1);
    world.now += 16 * MINUTE;
    (world, product, hold)
}

fn revivals() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(4);
    let [hold, released, booked, other] = [0; 4].map(|_| world.hold(product, stay(3, 1), 1));
    let confirm = world.confirmation(booked);
    let total = Some(NIGHT_TOTAL);
    let direct = Confirm { revive: true, expected_total: total, ..world.confirmation(other) };
    let taken = Confirm { booking: confirm.booking, ..direct.clone() };
    let unsaid = Confirm { expected_total: None, ..direct.clone() };
    let paid = Confirm { intent: Some(5), ..world.confirmation(hold) };
    let crowd = world.wish(product, stay(3, 1), 2);
    let full = world.wish(product, stay(3, 1), 3);
    let (crowd_id, full_id) = (crowd.id, full.id);
    let free = |hold| Verb::Release(Release { hold, principal: GUEST });
    play(
        &mut world,
        vec![
            (0, free(released), Changed),
            (0, Verb::Confirm(confirm), Booked),
            (0, revive(hold, None), No(Code::Malformed)),
            (0, Verb::Confirm(unsaid), No(Code::Malformed)),
            (0, revive(HoldId(1), total), No(Code::NotFound)),
            (0, revive(released, total), No(Code::HoldReleased)),
            (0, revive(booked, total), No(Code::HoldAlreadyConfirmed)),
            // One that still stands is paid for as it is.
            (0, revive(other, Some(NIGHT_TOTAL + 1)), No(Code::PriceChanged)),
            (16 * MINUTE, begin(hold, 5, 6), No(Code::HoldExpired)),
            (0, revive(hold, Some(NIGHT_TOTAL - 1)), No(Code::PriceChanged)),
            (0, Verb::Hold(full), Held),
            (0, revive(hold, total), No(Code::InventoryInsufficient)),
            (0, free(full_id), Changed),
            // More than it costs is enough.
            (0, revive(hold, Some(i64::MAX)), Changed),
            // The same key again: the payment under way. Another: it waits.
            (0, revive(hold, total), Changed),
            (0, begin(hold, 7, 8), No(Code::HoldConfirming)),
            // Declined, it is what it was before.
            (0, decline(hold), No(Code::PaymentDeclined)),
            (0, begin(hold, 7, 8), No(Code::HoldExpired)),
            (0, revive(hold, total), Changed),
            (0, Verb::Confirm(paid), Booked),
            (0, revive(hold, total), No(Code::HoldAlreadyConfirmed)),
            (0, Verb::Hold(crowd), Held),
            (0, Verb::Confirm(direct.clone()), No(Code::InventoryInsufficient)),
            (0, free(crowd_id), Changed),
            (0, Verb::Confirm(taken), No(Code::StateConflict)),
            (0, Verb::Confirm(direct), Booked),
        ],
    )
}

#[test]
fn an_expired_hold_is_revived_or_refused_for_each_reason() {
    revivals();
}

#[test]
fn a_revived_hold_costs_what_it_costs_today_and_obeys_the_rules_of_today() {
    let (mut world, product, hold) = expired(4);
    world.offer(product, 3, 3, 4, 90_000);
    let before = world.reader.hold(hold).unwrap().terms.total;
    let Outcome::HoldChanged(revived) = world.run(revive(hold, Some(before))) else { panic!() };
    assert_eq!(revived.terms.total, before * 9 / 10);
    assert!(matches!(revived.status, Status::Confirming(_)));
    assert_eq!(world.cell(product.room_type, night(3)).held(), 1);

    let (mut world, product, hold) = expired(4);
    let closed = Change { closed: Some(true), ..Change::default() };
    world.allot(&[line(product, 3, 3, closed)]);
    let refused = world.run(revive(hold, Some(before)));
    assert_eq!(refused.refusal().unwrap().code, Code::StayClosed);
    assert_eq!(world.cell(product.room_type, night(3)).held(), 0);
}

#[test]
fn what_refuses_a_revival_is_kept_with_its_key_missing_rooms_included() {
    let (mut world, product, hold) = expired(1);
    let crowd = world.hold(product, stay(3, 1), 1);
    let verb = revive(hold, Some(NIGHT_TOTAL));
    let refused = world.run_keyed(1, 1, verb.clone());
    assert_eq!(refused.refusal().unwrap().code, Code::InventoryInsufficient);
    world.run(Verb::Release(Release { hold: crowd, principal: GUEST }));
    assert!(matches!(world.run_keyed(1, 1, verb.clone()), Outcome::Replayed(_)));
    assert!(matches!(world.run_keyed(2, 2, verb), Outcome::HoldChanged(_)));
}

#[test]
fn a_revived_hold_is_not_forgotten_with_its_first_end() {
    let (mut world, _, hold) = expired(4);
    world.sweep();
    world.now += 23 * HOUR;
    world.run(revive(hold, Some(NIGHT_TOTAL)));
    let confirm = Confirm { intent: Some(5), ..world.confirmation(hold) };
    let booking: BookingId = confirm.booking;
    assert!(matches!(world.run(Verb::Confirm(confirm)), Outcome::Booked(_)));
    world.now += 2 * HOUR;
    world.tick();
    let hold = world.reader.hold(hold).expect("its second end is two hours old");
    assert_eq!(hold.status, Status::Confirmed(booking));
}

#[test]
fn a_payment_whose_hold_expires_under_it_has_lapsed() {
    let (mut world, product) = World::open(4);
    let [paid, idle] = [0; 2].map(|_| world.hold(product, stay(3, 1), 1));
    world.run(begin(paid, 5, 6));
    world.take_events();
    world.now += 20 * MINUTE;
    world.sweep();
    let lapsed: Vec<_> = world
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::PaymentLapsed { hold, intent } => Some((hold, intent)),
            _ => None,
        })
        .collect();
    assert_eq!(lapsed, [(paid, 5)], "{idle:?} had none");
    // One that was confirmed in time has not.
    let hold = world.hold(product, stay(3, 1), 1);
    world.run(begin(hold, 7, 8));
    let confirm = Confirm { intent: Some(7), payment: payment(1), ..world.confirmation(hold) };
    assert!(matches!(world.run(Verb::Confirm(confirm)), Outcome::Booked(_)));
    world.now += 20 * MINUTE;
    world.sweep();
    let lapsed = |event: &Event| matches!(event, Event::PaymentLapsed { .. });
    assert!(!world.take_events().iter().any(lapsed));
}
