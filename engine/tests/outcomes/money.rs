//! Taxes, and what a price is made of by plan and party.

use std::collections::BTreeSet;

use holdfast_engine::ari::{Change, LineOutcome, LineRefusal};
use holdfast_engine::calendar::Span;
use holdfast_engine::catalogue::{
    Adjustment, AgeBand, AgeBands, ChildCharge, Derivation, HotelDraft, Occupancies, Occupancy,
    OccupancyPrice, RatePlanDraft, RoomTypeDraft,
};
use holdfast_engine::command::{
    AddRatePlan, AddRoomType, ChangeHotel, ChangeRatePlan, HoldLine, SetTaxes,
};
use holdfast_engine::explain::Ask;
use holdfast_engine::ids::{RatePlanId, RatePlanIx, RoomTypeId};
use holdfast_engine::limits::{DERIVED_PLANS_MAX, TAX_ENTRIES_MAX};
use holdfast_engine::quote::RoomQuote;
use holdfast_engine::quote::tax::{Rates, Scope, VatOn};
use holdfast_engine::rates::{Dated, OccupancyPrices};
use holdfast_engine::refusal::{Layer, Reason};
use holdfast_engine::search::{Area, Filters, Query, Sort};
use holdfast_engine::stay::{Asked, quote_room};
use holdfast_engine::{Blocker, Code, Night, Outcome, Principal, Verb};

use super::{Is, Is::*, play};
use crate::world::{ADMIN, GUEST, OWNER, Product, World, drafts, hold_line, line, night, stay};

pub fn tables() -> BTreeSet<&'static str> {
    taxes().into_iter().chain(derivations()).collect()
}

fn set(principal: Principal, scope: Scope, from: Night, rates: Rates) -> Verb {
    Verb::SetTaxes(SetTaxes { principal, scope, from, rates })
}

fn fee(share: u16) -> Rates {
    Rates { fee_bp: Some(share), ..Rates::default() }
}

fn taxes() -> BTreeSet<&'static str> {
    let mut world = World::new();
    let phuket = Scope::Province(83);
    let by = |principal, scope, rates| (0, set(principal, scope, night(3), rates));
    let wrong = [
        by(GUEST, Scope::Province(9), fee(1)),
        by(ADMIN, Scope::Province(97), fee(1)),
        by(ADMIN, phuket, Rates::default()),
        by(ADMIN, phuket, fee(301)),
        by(ADMIN, phuket, Rates { service_bp: Some(3_001), ..fee(1) }),
        by(ADMIN, phuket, Rates { vat_bp: Some(3_001), ..fee(1) }),
        by(ADMIN, phuket, Rates { vat_on: Some(VatOn(8)), ..fee(1) }),
    ];
    let answered = |(after, verb): (u64, Verb), answer: Is| (after, verb, answer);
    let mut rows: Vec<_> =
        wrong.into_iter().map(|row| answered(row, No(Code::Malformed))).collect();
    rows.extend([
        answered(by(GUEST, phuket, fee(100)), No(Code::NotFound)),
        answered(by(OWNER, phuket, fee(100)), No(Code::NotFound)),
        answered(by(ADMIN, phuket, fee(300)), Taxes(2)),
        answered(by(ADMIN, phuket, fee(300)), Taxes(2)),
        answered(by(ADMIN, Scope::Country, fee(0)), Taxes(3)),
        answered(by(ADMIN, phuket, fee(300)), Taxes(4)),
    ]);
    let mut met = play(&mut world, rows);
    for at in 3..TAX_ENTRIES_MAX as u16 {
        let outcome = world.run(set(ADMIN, phuket, Night(at), fee(1)));
        assert!(matches!(outcome, Outcome::Taxes(_)), "{outcome:?}");
    }
    met.extend(play(
        &mut world,
        vec![(0, set(ADMIN, phuket, night(1), fee(2)), No(Code::CapacityReached))],
    ));
    met
}

#[test]
fn taxes_are_written_by_admins_within_bounds() {
    taxes();
}

