//! Add, change and release blocks; pick up from them.

use std::collections::BTreeSet;

use holdfast_engine::ari::Change;
use holdfast_engine::block::{BlockDraft, BlockLine, Status};
use holdfast_engine::command::{AddBlock, ChangeBlock, Hold, Release, ReleaseBlock};
use holdfast_engine::ids::{BlockId, HoldId, RoomTypeIx};
use holdfast_engine::refusal::{Blocker, Layer, Reason};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Admission, Code, Outcome, Principal, Refusal, Verb};

use super::{Is::*, play};
use crate::world::{
    DAY, GUEST, HORIZON, HOUR, MINUTE, OWNER, Product, RIVAL, World, cancel, line, night, stay,
};

const BLOCK: BlockId = BlockId(5);
const STRANGER: Principal = Principal::Partner(RIVAL.0);

pub fn tables() -> BTreeSet<&'static str> {
    [life_of_a_block(), refusals(), pickups()].into_iter().flatten().collect()
}

fn draft(product: Product, stay: Stay, rooms: u16) -> BlockDraft {
    let lines = vec![BlockLine { room_type: product.room_type, rooms }];
    BlockDraft { name: "Wedding".to_owned(), stay, lines, definite: true, release_on: None }
}

fn add(id: BlockId, product: Product, draft: BlockDraft) -> Verb {
    Verb::AddBlock(AddBlock { id, hotel: product.hotel, principal: OWNER, draft })
}

fn change(version: Option<u32>, draft: BlockDraft) -> Verb {
    Verb::ChangeBlock(ChangeBlock { block: BLOCK, principal: OWNER, version, draft })
}

fn release(version: Option<u32>) -> Verb {
    Verb::ReleaseBlock(ReleaseBlock { block: BLOCK, principal: OWNER, version })
}

/// A world of so many rooms with a definite block.
fn blocked(rooms: u16, nights: Stay, of: u16) -> (World, Product) {
    let (mut world, product) = World::open(rooms);
    let outcome = world.run(add(BLOCK, product, draft(product, nights, of)));
    assert!(matches!(outcome, Outcome::Block(_)), "{outcome:?}");
    (world, product)
}

fn pickup(world: &mut World, product: Product, stay: Stay, rooms: u16) -> Hold {
    Hold { block: Some(BLOCK), ..world.wish(product, stay, rooms) }
}

/// Blocked, held and sold on a night.
fn counts(world: &World, product: Product, day: u16) -> (u32, u32, u32) {
    let cell = world.cell(product.room_type, night(day));
    (cell.blocked(), cell.held(), cell.sold())
}

fn refusal(outcome: &Outcome) -> &Refusal {
    outcome.refusal().unwrap_or_else(|| panic!("{outcome:?}"))
}

fn life_of_a_block() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(5);
    let tentative = BlockDraft { definite: false, ..draft(product, stay(3, 2), 9) };
    let wide = draft(product, stay(3, 3), 5);
    play(
        &mut world,
        vec![
            (0, add(BLOCK, product, tentative.clone()), Block(Status::Tentative)),
            (0, change(Some(1), draft(product, stay(3, 2), 6)), No(Code::InventoryInsufficient)),
            (0, change(Some(1), draft(product, stay(3, 2), 3)), Block(Status::Definite)),
            (0, change(Some(1), wide.clone()), No(Code::VersionMismatch)),
            (0, change(Some(2), wide.clone()), Block(Status::Definite)),
            (0, change(None, tentative), Block(Status::Tentative)),
            (0, change(None, wide), Block(Status::Definite)),
            (0, release(Some(4)), No(Code::VersionMismatch)),
            (0, release(Some(5)), Block(Status::Released)),
            (0, release(Some(1)), Block(Status::Released)),
            (0, change(None, draft(product, stay(3, 2), 1)), No(Code::BlockState)),
        ],
    )
}

#[test]
fn a_block_goes_from_tentative_to_definite_and_back_until_it_is_released() {
    life_of_a_block();
}

