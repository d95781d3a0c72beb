//! A follower that was away comes back: by the others' log, and by a snapshot of theirs, while the others
//! stand still or go on.
//!
//! Owns what counts as having caught up: a follower is never quite level with a leader that goes on.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use holdfast_replication::{FatalError, Node, SnapshotError, SnapshotTaken};

use super::{LOOK, PATIENCE, Three};
use crate::figures::durable::Load;
use crate::report::{big, per_s, row};
use crate::stopwatch::{now, rate};

/// For how long the others write while the follower is away.
const AWAY: Duration = Duration::from_secs(2);
/// For how long they go on after it is back.
const GOES_ON: Duration = Duration::from_secs(4);
/// Callers while they go on.
const CALLERS: u64 = 64;
/// Entries by which one that has caught up may still be behind.
const LEVEL: u64 = 8;

pub async fn run(three: &mut Three<'_>) -> anyhow::Result<()> {
    by_log(three, 0, "the others idle").await?;
    by_log(three, CALLERS, "the others go on").await?;
    by_snapshot(three).await
}

fn applied(node: &Node) -> u64 {
    node.status().applied.unwrap_or(0)
}

/// Waits until one has nearly all that the other has; when that was, and its last entry then.
async fn level(behind: &Node, ahead: &Node) -> anyhow::Result<(Instant, u64)> {
    let give_up = now() + PATIENCE;
    loop {
        let (has, wanted) = (applied(behind), applied(ahead));
        if has.saturating_add(LEVEL) >= wanted {
            return Ok((now(), has));
        }
        ensure!(now() < give_up, "the follower does not catch up: {has} of {wanted} entries");
        tokio::time::sleep(LOOK).await;
    }
}

/// Holds in so many entries of a load.
fn holds(entries: u64, load: &Load) -> f64 {
    entries.min(load.entries()) as f64 * load.commands() as f64 / load.entries().max(1) as f64
}

async fn by_log(three: &mut Three<'_>, callers: u64, how: &str) -> anyhow::Result<()> {
    let (leader, away) = three.one_goes().await?;
    let missed = three.loaded.load(1_024, AWAY).await?;
    three.comes_back(away).await?;
    let (ahead, behind) = (three.nodes[leader].clone(), three.nodes[away].clone());
    let (first, wanted, start) = (applied(&behind), applied(&ahead), now());
    let (meanwhile, caught) =
        tokio::join!(three.loaded.load(callers, GOES_ON), level(&behind, &ahead));
    let (meanwhile, (end, last)) = (meanwhile?, caught?);
    let (time, entries) = (end - start, last.saturating_sub(first));
    let all = missed.commands() as f64 + holds(last.saturating_sub(wanted), &meanwhile);
    let beside = match callers {
        0 => String::new(),
        _ => format!(", beside {} of {callers} callers", per_s(meanwhile.rate())),
    };
    row(
        &format!("a follower catches up by log, {how}"),
        &per_s(all / time.as_secs_f64()),
        &format!(
            "{} holds in {} entries ({}), level {time:.2?} after its own log was read{beside}",
            big(all),
            big(entries as f64),
            per_s(rate(entries, time)),
        ),
    );
    Ok(())
}

async fn by_snapshot(three: &mut Three<'_>) -> anyhow::Result<()> {
    let (leader, away) = three.one_goes().await?;
    let ahead = three.nodes[leader].clone();
    let last = applied(&ahead);
    let missed = three.loaded.load(1_024, AWAY).await?;
    snapshot(&ahead).await?;
    three.loaded.load(CALLERS, AWAY / 8).await?;
    let taken = snapshot(&ahead).await?;
    let give_up = now() + PATIENCE;
    while ahead.status().purged < Some(last) {
        ensure!(now() < give_up, "the leader does not cut its log");
        tokio::time::sleep(LOOK).await;
    }
    let (loaded, start) = (three.loaded.clone(), now());
    let back = async {
        three.comes_back(away).await?;
        let began = arrives(&three.snapshots_of(away), start).await?;
        let FatalError::SnapshotReceived { .. } = three.nodes[away].fatal().await else {
            anyhow::bail!("the follower ended otherwise")
        };
        let received = now();
        three.nodes[away].shutdown().await;
        three.comes_back(away).await?;
        let begun = now();
        let (end, _) = level(&three.nodes[away], &ahead).await?;
        anyhow::Ok((began, received, begun, end))
    };
    let (meanwhile, back) = tokio::join!(loaded.load(CALLERS, GOES_ON), back);
    let (meanwhile, (began, received, begun, end)) = (meanwhile?, back?);
    let bytes = taken.bytes as f64;
    row(
        "a snapshot sent, checked and on disk",
        &format!("{}B/s", big(bytes / (received - began).as_secs_f64())),
        &format!("{}B in {:.2?}", big(bytes), received - began),
    );
    row(
        "a follower catches up by snapshot",
        &format!("{:.2?}", end - start),
        &format!(
            "from its start until it is level: receives until {:.2?}, has started again {:.2?} later; it missed {} \
             holds, the others go on with {}",
            received - start,
            begun - received,
            big(missed.commands() as f64),
            per_s(meanwhile.rate()),
        ),
    );
    Ok(())
}

/// One of its own; what the node takes by itself is waited for.
async fn snapshot(node: &Node) -> anyhow::Result<SnapshotTaken> {
    let give_up = now() + PATIENCE;
    loop {
        match node.snapshot().await {
            Err(SnapshotError::Running) if now() < give_up => tokio::time::sleep(LOOK).await,
            taken => return Ok(taken?),
        }
    }
}

/// When the first of a snapshot is on the disk of the node that receives.
async fn arrives(dir: &Path, start: Instant) -> anyhow::Result<Instant> {
    let give_up = now() + PATIENCE;
    loop {
        let names: Vec<PathBuf> = match std::fs::read_dir(dir) {
            Ok(files) => files.flatten().map(|file| file.path()).collect(),
            Err(_) => Vec::new(),
        };
        let has = |ending: &str| {
            names.iter().any(|name| name.extension().is_some_and(|found| found == ending))
        };
        match (has("part"), has("staged")) {
            (true, _) => return Ok(now()),
            // All of it between two looks.
            (_, true) => return Ok(start),
            _ => {}
        }
        (now() < give_up).then_some(()).context("no snapshot is sent")?;
        tokio::time::sleep(LOOK).await;
    }
}
