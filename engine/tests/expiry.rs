//! Expiry is exact: the log's clock decides, whether or not a sweep has come by.

use holdfast_engine::command::{Confirm, DeclinePayment, Extend, Release, Sweep};
use holdfast_engine::hold::Status;
use holdfast_engine::ids::HoldId;
use holdfast_engine::{Code, Command, Event, Outcome, Verb};

use crate::world::{GUEST, HOUR, MINUTE, Product, World, begin, night, stay};

const TTL_MS: u64 = 15 * MINUTE;

fn code(outcome: &Outcome) -> Option<Code> {
    outcome.refusal().map(|refusal| refusal.code)
}

/// Everything a guest might still try with a hold.
fn attempts(world: &mut World, hold: HoldId) -> Vec<Verb> {
    let confirm = world.confirmation(hold);
    vec![
        Verb::Confirm(confirm.clone()),
        Verb::Confirm(Confirm { intent: Some(5), ..confirm }),
        Verb::Extend(Extend { hold, principal: GUEST, ttl_s: 900 }),
        Verb::Release(Release { hold, principal: GUEST }),
        begin(hold, 5, 6),
        Verb::DeclinePayment(DeclinePayment { hold, principal: GUEST, intent: 5 }),
    ]
}

#[test]
fn expired_hold_cannot_be_used_before_the_sweep() {
    for late in [0, 1, HOUR] {
        let (mut world, product) = World::open(1);
        let hold = world.hold(product, stay(3, 2), 1);
        world.now += TTL_MS + late;
        for verb in attempts(&mut world, hold) {
            let outcome = world.run(verb.clone());
            assert_eq!(code(&outcome), Some(Code::HoldExpired), "{late} ms late: {verb:?}");
        }
        let record = world.reader.hold(hold).unwrap();
        assert_eq!(record.status, Status::Active, "nobody has looked yet");
        assert_eq!(record.status_at(world.now), Status::Expired);
        assert_eq!(world.cell(product.room_type, night(3)).held(), 1, "nor given the rooms back");
    }
}

#[test]
fn rooms_of_an_expired_hold_can_be_held_by_another_before_the_sweep() {
    let (mut world, product) = World::open(1);
    let first = world.hold(product, stay(3, 2), 1);
    world.now += TTL_MS - 1;
    let refused = world.wish(product, stay(4, 2), 1);
    assert_eq!(code(&world.run(Verb::Hold(refused.clone()))), Some(Code::InventoryInsufficient));
    world.now += 1;
    world.take_events();
    assert!(matches!(world.run(Verb::Hold(refused)), Outcome::Held { .. }), "due at its very time");
    let events = world.take_events();
    let ended = |event: &Event| {
        matches!(event, Event::HoldChanged(hold)
            if hold.terms.id == first && hold.status == Status::Expired)
    };
    assert!(events.iter().any(ended), "the first is known to have ended: {events:?}");
    let held = [3, 4, 5].map(|day| world.cell(product.room_type, night(day)).held());
    assert_eq!(held, [0, 1, 1]);
    assert!(matches!(world.sweep(), Outcome::Swept { expired: 0 }));
}

#[test]
fn a_hold_is_good_until_the_millisecond_before_it_expires() {
    let (mut world, product) = World::open(1);
    let hold = world.hold(product, stay(3, 2), 1);
    let confirm = world.confirmation(hold);
    world.now += TTL_MS - 1;
    assert!(matches!(world.run(Verb::Confirm(confirm)), Outcome::Booked(_)));
    world.now += 1;
    world.take_events();
    assert!(matches!(world.sweep(), Outcome::Swept { expired: 0 }));
    assert!(world.take_events().is_empty(), "expiry of a confirmed hold is a no-op");
    let cell = world.cell(product.room_type, night(3));
    assert_eq!((cell.held(), cell.sold()), (0, 1));
}

