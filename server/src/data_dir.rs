//! The data directory: identity, keys, lock and addresses of one node.
//!
//! Secrets are written once, readable by their owner alone, and synced before anyone relies on
//! them. The log lives in a folder of its own that only the replication crate opens.
//!
//! **Invariant:** one process at a time holds the lock of a data directory.

mod cluster;
pub mod restored;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::config::Cluster;
use crate::random;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{action} {path}: {source}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{path} is in use by another process; stop it, or give this one another --data-dir")]
    Locked { path: PathBuf },
    #[error("{path} is not empty; a restored node gets a directory of its own")]
    NotEmpty { path: PathBuf },
    #[error("{path} has no signing key; start the node on this directory once, then mint tokens")]
    NoKeys { path: PathBuf },
    #[error("{path} is damaged ({why}); restore it from a backup of this directory")]
    Damaged { path: PathBuf, why: String },
    #[error(
        "{path} is of layout {found}, by a later build than this one, which reads {FORMAT}. Nothing was \
         changed: start that later build, or a newer one, on this directory"
    )]
    LaterLayout { path: PathBuf, found: u32 },
    #[error("{path} is not the data directory of a node")]
    NotANode { path: PathBuf },
    #[error("{path} does not exist; start the node, then try again")]
    NotRunning { path: PathBuf },
    #[error(
        "{path} is gone, but this node has used it; restore it from a backup of this directory"
    )]
    Lost { path: PathBuf },
    #[error(
        "{path} is empty, but this node has kept its log there: mount or restore it, or start once \
         with `holdfast serve --accept-loss` to begin with an empty log"
    )]
    LogLost { path: PathBuf },
    #[error(
        "{path} belongs to node {node} of cluster {cluster}: start it with its configuration file"
    )]
    OfACluster { path: PathBuf, node: u64, cluster: String },
    #[error(
        "{path} was begun by a node that is alone; a node of a cluster needs a directory of its own"
    )]
    Alone { path: PathBuf },
    #[error(
        "{path} was made for cluster {made}, the configuration names {asked}: this is another node's \
         directory or another cluster's configuration"
    )]
    OtherCluster { path: PathBuf, made: String, asked: String },
    #[error("{path} is node {made}'s, not node {asked}'s: each node has a directory of its own")]
    OtherNode { path: PathBuf, made: u64, asked: u64 },
    #[error(
        "{own} is not the cluster's ({given}): nodes with different keys refuse each other's tokens"
    )]
    OtherKeys { own: PathBuf, given: PathBuf },
}

/// Who this node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Layout of this directory; this build reads 1.
    pub format: u32,
    /// Names the deployment in tokens.
    pub cluster_id: String,
    /// This node's number within the deployment.
    pub node_id: u64,
    /// A log was made here once: one that is gone is lost, not new.
    #[serde(default)]
    pub log_made: bool,
    /// Names this disk to the other nodes of a cluster; a node that is alone has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_id: Option<String>,
}

/// Where the running node listens, as bound (port 0 resolved).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    pub http: SocketAddr,
    pub ops: SocketAddr,
}

/// The secrets of a node. Dropped, they are wiped from memory.
pub struct Secrets {
    /// Seed of the Ed25519 key that signs tokens.
    pub signing_seed: Zeroizing<[u8; 32]>,
    /// Wraps each guest's key.
    pub deployment_key: Zeroizing<[u8; 32]>,
    /// Opens the operator calls.
    pub operator_token: Zeroizing<String>,
}

/// A data directory held by this process.
pub struct DataDir {
    root: PathBuf,
    identity: Identity,
    secrets: Secrets,
    _lock: File,
}

const LOCK: &str = "lock";
const LOG: &str = "log";
const IDENTITY: &str = "identity.json";
const ADDRESSES: &str = "addresses.json";
const SIGNING: &str = "keys/signing.key";
const DEPLOYMENT: &str = "keys/deployment.key";
const OPERATOR: &str = "keys/operator.token";
const FORMAT: u32 = 1;

impl DataDir {
    /// As [`DataDir::open_in`], for a node that is alone.
    pub fn open(root: &Path) -> Result<Self, Error> {
        Self::open_in(root, None)
    }

