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

/// Bytes of a line.
const LINE: usize = 64;

/// Asks for the lines that hold a value's first `LINES` times 64 bytes, or all of it where it is smaller:
/// one line more than `LINES` where the value does not begin with a line.
#[inline(always)]
pub fn prefetch_lines<T, const LINES: usize>(value: *const T) {
    let bytes = size_of::<T>().min(LINES * LINE);
    let before = value.addr() % LINE;
    let first = value.cast::<u8>().wrapping_sub(before);
    for line in 0..(before + bytes).div_ceil(LINE) {
        prefetch(first.wrapping_add(line * LINE));
    }
}
