//! Hashing of keys that are already random: ids and idempotency keys.
//!
//! Both are made by the product itself (UUIDv7 tails, cryptographic digests), so a client cannot aim at
//! a bucket; folding and one multiplication spread them over shards and buckets.

use std::hash::{BuildHasherDefault, Hasher};

/// The hasher of the live tables.
#[derive(Debug, Clone, Copy, Default)]
pub struct Folded(u64);

/// Its builder.
pub type BuildFolded = BuildHasherDefault<Folded>;

const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_i16(&mut self, value: i16) {
        self.write_u64(u64::from(value.cast_unsigned()));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(29) ^ value).wrapping_mul(SPREAD);
        self.0 ^= self.0 >> 32;
    }

    #[allow(clippy::cast_possible_truncation)] // Both halves are taken.
    fn write_u128(&mut self, value: u128) {
        self.write_u64((value >> 64) as u64 ^ (value as u64).rotate_left(32));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
