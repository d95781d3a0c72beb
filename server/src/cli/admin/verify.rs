//! `holdfast admin verify` and `digest`: asks the node that runs on a data directory, or reads the log of
//! one that does not.
//!
//! **Invariant:** a log is read without its node only while the directory's lock is held.

use std::io::IsTerminal;
use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use holdfast_replication::verify::{Scope, verify_stopped};
use holdfast_replication::{GroupId, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::client::{Client, Request};
use crate::data_dir;
use crate::wire::verified::{DigestAt, Line, Report};

#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Args {
    /// Check from the entry at this index on; the log is folded from its beginning all the same
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// Look at the whole state after every entry: for short logs
    #[arg(long)]
    full: bool,
    /// Compare what the log says with the running node's own state; writes wait for a moment
    #[arg(long)]
    compare: bool,
}

/// Whether nothing was found.
pub async fn verify(data_dir: &Path, args: Args, json: bool) -> anyhow::Result<bool> {
    let report = match data_dir::hold_stopped(data_dir)? {
        Some(held) => {
            if args.compare {
                anyhow::bail!("no node runs on {}: nothing to compare with", data_dir.display());
            }
            let scope = Scope { from: args.from, full: args.full };
            tokio::task::spawn_blocking(move || {
                let bar = bar();
                let verified = verify_stopped(&held.log_dir(), GroupId(0), scope, &mut |now| {
                    show(&bar, now);
                    true
                });
                bar.finish_and_clear();
                verified.map(|verified| Report::new(scope, &verified, None))
            })
            .await??
        }
        None => ask(&super::client(data_dir)?, args).await?,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        tell(&report);
    }
    Ok(report.found == 0)
}

pub async fn digest(data_dir: &Path, json: bool) -> anyhow::Result<()> {
    let client = super::client(data_dir)?;
    let digest: DigestAt = client.send(&Request::get("/v1/ops/digest")).await?.ok()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&digest)?);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.add_row(["index".to_owned(), digest.index.to_string()]);
    for (part, value) in digest.parts {
        table.add_row([part, value]);
    }
    println!("{table}");
    Ok(())
}

/// Follows a verification in the running node. Hanging up ends it there.
async fn ask(client: &Client, args: Args) -> anyhow::Result<Report> {
    let Args { from, full, compare } = args;
    let path = format!("/v1/ops/verify?from={from}&full={full}&compare={compare}");
    let (upload, mut download) = client.stream(Request::post(path)).await?;
    upload.finish();
    let bar = bar();
    while let Some(line) = download.next_json::<Line>().await? {
        match line {
            Line::Progress { applied, last } => show(&bar, Progress { applied, last }),
            Line::Report(report) => {
                bar.finish_and_clear();
                return Ok(*report);
            }
            Line::Failed(why) => anyhow::bail!(why),
        }
    }
    anyhow::bail!("the node hung up before it was done")
}

/// Hidden where standard error is no terminal.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("verifying the log {bar:40} {pos}/{len} {eta}");
    let bar = ProgressBar::new(0);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, now: Progress) {
    bar.set_length(now.last);
    bar.set_position(now.applied);
}

fn tell(report: &Report) {
    if !report.findings.is_empty() {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["entry", "part", "what", "night", "expected", "found"]);
        for finding in &report.findings {
            let night = finding.night.clone().unwrap_or_default();
            let finding = finding.clone();
            let index = finding.index.to_string();
            table.add_row([
                index,
                finding.part,
                finding.id,
                night,
                finding.expected,
                finding.found,
            ]);
        }
        println!("{table}");
    }
    let Report { found, commands, checked_from, compared, .. } = *report;
    let span = match (report.first_index, report.last_index) {
        (Some(first), Some(last)) => format!("entries {first} to {last}, {commands} commands"),
        _ => "an empty log".to_owned(),
    };
    let from =
        if checked_from > 0 { format!(", checked from {checked_from}") } else { String::new() };
    let compared = if compared { ", compared with the running node" } else { "" };
    let verdict = match found {
        0 => "nothing found".to_owned(),
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    let behind = report.snapshot.map(|index| format!(", from the snapshot up to entry {index}"));
    let behind = behind.unwrap_or_default();
    println!("{verdict}: {span}{behind}{from}{compared}");
}
