//! Wait for rooms that are not there, be offered them, leave.

use std::collections::BTreeSet;

use holdfast_engine::ari::Change;
use holdfast_engine::block::{BlockDraft, BlockLine};
use holdfast_engine::command::{
    AddBlock, BeginPayment, DeclinePayment, Extend, Hold, JoinWaitlist, LeaveWaitlist, Release,
    ReleaseBlock,
};
use holdfast_engine::hold;
use holdfast_engine::ids::{BlockId, HoldId, HotelIx, WaitId};
use holdfast_engine::limits::{
    WAITLIST_OFFER_S_MAX, WAITLIST_PER_GUEST_MAX, WAITLIST_PER_HOTEL_MAX,
};
use holdfast_engine::stay::Stay;
use holdfast_engine::waitlist::Status;
use holdfast_engine::{Code, Command, Outcome, Principal, Verb};

use super::{Is::*, play};
use crate::world::{
    DAY, GUEST, HOUR, MINUTE, OWNER, Product, World, begin, cancel, line, night, stay,
};

const SECOND: Principal = Principal::Guest(2);
const OFFER_MS: u64 = WAITLIST_OFFER_S_MAX as u64 * 1_000;

pub fn tables() -> BTreeSet<&'static str> {
    [refusals(), departures(), extensions()].into_iter().flatten().collect()
}

fn wish(world: &mut World, product: Product, stay: Stay, rooms: u16) -> JoinWaitlist {
    let wish =
        Hold { ttl_s: WAITLIST_OFFER_S_MAX, principal: SECOND, ..world.wish(product, stay, rooms) };
    JoinWaitlist { id: WaitId(world.mint()), wish }
}

/// Somebody waits.
fn wait(world: &mut World, product: Product, stay: Stay, rooms: u16) -> WaitId {
    let join = wish(world, product, stay, rooms);
    let id = join.id;
    let outcome = world.run(Verb::JoinWaitlist(join));
    assert!(matches!(outcome, Outcome::Waitlist(_)), "{outcome:?}");
    id
}

fn status(world: &World, id: WaitId) -> Status {
    world.reader.waitlist_entry(id).unwrap().status
}

fn offer(world: &World, id: WaitId) -> Option<HoldId> {
    match status(world, id) {
        Status::Offered(hold) => Some(hold),
        _ => None,
    }
}

fn release(world: &mut World, hold: HoldId) {
    let outcome = world.run(Verb::Release(Release { hold, principal: OWNER }));
    assert!(matches!(outcome, Outcome::HoldChanged(_)), "{outcome:?}");
}

fn leave(id: WaitId, principal: Principal) -> Verb {
    Verb::LeaveWaitlist(LeaveWaitlist { id, principal })
}

fn refusals() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(1);
    let held = world.hold(product, stay(3, 2), 1);
    world.allot(&[line(product, 9, 9, Change { closed: Some(true), ..Change::default() })]);
    let known = wait(&mut world, product, stay(3, 2), 1);
    let mut one = |change: &dyn Fn(&mut JoinWaitlist)| {
        let mut join = wish(&mut world, product, stay(3, 2), 1);
        change(&mut join);
        Verb::JoinWaitlist(join)
    };
    let mut rows = vec![
        (0, one(&|join| join.wish.ttl_s = 0), No(Code::Malformed)),
        (0, one(&|join| join.wish.ttl_s = WAITLIST_OFFER_S_MAX + 1), No(Code::Malformed)),
        (0, one(&|join| join.wish.block = Some(BlockId(1))), No(Code::Malformed)),
        (0, one(&|join| join.wish.lines.clear()), No(Code::Malformed)),
        (0, one(&|join| join.id = known), No(Code::StateConflict)),
        (0, one(&|join| join.wish.id = held), No(Code::StateConflict)),
        (0, one(&|join| join.wish.hotel = HotelIx(9)), No(Code::NotFound)),
        (0, one(&|join| join.wish.stay = stay(9, 0)), No(Code::StayTooShort)),
        (0, one(&|join| join.wish.stay = stay(8, 2)), No(Code::StayClosed)),
        (0, one(&|join| join.wish.lines[0].adults = 3), No(Code::OccupancyTooMany)),
        (0, one(&|join| join.wish.stay = stay(5, 2)), No(Code::WaitlistNotNeeded)),
    ];
    rows.extend((1..=WAITLIST_PER_GUEST_MAX).map(|at| {
        let last = at == WAITLIST_PER_GUEST_MAX;
        (0, one(&|_| {}), if last { No(Code::WaitlistLimit) } else { Waitlist(Status::Waiting) })
    }));
    play(&mut world, rows)
}

