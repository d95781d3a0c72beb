//! Beginning a cluster, once: a node without a log asks the others before it makes one.
//!
//! It owns the rule for it. A cluster begins when a majority of its configured voters, this node
//! included, are up and none of them has a log. So a cluster that has committed anything is never begun
//! again beside itself: its majority and this one would share a node.
//!
//! **Invariant**: a node whose id was a voter's, and whose disk is empty, never votes again under that id.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use openraft::BasicNode;

use super::OpenError;
use crate::GroupId;
use crate::clock::TimeSource;
use crate::limits::JOIN_ASK_EVERY;
use crate::network::ask::{self, Ask, Standing};
use crate::network::peers::Peers;
use crate::peer::Purpose;
use crate::raft_types::Raft;

/// A node without a log, and the cluster it is configured for.
pub(super) struct Fresh {
    pub node: u64,
    pub group: GroupId,
    pub peers: Arc<Peers>,
    pub raft: Raft,
    pub time: Arc<dyn TimeSource>,
    /// The voters to begin with, this node among them; or others alone, where this node joins later.
    pub voters: BTreeMap<u64, String>,
}

impl Fresh {
    /// Returns once the cluster is begun, or was already: then this node waits to be added.
    pub async fn begin(&self) -> Result<(), OpenError> {
        if !self.voters.contains_key(&self.node) {
            tracing::info!("this node has no log and is no first voter: it waits to be added");
            return Ok(());
        }
        loop {
            let others = self.voters.iter().filter(|(id, _)| **id != self.node);
            let standings: Vec<_> =
                join_all(others.map(|(&id, address)| self.ask(id, address))).await;
            let up: Vec<Standing> = standings.into_iter().flatten().collect();
            if up.iter().any(|other| other.has_log) {
                tracing::info!(
                    "the cluster was begun by others: this node waits to hear from them"
                );
                return Ok(());
            }
            if 2 * (up.len() + 1) > self.voters.len() {
                return self.initialize().await;
            }
            self.time.sleep(JOIN_ASK_EVERY).await;
        }
    }

    async fn ask(&self, node: u64, address: &str) -> Option<Standing> {
        let link = self.peers.link(node, address, Purpose::Pulse);
        let asked =
            async { link.call(self.group).await.ok()?.ask(Ask::Standing.write()).await.ok() };
        let answer = tokio::select! {
            answer = asked => answer?,
            () = self.time.sleep(JOIN_ASK_EVERY) => return None,
        };
        ask::read_standing(&answer).ok()
    }

    async fn initialize(&self) -> Result<(), OpenError> {
        let node = |(&id, address): (&u64, &String)| (id, BasicNode::new(address));
        let members: BTreeMap<u64, BasicNode> = self.voters.iter().map(node).collect();
        match self.raft.initialize(members).await {
            Ok(()) => Ok(()),
            // Another node of the same configuration was faster, which is as well.
            Err(_) if self.raft.is_initialized().await.unwrap_or(false) => Ok(()),
            Err(error) => Err(OpenError::Raft(error.to_string())),
        }
    }
}
