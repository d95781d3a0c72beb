//! What of a backup has aged out, and the order in which it goes.
//!
//! **Invariant**: the newest snapshot and all of the log after the oldest that is kept stay; what is removed
//! goes from the oldest on, so that a removal that stops half-way leaves no hole.

use std::collections::HashSet;
use std::time::Duration;

use holdfast_snapshot::backup::{LOG, MANIFESTS, Manifest, SNAPSHOTS, index_of};

use super::archiver::{Error, Source};
use crate::clock;
use crate::limits::BACKUP_STRAY_AFTER;

/// Removes snapshots older than `keep`, and the log before the oldest that stays. How many objects went.
pub async fn sweep(source: &Source, keep: Duration) -> Result<u64, Error> {
    let place = &source.place;
    let now = clock::wall_ms();
    let old = |written_ms: u64, age: Duration| {
        u128::from(now.saturating_sub(written_ms)) > age.as_millis()
    };
    let mut manifests = Vec::new();
    for listed in place.list(MANIFESTS, None).await? {
        // A damaged one stays: somebody may still read what it names.
        if let Ok(manifest) = Manifest::read(&place.get(&listed.name).await?)
            && manifest.cluster == source.cluster
        {
            manifests.push((listed.name, manifest));
        }
    }
    let newest = manifests.len().saturating_sub(1);
    let aged = manifests.iter().take(newest).take_while(|(_, it)| old(it.written_ms, keep)).count();
    let kept = manifests.split_off(aged);
    let mut gone = 0;
    for (name, manifest) in manifests {
        place.remove(&name).await?;
        place.remove(&manifest.name).await?;
        gone += 2;
    }
    // Uploads that were given up, or lost to another node's: named by no manifest.
    let named: HashSet<&str> = kept.iter().map(|(_, manifest)| manifest.name.as_str()).collect();
    for listed in place.list(SNAPSHOTS, None).await? {
        let is_stray = !named.contains(listed.name.as_str());
        if is_stray && old(listed.written_ms, BACKUP_STRAY_AFTER) {
            place.remove(&listed.name).await?;
            gone += 1;
        }
    }
    let Some((_, oldest)) = kept.first() else { return Ok(gone) };
    let pieces = place.list(LOG, None).await?;
    for pair in pieces.windows(2) {
        let [piece, next] = pair else { continue };
        // All of a piece is before what the next begins with.
        if index_of(&next.name).is_none_or(|next| next > oldest.index.saturating_add(1)) {
            break;
        }
        place.remove(&piece.name).await?;
        gone += 1;
    }
    Ok(gone)
}
