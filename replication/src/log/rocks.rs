//! How the log's RocksDB is opened: options alone, each with its reason.
//!
//! It refuses to know what is stored. Point-in-time recovery with recycled WAL files reaches the device's own
//! limit, but may open with synced entries missing: the guard is what makes it safe.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rocksdb::{
    BlockBasedOptions, DBCompactionStyle, DBCompressionType, DBRecoveryMode, Options, ReadOptions,
    WriteOptions,
};
pub(crate) use rocksdb::{DB, DBRawIterator, Error, WriteBatch};

use crate::limits::{
    ARCHIVE_BUFFER_BYTES, ARCHIVE_FILTER_BITS, WAL_FILES_BYTES_MAX, WAL_FILES_RECYCLED,
    WRITE_BUFFER_BYTES, WRITE_BUFFERS,
};

/// The file RocksDB writes last when it creates a database, and reads first.
const CURRENT: &str = "CURRENT";

pub(crate) fn exists(dir: &Path) -> bool {
    dir.join(CURRENT).exists()
}

/// Opens for writing. `strict` refuses a log of which a closed WAL file is gone or short.
pub(crate) fn open(dir: &Path, strict: bool) -> Result<DB, Error> {
    let mut options = options(strict);
    options.create_if_missing(true);
    DB::open(&options, dir)
}

/// Opens the archive's database; made where there is none.
pub(crate) fn open_archive(dir: &Path) -> Result<DB, Error> {
    DB::open(&archive_options(), dir)
}

/// The archive's directory.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}

/// The log's directories, and their names on disk: a synced file in a lost directory is a lost file.
pub(crate) fn make_dirs(dir: &Path, log_dir: &Path) -> io::Result<()> {
    fs::create_dir_all(log_dir)?;
    File::open(dir)?.sync_all()?;
    match dir.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
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

/// Written seldom and in no order, read by id, one in a while: filters keep unknown ids off the disk.
fn archive_options() -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_bloom_filter(ARCHIVE_FILTER_BITS, false);
    table.set_cache_index_and_filter_blocks(true);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&table);
    options.set_paranoid_checks(true);
    options.set_write_buffer_size(ARCHIVE_BUFFER_BYTES);
    options.set_compression_type(DBCompressionType::None);
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
