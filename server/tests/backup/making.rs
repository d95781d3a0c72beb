//! A node with a log, a place for its backup, and keys: what the tests of backups begin with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_engine::command::AddPartner;
use holdfast_engine::digest::Digest;
use holdfast_engine::ids::PartnerId;
use holdfast_engine::{Command, Verb};
use holdfast_replication::backup::StoredEntry;
use holdfast_replication::{DrivenTime, GroupId, Node, Options};
use holdfast_server::backup::archiver::{Archiver, Source};
use holdfast_server::backup::place::Place;
use holdfast_server::backup::plan::At;
use holdfast_server::backup::restore::{Asked, Made, NewNode, restore};
use holdfast_server::seal::key_name;
use holdfast_snapshot::backup::{Hash, Segment, Start};
use tempfile::TempDir;

pub const CLUSTER: u128 = 0xC1;
const START_MS: u64 = 1_795_000_000_000;

/// Keys of a deployment, in a directory's `keys`.
pub fn write_keys(dir: &Path) {
    std::fs::create_dir_all(dir.join("keys")).unwrap();
    for name in ["signing.key", "deployment.key"] {
        std::fs::write(dir.join("keys").join(name), "ab".repeat(32)).unwrap();
    }
}

/// Names them.
pub fn keys() -> Hash {
    Hash(key_name(&[0xab; 32]))
}

pub struct Making {
    pub dir: TempDir,
    pub node: Node,
    pub time: Arc<DrivenTime>,
    known: u128,
}

impl Making {
    pub async fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_keys(dir.path());
        let time = Arc::new(DrivenTime::new(START_MS));
        let node = open(&dir.path().join("node"), &time).await;
        let mut making = Self { dir, node, time, known: 0 };
        making.write(3).await;
        making
    }

    pub fn keys(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("backup")
    }

    pub fn place(&self) -> Place {
        Place::open(self.path().to_str().unwrap(), true).unwrap()
    }

    pub fn source(&self) -> Source {
        Source { place: self.place(), node: self.node.clone(), cluster: CLUSTER, keys: keys() }
    }

    pub fn archiver(&self) -> Archiver {
        Archiver::steady(self.source())
    }

    /// So many more entries, a second of the log's time apart.
    pub async fn write(&mut self, entries: usize) {
        for _ in 0..entries {
            self.time.advance(std::time::Duration::from_secs(1));
            self.known += 1;
            let verb = AddPartner { id: PartnerId(self.known), name: format!("P{}", self.known) };
            let command = Command::plain(Verb::AddPartner(verb));
            self.node.submit(command, None).await.unwrap();
        }
    }

    pub async fn digest(&self) -> (u64, Digest) {
        self.node.digest().await.unwrap()
    }

    /// Writes until the backup has all that the node has; the last entry, and the state after it.
    pub async fn all_written(&self, archiver: &mut Archiver) -> (u64, Digest) {
        loop {
            // A tick may come at any moment.
            let (index, digest) = self.digest().await;
            assert!(!archiver.round().await.unwrap().hole);
            let after = self.digest().await;
            if after.0 == index && archiver.tip().is_some_and(|tip| tip.next == index + 1) {
                return (index, digest);
            }
        }
    }

    /// Index and stamp of every entry.
    pub fn stamps(&self) -> Vec<(u64, Option<u64>)> {
        let start =
            Start { cluster: CLUSTER, group: 0, first: 0, from_ms: 0, previous: Hash::NONE };
        let piece = self.node.log_piece(start).unwrap().unwrap();
        let read = Segment::read(&piece.bytes).unwrap();
        let stamp =
            |(index, value)| (index, StoredEntry::read(GroupId(0), index, value).unwrap().at_ms());
        read.entries().map(stamp).collect()
    }

    /// Restores a node that is alone, and gives the digest of its state.
    pub async fn restored(&self, at: At) -> anyhow::Result<(Made, Digest)> {
        let data_dir = self.dir.path().join("restored");
        let made = restore(&self.asked(at, &data_dir), |_| {}).await?;
        // The first entry of its own comes after this.
        let node = open(&data_dir.join("log"), &Arc::new(DrivenTime::new(START_MS))).await;
        let (_, digest) = node.digest().await.unwrap();
        node.shutdown().await;
        std::fs::remove_dir_all(&data_dir).unwrap();
        Ok((made, digest))
    }

    pub fn asked(&self, at: At, data_dir: &Path) -> Asked {
        let nodes = vec![NewNode { data_dir: data_dir.to_owned(), cluster: None }];
        Asked { from: self.place(), at, nodes, keys: self.keys() }
    }

    /// Why a restore is refused; nothing is left of it.
    pub async fn refused(&self, at: At) -> String {
        let data_dir = self.dir.path().join("refused");
        let error = restore(&self.asked(at, &data_dir), |_| {}).await.unwrap_err();
        assert!(!data_dir.exists(), "a refused restore makes no directory");
        assert!(!data_dir.with_extension("restoring").exists(), "and leaves none behind");
        format!("{error:#}")
    }

    /// Files of a folder of the backup, in the order of their names.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path().join(folder)) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

async fn open(dir: &Path, time: &Arc<DrivenTime>) -> Node {
    let options = Options { threads: None, time: time.clone(), ..Options::alone(dir) };
    Node::open(options).await.unwrap()
}

/// Changes one byte in the middle of a file.
pub fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}
