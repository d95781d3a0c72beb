//! Quotes: what a stay costs, line by line, in the order of the rules: nights and extras → promotion →
//! service charge → VAT → provincial fee.
//!
//! Rounding is per room and stay: two rooms cost exactly twice one room. Shares are basis points,
//! half-up. An exclusive price is built up; an inclusive price is authoritative as a total and the room
//! part takes the remainder. **Invariant**: the parts of a quote add up to its total.

pub mod tax;

pub use tax::Taxes;

use crate::codec::{Decode, Encode};
use crate::few::Few;
use crate::money::{WHOLE_BP, share, split, wide_ratio};
use tax::VatOn;

/// What one room costs for the whole stay, minor units.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RoomQuote {
    /// Each night's price of the room for its adults, as the plan gives it.
    pub prices: Few<i64, 4>,
    /// What children add to each night; empty where they add nothing.
    pub extras: Few<i64, 2>,
    /// The prices and extras include service charge and taxes.
    pub inclusive: bool,
    /// What a promotion takes off prices and extras, before anything goes on top; 0 to their sum.
    pub discount: i64,
    /// What of it each night has; empty where every night has it by what it is listed at.
    pub discounts: Few<i64, 2>,
    /// The room line: prices and extras without the discount, and without what goes on top.
    pub room: i64,
    pub service: i64,
    pub vat: i64,
    pub fee: i64,
    /// `room + service + vat + fee`.
    pub total: i64,
}

/// What one room is listed at, night by night, minor units: what a quote is made from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nights {
    pub prices: Few<i64, 4>,
    /// As long as `prices`, or empty where nothing is added.
    pub extras: Few<i64, 2>,
}

/// What a promotion takes off one room and stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Discount {
    /// Of all nights and extras, 0–10,000.
    PercentBp(u16),
    /// Minor units; never more than what it is taken from.
    Fixed(i64),
}

/// Versions of what a quote was made from. Where both still stand, so does the quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Version {
    /// Of the plan: its prices, and the catalogue that says how they are read.
    pub rates: u32,
    /// Of the table of taxes.
    pub taxes: u32,
}

/// The parts of a stay's price without its nights: what a search needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    pub room: i64,
    pub service: i64,
    pub vat: i64,
    pub fee: i64,
    pub total: i64,
}

/// The parts of a stay of one room whose nights are priced `sum` altogether. `None` on overflow.
///
/// Exclusive: `service = ½↑(s·room)`, `fee = ½↑(f·room)`, `vat = ½↑(v·(the lines it covers))`, usually
/// room and service charge. Inclusive: with `c` the covered lines as a multiple of the room (usually
/// `1+s`) and `D = 1 + s + f + v·c`, the exact room part is `T/D`; service, VAT and fee are their exact
/// shares of it, half-up, and `room = T − service − vat − fee`.
#[must_use]
pub fn parts(sum: i64, inclusive: bool, taxes: Taxes) -> Option<Parts> {
    if !inclusive {
        let service = share(sum, taxes.service_bp)?;
        let fee = share(sum, taxes.fee_bp)?;
        let covered = if taxes.vat_on == VatOn::USUAL {
            sum.checked_add(service)?
        } else {
            covered(taxes.vat_on, [sum, service, fee]).try_fold(0, i64::checked_add)?
        };
        let vat = share(covered, taxes.vat_bp)?;
        let total = sum.checked_add(service)?.checked_add(vat)?.checked_add(fee)?;
        return Some(Parts { room: sum, service, vat, fee, total });
    }
    let whole = i128::from(WHOLE_BP);
    let total = i128::from(sum);
    let (s, v, f) =
        (i128::from(taxes.service_bp), i128::from(taxes.vat_bp), i128::from(taxes.fee_bp));
    // Both are wholes of wholes: basis points squared.
    let vat_share = v * covered(taxes.vat_on, [whole, s, f]).sum::<i128>();
    let divisor = (whole + s + f) * whole + vat_share;
    let service = wide_ratio(total * s * whole, divisor)?;
    let vat = wide_ratio(total * vat_share, divisor)?;
    let fee = wide_ratio(total * f * whole, divisor)?;
    Some(Parts { room: sum - service - vat - fee, service, vat, fee, total: sum })
}

