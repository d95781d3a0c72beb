//! The rate word: price, stay limits and closures of one rate plan on one night, in 64 bits.
//!
//! ```text
//!  63        56 55       50 49       44 43       38 37       32 31                0
//! ┌────────────┬───────────┬───────────┬───────────┬───────────┬──────────────────┐
//! │ flags    8 │ max thr 6 │ min thr 6 │ max arr 6 │ min arr 6 │ price, minor  32 │
//! └────────────┴───────────┴───────────┴───────────┴───────────┴──────────────────┘
//! ```
//!
//! A stay limit of 0 says nothing (the plan's default holds), 63 lifts the default. A word without the `priced` flag sells nothing: zero is a price.

use super::Dated;
use crate::codec::{Decode, Encode};
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
const OVERLAID: u64 = 1 << (FLAGS_AT + 4);
const LIMIT_MASK: u64 = (1 << LIMIT_BITS) - 1;
const LIMITS: [u32; 4] = [MIN_ARRIVAL_AT, MAX_ARRIVAL_AT, MIN_THROUGH_AT, MAX_THROUGH_AT];
/// The value of a limit that lifts the plan's default.
const LIFTED: u8 = STAY_LIMIT_MAX + 1;

const _: () = assert!(FLAGS_AT + FLAGS_BITS == u64::BITS);
const _: () = assert!(LIMIT_MASK == LIFTED as u64);
const _: () = assert!((1 << PRICE_BITS) - 1 == PRICE_MAX);

