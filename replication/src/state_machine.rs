//! The engine as openraft's state machine: entries in log order, outcomes to whoever waits.
//!
//! It owns the one [`Writer`] and the order of applying. It refuses to decide anything: what a command
//! means is the engine's. Snapshots are taken beside it, and taken in by a start: what openraft has of them
//! is their place in the log, and files.
//!
//! **Invariant**: every entry is applied exactly once, in order, and its outcome told after that.

use std::io;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use holdfast_engine::archive::Archived;
use holdfast_engine::digest::Digest;
use holdfast_engine::{Code, Event, Outcome, Writer};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{OptionalSend, RaftSnapshotBuilder};

use crate::applied::AppliedLog;
use crate::archive::Archive;
use crate::limits::APPLY_COMMANDS_PER_TURN;
use crate::node::Recent;
use crate::raft_types::{
    Entry, EntryPayload, LogId, Reply, Snapshot, SnapshotMeta, StoredMembership, TypeConfig,
};
use crate::roster::Roster;
use crate::runtime;
use crate::snapshots::{Marked, SnapshotError, SnapshotFile, Snapshots};

/// What one applied entry did, for those who follow the log: feed, mirror, live streams.
#[derive(Debug)]
pub struct AppliedEntry<'a> {
    pub index: u64,
    pub at_ms: u64,
    pub events: &'a [Event],
}