fn refusals() -> BTreeSet<&'static str> {
    let (mut world, product) = blocked(5, stay(3, 2), 2);
    let good = draft(product, stay(3, 2), 1);
    let one = |change: &dyn Fn(&mut AddBlock)| {
        let (id, hotel, principal, draft) = (BlockId(6), product.hotel, OWNER, good.clone());
        let mut verb = AddBlock { id, hotel, principal, draft };
        change(&mut verb);
        Verb::AddBlock(verb)
    };
    let dates = |from: u16, to: u16| Stay { check_in: night(from), check_out: night(to) };
    let by = |principal| {
        let block = BLOCK;
        let change = ChangeBlock { block, principal, version: None, draft: good.clone() };
        (
            Verb::ChangeBlock(change),
            Verb::ReleaseBlock(ReleaseBlock { block, principal, version: None }),
        )
    };
    let (guest, rival) = (by(GUEST), by(STRANGER));
    let line = good.lines[0];
    let other = BlockLine { room_type: RoomTypeIx(9), rooms: 1 };
    let rows = vec![
        (0, one(&|verb| verb.draft.name.clear()), No(Code::Malformed)),
        (0, one(&|verb| verb.draft.lines.clear()), No(Code::Malformed)),
        (0, one(&|verb| verb.draft.lines[0].rooms = 0), No(Code::Malformed)),
        (0, one(&|verb| verb.draft.lines.push(line)), No(Code::Malformed)),
        (0, one(&|verb| verb.principal = GUEST), No(Code::NotFound)),
        (0, one(&|verb| verb.principal = STRANGER), No(Code::NotFound)),
        (0, one(&|verb| verb.draft.lines[0] = other), No(Code::NotFound)),
        (0, guest.0, No(Code::NotFound)),
        (0, guest.1, No(Code::NotFound)),
        (0, rival.0, No(Code::NotFound)),
        (0, rival.1, No(Code::NotFound)),
        (0, one(&|verb| verb.draft.stay = dates(3, 3)), No(Code::StayTooShort)),
        (0, one(&|verb| verb.draft.stay = dates(3, 3 + 367)), No(Code::StayTooLong)),
        (0, one(&|verb| verb.draft.stay.check_in = night(0).minus(1)), No(Code::StayInPast)),
        (
            0,
            one(&|verb| verb.draft.stay = dates(HORIZON - 1, HORIZON + 1)),
            No(Code::StayBeyondHorizon),
        ),
        (0, one(&|verb| verb.draft.release_on = Some(night(0))), No(Code::StayInPast)),
        (0, one(&|verb| verb.id = BLOCK), No(Code::StateConflict)),
        (0, one(&|verb| verb.draft.lines[0].rooms = 4), No(Code::InventoryInsufficient)),
        (0, one(&|verb| verb.draft.lines[0].rooms = 3), Block(Status::Definite)),
    ];
    play(&mut world, rows)
}

#[test]
fn a_block_is_refused_for_each_reason() {
    refusals();
}

fn pickups() -> BTreeSet<&'static str> {
    let (mut world, product) = blocked(3, stay(3, 3), 2);
    let mut one = |change: &dyn Fn(&mut Hold)| {
        let mut wish = pickup(&mut world, product, stay(3, 2), 1);
        change(&mut wish);
        Verb::Hold(wish)
    };
    let rows = vec![
        (0, one(&|wish| wish.block = Some(BlockId(9))), No(Code::NotFound)),
        (0, one(&|wish| wish.lines[0].quantity = 3), No(Code::InventoryInsufficient)),
        (0, one(&|wish| wish.stay = stay(4, 3)), No(Code::InventoryInsufficient)),
        (0, one(&|wish| wish.id = HoldId(1)), Held),
        (0, one(&|wish| wish.principal = OWNER), Held),
        (0, one(&|_| {}), No(Code::InventoryInsufficient)),
        (0, Verb::Release(Release { hold: HoldId(1), principal: GUEST }), Changed),
        (0, one(&|_| {}), Held),
        (0, release(None), Block(Status::Released)),
        (0, one(&|wish| wish.stay = stay(5, 1)), No(Code::BlockState)),
    ];
    play(&mut world, rows)
}

#[test]
fn pickups_of_a_block() {
    pickups();
}

#[test]
fn a_tentative_block_deducts_nothing_and_a_definite_one_all_of_it() {
    let (mut world, product) = World::open(3);
    let pencilled = BlockDraft { definite: false, ..draft(product, stay(3, 2), 3) };
    world.run(add(BLOCK, product, pencilled));
    assert_eq!(counts(&world, product, 3), (0, 0, 0));
    world.run(change(None, draft(product, stay(3, 2), 3)));
    assert_eq!([2, 3, 4, 5].map(|day| counts(&world, product, day).0), [0, 3, 3, 0]);
    let wish = world.wish(product, stay(4, 1), 1);
    let refused = world.run(Verb::Hold(wish));
    assert_eq!(refusal(&refused).code, Code::InventoryInsufficient);
}

#[test]
fn every_short_night_of_a_block_is_named_and_nothing_is_changed() {
    let (mut world, product) = blocked(4, stay(3, 4), 2);
    world.book(product, stay(4, 1), 2);
    world.hold(product, stay(6, 1), 1);
    let outcome = world.run(change(None, draft(product, stay(3, 5), 4)));
    let layer = Layer::RoomType(product.room_type);
    let short = |day, free, held| {
        let reason = Reason::Insufficient { free, wanted: 4, held };
        Blocker { reason, layer, night: night(day) }
    };
    assert_eq!(refusal(&outcome).blockers, [short(4, 2, 0), short(6, 3, 1)]);
    let blocked = [3, 4, 5, 6, 7].map(|day| counts(&world, product, day).0);
    assert_eq!(blocked, [2, 2, 2, 2, 0], "all or nothing");
    // The block's own rooms count as free: on the full fourth night it may keep what it has.
    world.run(change(None, draft(product, stay(4, 1), 2)));
    let blocked = [3, 4, 5, 6, 7].map(|day| counts(&world, product, day).0);
    assert_eq!(blocked, [0, 2, 0, 0, 0]);
}