    /// Takes the lock and reads the directory, making what is missing on a first start. One that was made
    /// for another cluster, another node, or for a node that is alone, is refused as it is.
    pub fn open_in(root: &Path, asked: Option<&Cluster>) -> Result<Self, Error> {
        // What lies here is the operator's alone: keys, bookings, the catalogue.
        let mut folders = fs::DirBuilder::new();
        folders.recursive(true).mode(0o700);
        folders.create(root.join("keys")).map_err(io_error("cannot create", root))?;
        let lock = lock(root)?;
        if root.join(IDENTITY).exists() {
            cluster::check(root, &identity(root, asked)?, asked)?;
        }
        if let Some(asked) = asked {
            cluster::take_keys(root, asked)?;
        }
        // Keys are made before the identity: where there is one, a missing key is a lost one.
        let known = root.join(IDENTITY).exists();
        let secrets = Secrets {
            signing_seed: key(root, SIGNING, known)?,
            deployment_key: key(root, DEPLOYMENT, known)?,
            operator_token: operator_token(root)?,
        };
        let identity = identity(root, asked)?;
        // A crash of an earlier run leaves addresses that nobody listens on any more.
        match fs::remove_file(root.join(ADDRESSES)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("cannot remove", &root.join(ADDRESSES))(error));
            }
            _ => {}
        }
        Ok(Self { root: root.to_owned(), identity, secrets, _lock: lock })
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Names this disk to the other nodes; 0 for a node that is alone.
    pub fn disk_id(&self) -> u128 {
        let text = self.identity.disk_id.as_deref().unwrap_or_default();
        u128::from_str_radix(text, 16).unwrap_or(0)
    }

    /// Refuses a folder of the log that is empty although it was in use: an unmounted disk, a restore
    /// that left it out.
    pub fn check_log(&self) -> Result<(), Error> {
        let path = self.log_dir();
        let empty = fs::read_dir(&path).map_or(true, |mut files| files.next().is_none());
        if self.identity.log_made && empty { Err(Error::LogLost { path }) } else { Ok(()) }
    }

    /// Remembers that there is a log. Called once it was opened.
    pub fn log_is_made(&mut self) -> Result<(), Error> {
        if self.identity.log_made {
            return Ok(());
        }
        self.identity.log_made = true;
        let text = serde_json::to_vec_pretty(&self.identity).unwrap_or_default();
        replace(&self.root.join(IDENTITY), &text)
    }

    /// The folder that belongs to the replication crate.
    pub fn log_dir(&self) -> PathBuf {
        self.root.join(LOG)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Says where the node listens; written once it does.
    pub fn publish(&self, addresses: Addresses) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(&addresses).unwrap_or_default();
        replace(&self.root.join(ADDRESSES), &text)
    }

    /// Takes the addresses away again on an orderly stop.
    pub fn withdraw(&self) {
        // Nothing depends on it: the next start removes what is left.
        let _ = fs::remove_file(self.root.join(ADDRESSES));
    }
}

/// The identity and signing seed of a directory that another process may hold.
pub fn peek_signing(root: &Path) -> Result<(Identity, Zeroizing<[u8; 32]>), Error> {
    let path = root.join(SIGNING);
    if !path.exists() || !root.join(IDENTITY).exists() {
        return Err(Error::NoKeys { path: root.to_owned() });
    }
    Ok((identity(root, None)?, read_key(&path)?))
}

/// The addresses and operator token of the node that runs on a directory.
pub fn peek_operator(root: &Path) -> Result<(Addresses, Zeroizing<String>), Error> {
    let path = root.join(ADDRESSES);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::NotRunning { path });
        }
        Err(error) => return Err(io_error("cannot read", &path)(error)),
    };
    let addresses = serde_json::from_slice(&bytes)
        .map_err(|error| Error::Damaged { path, why: error.to_string() })?;
    let token = fs::read_to_string(root.join(OPERATOR))
        .map_err(io_error("cannot read", &root.join(OPERATOR)))?;
    Ok((addresses, Zeroizing::new(token.trim().to_owned())))
}

/// The directory of a node that does not run, kept from starting while this lives.
#[derive(Debug)]
pub struct Held {
    root: PathBuf,
    _lock: File,
}

impl Held {
    /// The folder that belongs to the replication crate.
    pub fn log_dir(&self) -> PathBuf {
        self.root.join(LOG)
    }
}

