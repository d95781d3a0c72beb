//! Add, change and remove promotions; hold with their codes.

use std::collections::BTreeSet;

use holdfast_engine::command::{AddPromo, ChangePromo, Hold, RemovePromo};
use holdfast_engine::ids::{HotelIx, PartnerId, PromoId};
use holdfast_engine::limits::{
    MAX_STAY_MAX, PRICE_MAX, PROMO_CODE_BYTES_MAX, PROMO_HOTELS_MAX, PROMOS_PER_PARTNER_MAX,
};
use holdfast_engine::money::Currency;
use holdfast_engine::promo::{Asked, Period, PromoCode, PromoDraft};
use holdfast_engine::quote::Discount;
use holdfast_engine::refusal::{Blocker, Layer, Reason};
use holdfast_engine::{Code, Night, Outcome, Principal, Verb};

use super::{Is::*, play};
use crate::world::{ADMIN, DAY, GUEST, OWNER, PARTNER, Product, RIVAL, World, drafts, night, stay};

const STRANGER: Principal = Principal::Partner(RIVAL.0);

pub fn tables() -> BTreeSet<&'static str> {
    [life_of_a_code(), refusals_of_drafts(), holds_with_a_code(), places()]
        .into_iter()
        .flatten()
        .collect()
}

fn code(text: &str) -> PromoCode {
    PromoCode::new(text).unwrap()
}

fn add(id: u128, text: &str, draft: PromoDraft) -> AddPromo {
    let (partner, principal) = (PARTNER, OWNER);
    AddPromo { id: PromoId(id), partner, principal, code: code(text), draft }
}

fn change(text: &str, version: Option<u32>, draft: PromoDraft) -> ChangePromo {
    ChangePromo { partner: PARTNER, code: code(text), principal: OWNER, version, draft }
}

fn remove(text: &str, version: Option<u32>) -> RemovePromo {
    RemovePromo { partner: PARTNER, code: code(text), principal: OWNER, version }
}

fn life_of_a_code() -> BTreeSet<&'static str> {
    let mut world = World::new();
    let own = world.draft_hotel();
    let plain = drafts::promo;
    let of = |hotel: u32| PromoDraft { hotels: vec![HotelIx(hotel)], ..plain() };
    let by = |principal, verb: AddPromo| Verb::AddPromo(AddPromo { principal, ..verb });
    let nobody = PartnerId(99);
    let rows = vec![
        (0, by(GUEST, add(1, "A", plain())), No(Code::NotFound)),
        (0, by(STRANGER, add(1, "A", plain())), No(Code::NotFound)),
        (
            0,
            Verb::AddPromo(AddPromo { partner: nobody, principal: ADMIN, ..add(1, "A", plain()) }),
            No(Code::NotFound),
        ),
        (0, by(OWNER, add(1, "A", of(own.0 + 1))), No(Code::NotFound)),
        (0, by(OWNER, add(1, "A", of(own.0))), Promo(1, false)),
        (0, by(ADMIN, add(1, "B", plain())), No(Code::StateConflict)),
        (0, by(ADMIN, add(2, "a", plain())), No(Code::PromoTaken)),
        (0, by(ADMIN, add(2, "B", plain())), Promo(1, false)),
        // Another partner's codes are its own.
        (
            0,
            Verb::AddPromo(AddPromo {
                partner: RIVAL,
                principal: STRANGER,
                ..add(3, "A", plain())
            }),
            Promo(1, false),
        ),
        (0, Verb::ChangePromo(change("C", None, plain())), No(Code::NotFound)),
        (
            0,
            Verb::ChangePromo(ChangePromo { principal: STRANGER, ..change("A", None, plain()) }),
            No(Code::NotFound),
        ),
        (0, Verb::ChangePromo(change("A", Some(1), of(own.0 + 1))), No(Code::NotFound)),
        (0, Verb::ChangePromo(change("A", Some(2), plain())), No(Code::VersionMismatch)),
        (0, Verb::ChangePromo(change("A", Some(1), plain())), Promo(2, false)),
        (0, Verb::RemovePromo(remove("C", None)), No(Code::NotFound)),
        (
            0,
            Verb::RemovePromo(RemovePromo { principal: GUEST, ..remove("A", None) }),
            No(Code::NotFound),
        ),
        (0, Verb::RemovePromo(remove("A", Some(1))), No(Code::VersionMismatch)),
        (0, Verb::RemovePromo(remove("A", Some(2))), Promo(3, true)),
        (0, Verb::RemovePromo(remove("A", None)), No(Code::NotFound)),
        (0, Verb::ChangePromo(change("A", None, plain())), No(Code::NotFound)),
        // The code is free for another.
        (0, by(OWNER, add(1, "A", plain())), No(Code::StateConflict)),
        (0, by(OWNER, add(4, "A", plain())), Promo(1, false)),
    ];
    play(&mut world, rows)
}

