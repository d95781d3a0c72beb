//! A node: the facade that doors and workers hold.
//!
//! It owns the tasks around one group and their orderly end. It refuses to show how the log is kept.
//!
//! **Invariant**: a node that exists has applied its log as far as that is known to be committed, and one
//! that is alone has led; what it tells later follows from the log alone.

mod assemble;
mod forward;
mod join;
pub(crate) mod members;
mod recover;
mod replay;
mod start;
mod status;
mod tasks;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use holdfast_engine::booking::Booking;
use holdfast_engine::digest::Digest;
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Command, Reader, Ticket, command};
use holdfast_snapshot::backup::{Sealed, Start};
use openraft::async_runtime::WatchReceiver;
use parking_lot::Mutex;
use tokio::sync::oneshot;

pub(crate) use forward::Recent;
use forward::ToLeader;
use members::Members;
pub use members::{Change, ChangeError, MemberRole, MemberStatus};
pub use start::OpenError;
pub use status::{FatalError, Role, Status, Stuck};

use crate::GroupId;
use crate::applied::AppliedLog;
use crate::archive::{Archive, ArchiveError};
use crate::backup::{self, PieceError, StoredEntry};
use crate::clock::{LogClock, TimeSource};
use crate::lead::Lead;
use crate::limits::{
    ENTRY_BYTES_SOFT_MAX, FOLLOWER_AHEAD_MS_MAX, MANY_COMMANDS_MAX, SHUTDOWN_WAIT_MAX,
};
use crate::log::{Log, LogStore};
use crate::options::Options;
use crate::payload::Part;
use crate::proposer::{Item, Queue};
use crate::raft_types::{Raft, TypeConfig};
use crate::reads::{LeadershipError, ReadIndex, ReadPoint};
use crate::runtime::{self, JoinHandle, Runtime, watch};
use crate::snapshots::{SnapshotError, SnapshotStatus, SnapshotTaken, Taker};
use crate::space::Space;
use crate::submit::{Deadline, ManySubmission, Pending, Submission, SubmitError};
use crate::verify::{Fold, Scope, Verified, VerifyError, Watch};

/// A running node. Clones are the same node; it runs until [`Node::shutdown`].
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    /// The data directory.
    dir: PathBuf,
    group: GroupId,
    /// One of several, or may become it.
    in_cluster: bool,
    reader: Reader,
    raft: Raft,
    log: Log,
    store: LogStore,
    archive: Arc<Archive>,
    clock: Arc<LogClock>,
    time: Arc<dyn TimeSource>,
    applied: Arc<AppliedLog>,
    queue: Arc<Queue>,
    lead: watch::Receiver<Lead>,
    read_index: Arc<ReadIndex>,
    alarm: tasks::Alarm,
    to_leader: Arc<ToLeader>,
    members: Arc<Members>,
    space: Arc<Space>,
    taker: Arc<Taker>,
    tasks: Mutex<Option<Tasks>>,
    runtime: Mutex<Option<Runtime>>,
}

struct Tasks {
    proposer: JoinHandle<()>,
    completer: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

impl Node {
    /// Opens the log and applies it. A node that is alone leads when this returns; one of several may still
    /// wait for the others: [`Node::status`] says so.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        start::open(options).await
    }

    pub fn reader(&self) -> &Reader {
        &self.0.reader
    }

    /// The log's time now, in milliseconds since the Unix epoch. Never below applied log time; and where
    /// this node does not lead never far above it, whatever this machine's wall says.
    pub fn now_ms(&self) -> u64 {
        let (now, applied) = (self.0.clock.now_ms(), self.0.applied.at_ms());
        let most = match (self.0.in_cluster, self.leads()) {
            (true, false) => applied.saturating_add(FOLLOWER_AHEAD_MS_MAX),
            _ => u64::MAX,
        };
        now.min(most).max(applied)
    }

