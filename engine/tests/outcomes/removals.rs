//! Room types and rate plans are removed.

use std::collections::BTreeSet;

use holdfast_engine::ari::{Change, LineOutcome, LineRefusal};
use holdfast_engine::catalogue::{Adjustment, Derivation, RatePlanDraft};
use holdfast_engine::command::{
    ChangeRatePlan, ChangeRoomType, Modify, RemoveRatePlan, RemoveRoomType,
};
use holdfast_engine::ids::{RatePlanIx, RoomTypeIx};
use holdfast_engine::stay::Wanted;
use holdfast_engine::{Code, Outcome, Principal, Verb};

use super::{Is::*, play};
use crate::world::{
    ADMIN, DAY, GUEST, HOUR, OWNER, Product, RIVAL, World, cancel, drafts, hold_line, line, stay,
};

pub fn tables() -> BTreeSet<&'static str> {
    [room_types(), rate_plans()].into_iter().flatten().collect()
}

fn remove_rooms(room_type: RoomTypeIx, principal: Principal) -> Verb {
    Verb::RemoveRoomType(RemoveRoomType { room_type, principal })
}

fn remove_plan(rate_plan: RatePlanIx, principal: Principal) -> Verb {
    Verb::RemoveRatePlan(RemoveRatePlan { rate_plan, principal })
}

fn room_types() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(9);
    let booking = world.book(product, stay(3, 2), 1);
    let of = |principal| remove_rooms(product.room_type, principal);
    play(
        &mut world,
        vec![
            (0, of(Principal::Partner(RIVAL.0)), No(Code::NotFound)),
            (0, of(GUEST), No(Code::NotFound)),
            (0, remove_rooms(RoomTypeIx(99), ADMIN), No(Code::NotFound)),
            (0, of(OWNER), No(Code::InUse)),
            (0, cancel(booking), Cancelled),
            (0, of(OWNER), RoomType),
            (0, of(OWNER), RoomType),
            (0, remove_plan(product.rate_plan, OWNER), RatePlan),
        ],
    )
}

fn rate_plans() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(9);
    world.hold(product, stay(3, 2), 1);
    let of = |principal| remove_plan(product.rate_plan, principal);
    play(
        &mut world,
        vec![
            (0, of(Principal::Partner(RIVAL.0)), No(Code::NotFound)),
            (0, of(GUEST), No(Code::NotFound)),
            (0, remove_plan(RatePlanIx(99), ADMIN), No(Code::NotFound)),
            (0, of(OWNER), No(Code::InUse)),
            // The hold has ended, though nobody swept.
            (HOUR, of(OWNER), RatePlan),
            (HOUR, of(ADMIN), RatePlan),
        ],
    )
}

#[test]
fn removals_are_answered_as_their_tables_say() {
    assert!(!tables().is_empty());
}

#[test]
fn a_removal_names_the_bookings_in_its_way_and_waits_for_their_check_out() {
    let (mut world, product) = World::open(9);
    let other = Product { rate_plan: world.rate_plan(product.room_type), ..product };
    world.offer(other, 0, 20, 9, 100_000);
    let mut mine: Vec<_> =
        (0..25).map(|day| world.book(product, stay(3 + day % 9, 1), 1)).collect();
    let others = world.book(other, stay(3, 1), 1);
    mine.sort();
    let refused = |world: &mut World, verb| {
        let outcome = world.run(verb);
        let refusal = outcome.refusal().unwrap_or_else(|| panic!("{outcome:?}")).clone();
        assert_eq!(refusal.code, Code::InUse);
        refusal.bookings
    };
    assert_eq!(refused(&mut world, remove_plan(product.rate_plan, OWNER)), mine[..20]);
    assert_eq!(refused(&mut world, remove_plan(other.rate_plan, OWNER)), [others]);
    // The last check-out is twelve days ahead; on that day nothing stands any more.
    world.now += 11 * DAY;
    world.tick();
    assert!(!refused(&mut world, remove_rooms(product.room_type, OWNER)).is_empty());
    world.now += DAY;
    world.tick();
    assert!(matches!(world.run(remove_rooms(product.room_type, OWNER)), Outcome::RoomType(_)));
}

#[test]
fn what_is_removed_sells_nothing_and_stays_where_it_was_booked() {
    let (mut world, product) = World::open(9);
    let kept = world.product_in(product.hotel);
    world.offer(kept, 0, 20, 9, 100_000);
    let booking = world.book(product, stay(3, 1), 1);
    world.run(cancel(booking));
    world.run(remove_rooms(product.room_type, OWNER));
    let hotel = world.reader.hotel(product.hotel).unwrap();
    let sold: Vec<_> = hotel.offerings.iter().map(|offering| offering.room_type).collect();
    assert_eq!(sold, [kept.room_type]);
    let wish = world.wish(product, stay(3, 1), 1);
    let refusal = world.run(Verb::Hold(wish)).refusal().map(|refusal| refusal.code);
    assert_eq!(refusal, Some(Code::NotFound));
    let rooms = line(product, 5, 5, Change { allotment: Some(1), ..Change::default() });
    assert_eq!(world.allot(&[rooms]), [LineOutcome::Rejected(LineRefusal::UnknownRoomType)]);
    let change = ChangeRoomType {
        room_type: product.room_type,
        principal: OWNER,
        version: None,
        draft: drafts::room_type(),
    };
    let refusal = world.run(Verb::ChangeRoomType(change)).refusal().map(|refusal| refusal.code);
    assert_eq!(refusal, Some(Code::NotFound));
    let stays = world.reader.room_type(product.room_type).unwrap();
    assert!(stays.removed && stays.draft == drafts::room_type());
    assert!(world.reader.booking(booking).is_some());
    // A plan alone: its room type sells on.
    let second = Product { rate_plan: world.rate_plan(kept.room_type), ..kept };
    world.run(remove_plan(second.rate_plan, OWNER));
    let price = line(second, 5, 5, Change { price: Some(1), ..Change::default() });
    assert_eq!(world.allot(&[price]), [LineOutcome::Rejected(LineRefusal::UnknownRatePlan)]);
    let (rate_plan, draft) = (second.rate_plan, drafts::rate_plan());
    let change = ChangeRatePlan { rate_plan, principal: OWNER, version: None, draft };
    let refusal = world.run(Verb::ChangeRatePlan(change)).refusal().map(|refusal| refusal.code);
    assert_eq!(refusal, Some(Code::NotFound));
    world.hold(kept, stay(3, 1), 1);
    // Nothing has its prices from what is removed, and no booking moves there.
    let from = Derivation { parent: second.rate_plan, by: Adjustment::PercentBp(-1_000) };
    let draft = RatePlanDraft { derived_from: Some(from), ..drafts::rate_plan() };
    let derived =
        ChangeRatePlan { rate_plan: kept.rate_plan, principal: OWNER, version: None, draft };
    let refusal = world.run(Verb::ChangeRatePlan(derived)).refusal().map(|refusal| refusal.code);
    assert_eq!(refusal, Some(Code::RatePlanParent));
    let booking = world.book(kept, stay(6, 1), 1);
    let moved = Modify {
        booking,
        principal: GUEST,
        version: None,
        wanted: Wanted { lines: Some(vec![hold_line(second, 1)]), ..Wanted::default() },
        guest: None,
        guest_key: None,
        expected_total: None,
    };
    let refusal = world.run(Verb::Modify(moved)).refusal().map(|refusal| refusal.code);
    assert_eq!(refusal, Some(Code::NotFound));
}
