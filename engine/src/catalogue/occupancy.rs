//! Prices by the number of adults, and prices made from other prices.
//!
//! A night's price is for the plan's base occupancy. A plan may say what other numbers of adults cost;
//! a number it does not name costs what the next higher one does. Above the highest, each adult more
//! adds a price of its own, where the plan names one; otherwise it is too many.

use crate::codec::{Decode, Encode};
use crate::ids::RatePlanIx;
use crate::limits::{ADJUSTMENT_BP_MAX, OCCUPANCIES_MAX, PRICE_MAX};
use crate::money::{WHOLE_BP, ratio};
use crate::refusal::Reason;

/// A change of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Adjustment {
    /// −10,000–100,000, half-up.
    PercentBp(i32),
    /// Minor units, up or down.
    Absolute(i64),
}

/// Prices of a plan come from another plan's of the same hotel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Derivation {
    pub parent: RatePlanIx,
    pub by: Adjustment,
}

/// What so many adults cost a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum OccupancyPrice {
    /// From the night's price.
    Changed(Adjustment),
    /// Minor units, whatever the night's price.
    Fixed(i64),
}

/// The price of one number of adults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Occupancy {
    /// At least 1.
    pub adults: u8,
    pub price: OccupancyPrice,
}

/// All that a plan says of numbers of adults.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Occupancies {
    /// Adults that the night's price is for; as many as the room takes where `None`.
    pub base: Option<u8>,
    /// By adults, each number once.
    pub prices: Vec<Occupancy>,
    /// For each adult above the highest number that has a price, a night, minor units.
    pub extra_adult: Option<i64>,
}

impl Adjustment {
    #[must_use]
    pub fn is_valid(self) -> bool {
        match self {
            Self::PercentBp(share) => {
                (-WHOLE_BP..=i64::from(ADJUSTMENT_BP_MAX)).contains(&i64::from(share))
            }
            Self::Absolute(amount) => (-PRICE_MAX..=PRICE_MAX).contains(&amount),
        }
    }

    /// The price it makes of another, half-up; `None` below 0 or past the width of a price: what cannot
    /// be a price sells nothing.
    #[must_use]
    pub fn of(self, price: i64) -> Option<i64> {
        let made = match self {
            Self::PercentBp(share) => ratio(price, WHOLE_BP + i64::from(share), WHOLE_BP)?,
            Self::Absolute(amount) => price.checked_add(amount)?,
        };
        (0..=PRICE_MAX).contains(&made).then_some(made)
    }
}

impl OccupancyPrice {
    fn is_valid(self) -> bool {
        match self {
            Self::Changed(adjustment) => adjustment.is_valid(),
            Self::Fixed(price) => (0..=PRICE_MAX).contains(&price),
        }
    }

    fn of(self, price: i64) -> Option<i64> {
        match self {
            Self::Changed(adjustment) => adjustment.of(price),
            Self::Fixed(fixed) => Some(fixed),
        }
    }
}

