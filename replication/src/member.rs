//! A member of a group, as the log knows it: where it is reached, and which disk it acknowledges with.
//!
//! It owns the pairing of a node's id with one disk. **Invariant**: nobody but the disk that was there
//! when a node became a member speaks under that node's id; a wiped machine is a stranger.

use std::fmt;

/// Names one disk's log, drawn when that is made; 0 stands for any.
pub(crate) const ANY_DISK: u128 = 0;

/// What a membership entry says about a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Member {
    /// `host:port` for the other nodes; empty for a node that is alone.
    pub address: String,
    pub disk: u128,
}

impl Member {
    /// A node of which only the address is known.
    pub fn at(address: impl Into<String>) -> Self {
        Self { address: address.into(), disk: ANY_DISK }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.address)
    }
}

/// Whether a disk that shows itself is the one that is meant.
pub(crate) fn is_meant(meant: u128, shown: u128) -> bool {
    meant == ANY_DISK || meant == shown
}