/// The lines among room, service charge and fee that VAT covers.
fn covered<T>(vat_on: VatOn, lines: [T; 3]) -> impl Iterator<Item = T> {
    let kinds = [VatOn::ROOM, VatOn::SERVICE, VatOn::FEE];
    lines.into_iter().zip(kinds).filter(move |line| vat_on.covers(line.1)).map(|line| line.0)
}

impl Discount {
    /// What it takes off `amount` (≥ 0): from 0 to all of it. `None` on overflow.
    #[must_use]
    pub fn of(self, amount: i64) -> Option<i64> {
        let off = match self {
            Self::PercentBp(basis_points) => share(amount, basis_points)?,
            Self::Fixed(off) => off,
        };
        Some(off.clamp(0, amount.max(0)))
    }
}

impl Nights {
    /// All nights with their extras. `None` on overflow.
    #[must_use]
    pub fn sum(&self) -> Option<i64> {
        let mut amounts = self.prices.iter().chain(&self.extras);
        amounts.try_fold(0i64, |sum, &amount| sum.checked_add(amount))
    }
}

/// The quote of one room from what its nights are listed at, however each of them came about. `None`
/// on overflow, without nights, or where extras are neither for every night nor for none.
#[must_use]
pub fn room(
    nights: Nights,
    inclusive: bool,
    taxes: Taxes,
    discount: Option<Discount>,
) -> Option<RoomQuote> {
    let listed = nights.sum()?;
    let Nights { prices, extras } = nights;
    if prices.is_empty() || (!extras.is_empty() && extras.len() != prices.len()) {
        return None;
    }
    let discount = match discount {
        Some(discount) => discount.of(listed)?,
        None => 0,
    };
    let Parts { room, service, vat, fee, total } = parts(listed - discount, inclusive, taxes)?;
    let discounts = Few::default();
    Some(RoomQuote {
        prices,
        extras,
        inclusive,
        discount,
        discounts,
        room,
        service,
        vat,
        fee,
        total,
    })
}

impl RoomQuote {
    /// Whether it is of so many nights and its parts add up, none of them below nothing.
    #[must_use]
    pub fn is_whole(&self, nights: u16) -> bool {
        let parts = [self.room, self.service, self.vat, self.fee];
        let total = parts.iter().try_fold(0i64, |sum, &part| sum.checked_add(part));
        self.prices.len() == usize::from(nights)
            && (self.extras.is_empty() || self.extras.len() == self.prices.len())
            && self.prices.iter().chain(&self.extras).chain(&parts).all(|&amount| amount >= 0)
            && self.discount >= 0
            && total == Some(self.total)
    }

    /// What each night is listed at, extras included; sums to `discount` and, where inclusive, `total`,
    /// else `room`.
    #[must_use]
    pub fn nightly_listed(&self) -> Vec<i64> {
        if self.extras.is_empty() {
            return self.prices.to_vec();
        }
        let both = self.prices.iter().zip(&self.extras);
        both.map(|(price, extra)| price.saturating_add(*extra)).collect()
    }

    /// The same quote with so much off each night, which sums to `discount`.
    #[must_use]
    pub fn with_discounts(self, discounts: Vec<i64>) -> Self {
        let even = split(self.discount, &self.nightly_listed());
        let is_even = even.as_ref() == Some(&discounts);
        let discounts = if is_even { Few::default() } else { discounts.into() };
        Self { discounts, ..self }
    }

    /// What each night has off; sums to `discount`.
    #[must_use]
    pub fn nightly_discount(&self) -> Vec<i64> {
        if self.discounts.is_empty() {
            return split(self.discount, &self.nightly_listed()).unwrap_or_default();
        }
        self.discounts.to_vec()
    }

    /// The room part of each night; sums to `room`.
    #[must_use]
    pub fn nightly_room(&self) -> Vec<i64> {
        if self.inclusive { self.by_night(self.room) } else { self.as_listed(self.room) }
    }