/// Holds a directory whose node does not run; `None` where one does.
pub fn hold_stopped(root: &Path) -> Result<Option<Held>, Error> {
    if !root.join(IDENTITY).exists() {
        return Err(Error::NotANode { path: root.to_owned() });
    }
    match lock(root) {
        Ok(lock) => Ok(Some(Held { root: root.to_owned(), _lock: lock })),
        Err(Error::Locked { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn io_error<'p>(action: &'static str, path: &'p Path) -> impl Fn(io::Error) -> Error + 'p {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

fn lock(root: &Path) -> Result<File, Error> {
    let path = root.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io_error("cannot open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { path: root.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io_error("cannot lock", &path)(source)),
    }
}

/// The identity of a directory; one that has none becomes a node of `cluster`, or one that is alone.
fn identity(root: &Path, cluster: Option<&Cluster>) -> Result<Identity, Error> {
    let path = root.join(IDENTITY);
    match fs::read(&path) {
        Ok(bytes) => {
            let identity: Identity = serde_json::from_slice(&bytes)
                .map_err(|error| Error::Damaged { path: path.clone(), why: error.to_string() })?;
            if identity.format > FORMAT {
                return Err(Error::LaterLayout { path, found: identity.format });
            }
            if identity.format != FORMAT {
                let why = format!("layout {} is not readable by this build", identity.format);
                return Err(Error::Damaged { path, why });
            }
            Ok(identity)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = cluster.map_or_else(alone, cluster::new_identity);
            replace(&path, &serde_json::to_vec_pretty(&made).unwrap_or_default())?;
            Ok(made)
        }
        Err(error) => Err(io_error("cannot read", &path)(error)),
    }
}

fn alone() -> Identity {
    let cluster_id = hex_id(random::bits());
    Identity { format: FORMAT, cluster_id, node_id: 1, log_made: false, disk_id: None }
}

/// An id of 128 bits as text.
fn hex_id(id: u128) -> String {
    format!("{id:032x}")
}

/// Reads a 32-byte key, or makes it. Keys are stored as 64 hexadecimal digits.
fn key(root: &Path, name: &str, known: bool) -> Result<Zeroizing<[u8; 32]>, Error> {
    let path = root.join(name);
    if path.exists() {
        return read_key(&path);
    }
    if known {
        return Err(Error::Lost { path });
    }
    let mut seed = Zeroizing::new([0u8; 32]);
    random::fill(seed.as_mut());
    let text = Zeroizing::new(hex(seed.as_ref()));
    replace(&path, text.as_bytes())?;
    Ok(seed)
}

fn read_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, Error> {
    let text = fs::read_to_string(path).map_err(io_error("cannot read", path))?;
    let text = Zeroizing::new(text);
    unhex(text.trim()).map(Zeroizing::new).ok_or_else(|| Error::Damaged {
        path: path.to_owned(),
        why: "expected 64 hexadecimal digits".to_owned(),
    })
}

fn operator_token(root: &Path) -> Result<Zeroizing<String>, Error> {
    let path = root.join(OPERATOR);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() >= 32 => Ok(Zeroizing::new(text.trim().to_owned())),
        Ok(_) => Err(Error::Damaged { path, why: "shorter than 32 characters".to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = Zeroizing::new([0u8; 32]);
            random::fill(bytes.as_mut());
            let token = Zeroizing::new(format!("op_{}", hex(bytes.as_ref())));
            replace(&path, token.as_bytes())?;
            Ok(token)
        }
        Err(error) => Err(io_error("cannot read", &path)(error)),
    }
}

/// Writes a file beside `path`, syncs it and puts it in place: readers see all of it or none.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fail = io_error("cannot write", path);
    let beside = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        match path.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(fail)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0u8; 32];
    for (position, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(position * 2..position * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn second_open_waits_for_the_first_to_end() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        assert!(matches!(DataDir::open(dir.path()), Err(Error::Locked { .. })));
        drop(first);
        assert!(DataDir::open(dir.path()).is_ok());
    }

    #[test]
    fn keys_are_made_once_and_readable_by_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let first = *DataDir::open(dir.path()).unwrap().secrets().signing_seed;
        let again = DataDir::open(dir.path()).unwrap();
        assert_eq!(first, *again.secrets().signing_seed);
        for name in [SIGNING, DEPLOYMENT, OPERATOR] {
            let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_damaged_key_is_refused_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        drop(DataDir::open(dir.path()).unwrap());
        fs::write(dir.path().join(DEPLOYMENT), "zz").unwrap();
        assert!(matches!(DataDir::open(dir.path()), Err(Error::Damaged { .. })));
    }

    #[test]
    fn what_was_there_and_is_gone_is_lost_not_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = DataDir::open(dir.path()).unwrap();
        first.check_log().unwrap();
        first.log_is_made().unwrap();
        assert!(matches!(first.check_log(), Err(Error::LogLost { .. })));
        fs::create_dir(first.log_dir()).unwrap();
        fs::write(first.log_dir().join("guard"), "x").unwrap();
        first.check_log().unwrap();
        drop(first);
        fs::remove_file(dir.path().join(DEPLOYMENT)).unwrap();
        assert!(matches!(DataDir::open(dir.path()), Err(Error::Lost { .. })));
    }

    #[test]
    fn tokens_can_be_minted_while_the_node_holds_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(peek_signing(dir.path()), Err(Error::NoKeys { .. })));
        let open = DataDir::open(dir.path()).unwrap();
        let (identity, seed) = peek_signing(dir.path()).unwrap();
        assert_eq!(&identity, open.identity());
        assert_eq!(*seed, *open.secrets().signing_seed);
    }
}
