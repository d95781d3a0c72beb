//! Reading all of a backup: every object, every entry, and the states that they make.
//!
//! **Invariant**: nothing is called good that was not read; a snapshot and the log that leads to it must make
//! the same state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, ensure};
use holdfast_engine::digest::Digest;
use holdfast_replication::GroupId;
use holdfast_replication::backup::{Fold, StoredEntry};
use holdfast_snapshot::backup::{Manifest, Segment};

use super::place::Place;
use super::survey::Survey;

/// What was read.
#[derive(Debug)]
pub struct Verified {
    pub survey: Survey,
    pub snapshots: u64,
    /// Entries that were folded.
    pub entries: u64,
    /// The last entry, and the digest of the state after it.
    pub last: Option<(u64, Digest)>,
    /// All that is wrong, in words.
    pub wrong: Vec<String>,
}

/// Reads all of it; `scratch` is a directory with room for a snapshot. Holds two states in memory.
pub async fn verify(
    place: &Place,
    scratch: &Path,
    tell: impl Fn(&str),
) -> anyhow::Result<Verified> {
    let survey = Survey::read(place).await?;
    let mut wrong = survey.wrong.clone();
    let snapshots_at = survey.snapshots.iter().map(|snapshot| snapshot.index).collect();
    let mut state = Folding { group: GroupId(survey.group), snapshots_at, ..Folding::default() };
    let (mut snapshots, mut next_piece) = (0, 0);
    for (at, manifest) in survey.snapshots.iter().enumerate() {
        tell(&format!("reading the snapshot at entry {}", manifest.index));
        match fetch(place, scratch, manifest).await {
            Ok(fold) => {
                snapshots += 1;
                if state.begins_with(manifest.index) {
                    state.fold = Some(fold);
                    let follows = |(first, _): &(u64, String)| *first <= manifest.index + 1;
                    next_piece = survey.pieces.iter().rposition(follows).unwrap_or(0);
                } else {
                    wrong.extend(state.differs(&fold, manifest));
                }
            }
            Err(error) => wrong.push(format!("{} cannot be used: {error:#}", manifest.name)),
        }
        let until = survey.snapshots.get(at + 1).map_or(u64::MAX, |next| next.index);
        while let Some((first, name)) = survey.pieces.get(next_piece)
            && *first <= until
        {
            next_piece += 1;
            tell(&format!("folding the log from entry {first} on"));
            if let Err(error) = state.piece(place, name).await {
                wrong.push(format!("{name} cannot be used: {error:#}"));
                // What follows is folded from the next snapshot on.
                state.fold = None;
            }
        }
    }
    let last = state.fold.and_then(|fold| fold.last().map(|last| (last, fold.digest())));
    Ok(Verified { survey, snapshots, entries: state.entries, last, wrong })
}

async fn fetch(place: &Place, scratch: &Path, manifest: &Manifest) -> anyhow::Result<Fold> {
    let path = scratch.join("snapshot.hfsnap");
    let (bytes, contents) = place.get_file(&manifest.name, &path).await?;
    ensure!(bytes == manifest.bytes && contents == manifest.contents, "it is not what was written");
    let fold = tokio::task::block_in_place(|| Fold::begin(&path))?;
    std::fs::remove_file(&path)?;
    ensure!(fold.last() == Some(manifest.index), "it is of another entry");
    Ok(fold)
}

#[derive(Default)]
struct Folding {
    group: GroupId,
    fold: Option<Fold>,
    entries: u64,
    /// Indexes of snapshots, and what the log makes of the state there.
    snapshots_at: BTreeSet<u64>,
    digests: BTreeMap<u64, Digest>,
}

impl Folding {
    /// Nothing was folded up to a snapshot: it is begun with.
    fn begins_with(&self, index: u64) -> bool {
        self.fold.as_ref().is_none_or(|fold| fold.last() < Some(index))
    }

    /// A snapshot's state against that of the log up to it; in words.
    fn differs(&self, snapshot: &Fold, manifest: &Manifest) -> Option<String> {
        let (name, index) = (&manifest.name, manifest.index);
        let makes = self.digests.get(&index)?;
        (*makes != snapshot.digest())
            .then(|| format!("{name}: its state is not the one that the log makes at {index}"))
    }

    async fn piece(&mut self, place: &Place, name: &str) -> anyhow::Result<()> {
        let bytes = place.get(name).await?;
        let piece = Segment::read(&bytes)?;
        let Some(fold) = &mut self.fold else { return Ok(()) };
        let known = fold.last();
        for (index, value) in piece.entries().filter(|(index, _)| Some(*index) > known) {
            let entry = StoredEntry::read(self.group, index, value)
                .with_context(|| format!("entry {index} is damaged"))?;
            tokio::task::block_in_place(|| fold.apply(&entry))?;
            self.entries += 1;
            if self.snapshots_at.contains(&index) {
                self.digests.insert(index, fold.digest());
            }
        }
        Ok(())
    }
}