#[test]
fn a_pickup_takes_from_the_block_even_when_nothing_else_is_free() {
    let (mut world, product) = blocked(3, stay(3, 2), 2);
    world.book(product, stay(3, 2), 1);
    assert_eq!(world.cell(product.room_type, night(3)).free(), 0);
    let wish = pickup(&mut world, product, stay(3, 2), 2);
    let hold = wish.id;
    assert!(matches!(world.run(Verb::Hold(wish)), Outcome::Held { .. }));
    assert_eq!(counts(&world, product, 3), (0, 2, 1));
    let confirm = world.confirmation(hold);
    let booking = confirm.booking;
    world.run(Verb::Confirm(confirm));
    assert_eq!(counts(&world, product, 4), (0, 0, 3));
    let block = world.reader.block(BLOCK).unwrap();
    assert_eq!((block.picked_up(product.room_type, night(3)), block.version), (2, 1));
    // A cancellation is the block's gain, not the public's.
    world.run(cancel(booking));
    assert_eq!(counts(&world, product, 3), (2, 0, 1));
    assert_eq!(world.reader.block(BLOCK).unwrap().picked_up.len(), 0);
}

#[test]
fn a_pickup_that_runs_out_goes_back_to_its_block_where_that_stands() {
    let (mut world, product) = blocked(3, stay(3, 2), 2);
    let wish = pickup(&mut world, product, stay(3, 1), 1);
    world.run(Verb::Hold(wish));
    assert_eq!(counts(&world, product, 3), (1, 1, 0));
    world.now += 15 * MINUTE;
    world.sweep();
    assert_eq!(counts(&world, product, 3), (2, 0, 0));
    let wish = pickup(&mut world, product, stay(3, 1), 1);
    world.run(Verb::Hold(wish));
    world.run(release(None));
    assert_eq!(counts(&world, product, 3), (0, 1, 0), "what is picked up stays the guest's");
    world.now += 15 * MINUTE;
    world.sweep();
    assert_eq!(counts(&world, product, 3), (0, 0, 0), "of a released block it is free");
}

#[test]
fn a_block_cut_below_its_pickups_keeps_nothing_more() {
    let (mut world, product) = blocked(5, stay(3, 1), 4);
    let wish = pickup(&mut world, product, stay(3, 1), 3);
    let hold = wish.id;
    world.run(Verb::Hold(wish));
    world.run(change(None, draft(product, stay(3, 1), 2)));
    assert_eq!(counts(&world, product, 3), (0, 3, 0));
    world.run(Verb::Release(Release { hold, principal: GUEST }));
    assert_eq!(counts(&world, product, 3), (2, 0, 0), "two of the three are the block's again");
}

#[test]
fn what_is_left_of_a_block_is_released_at_its_day_by_the_hotels_clock() {
    let (mut world, product) = World::open(3);
    let until = BlockDraft { release_on: Some(night(2)), ..draft(product, stay(3, 2), 3) };
    world.run(add(BLOCK, product, until));
    // It is ten in the morning in Bangkok.
    let midnight = world.now + 2 * DAY - 10 * HOUR;
    assert_eq!(world.reader.next_block_release_ms(), midnight);
    assert_eq!(world.reader.next_expiry_ms(), midnight, "the proposer is told");
    world.now = midnight - 1;
    world.tick();
    assert_eq!(counts(&world, product, 3).0, 3);
    world.now = midnight;
    let demand = world.wish(product, stay(3, 2), 1).demand();
    let asked = world.reader.admit(product.hotel, demand, world.now);
    assert!(matches!(asked, Admission::Contended), "no refusal while rooms are about to come free");
    world.hold(product, stay(3, 2), 3);
    assert_eq!(world.reader.block(BLOCK).unwrap().status, Status::Released);
    assert_eq!(world.reader.next_block_release_ms(), u64::MAX);
}

#[test]
fn closures_bar_a_pickup_as_any_other_stay() {
    let (mut world, product) = blocked(3, stay(3, 2), 2);
    world.allot(&[line(product, 4, 4, Change { closed: Some(true), ..Change::default() })]);
    let wish = pickup(&mut world, product, stay(3, 2), 1);
    assert_eq!(refusal(&world.run(Verb::Hold(wish))).code, Code::StayClosed);
}

#[test]
fn a_cut_of_the_allotment_counts_blocked_rooms_as_promised() {
    let (mut world, product) = blocked(5, stay(3, 1), 2);
    world.book(product, stay(3, 1), 1);
    world.allot(&[line(product, 3, 3, Change { allotment: Some(1), ..Change::default() })]);
    let cell = world.cell(product.room_type, night(3));
    assert_eq!((cell.available(), cell.deficit()), (0, 2));
    let wish = pickup(&mut world, product, stay(3, 1), 2);
    assert!(matches!(world.run(Verb::Hold(wish)), Outcome::Held { .. }), "a promise is kept");
    assert_eq!(world.cell(product.room_type, night(3)).deficit(), 2, "and none is added");
}