#[test]
fn joining_a_waitlist_is_refused_for_each_reason() {
    refusals();
}

#[test]
fn a_hotel_keeps_so_many_waiting_and_no_more() {
    let (mut world, product) = World::open(1);
    world.hold(product, stay(3, 2), 1);
    for at in 0..=WAITLIST_PER_HOTEL_MAX {
        let mut join = wish(&mut world, product, stay(3, 2), 1);
        join.wish.principal = Principal::Guest(100 + at as u128);
        let refused = world.run(Verb::JoinWaitlist(join)).refusal().map(|refusal| refusal.code);
        let last = at == WAITLIST_PER_HOTEL_MAX;
        assert_eq!(refused, last.then_some(Code::WaitlistLimit), "{at}");
    }
}

fn pay(world: &mut World, hold: HoldId, principal: Principal, intent: u128) {
    let Verb::BeginPayment(payment) = begin(hold, intent, intent + 1) else { unreachable!() };
    world.run(Verb::BeginPayment(BeginPayment { principal, ..payment }));
}

fn departures() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(1);
    let held = world.hold(product, stay(3, 2), 1);
    let [waiting, offered, used] = [0; 3].map(|_| wait(&mut world, product, stay(3, 2), 1));
    let mut met = play(
        &mut world,
        vec![
            (0, leave(WaitId(1), SECOND), No(Code::NotFound)),
            (0, leave(waiting, GUEST), No(Code::NotFound)),
            (0, leave(waiting, SECOND), Waitlist(Status::Cancelled)),
            (0, leave(waiting, SECOND), Waitlist(Status::Cancelled)),
        ],
    );
    release(&mut world, held);
    let hold = offer(&world, offered).unwrap();
    let principal = SECOND;
    pay(&mut world, hold, principal, 1);
    let decline = DeclinePayment { hold, principal, intent: 1 };
    met.extend(play(
        &mut world,
        vec![
            (0, leave(offered, SECOND), No(Code::HoldConfirming)),
            (0, Verb::DeclinePayment(decline), No(Code::PaymentDeclined)),
            (0, leave(offered, SECOND), Waitlist(Status::Cancelled)),
        ],
    ));
    assert_eq!(world.reader.hold(hold).unwrap().status, hold::Status::Released);
    let hold = offer(&world, used).expect("the rooms go to the next");
    let confirm = world.confirmation(hold);
    let confirm = holdfast_engine::command::Confirm { principal: SECOND, ..confirm };
    let booking = confirm.booking;
    met.extend(play(
        &mut world,
        vec![
            (0, Verb::Confirm(confirm), Booked),
            (0, leave(used, SECOND), No(Code::WaitlistState)),
        ],
    ));
    world.run(Verb::Cancel(holdfast_engine::command::Cancel {
        booking,
        principal: SECOND,
        version: None,
    }));
    assert_eq!(status(&world, used), Status::Used(booking), "used is used");
    met
}

#[test]
fn an_entry_ends_when_its_guest_leaves_or_books() {
    departures();
}

fn extensions() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(1);
    let contested = world.hold(product, stay(3, 2), 1);
    let other = world.hold(product, stay(8, 1), 1);
    wait(&mut world, product, stay(4, 2), 1);
    let extend = |hold| Verb::Extend(Extend { hold, principal: GUEST, ttl_s: 900 });
    play(
        &mut world,
        vec![
            (MINUTE, extend(contested), No(Code::HoldWaitlistWaiting)),
            (0, extend(other), Changed),
        ],
    )
}

