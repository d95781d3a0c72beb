//! Why not: what explain says is what the hold does, and nothing nearer would have worked.

use std::collections::BTreeSet;

use holdfast_engine::ari::Change;
use holdfast_engine::catalogue::{
    Adjustment, AgeBand, AgeBands, ChildCharge, HotelDraft, Occupancies, Occupancy, OccupancyPrice,
    RatePlanDraft, RoomTypeDraft,
};
use holdfast_engine::command::{
    ChangeHotel, ChangeRatePlan, ChangeRoomType, Hold, HoldLine, Release,
};
use holdfast_engine::explain::{Ask, Nearest};
use holdfast_engine::ids::HoldId;
use holdfast_engine::limits::{NEAREST_MAX, NEAREST_OTHER_NIGHTS, NEAREST_SHIFT_NIGHTS};
use holdfast_engine::rates::{CutOff, OccupancyPrices};
use holdfast_engine::refusal::{Layer, Reason};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Code, Night, Outcome, Verb};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::world::{
    ADMIN, HORIZON, HOUR, OWNER, Product, World, drafts, hold_line, line, night, stay,
};

/// Two room types, the first on two plans.
fn house() -> (World, [Product; 3]) {
    let mut world = World::new();
    let first = world.product();
    let second = Product { rate_plan: world.rate_plan(first.room_type), ..first };
    let third = world.product_in(first.hotel);
    for (product, price) in [(first, 100_000), (second, 90_000), (third, 120_000)] {
        world.offer(product, 0, HORIZON - 1, 2, price);
    }
    (world, [first, second, third])
}

/// Who wants to stay in each room.
#[derive(Debug, Clone)]
struct Party {
    adults: u8,
    children: Vec<u8>,
}

const COUPLE: Party = Party { adults: 2, children: Vec::new() };

fn ask(product: Product, stay: Stay, rooms: u16) -> Ask<'static> {
    let (room_type, rate_plan) = (None, None);
    let (hotel, children, promo) = (product.hotel, &[], None);
    Ask { hotel, stay, rooms, adults: 2, children, room_type, rate_plan, promo }
}

fn wish(product: Product, stay: Stay, rooms: u16) -> Hold {
    wish_for(&COUPLE, product, stay, rooms)
}

fn wish_for(party: &Party, product: Product, stay: Stay, rooms: u16) -> Hold {
    let Party { adults, children } = party.clone();
    Hold {
        id: HoldId(u128::MAX),
        hotel: product.hotel,
        principal: ADMIN,
        stay,
        lines: vec![HoldLine { adults, children, ..hold_line(product, rooms) }],
        ttl_s: 900,
        expected_total: None,
        client_reference: None,
        block: None,
        promo: None,
    }
}

/// What a hold would cost, learnt by making it and giving it back; or the refusal.
fn try_hold(world: &mut World, wish: Hold) -> Result<i64, Code> {
    let id = HoldId(world.mint());
    let hold = Hold { id, ..wish };
    match world.run(Verb::Hold(hold)) {
        Outcome::Held { terms, .. } => {
            world.run(Verb::Release(Release { hold: id, principal: ADMIN }));
            Ok(terms.total)
        }
        Outcome::Refused(refusal) => Err(refusal.code),
        other => panic!("{other:?}"),
    }
}

/// Every stay that may be named, of a product that was meant.
fn moved(asked: Stay) -> BTreeSet<(u16, Night, Night)> {
    let (shift, other) = (NEAREST_SHIFT_NIGHTS.cast_signed(), NEAREST_OTHER_NIGHTS.cast_signed());
    let mut stays = BTreeSet::new();
    for by_in in -shift..=shift {
        for by_out in -shift..=shift {
            let same_length = by_in == by_out;
            let same_check_in = by_in == 0 && by_out.abs() <= other;
            let around = by_in <= 0 && by_out >= 0 && by_out - by_in <= other;
            let check_in = asked.check_in.0.checked_add_signed(by_in).unwrap();
            let check_out = asked.check_out.0.checked_add_signed(by_out).unwrap();
            if (same_length || same_check_in || around) && check_in < check_out {
                let distance = by_in.unsigned_abs().max(by_out.unsigned_abs());
                stays.insert((distance, Night(check_in), Night(check_out)));
            }
        }
    }
    stays
}

