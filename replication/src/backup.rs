//! The log as a backup has it: committed entries cut into pieces, and read back from them.
//!
//! It owns the way between entries and pieces, and how much of the log stays until it is in a backup. It
//! refuses to know where a backup lies and when it is written.
//!
//! **Invariant**: a piece holds only entries that are committed, so that no later leader has others.

mod entry;
mod fold;
mod keep;
mod piece;
mod rebuild;
#[cfg(test)]
mod tests;

pub use entry::StoredEntry;
pub use fold::{Fold, FoldError};
pub(crate) use keep::LogKeep;
pub use piece::PieceError;
pub(crate) use piece::{cut, has};
pub use rebuild::{Home, Rebuild, RebuildError, Rebuilt};
