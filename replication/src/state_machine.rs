//! The engine as openraft's state machine: entries in log order, outcomes to whoever waits.
//!
//! It owns the one [`Writer`] and the order of applying. It refuses to decide anything: what a command
//! means is the engine's. openraft's own snapshots are refused: this node keeps its whole log, and takes its
//! snapshots beside it.
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
    Entry, EntryPayload, LogId, NoSnapshot, Reply, Snapshot, SnapshotMeta, StoredMembership,
    TypeConfig,
};
use crate::runtime;
use crate::snapshots::{Marked, SnapshotError};

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
    last: Option<LogId>,
    membership: StoredMembership,
    /// The snapshot that was begun with.
    begun: Option<(LogId, StoredMembership)>,
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
            last: None,
            membership: StoredMembership::default(),
            begun: None,
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
                self.membership = StoredMembership::new(Some(entry.log_id), membership.clone());
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
        membership: StoredMembership,
        applied: Arc<AppliedLog>,
        follower: Option<Follower>,
    ) -> Self {
        let begun = Some((last, membership.clone()));
        Self { last: Some(last), membership, begun, ..Self::new(writer, applied, follower) }
    }

    /// The last entry that was applied.
    pub fn last(&self) -> Option<LogId> {
        self.last
    }

    /// Marks the state as it stands between two entries.
    pub fn mark(&mut self) -> Result<Marked, SnapshotError> {
        let last = self.last.ok_or(SnapshotError::Nothing)?;
        let capture = self.writer.capture().ok_or(SnapshotError::Running)?;
        let membership = self.membership.clone();
        Ok(Marked { capture, last, membership, at_ms: self.applied.at_ms() })
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
    type SnapshotData = NoSnapshot;
    type SnapshotBuilder = NoSnapshots;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok((self.last, self.membership.clone()))
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

    async fn try_create_snapshot_builder(&mut self, _force: bool) -> Option<NoSnapshots> {
        None
    }

    async fn get_snapshot_builder(&mut self) -> NoSnapshots {
        NoSnapshots
    }

    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMeta,
        _snapshot: NoSnapshot,
    ) -> Result<(), io::Error> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this build installs no snapshot"))
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, io::Error> {
        // A log that begins behind a snapshot has it: openraft asks at the start.
        Ok(self.begun.as_ref().map(|(last, membership)| Snapshot {
            meta: SnapshotMeta { last_log_id: Some(*last), last_membership: membership.clone() },
            snapshot: NoSnapshot,
        }))
    }
}

/// Refuses to build: a node that keeps its whole log needs no snapshot and has no format for one.
#[derive(Debug)]
pub(crate) struct NoSnapshots;

impl RaftSnapshotBuilder<TypeConfig> for NoSnapshots {
    type SnapshotData = NoSnapshot;

    async fn build_snapshot(&mut self) -> Result<Snapshot, io::Error> {
        let text = "this build keeps its whole log and cannot build a snapshot";
        Err(io::Error::new(io::ErrorKind::Unsupported, text))
    }
}
