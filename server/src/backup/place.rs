//! Where a backup lies: an object store or a directory, and the few things done with it.
//!
//! It owns URLs, names below a prefix, and the choice of store. Credentials come from the environment alone
//! (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, …) and are never shown.

use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::TryStreamExt;
use holdfast_snapshot::backup::{HEAD_BYTES, Hash, Hashing, SegmentHead};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutPayload, WriteMultipart,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::limits::{BACKUP_PART_BYTES, BACKUP_PARTS_AHEAD_MAX};

/// A place for one backup. Clones are the same place.
#[derive(Clone)]
pub struct Place {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    shown: String,
}

/// What became of an object that was to be written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Now,
    /// Somebody has that name already.
    Before,
}

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Below the prefix.
    pub name: String,
    pub bytes: u64,
    /// By the store's clock, milliseconds.
    pub written_ms: u64,
}

impl Place {
    /// `s3://bucket/prefix`, `file:///directory`, or a directory. With `make`, a directory that is not there
    /// is made.
    pub fn open(at: &str, make: bool) -> anyhow::Result<Self> {
        if let Some(rest) = at.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            return Self::s3(at, bucket, prefix);
        }
        let directory = at.strip_prefix("file://").unwrap_or(at);
        if directory.contains("://") {
            bail!(
                "a backup lies at s3://bucket/prefix, file:///directory or in a directory; not at {at}"
            );
        }
        if make {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("the directory {directory} cannot be made"))?;
        }
        let store = LocalFileSystem::new_with_prefix(directory)
            .with_context(|| format!("there is no backup at {at}"))?
            .with_fsync(true);
        Ok(Self::of(Arc::new(store), "", at))
    }

    /// A place in a store that is open already.
    pub fn of(store: Arc<dyn ObjectStore>, prefix: &str, shown: &str) -> Self {
        Self { store, prefix: Path::from(prefix), shown: shown.to_owned() }
    }

    fn s3(at: &str, bucket: &str, prefix: &str) -> anyhow::Result<Self> {
        // The one provider of the process; another that is there already serves as well.
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .build()
            .with_context(|| format!("the object store of {at} cannot be used"))?;
        Ok(Self::of(Arc::new(store), prefix, at))
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), Path::join)
    }

    /// Writes an object under a name that nobody has.
    pub async fn put_once(&self, name: &str, bytes: Vec<u8>) -> Result<Written, StoreError> {
        let (path, payload) = (self.path(name), PutPayload::from(Bytes::from(bytes)));
        match self.store.put_opts(&path, payload.clone(), PutMode::Create.into()).await {
            Ok(_) => Ok(Written::Now),
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                Ok(Written::Before)
            }
            // A store that cannot tell is asked first: two nodes that write at once write the same log.
            Err(StoreError::NotSupported { .. } | StoreError::NotImplemented { .. }) => {
                match self.store.head(&path).await {
                    Ok(_) => Ok(Written::Before),
                    Err(StoreError::NotFound { .. }) => {
                        self.store.put(&path, payload).await.map(|_| Written::Now)
                    }
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Sends a file in parts; its length and hash. The object is there whole or not at all.
    pub async fn put_file(&self, name: &str, from: std::fs::File) -> anyhow::Result<(u64, Hash)> {
        let upload = self.store.put_multipart(&self.path(name)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, BACKUP_PART_BYTES);
        let sent = send(tokio::fs::File::from_std(from), &mut writer).await;
        match sent {
            Ok(sent) => {
                writer.finish().await?;
                Ok(sent)
            }
            Err(error) => {
                // The first failure is the one that is told.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }

    pub async fn get(&self, name: &str) -> Result<Bytes, StoreError> {
        self.store.get(&self.path(name)).await?.bytes().await
    }

    /// The head of a piece of the log, and its hash.
    pub async fn head_of(&self, name: &str) -> anyhow::Result<(SegmentHead, Hash)> {
        let head = self.store.get_range(&self.path(name), 0..HEAD_BYTES as u64).await?;
        Ok(SegmentHead::read(&head)?)
    }

    /// Fetches an object into a file; its length and hash.
    pub async fn get_file(&self, name: &str, to: &FilePath) -> anyhow::Result<(u64, Hash)> {
        let mut file = tokio::fs::File::create(to).await?;
        let mut parts = self.store.get(&self.path(name)).await?.into_stream();
        let (mut bytes, mut hash) = (0, Hashing::default());
        while let Some(part) = parts.try_next().await? {
            hash.update(&part);
            bytes += part.len() as u64;
            file.write_all(&part).await?;
        }
        file.sync_all().await?;
        Ok((bytes, hash.hash()))
    }

    /// What is in a folder, by name; after `after`, where that is given.
    pub async fn list(&self, folder: &str, after: Option<&str>) -> Result<Vec<Listed>, StoreError> {
        let folder = self.path(folder);
        let found = match after {
            Some(after) => self.store.list_with_offset(Some(&folder), &self.path(after)),
            None => self.store.list(Some(&folder)),
        };
        let prefix = self.prefix.clone();
        let mut found: Vec<Listed> = found
            .map_ok(|meta| Listed {
                name: below(&prefix, &meta.location),
                bytes: meta.size,
                written_ms: u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or(0),
            })
            .try_collect()
            .await?;
        found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// Removes an object; one that is not there is removed.
    pub async fn remove(&self, name: &str) -> Result<(), StoreError> {
        match self.store.delete(&self.path(name)).await {
            Err(StoreError::NotFound { .. }) => Ok(()),
            removed => removed,
        }
    }
}

fn below(prefix: &Path, location: &Path) -> String {
    let rest = location.as_ref().strip_prefix(prefix.as_ref()).unwrap_or(location.as_ref());
    rest.trim_start_matches('/').to_owned()
}

async fn send(
    mut file: tokio::fs::File,
    writer: &mut WriteMultipart,
) -> anyhow::Result<(u64, Hash)> {
    let (mut bytes, mut hash) = (0, Hashing::default());
    let mut part = vec![0; BACKUP_PART_BYTES];
    loop {
        let read = file.read(&mut part).await?;
        if read == 0 {
            return Ok((bytes, hash.hash()));
        }
        let read = part.get(..read).unwrap_or_default();
        hash.update(read);
        bytes += read.len() as u64;
        writer.wait_for_capacity(BACKUP_PARTS_AHEAD_MAX).await?;
        writer.write(read);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Place({})", self.shown)
    }
}
