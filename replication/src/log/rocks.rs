//! How the log's RocksDB is opened: options alone, each with its reason.
//!
//! It owns the handle, and its end. It refuses to know what is stored. Point-in-time recovery with recycled WAL files reaches the
//! device's own limit, but may open with synced entries missing: the guard is what makes it safe.

use std::path::Path;

use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};
use rocksdb::{
    DB, DBCompactionStyle, DBCompressionType, DBRecoveryMode, Error, Options, ReadOptions,
    WriteOptions,
};

use crate::limits::{WAL_FILES_BYTES_MAX, WAL_FILES_RECYCLED, WRITE_BUFFER_BYTES, WRITE_BUFFERS};

/// The file RocksDB writes last when it creates a database, and reads first.
const CURRENT: &str = "CURRENT";

/// A database that can be closed while others still hold it, so that closing frees the files at once.
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

pub(crate) fn exists(dir: &Path) -> bool {
    dir.join(CURRENT).exists()
}

/// Opens for writing. `strict` refuses a log of which a closed WAL file is gone or short.
pub(crate) fn open(dir: &Path, strict: bool) -> Result<DB, Error> {
    let mut options = options(strict);
    options.create_if_missing(true);
    DB::open(&options, dir)
}

/// Opens without changing a file, so that a log found wanting is left as it was found.
pub(crate) fn open_read_only(dir: &Path, strict: bool) -> Result<DB, Error> {
    DB::open_for_read_only(&options(strict), dir, false)
}

fn options(strict: bool) -> Options {
    let mut options = Options::default();
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // The option that matters: a recycled file needs no new blocks, so a sync writes data alone.
    options.set_recycle_log_file_num(WAL_FILES_RECYCLED);
    options.set_track_and_verify_wals_in_manifest(strict);
    options.set_paranoid_checks(true);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(WRITE_BUFFERS);
    options.set_max_total_wal_size(WAL_FILES_BYTES_MAX);
    // Entries are written once in key order and are small beside a page cache: no compression.
    options.set_compression_type(DBCompressionType::None);
    options.set_compaction_style(DBCompactionStyle::Level);
    options.set_target_file_size_base(WRITE_BUFFER_BYTES as u64);
    options.set_max_background_jobs(2);
    options.set_keep_log_file_num(4);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

pub(crate) fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

pub(crate) fn unsynced() -> WriteOptions {
    WriteOptions::default()
}

/// Reads keys in `[from, end)`; big scans leave the block cache alone.
pub(crate) fn range(from: &[u8], end: &[u8], fill_cache: bool) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_lower_bound(from);
    options.set_iterate_upper_bound(end);
    options.fill_cache(fill_cache);
    options.set_verify_checksums(true);
    options
}
