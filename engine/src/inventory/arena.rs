//! Arenas: the memory that calendars lie in, zero at first, never moved, asked for in huge pages.
//!
//! A calendar is reached at random, and with pages of 4 KiB nearly every reach also misses the table of
//! pages. It owns nothing but the memory; what the slots mean is the rows' business.
//! **Invariant**: a slot's address is valid and the same from the arena's making to its end.
#![allow(unsafe_code)] // Memory from the system, zeroed, seen as a slice of atomics.

use crate::sync::{AtomicU16, AtomicU64};

/// What a slot can be: an atomic integer that starts at zero.
///
/// # Safety
///
/// Memory that is all zeros must be a valid value, the one [`Slot::zero`] makes.
pub unsafe trait Slot: Send + Sync {
    fn zero() -> Self;
}

// SAFETY: the standard library's atomic integers are laid out as the integer; zeros are zero. The model
// checkers' are never made from raw memory (see `boxed`).
unsafe impl Slot for AtomicU64 {
    fn zero() -> Self {
        Self::new(0)
    }
}

// SAFETY: as above.
unsafe impl Slot for AtomicU16 {
    fn zero() -> Self {
        Self::new(0)
    }
}

#[cfg(any(not(target_os = "linux"), holdfast_sync = "loom", holdfast_sync = "shuttle"))]
pub use boxed::Arena;
#[cfg(not(any(not(target_os = "linux"), holdfast_sync = "loom", holdfast_sync = "shuttle")))]
pub use mapped::Arena;

/// Slots one by one on the heap, where the system has no huge pages or the atomics are a checker's.
#[cfg(any(not(target_os = "linux"), holdfast_sync = "loom", holdfast_sync = "shuttle"))]
mod boxed {
    use super::Slot;

    pub struct Arena<A>(Box<[A]>);

    impl<A: Slot> Arena<A> {
        pub fn of(slots: usize) -> Self {
            Self((0..slots).map(|_| A::zero()).collect())
        }
    }

    impl<A> std::ops::Deref for Arena<A> {
        type Target = [A];

        fn deref(&self) -> &[A] {
            &self.0
        }
    }
}

/// Slots in memory mapped from the system, which gives zeroed pages as they are first touched.
#[cfg(not(any(not(target_os = "linux"), holdfast_sync = "loom", holdfast_sync = "shuttle")))]
mod mapped {
    use std::alloc::{Layout, handle_alloc_error};
    use std::ptr::{self, NonNull};

    use super::Slot;

    /// Bytes of a huge page on the machines we build for; elsewhere an alignment like any other.
    const HUGE_PAGE: usize = 2 << 20;

    pub struct Arena<A> {
        /// What the system gave, and its length in bytes.
        mapping: (NonNull<libc::c_void>, usize),
        slots: NonNull<A>,
        len: usize,
    }

    // SAFETY: it owns its memory as a boxed slice would; slots are `Sync` by their trait.
    unsafe impl<A: Slot> Send for Arena<A> {}
    // SAFETY: as above; only shared references to slots are given out.
    unsafe impl<A: Slot> Sync for Arena<A> {}

    impl<A: Slot> Arena<A> {
        /// So many zeroed slots. Ends the process where the system has no memory to give, as any
        /// allocation does: replicas must not differ by it.
        pub fn of(len: usize) -> Self {
            let bytes = len.max(1).saturating_mul(size_of::<A>());
            let length = bytes.saturating_add(HUGE_PAGE);
            let (access, kind) =
                (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            // SAFETY: a new anonymous mapping at an address of the system's choice touches nothing.
            let start = unsafe { libc::mmap(ptr::null_mut(), length, access, kind, -1, 0) };
            let mapping = match NonNull::new(start) {
                Some(mapping) if start != libc::MAP_FAILED => mapping,
                _ => handle_alloc_error(Layout::new::<A>()),
            };
            let aligned = start.map_addr(|at| at.next_multiple_of(HUGE_PAGE));
            // SAFETY: `aligned..aligned + bytes` lies in the mapping, which is one huge page longer. It is
            // advice: where there are no huge pages, nothing changes.
            unsafe { libc::madvise(aligned, bytes, libc::MADV_HUGEPAGE) };
            // SAFETY: the address is at least that of the mapping, which is not null.
            let slots = unsafe { NonNull::new_unchecked(aligned.cast::<A>()) };
            Self { mapping: (mapping, length), slots, len }
        }
    }

    impl<A> std::ops::Deref for Arena<A> {
        type Target = [A];

        #[inline]
        fn deref(&self) -> &[A] {
            // SAFETY: `len` slots lie from here on in memory this value owns; zeroed pages are valid slots
            // by the trait's contract, `of` is the only constructor and asks for it.
            unsafe { std::slice::from_raw_parts(self.slots.as_ptr(), self.len) }
        }
    }

    impl<A> Drop for Arena<A> {
        fn drop(&mut self) {
            let (start, length) = self.mapping;
            // SAFETY: exactly what `of` mapped; slots own nothing, and no reference outlives the owner.
            unsafe { libc::munmap(start.as_ptr(), length) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn an_arena_is_zero_and_keeps_what_is_stored_to_its_last_slot() {
        let arena = Arena::<AtomicU16>::of(100_003);
        assert_eq!(arena.len(), 100_003);
        assert!(arena.iter().all(|slot| slot.load(Ordering::Relaxed) == 0));
        arena[100_002].store(7, Ordering::Relaxed);
        assert_eq!(arena[100_002].load(Ordering::Relaxed), 7);
        assert!(Arena::<AtomicU64>::of(0).is_empty());
    }
}
