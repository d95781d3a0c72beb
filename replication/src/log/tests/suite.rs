//! openraft's own storage suite on the RocksDB store.
//!
//! The suite wants snapshots too, which the product's state machine refuses; it gets a state machine that
//! remembers positions and nothing else.

use std::io;

use futures_util::{Stream, StreamExt};
use openraft::storage::{EntryResponder, RaftStateMachine, Snapshot, SnapshotMeta};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::type_config::alias::{SnapshotMetaOf, SnapshotOf};
use openraft::{OptionalSend, RaftSnapshotBuilder, StorageError};
use tempfile::TempDir;

use super::{Log, LogStore, open};
use crate::raft_types::{EntryPayload, LogId, Reply, StoredMembership, TypeConfig};

#[derive(Debug, Clone, Default)]
struct Positions {
    last: Option<LogId>,
    membership: StoredMembership,
    snapshot: Option<SnapshotMetaOf<TypeConfig>>,
}

impl RaftSnapshotBuilder<TypeConfig> for Positions {
    type SnapshotData = ();

    async fn build_snapshot(&mut self) -> io::Result<SnapshotOf<TypeConfig, ()>> {
        Ok(Snapshot { meta: self.meta(), snapshot: () })
    }
}

impl Positions {
    fn meta(&self) -> SnapshotMetaOf<TypeConfig> {
        SnapshotMeta { last_log_id: self.last, last_membership: self.membership.clone() }
    }
}

impl RaftStateMachine<TypeConfig> for Positions {
    type SnapshotData = ();
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.last, self.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> io::Result<()>
    where
        Strm: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            self.last = Some(entry.log_id);
            if let EntryPayload::Membership(membership) = entry.payload {
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
            }
            if let Some(responder) = responder {
                responder.send(Reply::default());
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.snapshot = Some(self.meta());
        self.clone()
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMetaOf<TypeConfig>,
        (): (),
    ) -> io::Result<()> {
        self.last = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        self.snapshot = Some(meta.clone());
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<SnapshotOf<TypeConfig, ()>>> {
        Ok(self.snapshot.clone().map(|meta| Snapshot { meta, snapshot: () }))
    }
}

struct InTempDir;

impl StoreBuilder<TypeConfig, LogStore, Positions, (Log, TempDir)> for InTempDir {
    async fn build(
        &self,
    ) -> Result<((Log, TempDir), LogStore, Positions), StorageError<TypeConfig>> {
        let dir = tempfile::tempdir().expect("a directory");
        let (log, store) = open(dir.path()).expect("opened");
        Ok(((log, dir), store, Positions::default()))
    }
}

#[tokio::test]
async fn openrafts_own_suite_passes() {
    Suite::test_all(InTempDir).await.expect("the suite passes");
}
