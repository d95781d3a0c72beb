//! The demo's random numbers: xoshiro256** seeded through SplitMix64 (Blackman and Vigna, public
//! domain).
//!
//! Written out here because the demo promises the same bytes for the same seed in every build; a
//! generator from a crate may change with its version. Not for anything that must be hard to guess.
//! **Invariant**: only integer and IEEE basic operations, so that every machine throws the same.

use std::ops::RangeInclusive;

#[derive(Clone, Debug)]
pub(super) struct Dice {
    state: [u64; 4],
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        let mut mixed = seed;
        Self { state: std::array::from_fn(|_| split_mix(&mut mixed)) }
    }

    /// Dice of their own for the `label`-th part of `seed`: parts can be thrown in any order.
    pub fn part(seed: u64, label: u64) -> Self {
        let mut mixed = label ^ 0x6465_6d6f_2064_6963;
        Self::new(seed ^ split_mix(&mut mixed))
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let thrown = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        thrown
    }

    /// Even over `0..count`; 0 where `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        let wide = u128::from(self.next()) * count as u128;
        usize::try_from(wide >> 64).unwrap_or_default()
    }

    /// Even over the range, both ends included.
    pub fn within(&mut self, range: RangeInclusive<i64>) -> i64 {
        let span = usize::try_from(range.end() - range.start() + 1).unwrap_or_default();
        range.start() + i64::try_from(self.below(span)).unwrap_or_default()
    }

    /// True this many times in a hundred.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance as usize
    }

    /// Even over `-1.0..1.0`, in steps that every machine represents alike.
    pub fn signed(&mut self) -> f64 {
        const STEPS: u32 = 1 << 24;
        let step = u32::try_from(self.below(STEPS as usize)).unwrap_or_default();
        f64::from(step) / f64::from(STEPS) * 2.0 - 1.0
    }

    /// One of them; there must be one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        assert!(!from.is_empty(), "nothing to pick from");
        &from[self.below(from.len())]
    }

    /// A position, as likely as its weight says; the weights must not all be 0.
    pub fn weighted(&mut self, weights: impl Iterator<Item = u32> + Clone) -> usize {
        let total: usize = weights.clone().map(|weight| weight as usize).sum();
        let mut thrown = self.below(total);
        for (at, weight) in weights.enumerate() {
            if thrown < weight as usize {
                return at;
            }
            thrown -= weight as usize;
        }
        0
    }

    /// Fisher–Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeding_and_stepping_are_the_published_ones() {
        // SplitMix64 of seed 1234567, from the reference implementation.
        let mut state = 1_234_567;
        assert_eq!(split_mix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(split_mix(&mut state), 3_203_168_211_198_807_973);
        // xoshiro256** from the state 1, 2, 3, 4.
        let mut dice = Dice { state: [1, 2, 3, 4] };
        let thrown: Vec<u64> = (0..4).map(|_| dice.next()).collect();
        assert_eq!(thrown, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn throws_stay_in_bounds_and_reach_them() {
        let mut dice = Dice::part(7, 3);
        let thrown: Vec<i64> = (0..1_000).map(|_| dice.within(2..=5)).collect();
        assert_eq!((thrown.iter().min(), thrown.iter().max()), (Some(&2), Some(&5)));
        assert!((0..1_000).all(|_| (-1.0..1.0).contains(&dice.signed())));
        assert!((0..1_000).all(|_| dice.weighted([0, 3, 0, 1].into_iter()) % 2 == 1));
        let mut order: Vec<u32> = (0..50).collect();
        dice.shuffle(&mut order);
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
    }
}
