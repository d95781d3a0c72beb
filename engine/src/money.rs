//! Money: whole minor units (satang for THB) in `i64`, shares in basis points, no floats anywhere.
//!
//! It owns rounding: half-up on 128-bit intermediates, and the split of an amount by largest remainder.
//! **Invariant**: nothing here wraps; what does not fit is `None`.

use crate::codec::{Decode, Encode};

/// An ISO 4217 alphabetic code, upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// The Thai baht, whose minor unit is the satang.
    pub const THB: Self = Self(*b"THB");

    /// The code as text; `???` for bytes that are no text.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

/// One hundred percent in basis points.
pub const WHOLE_BP: i64 = 10_000;

/// `amount × numerator / denominator`, half-up (away from zero at the half), in 128 bits.
/// `None` where the denominator is not positive or the result does not fit.
#[must_use]
pub fn ratio(amount: i64, numerator: i64, denominator: i64) -> Option<i64> {
    wide_ratio(i128::from(amount).checked_mul(i128::from(numerator))?, i128::from(denominator))
}

/// `numerator / denominator`, half-up, where both may be wider than an amount.
#[must_use]
pub fn wide_ratio(numerator: i128, denominator: i128) -> Option<i64> {
    if denominator <= 0 {
        return None;
    }
    let half = denominator / 2;
    let rounded = if numerator >= 0 {
        numerator.checked_add(half)? / denominator
    } else {
        -(numerator.checked_neg()?.checked_add(half)? / denominator)
    };
    i64::try_from(rounded).ok()
}

/// Products to which one half of [`WHOLE_BP`] can be added.
const HALVED_MAX: i64 = i64::MAX - WHOLE_BP;

/// `basis_points` of `amount`, half-up.
#[must_use]
pub fn share(amount: i64, basis_points: u16) -> Option<i64> {
    // The same in 64 bits, for amounts that people pay: a division in 128 bits takes many times as
    // long, and a search makes thousands.
    if let Some(product) = amount.checked_mul(i64::from(basis_points))
        && let 0..=HALVED_MAX = product
    {
        return Some((product + WHOLE_BP / 2) / WHOLE_BP);
    }
    ratio(amount, i64::from(basis_points), WHOLE_BP)
}

/// Splits `amount` (≥ 0) in proportion to `weights` (≥ 0) by largest remainder, ties to the earlier
/// part. The parts sum to `amount`. All weights zero: an even split. `None` where a weight or the amount
/// is negative, or there are no weights.
#[must_use]
pub fn split(amount: i64, weights: &[i64]) -> Option<Vec<i64>> {
    if amount < 0 || weights.is_empty() || weights.iter().any(|&weight| weight < 0) {
        return None;
    }
    let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    let even = sum == 0;
    let whole = if even { weights.len() as i128 } else { sum };
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = amount;
    for (position, &weight) in weights.iter().enumerate() {
        let product = i128::from(amount) * if even { 1 } else { i128::from(weight) };
        let part = i64::try_from(product / whole).ok()?;
        left -= part;
        parts.push(part);
        remainders.push((product % whole, position));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, position) in remainders.into_iter().take(usize::try_from(left).ok()?) {
        *parts.get_mut(position)? += 1;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(share(5, 1_000), Some(1)); // 0.5
        assert_eq!(share(4, 1_000), Some(0));
        assert_eq!(share(-5, 1_000), Some(-1));
        assert_eq!(share(370_368, 1_000), Some(37_037));
        assert_eq!(ratio(i64::MAX, i64::MAX, 1), None);
        assert_eq!(ratio(1, 1, 0), None);
    }

    #[test]
    fn remainders_go_to_the_largest_then_the_earlier() {
        assert_eq!(split(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
        assert_eq!(split(5, &[0, 0]), Some(vec![3, 2]));
        assert_eq!(split(10, &[1, 2, 1]), Some(vec![3, 5, 2]));
        assert_eq!(split(-1, &[1]), None);
        assert_eq!(split(1, &[]), None);
    }

    proptest! {
        #[test]
        fn a_share_is_the_same_in_64_bits_as_in_128(amount: i64, small in -1i64 << 40..1 << 40, bp: u16) {
            for amount in [amount, small, HALVED_MAX / i64::from(bp.max(1))] {
                prop_assert_eq!(share(amount, bp), ratio(amount, i64::from(bp), WHOLE_BP));
            }
        }

        #[test]
        fn parts_sum_to_the_whole(amount in 0i64..1 << 40, weights in proptest::collection::vec(0i64..1 << 32, 1..40)) {
            let parts = split(amount, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            prop_assert!(parts.iter().all(|&part| part >= 0));
        }
    }
}