#[test]
fn a_doors_quote_that_does_not_add_up_is_made_again() {
    let (mut world, product) = World::open(9);
    let hotel = world.reader.hotel(product.hotel).unwrap();
    let plan = world.reader.rate_plan(product.rate_plan).unwrap();
    let line = hold_line(product, 1);
    let (version, quote) =
        quote_room(&world.reader, &hotel, &plan, Asked::of(stay(3, 1), &line)).unwrap();
    let spoil: [fn(&mut RoomQuote); 4] = [
        |quote| quote.total = 1,
        |quote| (quote.room, quote.total) = (-117_700, -100_000),
        |quote| (quote.vat, quote.total) = (i64::MAX, i64::MIN),
        |quote| quote.prices = vec![100_000; 2].into(),
    ];
    for spoil in spoil {
        let mut spoilt = quote.clone();
        spoil(&mut spoilt);
        let mut wish = world.wish(product, stay(3, 1), 1);
        wish.lines[0].quote = Some((version, spoilt));
        let outcome = world.run(Verb::Hold(wish));
        let Outcome::Held { terms, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(terms.lines[0].quote, quote);
    }
}

#[test]
fn a_quote_made_under_another_table_is_made_again() {
    let (mut world, product) = World::open(9);
    let hotel = world.reader.hotel(product.hotel).unwrap();
    let plan = world.reader.rate_plan(product.rate_plan).unwrap();
    let line = hold_line(product, 1);
    let asked = Asked::of(stay(3, 1), &line);
    let quote = quote_room(&world.reader, &hotel, &plan, asked).unwrap();
    assert_eq!((quote.0.taxes, quote.1.total), (1, 117_700));
    let before = world.hold(product, stay(3, 1), 1);
    // Three percent in the hotel's province, from the check-in date on.
    world.run(set(ADMIN, Scope::Province(10), night(3), fee(300)));
    let mut wish = world.wish(product, stay(3, 1), 1);
    wish.expected_total = Some(117_700);
    wish.lines[0].quote = Some(quote);
    match world.run(Verb::Hold(wish.clone())) {
        Outcome::Refused(refusal) => {
            assert_eq!((refusal.code, refusal.total), (Code::PriceChanged, Some(120_700)));
        }
        other => panic!("{other:?}"),
    }
    wish.expected_total = Some(120_700);
    match world.run(Verb::Hold(wish)) {
        Outcome::Held { terms, .. } => {
            assert_eq!((terms.tax_version, terms.lines[0].quote.fee), (2, 3_000));
        }
        other => panic!("{other:?}"),
    }
    // A supply before that night is as it was, and so is the hold that was made before.
    let line = hold_line(product, 1);
    let asked = Asked::of(stay(2, 1), &line);
    let (_, quote) = quote_room(&world.reader, &hotel, &plan, asked).unwrap();
    assert_eq!(quote.total, 117_700);
    let held = world.reader.hold(before).unwrap();
    assert_eq!((held.terms.tax_version, held.terms.total), (1, 117_700));
    let old = world.reader.taxes_at(held.terms.tax_version, &hotel, held.terms.check_in);
    assert_eq!(old.fee_bp, 0);
}

/// A room for three adults and two children on a plan whose price is for two.
fn house_with_bands() -> (World, Product) {
    let mut world = World::new();
    let hotel = world.live_hotel();
    let band = |up_to_age, charge, counts| AgeBand { up_to_age, charge, counts };
    let age_bands = AgeBands(vec![
        band(2, ChildCharge::Free, false),
        band(5, ChildCharge::Fixed(20_000), true),
        band(11, ChildCharge::PercentBp(5_000), true),
    ]);
    let draft = HotelDraft { age_bands, ..drafts::hotel() };
    let change = ChangeHotel { hotel, principal: OWNER, version: None, draft };
    assert!(matches!(world.run(Verb::ChangeHotel(change)), Outcome::Hotel(_)));
    let draft =
        RoomTypeDraft { max_adults: 3, max_children: 2, max_occupancy: 4, ..drafts::room_type() };
    let id = RoomTypeId(world.mint());
    let add = AddRoomType { id, hotel, principal: OWNER, draft };
    let Outcome::RoomType(kind) = world.run(Verb::AddRoomType(add)) else { panic!() };
    let one =
        Occupancy { adults: 1, price: OccupancyPrice::Changed(Adjustment::PercentBp(-1_000)) };
    let occupancy = Occupancies { base: Some(2), prices: vec![one], extra_adult: Some(30_001) };
    let draft = RatePlanDraft { occupancy, ..drafts::rate_plan() };
    let id = RatePlanId(world.mint());
    let add = AddRatePlan { id, room_type: kind.ix, principal: OWNER, draft };
    let Outcome::RatePlan(plan) = world.run(Verb::AddRatePlan(add)) else { panic!() };
    let product = Product { hotel, room_type: kind.ix, rate_plan: plan.ix };
    world.offer(product, 0, 59, 9, 100_000);
    (world, product)
}

fn line_for(product: Product, adults: u8, children: &[u8]) -> HoldLine {
    HoldLine { adults, children: children.to_vec(), ..hold_line(product, 1) }
}

fn room_and_extras(world: &World, line: &HoldLine, product: Product) -> Option<(Vec<i64>, i64)> {
    let hotel = world.reader.hotel(product.hotel)?;
    let plan = world.reader.rate_plan(product.rate_plan)?;
    let asked = Asked::of(stay(3, 2), line);
    let (_, quote) = quote_room(&world.reader, &hotel, &plan, asked)?;
    Some((quote.prices.to_vec(), quote.extras_listed()))
}

#[test]
fn the_price_is_that_of_the_adults_and_the_children_add_what_their_bands_say() {
    let (world, product) = house_with_bands();
    for (adults, children, price, extras) in [
        (1, &[][..], 90_000, 0),
        (2, &[], 100_000, 0),
        (3, &[], 130_001, 0),
        (2, &[1, 2], 100_000, 0),
        (2, &[3, 6], 100_000, 2 * (20_000 + 15_001)),
        // Twelve is past the bands: a third adult.
        (2, &[12, 5], 130_001, 2 * 20_000),
    ] {
        let line = line_for(product, adults, children);
        let found = room_and_extras(&world, &line, product);
        assert_eq!(found, Some((vec![price; 2], extras)), "{adults} and {children:?}");
    }
}

#[test]
fn a_party_is_counted_by_the_bands_before_the_room_takes_it() {
    let (mut world, product) = house_with_bands();
    let mut hold = |adults, children: &[u8]| {
        let mut wish = world.wish(product, stay(3, 1), 1);
        wish.lines = vec![line_for(product, adults, children)];
        wish.principal = OWNER;
        super::kind(&world.run(Verb::Hold(wish)))
    };
    assert_eq!(hold(3, &[5]), Held);
    assert_eq!(hold(3, &[0, 1, 2, 5]), Held, "babies take no place");
    assert_eq!(hold(3, &[5, 5]), No(Code::OccupancyTooMany), "four at most");
    assert_eq!(hold(2, &[5, 5, 5]), No(Code::OccupancyTooMany), "two children at most");
    assert_eq!(hold(3, &[12]), No(Code::OccupancyTooMany), "three adults at most");
}

#[test]
fn a_number_of_adults_above_every_price_is_too_many_and_says_so_by_night() {
    let (mut world, product) = house_with_bands();
    let plan = world.reader.rate_plan(product.rate_plan).unwrap();
    let occupancy = Occupancies { extra_adult: None, ..plan.draft.occupancy.clone() };
    let draft = RatePlanDraft { occupancy, ..plan.draft.clone() };
    let change = ChangeRatePlan { rate_plan: plan.ix, principal: OWNER, version: None, draft };
    assert!(matches!(world.run(Verb::ChangeRatePlan(change)), Outcome::RatePlan(_)));
    let mut wish = world.wish(product, stay(3, 2), 1);
    wish.lines = vec![line_for(product, 3, &[])];
    let Outcome::Refused(refusal) = world.run(Verb::Hold(wish.clone())) else { panic!() };
    let layer = Layer::RatePlan(product.rate_plan);
    let blocked =
        [3, 4].map(|day| Blocker { reason: Reason::TooManyGuests, layer, night: night(day) });
    assert_eq!((refusal.code, refusal.blockers.as_slice()), (Code::OccupancyTooMany, &blocked[..]));
    // Explained alike, and searched for in vain.
    let hotel = product.hotel;
    let children: &[u8] = &[];
    let ask = Ask {
        hotel,
        stay: wish.stay,
        rooms: 1,
        adults: 3,
        children,
        room_type: None,
        rate_plan: None,
        promo: None,
    };
    let explained = world.reader.explain(&ask, world.now).unwrap();
    assert_eq!(explained.offerings[0].blockers, blocked);
    assert_eq!((explained.nearest.len(), total_found(&world, 3, &[])), (0, None));
}

#[test]
fn search_explain_and_calendar_price_the_party_as_a_hold_does() {
    let (mut world, product) = house_with_bands();
    for (adults, children) in [(1, &[][..]), (2, &[]), (3, &[]), (2, &[3, 6]), (2, &[12])] {
        let mut wish = world.wish(product, stay(3, 2), 1);
        wish.lines = vec![line_for(product, adults, children)];
        wish.principal = OWNER;
        let Outcome::Held { terms, .. } = world.run(Verb::Hold(wish)) else { panic!() };
        assert_eq!(total_found(&world, adults, children), Some(terms.total));
        let (hotel, stay) = (product.hotel, stay(3, 2));
        let (room_type, rate_plan, promo) = (None, None, None);
        let ask = Ask { hotel, stay, rooms: 1, adults, children, room_type, rate_plan, promo };
        let nearest = world.reader.explain(&ask, world.now).unwrap().nearest;
        let same = nearest.iter().find(|one| one.stay.nights() == 2);
        assert_eq!(same.map(|one| one.total), Some(terms.total));
        if children.is_empty() {
            let span = Span { hotel, from: night(3), to: night(3), adults };
            let day = world.reader.calendar(span, world.now).unwrap()[0];
            // Of one night; rounding is per stay.
            let one = day.price.unwrap();
            assert!((2 * one - terms.total).abs() <= 2, "{one} a night, {} for two", terms.total);
        }
    }
}

/// What a search finds for the party on the nights of these tests.
fn total_found(world: &World, adults: u8, children: &[u8]) -> Option<i64> {
    let query = Query {
        area: Area::Province(10),
        stay: stay(3, 2),
        rooms: 1,
        adults,
        children: children.to_vec(),
        filters: Filters::default(),
        sort: Sort::Price,
        after: None,
        limit: 10,
    };
    world.reader.search(&query).items.first().map(|found| found.total)
}

fn derived(parent: RatePlanIx, by: Adjustment) -> RatePlanDraft {
    RatePlanDraft { derived_from: Some(Derivation { parent, by }), ..drafts::rate_plan() }
}

const TENTH_OFF: Adjustment = Adjustment::PercentBp(-1_000);

fn add_derived(id: u128, product: Product, parent: RatePlanIx) -> Verb {
    let draft = derived(parent, TENTH_OFF);
    let (id, room_type) = (RatePlanId(id), product.room_type);
    Verb::AddRatePlan(AddRatePlan { id, room_type, principal: OWNER, draft })
}

fn derive(rate_plan: RatePlanIx, parent: Option<RatePlanIx>) -> Verb {
    let draft = parent.map_or_else(drafts::rate_plan, |parent| derived(parent, TENTH_OFF));
    Verb::ChangeRatePlan(ChangeRatePlan { rate_plan, principal: OWNER, version: None, draft })
}

fn derivations() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(3);
    let elsewhere = world.product().rate_plan;
    let plan = RatePlanIx;
    let wild = derived(product.rate_plan, Adjustment::PercentBp(-10_001));
    let wild = AddRatePlan {
        id: RatePlanId(9),
        room_type: product.room_type,
        principal: OWNER,
        draft: wild,
    };
    let mut met = play(
        &mut world,
        vec![
            (0, Verb::AddRatePlan(wild), No(Code::Malformed)),
            (0, add_derived(1, product, plan(99)), No(Code::RatePlanParent)),
            (0, add_derived(1, product, elsewhere), No(Code::RatePlanParent)),
            (0, derive(plan(0), Some(plan(0))), No(Code::RatePlanCycle)),
            // 0 ← 2 ← 3 ← 4: as deep as it goes.
            (0, add_derived(2, product, plan(0)), RatePlan),
            (0, add_derived(3, product, plan(2)), RatePlan),
            (0, add_derived(4, product, plan(3)), RatePlan),
            (0, add_derived(5, product, plan(4)), No(Code::RatePlanTooDeep)),
            (0, derive(plan(0), Some(plan(4))), No(Code::RatePlanCycle)),
            (0, derive(plan(2), Some(plan(3))), No(Code::RatePlanCycle)),
            // A plan that has plans beneath brings their depth along.
            (0, add_derived(6, product, plan(0)), RatePlan),
            (0, derive(plan(2), Some(plan(5))), No(Code::RatePlanTooDeep)),
            (0, derive(plan(3), Some(plan(5))), RatePlan),
            (0, derive(plan(3), None), RatePlan),
        ],
    );
    // 2, 4 and 5 derive from 0 directly or not: 4 from 3, which does no longer.
    let rows = (0..DERIVED_PLANS_MAX as u128 - 2)
        .map(|at| (0, add_derived(100 + at, product, plan(0)), RatePlan))
        .collect();
    met.extend(play(&mut world, rows));
    let one_more = vec![
        (0, add_derived(200, product, plan(2)), No(Code::CapacityReached)),
        (0, derive(plan(3), Some(plan(5))), No(Code::CapacityReached)),
        (0, derive(plan(5), Some(plan(2))), RatePlan),
    ];
    met.extend(play(&mut world, one_more));
    met
}

