//! The guard: a small file beside the log that says how much of it must be there.
//!
//! It owns the claim "up to here this node has acknowledged as synced". It lags behind by at most
//! `GUARD_LAG_MAX`, off the acknowledgement path, and is lowered before a truncation.
//!
//! **Invariant**: the file never claims more than was synced.
//!
//! ```text
//! file   | "HFGUARD" | version u8 = 1 | groups u16 | groups × mark | xxh3-64 of all before, u64 |
//! mark   | group u16 | flags u8 | term u64 | node u64 | index u64 | vote term u64 | vote node u64 |
//! flags  | 1: has an acknowledged entry | 2: has a vote | 4: the vote is committed |
//! ```

mod file;
mod keeper;
#[cfg(not(holdfast_sim))]
mod whole_file;

use std::collections::BTreeMap;

pub use file::GuardError;
pub(crate) use file::{read, replace};
pub(crate) use keeper::Guard;
pub use keeper::GuardLag;

use crate::GroupId;
use crate::raft_types::{LogId, Vote};

/// What one group has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    pub last: Option<LogId>,
    pub vote: Option<Vote>,
}

impl Mark {
    /// Nothing was ever acknowledged: a log may begin here.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

pub(crate) type Marks = BTreeMap<GroupId, Mark>;
