//! A database that can be closed while others still hold it, so that closing frees the files at once.
//!
//! It owns that one end alone: what is stored, and how it is opened, is another's.

use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

use super::rocks::DB;

/// The handle.
pub(crate) struct Database(RwLock<Option<DB>>);

impl Database {
    pub fn new(db: DB) -> Self {
        Self(RwLock::new(Some(db)))
    }

    /// The database, kept open as long as the guard lives; `None` once it was closed.
    pub fn get(&self) -> Option<MappedRwLockReadGuard<'_, DB>> {
        RwLockReadGuard::try_map(self.0.read(), Option::as_ref).ok()
    }

    pub fn close(&self) {
        drop(self.0.write().take());
    }
}