#[test]
fn derivations_are_refused_by_parent_cycle_depth_and_number() {
    derivations();
}

fn price_on(world: &World, plan: RatePlanIx, day: u16) -> Option<i64> {
    world.reader.rates(plan, night(day), night(day)).first().and_then(|found| found.1.price())
}

#[test]
fn a_price_is_rounded_at_each_level_and_reaches_every_level_at_once() {
    let (mut world, product) = World::open(3);
    let base = product.rate_plan;
    let third = Adjustment::PercentBp(-3_333);
    for (id, parent, by) in [
        (1, base, third),
        (2, RatePlanIx(1), third),
        (3, RatePlanIx(2), Adjustment::Absolute(-150)),
    ] {
        let draft = derived(parent, by);
        let add = AddRatePlan {
            id: RatePlanId(id),
            room_type: product.room_type,
            principal: OWNER,
            draft,
        };
        assert!(matches!(world.run(Verb::AddRatePlan(add)), Outcome::RatePlan(_)));
    }
    world.offer(product, 5, 6, 3, 1_005);
    let prices = [0, 1, 2, 3].map(|plan| price_on(&world, RatePlanIx(plan), 5));
    // 1,005 × 0.6667 = 670.03; 670 × 0.6667 = 446.689.
    assert_eq!(prices, [Some(1_005), Some(670), Some(447), Some(297)]);
    assert_eq!(price_on(&world, RatePlanIx(1), 7), Some(66_670), "other nights keep theirs");
    // Below zero is no price: nothing is sold, and it comes back with the parent's.
    world.offer(product, 5, 5, 3, 300);
    assert_eq!(price_on(&world, RatePlanIx(3), 5), None);
    world.offer(product, 5, 5, 3, 100_000);
    assert_eq!(price_on(&world, RatePlanIx(3), 5), Some(44_449 - 150));
}

