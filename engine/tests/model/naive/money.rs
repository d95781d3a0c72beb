//! What a stay costs and what giving it up costs, by the order and rounding of the rule book.

use std::collections::BTreeMap;

use holdfast_engine::catalogue::{
    Adjustment, ChildCharge, Deposit, HotelDraft, Occupancies, OccupancyPrice, Penalty, Policy,
    RatePlanDraft,
};
use holdfast_engine::command::SetTaxes;
use holdfast_engine::quote::tax::{Rates, Scope, VatOn};
use holdfast_engine::refusal::Reason;
use holdfast_engine::{Code, Principal};

use super::{Line, Model, Price};
use crate::world::answer::Answer;

use crate::world::{DAY, HOUR};

pub fn half_up(numerator: i64, denominator: i64) -> i64 {
    (2 * numerator + denominator) / (2 * denominator)
}

/// Basis points on top, and which of room, service charge and fee VAT covers.
#[derive(Debug, Clone, Copy)]
pub struct Shares {
    service: i64,
    vat: i64,
    fee: i64,
    vat_on: [bool; 3],
}

impl Model {
    pub(super) fn set_taxes(&mut self, verb: SetTaxes) -> Answer {
        let Rates { service_bp, vat_bp, fee_bp, vat_on } = verb.rates;
        let said = [service_bp, vat_bp, fee_bp];
        let within = said.iter().zip([3_000, 3_000, 300]).all(|(share, most)| *share <= Some(most));
        let empty = said == [None; 3] && vat_on.is_none();
        let unknown_line = vat_on.is_some_and(|lines| lines.0 > 7);
        if matches!(verb.scope, Scope::Province(0..10 | 97..)) || empty || !within || unknown_line {
            return Code::Malformed.into();
        }
        if !matches!(verb.principal, Principal::Admin(_)) {
            return Code::NotFound.into();
        }
        let same = |last: &&SetTaxes| {
            (last.scope, last.from, last.rates) == (verb.scope, verb.from, verb.rates)
        };
        if self.taxes.last().filter(same).is_none() {
            self.taxes.push(verb);
        }
        Answer::Taxes { version: self.taxes.len() as u32 + 1 }
    }

    /// What a hotel charges on top for a check-in by the first entries of the table.
    pub(super) fn shares(&self, hotel: &HotelDraft, check_in: u16, entries: usize) -> Shares {
        let own = Scope::Province(hotel.province);
        let said = |share: &dyn Fn(&Rates) -> Option<i64>| {
            let mine = self.taxes.iter().take(entries).enumerate().filter(|(_, entry)| {
                (entry.scope == own || entry.scope == Scope::Country)
                    && entry.from.0 <= check_in
                    && share(&entry.rates).is_some()
            });
            let best = mine.max_by_key(|(at, entry)| (entry.scope == own, entry.from, *at));
            best.and_then(|(_, entry)| share(&entry.rates))
        };
        let vat_on = said(&|rates| rates.vat_on.map(|lines| lines.0.into())).unwrap_or(3) as u8;
        let lines = [VatOn::ROOM, VatOn::SERVICE, VatOn::FEE];
        let charged = |share: Option<i64>, default, charges| {
            if charges { share.unwrap_or(default) } else { 0 }
        };
        Shares {
            service: charged(
                said(&|rates| rates.service_bp.map(i64::from)),
                1_000,
                hotel.tax_profile.service_charge,
            ),
            vat: charged(said(&|rates| rates.vat_bp.map(i64::from)), 700, hotel.tax_profile.vat),
            fee: said(&|rates| rates.fee_bp.map(i64::from)).unwrap_or(0),
            vat_on: lines.map(|line| vat_on & line.0 != 0),
        }
    }
}

/// The adults that a room counts, and the children that take a place.
pub fn guests(hotel: &HotelDraft, adults: u8, children: &[u8]) -> (usize, usize) {
    let bands = &hotel.age_bands.0;
    let last = bands.iter().map(|band| band.up_to_age).max();
    let grown = children.iter().filter(|&&age| last.is_some_and(|last| age > last)).count();
    let takes_place = |age: &&u8| {
        let band = bands.iter().filter(|band| **age <= band.up_to_age).min_by_key(|b| b.up_to_age);
        band.map_or(bands.is_empty(), |band| band.counts)
    };
    (usize::from(adults) + grown, children.iter().filter(takes_place).count())
}

/// What children add to a night.
pub fn extra(hotel: &HotelDraft, plan: &RatePlanDraft, children: &[u8]) -> i64 {
    let cost = |age: &u8| {
        let bands = hotel.age_bands.0.iter().filter(|band| *age <= band.up_to_age);
        match bands.min_by_key(|band| band.up_to_age).map(|band| band.charge) {
            None | Some(ChildCharge::Free) => 0,
            Some(ChildCharge::Fixed(amount)) => amount,
            Some(ChildCharge::PercentBp(share)) => {
                half_up(plan.occupancy.extra_adult.unwrap_or(0) * i64::from(share), 10_000)
            }
        }
    };
    children.iter().map(cost).sum()
}

/// A price made from another; nothing where it is no price.
pub fn adjusted(price: i64, by: Adjustment) -> Option<i64> {
    let made = match by {
        Adjustment::PercentBp(share) => half_up(price * (10_000 + i64::from(share)), 10_000),
        Adjustment::Absolute(amount) => price + amount,
    };
    (0..1 << 32).contains(&made).then_some(made)
}