impl Occupancies {
    /// Few enough, in order, every price in range.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.base != Some(0)
            && self.prices.len() <= OCCUPANCIES_MAX
            && self.prices.is_sorted_by(|one, next| one.adults < next.adults)
            && self.prices.iter().all(|one| one.adults >= 1 && one.price.is_valid())
            && self.extra_adult.is_none_or(|price| (0..=PRICE_MAX).contains(&price))
    }

    /// Whether the night's price is the price for every number of adults that a room takes.
    #[must_use]
    pub fn is_flat(&self, max_adults: u8) -> bool {
        self.prices.is_empty() && self.base.is_none_or(|base| base >= max_adults)
    }

    /// The price of a night listed at `listed` for a number of adults, in a room that takes `max_adults`.
    /// `dated` are prices that the night itself names; where there are any, they stand for the plan's.
    pub fn price(
        &self,
        (adults, max_adults): (u8, u8),
        listed: i64,
        dated: impl Iterator<Item = (u8, i64)> + Clone,
    ) -> Result<i64, Reason> {
        let is_dated = dated.clone().next().is_some();
        let own = self.prices.iter().filter(|_| !is_dated);
        let named = dated
            .clone()
            .map(|(adults, price)| (adults, Some(price)))
            .chain(own.map(|one| (one.adults, one.price.of(listed))));
        let base = self.base.unwrap_or(max_adults);
        let is_named = named.clone().any(|one| one.0 == base);
        let all = named.chain((!is_named).then_some((base, Some(listed))));
        let (mut next, mut highest): (Option<(u8, Option<i64>)>, _) = (None, (0, None));
        for one in all {
            if one.0 >= adults && next.is_none_or(|next| one.0 < next.0) {
                next = Some(one);
            }
            if one.0 >= highest.0 {
                highest = one;
            }
        }
        match (next, self.extra_adult) {
            (Some((_, price)), _) => price.ok_or(Reason::NoPrice),
            (None, Some(extra)) => {
                let more = i64::from(adults - highest.0);
                let price = highest.1.ok_or(Reason::NoPrice)?;
                extra
                    .checked_mul(more)
                    .and_then(|more| price.checked_add(more))
                    .ok_or(Reason::NoPrice)
            }
            (None, None) => Err(Reason::TooManyGuests),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(adults: u8, price: OccupancyPrice) -> Occupancy {
        Occupancy { adults, price }
    }

    fn percent(share: i32) -> OccupancyPrice {
        OccupancyPrice::Changed(Adjustment::PercentBp(share))
    }

    fn price(plan: &Occupancies, adults: u8, dated: &[(u8, i64)]) -> Result<i64, Reason> {
        plan.price((adults, 3), 100_000, dated.iter().copied())
    }

    #[test]
    fn a_number_without_a_price_costs_what_the_next_higher_one_does() {
        let plan = Occupancies {
            base: Some(2),
            prices: vec![one(1, percent(-1_500)), one(4, OccupancyPrice::Fixed(190_000))],
            extra_adult: None,
        };
        assert_eq!(price(&plan, 1, &[]), Ok(85_000));
        assert_eq!(price(&plan, 2, &[]), Ok(100_000), "the base has the night's price");
        assert_eq!(price(&plan, 3, &[]), Ok(190_000));
        assert_eq!(price(&plan, 5, &[]), Err(Reason::TooManyGuests));
        let flat = Occupancies::default();
        assert_eq!([1, 2, 3].map(|adults| price(&flat, adults, &[])), [Ok(100_000); 3]);
        assert_eq!(price(&flat, 4, &[]), Err(Reason::TooManyGuests));
    }

    #[test]
    fn each_adult_above_the_highest_adds_the_extra_price() {
        let plan = Occupancies {
            base: Some(2),
            prices: vec![one(1, OccupancyPrice::Changed(Adjustment::Absolute(-10_000)))],
            extra_adult: Some(30_000),
        };
        let prices = [1, 2, 3, 5].map(|adults| price(&plan, adults, &[]));
        assert_eq!(prices, [Ok(90_000), Ok(100_000), Ok(130_000), Ok(190_000)]);
    }

    #[test]
    fn prices_of_the_night_stand_for_the_plans_own() {
        let plan =
            Occupancies { base: Some(2), prices: vec![one(1, percent(-1_500))], extra_adult: None };
        let dated = [(1, 70_000), (3, 130_000)];
        let prices = [1, 2, 3].map(|adults| price(&plan, adults, &dated));
        assert_eq!(prices, [Ok(70_000), Ok(100_000), Ok(130_000)]);
        assert_eq!(price(&plan, 1, &[(2, 99_000)]), Ok(99_000), "the plan's own list is out");
        assert_eq!(price(&plan, 4, &dated), Err(Reason::TooManyGuests));
    }

    #[test]
    fn what_falls_out_of_the_range_of_prices_is_none() {
        let below = Occupancies {
            prices: vec![one(1, OccupancyPrice::Changed(Adjustment::Absolute(-100_001)))],
            ..Occupancies::default()
        };
        assert_eq!(price(&below, 1, &[]), Err(Reason::NoPrice));
        assert_eq!(Adjustment::PercentBp(-10_000).of(7), Some(0));
        assert_eq!(Adjustment::PercentBp(1).of(PRICE_MAX), None);
        assert_eq!(Adjustment::Absolute(1).of(PRICE_MAX), None);
    }

    #[test]
    fn lists_out_of_order_or_out_of_range_are_refused() {
        let list = |prices| Occupancies { prices, ..Occupancies::default() };
        for wrong in [
            list(vec![one(0, percent(0))]),
            list(vec![one(2, percent(0)), one(2, percent(0))]),
            list(vec![one(2, percent(0)), one(1, percent(0))]),
            list(vec![one(1, percent(-10_001))]),
            list(vec![one(1, percent(100_001))]),
            list(vec![one(1, OccupancyPrice::Fixed(-1))]),
            list(vec![one(1, OccupancyPrice::Fixed(PRICE_MAX + 1))]),
            list((1..=17).map(|adults| one(adults, percent(0))).collect()),
            Occupancies { base: Some(0), ..Occupancies::default() },
            Occupancies { extra_adult: Some(-1), ..Occupancies::default() },
        ] {
            assert!(!wrong.is_valid(), "{wrong:?}");
        }
        assert!(list((1..=16).map(|adults| one(adults, percent(0))).collect()).is_valid());
    }

    proptest! {
        #[test]
        fn percent_adjustments_round_half_up_and_never_overflow(
            price in 0i64..=PRICE_MAX, share in -10_000i32..=100_000,
        ) {
            let exact = i128::from(price) * i128::from(10_000 + share);
            let rounded = (2 * exact + 10_000).div_euclid(20_000);
            let expected = i64::try_from(rounded).ok().filter(|made| *made <= PRICE_MAX);
            prop_assert_eq!(Adjustment::PercentBp(share).of(price), expected);
        }
    }
}
