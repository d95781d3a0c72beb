//! Writing a backup: the log since the last piece, and snapshots.
//!
//! It owns the place in the chain of pieces that this node has found or made. Any node may write: pieces hold
//! committed entries alone, and the name of a piece is taken once, so whoever loses goes on behind the
//! winner. **Invariant**: a piece follows the one before it, or says that it follows none.

use anyhow::Context;
use holdfast_replication::backup::{PieceError, StoredEntry};
use holdfast_replication::{Node, SnapshotError};
use holdfast_snapshot::backup::{
    Hash, LOG, MANIFESTS, Manifest, ObjectDamage, Sealed, Segment, Start, index_of, manifest_name,
    segment_name, snapshot_name,
};
use object_store::Error as StoreError;

use super::place::{Place, Written};
use crate::{clock, random};

/// Why a backup is not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the backup's place does not answer: {0}")]
    Store(#[from] StoreError),
    #[error("the log cannot be read for the backup: {0}")]
    Log(PieceError),
    #[error("no snapshot for the backup: {0}")]
    Snapshot(#[from] SnapshotError),
    #[error("the snapshot does not reach the backup: {0:#}")]
    Upload(anyhow::Error),
    #[error(
        "this place has the backup of cluster {theirs:032x}, not of {ours:032x}: give each cluster a \
         place of its own"
    )]
    OtherCluster { theirs: u128, ours: u128 },
    #[error(
        "this place has another history of this cluster: entry {index} there is not the one here. It may \
         be the log before a loss was accepted; give the backup a new place"
    )]
    OtherHistory { index: u64 },
    #[error("nothing is in the log yet")]
    Nothing,
    #[error("a task of the backup ended early")]
    Ended,
}

/// The end of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Index of the first entry of the last piece; of a chain without pieces, of what is before it.
    first: u64,
    /// Index of the entry that comes next.
    pub next: u64,
    /// The log's clock after the last entry, milliseconds.
    pub to_ms: u64,
    link: Hash,
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    pub pieces: u64,
    pub bytes: u64,
    /// A chain was begun anew because the log was cut before the backup had it, or the last piece is damaged.
    pub hole: bool,
}

/// What is backed up, and where to. Clones are the same.
#[derive(Clone)]
pub struct Source {
    pub place: Place,
    pub node: Node,
    /// Names the deployment, of a node that is alone too.
    pub cluster: u128,
    /// Names the key that opens guests' data.
    pub keys: Hash,
}

/// Writes one node's log to one place.
pub struct Archiver {
    source: Source,
    tip: Option<Tip>,
    /// What the place lacks is not to be cut off the log.
    keeps_log: bool,
    /// The snapshot that the chain was begun with, where it was taken for that.
    begun_with: Option<Manifest>,
}

impl Archiver {
    /// For the configured place: the log waits for it.
    pub fn steady(source: Source) -> Self {
        source.node.keep_log_from(0);
        Self { source, tip: None, keeps_log: true, begun_with: None }
    }

