//! The figures, one file each.

pub mod admission;
#[cfg(feature = "node")]
pub mod cluster;
#[cfg(feature = "node")]
pub mod drill;
#[cfg(feature = "node")]
pub mod durable;
pub mod engine;
pub mod engine_parts;
pub mod explain;
#[cfg(feature = "node")]
pub mod http;
pub mod memory;
#[cfg(feature = "node")]
pub mod peers;
#[cfg(feature = "node")]
pub mod reads;
#[cfg(feature = "node")]
pub mod replay;
pub mod search;
pub mod snapshot;
pub mod verify;

/// How large a figure is made.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub quick: bool,
}

impl Scale {
    /// A tenth in a quick run.
    pub const fn of(self, full: usize) -> usize {
        if self.quick { full / 10 } else { full }
    }
}
