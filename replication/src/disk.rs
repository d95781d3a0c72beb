//! What happens when the disk refuses: the node must not go on.
//!
//! It owns the words for it and the default answer, which ends the process: after a failed sync nobody
//! knows what the page cache still holds, so nothing may be acknowledged or retried.

use std::io::Write;
use std::sync::Arc;

/// A write or a sync that the disk did not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiskFailure {
    #[error("writing or syncing the log failed: {0}")]
    Log(String),
    #[error("writing the log's guard failed: {0}")]
    Guard(String),
    #[error("writing or syncing the archive failed: {0}")]
    Archive(String),
    #[error("the log's writer thread ended unexpectedly")]
    WriterDied,
}

/// Called on the thread that saw the failure. If it returns, the log answers every write with an error.
pub type OnDiskFailure = Arc<dyn Fn(&DiskFailure) + Send + Sync>;

/// Says why, then ends the process without running anything else.
pub fn abort_process() -> OnDiskFailure {
    Arc::new(|failure| {
        tracing::error!(%failure, "the disk failed: ending the process");
        // The log may be buffered or off, and a test keeps what `eprintln!` says to itself; whoever runs
        // the process must still learn why it ended.
        let _ = writeln!(std::io::stderr(), "holdfast: {failure}; ending the process");
        std::process::abort();
    })
}
