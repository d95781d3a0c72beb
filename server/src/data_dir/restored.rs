//! A data directory made from a backup: beside its name until it is whole, then under it.
//!
//! **Invariant:** nothing that is there is touched, and a directory that has its name can be started.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{
    DEPLOYMENT, Error, FORMAT, IDENTITY, Identity, LOG, SIGNING, hex_id, io_error, read_key,
    replace,
};
use crate::random;

/// A directory in the making; dropped before it is finished, it is removed.
#[derive(Debug)]
pub struct Restored {
    name: PathBuf,
    beside: PathBuf,
    disk: u128,
    finished: bool,
}

/// Who a restored node is.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    Alone,
    /// A voter of a new cluster.
    Voter {
        cluster: u128,
        node: u64,
    },
}

impl Restored {
    /// Begins beside `name`, which must not be there or be empty.
    pub fn begin(name: &Path) -> Result<Self, Error> {
        let name = std::path::absolute(name).map_err(io_error("cannot find", name))?;
        if fs::read_dir(&name).is_ok_and(|mut inside| inside.next().is_some()) {
            return Err(Error::NotEmpty { path: name });
        }
        let beside = name.with_extension("restoring");
        if beside.exists() {
            return Err(Error::NotEmpty { path: beside });
        }
        let mut folders = fs::DirBuilder::new();
        folders.recursive(true).mode(0o700);
        folders.create(beside.join("keys")).map_err(io_error("cannot create", &beside))?;
        Ok(Self { name, beside, disk: random::bits(), finished: false })
    }

    /// The folder that belongs to the replication crate.
    pub fn log_dir(&self) -> PathBuf {
        self.beside.join(LOG)
    }

    /// Names this disk to the other nodes of a cluster.
    pub fn disk(&self) -> u128 {
        self.disk
    }

    /// Adds keys and identity, and takes the name.
    pub fn finish(mut self, role: Role, keys: &Path) -> Result<(), Error> {
        for name in [SIGNING, DEPLOYMENT] {
            let own = self.beside.join(name);
            let given = keys.join(own.file_name().unwrap_or_default());
            read_key(&given)?;
            replace(&own, &fs::read(&given).map_err(io_error("cannot read", &given))?)?;
        }
        let (cluster_id, node_id, disk_id) = match role {
            Role::Alone => (hex_id(random::bits()), 1, None),
            Role::Voter { cluster, node } => (hex_id(cluster), node, Some(hex_id(self.disk))),
        };
        let identity = Identity { format: FORMAT, cluster_id, node_id, log_made: true, disk_id };
        let text = serde_json::to_vec_pretty(&identity).unwrap_or_default();
        replace(&self.beside.join(IDENTITY), &text)?;
        // An empty directory of that name gives way.
        let fail = io_error("cannot take the name", &self.name);
        fs::rename(&self.beside, &self.name).map_err(fail)?;
        self.finished = true;
        let parent = self.name.parent().unwrap_or(Path::new("/"));
        File::open(parent).and_then(|it| it.sync_all()).map_err(io_error("cannot sync", parent))
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        if !self.finished {
            // What stays is refused by name the next time.
            let _ = fs::remove_dir_all(&self.beside);
        }
    }
}

/// The key in a directory of keys that opens guests' data.
pub fn deployment_key(keys: &Path) -> Result<zeroize::Zeroizing<[u8; 32]>, Error> {
    let given = keys.join(Path::new(DEPLOYMENT).file_name().unwrap_or_default());
    read_key(&given)
}