    /// Queues `command` at once; the future gives its outcome. Dropping the future loses neither the
    /// command nor the ticket.
    pub fn submit(&self, command: Command, ticket: Option<Ticket>) -> Submission {
        let part = Part::new(command);
        if part.encoded.len() > ENTRY_BYTES_SOFT_MAX {
            let bytes = part.encoded.len();
            return Pending::refused(SubmitError::TooLarge { commands: 1, bytes });
        }
        if self.0.in_cluster && !self.leads() {
            // The leader admits for itself: what was set aside here counts for nothing there.
            drop(ticket);
            return self.0.to_leader.one(&part);
        }
        if self.0.space.is_low() {
            return Pending::refused(SubmitError::DiskFull);
        }
        let (answer, pending) = oneshot::channel();
        match self.0.queue.push(Item::one(part, ticket, answer)) {
            Ok(()) => Pending::queued(pending, Deadline::from_now(self.0.time.clone())),
            Err(error) => Pending::refused(error),
        }
    }

    /// Queues commands that stay together in one entry, in order, once there is room for them.
    ///
    /// For streams of bulk changes: one caller's calls keep their order, and a slow log slows the stream
    /// down instead of refusing it. At most [`MANY_COMMANDS_MAX`] commands and 1 MiB.
    pub async fn submit_many(&self, commands: Vec<Command>) -> Result<ManySubmission, SubmitError> {
        let count = commands.len();
        let parts: Vec<Part> = commands.into_iter().map(Part::new).collect();
        let bytes = parts.iter().map(|part| part.encoded.len()).sum();
        if count > MANY_COMMANDS_MAX || bytes > ENTRY_BYTES_SOFT_MAX {
            return Err(SubmitError::TooLarge { commands: count, bytes });
        }
        if self.0.in_cluster && !self.leads() {
            return self.0.to_leader.many(&parts).await;
        }
        if self.0.space.is_low() {
            return Err(SubmitError::DiskFull);
        }
        let (answer, pending) = oneshot::channel();
        self.0.queue.push_bulk(Item::many(parts, answer)).await?;
        Ok(Pending::queued(pending, Deadline::from_now(self.0.time.clone())))
    }

    /// Confirms with a quorum that this node leads, after this call began: the answer is an index that
    /// was committed then and is applied now, by a leader that has applied an entry of its own term.
    pub async fn confirm_leadership(&self) -> Result<u64, LeadershipError> {
        self.0.read_index.confirm().await
    }

    /// What a linearizable read on this node rests on: an index that was committed after this call began
    /// and is applied here now, and the leader's time. Where another node leads, that one confirms both.
    pub async fn read_point(&self) -> Result<ReadPoint, LeadershipError> {
        self.0.to_leader.read_point().await
    }

    /// Changes who belongs to the group, or who leads it; any node hands that to the leader.
    pub async fn change(&self, change: Change) -> Result<(), ChangeError> {
        if !self.0.in_cluster {
            return Err(ChangeError::Refused("this node runs alone: it has no `[cluster]`".into()));
        }
        self.0.to_leader.change(change).await
    }

    /// Who belongs to the group, and what its leader knows of each.
    pub async fn members(&self) -> Vec<MemberStatus> {
        self.0.to_leader.members().await
    }

    /// Before an orderly stop: where this node leads and another voter can, that one leads when this
    /// returns. What comes in meanwhile is handed to it.
    pub async fn hand_over(&self) {
        if !self.0.in_cluster || !self.leads() {
            return;
        }
        match self.0.members.hand_over(None).await {
            Ok(()) => tracing::info!("the lead is handed over"),
            Err(error) => tracing::warn!(%error, "the lead could not be handed over"),
        }
    }

    /// Whether this node is one of several, or may become it.
    pub fn in_cluster(&self) -> bool {
        self.0.in_cluster
    }

    /// This node leads, and is ready to.
    pub fn leads(&self) -> bool {
        matches!(*self.0.lead.borrow(), Lead::Leading(_))
    }

    /// How old this node's state is at most: what was committed so long ago, on whichever node, is in every
    /// read that begins after this call. By this machine's monotonic clock; where all is well, half a
    /// second and a round of the quorum. `None` where no leader has confirmed it since the start.
    pub fn age(&self) -> Option<Duration> {
        self.0.to_leader.fresh.whole_as_of().map(|as_of| self.age_of(as_of))
    }

    /// The moment by this node's clock of which [`Self::age`] tells, for [`Self::age_of`].
    pub fn whole_as_of(&self) -> Option<Duration> {
        self.0.to_leader.fresh.whole_as_of()
    }

