//! Quotes: what a stay costs, line by line, as DOMAIN's order has it: room → service charge → VAT →
//! provincial fee.
//!
//! Rounding is per room and stay: two rooms cost exactly twice one room. Shares are basis points,
//! half-up. An exclusive price is built up; an inclusive price is authoritative as a total and the room
//! part takes the remainder.

pub mod tax;

pub use tax::{Taxes, taxes};

use crate::codec::{Decode, Encode};
use crate::money::{WHOLE_BP, share, split, wide_ratio};

/// What one room costs for the whole stay, minor units.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RoomQuote {
    /// What the plan lists for each night.
    pub prices: Vec<i64>,
    /// The prices include service charge and taxes.
    pub inclusive: bool,
    pub room: i64,
    pub service: i64,
    pub vat: i64,
    pub fee: i64,
    /// `room + service + vat + fee`.
    pub total: i64,
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
/// Exclusive: `service = ½↑(s·room)`, `vat = ½↑(v·(room + service))`, `fee = ½↑(f·room)`.
/// Inclusive: with `D = (1+s)(1+v) + f`, the exact room part is `T/D`; service, VAT and fee are their exact
/// shares of it, half-up, and `room = T − service − vat − fee`.
#[must_use]
pub fn parts(sum: i64, inclusive: bool, taxes: Taxes) -> Option<Parts> {
    let (s, v, f) =
        (i128::from(taxes.service_bp), i128::from(taxes.vat_bp), i128::from(taxes.fee_bp));
    if !inclusive {
        let service = share(sum, taxes.service_bp)?;
        let vat = share(sum.checked_add(service)?, taxes.vat_bp)?;
        let fee = share(sum, taxes.fee_bp)?;
        let total = sum.checked_add(service)?.checked_add(vat)?.checked_add(fee)?;
        return Some(Parts { room: sum, service, vat, fee, total });
    }
    let whole = i128::from(WHOLE_BP);
    let total = i128::from(sum);
    let divisor = (whole + s) * (whole + v) + f * whole;
    let service = wide_ratio(total * s * whole, divisor)?;
    let vat = wide_ratio(total * v * (whole + s), divisor)?;
    let fee = wide_ratio(total * f * whole, divisor)?;
    Some(Parts { room: sum - service - vat - fee, service, vat, fee, total: sum })
}

/// The quote of one room from the nightly prices its plan lists. `None` on overflow or without nights.
#[must_use]
pub fn room(prices: &[i64], inclusive: bool, taxes: Taxes) -> Option<RoomQuote> {
    let sum = prices.iter().try_fold(0i64, |sum, &price| sum.checked_add(price))?;
    let Parts { room, service, vat, fee, total } = parts(sum, inclusive, taxes)?;
    let prices = prices.to_vec();
    (!prices.is_empty()).then_some(RoomQuote { prices, inclusive, room, service, vat, fee, total })
}

impl RoomQuote {
    /// The room part of each night; sums to `room`.
    #[must_use]
    pub fn nightly_room(&self) -> Vec<i64> {
        if self.inclusive { self.by_night(self.room) } else { self.prices.clone() }
    }

    /// Each night with its share of service charge and taxes; sums to `total`.
    #[must_use]
    pub fn nightly_total(&self) -> Vec<i64> {
        if self.inclusive { self.prices.clone() } else { self.by_night(self.total) }
    }

    fn by_night(&self, amount: i64) -> Vec<i64> {
        split(amount, &self.prices).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DEFAULT: Taxes = Taxes { service_bp: 1_000, vat_bp: 700, fee_bp: 0 };

    #[test]
    fn golden_one_thousand_exclusive() {
        let quote = room(&[100_000], false, DEFAULT).unwrap();
        assert_eq!((quote.service, quote.vat, quote.total), (10_000, 7_700, 117_700));
    }

    #[test]
    fn golden_three_nights_are_rounded_per_stay_not_per_night() {
        let quote = room(&[123_456; 3], false, DEFAULT).unwrap();
        assert_eq!((quote.room, quote.service, quote.vat), (370_368, 37_037, 28_518));
        assert_eq!(quote.total, 435_923);
        assert_eq!(quote.total * 2, 871_846, "two rooms cost twice one room");
        assert_eq!(quote.nightly_total().iter().sum::<i64>(), quote.total);
    }

    #[test]
    fn golden_inclusive_parts_add_up_to_the_total() {
        let quote = room(&[99_990], true, DEFAULT).unwrap();
        assert_eq!(quote.total, 99_990);
        assert_eq!(quote.room + quote.service + quote.vat + quote.fee, 99_990);
        assert_eq!((quote.room, quote.service, quote.vat), (84_954, 8_495, 6_541));
    }

    #[test]
    fn a_sum_past_64_bits_is_none() {
        assert_eq!(room(&[i64::MAX, 1], false, DEFAULT), None);
        assert_eq!(room(&[i64::MAX], false, DEFAULT), None);
        assert_eq!(room(&[], false, DEFAULT), None);
    }

    proptest! {
        #[test]
        fn parts_always_add_up(
            prices in proptest::collection::vec(0i64..1 << 32, 1..60), inclusive: bool,
            service_bp in 0u16..3_000, vat_bp in 0u16..3_000, fee_bp in 0u16..300,
        ) {
            let quote = room(&prices, inclusive, Taxes { service_bp, vat_bp, fee_bp }).unwrap();
            prop_assert_eq!(quote.room + quote.service + quote.vat + quote.fee, quote.total);
            prop_assert_eq!(quote.nightly_room().iter().sum::<i64>(), quote.room);
            prop_assert_eq!(quote.nightly_total().iter().sum::<i64>(), quote.total);
            if inclusive {
                prop_assert_eq!(quote.nightly_total(), prices);
            } else {
                prop_assert_eq!(quote.nightly_room(), prices);
            }
        }
    }
}