#[test]
fn a_code_is_added_changed_and_removed_by_its_partner() {
    life_of_a_code();
}

fn refusals_of_drafts() -> BTreeSet<&'static str> {
    let mut world = World::new();
    let hotels: Vec<_> = (0..=PROMO_HOTELS_MAX as u32).map(HotelIx).collect();
    let turned = Period { first: Some(night(2)), last: Some(night(1)) };
    let with = |discount| PromoDraft { discount, ..drafts::promo() };
    let wrong = [
        with(Discount::PercentBp(0)),
        with(Discount::PercentBp(10_001)),
        with(Discount::Fixed(0)),
        with(Discount::Fixed(PRICE_MAX + 1)),
        PromoDraft { booking: turned, ..drafts::promo() },
        PromoDraft { stay: turned, ..drafts::promo() },
        PromoDraft { min_nights: 0, ..drafts::promo() },
        PromoDraft { min_nights: MAX_STAY_MAX + 1, ..drafts::promo() },
        PromoDraft { hotels, ..drafts::promo() },
        PromoDraft { hotels: vec![HotelIx(0), HotelIx(0)], ..drafts::promo() },
        PromoDraft { money_max: Some(-1), ..drafts::promo() },
    ];
    let widest = PromoDraft {
        booking: Period { first: Some(night(1)), last: Some(night(1)) },
        min_nights: MAX_STAY_MAX,
        uses_max: Some(0),
        money_max: Some(0),
        ..with(Discount::Fixed(PRICE_MAX))
    };
    let longest = "x".repeat(PROMO_CODE_BYTES_MAX);
    let mut rows = vec![(0, Verb::AddPromo(add(1, &longest, widest)), Promo(1, false))];
    for draft in wrong {
        rows.push((0, Verb::AddPromo(add(2, "B", draft.clone())), No(Code::Malformed)));
        rows.push((0, Verb::ChangePromo(change(&longest, None, draft)), No(Code::Malformed)));
    }
    play(&mut world, rows)
}

#[test]
fn what_no_promotion_can_be_is_refused() {
    refusals_of_drafts();
}

/// A hold of one room with a code that is not sent yet.
fn wish(world: &mut World, product: Product, from: u16, nights: u16, text: &str) -> Hold {
    let promo = Some(Asked::of(&code(text)));
    Hold { promo, ..world.wish(product, stay(from, nights), 1) }
}

fn holds_with_a_code() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(9);
    let usd = Currency(*b"USD");
    let elsewhere = world.draft_hotel();
    let narrow = PromoDraft {
        booking: Period { first: Some(night(1)), last: Some(night(1)) },
        stay: Period { first: Some(night(5)), last: Some(night(7)) },
        min_nights: 2,
        uses_max: Some(1),
        ..drafts::promo()
    };
    let mut hold = |from, nights, text: &str| {
        Verb::Hold(Hold { ttl_s: 60, ..wish(&mut world, product, from, nights, text) })
    };
    let early = hold(5, 2, "N");
    let rows = vec![
        (0, Verb::AddPromo(add(1, "N", narrow)), Promo(1, false)),
        (
            0,
            Verb::AddPromo(add(2, "H", PromoDraft { hotels: vec![elsewhere], ..drafts::promo() })),
            Promo(1, false),
        ),
        (
            0,
            Verb::AddPromo(add(3, "U", PromoDraft { currency: usd, ..drafts::promo() })),
            Promo(1, false),
        ),
        (0, hold(5, 2, "X"), No(Code::PromoUnknown)),
        (0, hold(5, 2, "H"), No(Code::PromoNotValid)),
        (0, hold(5, 2, "U"), No(Code::PromoNotValid)),
        // A day too early, on the day, too short, on other nights.
        (0, early.clone(), No(Code::PromoNotValid)),
        (DAY, hold(5, 1, "N"), No(Code::PromoNotValid)),
        (0, hold(4, 3, "N"), No(Code::PromoNotValid)),
        (0, hold(6, 3, "N"), No(Code::PromoNotValid)),
        (0, early, Held),
        (0, hold(6, 2, "N"), No(Code::PromoExhausted)),
        // The first has run out.
        (60_000, hold(6, 2, "N"), Held),
        (DAY, hold(6, 2, "N"), No(Code::PromoNotValid)),
        (0, Verb::RemovePromo(remove("N", None)), Promo(2, true)),
        (0, hold(6, 2, "N"), No(Code::PromoUnknown)),
    ];
    play(&mut world, rows)
}