#[test]
fn a_hold_on_rooms_that_somebody_waits_for_is_not_extended() {
    extensions();
}

#[test]
fn offers_go_to_the_waiting_in_the_order_they_came() {
    let (mut world, product) = World::open(1);
    let held = world.hold(product, stay(3, 2), 1);
    let [first, second] = [0; 2].map(|_| wait(&mut world, product, stay(3, 2), 1));
    release(&mut world, held);
    let hold = offer(&world, first).expect("in the same step");
    assert_eq!(status(&world, second), Status::Waiting);
    let terms = world.reader.hold(hold).unwrap();
    assert_eq!((terms.terms.principal, terms.terms.waitlist), (SECOND, Some(first)));
    assert_eq!(terms.expires_ms, world.now + OFFER_MS);
    assert_eq!(world.cell(product.room_type, night(3)).held(), 1);
    // Not taken: it lapses with its time, and the next is offered.
    world.now += OFFER_MS;
    world.sweep();
    assert_eq!(status(&world, first), Status::Lapsed);
    assert!(offer(&world, second).is_some());
}

#[test]
fn rooms_that_ran_out_unseen_go_to_the_waiting_before_a_new_hold() {
    let (mut world, product) = World::open(1);
    world.hold(product, stay(3, 2), 1);
    let waiting = wait(&mut world, product, stay(3, 2), 1);
    world.now += 15 * MINUTE;
    let late = world.wish(product, stay(3, 2), 1);
    let outcome = world.run(Verb::Hold(late));
    assert_eq!(outcome.refusal().map(|no| no.code), Some(Code::InventoryInsufficient));
    assert!(offer(&world, waiting).is_some());
}

#[test]
fn a_revived_hold_whose_payment_is_declined_goes_to_the_waiting_before_a_new_hold() {
    let (mut world, product) = World::open(1);
    let held = world.hold(product, stay(3, 2), 1);
    world.now += 15 * MINUTE;
    let Verb::BeginPayment(payment) = begin(held, 5, 6) else { unreachable!() };
    let (revive, expected_total) = (true, Some(i64::MAX));
    let begun = world.run(Verb::BeginPayment(BeginPayment { revive, expected_total, ..payment }));
    assert!(matches!(begun, Outcome::HoldChanged(_)), "{begun:?}");
    let waiting = wait(&mut world, product, stay(3, 2), 1);
    let decline = DeclinePayment { hold: held, principal: GUEST, intent: 5 };
    let late = world.wish(product, stay(3, 2), 1);
    let both = [Verb::DeclinePayment(decline), Verb::Hold(late)].map(Command::plain);
    let codes: Vec<_> =
        world.apply(both.into()).iter().map(|it| it.refusal().unwrap().code).collect();
    assert_eq!(codes, [Code::PaymentDeclined, Code::InventoryInsufficient]);
    assert!(offer(&world, waiting).is_some());
}

#[test]
fn who_needs_more_than_came_free_keeps_the_place_and_holds_up_nobody() {
    let (mut world, product) = World::open(2);
    let held = [0; 2].map(|_| world.hold(product, stay(3, 1), 1));
    let large = wait(&mut world, product, stay(3, 1), 2);
    let small = wait(&mut world, product, stay(3, 1), 1);
    release(&mut world, held[0]);
    assert_eq!(status(&world, large), Status::Waiting);
    assert!(offer(&world, small).is_some());
}

