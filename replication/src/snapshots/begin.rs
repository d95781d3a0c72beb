//! What a start begins with: the newest snapshot that can be trusted.
//!
//! It owns that trust: a snapshot is whole, of this cluster and group, and the log goes on where it ends. It
//! refuses to repair: what is damaged is set aside, and an older one or the log itself serves.
//!
//! **Invariant**: nothing is begun with that the log's entries do not continue without a hole.

use std::path::{Path, PathBuf};

use holdfast_engine::{Reader, Writer};
use holdfast_snapshot::{Damage, Kept, LoadError, Loaded, Meta, ReadError, Shelf, Summary};

use super::{SnapshotFile, Snapshots, head};
use crate::GroupId;
use crate::log::{DiskReader, LogStore};
use crate::raft_types::LogId;
use crate::roster::Roster;
use crate::runtime::FILES;

/// A state to begin with.
pub(crate) struct Begin {
    pub writer: Writer,
    pub reader: Reader,
    pub last: LogId,
    pub roster: Roster,
    pub at_ms: u64,
    /// The file, for what of it is not in memory.
    pub path: PathBuf,
}

/// Why a snapshot is passed over.
enum Passed {
    /// It is no longer what was written.
    Damaged(String),
    /// It may serve another build, or another time; it does not serve this start.
    Unfit(String),
}

impl Snapshots {
    /// The newest snapshot that can be trusted, where there is one.
    pub fn begin(&self, log: &LogStore) -> Option<Begin> {
        let kept = self.shelf.list().unwrap_or_else(|error| {
            tracing::warn!(%error, "the snapshots cannot be listed");
            Vec::new()
        });
        for kept in kept {
            let index = kept.index;
            match self.trusted(&kept, log) {
                Ok((begin, bytes)) => {
                    tracing::info!(index, bytes, "begun with a snapshot");
                    return Some(begin);
                }
                Err(Passed::Unfit(why)) => {
                    tracing::warn!(index, why, "a snapshot is passed over");
                }
                Err(Passed::Damaged(why)) => {
                    tracing::error!(index, why, "a snapshot is damaged and set aside");
                    if let Err(error) = self.shelf.set_aside(&kept) {
                        tracing::warn!(%error, "it cannot be set aside");
                    }
                }
            }
        }
        None
    }

    fn trusted(&self, kept: &Kept, log: &LogStore) -> Result<(Begin, u64), Passed> {
        // The head first: a file that does not fit need not be read.
        let meta = FILES.read_meta(&kept.path).map_err(unreadable)?;
        let (last, roster) = self.fits(&meta, log)?;
        let Loaded { meta, summary, writer, reader } =
            FILES.load(&kept.path).map_err(|error| match error {
                LoadError::Read(error) => unreadable(error),
                error => Passed::Damaged(error.to_string()),
            })?;
        let (at_ms, path) = (meta.log_time_ms, kept.path.clone());
        let Summary { bytes, checksum, .. } = summary;
        let file = SnapshotFile { path: path.clone(), index: kept.index, bytes, checksum };
        self.has(file, last, roster.membership().clone());
        #[cfg(all(test, holdfast_sim))]
        crate::sim::witness::begun(last, &writer);
        Ok((Begin { writer, reader, last, roster, at_ms, path }, bytes))
    }

    /// Whether a file is of this group, and the log has the entry it stands at, or was cut right behind it.
    fn fits(&self, meta: &Meta, log: &LogStore) -> Result<(LogId, Roster), Passed> {
        let unfit = |why: &str| Err(Passed::Unfit(why.to_owned()));
        if (meta.cluster, meta.group) != (self.cluster, self.group.0) {
            return unfit("it is of another cluster or group");
        }
        let (last, roster) =
            head::place(meta).map_err(|damage| Passed::Damaged(damage.to_string()))?;
        let found = log.disk().id_at(last.index);
        let found = found.map_err(|damage| Passed::Unfit(damage.to_string()))?;
        if !continues(log.group().purged(), last, || found) {
            return unfit("the log does not go on where it ends");
        }
        Ok((last, roster))
    }
}

/// The state of the newest snapshot that what a log still has continues, and the index it is of: for a fold
/// beside a node, or without one. Nothing is set aside.
pub(crate) fn newest_continued(
    dir: &Path,
    group: GroupId,
    log: &DiskReader,
) -> Option<(Writer, Reader, u64)> {
    let kept = Shelf::at_on(FILES, &super::directory(dir, group)).list().unwrap_or_default();
    kept.into_iter().find_map(|kept| {
        let meta = FILES.read_meta(&kept.path).ok().filter(|meta| meta.group == group.0)?;
        let (last, _) = head::place(&meta).ok()?;
        if !continues(log.ends().ok()?.purged, last, || log.id_at(last.index).ok()?) {
            return None;
        }
        let loaded = FILES.load(&kept.path).ok()?;
        Some((loaded.writer, loaded.reader, last.index))
    })
}

/// A kept snapshot that only a later build than this one reads, and what it is.
pub(crate) fn of_a_later_build(dir: &Path, group: GroupId) -> Option<(PathBuf, String)> {
    let kept = Shelf::at_on(FILES, &super::directory(dir, group)).list().unwrap_or_default();
    kept.into_iter().find_map(|kept| match FILES.read_meta(&kept.path) {
        Err(ReadError::Damaged(why @ Damage::Version(_))) => Some((kept.path, why.to_string())),
        _ => None,
    })
}

/// Whether a log that was cut after `purged` goes on where a snapshot as of `last` ends.
fn continues(purged: Option<LogId>, last: LogId, id_at: impl FnOnce() -> Option<LogId>) -> bool {
    match purged {
        Some(purged) if purged.index > last.index => false,
        Some(purged) if purged.index == last.index => purged == last,
        _ => id_at() == Some(last),
    }
}

/// What cannot be read just now, or only by a later build, is not damaged.
fn unreadable(error: ReadError) -> Passed {
    match &error {
        ReadError::Io(_) | ReadError::Damaged(Damage::Version(_)) => {
            Passed::Unfit(error.to_string())
        }
        ReadError::Damaged(_) => Passed::Damaged(error.to_string()),
    }
}
