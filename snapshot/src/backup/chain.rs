//! Which pieces follow each other.
//!
//! Pieces are looked at in the order of their names. Each continues a chain that is there, or begins one; one
//! that does neither has lost what it follows, and nothing after it can be trusted to follow.
//!
//! **Invariant**: within a chain no entry is missing, none is there twice, and time does not go back.

use super::{Hash, SegmentHead};

/// Pieces that follow each other without a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Index of its first entry.
    pub first: u64,
    /// Index of its last entry.
    pub last: u64,
    /// The log's clock before the first and after the last entry, milliseconds.
    pub from_ms: u64,
    pub to_ms: u64,
    /// Of its last piece.
    pub tip: Hash,
}

/// A piece that follows none that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("entries {from} to {to} are missing")]
    Hole { from: u64, to: u64 },
    #[error(
        "the piece from entry {first} on does not follow the one before it: one of them is another's"
    )]
    Swapped { first: u64 },
    #[error("the piece from entry {first} on is of cluster {cluster:032x}, group {group}")]
    Foreign { first: u64, cluster: u128, group: u16 },
}

/// All chains of a backup.
#[derive(Debug, Clone)]
pub struct Chains {
    cluster: u128,
    group: u16,
    chains: Vec<Chain>,
}

impl Chains {
    #[must_use]
    pub fn of(cluster: u128, group: u16) -> Self {
        Self { cluster, group, chains: Vec::new() }
    }

    /// As far as they were looked at, in the order in which they begin.
    #[must_use]
    pub fn all(&self) -> &[Chain] {
        &self.chains
    }

    /// The chain that has an entry; the longest where several do.
    #[must_use]
    pub fn with(&self, index: u64) -> Option<&Chain> {
        let has = |chain: &&Chain| (chain.first..=chain.last).contains(&index);
        self.chains.iter().filter(has).max_by_key(|chain| chain.last)
    }

    /// The next piece by name, with its hash. One that is refused begins a chain of its own: what follows
    /// it can still be used from a later snapshot on.
    pub fn follow(&mut self, head: &SegmentHead, link: Hash) -> Result<(), Broken> {
        let SegmentHead { cluster, group, first, last, .. } = *head;
        if (cluster, group) != (self.cluster, self.group) {
            return Err(Broken::Foreign { first, cluster, group });
        }
        let follows = |chain: &&mut Chain| {
            chain.tip == head.previous && chain.last.checked_add(1) == Some(first)
        };
        if let Some(chain) = self.chains.iter_mut().find(follows) {
            let is_later = head.to_ms >= chain.to_ms;
            chain.last = last;
            chain.to_ms = chain.to_ms.max(head.to_ms);
            chain.tip = link;
            return if is_later { Ok(()) } else { Err(Broken::Swapped { first }) };
        }
        // What the first one that is left followed was removed in its time.
        let is_oldest = self.chains.is_empty();
        let before = self.chains.iter().map(|chain| chain.last).max();
        let (from_ms, to_ms) = (head.from_ms, head.to_ms);
        self.chains.push(Chain { first, last, from_ms, to_ms, tip: link });
        if is_oldest || head.previous == Hash::NONE {
            return Ok(());
        }
        let from = before.map_or(0, |last| last.saturating_add(1));
        match first.checked_sub(1) {
            Some(to) if from <= to => Err(Broken::Hole { from, to }),
            _ => Err(Broken::Swapped { first }),
        }
    }
}
