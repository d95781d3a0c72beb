//! Making data directories from a backup: of a node that is alone, or of all voters of a new cluster.
//!
//! It owns the order: look, choose, fetch, check, write, and only then take the name. **Invariant**: restored
//! nodes have a cluster of their own; the first cluster's nodes and these refuse each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use futures_util::{StreamExt, stream};
use holdfast_replication::GroupId;
use holdfast_replication::backup::{Home, Rebuild, StoredEntry};
use holdfast_snapshot::backup::{Hash, Manifest, Segment};

use super::place::Place;
use super::plan::{self, At, Plan};
use super::survey::Survey;
use crate::config::Cluster;
use crate::data_dir::restored::{Restored, Role, deployment_key};
use crate::limits::BACKUP_PIECES_AHEAD;
use crate::seal;

/// What is restored, and to where.
#[derive(Debug)]
pub struct Asked {
    pub from: Place,
    pub at: At,
    pub nodes: Vec<NewNode>,
    /// Keys of the cluster that was backed up.
    pub keys: PathBuf,
}

/// A node that is made.
#[derive(Debug, Clone)]
pub struct NewNode {
    pub data_dir: PathBuf,
    /// `None`: it will be alone.
    pub cluster: Option<Cluster>,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    /// The last entry.
    pub index: u64,
    /// The log's clock there, milliseconds.
    pub log_time_ms: u64,
    pub snapshot_index: u64,
    /// Entries after the snapshot.
    pub entries: u64,
    pub bytes: u64,
}

/// Restores; `tell` is told of what takes its time.
pub async fn restore(asked: &Asked, tell: impl Fn(&str)) -> anyhow::Result<Made> {
    let survey = Survey::read(&asked.from).await?;
    check_nodes(&asked.nodes, &survey)?;
    let plans = plan::plans(&survey, asked.at)?;
    let given = Hash(seal::key_name(&*deployment_key(&asked.keys)?));
    let mut failed = Vec::new();
    for plan in &plans {
        let Manifest { index, keys, .. } = plan.base;
        if keys != Hash::NONE && keys != given {
            bail!(
                "the keys in {} are not those of this backup: guests' data would stay sealed for ever",
                asked.keys.display()
            );
        }
        tell(&format!("fetching the snapshot at entry {index}"));
        let mut making = Making::begin(asked, survey.group)?;
        let fetched = making.snapshot(&asked.from, &plan.base).await;
        if let Err(error) = fetched {
            let name = &plan.base.name;
            tell(&format!("{name} cannot be used: {error:#}"));
            failed.push(format!("{name} cannot be used: {error:#}"));
            continue;
        }
        tell(&format!("reading {} pieces of the log", plan.pieces.len()));
        making.log(asked, (plan, &survey)).await?;
        return making.finish(asked);
    }
    bail!("{} cannot be restored: {}", asked.at, failed.join("; "))
}

/// Nodes of one new cluster, all of its voters.
fn check_nodes(nodes: &[NewNode], survey: &Survey) -> anyhow::Result<()> {
    let of_clusters: Vec<&Cluster> =
        nodes.iter().filter_map(|node| node.cluster.as_ref()).collect();
    let Some(first) = of_clusters.first() else {
        ensure!(nodes.len() == 1, "a node that is alone is restored by itself");
        return Ok(());
    };
    ensure!(
        first.id != survey.cluster,
        "the backup is of cluster {:032x} itself: give the restored one an id of its own in \
         cluster.id, so that nodes of the two can never meet",
        survey.cluster
    );
    let is_alike = |other: &&Cluster| other.id == first.id && other.voters == first.voters;
    ensure!(
        of_clusters.len() == nodes.len() && of_clusters.iter().all(is_alike),
        "the configuration files are not of one cluster: cluster.id and cluster.voters must be alike"
    );
    let mut made: Vec<u64> = of_clusters.iter().map(|cluster| cluster.node).collect();
    made.sort_unstable();
    let voters: Vec<u64> = first.voters.keys().copied().collect();
    ensure!(
        made == voters,
        "all voters are restored together: cluster.voters names {voters:?}, the files are of {made:?}"
    );
    Ok(())
}

/// Directories in the making.
struct Making {
    group: GroupId,
    nodes: Vec<(Restored, Role)>,
    rebuilds: Vec<Rebuild>,
    voters: BTreeMap<u64, (String, u128)>,
    cluster: u128,
    made: Made,
}