    /// For a place that is written to once.
    pub fn once(source: Source) -> Self {
        Self { source, tip: None, keeps_log: false, begun_with: None }
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    pub fn tip(&self) -> Option<Tip> {
        self.tip
    }

    /// Looks how far others have written, and lets the log be cut up to there.
    pub async fn look(&mut self) -> Result<Option<Tip>, Error> {
        // From the known piece on, itself not included.
        let after = self.tip.map(|tip| segment_name(tip.first));
        let newer = self.source.place.list(LOG, after.as_deref()).await?;
        let Some(last) = newer.iter().rev().find(|listed| index_of(&listed.name).is_some()) else {
            return Ok(self.tip);
        };
        let bytes = self.source.place.get(&last.name).await?;
        match Segment::read(&bytes) {
            Ok(piece) => self.adopt(&piece).await?,
            Err(damage) => self.pass_over(&last.name, damage),
        }
        Ok(self.tip)
    }

    async fn adopt(&mut self, piece: &Segment<'_>) -> Result<(), Error> {
        let head = &piece.head;
        if (head.cluster, head.group) != (self.source.cluster, self.source.node.group().0) {
            return Err(Error::OtherCluster { theirs: head.cluster, ours: self.source.cluster });
        }
        let last =
            piece.last().map(|value| StoredEntry::read(self.source.node.group(), head.last, value));
        if let Some(Ok(last)) = last {
            let node = self.source.node.clone();
            let has = tokio::task::spawn_blocking(move || node.has_entry(&last)).await;
            if has.map_err(|_| Error::Ended)?.map_err(Error::Log)? == Some(false) {
                return Err(Error::OtherHistory { index: head.last });
            }
        }
        let next = head.last.saturating_add(1);
        self.reached(Tip { first: head.first, next, to_ms: head.to_ms, link: piece.link });
        Ok(())
    }

    /// A last piece that is damaged cannot be followed: the chain begins anew behind it.
    fn pass_over(&mut self, name: &str, damage: ObjectDamage) {
        tracing::error!(name, %damage, "the last piece of the backup is damaged: a new chain begins");
        self.tip = None;
    }

    /// Writes everything that is applied here and not there yet.
    pub async fn round(&mut self) -> Result<Done, Error> {
        let mut done = Done::default();
        let mut is_cut = false;
        self.look().await?;
        loop {
            let Some(tip) = self.tip else {
                let is_anew = is_cut || !self.source.place.list(LOG, None).await?.is_empty();
                self.begin(is_anew).await?;
                done.hole |= is_anew;
                continue;
            };
            match self.cut(tip).await {
                Ok(None) => return Ok(done),
                Ok(Some(piece)) => {
                    let bytes = piece.bytes.len() as u64;
                    if self.put(tip, piece).await? {
                        done.pieces += 1;
                        done.bytes += bytes;
                    }
                }
                Err(Error::Log(PieceError::Gone { from, begins })) => {
                    tracing::error!(
                        from,
                        begins,
                        "the log was cut before the backup had it: the backup has a hole there"
                    );
                    self.tip = None;
                    is_cut = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes everything that is applied here and not there yet, and a snapshot of now: the one that the chain
    /// begins with, where it begins.
    pub async fn whole(&mut self) -> Result<(Done, Manifest), Error> {
        let before = self.round().await?;
        let Some(snapshot) = self.begun_with.take() else {
            let snapshot = self.source.snapshot().await?;
            // What came while the snapshot was written.
            let Done { pieces, bytes, hole } = self.round().await?;
            let done = Done {
                pieces: before.pieces + pieces,
                bytes: before.bytes + bytes,
                hole: before.hole || hole,
            };
            return Ok((done, snapshot));
        };
        Ok((before, snapshot))
    }

    async fn cut(&self, tip: Tip) -> Result<Option<Sealed>, Error> {
        let start = Start {
            cluster: self.source.cluster,
            group: self.source.node.group().0,
            first: tip.next,
            from_ms: tip.to_ms,
            previous: tip.link,
        };
        let node = self.source.node.clone();
        let cut = tokio::task::spawn_blocking(move || node.log_piece(start)).await;
        cut.map_err(|_| Error::Ended)?.map_err(Error::Log)
    }

    /// Whether this node wrote it; where another did, that one's is followed.
    async fn put(&mut self, tip: Tip, piece: Sealed) -> Result<bool, Error> {
        let Sealed { head, link, bytes } = piece;
        match self.source.place.put_once(&segment_name(head.first), bytes).await? {
            Written::Now => {
                let next = head.last.saturating_add(1);
                self.reached(Tip { first: head.first, next, to_ms: head.to_ms, link });
                Ok(true)
            }
            Written::Before => {
                self.look().await?;
                if self.tip == Some(tip) {
                    // Its name sorts after the tip's, so it was found, unless it is damaged.
                    self.tip = None;
                }
                Ok(false)
            }
        }
    }

    /// Begins a chain: from the entry after a snapshot on, the newest that is there unless it begins anew.
    async fn begin(&mut self, is_anew: bool) -> Result<(), Error> {
        // Another cluster's place is refused before anything is written.
        let newest = self.source.newest_snapshot().await?;
        let manifest = match newest.filter(|_| !is_anew) {
            Some(newest) => newest,
            None => {
                let taken = self.source.snapshot().await?;
                self.begun_with = Some(taken.clone());
                taken
            }
        };
        let next = manifest.index.saturating_add(1);
        let to_ms = manifest.log_time_ms;
        // A name before that of the first piece to come, so that another node's is found.
        self.reached(Tip { first: manifest.index, next, to_ms, link: Hash::NONE });
        Ok(())
    }

    fn reached(&mut self, tip: Tip) {
        self.tip = Some(tip);
        if self.keeps_log {
            self.source.node.keep_log_from(tip.next);
        }
    }
}

impl Source {
    /// Takes a snapshot of this node's state and puts it there.
    pub async fn snapshot(&self) -> Result<Manifest, Error> {
        let taken = self.node.snapshot().await?;
        let path = self.node.snapshot_path(taken.index);
        let open = || {
            let meta = holdfast_snapshot::read_meta(&path)?;
            // Open from here on: a newer one may take its name away meanwhile.
            anyhow::Ok((meta, std::fs::File::open(&path)?))
        };
        let (meta, file) = open().context("the snapshot cannot be read").map_err(Error::Upload)?;
        let name = snapshot_name(meta.index, random::bits() as u64);
        let (bytes, contents) = self.place.put_file(&name, file).await.map_err(Error::Upload)?;
        let manifest = Manifest {
            cluster: self.cluster,
            group: meta.group,
            index: meta.index,
            log_time_ms: meta.log_time_ms,
            written_ms: clock::wall_ms(),
            bytes,
            contents,
            keys: self.keys,
            name,
        };
        // Another node's snapshot of the same entry is the same state.
        self.place.put_once(&manifest_name(meta.index), manifest.encode()).await?;
        Ok(manifest)
    }

    /// The newest snapshot that is there.
    pub async fn newest_snapshot(&self) -> Result<Option<Manifest>, Error> {
        let listed = self.place.list(MANIFESTS, None).await?;
        for listed in listed.iter().rev() {
            match Manifest::read(&self.place.get(&listed.name).await?) {
                Ok(manifest) if manifest.cluster == self.cluster => return Ok(Some(manifest)),
                Ok(other) => {
                    return Err(Error::OtherCluster { theirs: other.cluster, ours: self.cluster });
                }
                Err(damage) => {
                    tracing::error!(name = listed.name, %damage, "a manifest of the backup is damaged");
                }
            }
        }
        Ok(None)
    }
}