#[test]
fn a_derived_plan_takes_no_prices_but_keeps_its_own_restrictions() {
    let (mut world, product) = World::open(3);
    assert_eq!(super::kind(&world.run(add_derived(1, product, product.rate_plan))), RatePlan);
    let mine = Product { rate_plan: RatePlanIx(1), ..product };
    let price = Change { price: Some(1), ..Change::default() };
    let pairs = OccupancyPrices::new([(1, 5)]);
    let occupancy = Change { occupancy: pairs, ..Change::default() };
    let longer = Change { min_stay_arrival: Some(3), ..Change::default() };
    let line = |change| line(mine, 4, 4, change);
    let refused = LineOutcome::Rejected(LineRefusal::DerivedPrice);
    let outcomes = world.allot(&[line(price), line(occupancy), line(longer)]);
    assert_eq!(outcomes, [refused, refused, LineOutcome::Applied]);
    let word = |plan| world.reader.rates(plan, night(4), night(4))[0].1;
    assert_eq!(word(RatePlanIx(1)).min_stay_arrival(), Dated::Set(3));
    assert_eq!(word(RatePlanIx(0)).min_stay_arrival(), Dated::Unset);
    // Once it derives no longer it keeps its prices, and takes others.
    assert_eq!(super::kind(&world.run(derive(RatePlanIx(1), None))), RatePlan);
    assert_eq!(price_on(&world, RatePlanIx(1), 4), Some(90_000));
    assert_eq!(world.allot(&[line(price)]), [LineOutcome::Applied]);
}

#[test]
fn a_quote_of_a_derived_plan_is_made_again_after_its_parents_price() {
    let (mut world, product) = World::open(3);
    assert_eq!(super::kind(&world.run(add_derived(1, product, product.rate_plan))), RatePlan);
    let mine = Product { rate_plan: RatePlanIx(1), ..product };
    let hotel = world.reader.hotel(product.hotel).unwrap();
    let plan = world.reader.rate_plan(RatePlanIx(1)).unwrap();
    let mut wish = world.wish(mine, stay(3, 1), 1);
    let asked = Asked::of(stay(3, 1), &wish.lines[0]);
    let quote = quote_room(&world.reader, &hotel, &plan, asked).unwrap();
    assert_eq!(quote.1.total, 105_930, "900.00 with service and VAT");
    wish.expected_total = Some(quote.1.total);
    wish.lines[0].quote = Some(quote);
    world.offer(product, 3, 3, 3, 110_000);
    let Outcome::Refused(refusal) = world.run(Verb::Hold(wish)) else { panic!() };
    assert_eq!((refusal.code, refusal.total), (Code::PriceChanged, Some(116_523)));
}
