//! `[cluster]` of a configuration file: which cluster a node belongs to, and how nodes reach each other.
//!
//! It refuses what cannot work before anything is opened. Without it a node is alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use holdfast_replication::TlsFiles;
use serde::Deserialize;

/// Voters a cluster may begin with: more make each write wait for more disks and lose nothing less.
const VOTERS_MAX: usize = 9;
const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7400);

/// A node's cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// 128 bits, made once for the cluster; nodes of another one are refused.
    pub id: u128,
    /// This node's id, from 1 on, never used again for another disk.
    pub node: u64,
    /// Where this node listens for the others. Default `127.0.0.1:7400`.
    pub listen: SocketAddr,
    /// The voters to begin with, by id, each with its `host:port` for the others; for a node that joins
    /// later, those that were there before.
    pub voters: BTreeMap<u64, String>,
    /// Directory with the keys that all nodes share, copied when the data directory is made.
    pub keys: Option<PathBuf>,
    /// Certificates; none between nodes of one machine.
    pub tls: Option<TlsFiles>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    id: String,
    node: u64,
    listen: Option<SocketAddr>,
    voters: BTreeMap<String, String>,
    keys: Option<PathBuf>,
    tls: Option<FileTls>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTls {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

/// What of `[cluster]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cluster.id must be 32 hexadecimal digits, the same on all nodes and not all zero")]
    Id,
    #[error(
        "cluster.node and the ids of cluster.voters are whole numbers from 1 on; found {found}"
    )]
    Node { found: String },
    #[error("cluster.voters names {found} nodes; it must name 1 to {VOTERS_MAX}")]
    Voters { found: usize },
    #[error("cluster.voters gives node {node} the address {address}; it must be host:port")]
    Address { node: u64, address: String },
    #[error("cluster.voters gives nodes {one} and {other} the same address {address}")]
    SameAddress { one: u64, other: u64, address: String },
    #[error(
        "cluster.keys is missing: all nodes share the keys that sign tokens and seal guests' data \
         (`holdfast admin cluster new` makes a set)"
    )]
    Keys,
    #[error(
        "cluster.listen is {listen}, outside this machine: nodes prove who they are with certificates \
         there; give [cluster.tls] (`holdfast admin certs dev` makes a set to try with)"
    )]
    Plain { listen: SocketAddr },
}

impl File {
    /// Checked; paths that are not absolute lie beside the configuration file.
    pub fn check(self, beside: &Path) -> Result<Cluster, Error> {
        let id = u128::from_str_radix(&self.id, 16).ok().filter(|id| *id != 0);
        let id = id.filter(|_| self.id.len() == 32).ok_or(Error::Id)?;
        let voters = voters(self.voters)?;
        if self.node == 0 {
            return Err(Error::Node { found: "0".into() });
        }
        let listen = self.listen.unwrap_or(LISTEN_DEFAULT);
        let joins = !voters.contains_key(&self.node);
        if self.keys.is_none() && (voters.len() > 1 || joins) {
            return Err(Error::Keys);
        }
        if self.tls.is_none() && !listen.ip().is_loopback() {
            return Err(Error::Plain { listen });
        }
        let tls = self.tls.map(|tls| TlsFiles {
            authority: beside.join(tls.authority),
            certificate: beside.join(tls.certificate),
            key: beside.join(tls.key),
        });
        let keys = self.keys.map(|keys| beside.join(keys));
        Ok(Cluster { id, node: self.node, listen, voters, keys, tls })
    }
}

fn voters(named: BTreeMap<String, String>) -> Result<BTreeMap<u64, String>, Error> {
    if named.is_empty() || named.len() > VOTERS_MAX {
        return Err(Error::Voters { found: named.len() });
    }
    let mut voters: BTreeMap<u64, String> = BTreeMap::new();
    for (id, address) in named {
        let node = id.parse().ok().filter(|node| *node > 0);
        let node = node.ok_or(Error::Node { found: id })?;
        let (host, port) = address.rsplit_once(':').unwrap_or_default();
        if host.is_empty() || !port.parse().is_ok_and(|port: u16| port > 0) {
            return Err(Error::Address { node, address });
        }
        if let Some((one, _)) = voters.iter().find(|(_, other)| **other == address) {
            return Err(Error::SameAddress { one: *one, other: node, address });
        }
        if voters.insert(node, address).is_some() {
            // `1` and `01`.
            return Err(Error::Node { found: format!("{node} twice") });
        }
    }
    Ok(voters)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        id = "0123456789abcdef0123456789abcdef"
        node = 2
        keys = "keys"
        [voters]
        1 = "127.0.0.1:7401"
        2 = "127.0.0.1:7402"
        3 = "127.0.0.1:7403"
    "#;

    fn checked(text: &str) -> Result<Cluster, Error> {
        toml::from_str::<File>(text).unwrap().check(Path::new("/etc/holdfast"))
    }

    #[test]
    fn a_cluster_of_three_is_good_and_its_paths_lie_beside_the_file() {
        let cluster = checked(GOOD).unwrap();
        assert_eq!((cluster.node, cluster.voters.len()), (2, 3));
        assert_eq!(cluster.id, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(cluster.listen, LISTEN_DEFAULT);
        assert_eq!(cluster.keys, Some("/etc/holdfast/keys".into()));
    }

    #[test]
    fn what_cannot_work_is_refused_in_words() {
        for (old, new, says) in [
            ("0123456789abcdef0123456789abcdef", "beef", "32 hexadecimal digits"),
            ("0123456789abcdef0123456789abcdef", "0".repeat(32).as_str(), "not all zero"),
            ("node = 2", "node = 0", "from 1 on; found 0"),
            ("3 = \"", "03 = \"127.0.0.1:1\"\n3 = \"", "3 twice"),
            ("3 = \"", "three = \"", "found three"),
            ("127.0.0.1:7403", "127.0.0.1", "must be host:port"),
            ("127.0.0.1:7403", "127.0.0.1:7401", "nodes 1 and 3 the same address"),
            ("keys = \"keys\"", "", "cluster.keys is missing"),
            ("node = 2", "node = 2\nlisten = \"0.0.0.0:7400\"", "give [cluster.tls]"),
        ] {
            let error = checked(&GOOD.replacen(old, new, 1)).unwrap_err().to_string();
            assert!(error.contains(says), "{new}: {error}");
        }
    }

    #[test]
    fn the_same_node_twice_is_a_mistake_of_the_file() {
        let twice = GOOD.replacen("3 = \"", "2 = \"127.0.0.1:1\"\n3 = \"", 1);
        let error = toml::from_str::<File>(&twice).unwrap_err().to_string();
        assert!(error.contains("duplicate key"), "{error}");
    }
}
