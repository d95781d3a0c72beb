//! Who belongs to a group by the entries applied so far, and the highest id that ever did.
//!
//! It owns the one thing that a membership forgets: an id that was taken out. It goes with a snapshot, so that it
//! outlives the log's entries. **Invariant**: the highest id never falls, whoever is removed.

use crate::raft_types::StoredMembership;

/// The members of a group, and the highest id of all that ever were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Roster {
    membership: StoredMembership,
    highest: u64,
}

impl Roster {
    /// Of members that are the first to be known of, or after others of whom one had the id `highest`.
    pub fn after(highest: u64, membership: StoredMembership) -> Self {
        let mut roster = Self { membership: StoredMembership::default(), highest };
        roster.change(membership);
        roster
    }

    /// An entry that names the members was applied.
    pub fn change(&mut self, membership: StoredMembership) {
        let ids = membership.membership().nodes().map(|(id, _)| *id);
        self.highest = ids.max().max(Some(self.highest)).unwrap_or(0);
        self.membership = membership;
    }

    pub fn membership(&self) -> &StoredMembership {
        &self.membership
    }

    /// Every id above this one was never a member's; 0 where nobody was.
    pub fn highest(&self) -> u64 {
        self.highest
    }
}
