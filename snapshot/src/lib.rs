//! The on-disk format of a state: a captured state as a file, and a file as a state again.
//!
//! It owns the bytes (docs/snapshot-format.md, docs/backup-format.md), their checksums and how a file takes the place of the one
//! before. It refuses to know of the log, of who leads or what a record means: log id and membership are
//! bytes to it, records are the engine's.
//!
//! **Invariant**: a file under its final name is whole and on disk; whatever differs from what was written
//! by as little as a bit is refused, never loaded.

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod archived;
pub mod backup;
mod copy;
mod file;
mod files;
mod format;
pub mod limits;
mod load;
mod meta;
mod read;
mod shelf;
mod write;

pub use archived::{ArchivedError, ArchivedRecord, Malformed};
pub use copy::CopyError;
pub use file::SyncedFile;
pub use files::{Durable, Files, Input, MACHINE, Machine, Output};
pub use files::{load, read_archived, read_meta, verify};
pub use load::{LoadError, Loaded};
pub use meta::Meta;
pub use read::{Block, Damage, ReadError, Reader, check_start};
pub use shelf::{Kept, Shelf};
pub use write::{Summary, WriteError, Writer};
