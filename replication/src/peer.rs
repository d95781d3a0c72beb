//! The way between nodes: frames on connections that say who they are.
//!
//! It owns connections, their handshake, and the requests that share them. It refuses to know what Raft
//! decides: requests go to a handler, answers come back in the order the other side gave them.
//!
//! Each peer is reached over up to four connections, one per [`Purpose`], so that a snapshot or a full
//! pipe of entries never delays a heartbeat or a vote.
//!
//! **Invariant**: nothing is read from a connection before both sides have named cluster, node and
//! purpose and agree on them; and a request ends exactly once: answered, or failed with its connection.

pub(crate) mod frame;
pub(crate) mod hello;
pub(crate) mod link;
pub(crate) mod listen;
pub(crate) mod message;
pub(crate) mod tcp;
#[cfg(test)]
mod tests;
pub(crate) mod tls;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Purpose {
    /// Entries of all groups, pipelined.
    Entries = 1,
    /// Heartbeats, votes, transfers: small and urgent.
    Pulse = 2,
    /// Snapshots: large and patient.
    Snapshots = 3,
    /// Commands handed to the leader, and read indexes.
    Commands = 4,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Entries, Self::Pulse, Self::Snapshots, Self::Commands];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&purpose| purpose as u8 == byte)
    }
}
