//! The configuration: documented defaults, then a TOML file, then flags.
//!
//! Unknown keys are refused with their line, values are checked before anything is opened, and
//! the result is immutable for the life of the process.

mod backup;
mod cluster;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use holdfast_engine::limits::{
    ARCHIVE_DAYS_DEFAULT, ARCHIVE_DAYS_MAX, ARCHIVE_DAYS_MIN, HORIZON_NIGHTS_MAX,
    HORIZON_NIGHTS_MIN,
};
use holdfast_replication::limits::{DISK_RESERVE_BYTES_DEFAULT, LOG_KEPT_ENTRIES_DEFAULT};
use serde::Deserialize;

pub use backup::Backup;
pub use cluster::Cluster;

/// Bytes of the unit in which a file gives sizes.
pub const MIB: u64 = 1024 * 1024;

/// Where the node keeps everything when nobody says otherwise.
pub const DATA_DIR_DEFAULT: &str = "data";

/// The consensus library tells at `info` what only its authors want to know.
pub const LOG_FILTER_DEFAULT: &str = "info,openraft=warn";

/// Everything `serve` and `demo` need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Log, keys, addresses. Default `data`.
    pub data_dir: PathBuf,
    /// Public listener. Default `127.0.0.1:8080`.
    pub http: SocketAddr,
    /// Operators' listener: health, metrics, operator calls. Default `127.0.0.1:9090`.
    pub ops: SocketAddr,
    /// Nights that can be sold from today on, 30 to 1,100. Fixed when the data directory is made;
    /// where it is not said, what was fixed counts, and 730 for a new one.
    pub horizon_nights: Option<u16>,
    /// Days after check-out when a booking leaves memory for the archive on disk, 3 to 1,095. Default 30.
    /// In a file: `after_days` under `[archive]`.
    pub archive_after_days: u16,
    /// Entries that stay in the log behind the older of the two snapshots kept, for followers that lag: one
    /// that lags by more is sent a snapshot. Default 16,384. In a file: `log_kept` under `[snapshots]`.
    pub log_kept: u64,
    /// Whether one guest may hold no more than a quarter of what is free of a room type on a night (and
    /// always one room). Fixed when the data directory is made; where it is not said, what was fixed
    /// counts, and no for a new one.
    pub cell_share: Option<bool>,
    /// How logs are written. Default: human on a terminal, JSON otherwise.
    pub log_format: LogFormat,
    /// What is logged, in the syntax of `tracing`'s filter. Default [`LOG_FILTER_DEFAULT`].
    pub log_filter: String,
    /// Whether `/readyz` waits for [`crate::state::Readiness::set_loaded`] (the demo's data).
    pub ready_after_load: bool,
    /// Go on with what is left of a log that has lost acknowledged entries. Never from a file: it is
    /// said once, by a person, after the loss is understood.
    pub accept_loss: bool,
    /// Start although the machine's clock is far ahead of the log.
    pub accept_clock: bool,
    /// MiB that must stay free on the disk for writes to be taken. Default 512.
    pub disk_reserve_mib: u64,
    /// MiB of memory that are got from the system while the node starts, and kept. Default 0.
    pub memory_reserve_mib: u64,
    /// Without it the node is alone.
    pub cluster: Option<Cluster>,
    /// Without it nothing is backed up by itself.
    pub backup: Option<Backup>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    #[default]
    Auto,
    Human,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(DATA_DIR_DEFAULT),
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            ops: SocketAddr::from(([127, 0, 0, 1], 9090)),
            horizon_nights: None,
            archive_after_days: ARCHIVE_DAYS_DEFAULT,
            log_kept: LOG_KEPT_ENTRIES_DEFAULT,
            cell_share: None,
            log_format: LogFormat::Auto,
            log_filter: LOG_FILTER_DEFAULT.to_owned(),
            ready_after_load: false,
            accept_loss: false,
            accept_clock: false,
            disk_reserve_mib: DISK_RESERVE_BYTES_DEFAULT / MIB,
            memory_reserve_mib: 0,
            cluster: None,
            backup: None,
        }
    }
}

