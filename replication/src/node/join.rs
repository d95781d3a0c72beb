//! Beginning a cluster, once: a node without a log asks the others before one is made.
//!
//! It owns the rule for it. A cluster begins when all its configured voters are up and none of them has a
//! log; the one with the lowest id then writes the first entry, which names each voter with its disk. So
//! a cluster that was ever begun is never begun again beside itself, and from its first entry on no disk
//! but those speaks for a voter.
//!
//! **Invariant**: a node whose id was a voter's, and whose disk is empty, never votes again under that id.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use futures_util::future::join_all;

use super::FatalError;
use super::members::MemberStatus;
use crate::GroupId;
use crate::clock::TimeSource;
use crate::limits::JOIN_ASK_EVERY;
use crate::member::Member;
use crate::network::ask::members::read_members;
use crate::network::ask::{self, Ask};
use crate::network::peers::Peers;
use crate::peer::Purpose;
use crate::peer::hello::Identity;
use crate::raft_types::Raft;

/// A node without a log, and the cluster it is configured for.
pub(super) struct Fresh {
    pub me: Identity,
    pub group: GroupId,
    pub peers: Arc<Peers>,
    pub raft: Raft,
    pub time: Arc<dyn TimeSource>,
    /// The voters to begin with, this node among them; or others alone, where this node joins later.
    pub voters: BTreeMap<u64, String>,
}

/// What one of the others said.
enum Heard {
    Nothing,
    /// It is up and has no log; its disk.
    Fresh(u128),
    HasLog,
}

impl Fresh {
    /// Returns once the cluster is begun here, or was begun before: then this node waits to hear from it.
    /// An error where another node refuses this one.
    pub async fn begin(self) -> Result<(), FatalError> {
        let first = self.voters.keys().next().copied();
        let joins = !self.voters.contains_key(&self.me.node);
        if joins {
            tracing::info!("this node has no log and is no first voter: it waits to be added");
        }
        loop {
            // Written here by another node meanwhile: its first entry, or a vote asked for.
            if self.raft.is_initialized().await.unwrap_or(true) {
                return Ok(());
            }
            let others = self.voters.iter().filter(|(id, _)| **id != self.me.node);
            let heard = join_all(others.map(|(&id, address)| self.ask(id, address))).await;
            let heard = heard.into_iter().collect::<Result<Vec<_>, _>>()?;
            if heard.iter().any(|(_, heard)| matches!(heard, Heard::HasLog)) {
                tracing::info!("the cluster was begun: this node waits to hear from its leader");
                return Ok(());
            }
            let disk = |(id, heard): &(u64, Heard)| match heard {
                Heard::Fresh(disk) => Some((*id, *disk)),
                Heard::Nothing | Heard::HasLog => None,
            };
            let disks: Option<BTreeMap<u64, u128>> = heard.iter().map(disk).collect();
            if let Some(disks) = disks
                && first == Some(self.me.node)
            {
                return self.initialize(disks).await;
            }
            self.time.sleep(JOIN_ASK_EVERY).await;
        }
    }

    async fn ask(&self, node: u64, address: &str) -> Result<(u64, Heard), FatalError> {
        let link = self.peers.link(node, &Member::at(address), Purpose::Pulse);
        let asked = async {
            let disk = link.disk().await?;
            let answer = link.call(self.group).await?.ask(Ask::Standing.write()).await?;
            let standing = ask::read_standing(&answer).map_err(io::Error::other)?;
            if !standing.has_log {
                return Ok(Heard::Fresh(disk));
            }
            if self.voters.contains_key(&self.me.node) {
                let members = link.call(self.group).await?.ask(Ask::Members.write()).await?;
                let members = read_members(&members).map_err(io::Error::other)?;
                self.check_member(&members)?;
            }
            Ok(Heard::HasLog)
        };
        let answer = tokio::select! {
            biased;
            answer = asked => answer,
            () = self.time.sleep(JOIN_ASK_EVERY) => io::Result::Ok(Heard::Nothing),
        };
        match answer {
            Ok(heard) => Ok((node, heard)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(FatalError::Refused(error.to_string()))
            }
            Err(_) => Ok((node, Heard::Nothing)),
        }
    }

    /// A first voter is a member from the first entry on, until it is taken out: then its disk is too, and
    /// this one, which is empty, is not it.
    fn check_member(&self, members: &[MemberStatus]) -> io::Result<()> {
        let me = self.me.node;
        if members.is_empty() || members.iter().any(|member| member.node == me) {
            return Ok(());
        }
        let text = format!(
            "node {me} was a voter when this cluster began and is no member any more. A machine that was \
             taken out or wiped joins under a new id"
        );
        Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
    }

    async fn initialize(&self, mut disks: BTreeMap<u64, u128>) -> Result<(), FatalError> {
        disks.insert(self.me.node, self.me.disk);
        let member = |(id, disk): (u64, u128)| {
            let address = self.voters.get(&id).cloned().unwrap_or_default();
            (id, Member { address, disk })
        };
        let members: BTreeMap<u64, Member> = disks.into_iter().map(member).collect();
        match self.raft.initialize(members).await {
            Ok(()) => Ok(()),
            // Another node's vote came first, which only a begun cluster sends.
            Err(_) if self.raft.is_initialized().await.unwrap_or(false) => Ok(()),
            Err(error) => Err(FatalError::Raft(error.to_string())),
        }
    }
}
