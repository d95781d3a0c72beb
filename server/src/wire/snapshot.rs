//! What an operator is told of a snapshot.

use serde::{Deserialize, Serialize};

/// A snapshot that was written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// The last entry in it.
    pub index: u64,
    pub bytes: u64,
    /// From the mark until it was on disk.
    pub seconds: f64,
}
