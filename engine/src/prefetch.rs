//! Asking memory for a line before it is needed.
//!
//! Owns the one instruction for it. It changes nothing but time, so it may be given any address, of a
//! value that is there or of one that is not.
#![allow(unsafe_code)] // One intrinsic, which reads nothing.

/// Asks for the line that holds `value`'s first byte.
#[inline(always)]
pub fn prefetch<T: ?Sized>(value: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads and writes nothing and never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(value.cast::<i8>()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Asks for the first `LINES` lines of a value.
#[inline(always)]
pub fn prefetch_lines<T, const LINES: usize>(value: *const T) {
    for line in 0..LINES {
        prefetch(value.cast::<u8>().wrapping_add(line * 64));
    }
}
