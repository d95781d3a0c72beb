//! Changes of members: machines that join as learners, vote, and leave for good.
//!
//! It owns who is asked to be what next. **Invariant**: a machine that left never comes back under its id.

use std::sync::Arc;
use std::time::Duration;

use super::cluster::Cluster;
use super::dice::Dice;
use super::net::address_of;
use super::runtime;
use super::time::MachineTime;
use super::world::{Counts, world};
use crate::node::{Change, ChangeError, MemberRole};

/// Machines there may be at once.
const MACHINES_MAX: usize = 5;
/// Ids that are given in one simulation.
const IDS_MAX: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Members {
    cluster: Arc<Cluster>,
    next: u64,
}

impl Members {
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, next: 4 }
    }

    /// One step: a machine more, a voter more, or a member less.
    pub async fn step(&mut self, dice: &mut Dice) {
        Counts::add(&world().counts.member_changes);
        let Some(members) = self.list().await else { return };
        let learner = members.iter().find(|(_, role)| *role == MemberRole::Learner);
        let voters = members.iter().filter(|(_, role)| *role != MemberRole::Learner).count();
        let all = self.cluster.ids();
        let change = match learner {
            Some(&(node, _)) if !dice.one_in(4) => Change::Promote { node },
            Some(&(node, _)) => Change::Remove { node },
            None if voters > 3 && dice.one_in(2) => {
                let voters: Vec<u64> = members.iter().map(|(id, _)| *id).collect();
                Change::Remove { node: dice.of(&voters) }
            }
            None if all.len() < MACHINES_MAX && self.next < IDS_MAX => {
                let node = self.next;
                self.next += 1;
                self.cluster.add_machine(node, MachineTime::new(0, 0));
                self.cluster.start(node).await;
                Change::AddLearner { node, address: address_of(node).to_string() }
            }
            None => return,
        };
        let made = self.change(change.clone()).await;
        world().note(format_args!("{change:?}: {made:?}"));
        self.retire(&change, &made);
    }

    /// What was certainly taken out, or certainly never taken in, is switched off.
    fn retire(&self, change: &Change, made: &Option<Result<(), ChangeError>>) {
        let gone = match (change, made) {
            (Change::Remove { node }, Some(Ok(()))) => *node,
            (
                Change::AddLearner { node, .. },
                Some(Err(ChangeError::Refused(_) | ChangeError::NotLeader { .. })),
            ) => *node,
            _ => return,
        };
        self.cluster.retire(gone);
    }

    /// Switches off who is no member in the end: nobody speaks to it any more. `false` where nobody knows.
    pub async fn settle(&self) -> bool {
        let Some(members) = self.list().await else { return false };
        for id in self.cluster.ids() {
            if !members.iter().any(|(member, _)| *member == id) {
                self.cluster.retire(id);
            }
        }
        true
    }

    async fn list(&self) -> Option<Vec<(u64, MemberRole)>> {
        let up = self.cluster.processes();
        let leads = up.iter().find(|(_, process)| process.node.leads());
        let (_, process) = leads.or(up.first())?.clone();
        let node = process.node.clone();
        let asked = process.run(async move { node.members().await });
        let members = runtime::timeout(PATIENCE, asked).await.ok()??;
        Some(members.into_iter().map(|member| (member.node, member.role)).collect())
    }

    async fn change(&self, change: Change) -> Option<Result<(), ChangeError>> {
        let (_, process) = self.cluster.processes().into_iter().next()?;
        let node = process.node.clone();
        let asked = process.run(async move { node.change(change).await });
        runtime::timeout(PATIENCE, asked).await.ok()?
    }
}