/// The price of a night for so many adults.
pub fn for_adults(
    plan: &RatePlanDraft,
    (adults, max_adults): (usize, u8),
    listed: i64,
    dated: &[(u8, i64)],
) -> Result<i64, Reason> {
    let Occupancies { base, prices, extra_adult } = &plan.occupancy;
    // A night with one price has it for everybody; that a party does not fit the room is another matter, and
    // no longer asked of rooms that a booking has.
    if dated.is_empty() && prices.is_empty() && base.is_none_or(|base| base >= max_adults) {
        return Ok(listed);
    }
    let mut known = BTreeMap::from([(base.unwrap_or(max_adults), Some(listed))]);
    for one in prices.iter().filter(|_| dated.is_empty()) {
        let price = match one.price {
            OccupancyPrice::Fixed(price) => Some(price),
            OccupancyPrice::Changed(by) => adjusted(listed, by),
        };
        known.insert(one.adults, price);
    }
    known.extend(dated.iter().map(|&(adults, price)| (adults, Some(price))));
    let enough = known.iter().find(|one| usize::from(*one.0) >= adults);
    let (highest, top) = known.last_key_value().expect("the base");
    let above = extra_adult.map(|extra| {
        top.map(|top| top + extra * (adults as i64 - i64::from(*highest))).ok_or(Reason::NoPrice)
    });
    match enough {
        Some((_, price)) => price.ok_or(Reason::NoPrice),
        None => above.unwrap_or(Err(Reason::TooManyGuests)),
    }
}

impl Price {
    /// Of one room from what its nights are listed at. A price without taxes is built up; one with them is
    /// the total, whose parts are their shares of it, and the room has what is left.
    pub fn of(listed: Vec<i64>, inclusive: bool, shares: Shares) -> Self {
        Self::less(listed, Vec::new(), inclusive, shares)
    }

    /// The same with so much off each night.
    pub fn less(listed: Vec<i64>, off: Vec<i64>, inclusive: bool, shares: Shares) -> Self {
        let sum = listed.iter().sum::<i64>() - off.iter().sum::<i64>();
        let off = if off.iter().all(|&off| off == 0) { Vec::new() } else { off };
        let Shares { service, vat, fee, vat_on } = shares;
        let covered = |lines: [i64; 3]| -> i64 {
            lines.into_iter().zip(vat_on).filter(|line| line.1).map(|line| line.0).sum()
        };
        let parts = if inclusive {
            let vat = vat * covered([10_000, service, fee]);
            let whole = (10_000 + service + fee) * 10_000 + vat;
            let of = |share: i64| half_up(sum * share, whole);
            let [service, vat, fee] = [of(service * 10_000), of(vat), of(fee * 10_000)];
            [sum - service - vat - fee, service, vat, fee]
        } else {
            let (service, fee) = (half_up(sum * service, 10_000), half_up(sum * fee, 10_000));
            [sum, service, half_up(covered([sum, service, fee]) * vat, 10_000), fee]
        };
        let total = parts.iter().sum();
        let mut price = Self { listed, off, inclusive, parts, nightly: Vec::new() };
        let as_listed = inclusive && price.off.is_empty();
        price.nightly =
            if as_listed { price.listed.clone() } else { by_night(total, &price.weights()) };
        price
    }

    /// By what its nights share an amount: what they are listed at, less what they have off where that is
    /// not by the same measure.
    fn weights(&self) -> Vec<i64> {
        let off = self.off.iter().sum();
        if self.off.is_empty() || self.off == by_night(off, &self.listed) {
            return self.listed.clone();
        }
        self.listed.iter().zip(&self.off).map(|(listed, off)| listed - off).collect()
    }

    pub fn total(&self) -> i64 {
        self.parts.iter().sum()
    }

    /// Each night without anything on top.
    pub fn nightly_room(&self) -> Vec<i64> {
        by_night(self.parts[0], &self.weights())
    }
}

/// The total by nights, in proportion to `weights`, by largest remainder, ties to the earlier.
pub fn by_night(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    let share = |weight: i64| match sum {
        0 => (i128::from(total), weights.len() as i128),
        _ => (i128::from(total) * i128::from(weight), sum),
    };
    let mut parts: Vec<i64> = weights.iter().map(|&w| (share(w).0 / share(w).1) as i64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&at| (-(share(weights[at]).0 % share(weights[at]).1), at));
    let missing = total - parts.iter().sum::<i64>();
    for &at in order.iter().take(missing as usize) {
        parts[at] += 1;
    }
    parts
}

/// What is due at booking of all rooms of a line.
pub fn deposit(line: &Line) -> i64 {
    let total = line.total();
    let due = match line.deposit {
        Deposit::Whole => total,
        Deposit::PercentBp(share) => half_up(total * i64::from(share), 10_000),
        Deposit::Nights(count) => {
            line.price.nightly.iter().take(count.into()).map(|night| night * line.rooms).sum()
        }
        Deposit::Fixed(amount) => amount,
    };
    due.min(total)
}

/// What cancelling at `now` costs of rooms that cost `total`, `nightly` by night.
pub fn fee(
    policy: &Policy,
    (check_in, hours): (u16, i64),
    now: u64,
    (total, nightly): (i64, &[i64]),
) -> i64 {
    if policy.tiers.is_empty() {
        return 0;
    }
    for tier in &policy.tiers {
        let midnight = (i64::from(check_in) - i64::from(tier.until_days)) * DAY as i64;
        let deadline = midnight + i64::from(tier.until_minute) * 60_000 - hours * HOUR as i64;
        if now as i64 <= deadline {
            let fee = match tier.penalty {
                Penalty::PercentBp(share) => half_up(total * i64::from(share), 10_000),
                Penalty::Nights(count) => nightly.iter().take(count.into()).sum(),
                Penalty::Fixed(amount) => amount,
            };
            return fee.min(total);
        }
    }
    total
}
