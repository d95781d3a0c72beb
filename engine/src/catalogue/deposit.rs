//! Deposits: what of a line's price is paid at booking; the rest is paid at the hotel.

use crate::codec::{Decode, Encode};
use crate::money::{WHOLE_BP, share};

/// What is due at booking. Never more than the line's total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub enum Deposit {
    /// All of it.
    #[default]
    Whole,
    /// Basis points of the line's total with taxes, 0–10,000, half-up.
    PercentBp(u16),
    /// The first n nights' actual prices, with their share of service charge and taxes.
    Nights(u8),
    /// Minor units, for each line of the booking.
    Fixed(i64),
}

impl Deposit {
    /// In range.
    #[must_use]
    pub fn is_valid(self) -> bool {
        match self {
            Self::Whole | Self::Nights(_) => true,
            Self::PercentBp(basis_points) => i64::from(basis_points) <= WHOLE_BP,
            Self::Fixed(amount) => amount >= 0,
        }
    }

    /// What is due of `total`, whose nights cost `nightly`: in `0..=total`.
    #[must_use]
    pub fn due(self, total: i64, nightly: &[i64]) -> i64 {
        let due = match self {
            Self::Whole => total,
            Self::PercentBp(basis_points) => share(total, basis_points).unwrap_or(total),
            Self::Nights(count) => nightly
                .iter()
                .take(usize::from(count))
                .fold(0, |sum: i64, night| sum.saturating_add(*night)),
            Self::Fixed(amount) => amount,
        };
        due.clamp(0, total.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deposit_is_a_share_some_nights_or_an_amount_and_never_more_than_the_total() {
        let due = |deposit: Deposit| deposit.due(30_001, &[10_001, 10_000, 10_000]);
        assert_eq!(due(Deposit::Whole), 30_001);
        assert_eq!(due(Deposit::PercentBp(5_000)), 15_001, "half-up");
        assert_eq!(due(Deposit::PercentBp(0)), 0);
        assert_eq!(due(Deposit::Nights(1)), 10_001);
        assert_eq!(due(Deposit::Nights(9)), 30_001);
        assert_eq!(due(Deposit::Fixed(500)), 500);
        assert_eq!(due(Deposit::Fixed(90_000)), 30_001);
        assert!(Deposit::PercentBp(10_000).is_valid() && !Deposit::PercentBp(10_001).is_valid());
        assert!(Deposit::Fixed(0).is_valid() && !Deposit::Fixed(-1).is_valid());
    }
}
