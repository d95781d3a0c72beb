//! `holdfast admin certs dev` and `holdfast admin cluster new|extend`: the files of a cluster to try with.
//!
//! It owns nothing that runs. The authority's key lies beside the certificates, which is right for a trial
//! and wrong for anything else; a deployment brings certificates of its own authority.
//!
//! **Invariant:** what is there is never overwritten.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use holdfast_replication::node_name;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::random;

/// Ports of the first node's doors; the next nodes' follow.
const HTTP_FIRST: u64 = 8_080;
const OPS_FIRST: u64 = 9_090;

#[derive(Debug, clap::Subcommand)]
pub enum CertsCall {
    /// An authority and certificates of nodes, to try with; more nodes of an authority that is there
    Dev {
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Ids of the nodes
        #[arg(long, value_name = "ID,…", value_delimiter = ',', required = true)]
        nodes: Vec<u64>,
    },
}

#[derive(Debug, clap::Subcommand)]
pub enum Call {
    /// Keys, certificates and a configuration file for each node of a new cluster
    New {
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Where each node listens for the others; the ids are 1, 2, …
        #[arg(long, value_name = "HOST:PORT,…", value_delimiter = ',', required = true)]
        nodes: Vec<String>,
    },
    /// A certificate and a configuration file for a node that joins such a cluster
    Extend {
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// The new node's id, one that was never used
        #[arg(long, value_name = "ID")]
        node: u64,
        /// Where it listens for the others
        #[arg(long, value_name = "HOST:PORT")]
        address: String,
    },
}

pub fn certs(call: CertsCall) -> anyhow::Result<()> {
    let CertsCall::Dev { dir, nodes } = call;
    let authority = Authority::of(&dir)?;
    nodes.into_iter().try_for_each(|node| authority.certify(&dir, node))
}

pub fn run(call: Call) -> anyhow::Result<()> {
    match call {
        Call::New { dir, nodes } => new(&dir, &nodes),
        Call::Extend { dir, node, address } => {
            let first = first_node(&dir)?;
            Authority::of(&dir.join("certs"))?.certify(&dir.join("certs"), node)?;
            configure(&dir, &first, (node, &address))
        }
    }
}

/// What the nodes of one cluster have in common.
struct Shared {
    id: String,
    /// The lines of `[cluster.voters]`.
    voters: String,
}

fn new(dir: &Path, nodes: &[String]) -> anyhow::Result<()> {
    for name in ["signing.key", "deployment.key"] {
        let mut key = [0; 32];
        random::fill(&mut key);
        let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        write(&dir.join("keys").join(name), &text)?;
    }
    let nodes: Vec<(u64, &str)> = (1..).zip(nodes.iter().map(String::as_str)).collect();
    let voter = |(node, address): &(u64, &str)| format!("{node} = \"{address}\"\n");
    let voters = nodes.iter().map(voter).collect();
    let shared = Shared { id: format!("{:032x}", random::bits()), voters };
    let certs = dir.join("certs");
    let authority = Authority::of(&certs)?;
    for (node, address) in nodes {
        authority.certify(&certs, node)?;
        configure(dir, &shared, (node, address))?;
    }
    Ok(())
}

/// What the first node's file says of the cluster.
fn first_node(dir: &Path) -> anyhow::Result<Shared> {
    let path = dir.join("node-1.toml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} is not there: make the cluster first", path.display()))?;
    let file: toml::Table = text.parse()?;
    let cluster = file.get("cluster").and_then(toml::Value::as_table);
    let id = cluster.and_then(|cluster| cluster.get("id")).and_then(toml::Value::as_str);
    let voters = cluster.and_then(|cluster| cluster.get("voters"));
    let (Some(id), Some(voters)) = (id, voters.and_then(toml::Value::as_table)) else {
        bail!("{} names no cluster", path.display());
    };
    Ok(Shared { id: id.to_owned(), voters: voters.to_string() })
}

fn configure(dir: &Path, shared: &Shared, (node, address): (u64, &str)) -> anyhow::Result<()> {
    let path = dir.join(format!("node-{node}.toml"));
    let data = std::path::absolute(dir)?.join(format!("node-{node}"));
    let (id, voters) = (&shared.id, &shared.voters);
    let (http, ops) = (HTTP_FIRST + node - 1, OPS_FIRST + node - 1);
    let text = format!(
        r#"data_dir = {data:?}
http = "127.0.0.1:{http}"
ops = "127.0.0.1:{ops}"

[cluster]
id = "{id}"
node = {node}
listen = "{address}"
keys = "keys"

[cluster.tls]
authority = "certs/authority.pem"
certificate = "certs/node-{node}.pem"
key = "certs/node-{node}.key"

[cluster.voters]
{voters}"#
    );
    write(&path, &text)?;
    println!("holdfast serve --config {}", path.display());
    Ok(())
}

/// An authority to try with: its certificate and its key in one directory.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    /// The one in `dir`, made where there is none.
    fn of(dir: &Path) -> anyhow::Result<Self> {
        let (certificate, secret) = (dir.join("authority.pem"), dir.join("authority.key"));
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, "Holdfast development authority");
        let key = if secret.exists() {
            KeyPair::from_pem(&std::fs::read_to_string(&secret)?)?
        } else {
            let key = KeyPair::generate()?;
            write(&secret, &key.serialize_pem())?;
            write(&certificate, &params.self_signed(&key)?.pem())?;
            key
        };
        Ok(Self(Issuer::new(params, key)))
    }

    fn certify(&self, dir: &Path, node: u64) -> anyhow::Result<()> {
        let name = node_name(node);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.clone()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        write(&dir.join(format!("node-{node}.key")), &key.serialize_pem())?;
        write(&dir.join(format!("node-{node}.pem")), &params.signed_by(&key, &self.0)?.pem())
    }
}

/// A new file, for its owner alone.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    let mut file = made.with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Flags};

    #[test]
    fn a_new_cluster_and_a_node_that_joins_it_have_good_files() {
        let dir = tempfile::tempdir().unwrap();
        let nodes = ["127.0.0.1:7401", "127.0.0.1:7402", "127.0.0.1:7403"].map(str::to_owned);
        new(dir.path(), &nodes).unwrap();
        let joins =
            Call::Extend { dir: dir.path().into(), node: 4, address: "127.0.0.1:7404".into() };
        run(joins).unwrap();
        let load = |node| {
            let file = dir.path().join(format!("node-{node}.toml"));
            Config::load(Some(&file), &Flags::default()).unwrap().cluster.unwrap()
        };
        let first = load(1);
        for node in 1..=4 {
            let cluster = load(node);
            assert_eq!((cluster.id, cluster.node), (first.id, node));
            assert_eq!(cluster.voters, first.voters);
            assert_eq!(cluster.listen.port(), 7_400 + u16::try_from(node).unwrap());
        }
        let again = new(dir.path(), &nodes).unwrap_err().to_string();
        assert!(again.contains("cannot make"), "{again}");
    }
}
