//! The state: one [`Writer`] that applies the log, any number of [`Reader`]s.

mod archive;
pub mod arrivals;
mod aside;
mod audit;
pub mod blocks;
pub mod bookings;
mod bounds;
mod capture;
mod check_outs;
mod closures;
mod damage;
pub mod expiry;
pub(crate) mod hotel_holds;
pub(crate) mod index;
pub mod keys;
pub mod ledger;
mod listing;
mod look_ahead;
pub mod marks;
mod pages;
pub mod promos;
pub mod queue;
pub mod reader;
pub mod references;
mod retirement;
mod share;
pub mod shared;
mod standing;
pub mod table;
pub mod waitlist;
pub mod writer;

pub use aside::Aside;
pub(crate) use aside::Marked;
pub use bounds::Bounds;
pub use capture::{Capture, Decoded, LoadError, Loading, Part};
pub use listing::Listed;
pub use reader::Reader;
pub use shared::Shared;
pub use writer::Writer;

/// A fresh state, before the first command of its log.
#[derive(Debug)]
pub struct State;

impl State {
    /// The one writer and a reader of an empty state.
    #[must_use]
    #[allow(clippy::new_ret_no_self)] // A state is only ever used through its two halves.
    pub fn new() -> (Writer, Reader) {
        Self::within(Bounds::default())
    }

    /// The same with other bounds: for tests of what happens at them. A log that is folded under other
    /// bounds is another state.
    #[must_use]
    pub fn within(bounds: Bounds) -> (Writer, Reader) {
        let shared = std::sync::Arc::new(Shared::new(&bounds));
        (Writer::new(std::sync::Arc::clone(&shared), bounds), Reader { shared })
    }
}
