//! Laws under a checker that schedules the engine's atomics (`engine/src/sync.rs`).
//!
//! Compiled into the engine itself, with `--cfg holdfast_checked` and whose atomics it shall have: loom's
//! (every schedule, the memory model included), shuttle's (many schedules of a larger mix), or, where
//! nothing is said, the machine's own. `./dev schedules` builds and runs them, and then with bugs put
//! back. What other crates use inside their tables is run as it is.

#[cfg(holdfast_sync = "loom")]
mod every;
#[cfg(holdfast_sync = "shuttle")]
mod many;
#[cfg(not(any(holdfast_sync = "loom", holdfast_sync = "shuttle")))]
#[path = "stress.rs"]
mod stress;
