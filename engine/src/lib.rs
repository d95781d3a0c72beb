//! Holdfast's engine: the replicated state machine of a hotel marketplace.
//!
//! It owns every room-type-night, every hold and booking, and the rules that change them. It refuses
//! to own I/O, threads, clocks and randomness: time and ids arrive inside commands.
//!
//! **Invariant**: the state after a log is a function of that log alone. One [`Writer`] applies;
//! any number of [`Reader`]s read, and admit requests. Cells, rates and indexes are read without a lock; the
//! lock of one hold, booking or key is held while that record is copied, and keeps the writer from it alone.

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

// So that tests in here can share the drafts of the integration tests.
#[cfg(test)]
extern crate self as holdfast_engine;

pub mod admission;
pub mod archive;
pub mod ari;
pub mod block;
pub mod booking;
pub mod calendar;
pub mod catalogue;
pub mod civil;
pub mod codec;
pub mod command;
pub mod digest;
pub mod event;
pub mod explain;
pub mod few;
pub mod hash;
pub mod hold;
pub mod ids;
pub mod inventory;
pub mod limits;
pub mod money;
pub mod outcome;
pub mod prefetch;
pub mod promo;
pub mod quote;
pub mod rates;
pub mod refusal;
pub mod search;
pub mod state;
pub mod stay;
pub mod sync;
pub mod verify;
pub mod waitlist;
pub mod zone;

pub use admission::{Admission, Demand, Ticket};
pub use civil::{Night, Weekdays};
pub use command::{Batch, Command, Idempotency, Principal, Verb};
pub use event::Event;
pub use outcome::Outcome;
pub use refusal::{Blocker, Code, Refusal};
pub use state::{Bounds, Reader, State, Writer};
pub use verify::Verifier;

// What is run with atomics or bugs of its own choosing (see `sync`): the integration tests' worlds, built
// into the engine itself, since such a build is of the engine alone.
#[cfg(all(test, holdfast_checked))]
#[path = "../tests"]
mod checked {
    #[cfg(not(holdfast_sync = "loom"))]
    pub mod mix;
    mod schedules;
    #[allow(dead_code)] // Few of its parts are needed here.
    pub mod world;
}
#[cfg(all(test, holdfast_checked, not(holdfast_sync = "loom")))]
use checked::mix;
#[cfg(all(test, holdfast_checked))]
use checked::world;