/// The answer as holds alone give it.
fn brute_force(
    world: &mut World,
    products: &[Product],
    meant: impl Fn(Product) -> bool,
    asked: Stay,
    wish: impl Fn(Product, Stay) -> Hold,
) -> Vec<Nearest> {
    let mut found = Vec::new();
    for (distance, check_in, check_out) in moved(asked) {
        let stay = Stay { check_in, check_out };
        for &product in products {
            if distance > 0 && !meant(product) {
                continue;
            }
            if let Ok(total) = try_hold(world, wish(product, stay)) {
                let (room_type, rate_plan) = (product.room_type, product.rate_plan);
                found.push(Nearest { stay, room_type, rate_plan, total, distance });
            }
        }
    }
    found.sort_by_key(|one| (one.distance, one.total, one.stay.check_in, one.stay.check_out));
    found.truncate(NEAREST_MAX);
    found
}

#[derive(Debug, Clone)]
struct Rule {
    product: usize,
    from: u16,
    nights: u16,
    kind: u8,
    value: u8,
}

fn change(kind: u8, value: u8) -> Change {
    let none = Change::default();
    let on = Some(true);
    match kind {
        0 => Change { allotment: Some(u16::from(value % 3)), ..none },
        1 => Change { closed: on, ..none },
        2 => Change { closed_to_arrival: on, ..none },
        3 => Change { closed_to_departure: on, ..none },
        4 => Change { min_stay_arrival: Some(value % 6), ..none },
        5 => Change { max_stay_arrival: Some(value % 9), ..none },
        6 => Change { min_stay_through: Some(value % 6), ..none },
        7 => Change { max_stay_through: Some(value % 9), ..none },
        8 => Change { min_advance: Some(Some(u16::from(value))), ..none },
        9 => Change { max_advance: Some(Some(u16::from(value))), ..none },
        10 => {
            let cut_off =
                CutOff { days: u16::from(value % 40), minute: 60 * u16::from(value % 24) };
            Change { cut_off: Some(Some(cut_off)), ..none }
        }
        11 => {
            let pairs = [(1, 40_000), (2 + value % 3, 60_000 + i64::from(value) * 100)];
            Change {
                occupancy: OccupancyPrices::new(pairs[..usize::from(value % 3)].to_vec()),
                ..none
            }
        }
        _ => Change { price: Some(50_000 + i64::from(value) * 500), ..none },
    }
}

/// Children by ages, a room that takes four, and plans that price a party each in its own way.
fn family_house(prices: u8, bands: u8) -> (World, [Product; 3]) {
    let (mut world, products) = house();
    let band = |up_to_age, charge, counts| AgeBand { up_to_age, charge, counts };
    let all = [
        band(2, ChildCharge::Free, false),
        band(6, ChildCharge::PercentBp(5_000), true),
        band(11, ChildCharge::Fixed(30_000), bands & 4 != 0),
    ];
    let age_bands = AgeBands(all[..usize::from(bands % 4)].to_vec());
    let draft = HotelDraft { age_bands, ..drafts::hotel() };
    let (hotel, principal, version) = (products[0].hotel, OWNER, None);
    let change = Verb::ChangeHotel(ChangeHotel { hotel, principal, version, draft });
    assert!(world.run(change).refusal().is_none());
    for room_type in [products[0].room_type, products[2].room_type] {
        let draft = RoomTypeDraft {
            max_adults: 3,
            max_children: 2,
            max_occupancy: 4,
            ..drafts::room_type()
        };
        let change = ChangeRoomType { room_type, principal, version, draft };
        assert!(world.run(Verb::ChangeRoomType(change)).refusal().is_none());
    }
    let one = |adults, price| Occupancy { adults, price };
    let single = one(1, OccupancyPrice::Changed(Adjustment::PercentBp(-1_500)));
    for (at, product) in products.iter().enumerate() {
        let how = prices >> (2 * at) & 3;
        let occupancy = Occupancies {
            base: (how > 1).then_some(2),
            prices: if how == 1 { Vec::new() } else { vec![single] },
            extra_adult: (how == 3).then_some(33_335),
        };
        let rate_plan = product.rate_plan;
        let draft = RatePlanDraft { occupancy, ..drafts::rate_plan() };
        let change = ChangeRatePlan { rate_plan, principal, version, draft };
        assert!(world.run(Verb::ChangeRatePlan(change)).refusal().is_none());
    }
    (world, products)
}