/// What a configuration file may say; every key is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    http: Option<SocketAddr>,
    ops: Option<SocketAddr>,
    horizon_nights: Option<u16>,
    disk_reserve_mib: Option<u64>,
    memory_reserve_mib: Option<u64>,
    #[serde(default)]
    quota: FileQuota,
    #[serde(default)]
    log: FileLog,
    #[serde(default)]
    archive: FileArchive,
    #[serde(default)]
    snapshots: FileSnapshots,
    cluster: Option<cluster::File>,
    backup: Option<backup::File>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileArchive {
    after_days: Option<u16>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSnapshots {
    log_kept: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileQuota {
    cell_share: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLog {
    format: Option<LogFormat>,
    filter: Option<String>,
}

/// What the command line may say; it wins over the file.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Directory of the log, the keys and the addresses [default: data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Public address [default: 127.0.0.1:8080]; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Operators' address [default: 127.0.0.1:9090]; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    pub ops: Option<SocketAddr>,
    /// Nights that can be sold from today on, 30 to 1100 [default: 730]
    #[arg(long, value_name = "NIGHTS")]
    pub horizon: Option<u16>,
    /// How logs are written [default: human on a terminal, JSON otherwise]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}{at}: {message}")]
    Syntax { path: PathBuf, at: Place, message: String },
    #[error("horizon is {found} nights; it must be {HORIZON_NIGHTS_MIN} to {HORIZON_NIGHTS_MAX}")]
    Horizon { found: u16 },
    #[error("archive.after_days is {found}; it must be {ARCHIVE_DAYS_MIN} to {ARCHIVE_DAYS_MAX}")]
    ArchiveDays { found: u16 },
    #[error("log filter `{filter}` is not understood: {message}")]
    Filter { filter: String, message: String },
    #[error("http and ops are both {address}; give them different ports")]
    SameAddress { address: SocketAddr },
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    #[error(transparent)]
    Backup(#[from] backup::Error),
}

/// Line and column of a mistake, where known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(pub Option<(usize, usize)>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

impl Config {
    /// Defaults, then `file`, then `flags`, checked.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Self, Error> {
        let mut config = Self::default();
        if let Some(path) = file {
            config.take_file(parse(path)?, path.parent().unwrap_or(Path::new("")))?;
        }
        config.take_flags(flags);
        config.check()?;
        Ok(config)
    }

    fn take_file(&mut self, file: File, beside: &Path) -> Result<(), Error> {
        take(&mut self.data_dir, file.data_dir);
        take(&mut self.http, file.http);
        take(&mut self.ops, file.ops);
        self.horizon_nights = file.horizon_nights.or(self.horizon_nights);
        self.cell_share = file.quota.cell_share.or(self.cell_share);
        take(&mut self.log_format, file.log.format);
        take(&mut self.log_filter, file.log.filter);
        take(&mut self.archive_after_days, file.archive.after_days);
        take(&mut self.log_kept, file.snapshots.log_kept);
        take(&mut self.disk_reserve_mib, file.disk_reserve_mib);
        take(&mut self.memory_reserve_mib, file.memory_reserve_mib);
        self.cluster = file.cluster.map(|cluster| cluster.check(beside)).transpose()?;
        self.backup = file.backup.map(backup::File::check).transpose()?;
        Ok(())
    }

    fn take_flags(&mut self, flags: &Flags) {
        take(&mut self.data_dir, flags.data_dir.clone());
        take(&mut self.http, flags.http);
        take(&mut self.ops, flags.ops);
        self.horizon_nights = flags.horizon.or(self.horizon_nights);
        take(&mut self.log_format, flags.log_format);
    }

    fn check(&self) -> Result<(), Error> {
        if let Some(found) = self.horizon_nights
            && !(HORIZON_NIGHTS_MIN..=HORIZON_NIGHTS_MAX).contains(&found)
        {
            return Err(Error::Horizon { found });
        }
        if !(ARCHIVE_DAYS_MIN..=ARCHIVE_DAYS_MAX).contains(&self.archive_after_days) {
            return Err(Error::ArchiveDays { found: self.archive_after_days });
        }
        if self.http == self.ops && self.http.port() != 0 {
            return Err(Error::SameAddress { address: self.http });
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log_filter) {
            return Err(Error::Filter {
                filter: self.log_filter.clone(),
                message: error.to_string(),
            });
        }
        Ok(())
    }
}

fn take<T>(slot: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *slot = value;
    }
}

fn parse(path: &Path) -> Result<File, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| Error::Syntax {
        path: path.to_owned(),
        at: Place(error.span().map(|span| place(&text, span.start))),
        message: error.message().replace('\n', "; "),
    })
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("holdfast.toml");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let (_dir, path) = file("http = \"127.0.0.1:1000\"\nhorizon_nights = 365\n");
        let flags = Flags { horizon: Some(400), ..Flags::default() };
        let config = Config::load(Some(&path), &flags).unwrap();
        assert_eq!(config.http.port(), 1000);
        assert_eq!(config.horizon_nights, Some(400));
        assert_eq!(config.ops.port(), 9090);
    }

    #[test]
    fn the_share_of_a_cell_is_capped_where_the_file_says_so() {
        assert_eq!(Config::default().cell_share, None);
        let (_dir, path) = file("[quota]\ncell_share = true\n");
        let config = Config::load(Some(&path), &Flags::default()).unwrap();
        assert_eq!(config.cell_share, Some(true));
        let (_dir, path) = file("[quota]\nshare = true\n");
        assert!(Config::load(Some(&path), &Flags::default()).is_err());
    }

    #[test]
    fn how_much_log_stays_behind_a_snapshot_is_the_files_to_say() {
        assert_eq!(Config::default().log_kept, 16_384);
        let (_dir, path) = file("[snapshots]\nlog_kept = 0\n");
        assert_eq!(Config::load(Some(&path), &Flags::default()).unwrap().log_kept, 0);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let (_dir, path) = file("http = \"127.0.0.1:1000\"\n\nhorizon = 365\n");
        let refusal = Config::load(Some(&path), &Flags::default()).unwrap_err().to_string();
        assert!(refusal.contains("holdfast.toml:3:1"), "{refusal}");
        assert!(refusal.contains("horizon"), "{refusal}");
    }

    #[test]
    fn horizon_is_accepted_at_its_bounds_and_refused_one_past_them() {
        for (nights, good) in [(29, false), (30, true), (1_100, true), (1_101, false)] {
            let flags = Flags { horizon: Some(nights), ..Flags::default() };
            assert_eq!(Config::load(None, &flags).is_ok(), good, "{nights}");
        }
    }

    #[test]
    fn days_before_archiving_are_accepted_at_their_bounds_and_refused_one_past_them() {
        assert_eq!(Config::default().archive_after_days, 30);
        for (days, good) in [(2, false), (3, true), (1_095, true), (1_096, false)] {
            let (_dir, path) = file(&format!("[archive]\nafter_days = {days}\n"));
            let loaded = Config::load(Some(&path), &Flags::default());
            assert_eq!(loaded.is_ok_and(|it| it.archive_after_days == days), good, "{days}");
        }
    }
}
