//! `holdfast admin …`: operator calls to the node that runs on a data directory.

mod backup;
mod cluster;
mod members;
mod snapshot;
mod verify;

use std::path::{Path, PathBuf};

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, Color, Table};

use crate::client::{Client, Limits, Request};
use crate::config::DATA_DIR_DEFAULT;
use crate::data_dir;
use crate::http::ops::NodeStatus;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node's data directory
    #[arg(long, value_name = "DIR", default_value = DATA_DIR_DEFAULT, global = true)]
    data_dir: PathBuf,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    call: Call,
}

#[derive(Debug, clap::Subcommand)]
enum Call {
    /// How the node is
    Status,
    /// Fold the log once more and check every step of it
    Verify(verify::Args),
    /// Write a snapshot now; or check the file of one
    Snapshot(snapshot::Args),
    /// The digest of each part of the node's state, at an index
    Digest,
    /// Write a backup of a running node now; look at backups
    Backup(backup::Args),
    /// Make the data directories of a node, or of a new cluster, from a backup
    Restore(backup::RestoreArgs),
    /// Who belongs to the cluster, and changes to that
    #[command(subcommand)]
    Member(members::Call),
    /// Who leads
    #[command(subcommand)]
    Leader(members::LeaderCall),
    /// Certificates between nodes
    #[command(subcommand)]
    Certs(cluster::CertsCall),
    /// Files of a cluster to try with
    #[command(subcommand)]
    Cluster(cluster::Call),
}

/// `false` where it was done and the answer is no.
pub async fn run(args: Args) -> anyhow::Result<bool> {
    let Args { data_dir, json, call } = args;
    match call {
        Call::Verify(args) => return verify::verify(&data_dir, args, json).await,
        Call::Snapshot(args) => snapshot::run(&data_dir, args, json).await?,
        Call::Backup(args) => return backup::run(&data_dir, args, json).await,
        Call::Restore(args) => backup::restore(&data_dir, args, json).await?,
        Call::Digest => verify::digest(&data_dir, json).await?,
        Call::Member(call) => members::run(&client(&data_dir)?, call, json).await?,
        Call::Leader(call) => members::transfer(&client(&data_dir)?, call, json).await?,
        Call::Certs(call) => cluster::certs(call)?,
        Call::Cluster(call) => cluster::run(call)?,
        Call::Status => {
            let client = client(&data_dir)?;
            let status: NodeStatus = client.send(&Request::get("/v1/ops/status")).await?.ok()?;
            if json {
                println!("{}", serde_json::to_string_pretty(&status)?);
            } else {
                println!("{}", table(&status));
            }
        }
    }
    Ok(true)
}

/// A client of the operators' door of the node that runs on a directory.
fn client(data_dir: &Path) -> anyhow::Result<Client> {
    let (addresses, token) = data_dir::peek_operator(data_dir)?;
    let url = format!("http://{}", addresses.ops);
    Ok(Client::new(&url, Limits::default())?.with_token(&token)?)
}

fn table(status: &NodeStatus) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    // Colour only where a terminal shows it: comfy-table looks for itself.
    let colour = if status.phase == "serving" { Color::Green } else { Color::Yellow };
    table.add_row(vec![Cell::new("phase"), Cell::new(&status.phase).fg(colour)]);
    for (name, value) in [
        ("role", status.role.clone()),
        ("version", status.version.clone()),
        ("node", status.node.to_string()),
        ("term", status.term.to_string()),
        ("leader", status.leader.map_or_else(|| "nobody known".to_owned(), |id| id.to_string())),
        ("stuck", status.stuck.clone().unwrap_or_else(|| "no".to_owned())),
        ("age", status.age_ms.map_or_else(|| "not known".to_owned(), |age| format!("{age} ms"))),
        ("applied", status.applied_index.to_string()),
        ("first entry of the log", status.first_index.to_string()),
        ("last entry", status.last_index.to_string()),
        ("queued commands", status.queued.to_string()),
        ("log time", status.log_time.clone()),
        ("horizon", format!("{} nights", status.horizon_nights)),
        ("hotels", status.hotels.to_string()),
    ] {
        table.add_row(vec![name.to_owned(), value]);
    }
    table
}