#[test]
fn a_hold_with_a_code_is_judged_by_the_promotion_too() {
    holds_with_a_code();
}

#[test]
fn everything_that_stands_in_the_way_of_a_promotion_is_named_with_its_night() {
    let (mut world, product) = World::open(9);
    let elsewhere = world.draft_hotel();
    let draft = PromoDraft {
        currency: Currency(*b"USD"),
        booking: Period { first: None, last: Some(night(0).minus(1)) },
        stay: Period { first: Some(night(5)), last: Some(night(5)) },
        min_nights: 4,
        hotels: vec![elsewhere],
        ..drafts::promo()
    };
    world.run(Verb::AddPromo(add(1, "N", draft)));
    let refused = |world: &mut World, text: &str| -> Vec<(Reason, Night)> {
        let wish = wish(world, product, 4, 3, text);
        let Outcome::Refused(refusal) = world.run(Verb::Hold(wish)) else { panic!() };
        let is_promo = |blocker: &Blocker| blocker.layer == Layer::Promo;
        assert!(refusal.blockers.iter().all(is_promo), "{refusal:?}");
        refusal.blockers.iter().map(|blocker| (blocker.reason, blocker.night)).collect()
    };
    let expected = [
        (Reason::PromoHotel, night(4)),
        (Reason::PromoCurrency, night(4)),
        (Reason::PromoBookingWindow, night(4)),
        (Reason::PromoMinNights(4), night(4)),
        (Reason::PromoStayWindow, night(4)),
        (Reason::PromoStayWindow, night(6)),
    ];
    assert_eq!(refused(&mut world, "n"), expected);
    assert_eq!(refused(&mut world, "x"), [(Reason::PromoUnknown, night(4))]);
    // Used up, in both ways at once.
    let none = PromoDraft { uses_max: Some(0), money_max: Some(0), ..drafts::promo() };
    world.run(Verb::ChangePromo(change("N", None, none)));
    let expected = [(Reason::PromoUses, night(4)), (Reason::PromoMoney, night(4))];
    assert_eq!(refused(&mut world, "n"), expected);
}

/// A partner has all the promotions that it can have.
fn places() -> BTreeSet<&'static str> {
    let (mut world, product) = World::open(9);
    for id in 0..PROMOS_PER_PARTNER_MAX as u128 {
        let outcome = world.run(Verb::AddPromo(add(id, &format!("C{id}"), drafts::promo())));
        assert!(matches!(outcome, Outcome::Promo(_)), "{outcome:?}");
    }
    let more = |id| Verb::AddPromo(add(id, &format!("M{id}"), drafts::promo()));
    let held = Verb::Hold(wish(&mut world, product, 1, 1, "C7"));
    let rows = vec![
        (0, more(20_000), No(Code::CapacityReached)),
        // One that nobody ever had makes room once it is removed.
        (0, Verb::RemovePromo(remove("C6", None)), Promo(2, true)),
        (0, more(20_000), Promo(1, false)),
        (0, more(20_001), No(Code::CapacityReached)),
        // One that somebody has had does once that stay lies behind the calendar.
        (0, held, Held),
        (0, Verb::RemovePromo(remove("C7", None)), Promo(2, true)),
        (0, more(20_001), No(Code::CapacityReached)),
        (DAY, Verb::Sweep(holdfast_engine::command::Sweep::default()), Swept(1)),
        (0, more(20_001), No(Code::CapacityReached)),
        (3 * DAY, Verb::Tick(holdfast_engine::command::Tick), Ticked(4)),
        (0, more(20_001), Promo(1, false)),
    ];
    let met = play(&mut world, rows);
    assert_eq!(world.reader.promo(PromoId(6)), None);
    assert_eq!(world.reader.promo(PromoId(7)), None);
    met
}

#[test]
fn a_partner_has_so_many_promotions_and_those_that_are_over_make_room() {
    places();
}