    /// How old a read is by now that began when the state was whole as of `as_of`.
    pub fn age_of(&self, as_of: Duration) -> Duration {
        self.0.time.elapsed().saturating_sub(as_of)
    }

    /// Returns once a leader has confirmed that this node's state is whole: its age is known from then on.
    pub async fn caught_up(&self) {
        self.0.to_leader.fresh.known().await;
    }

    /// Waits until `index` is applied here: `false` where that takes longer than `timeout`.
    pub async fn wait_applied(&self, index: u64, timeout: Duration) -> bool {
        if self.0.applied.index() >= Some(index) {
            return true;
        }
        tokio::select! {
            biased;
            () = self.0.applied.reached(index) => true,
            () = self.0.time.sleep(timeout) => false,
        }
    }

    /// The digest of the applied state and the index it is of, by the applying thread: writes wait while
    /// it reads everything.
    pub async fn digest(&self) -> Result<(u64, Digest), FatalError> {
        let digest = self.0.raft.with_state_machine(|machine| {
            let digest = machine.digest();
            Box::pin(async move { digest })
        });
        digest.await.map_err(|fatal| FatalError::Raft(fatal.to_string()))
    }

    /// Writes a snapshot of the applied state; entries are applied meanwhile. The next start begins with it.
    pub async fn snapshot(&self) -> Result<SnapshotTaken, SnapshotError> {
        self.0.taker.take().await
    }

    /// Where the snapshot as of an entry lies. Only the newest few stay: who reads one opens it first.
    pub fn snapshot_path(&self, index: u64) -> PathBuf {
        self.0.taker.snapshots.path_of(index)
    }

    /// The newest snapshot that this node has written or begun with.
    pub fn snapshot_status(&self) -> Option<SnapshotStatus> {
        self.0.taker.snapshots.status()
    }

    /// Folds this node's log once more, as far as it is applied now, into a state of its own, and checks
    /// it. Takes as much memory as the node's state and a thread for as long as a start would; the node
    /// goes on meanwhile.
    pub fn verify(&self, scope: Scope, watch: Watch<'_>) -> Result<Verified, VerifyError> {
        let mut fold = self.fold(scope)?;
        fold.run_to(self.0.applied.index(), watch)?;
        Ok(self.end(fold))
    }

    /// As [`Node::verify`], then up to the index of a digest of the node's own state, to be compared with
    /// that of the fold. Writes wait while that digest is taken.
    pub fn verify_against(
        &self,
        scope: Scope,
        take: impl FnOnce() -> Result<(u64, Digest), FatalError>,
        watch: Watch<'_>,
    ) -> Result<(Verified, Digest), VerifyError> {
        let mut fold = self.fold(scope)?;
        fold.run_to(self.0.applied.index(), watch)?;
        let (index, digest) = take().map_err(|_| VerifyError::NodeStopped)?;
        fold.run_to(Some(index), watch)?;
        Ok((self.end(fold), digest))
    }

    /// The end of a fold, the node's archive held against it.
    fn end(&self, fold: Fold) -> Verified {
        let archive = fold.check_archive(&self.0.archive);
        let mut verified = fold.end();
        verified.found += u64::from(archive.is_some());
        verified.findings.extend(archive);
        verified
    }

    fn fold(&self, scope: Scope) -> Result<Fold, VerifyError> {
        Fold::new(self.0.log.reader(self.0.group), (&self.0.dir, self.0.group), scope)
    }

    /// A booking that has left memory, as it stood then. To be asked for after the reader had none: whatever
    /// was booked is found in one of the two. Reads the disk.
    pub async fn archived(&self, id: BookingId) -> Result<Option<Arc<Booking>>, ArchiveError> {
        let archive = self.0.archive.clone();
        if let Some(booking) = archive.leaving(id) {
            return Ok(Some(booking));
        }
        let read = runtime::spawn_blocking(move || archive.get(id)).await;
        read.unwrap_or(Err(ArchiveError::Closed))
    }

    /// A piece of the log for a backup: applied entries from where `start` says on, some MiB of them at most.
    /// `None` where none is applied there yet. Blocks.
    pub fn log_piece(&self, start: Start) -> Result<Option<Sealed>, PieceError> {
        let Some(applied) = self.0.applied.index() else { return Ok(None) };
        backup::cut(&self.0.store, start, applied)
    }

