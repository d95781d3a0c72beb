//! Looking at a backup: what is there, what follows what, and what can be restored from it.
//!
//! It reads manifests and the heads of pieces; entries and snapshots are checked when they are read whole.
//! **Invariant**: what it says can be restored follows from a snapshot without a hole, as far as heads tell.

use std::fmt;

use anyhow::bail;
use futures_util::{StreamExt, stream};
use holdfast_snapshot::backup::{
    Broken, Chains, Hash, LOG, MANIFESTS, Manifest, SegmentHead, index_of,
};

use super::place::Place;
use crate::limits::BACKUP_READS_TOGETHER;
use crate::wire::instant;

/// A backup as its manifests and heads show it.
#[derive(Debug)]
pub struct Survey {
    pub cluster: u128,
    pub group: u16,
    /// The oldest first.
    pub snapshots: Vec<Manifest>,
    /// Names of the pieces and the first entry of each, in order.
    pub pieces: Vec<(u64, String)>,
    pub chains: Chains,
    pub bytes: u64,
    /// What is wrong, in words: an object that cannot be read, a hole.
    pub wrong: Vec<String>,
}

/// Entries that can each be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: u64,
    pub to: u64,
    /// The log's clock at these, milliseconds.
    pub from_ms: u64,
    pub to_ms: u64,
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, from_ms, to_ms } = *self;
        let (from_ms, to_ms) = (instant::utc(from_ms), instant::utc(to_ms));
        write!(out, "entries {from} ({from_ms}) to {to} ({to_ms})")
    }
}

impl Survey {
    pub async fn read(place: &Place) -> anyhow::Result<Self> {
        let mut wrong = Vec::new();
        let (mut snapshots, mut bytes) = (Vec::new(), 0);
        for listed in place.list(MANIFESTS, None).await? {
            match Manifest::read(&place.get(&listed.name).await?) {
                Ok(manifest) => {
                    bytes += manifest.bytes;
                    snapshots.push(manifest);
                }
                Err(damage) => wrong.push(format!("{} cannot be used: {damage}", listed.name)),
            }
        }
        let listed = place.list(LOG, None).await?;
        bytes += listed.iter().map(|listed| listed.bytes).sum::<u64>();
        let named = |name: String| index_of(&name).map(|first| (first, name));
        let pieces: Vec<_> = listed.into_iter().filter_map(|listed| named(listed.name)).collect();
        let heads: Vec<_> = stream::iter(pieces.clone())
            .map(async |(_, name)| (place.head_of(&name).await, name))
            .buffered(BACKUP_READS_TOGETHER)
            .collect()
            .await;
        let mut heads = heads.into_iter().peekable();
        let named = snapshots.first().map(|manifest| (manifest.cluster, manifest.group));
        let (cluster, group) = match (named, heads.peek()) {
            (Some(of), _) => of,
            (None, Some((Ok((head, _)), _))) => (head.cluster, head.group),
            _ if wrong.is_empty() => bail!("there is no backup at {place}"),
            _ => bail!("nothing at {place} can be used: {}", wrong.join("; ")),
        };
        let mut chains = Chains::of(cluster, group);
        for (head, name) in heads {
            match head {
                Ok((head, link)) => wrong.extend(follow(&mut chains, (&head, link), &name)),
                Err(error) => wrong.push(format!("{name} cannot be used: {error:#}")),
            }
        }
        for other in snapshots.iter().filter(|manifest| manifest.cluster != cluster) {
            let (index, other) = (other.index, other.cluster);
            wrong.push(format!("the snapshot at {index} is of another cluster, {other:032x}"));
        }
        snapshots.retain(|manifest| (manifest.cluster, manifest.group) == (cluster, group));
        Ok(Self { cluster, group, snapshots, pieces, chains, bytes, wrong })
    }

    /// What can be restored, the oldest first.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for snapshot in &self.snapshots {
            let Manifest { index, log_time_ms, .. } = *snapshot;
            let chain = self.chains.with(index.saturating_add(1));
            let (to, to_ms) = chain.map_or((index, log_time_ms), |chain| (chain.last, chain.to_ms));
            match spans.last_mut() {
                Some(before) if before.to >= index => {
                    if to > before.to {
                        (before.to, before.to_ms) = (to, to_ms);
                    }
                }
                _ => spans.push(Span { from: index, to, from_ms: log_time_ms, to_ms }),
            }
        }
        spans
    }

    /// The same in words.
    pub fn can_be_restored(&self) -> String {
        let spans: Vec<String> = self.spans().iter().map(ToString::to_string).collect();
        match spans.as_slice() {
            [] => "nothing can be restored: no snapshot is there".to_owned(),
            spans => format!("what can be restored: {}", spans.join(", ")),
        }
    }
}

fn follow(chains: &mut Chains, (head, link): (&SegmentHead, Hash), name: &str) -> Option<String> {
    if index_of(name) != Some(head.first) {
        return Some(format!("{name} is another piece, the one from entry {} on", head.first));
    }
    let broken = chains.follow(head, link).err()?;
    Some(match broken {
        Broken::Hole { .. } => format!("{broken}: no piece before {name} has them"),
        Broken::Swapped { .. } | Broken::Foreign { .. } => format!("{name}: {broken}"),
    })
}
