//! `holdfast admin backup …` and `holdfast admin restore`.
//!
//! A backup is written by the node that runs; looking at one and restoring need no node. **Invariant:** a
//! directory with something in it is refused.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use crate::backup::place::Place;
use crate::backup::plan::At;
use crate::backup::restore::{Asked, NewNode, keys_of};
use crate::backup::survey::Survey;
use crate::backup::{restore as restoring, verify as verifying};
use crate::client::{Client, Limits, Request};
use crate::config::{Config, Flags};
use crate::data_dir;
use crate::http::ops::backup::{Asked as Wanted, BackedUp};
use crate::limits::BACKUP_CALL_MAX;
use crate::wire::instant;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// s3://bucket/prefix, file:///directory or a directory of the node's machine [default: the configured
    /// place]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    #[command(subcommand)]
    call: Option<Call>,
}

#[derive(Debug, clap::Subcommand)]
enum Call {
    /// What is in a backup, and what can be restored from it
    List {
        #[arg(long, value_name = "URL")]
        from: String,
    },
    /// Read all of a backup and fold it
    Verify {
        #[arg(long, value_name = "URL")]
        from: String,
        /// A directory with room for a snapshot [default: the system's for temporary files]
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// s3://bucket/prefix, file:///directory or a directory
    #[arg(long, value_name = "URL")]
    from: String,
    /// `latest`, the index of an entry, or a time as 2026-11-22T10:00:00Z
    #[arg(long, value_name = "POINT")]
    at: At,
    /// signing.key and deployment.key of the cluster that was backed up [default: those of the
    /// configuration]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// A voter of the new cluster; once for each of them. Without it, a node that is alone is made at
    /// --data-dir
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
}

/// Whether nothing was found wrong.
pub async fn run(data_dir: &Path, args: Args, json: bool) -> anyhow::Result<bool> {
    match args.call {
        None => write(data_dir, args.to, json).await.map(|()| true),
        Some(Call::List { from }) => list(&from, json).await.map(|()| true),
        Some(Call::Verify { from, scratch }) => verify(&from, scratch, json).await,
    }
}

async fn write(data_dir: &Path, to: Option<String>, json: bool) -> anyhow::Result<()> {
    let (addresses, token) = data_dir::peek_operator(data_dir)?;
    let limits = Limits { request: BACKUP_CALL_MAX, ..Limits::default() };
    let client = Client::new(&format!("http://{}", addresses.ops), limits)?.with_token(&token)?;
    let wanted = serde_json::to_value(Wanted { to })?;
    let reply = client.send(&Request::post("/v1/ops/backup").json(&wanted)).await?;
    let written: BackedUp = reply.ok()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&written)?);
        return Ok(());
    }
    let BackedUp { to, snapshot_index, snapshot_bytes, last_index, log_time, pieces } = written;
    println!(
        "{to}: a snapshot at entry {snapshot_index} ({snapshot_bytes} bytes), {pieces} pieces of the log, \
         up to entry {last_index} ({log_time})"
    );
    Ok(())
}

async fn list(from: &str, json: bool) -> anyhow::Result<()> {
    let survey = Survey::read(&Place::open(from, false)?).await?;
    show(&survey, json)
}

fn show(survey: &Survey, json: bool) -> anyhow::Result<()> {
    let spans = survey.spans();
    if json {
        let spans = spans.iter().map(|span| {
            let (from, to) = (instant::utc(span.from_ms), instant::utc(span.to_ms));
            serde_json::json!({
                "from_index": span.from, "from": from, "to_index": span.to, "to": to,
            })
        });
        let shown = serde_json::json!({
            "cluster": format!("{:032x}", survey.cluster),
            "group": survey.group,
            "snapshots": survey.snapshots.len(),
            "pieces": survey.pieces.len(),
            "bytes": survey.bytes,
            "restorable": spans.collect::<Vec<_>>(),
            "wrong": survey.wrong,
        });
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["snapshot at entry", "log time", "bytes"]);
    for snapshot in &survey.snapshots {
        let (index, bytes) = (snapshot.index.to_string(), snapshot.bytes.to_string());
        table.add_row([index, instant::utc(snapshot.log_time_ms), bytes]);
    }
    println!("{table}");
    println!(
        "cluster {:032x}: {} snapshots, {} pieces of the log, {} bytes",
        survey.cluster,
        survey.snapshots.len(),
        survey.pieces.len(),
        survey.bytes
    );
    println!("{}", survey.can_be_restored());
    survey.wrong.iter().for_each(|wrong| println!("wrong: {wrong}"));
    Ok(())
}

async fn verify(from: &str, scratch: Option<PathBuf>, json: bool) -> anyhow::Result<bool> {
    let place = Place::open(from, false)?;
    let scratch = scratch.unwrap_or_else(std::env::temp_dir);
    let scratch = scratch.join(format!("holdfast-verify-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let verified = verifying::verify(&place, &scratch, |doing| eprintln!("{doing}")).await;
    // Only a file of ours lies there.
    let _ = std::fs::remove_dir_all(&scratch);
    let mut verified = verified?;
    let is_good = verified.wrong.is_empty();
    verified.survey.wrong = verified.wrong;
    show(&verified.survey, json)?;
    if !json {
        let verdict = if is_good { "nothing found" } else { "the backup is damaged" };
        let (snapshots, entries) = (verified.snapshots, verified.entries);
        println!("{verdict}: {snapshots} snapshots loaded, {entries} entries folded");
        for (part, value) in verified.last.iter().flat_map(|(_, digest)| digest.parts()) {
            println!("  {part} {value:032x}");
        }
    }
    Ok(is_good)
}

pub async fn restore(data_dir: &Path, args: RestoreArgs, json: bool) -> anyhow::Result<()> {
    let mut nodes = Vec::new();
    for file in &args.config {
        let config = Config::load(Some(file), &Flags::default())?;
        let names_cluster = config.cluster.is_some() || args.config.len() == 1;
        ensure!(names_cluster, "{} names no cluster", file.display());
        nodes.push(NewNode { data_dir: config.data_dir, cluster: config.cluster });
    }
    if nodes.is_empty() {
        nodes.push(NewNode { data_dir: data_dir.to_owned(), cluster: None });
    }
    let keys = keys_of(args.keys.as_deref(), &nodes)?;
    let from = Place::open(&args.from, false)?;
    let asked = Asked { from, at: args.at, nodes, keys };
    let made = restoring::restore(&asked, |doing| eprintln!("{doing}")).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&made)?);
        return Ok(());
    }
    println!(
        "restored to entry {} ({}): the snapshot at {} and {} entries, {} bytes read",
        made.index,
        instant::utc(made.log_time_ms),
        made.snapshot_index,
        made.entries,
        made.bytes
    );
    for node in &asked.nodes {
        println!("  {}", node.data_dir.display());
    }
    Ok(())
}
