//! The rate word: price, stay limits and closures of one rate plan on one night, in 64 bits.
//!
//! ```text
//!  63        56 55       50 49       44 43       38 37       32 31                0
//! ┌────────────┬───────────┬───────────┬───────────┬───────────┬──────────────────┐
//! │ flags    8 │ max thr 6 │ min thr 6 │ max arr 6 │ min arr 6 │ price, minor  32 │
//! └────────────┴───────────┴───────────┴───────────┴───────────┴──────────────────┘
//! ```
//!
//! A stay limit of 0 means none. A word without the `priced` flag sells nothing: zero is a price.

use crate::limits::{PRICE_MAX, STAY_LIMIT_MAX};

const PRICE_BITS: u32 = 32;
const LIMIT_BITS: u32 = 6;
const MIN_ARRIVAL_AT: u32 = PRICE_BITS;
const MAX_ARRIVAL_AT: u32 = MIN_ARRIVAL_AT + LIMIT_BITS;
const MIN_THROUGH_AT: u32 = MAX_ARRIVAL_AT + LIMIT_BITS;
const MAX_THROUGH_AT: u32 = MIN_THROUGH_AT + LIMIT_BITS;
const FLAGS_AT: u32 = MAX_THROUGH_AT + LIMIT_BITS;
const FLAGS_BITS: u32 = 8;
const CLOSED: u64 = 1 << FLAGS_AT;
const CLOSED_TO_ARRIVAL: u64 = 1 << (FLAGS_AT + 1);
const CLOSED_TO_DEPARTURE: u64 = 1 << (FLAGS_AT + 2);
const PRICED: u64 = 1 << (FLAGS_AT + 3);

const _: () = assert!(FLAGS_AT + FLAGS_BITS == u64::BITS);
const _: () = assert!((1 << LIMIT_BITS) - 1 == STAY_LIMIT_MAX as u64);
const _: () = assert!((1 << PRICE_BITS) - 1 == PRICE_MAX);

/// One plan-night. A value: the word in the calendar is loaded into it and stored from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateWord(pub u64);

impl RateWord {
    /// Price of one room for the night in minor units, where there is one.
    #[must_use]
    pub const fn price(self) -> Option<i64> {
        if self.0 & PRICED == 0 { None } else { Some((self.0 & (PRICE_MAX as u64)).cast_signed()) }
    }

    /// Panics outside `0..=PRICE_MAX`: the caller has validated.
    #[must_use]
    pub const fn with_price(self, price: i64) -> Self {
        assert!(price >= 0 && price <= PRICE_MAX, "a price was written past its width");
        Self((self.0 & !(PRICE_MAX as u64)) | price.cast_unsigned() | PRICED)
    }

    #[allow(clippy::cast_possible_truncation)] // Six bits remain after the mask.
    const fn limit(self, at: u32) -> u8 {
        ((self.0 >> at) & (STAY_LIMIT_MAX as u64)) as u8
    }

    const fn with_limit(self, at: u32, nights: u8) -> Self {
        assert!(nights <= STAY_LIMIT_MAX, "a stay limit was written past its width");
        Self((self.0 & !((STAY_LIMIT_MAX as u64) << at)) | ((nights as u64) << at))
    }

    const fn with_flag(self, flag: u64, on: bool) -> Self {
        if on { Self(self.0 | flag) } else { Self(self.0 & !flag) }
    }

    /// Fewest nights of a stay that arrives on this night; 0 for none.
    #[must_use]
    pub const fn min_stay_arrival(self) -> u8 {
        self.limit(MIN_ARRIVAL_AT)
    }

    /// Most nights of a stay that arrives on this night; 0 for none.
    #[must_use]
    pub const fn max_stay_arrival(self) -> u8 {
        self.limit(MAX_ARRIVAL_AT)
    }

    /// Fewest nights of a stay that includes this night; 0 for none.
    #[must_use]
    pub const fn min_stay_through(self) -> u8 {
        self.limit(MIN_THROUGH_AT)
    }

    /// Most nights of a stay that includes this night; 0 for none.
    #[must_use]
    pub const fn max_stay_through(self) -> u8 {
        self.limit(MAX_THROUGH_AT)
    }

    /// The plan is closed for this night.
    #[must_use]
    pub const fn closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// No stay may begin on this night.
    #[must_use]
    pub const fn closed_to_arrival(self) -> bool {
        self.0 & CLOSED_TO_ARRIVAL != 0
    }

    /// No stay may end (check out) on this date.
    #[must_use]
    pub const fn closed_to_departure(self) -> bool {
        self.0 & CLOSED_TO_DEPARTURE != 0
    }

    #[must_use]
    pub const fn with_min_stay_arrival(self, nights: u8) -> Self {
        self.with_limit(MIN_ARRIVAL_AT, nights)
    }

    #[must_use]
    pub const fn with_max_stay_arrival(self, nights: u8) -> Self {
        self.with_limit(MAX_ARRIVAL_AT, nights)
    }

    #[must_use]
    pub const fn with_min_stay_through(self, nights: u8) -> Self {
        self.with_limit(MIN_THROUGH_AT, nights)
    }

    #[must_use]
    pub const fn with_max_stay_through(self, nights: u8) -> Self {
        self.with_limit(MAX_THROUGH_AT, nights)
    }

    #[must_use]
    pub const fn with_closed(self, on: bool) -> Self {
        self.with_flag(CLOSED, on)
    }

    #[must_use]
    pub const fn with_closed_to_arrival(self, on: bool) -> Self {
        self.with_flag(CLOSED_TO_ARRIVAL, on)
    }

    #[must_use]
    pub const fn with_closed_to_departure(self, on: bool) -> Self {
        self.with_flag(CLOSED_TO_DEPARTURE, on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn setting_one_restriction_never_changes_another(
            price in 0i64..=PRICE_MAX, limits: [u8; 4], flags: [bool; 3],
        ) {
            let [min_arrival, max_arrival, min_through, max_through] = limits.map(|limit| limit & 63);
            let word = RateWord::default()
                .with_closed(flags[0]).with_closed_to_arrival(flags[1]).with_closed_to_departure(flags[2])
                .with_max_stay_through(max_through).with_min_stay_through(min_through)
                .with_max_stay_arrival(max_arrival).with_min_stay_arrival(min_arrival).with_price(price);
            prop_assert_eq!(word.price(), Some(price));
            prop_assert_eq!(
                [word.min_stay_arrival(), word.max_stay_arrival(), word.min_stay_through(), word.max_stay_through()],
                [min_arrival, max_arrival, min_through, max_through]
            );
            prop_assert_eq!([word.closed(), word.closed_to_arrival(), word.closed_to_departure()], flags);
        }
    }

    #[test]
    fn zero_is_a_price_and_nothing_is_none() {
        assert_eq!(RateWord::default().price(), None);
        assert_eq!(RateWord::default().with_price(0).price(), Some(0));
    }
}
