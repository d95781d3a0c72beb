//! The share of a cell that one guest may hold, where the deployment caps it.

use holdfast_engine::ari::Change;
use holdfast_engine::block::{BlockDraft, BlockLine};
use holdfast_engine::command::genesis::Quota;
use holdfast_engine::command::{
    AddBlock, AddPartner, Genesis, Hold, HoldLine, JoinWaitlist, Release,
};
use holdfast_engine::ids::{BlockId, HoldId, WaitId};
use holdfast_engine::refusal::{Blocker, Cap, Layer, Reason};
use holdfast_engine::{Code, Outcome, Principal, Refusal, Verb};

use crate::world::{GUEST, HORIZON, OWNER, PARTNER, Product, World, hold_line, line, night, stay};

const OTHER: Principal = Principal::Guest(2);

/// One product with so many rooms on every night, in a deployment that caps shares and little else.
fn open(rooms: u16) -> (World, Product) {
    let mut world = World::unborn();
    let quota = Quota { holds: 50, rooms: 500, room_nights: 5_000, cell_share: true };
    world.run(Verb::Genesis(Genesis { horizon_nights: HORIZON, quota }));
    world.run(Verb::AddPartner(AddPartner { id: PARTNER, name: String::new() }));
    let product = world.product();
    world.offer(product, 0, HORIZON - 1, rooms, 100_000);
    (world, product)
}

fn refusal(world: &mut World, wish: Hold) -> Refusal {
    match world.run(Verb::Hold(wish)) {
        Outcome::Refused(refusal) => refusal.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

/// Held already, wanted and the share that a refusal names for each night.
#[track_caller]
fn over(world: &mut World, wish: Hold) -> Vec<(u16, u16, u16, u16)> {
    let refusal = refusal(world, wish);
    assert_eq!((refusal.code, refusal.cap), (Code::QuotaExceeded, Some(Cap::CellShare)));
    let words = |blocker: &Blocker| match blocker.reason {
        Reason::OverShare { held, wanted, share } => {
            (blocker.night.0 - night(0).0, held, wanted, share)
        }
        other => panic!("{other:?}"),
    };
    refusal.blockers.iter().map(words).collect()
}

fn by(principal: Principal, wish: Hold) -> Hold {
    Hold { principal, ..wish }
}

#[test]
fn a_guest_holds_at_most_a_quarter_of_what_would_be_free_without_it_and_always_one() {
    let (mut world, product) = open(11);
    let wish = world.wish(product, stay(3, 2), 3);
    assert_eq!(over(&mut world, wish), [(3, 0, 3, 2), (4, 0, 3, 2)]);
    world.hold(product, stay(3, 2), 1);
    // What the guest has counts as free, so asking in pieces gives no more and no less.
    let second = world.hold(product, stay(4, 1), 1);
    let wish = world.wish(product, stay(3, 2), 1);
    assert_eq!(over(&mut world, wish), [(4, 2, 1, 2)], "the third night has room for one more");
    world.hold(product, stay(3, 1), 1);
    // Others find fewer free: nine, of which a quarter is two.
    let wish = world.wish(product, stay(3, 1), 3);
    assert_eq!(over(&mut world, by(OTHER, wish)), [(3, 0, 3, 2)]);
    let wish = world.wish(product, stay(3, 1), 2);
    assert!(matches!(world.run(Verb::Hold(by(OTHER, wish))), Outcome::Held { .. }));
    // A hold that is given back, or runs out, counts no more.
    world.run(Verb::Release(Release { hold: second, principal: GUEST }));
    world.hold(product, stay(4, 1), 1);
    world.now += 900_000;
    world.hold(product, stay(3, 2), 2);
    // Where three or fewer are free, one can be held.
    let (mut world, product) = open(3);
    world.hold(product, stay(3, 1), 1);
    let wish = world.wish(product, stay(3, 1), 1);
    assert_eq!(over(&mut world, wish), [(3, 1, 1, 1)]);
}

#[test]
fn a_share_is_counted_over_all_lines_and_by_room_type_and_sold_rooms_are_not_free() {
    let (mut world, product) = open(8);
    let other = world.product_in(product.hotel);
    world.offer(other, 0, HORIZON - 1, 8, 100_000);
    let plan = Product { rate_plan: world.rate_plan(product.room_type), ..product };
    world.offer(plan, 0, HORIZON - 1, 8, 90_000);
    let mut wish = world.wish(product, stay(3, 1), 1);
    wish.lines.extend([hold_line(plan, 2), HoldLine { adults: 1, ..hold_line(other, 2) }]);
    let refusal = refusal(&mut world, wish.clone());
    let layer = Layer::RoomType(product.room_type);
    let reason = Reason::OverShare { held: 0, wanted: 3, share: 2 };
    assert_eq!(refusal.blockers, [Blocker { reason, layer, night: night(3) }]);
    wish.lines[1].quantity = 1;
    assert!(matches!(world.run(Verb::Hold(wish)), Outcome::Held { .. }));
    // Four are sold, which leaves one of four.
    let (mut world, product) = open(8);
    for _ in 0..4 {
        world.book(product, stay(3, 1), 1);
    }
    let wish = world.wish(product, stay(3, 1), 2);
    assert_eq!(over(&mut world, wish), [(3, 0, 2, 1)]);
    // What is overbooked counts as free.
    world.allot(&[line(product, 3, 3, Change { overbook: Some(4), ..Change::default() })]);
    world.hold(product, stay(3, 1), 2);
}

#[test]
fn partners_pickups_offers_and_deployments_without_the_cap_are_free_of_it() {
    let (mut world, product) = open(8);
    let wish = world.wish(product, stay(3, 1), 8);
    assert!(matches!(world.run(Verb::Hold(by(OWNER, wish.clone()))), Outcome::Held { .. }));
    world.run(Verb::Release(Release { hold: wish.id, principal: OWNER }));
    // The block's rooms are the group's; what is picked up does not count either.
    let draft = BlockDraft {
        name: "Group".into(),
        stay: stay(3, 1),
        lines: vec![BlockLine { room_type: product.room_type, rooms: 4 }],
        definite: true,
        release_on: None,
    };
    let id = BlockId(world.mint());
    world.run(Verb::AddBlock(AddBlock { id, hotel: product.hotel, principal: OWNER, draft }));
    let pickup = Hold { block: Some(id), ..world.wish(product, stay(3, 1), 3) };
    assert!(matches!(world.run(Verb::Hold(pickup)), Outcome::Held { .. }));
    world.hold(product, stay(3, 1), 1);
    // Who waited is offered what came free, though it is more than a share.
    let (mut world, product) = open(4);
    let all = world.wish(product, stay(3, 1), 4);
    world.run(Verb::Hold(by(OWNER, all.clone())));
    let wish = world.wish(product, stay(3, 1), 4);
    let (offer, id) = (wish.id, WaitId(world.mint()));
    world.run(Verb::JoinWaitlist(JoinWaitlist { id, wish }));
    world.run(Verb::Release(Release { hold: all.id, principal: OWNER }));
    assert!(world.reader.hold(offer).is_some_and(|hold| hold.is_live()));
    // Off where nobody switched it on.
    let (mut world, product) = World::open(8);
    let all: HoldId = world.hold(product, stay(3, 1), 8);
    assert!(world.reader.hold(all).is_some());
}
