//! Random numbers of a benchmark: one seed, one sequence, on every machine.
//!
//! Owns SplitMix64 (Steele, Lea, Flood 2014). Not for keys or tokens.

/// A sequence of numbers.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn wide(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    /// Uniform in `0..end` up to a bias of `end` / 2⁶⁴.
    #[allow(clippy::cast_possible_truncation)] // The high half of the product is below `end`.
    pub const fn below(&mut self, end: u32) -> u32 {
        ((self.next() as u128 * end as u128) >> 64) as u32
    }
}
