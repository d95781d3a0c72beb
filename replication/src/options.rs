//! What a node is opened with.
//!
//! It owns the choices of whoever runs a node. Everything that must be alike on all replicas is in the
//! log, not here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use holdfast_engine::limits::ARCHIVE_DAYS_DEFAULT;

use crate::GroupId;
use crate::clock::{SystemTimeSource, TimeSource};
use crate::disk::{OnDiskFailure, abort_process};
use crate::limits::{DISK_RESERVE_BYTES_DEFAULT, LOG_KEPT_ENTRIES_DEFAULT, RAFT_THREADS_DEFAULT};
use crate::peer::tls::TlsFiles;
use crate::state_machine::Follower;

/// How far a node has come while it reads its log at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Index of the entry applied last.
    pub applied: u64,
    /// Index of the last entry of the log.
    pub last: u64,
}

/// Called on the thread that replays; every so many entries and at the end. `Break` ends the opening with
/// [`OpenError::Stopped`](crate::OpenError::Stopped).
pub type OnProgress = Box<dyn FnMut(Progress) -> ControlFlow<()> + Send>;

/// The cluster a node belongs to.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Made once for the cluster; nodes of another one are refused.
    pub id: u128,
    /// Drawn once for this node's disk and kept beside its log: a wiped machine has another.
    pub disk: u128,
    /// Where this node listens for the others.
    pub listen: SocketAddr,
    /// `None`: plain connections, for nodes of one machine.
    pub tls: Option<TlsFiles>,
    /// The voters to begin with and their addresses, `host:port`. Read only where this node has no log.
    pub voters: BTreeMap<u64, String>,
}

pub struct Options {
    /// The node's data directory; made where there is none.
    pub dir: PathBuf,
    pub group: GroupId,
    /// This node's id, from 1 on, never used again for another disk.
    pub node: u64,
    /// `None`: alone in its group.
    pub cluster: Option<Cluster>,
    pub time: Arc<dyn TimeSource>,
    pub on_progress: Option<OnProgress>,
    pub follower: Option<Follower>,
    /// Start with what is left of a log that has lost acknowledged entries. For nodes that are alone.
    pub accept_loss: bool,
    /// Start although the wall clock is more than `CLOCK_AHEAD_MS_MAX` past the log's last entry.
    pub accept_clock: bool,
    /// Threads of a runtime of the log's own, so that load at the doors cannot starve it. `None`: run on
    /// the runtime that opens the node.
    pub threads: Option<usize>,
    pub on_disk_failure: OnDiskFailure,
    /// Bytes that must stay free on the log's disk for commands to be taken.
    pub disk_reserve: u64,
    /// Days after check-out when bookings leave memory, 3 to 1,095: what this node asks the log for while
    /// it leads.
    pub archive_days: u16,
    /// Entries kept in the log behind the older of the two snapshots that are kept: a follower that lags by
    /// less is sent entries, one that lags by more a snapshot.
    pub log_kept: u64,
}

impl Options {
    /// A node alone in its group, on the machine's clocks, which ends the process when its disk fails.
    pub fn alone(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            group: GroupId(0),
            node: 1,
            cluster: None,
            time: Arc::new(SystemTimeSource::new()),
            on_progress: None,
            follower: None,
            accept_loss: false,
            accept_clock: false,
            threads: Some(RAFT_THREADS_DEFAULT),
            on_disk_failure: abort_process(),
            disk_reserve: DISK_RESERVE_BYTES_DEFAULT,
            archive_days: ARCHIVE_DAYS_DEFAULT,
            log_kept: LOG_KEPT_ENTRIES_DEFAULT,
        }
    }
}