    /// Whether an entry of a backup is in this node's log; `None` where the log does not reach there.
    pub fn has_entry(&self, entry: &StoredEntry) -> Result<Option<bool>, PieceError> {
        backup::has(&self.0.store, entry)
    }

    /// Entries from `index` on stay in the log, within a bound, because no backup has them yet. Nothing is
    /// kept for that until this is called once.
    pub fn keep_log_from(&self, index: u64) {
        self.0.taker.log_keep.keep_from(index);
    }

    /// The last entry that may be cut off the log where a snapshot allows `wanted`: less, within a bound, while
    /// a backup has less. `None`: none may.
    pub fn may_cut_log(&self, wanted: u64) -> Option<u64> {
        self.0.taker.log_keep.may_cut(wanted, self.0.applied.index()?)
    }

    pub fn group(&self) -> GroupId {
        self.0.group
    }

    pub fn status(&self) -> Status {
        status::status(self)
    }

    /// Resolves when this node can go on no more: end the process then.
    pub async fn fatal(&self) -> FatalError {
        tokio::select! {
            biased;
            fatal = self.0.alarm.raised() => fatal,
            fatal = self.core_ended() => fatal,
        }
    }

    async fn core_ended(&self) -> FatalError {
        let metrics = self.0.raft.metrics();
        // The other metrics change with every entry; these end with the core all the same.
        let mut changes = self.0.raft.server_metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_watched().running_state {
                return FatalError::Raft(fatal.to_string());
            }
            if changes.changed().await.is_err() {
                let ended = &metrics.borrow_watched().running_state;
                return match ended {
                    Err(fatal) => FatalError::Raft(fatal.to_string()),
                    Ok(()) => FatalError::Stopped,
                };
            }
        }
    }

    /// Takes nothing more in, finishes what is in flight, and closes the log. A second call does nothing.
    pub async fn shutdown(&self) {
        let Some(tasks) = self.0.tasks.lock().take() else { return };
        self.0.queue.close();
        let in_flight = async {
            // Both end by themselves once the queue is closed and empty; a panic ends them too.
            let _ = tasks.proposer.await;
            let _ = tasks.completer.await;
        };
        tokio::select! {
            biased;
            () = in_flight => {}
            () = self.0.time.sleep(SHUTDOWN_WAIT_MAX) => {
                tracing::warn!("shutting down with commands in flight: their outcome is unknown");
            }
        }
        if let Err(error) = self.0.raft.shutdown().await {
            tracing::error!(%error, "the log's core did not end in order");
        }
        for task in tasks.others {
            task.abort();
        }
        self.0.read_index.close();
        let node = self.clone();
        let close = move || {
            if let Err(error) = node.0.archive.close() {
                tracing::error!(%error, "the archive did not close in order");
            }
            node.0.log.close()
        };
        let closed = runtime::spawn_blocking(close).await;
        match closed {
            Ok(Ok(())) => tracing::info!("the log is closed"),
            Ok(Err(error)) => tracing::error!(%error, "the log did not close in order"),
            Err(error) => tracing::error!(%error, "closing the log panicked"),
        }
        drop(self.0.runtime.lock().take());
    }
}

/// A Raft group as the proposer sees it.
struct RaftLog {
    raft: Raft,
    reader: Reader,
    archive: Arc<Archive>,
    archive_days: u16,
}

impl crate::proposer::Log for RaftLog {
    async fn propose(
        &self,
        payload: crate::payload::Payload,
        leader: crate::raft_types::Leader,
        responder: openraft::impls::ProgressResponder<
            TypeConfig,
            openraft::raft::ClientWriteResult<TypeConfig>,
        >,
    ) {
        // On a fatal error the responder is dropped, which is the answer.
        let _ = self.raft.write(payload).with_leader(leader).responder(responder).await;
    }

    fn holds_due(&self, now_ms: u64) -> bool {
        self.reader.next_expiry_ms() <= now_ms
    }

    fn archive_due(&self) -> Option<command::Archive> {
        let due = self.archive.is_idle() && self.reader.archive_is_due(self.archive_days);
        due.then(|| command::Archive::after(self.archive_days))
    }
}
