//! `holdfast admin …`: operator calls to the node that runs on a data directory.

use std::path::PathBuf;

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
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let (addresses, token) = data_dir::peek_operator(&args.data_dir)?;
    let url = format!("http://{}", addresses.ops);
    let client = Client::new(&url, Limits::default())?.with_token(&token)?;
    match args.call {
        Call::Status => {
            let status: NodeStatus = client.send(&Request::get("/v1/ops/status")).await?.ok()?;
            if args.json {
                println!("{}", serde_json::to_string_pretty(&status)?);
            } else {
                println!("{}", table(&status));
            }
        }
    }
    Ok(())
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
        ("applied", status.applied_index.to_string()),
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