#[test]
fn log_order_decides_between_confirmation_and_sweep_within_one_entry() {
    let (mut world, product) = World::open(2);
    let [early, late] = [0, 1].map(|_| world.hold(product, stay(3, 2), 1));
    let (early, late) = (world.confirmation(early), world.confirmation(late));
    world.now += TTL_MS - 1;
    let first = [Verb::Confirm(early), Verb::Sweep(Sweep::default())].map(Command::plain);
    let outcomes = world.apply(first.to_vec());
    assert!(matches!(outcomes[..], [Outcome::Booked(_), Outcome::Swept { expired: 0 }]));
    world.now += 1;
    let second = [Verb::Sweep(Sweep::default()), Verb::Confirm(late)].map(Command::plain);
    let outcomes = world.apply(second.to_vec());
    assert!(matches!(outcomes[0], Outcome::Swept { expired: 1 }));
    assert_eq!(code(&outcomes[1]), Some(Code::HoldExpired));
}

#[test]
fn time_that_steps_back_revives_nothing() {
    let (mut world, product) = World::open(1);
    let hold = world.hold(product, stay(3, 2), 1);
    world.now += TTL_MS;
    world.tick();
    world.now -= TTL_MS;
    let confirm = world.confirmation(hold);
    assert_eq!(code(&world.run(Verb::Confirm(confirm))), Some(Code::HoldExpired));
}

