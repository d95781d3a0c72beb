//! The backup that goes on: a round every so often by the node that leads, a look by the others.
//!
//! It owns when; [`super::archiver`] owns what. A change of leader needs no word between nodes: whoever leads
//! next finds the last piece and goes on behind it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::archiver::{Archiver, Done, Error, Source, Tip};
use super::retention;
use crate::clock;
use crate::config::Backup;
use crate::limits::{BACKUP_LAST_ROUND_MAX, BACKUP_RETRY_AFTER, BACKUP_SWEEP_EVERY};
use holdfast_replication::SnapshotError;
use holdfast_snapshot::backup::Manifest;

/// What the keeper tells of the backup, for metrics and operators.
#[derive(Debug, Default)]
pub struct Told(Mutex<Report>);

/// How the backup is.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The last entry in it, and the log's clock there, milliseconds.
    pub last_index: Option<u64>,
    pub to_ms: u64,
    /// When the newest snapshot in it was written, milliseconds.
    pub snapshot_ms: Option<u64>,
    pub bytes: u64,
    pub failures: u64,
    pub holes: u64,
    /// Why the last attempt failed, where it did.
    pub failing: Option<String>,
}

impl Told {
    pub fn report(&self) -> Report {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn reached(&self, tip: Option<Tip>) {
        self.change(|report| {
            report.failing = None;
            if let Some(tip) = tip {
                report.last_index = tip.next.checked_sub(1);
                report.to_ms = tip.to_ms;
            }
        });
    }
}

/// Keeps a backup until the server stops.
pub struct Keeper {
    archiver: Archiver,
    settings: Backup,
    told: Arc<Told>,
    /// A snapshot on its way: the log does not wait for it.
    snapshot: Option<JoinHandle<Result<Manifest, Error>>>,
    swept: Option<Instant>,
}

impl Keeper {
    pub fn new(source: Source, settings: Backup, told: Arc<Told>) -> Self {
        let archiver = Archiver::steady(source);
        Self { archiver, settings, told, snapshot: None, swept: None }
    }

    /// Runs until told to stop; a node that leads still then writes a last round.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut next = clock::instant();
        loop {
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => break,
                () = sleep(next.saturating_duration_since(clock::instant())) => {}
            }
            let begun = clock::instant();
            let turned = tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => break,
                turned = self.turn() => turned,
            };
            next = begun + if self.tell(turned) { self.settings.every } else { self.retry_after() };
        }
        if self.archiver.source().node.leads() {
            let last = timeout(BACKUP_LAST_ROUND_MAX, self.archiver.round()).await;
            if !matches!(last, Ok(Ok(_))) {
                tracing::warn!("the last entries are not in the backup");
            }
        }
    }

    fn retry_after(&self) -> Duration {
        self.settings.every.min(BACKUP_RETRY_AFTER)
    }

    async fn turn(&mut self) -> Result<Done, Error> {
        if !self.archiver.source().node.leads() {
            self.archiver.look().await?;
            return Ok(Done::default());
        }
        self.end_snapshot().await;
        let done = self.archiver.round().await?;
        self.begin_snapshot().await?;
        if self.swept.is_none_or(|swept| swept.elapsed() >= BACKUP_SWEEP_EVERY) {
            let gone = retention::sweep(self.archiver.source(), self.settings.keep).await?;
            self.swept = Some(clock::instant());
            tracing::debug!(gone, "what aged out of the backup is removed");
        }
        Ok(done)
    }

    /// Begins a snapshot where the newest is old.
    async fn begin_snapshot(&mut self) -> Result<(), Error> {
        if self.snapshot.is_some() {
            return Ok(());
        }
        let source = self.archiver.source().clone();
        let newest = source.newest_snapshot().await?;
        self.told.change(|report| report.snapshot_ms = newest.as_ref().map(|it| it.written_ms));
        let age = newest.map(|newest| clock::wall_ms().saturating_sub(newest.written_ms));
        if age.is_none_or(|age| u128::from(age) >= self.settings.snapshot_every.as_millis()) {
            self.snapshot = Some(tokio::spawn(async move { source.snapshot().await }));
        }
        Ok(())
    }

    async fn end_snapshot(&mut self) {
        let Some(snapshot) = self.snapshot.take_if(|snapshot| snapshot.is_finished()) else {
            return;
        };
        match snapshot.await {
            Ok(Ok(Manifest { index, bytes, .. })) => {
                tracing::info!(index, bytes, "a snapshot is in the backup");
            }
            // The node's own, or an operator's: the newest is still old, so this turn asks again.
            Ok(Err(Error::Snapshot(SnapshotError::Running))) => {
                tracing::debug!("another snapshot is being written");
            }
            Ok(Err(error)) => self.failed(&error),
            Err(_) => self.failed(&Error::Ended),
        }
    }

    /// Whether it went well.
    fn tell(&self, turned: Result<Done, Error>) -> bool {
        match turned {
            Ok(done) => {
                self.told.reached(self.archiver.tip());
                self.told.change(|report| {
                    report.bytes += done.bytes;
                    report.holes += u64::from(done.hole);
                });
                true
            }
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }

    fn failed(&self, error: &Error) {
        let why = error.to_string();
        let last = self.archiver.tip().and_then(|tip| tip.next.checked_sub(1));
        tracing::error!(why, last, "the backup is not written");
        self.told.change(|report| {
            report.failures += 1;
            report.failing = Some(why);
        });
    }
}