/// Called on the applying thread with each entry that made events, in log order; it must be quick.
pub type Follower = Box<dyn FnMut(&AppliedEntry<'_>) + Send + Sync>;

pub(crate) struct StateMachine {
    writer: Writer,
    applied: Arc<AppliedLog>,
    follower: Option<Follower>,
    recent: Arc<Recent>,
    archive: Option<Arc<Archive>>,
    snapshots: Option<Arc<Snapshots>>,
    last: Option<LogId>,
    roster: Roster,
    outcomes: Vec<Outcome>,
    events: Vec<Event>,
    /// How much damage the writer met of which an alarm was raised.
    damage_told: u64,
}

impl StateMachine {
    pub fn new(writer: Writer, applied: Arc<AppliedLog>, follower: Option<Follower>) -> Self {
        Self {
            writer,
            applied,
            follower,
            recent: Arc::default(),
            archive: None,
            snapshots: None,
            last: None,
            roster: Roster::default(),
            outcomes: Vec::new(),
            events: Vec::new(),
            damage_told: 0,
        }
    }

    /// What is archived goes there; without one it stays in memory.
    #[must_use]
    pub fn with_archive(mut self, archive: Arc<Archive>) -> Self {
        self.archive = Some(archive);
        self
    }

    /// Where its snapshots are; without it openraft has none of them.
    #[must_use]
    pub fn with_snapshots(mut self, snapshots: Arc<Snapshots>) -> Self {
        self.snapshots = Some(snapshots);
        self
    }

    fn current(&self) -> Option<Snapshot> {
        let (meta, snapshot) = self.snapshots.as_ref()?.current()?;
        Some(Snapshot { meta, snapshot })
    }

    /// The index of the last applied entry, and what was archived up to it.
    pub fn archived(&self) -> (Option<u64>, Archived) {
        (self.last.map(|last| last.index), self.writer.archived())
    }

    /// Applies one entry; returns how many commands it had. Its outcomes lie in `self.outcomes` afterwards,
    /// unless they were kept for those who forwarded the commands.
    pub fn apply_entry(&mut self, entry: &Entry, keep_recent: bool) -> io::Result<usize> {
        self.outcomes.clear();
        let index = entry.log_id.index;
        let mut stamp = None;
        match &entry.payload {
            EntryPayload::Blank => self.writer.skip(index),
            EntryPayload::Membership(membership) => {
                self.writer.skip(index);
                let membership = StoredMembership::new(Some(entry.log_id), membership.clone());
                self.roster.change(membership);
            }
            EntryPayload::Normal(payload) => {
                let batch = payload.batch().map_err(|error| {
                    // Its checksum was right: this build cannot read what another one wrote.
                    let text = format!("entry {index} cannot be decoded: {error}");
                    io::Error::new(io::ErrorKind::InvalidData, text)
                })?;
                self.events.clear();
                self.writer.apply(index, batch, &mut self.outcomes, &mut self.events);
                stamp = Some(batch.at_ms);
                self.applied.count_bytes(payload.bytes().len());
                self.raise_alarms(index);
                if let Some(archive) = &self.archive {
                    archive.keep(index, &self.events)?;
                }
                self.tell_follower(index, batch.at_ms);
            }
        }
        #[cfg(all(test, holdfast_sim))]
        crate::sim::witness::applied(
            entry,
            &self.outcomes,
            (&self.writer, self.archive.as_deref().map(Archive::reader)),
        );
        self.last = Some(entry.log_id);
        let commands = self.outcomes.len();
        if keep_recent && commands > 0 {
            // Before the index is announced, so that whoever waits for it finds them.
            self.recent.keep(index, std::mem::take(&mut self.outcomes));
        }
        self.applied.advance(index, stamp);
        Ok(commands)
    }

    /// One that goes on where a snapshot ends.
    pub fn begin(
        (writer, last): (Writer, LogId),
        roster: Roster,
        applied: Arc<AppliedLog>,
        follower: Option<Follower>,
    ) -> Self {
        Self { last: Some(last), roster, ..Self::new(writer, applied, follower) }
    }

    /// The last entry that was applied.
    pub fn last(&self) -> Option<LogId> {
        self.last
    }

    /// The highest id that ever was a member's, by what is applied.
    pub fn highest_member(&self) -> u64 {
        self.roster.highest()
    }

    /// Marks the state as it stands between two entries.
    pub fn mark(&mut self) -> Result<Marked, SnapshotError> {
        let last = self.last.ok_or(SnapshotError::Nothing)?;
        let capture = self.writer.capture().ok_or(SnapshotError::Running)?;
        #[cfg(all(test, holdfast_sim))]
        crate::sim::witness::marked(last, &self.writer);
        let roster = self.roster.clone();
        Ok(Marked { capture, last, roster, at_ms: self.applied.at_ms() })
    }

    /// Where outcomes go that nobody here proposed.
    pub fn recent(&self) -> Arc<Recent> {
        self.recent.clone()
    }

    /// The index of the last applied entry, and the digest of the state after it.
    pub fn digest(&self) -> (u64, Digest) {
        (self.last.map_or(0, |last| last.index), self.writer.digest())
    }

    /// On every replica and at every reading of the log, not only at the door that asked.
    fn raise_alarms(&mut self, index: u64) {
        for (ordinal, outcome) in self.outcomes.iter().enumerate() {
            if matches!(outcome, Outcome::Refused(refusal) if refusal.code == Code::Invariant) {
                tracing::error!(index, ordinal, "a command met a state that must not be: refused");
                self.applied.count_invariant_refusal();
            }
        }
        let damage = self.writer.damage();
        for _ in self.damage_told..damage {
            tracing::error!(index, "a count had not what had to be taken out of it: damaged state");
            self.applied.count_invariant_refusal();
        }
        self.damage_told = damage;
    }

    fn tell_follower(&mut self, index: u64, at_ms: u64) {
        if let Some(follower) = &mut self.follower
            && !self.events.is_empty()
        {
            follower(&AppliedEntry { index, at_ms, events: &self.events });
        }
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = Written;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok((self.last, self.roster.membership().clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        let mut commands = 0;
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            commands += self.apply_entry(&entry, responder.is_none())?.max(1);
            if let Some(responder) = responder {
                responder.send(Reply { outcomes: std::mem::take(&mut self.outcomes) });
            }
            // Those who were just answered may wait for this very thread.
            if commands >= APPLY_COMMANDS_PER_TURN {
                commands = 0;
                runtime::yield_now().await;
            }
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, _force: bool) -> Option<Written> {
        self.current().map(|snapshot| Written(Some(snapshot)))
    }

    async fn get_snapshot_builder(&mut self) -> Written {
        Written(self.current())
    }

    /// A state that readers hold is not exchanged under them: a snapshot that was received is taken in by a
    /// start, and openraft is never asked to.
    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMeta,
        _snapshot: SnapshotFile,
    ) -> Result<(), io::Error> {
        let text = "a snapshot is taken in by a start alone";
        Err(io::Error::new(io::ErrorKind::Unsupported, text))
    }

    /// What is sent to a node that needs one.
    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        let to_send = self.snapshots.as_ref().and_then(|snapshots| snapshots.to_send());
        Ok(to_send.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// What openraft calls building: the newest snapshot, which was on disk before it was asked for. So a disk
/// that fails ends the taking of a snapshot, and not the node.
#[derive(Debug)]
pub(crate) struct Written(Option<Snapshot>);

impl RaftSnapshotBuilder<TypeConfig> for Written {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "no snapshot was written yet");
        self.0.take().ok_or_else(none)
    }
}
