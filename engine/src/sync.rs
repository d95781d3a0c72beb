//! Atomics: the one place that chooses whose they are.
//!
//! The engine's own are the standard library's. Built with `--cfg holdfast_sync="loom"` or `"shuttle"` they
//! are a model checker's, so that the same source is run under every schedule, or under many.
//! **Invariant**: every atomic that two threads of the engine share comes from here. What the tables of
//! other crates (`arc-swap`, `dashmap`, `papaya`) use inside is theirs, and is not scheduled.

use std::sync::PoisonError;

/// Whether a checker schedules this build. It makes each atomic by hand, anew for every schedule, so
/// tables are as small as its tests need.
pub const SCHEDULED: bool = cfg!(any(holdfast_sync = "loom", holdfast_sync = "shuttle"));

#[cfg(holdfast_sync = "loom")]
pub use loom::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicUsize};
#[cfg(holdfast_sync = "shuttle")]
pub use shuttle::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicUsize};
#[cfg(not(any(holdfast_sync = "loom", holdfast_sync = "shuttle")))]
pub use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicUsize};

// Locks are scheduled where threads switch inside of them: an atomic is touched while one is held.
// Under loom nothing that locks is shared between its threads.
#[cfg(holdfast_sync = "shuttle")]
pub use shuttle::sync::{Mutex, MutexGuard};
#[cfg(not(holdfast_sync = "shuttle"))]
pub use std::sync::{Mutex, MutexGuard};

/// A lock is poisoned by a panic of the writer, which ends the node; the others go on until then.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