#[test]
fn every_way_in_which_rooms_come_free_makes_an_offer() {
    let ways: [fn(&mut World, Product); 5] = [
        |world, product| {
            let change = Change { allotment: Some(2), ..Change::default() };
            world.allot(&[line(product, 3, 3, change)]);
        },
        |world, _| {
            let block = BlockId(5);
            world.run(Verb::ReleaseBlock(ReleaseBlock { block, principal: OWNER, version: None }));
        },
        |world, _| {
            world.now += 15 * MINUTE;
            world.tick();
        },
        |world, product| {
            world.run(cancel(world.reader.bookings_of(GUEST, None, 1).bookings[0]));
            let _ = product;
        },
        |world, product| {
            let change = Change { overbook: Some(1), ..Change::default() };
            world.allot(&[line(product, 3, 3, change)]);
        },
    ];
    for (at, way) in ways.into_iter().enumerate() {
        let (mut world, product) = World::open(3);
        world.book(product, stay(3, 1), 1);
        let lines = vec![BlockLine { room_type: product.room_type, rooms: 1 }];
        let name = "A".to_owned();
        let draft = BlockDraft { name, stay: stay(3, 1), lines, definite: true, release_on: None };
        let (id, hotel) = (BlockId(5), product.hotel);
        world.run(Verb::AddBlock(AddBlock { id, hotel, principal: OWNER, draft }));
        world.hold(product, stay(3, 1), 1);
        world.allot(&[line(product, 3, 3, Change { allotment: Some(3), ..Change::default() })]);
        let waiting = wait(&mut world, product, stay(3, 1), 1);
        if at == 0 {
            world.allot(&[line(product, 3, 3, Change { allotment: Some(1), ..Change::default() })]);
            assert!(offer(&world, waiting).is_none());
            let change = Change { allotment: Some(4), ..Change::default() };
            world.allot(&[line(product, 3, 3, change)]);
        } else {
            way(&mut world, product);
        }
        assert!(offer(&world, waiting).is_some(), "way {at}");
        let promised = world.cell(product.room_type, night(3));
        assert_eq!(promised.deficit(), 0, "way {at}");
    }
}

#[test]
fn no_offer_is_made_while_rules_bar_the_stay_and_one_when_they_are_lifted() {
    let (mut world, product) = World::open(1);
    let held = world.hold(product, stay(3, 1), 1);
    let waiting = wait(&mut world, product, stay(3, 1), 1);
    let closed = |closed| line(product, 3, 3, Change { closed: Some(closed), ..Change::default() });
    world.allot(&[closed(true)]);
    release(&mut world, held);
    assert_eq!(status(&world, waiting), Status::Waiting);
    world.allot(&[closed(false)]);
    assert!(offer(&world, waiting).is_some());
}

#[test]
fn who_waits_for_a_day_that_is_over_is_told_so() {
    let (mut world, product) = World::open(1);
    world.book(product, stay(1, 1), 1);
    let waiting = wait(&mut world, product, stay(1, 1), 1);
    world.now += 2 * DAY;
    world.tick();
    assert_eq!(status(&world, waiting), Status::Closed);
    world.now += 25 * HOUR;
    world.tick();
    assert!(world.reader.waitlist_entry(waiting).is_none(), "ended entries are forgotten in time");
}

#[test]
fn who_waits_is_in_the_digest() {
    let (mut world, product) = World::open(1);
    world.hold(product, stay(3, 1), 1);
    let before = world.writer.digest().waitlist;
    let waiting = wait(&mut world, product, stay(3, 1), 1);
    let joined = world.writer.digest().waitlist;
    world.run(leave(waiting, SECOND));
    let left = world.writer.digest().waitlist;
    assert!(before != joined && joined != left);
}

#[test]
fn a_declined_payment_leaves_an_offer_the_life_it_had() {
    let (mut world, product) = World::open(1);
    let held = world.hold(product, stay(3, 1), 1);
    let waiting = wait(&mut world, product, stay(3, 1), 1);
    release(&mut world, held);
    let hold = offer(&world, waiting).unwrap();
    world.now += HOUR;
    let expires = world.reader.hold(hold).unwrap().expires_ms;
    let principal = OWNER;
    pay(&mut world, hold, principal, 5);
    let decline = DeclinePayment { hold, principal, intent: 5 };
    world.run(Verb::DeclinePayment(decline));
    assert_eq!(world.reader.hold(hold).unwrap().expires_ms, expires);
}