fn party() -> impl Strategy<Value = Party> {
    (1u8..5, vec(0u8..18, 0..3)).prop_map(|(adults, children)| Party { adults, children })
}

fn rule() -> impl Strategy<Value = Rule> {
    (0usize..3, 0u16..HORIZON, 1u16..6, 0u8..13, any::<u8>()).prop_map(
        |(product, from, nights, kind, value)| Rule { product, from, nights, kind, value },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn explain_agrees_with_the_hold_and_names_the_nearest_by_brute_force(
        rules in vec(rule(), 0..90), from in 0u16..HORIZON - 8, nights in 1u16..10, rooms in 1u16..3,
        named: bool, taken in vec((0usize..3, 0u16..50, 1u16..9), 0..4),
        party in party(), prices: u8, bands in 0u8..8, hour in 0u64..30,
    ) {
        let (mut world, products) = family_house(prices, bands);
        world.now += hour * HOUR;
        world.tick();
        let wish_of = |product, stay| wish_for(&party, product, stay, rooms);
        for rule in rules {
            let to = (rule.from + rule.nights).min(HORIZON - 1);
            let product = products[rule.product];
            world.allot(&[line(product, rule.from, to, change(rule.kind, rule.value))]);
        }
        for (product, from, nights) in taken {
            let wish = Hold { id: HoldId(world.mint()), ..wish(products[product], stay(from, nights), 1) };
            world.run(Verb::Hold(wish));
        }
        let asked = stay(from, nights);
        let mut ask = ask(products[0], asked, rooms);
        (ask.adults, ask.children) = (party.adults, &party.children);
        if named {
            ask.rate_plan = Some(products[1].rate_plan);
        }
        let meant = |product: Product| !named || product.rate_plan == products[1].rate_plan;
        let now = world.now;
        let explained = match world.reader.explain(&ask, now) {
            Ok(explained) => explained,
            Err(refusal) => {
                prop_assert_eq!(try_hold(&mut world, wish_of(products[0], asked)), Err(refusal.code));
                return Ok(());
            }
        };
        let wanted: Vec<_> = products.iter().copied().filter(|product| meant(*product)).collect();
        prop_assert_eq!(explained.offerings.len(), wanted.len());
        for (offering, product) in explained.offerings.iter().zip(&wanted) {
            prop_assert_eq!(offering.rate_plan, product.rate_plan);
            let hold = Hold { id: HoldId(world.mint()), ..wish_of(*product, asked) };
            let id = hold.id;
            match world.run(Verb::Hold(hold)) {
                Outcome::Held { .. } => {
                    prop_assert!(offering.blockers.is_empty(), "{:?}", offering.blockers);
                    world.run(Verb::Release(Release { hold: id, principal: ADMIN }));
                }
                Outcome::Refused(refusal) => {
                    prop_assert_eq!(&offering.blockers, &refusal.blockers);
                    let names = world.reader.nearest_for(&wish_of(*product, asked), now);
                    prop_assert!(names.iter().all(|one| one.distance > 0 || one.rate_plan != product.rate_plan));
                }
                other => panic!("{other:?}"),
            }
        }
        let expected = brute_force(&mut world, &products, meant, asked, wish_of);
        prop_assert_eq!(explained.nearest, expected);
    }
}

#[test]
fn lines_of_one_hold_are_had_together_or_not_at_all() {
    let (mut world, [first, second, third]) = house();
    // Two plans of one room type with one room each take both of its rooms.
    world.hold(first, stay(10, 1), 1);
    world.allot(&[line(third, 12, 12, Change { closed: Some(true), ..Change::default() })]);
    let lines = [first, second, third].map(|product| hold_line(product, 1)).to_vec();
    let mut hold = Hold { lines, ..wish(first, stay(10, 2), 1) };
    let now = world.now;
    let nearest = world.reader.nearest_for(&hold, now);
    let dates: Vec<_> = nearest.iter().map(|one| (one.stay, one.distance)).collect();
    // A night earlier or later would meet the closed night or the taken room.
    assert_eq!(dates[0], (stay(8, 2), 2));
    for one in &nearest {
        hold.stay = one.stay;
        hold.id = HoldId(world.mint());
        let Outcome::Held { terms, .. } = world.run(Verb::Hold(hold.clone())) else {
            panic!("{one:?}")
        };
        assert_eq!(terms.total, one.total);
        world.run(Verb::Release(Release { hold: hold.id, principal: ADMIN }));
    }
}

#[test]
fn every_blocker_is_named_with_its_night_and_layer() {
    let (mut world, [first, second, third]) = house();
    let on = Some(true);
    let change = Change { closed: on, closed_to_arrival: on, ..Change::default() };
    world.allot(&[line(first, 10, 10, change)]);
    let change = Change { min_stay_through: Some(4), closed_to_departure: on, ..Change::default() };
    world.allot(&[line(first, 12, 13, change)]);
    world.allot(&[line(third, 11, 11, Change { allotment: Some(0), ..Change::default() })]);
    let now = world.now;
    let found = world.reader.explain(&ask(first, stay(10, 3), 1), now).unwrap();
    let plan = Layer::RatePlan(first.rate_plan);
    let named: Vec<_> =
        found.offerings[0].blockers.iter().map(|one| (one.reason, one.night)).collect();
    assert_eq!(
        named,
        [
            (Reason::Closed, night(10)),
            (Reason::ClosedToArrival, night(10)),
            (Reason::MinStayThrough(4), night(12)),
            (Reason::ClosedToDeparture, night(13)),
        ]
    );
    assert!(found.offerings[0].blockers.iter().all(|one| one.layer == plan));
    assert_eq!(found.offerings[1].blockers, []);
    assert_eq!(found.offerings[2].blockers[0].layer, Layer::RoomType(third.room_type));
    // The stay itself is the nearest where another offering has it.
    assert_eq!((found.nearest[0].rate_plan, found.nearest[0].distance), (second.rate_plan, 0));
    assert_eq!(found.nearest.len(), NEAREST_MAX);
}

#[test]
fn what_no_dates_mend_is_named_and_nothing_is_suggested() {
    let (mut world, [first, ..]) = house();
    let now = world.now;
    let big = Ask { adults: 5, ..ask(first, stay(10, 2), 1) };
    let found = world.reader.explain(&big, now).unwrap();
    assert!(found.offerings.iter().all(|one| one.blockers[0].reason == Reason::TooManyGuests));
    assert_eq!(found.nearest, []);
    world.set_status(first.hotel, holdfast_engine::catalogue::HotelStatus::Suspended);
    let found = world.reader.explain(&ask(first, stay(10, 2), 1), now).unwrap();
    assert!(found.offerings.iter().all(|one| one.blockers[0].reason == Reason::HotelNotLive));
    assert_eq!(found.nearest, []);
    for (dates, code) in [
        (stay(10, 0), Code::StayTooShort),
        (stay(10, 31), Code::StayTooLong),
        (Stay { check_in: night(0).minus(1), check_out: night(2) }, Code::StayInPast),
        (stay(HORIZON - 1, 2), Code::StayBeyondHorizon),
    ] {
        assert_eq!(world.reader.explain(&ask(first, dates, 1), now).unwrap_err().code, code);
    }
    let unknown = Ask { hotel: holdfast_engine::ids::HotelIx(9), ..ask(first, stay(10, 2), 1) };
    assert_eq!(world.reader.explain(&unknown, now).unwrap_err().code, Code::NotFound);
}
