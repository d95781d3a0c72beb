//! How long a start takes for each million log entries: read, checked, decoded and applied again.

use std::path::Path;
use std::time::Duration;

use holdfast_replication::{Node, Options};

use super::{Scale, durable};
use crate::report::{Includes, big, row, title};
use crate::stopwatch::{now, rate};

pub async fn run(scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    title("replay", Includes::Fsync,
        "Start-up of one node over a log of holds (key, guest and quote each), on this machine's disk with a warm
         page cache: opened, every entry checked, decoded and applied, until the node leads again.
         The start over a log without holds is taken off; the rest is scaled to a million entries.");
    let empty = {
        let dir = tempfile::tempdir_in(scratch)?;
        durable::write_log(dir.path(), 0, 1).await?;
        open(dir.path()).await?
    };
    row(
        "start without holds",
        &format!("{} ms", empty.as_millis()),
        "500 hotels, 2,500 room types",
    );
    for batch in [1, 16, 256] {
        let entries = scale.of(100_000) / if batch > 16 { 10 } else { 1 };
        let dir = tempfile::tempdir_in(scratch)?;
        durable::write_log(dir.path(), entries, batch).await?;
        let time = open(dir.path()).await?.saturating_sub(empty);
        let million = time.mul_f64(1e6 / entries as f64);
        row(
            &format!("a million entries of {batch}"),
            &format!("{:.1} s", million.as_secs_f64()),
            &format!(
                "from {entries} entries in {} ms: {} holds a second",
                time.as_millis(),
                big(rate((entries * batch) as u64, time)),
            ),
        );
    }
    Ok(())
}

async fn open(dir: &Path) -> anyhow::Result<Duration> {
    let start = now();
    let node = Node::open(Options::alone(dir)).await?;
    let time = start.elapsed();
    node.shutdown().await;
    Ok(time)
}