#[test]
fn sweep_goes_by_expiry_then_id_and_keeps_its_cap() {
    let (mut world, product) = World::open(20);
    // Later made, earlier due; and of two that are due together, the smaller id first.
    let mut due = Vec::new();
    for (id, ttl_s) in [(50, 60), (40, 60), (70, 30), (60, 61), (30, 900)] {
        let mut wish = world.wish(product, stay(3, 1), 1);
        (wish.id, wish.ttl_s) = (HoldId(id), ttl_s);
        assert!(matches!(world.run(Verb::Hold(wish)), Outcome::Held { .. }));
        due.push(id);
    }
    world.now += 61_000;
    world.take_events();
    let sweep = |world: &mut World, holds_max| match world.run(Verb::Sweep(Sweep { holds_max })) {
        Outcome::Swept { expired } => expired,
        other => panic!("{other:?}"),
    };
    assert_eq!([0, 3, 3, 3].map(|cap| sweep(&mut world, cap)), [0, 3, 1, 0]);
    let ended: Vec<_> = world
        .take_events()
        .into_iter()
        .map(|event| match event {
            Event::HoldChanged(hold) => hold.terms.id.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ended, [70, 40, 50, 60]);
    assert_eq!(world.cell(product.room_type, night(3)).held(), 1);
}

#[test]
fn a_swept_hold_keeps_saying_that_it_expired_and_is_forgotten_after_a_day() {
    let (mut world, product) = World::open(1);
    let hold = world.hold(product, stay(3, 2), 1);
    world.now += TTL_MS;
    world.sweep();
    for (after, expected) in [(24 * HOUR - 1, Code::HoldExpired), (1, Code::NotFound)] {
        world.now += after;
        world.tick();
        let verb = Verb::Release(Release { hold, principal: GUEST });
        assert_eq!(code(&world.run(verb)), Some(expected));
    }
}

#[test]
fn an_unanswered_payment_ends_with_its_hold_after_two_minutes() {
    let (mut world, product) = World::open(1);
    let hold = world.hold(product, stay(3, 2), 1);
    // A second of life is left; the payment makes the expiry stand still.
    world.now += TTL_MS - 1_000;
    assert!(matches!(world.run(begin(hold, 5, 6)), Outcome::HoldChanged(_)));
    world.now += 2 * MINUTE - 1;
    world.sweep();
    let extend = Verb::Extend(Extend { hold, principal: GUEST, ttl_s: 900 });
    assert_eq!(code(&world.run(extend)), Some(Code::HoldConfirming));
    world.now += 1;
    let confirm = Confirm { intent: Some(5), ..world.confirmation(hold) };
    assert_eq!(code(&world.run(Verb::Confirm(confirm))), Some(Code::HoldExpired));
    let wish = world.wish(product, stay(3, 2), 1);
    assert!(matches!(world.run(Verb::Hold(wish)), Outcome::Held { .. }));
}

#[test]
fn a_declined_payment_gives_the_hold_the_life_it_had_left() {
    let (mut world, product) = World::open(1);
    let hold = world.hold(product, stay(3, 2), 1);
    world.now += TTL_MS - 1_000;
    world.run(begin(hold, 5, 6));
    world.now += MINUTE;
    let decline = Verb::DeclinePayment(DeclinePayment { hold, principal: GUEST, intent: 5 });
    assert_eq!(code(&world.run(decline)), Some(Code::PaymentDeclined));
    world.now += 999;
    let confirm = world.confirmation(hold);
    assert_eq!(world.reader.hold(hold).unwrap().status_at(world.now), Status::Active);
    world.now += 1;
    assert_eq!(code(&world.run(Verb::Confirm(confirm))), Some(Code::HoldExpired));
}

/// A hold whose expiry moved away and came back to the same millisecond.
fn there_and_back(world: &mut World, product: Product) -> HoldId {
    let hold = world.hold(product, stay(3, 2), 1);
    world.run(begin(hold, 5, 6));
    world.run(Verb::DeclinePayment(DeclinePayment { hold, principal: GUEST, intent: 5 }));
    hold
}

#[test]
fn a_hold_whose_expiry_came_back_ends_once() {
    // Found by hand: the second entry of the same expiry gave the rooms of another hold back.
    for sweeps in [false, true] {
        let (mut world, product) = World::open(3);
        there_and_back(&mut world, product);
        world.now += 1;
        world.hold(product, stay(3, 2), 1);
        world.now += TTL_MS - 1;
        if sweeps {
            assert!(matches!(world.sweep(), Outcome::Swept { expired: 1 }));
        }
        world.hold(product, stay(3, 2), 1);
        assert_eq!(world.cell(product.room_type, night(3)).held(), 2, "sweeps: {sweeps}");
    }
}

#[test]
fn a_payment_that_begins_two_minutes_before_the_end_ends_once() {
    let (mut world, product) = World::open(3);
    let hold = world.hold(product, stay(3, 2), 1);
    world.now += TTL_MS - 2 * MINUTE;
    world.run(begin(hold, 5, 6));
    world.hold(product, stay(3, 2), 1);
    world.now += 2 * MINUTE;
    world.hold(product, stay(3, 2), 1);
    assert_eq!(world.cell(product.room_type, night(3)).held(), 2);
}

#[test]
fn expired_holds_count_neither_for_quotas_nor_for_references_nor_against_cuts() {
    let (mut world, product) = World::open(40);
    let named = |world: &mut World| {
        let mut wish = world.wish(product, stay(3, 1), 1);
        wish.client_reference = Some("mine".to_owned());
        Verb::Hold(wish)
    };
    let first = named(&mut world);
    assert!(matches!(world.run(first), Outcome::Held { .. }));
    for _ in 1..10 {
        world.hold(product, stay(3, 1), 1);
    }
    let full = world.wish(product, stay(3, 1), 1);
    assert_eq!(code(&world.run(Verb::Hold(full.clone()))), Some(Code::QuotaExceeded));
    world.now += TTL_MS;
    // Of another hotel, so that nobody has looked at the first one's rooms.
    let elsewhere = world.product();
    world.offer(elsewhere, 0, 20, 5, 1_000);
    let mut wish = world.wish(elsewhere, stay(3, 1), 1);
    wish.client_reference = Some("mine".to_owned());
    assert!(matches!(world.run(Verb::Hold(wish)), Outcome::Held { .. }));
    assert!(matches!(world.run(Verb::Hold(full)), Outcome::Held { .. }));
}

#[test]
fn earliest_expiry_of_a_hotel_is_never_later_than_the_truth() {
    let (mut world, product) = World::open(50);
    let hotel = product.hotel;
    assert_eq!(world.reader.earliest_expiry(hotel), u64::MAX);
    let first = world.hold(product, stay(3, 1), 1);
    let due = world.reader.hold(first).unwrap().expires_ms;
    assert_eq!(world.reader.earliest_expiry(hotel), due);
    world.now += 1_000;
    world.hold(product, stay(3, 1), 1);
    assert_eq!(world.reader.earliest_expiry(hotel), due);
    world.run(Verb::Release(Release { hold: first, principal: GUEST }));
    assert!(world.reader.earliest_expiry(hotel) <= due + 1_000);
    world.now += TTL_MS;
    world.sweep();
    assert_eq!(world.reader.earliest_expiry(hotel), u64::MAX, "none is left");
}
