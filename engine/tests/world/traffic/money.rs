//! What partners and admins say about money: taxes, profiles, prices by guests.

use holdfast_engine::catalogue::{
    Adjustment, AgeBand, AgeBands, ChildCharge, Derivation, Occupancies, Occupancy, OccupancyPrice,
    TaxProfile,
};
use holdfast_engine::command::SetTaxes;
use holdfast_engine::ids::RatePlanIx;
use holdfast_engine::quote::tax::{Rates, Scope, VatOn};
use holdfast_engine::{Night, Verb};

use super::Dice;

use crate::world::{ADMIN, DAY, OWNER};

/// Mostly of the province or the country where the random worlds' hotels stand.
pub fn taxes(dice: &mut Dice, now: u64) -> Verb {
    let today = Night((now / DAY) as u16);
    let scope = dice.of(&[
        Scope::Country,
        Scope::Province(10),
        Scope::Province(10),
        Scope::Province(50),
        Scope::Province(97),
    ]);
    let share = |dice: &mut Dice, choices: [u16; 3]| dice.one_in(2).then(|| dice.of(&choices));
    let rates = Rates {
        service_bp: share(dice, [0, 500, 3_001]),
        vat_bp: share(dice, [0, 1_000, 3_000]),
        fee_bp: share(dice, [100, 300, 301]),
        vat_on: dice.one_in(2).then(|| VatOn(dice.of(&[1, 3, 7, 8]))),
    };
    let principal = dice.of(&[ADMIN, ADMIN, ADMIN, OWNER]);
    let from = dice.of(&[today.minus(3), today.plus(2), today.plus(5)]);
    Verb::SetTaxes(SetTaxes { principal, scope, from, rates })
}

/// Mostly none; seldom some that no hotel can have.
pub fn age_bands(dice: &mut Dice) -> AgeBands {
    let band = |up_to_age, charge, counts| AgeBand { up_to_age, charge, counts };
    let toddlers = band(2, ChildCharge::Free, false);
    let half = band(6, ChildCharge::PercentBp(5_000), true);
    let fixed = band(11, ChildCharge::Fixed(30_000), false);
    AgeBands(match dice.below(16) {
        0..6 => Vec::new(),
        6..11 => vec![toddlers, half, fixed],
        11..15 => vec![half],
        _ => vec![half, toddlers],
    })
}

/// Mostly one price for all; seldom a list that no plan can have.
pub fn occupancy(dice: &mut Dice) -> Occupancies {
    let one = |adults, price| Occupancy { adults, price };
    let changed = |by| OccupancyPrice::Changed(by);
    let prices = match dice.below(16) {
        0..6 => Vec::new(),
        6..10 => vec![one(1, changed(Adjustment::PercentBp(-1_255)))],
        10..12 => vec![
            one(1, changed(Adjustment::Absolute(-110_000))),
            one(3, OccupancyPrice::Fixed(180_000)),
        ],
        12..15 => {
            vec![one(1, OccupancyPrice::Fixed(77_777)), one(2, changed(Adjustment::PercentBp(33)))]
        }
        _ => vec![one(0, OccupancyPrice::Fixed(1))],
    };
    let base = dice.of(&[None, None, Some(1), Some(2)]);
    Occupancies { base, prices, extra_adult: dice.of(&[None, Some(40_000), Some(33_335)]) }
}

/// Mostly none; often of another hotel's plan, or of itself.
pub fn derivation(dice: &mut Dice) -> Option<Derivation> {
    let by = dice.of(&[
        Adjustment::PercentBp(-1_005),
        Adjustment::PercentBp(333),
        Adjustment::Absolute(-100_050),
        Adjustment::Absolute(5_000),
    ]);
    let parent = RatePlanIx(dice.u16(10).into());
    (!dice.one_in(3)).then_some(()).filter(|()| dice.one_in(2)).map(|()| Derivation { parent, by })
}

pub fn tax_profile(dice: &mut Dice) -> TaxProfile {
    let vat = !dice.one_in(4);
    TaxProfile { service_charge: !dice.one_in(4), vat }
}
