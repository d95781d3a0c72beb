//! Replication: one command in, one durable, ordered, applied outcome out.
//!
//! It owns the log (openraft over a RocksDB of its own), the log's clock, the proposer and the life of a
//! node. It refuses to own business rules (the engine's) and doors (the server's).
//!
//! **Invariant**: no openraft or RocksDB type is visible above this crate, and an outcome is told to
//! nobody before its entry is on disk on a quorum and applied here.
//!
//! The facade in one glance:
//!
//! ```text
//! Node::open(Options) -> Result<Node, OpenError>          async; returns once its log is applied, and, for a node
//!                                                         that is alone, once it leads
//! Node: Clone                                             all clones are the same node
//!   reader()               -> &holdfast_engine::Reader
//!   now_ms()               -> u64                         the log's clock, never below applied log time
//!   submit(Command, Option<Ticket>)
//!                          -> Submission                  Future<Result<Applied, SubmitError>>; the command is
//!                                                         queued by the call itself, dropping the future loses nothing
//!   submit_many(Vec<Command>).await
//!                          -> Result<ManySubmission, SubmitError>
//!                                                         waits for room in the queue, keeps order; the future
//!                                                         inside yields Result<AppliedMany, SubmitError>
//!   confirm_leadership().await -> Result<u64, LeadershipError>
//!                                                         quorum-confirmed read index, applied here
//!   read_point().await     -> Result<ReadPoint, LeadershipError>
//!                                                         the same on any node: what a linearizable read needs
//!   change(Change).await   -> Result<(), ChangeError>     members and the lead; members().await lists them
//!   hand_over().await                                     before an orderly stop
//!   wait_applied(index, timeout).await -> bool
//!   archived(id).await     -> Result<Option<Arc<Booking>>, ArchiveError>
//!                                                         a booking that has left memory
//!   status()               -> Status
//!   digest().await         -> Result<(u64, holdfast_engine::digest::Digest), FatalError>
//!   snapshot().await       -> Result<SnapshotTaken, SnapshotError>   beside the writes
//!   verify(Scope, watch)   -> Result<Verified, VerifyError>   blocks: for a thread of its own
//!   log_piece(Start)       -> Result<Option<Sealed>, PieceError>   blocks: applied entries, for a backup
//!   keep_log_from(index)                                  what no backup has yet is not cut
//!   fatal().await          -> FatalError                  resolves when the node can go on no more
//!   shutdown().await
//!
//! Applied     { index: u64, ordinal: u32, outcome: Outcome }
//! AppliedMany { index: u64, first_ordinal: u32, outcomes: Vec<Outcome> }
//! SubmitError = Busy { retry_after } | NotLeader { leader } | Unknown { cause } | ShuttingDown
//!             | TooLarge { commands, bytes } | DiskFull
//! ```

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod applied;
mod archive;
pub mod backup;
pub mod clock;
pub mod disk;
#[cfg(test)]
mod fixture;
mod fresh;
mod lead;
pub mod limits;
mod log;
mod member;
mod network;
mod node;
mod options;
mod payload;
mod peer;
mod proposer;
mod raft_types;
mod reads;
mod roster;
mod runtime;
#[cfg(all(test, holdfast_sim))]
mod sim;
mod snapshots;
mod space;
mod state_machine;
mod submit;
pub mod verify;

pub use archive::ArchiveError;
pub use clock::{ClockHealth, DrivenTime, SystemTimeSource, TimeSource};
pub use disk::DiskFailure;
pub use holdfast_snapshot::{LoadError as SnapshotFileError, Meta as SnapshotHead};
pub use log::{Damage, GuardError, GuardLag, LogDamage, LogError};
pub use node::{
    Change, ChangeError, FatalError, MemberRole, MemberStatus, Node, OpenError, Role, Status, Stuck,
};
pub use options::{Cluster, OnProgress, Options, Progress};
pub use peer::tls::{TlsError, TlsFiles, node_name};
pub use reads::{LeadershipError, ReadPoint};
pub use snapshots::{SnapshotError, SnapshotStatus, SnapshotTaken};
pub use snapshots::{SnapshotInFile, verify_snapshot_file};
pub use state_machine::{AppliedEntry, Follower};
pub use submit::{
    Applied, AppliedMany, ManySubmission, Pending, Submission, SubmitError, UnknownCause,
};

/// A Raft group of this node. Every key of the log and every command's identity carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GroupId(pub u16);