/// One plan-night. A value: the word in the calendar is loaded into it and stored from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
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

    /// Without a price it sells nothing.
    #[must_use]
    pub const fn without_price(self) -> Self {
        Self(self.0 & !(PRICE_MAX as u64 | PRICED))
    }

    #[allow(clippy::cast_possible_truncation)] // Six bits remain after the mask.
    const fn limit_bits(self, at: u32) -> u8 {
        ((self.0 >> at) & LIMIT_MASK) as u8
    }

    const fn limit(self, at: u32) -> Dated<u8> {
        match self.limit_bits(at) {
            0 => Dated::Unset,
            LIFTED => Dated::Lifted,
            nights => Dated::Set(nights),
        }
    }

    const fn with_limit(self, at: u32, limit: Dated<u8>) -> Self {
        let bits = match limit {
            Dated::Unset => 0,
            Dated::Lifted => LIFTED,
            Dated::Set(nights) => {
                assert!(nights >= 1 && nights <= STAY_LIMIT_MAX, "a stay limit past its width");
                nights
            }
        };
        Self((self.0 & !(LIMIT_MASK << at)) | ((bits as u64) << at))
    }

    /// The word with its plan's limits where it says nothing; `defaults` carries nothing but limits.
    #[must_use]
    #[inline]
    pub const fn over(self, defaults: Self) -> Self {
        if defaults.0 == 0 {
            return self;
        }
        let mut word = self.0;
        let mut at = 0;
        while at < LIMITS.len() {
            #[allow(clippy::indexing_slicing)] // `at` is below the array's length.
            let mask = LIMIT_MASK << LIMITS[at];
            if word & mask == 0 {
                word |= defaults.0 & mask;
            }
            at += 1;
        }
        Self(word)
    }

    /// The shortest stay that may arrive on this night and include it; at least 1. Without a branch: a
    /// calendar asks for a whole year.
    #[must_use]
    #[inline]
    pub fn least_nights(self) -> u8 {
        let least = |at| self.limit_bits(at) % LIFTED;
        least(MIN_ARRIVAL_AT).max(least(MIN_THROUGH_AT)).max(1)
    }

    /// The longest stay that may arrive on this night and include it; 255 for any.
    #[must_use]
    #[inline]
    pub fn most_nights(self) -> u8 {
        // What says nothing (0, and 63 as 0) becomes the greatest number.
        let most = |at| (self.limit_bits(at) % LIFTED).wrapping_sub(1);
        most(MAX_ARRIVAL_AT).min(most(MAX_THROUGH_AT)).saturating_add(1)
    }

    /// Neither closed nor with a limit for the stays that include this night: most are so.
    #[must_use]
    #[inline]
    pub const fn is_plain(self) -> bool {
        const NONE: u64 = CLOSED | LIMIT_MASK << MIN_THROUGH_AT | LIMIT_MASK << MAX_THROUGH_AT;
        self.0 & NONE == 0
    }

    /// Whether a stay of so many nights is too short or too long for one that includes this night.
    #[must_use]
    #[inline]
    pub const fn bars_through(self, nights: u16) -> bool {
        bars(self.limit_bits(MIN_THROUGH_AT), self.limit_bits(MAX_THROUGH_AT), nights)
    }

    /// Whether a stay of so many nights may not begin on this night.
    #[must_use]
    #[inline]
    pub const fn bars_arrival(self, nights: u16) -> bool {
        self.closed_to_arrival()
            || bars(self.limit_bits(MIN_ARRIVAL_AT), self.limit_bits(MAX_ARRIVAL_AT), nights)
    }

    const fn with_flag(self, flag: u64, on: bool) -> Self {
        if on { Self(self.0 | flag) } else { Self(self.0 & !flag) }
    }

    /// Fewest nights of a stay that arrives on this night.
    #[must_use]
    pub const fn min_stay_arrival(self) -> Dated<u8> {
        self.limit(MIN_ARRIVAL_AT)
    }

    /// Most nights of a stay that arrives on this night.
    #[must_use]
    pub const fn max_stay_arrival(self) -> Dated<u8> {
        self.limit(MAX_ARRIVAL_AT)
    }

    /// Fewest nights of a stay that includes this night.
    #[must_use]
    pub const fn min_stay_through(self) -> Dated<u8> {
        self.limit(MIN_THROUGH_AT)
    }

    /// Most nights of a stay that includes this night.
    #[must_use]
    pub const fn max_stay_through(self) -> Dated<u8> {
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

    /// The plan has dated rules for this night in its overlay.
    #[must_use]
    pub const fn overlaid(self) -> bool {
        self.0 & OVERLAID != 0
    }

    #[must_use]
    pub const fn with_overlaid(self, on: bool) -> Self {
        self.with_flag(OVERLAID, on)
    }

    /// Panics where a limit is 0 or past its width: the caller has validated.
    #[must_use]
    pub const fn with_min_stay_arrival(self, nights: Dated<u8>) -> Self {
        self.with_limit(MIN_ARRIVAL_AT, nights)
    }

    #[must_use]
    pub const fn with_max_stay_arrival(self, nights: Dated<u8>) -> Self {
        self.with_limit(MAX_ARRIVAL_AT, nights)
    }

    #[must_use]
    pub const fn with_min_stay_through(self, nights: Dated<u8>) -> Self {
        self.with_limit(MIN_THROUGH_AT, nights)
    }

    #[must_use]
    pub const fn with_max_stay_through(self, nights: Dated<u8>) -> Self {
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

/// A limit of 0 or 63 bars nothing.
#[inline]
const fn bars(min: u8, max: u8, nights: u16) -> bool {
    let short = min != LIFTED && nights < min as u16;
    let long = max != 0 && max != LIFTED && nights > max as u16;
    short || long
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(bits: u8) -> Dated<u8> {
        match bits & 63 {
            0 => Dated::Unset,
            63 => Dated::Lifted,
            nights => Dated::Set(nights),
        }
    }

    fn with_limits(word: RateWord, limits: [Dated<u8>; 4]) -> RateWord {
        let [min_arrival, max_arrival, min_through, max_through] = limits;
        word.with_max_stay_through(max_through)
            .with_min_stay_through(min_through)
            .with_max_stay_arrival(max_arrival)
            .with_min_stay_arrival(min_arrival)
    }

    fn limits(word: RateWord) -> [Dated<u8>; 4] {
        [
            word.min_stay_arrival(),
            word.max_stay_arrival(),
            word.min_stay_through(),
            word.max_stay_through(),
        ]
    }

    proptest! {
        #[test]
        fn setting_one_restriction_never_changes_another(
            price in 0i64..=PRICE_MAX, bits: [u8; 4], flags: [bool; 4],
        ) {
            let word = RateWord::default()
                .with_closed(flags[0])
                .with_closed_to_arrival(flags[1])
                .with_closed_to_departure(flags[2])
                .with_overlaid(flags[3]);
            let word = with_limits(word, bits.map(limit)).with_price(price);
            prop_assert_eq!(word.price(), Some(price));
            prop_assert_eq!(limits(word), bits.map(limit));
            let seen =
                [word.closed(), word.closed_to_arrival(), word.closed_to_departure(), word.overlaid()];
            prop_assert_eq!(seen, flags);
        }

        #[test]
        fn a_night_that_says_nothing_has_its_plans_limits(
            bits: [u8; 4], defaults: [u8; 4], nights in 1u16..70, no_arrival: bool,
        ) {
            let plan = with_limits(RateWord::default(), defaults.map(limit));
            let word = with_limits(RateWord::default().with_price(7), bits.map(limit));
            let word = word.with_closed_to_arrival(no_arrival).over(plan);
            prop_assert_eq!(word.price(), Some(7));
            let effective: Vec<_> = bits
                .iter()
                .zip(defaults)
                .map(|(&own, plan)| limit(own).over(limit(plan).over(None)))
                .collect();
            let short = |limit: Option<u8>| limit.is_some_and(|least| nights < u16::from(least));
            let long = |limit: Option<u8>| limit.is_some_and(|most| nights > u16::from(most));
            let (arrival, through) =
                (short(effective[0]) || long(effective[1]), short(effective[2]) || long(effective[3]));
            prop_assert_eq!(word.bars_arrival(nights), arrival || no_arrival);
            prop_assert_eq!(word.bars_through(nights), through);
        }
    }

    #[test]
    fn zero_is_a_price_and_nothing_is_none() {
        assert_eq!(RateWord::default().price(), None);
        assert_eq!(RateWord::default().with_price(0).price(), Some(0));
    }
}
