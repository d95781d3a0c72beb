//! Taxes, and what a price is made of by plan and party.

use std::collections::BTreeSet;

use holdfast_engine::command::SetTaxes;
use holdfast_engine::limits::TAX_ENTRIES_MAX;
use holdfast_engine::quote::tax::{Rates, Scope, VatOn};
use holdfast_engine::stay::{Asked, quote_room};
use holdfast_engine::{Code, Night, Outcome, Principal, Verb};

use super::{Is, Is::*, play};
use crate::world::{ADMIN, GUEST, OWNER, World, hold_line, night, stay};

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
