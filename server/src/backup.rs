//! Backup and restore: the log and snapshots of a group, kept in an object store or a directory.
//!
//! It owns when and where objects are written, read and removed (docs/backup-format.md has their bytes), and
//! the making of data directories from them. Keys are in no backup: guests' data stays sealed.
//!
//! **Invariant**: an object is written once and never changed; what no manifest names is no snapshot.

pub mod archiver;
pub mod keeper;
pub mod place;
pub mod plan;
pub mod restore;
pub mod retention;
pub mod survey;
pub mod verify;
