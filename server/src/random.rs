//! Random bytes of the server: keys, nonces, ids, span ids.
//!
//! **Invariant:** randomness is drawn at the door and travels inside commands; the engine draws
//! none.
#![expect(clippy::disallowed_methods, reason = "the one place of the server that draws randomness")]

use rand::RngCore;

/// Fills `bytes` from the thread's cryptographic generator.
pub fn fill(bytes: &mut [u8]) {
    rand::rng().fill_bytes(bytes);
}

/// 128 random bits.
pub fn bits() -> u128 {
    let mut bytes = [0u8; 16];
    fill(&mut bytes);
    u128::from_ne_bytes(bytes)
}
