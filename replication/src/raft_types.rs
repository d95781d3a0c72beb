//! The types openraft is run with, named once.
//!
//! It owns the mapping from Holdfast's words to openraft's. Nothing here leaves the crate: a change of
//! openraft's version ends in this file and its neighbours.

use holdfast_engine::Outcome;
use openraft::impls::leader_id_adv::LeaderId;

use crate::member::Member;
use crate::payload::Payload;
use crate::snapshots::SnapshotFile;

openraft::declare_raft_types!(
    /// One Raft group: batches in, outcomes out.
    pub(crate) TypeConfig:
        D = Payload,
        R = Reply,
        NodeId = u64,
        Node = Member,
        AsyncRuntime = crate::runtime::RaftRuntime,
);

pub(crate) type Leader = LeaderId<u64, u64>;
pub(crate) type LogId = openraft::LogId<Leader>;
pub(crate) type Vote = openraft::Vote<Leader>;
pub(crate) type EntryPayload = openraft::EntryPayload<Payload, u64, Member>;
pub(crate) type Entry = openraft::Entry<Leader, EntryPayload>;
pub(crate) type Membership = openraft::Membership<u64, Member>;
pub(crate) type StoredMembership = openraft::type_config::alias::StoredMembershipOf<TypeConfig>;
pub(crate) type SnapshotMeta = openraft::type_config::alias::SnapshotMetaOf<TypeConfig>;
pub(crate) type Snapshot = openraft::type_config::alias::SnapshotOf<TypeConfig, SnapshotFile>;
pub(crate) type Raft = openraft::Raft<TypeConfig, crate::state_machine::StateMachine>;

/// What applying one entry answers to whoever proposed it: one outcome per command, in order.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub outcomes: Vec<Outcome>,
}