    /// Each night with its share of service charge and taxes; sums to `total`.
    #[must_use]
    pub fn nightly_total(&self) -> Vec<i64> {
        if self.inclusive { self.as_listed(self.total) } else { self.by_night(self.total) }
    }

    /// What children add to the stay, of what is listed.
    #[must_use]
    pub fn extras_listed(&self) -> i64 {
        self.extras.iter().fold(0, |sum, &extra| sum.saturating_add(extra))
    }

    /// An amount that the nights were listed at, but for the discount.
    fn as_listed(&self, amount: i64) -> Vec<i64> {
        if self.discount == 0 { self.nightly_listed() } else { self.by_night(amount) }
    }

    fn by_night(&self, amount: i64) -> Vec<i64> {
        let mut weights = self.nightly_listed();
        for (weight, off) in weights.iter_mut().zip(&self.discounts) {
            *weight = weight.saturating_sub(*off);
        }
        split(amount, &weights).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEFAULT: Taxes = Taxes::DEFAULT;

    fn listed(prices: &[i64]) -> Nights {
        Nights { prices: prices.to_vec().into(), ..Nights::default() }
    }

    #[test]
    fn golden_one_thousand_exclusive() {
        let quote = room(listed(&[100_000]), false, DEFAULT, None).unwrap();
        assert_eq!((quote.service, quote.vat, quote.total), (10_000, 7_700, 117_700));
    }

    #[test]
    fn golden_three_nights_are_rounded_per_stay_not_per_night() {
        let quote = room(listed(&[123_456; 3]), false, DEFAULT, None).unwrap();
        assert_eq!((quote.room, quote.service, quote.vat), (370_368, 37_037, 28_518));
        assert_eq!(quote.total, 435_923);
        assert_eq!(quote.total * 2, 871_846, "two rooms cost twice one room");
        assert_eq!(quote.nightly_total().iter().sum::<i64>(), quote.total);
    }

    #[test]
    fn golden_inclusive_parts_add_up_to_the_total() {
        let quote = room(listed(&[99_990]), true, DEFAULT, None).unwrap();
        assert_eq!(quote.total, 99_990);
        assert_eq!(quote.room + quote.service + quote.vat + quote.fee, 99_990);
        assert_eq!((quote.room, quote.service, quote.vat), (84_954, 8_495, 6_541));
    }

    #[test]
    fn golden_fifteen_percent_off_comes_before_everything_that_goes_on_top() {
        let off = Some(Discount::PercentBp(1_500));
        let quote = room(listed(&[123_456; 3]), false, DEFAULT, off).unwrap();
        assert_eq!((quote.discount, quote.room), (55_555, 314_813));
        // 10 % of 3,148.13; 7 % of 3,462.94.
        assert_eq!((quote.service, quote.vat, quote.total), (31_481, 24_241, 370_535));
        assert_eq!(quote.nightly_room(), [104_938, 104_938, 104_937]);
        assert_eq!(quote.nightly_total().iter().sum::<i64>(), quote.total);
    }

    #[test]
    fn golden_an_inclusive_discount_is_taken_from_the_total_before_it_is_split() {
        let off = Some(Discount::PercentBp(1_000));
        let quote = room(listed(&[99_990]), true, DEFAULT, off).unwrap();
        assert_eq!((quote.discount, quote.total), (9_999, 89_991));
        assert_eq!((quote.room, quote.service, quote.vat), (76_458, 7_646, 5_887));
    }

    #[test]
    fn vat_covers_the_lines_that_are_configured() {
        let of = |inclusive, lines: u8| {
            let taxes = Taxes { fee_bp: 300, vat_on: VatOn(lines), ..DEFAULT };
            let quote = room(listed(&[100_000]), inclusive, taxes, None).unwrap();
            [quote.room, quote.service, quote.vat, quote.fee, quote.total]
        };
        assert_eq!(of(false, VatOn::ROOM.0), [100_000, 10_000, 7_000, 3_000, 120_000]);
        assert_eq!(of(false, VatOn::SERVICE.0), [100_000, 10_000, 700, 3_000, 113_700]);
        assert_eq!(of(false, VatOn::USUAL.0), [100_000, 10_000, 7_700, 3_000, 120_700]);
        assert_eq!(of(false, 7), [100_000, 10_000, 7_910, 3_000, 120_910]);
        // Turned round: what was built up comes apart again.
        let back = |total, lines| {
            let taxes = Taxes { fee_bp: 300, vat_on: VatOn(lines), ..DEFAULT };
            room(listed(&[total]), true, taxes, None).unwrap().room
        };
        assert_eq!(
            [back(120_000, 1), back(113_700, 2), back(120_700, 3), back(120_910, 7)],
            [100_000; 4]
        );
    }

    #[test]
    fn extras_are_part_of_what_service_taxes_and_discounts_are_taken_from() {
        let nights = Nights { prices: vec![100_000; 2].into(), extras: vec![30_000, 0].into() };
        let quote = room(nights, false, DEFAULT, Some(Discount::Fixed(10_000))).unwrap();
        assert_eq!((quote.room, quote.service, quote.vat), (220_000, 22_000, 16_940));
        assert_eq!(quote.extras_listed(), 30_000);
        assert_eq!(quote.nightly_listed(), [130_000, 100_000]);
        assert_eq!(quote.nightly_room(), [124_348, 95_652]);
    }

    #[test]
    fn a_fixed_discount_is_never_more_than_the_room_nor_less_than_nothing() {
        let price = |off| room(listed(&[50_000]), false, DEFAULT, Some(off)).unwrap();
        assert_eq!((price(Discount::Fixed(50_001)).discount, 0), (50_000, 0));
        assert_eq!(price(Discount::Fixed(50_001)).total, 0);
        assert_eq!(price(Discount::PercentBp(u16::MAX)).total, 0);
        assert_eq!(price(Discount::Fixed(-1)).discount, 0);
        assert_eq!(price(Discount::Fixed(50_000)).nightly_total(), [0]);
    }

    #[test]
    fn a_sum_past_64_bits_is_none() {
        let price = |prices: &[i64]| room(listed(prices), false, DEFAULT, None);
        assert_eq!(price(&[i64::MAX, 1]), None);
        assert_eq!(price(&[i64::MAX]), None);
        assert_eq!(price(&[]), None);
        let uneven = Nights { prices: vec![1, 1].into(), extras: vec![1].into() };
        assert_eq!(room(uneven, false, DEFAULT, None), None);
    }

    fn some_discount() -> impl Strategy<Value = Option<Discount>> {
        prop_oneof![
            Just(None),
            (0u16..=10_000).prop_map(|off| Some(Discount::PercentBp(off))),
            (0i64..1 << 36).prop_map(|off| Some(Discount::Fixed(off))),
        ]
    }

    proptest! {
        #[test]
        fn parts_always_add_up(
            nights in proptest::collection::vec((0i64..1 << 32, 0i64..1 << 24), 1..60),
            with_extras: bool, inclusive: bool, discount in some_discount(),
            service_bp in 0u16..=3_000, vat_bp in 0u16..=3_000, fee_bp in 0u16..=300, vat_on in 0u8..8,
        ) {
            let (prices, extras): (Vec<_>, Vec<_>) = nights.into_iter().unzip();
            let extras = if with_extras { extras } else { Vec::new() };
            let nights = Nights { prices: prices.into(), extras: extras.into() };
            let listed = nights.sum().unwrap();
            let taxes = Taxes { service_bp, vat_bp, fee_bp, vat_on: VatOn(vat_on) };
            let quote = room(nights, inclusive, taxes, discount).unwrap();
            prop_assert_eq!(quote.room + quote.service + quote.vat + quote.fee, quote.total);
            prop_assert!([quote.room, quote.service, quote.vat, quote.fee].iter().all(|&part| part >= 0));
            prop_assert_eq!(quote.nightly_listed().iter().sum::<i64>(), listed);
            prop_assert_eq!(quote.nightly_room().iter().sum::<i64>(), quote.room);
            prop_assert_eq!(quote.nightly_total().iter().sum::<i64>(), quote.total);
            let before = if inclusive { quote.total } else { quote.room };
            prop_assert_eq!(before + quote.discount, listed);
        }
    }
}
