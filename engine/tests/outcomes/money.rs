//! Taxes, and what a price is made of by plan and party.

use std::collections::BTreeSet;

use holdfast_engine::calendar::Span;
use holdfast_engine::catalogue::{
    Adjustment, AgeBand, AgeBands, ChildCharge, HotelDraft, Occupancies, Occupancy, OccupancyPrice,
    RatePlanDraft, RoomTypeDraft,
};
use holdfast_engine::command::{
    AddRatePlan, AddRoomType, ChangeHotel, ChangeRatePlan, HoldLine, SetTaxes,
};
use holdfast_engine::explain::Ask;
use holdfast_engine::ids::{RatePlanId, RoomTypeId};
use holdfast_engine::limits::TAX_ENTRIES_MAX;
use holdfast_engine::quote::tax::{Rates, Scope, VatOn};
use holdfast_engine::refusal::{Layer, Reason};
use holdfast_engine::search::{Area, Filters, Query, Sort};
use holdfast_engine::stay::{Asked, quote_room};
use holdfast_engine::{Blocker, Code, Night, Outcome, Principal, Verb};

use super::{Is, Is::*, play};
use crate::world::{ADMIN, GUEST, OWNER, Product, World, drafts, hold_line, night, stay};

pub fn tables() -> BTreeSet<&'static str> {
    taxes()
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
    Some((quote.prices.clone(), quote.extras_listed()))
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
        let ask = Ask { hotel, stay, rooms: 1, adults, children, room_type: None, rate_plan: None };
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
