//! `holdfast admin snapshot`: a snapshot now, by the node that runs; and what a snapshot's file is worth.
//!
//! It refuses to guess: a file that is damaged anywhere is told to be, and where.

use std::path::{Path, PathBuf};

use anyhow::Context;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use holdfast_replication::{SnapshotInFile, verify_snapshot_file};

use crate::client::Request;
use crate::wire::snapshot::Taken;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    call: Option<Call>,
}

#[derive(Debug, clap::Subcommand)]
enum Call {
    /// Read a snapshot's file, check every byte, and make the state of it; needs no node
    Verify { file: PathBuf },
}

pub async fn run(data_dir: &Path, args: Args, json: bool) -> anyhow::Result<()> {
    if let Some(Call::Verify { file }) = args.call {
        let path = file.clone();
        let read = tokio::task::spawn_blocking(move || verify_snapshot_file(&path)).await?;
        let read = read.with_context(|| format!("cannot use {}", file.display()))?;
        println!("{}", table(&read));
        return Ok(());
    }
    let client = super::client(data_dir)?;
    let taken: Taken = client.send(&Request::post("/v1/ops/snapshot".to_owned())).await?.ok()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&taken)?);
    } else {
        let Taken { index, bytes, seconds } = taken;
        println!("a snapshot up to entry {index}: {bytes} bytes in {seconds:.3} s");
    }
    Ok(())
}

fn table(read: &SnapshotInFile) -> Table {
    let SnapshotInFile { head, bytes, blocks, records, archived, digest } = read;
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.add_row(["cluster".to_owned(), format!("{:032x}", head.cluster)]);
    for (name, value) in [
        ("group", u64::from(head.group)),
        ("index", head.index),
        ("log time, ms", head.log_time_ms),
        ("bytes", *bytes),
        ("blocks", *blocks),
        ("records", *records),
        ("archived bookings", *archived),
    ] {
        table.add_row([name.to_owned(), value.to_string()]);
    }
    for (part, value) in crate::wire::verified::parts(digest) {
        table.add_row([part, value]);
    }
    table
}
