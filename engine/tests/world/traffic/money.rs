//! What partners and admins say about money: taxes, profiles, prices by guests.

use holdfast_engine::command::SetTaxes;
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
