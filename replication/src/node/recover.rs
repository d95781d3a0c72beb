//! What a start makes of the disk: log, snapshot, archive, and the state they make together.
//!
//! It owns the order: the log is opened and held against its guard, the newest snapshot that can be trusted is
//! loaded, the rest of the log is applied, and the archive is held against the state. It blocks.
//!
//! **Invariant**: what comes out is the state of the whole log, however much of it a snapshot stands for.

use std::path::PathBuf;
use std::sync::Arc;

use holdfast_engine::{Reader, State};

use super::{OpenError, replay};
use crate::GroupId;
use crate::applied::AppliedLog;
use crate::archive::{Archive, ArchiveError};
use crate::clock::TimeSource;
use crate::disk::OnDiskFailure;
use crate::log::{Log, LogOptions, LogStore};
use crate::options::OnProgress;
use crate::snapshots::{self, Begin, Snapshots};
use crate::state_machine::{Follower, StateMachine};

/// What is recovered, and how.
pub(super) struct Recovery {
    /// The node's data directory.
    pub dir: PathBuf,
    pub cluster: u128,
    pub group: GroupId,
    pub time: Arc<dyn TimeSource>,
    pub applied: Arc<AppliedLog>,
    pub follower: Option<Follower>,
    pub on_progress: Option<OnProgress>,
    pub accept_loss: bool,
    pub on_disk_failure: OnDiskFailure,
}

/// A log that was opened, and the state it makes.
pub(super) struct Recovered {
    pub log: Log,
    pub store: LogStore,
    /// Nothing was ever written or acknowledged.
    pub fresh: bool,
    pub machine: StateMachine,
    pub reader: Reader,
    pub archive: Arc<Archive>,
    pub snapshots: Arc<Snapshots>,
}

/// What the archive may be made anew from: a snapshot's file and the last index in it.
type Source = Option<(PathBuf, u64)>;

impl Recovery {
    pub fn run(self) -> Result<Recovered, OpenError> {
        let Self { dir, cluster, group, time, applied, .. } = self;
        // Before the log is opened: what a later build has written is left as it is.
        if let Some((path, why)) = snapshots::of_a_later_build(&dir, group) {
            return Err(OpenError::LaterSnapshot { path: path.display().to_string(), why });
        }
        let log = Log::open(LogOptions {
            dir: dir.clone(),
            accept_loss: self.accept_loss,
            time: time.clone(),
            on_disk_failure: self.on_disk_failure.clone(),
        })?;
        let opened = log.group(group)?;
        let (store, fresh) = (opened.store, opened.fresh);
        // Once the log is open: nobody else writes snapshots here.
        let snapshots =
            Snapshots::open(&dir, cluster, group, time).map_err(OpenError::Snapshots)?;
        let snapshots = Arc::new(snapshots);
        let fresh = !snapshots.take_in(&store).map_err(OpenError::Received)? && fresh;
        let begin = snapshots.begin(&store);
        if let Some(purged) = store.group().purged()
            && begin.is_none()
        {
            return Err(OpenError::NoSnapshot { first: purged.index.saturating_add(1) });
        }
        let source = begin.as_ref().map(|begin| (begin.path.clone(), begin.last.index));
        let (machine, reader) = machine(begin, applied, self.follower);
        let archive = Archive::open(&dir, group, reader.clone(), self.on_disk_failure)?;
        let archive = Arc::new(archive);
        let machine = machine.with_archive(archive.clone());
        let mut machine = machine.with_snapshots(snapshots.clone());
        let mut on_progress = self.on_progress;
        replay::replay(&store, &mut machine, &mut on_progress)?;
        let recovered = Recovered { log, store, fresh, machine, reader, archive, snapshots };
        recovered.check_archive(&source, self.accept_loss)?;
        Ok(recovered)
    }
}

impl Recovered {
    /// Refused: an archive that is not this state's, and that no snapshot can make so.
    fn check_archive(&self, source: &Source, accept_loss: bool) -> Result<(), ArchiveError> {
        let (applied, archived) = self.machine.archived();
        let last = self.store.group().last().map(|id| id.index);
        let check = || self.archive.check(archived, (applied, last), accept_loss);
        match (check(), source) {
            (Err(why), Some((path, through))) if why.is_of_records() => {
                tracing::warn!(%why, through, "the archive is made anew from the snapshot");
                self.archive.restore(path, *through)?;
                check()
            }
            (checked, _) => checked,
        }
    }
}

/// A state machine that goes on where the snapshot ends, or begins with nothing.
fn machine(
    begin: Option<Begin>,
    applied: Arc<AppliedLog>,
    follower: Option<Follower>,
) -> (StateMachine, Reader) {
    match begin {
        Some(Begin { writer, reader, last, roster, at_ms, .. }) => {
            applied.advance(last.index, Some(at_ms));
            (StateMachine::begin((writer, last), roster, applied, follower), reader)
        }
        None => {
            let (writer, reader) = State::new();
            (StateMachine::new(writer, applied, follower), reader)
        }
    }
}