impl Making {
    fn begin(asked: &Asked, group: u16) -> anyhow::Result<Self> {
        let (mut nodes, mut voters, mut of) = (Vec::new(), BTreeMap::new(), 0);
        for NewNode { data_dir, cluster } in &asked.nodes {
            let restored = Restored::begin(data_dir)?;
            let role = match cluster {
                None => Role::Alone,
                Some(cluster) => {
                    let address = cluster.voters.get(&cluster.node).cloned().unwrap_or_default();
                    voters.insert(cluster.node, (address, restored.disk()));
                    of = cluster.id;
                    Role::Voter { cluster: cluster.id, node: cluster.node }
                }
            };
            nodes.push((restored, role));
        }
        let made = Made { index: 0, log_time_ms: 0, snapshot_index: 0, entries: 0, bytes: 0 };
        let group = GroupId(group);
        Ok(Self { group, nodes, rebuilds: Vec::new(), voters, cluster: of, made })
    }

    /// Fetches the snapshot and begins every directory with it.
    async fn snapshot(&mut self, from: &Place, base: &Manifest) -> anyhow::Result<()> {
        let Some((first, _)) = self.nodes.first() else { return Ok(()) };
        let fetched = first.log_dir().with_extension("hfsnap");
        let (bytes, contents) = from.get_file(&base.name, &fetched).await?;
        ensure!(bytes == base.bytes && contents == base.contents, "it is not what was written");
        let home = match self.cluster {
            0 => Home::alone(self.group),
            cluster => Home { cluster, group: self.group, voters: self.voters.clone() },
        };
        for (restored, _) in &self.nodes {
            let begun = || Rebuild::begin(&restored.log_dir(), &home, &fetched);
            self.rebuilds.push(tokio::task::block_in_place(begun)?);
        }
        std::fs::remove_file(&fetched)?;
        self.made.snapshot_index = base.index;
        self.made.index = base.index;
        self.made.log_time_ms = base.log_time_ms;
        self.made.bytes = bytes;
        Ok(())
    }

    /// Puts the entries after the snapshot, up to the point that was asked for.
    async fn log(&mut self, asked: &Asked, (plan, survey): (&Plan, &Survey)) -> anyhow::Result<()> {
        let fetch = async |name: String| (asked.from.get(&name).await, name);
        let mut pieces = stream::iter(plan.pieces.clone()).map(fetch).buffered(BACKUP_PIECES_AHEAD);
        while let Some((bytes, name)) = pieces.next().await {
            let (put, instead) = (self.made.index, survey.can_be_restored());
            let cannot = || {
                format!(
                    "{name} cannot be used: with the snapshot at {} entries up to {put} can be \
                     restored. As far as heads tell, {instead}",
                    plan.base.index
                )
            };
            let bytes = bytes.with_context(cannot)?;
            let put = tokio::task::block_in_place(|| self.piece(&bytes, (asked.at, plan.until)));
            if put.with_context(cannot)? {
                break;
            }
        }
        if let At::Index(index) = asked.at {
            let last = self.made.index;
            ensure!(
                last == index,
                "entry {index} is not in the pieces that name it: {last} is last"
            );
        }
        Ok(())
    }

    /// Puts a piece's entries; whether the point is reached.
    fn piece(&mut self, bytes: &[u8], (at, until): (At, u64)) -> anyhow::Result<bool> {
        let piece = Segment::read(bytes)?;
        self.made.bytes += bytes.len() as u64;
        for (index, value) in piece.entries() {
            if index <= self.made.index {
                continue;
            }
            if index > until {
                return Ok(true);
            }
            let entry = StoredEntry::read(self.group, index, value)
                .with_context(|| format!("entry {index} is damaged"))?;
            let at_ms = entry.at_ms().unwrap_or(0);
            if matches!(at, At::TimeMs(ms) if at_ms > ms) {
                return Ok(true);
            }
            for rebuild in &mut self.rebuilds {
                rebuild.put(&entry)?;
            }
            self.made.index = index;
            self.made.entries += 1;
            self.made.log_time_ms = self.made.log_time_ms.max(at_ms);
        }
        Ok(false)
    }

    fn finish(self, asked: &Asked) -> anyhow::Result<Made> {
        let finish = || -> anyhow::Result<()> {
            for rebuild in self.rebuilds {
                rebuild.finish()?;
            }
            for (restored, role) in self.nodes {
                restored.finish(role, &asked.keys)?;
            }
            Ok(())
        };
        tokio::task::block_in_place(finish)?;
        Ok(self.made)
    }
}

/// Where the keys are: said, or in the configuration.
pub fn keys_of(said: Option<&Path>, nodes: &[NewNode]) -> anyhow::Result<PathBuf> {
    let configured = || nodes.iter().find_map(|node| node.cluster.as_ref()?.keys.clone());
    said.map(Path::to_owned).or_else(configured).context(
        "no backup has keys in it: give those of the cluster that was backed up with --keys DIR \
         (signing.key and deployment.key)",
    )
}
