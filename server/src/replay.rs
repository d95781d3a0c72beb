//! `holdfast replay`: two years of a real hotel's demand through the doors of a running server,
//! then the books compared night by night.
//!
//! Owns the order of the run and its verdict. It uses the doors alone, as the hotel's own channel
//! would, and adds up its own books from the file's rows and the reply codes; it never asks the
//! server what was booked.
//! Invariant: every row of the file ends in exactly one of set aside, booked, booked and cancelled,
//! refused.

mod books;
mod check;
mod demand;
mod drive;
mod house;
mod measure;
mod occupancy;
mod plan;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::client::{Client, Limits};
use books::Books;
use demand::Demand;
use drive::Driver;
use measure::Measure;
use plan::Plan;
use report::Report;

/// Workers at most: more connections than this measure the sockets, not the server.
const CONCURRENCY_MAX: u64 = 1_024;

/// Runs the published hotel booking demand file through a server and checks the books.
///
/// Creates the file's hotel anew (each run another one), books every row in the order in which the
/// bookings were made, cancels what was cancelled, and compares every night with its own count.
/// Exit code 1 means that something did not add up. The server needs a horizon longer than the
/// file's arrivals and stays, such as `--horizon 1000`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The booking demand CSV, plain or gzip
    pub file: PathBuf,
    /// The server, such as http://127.0.0.1:8080
    #[arg(long)]
    pub url: String,
    /// Token of the partner that will own the hotel
    #[arg(long)]
    pub token_partner: String,
    /// Token of an admin, to approve the hotel
    #[arg(long)]
    pub token_admin: String,
    /// Rooms in all, shared out over the room types; without it as many as the demand needs
    #[arg(long)]
    pub rooms: Option<u32>,
    /// Requests under way at once
    #[arg(long, default_value_t = 16, value_parser = within(CONCURRENCY_MAX))]
    pub concurrency: u64,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub json: bool,
}

fn within(max: u64) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=max)
}

/// Runs the replay and prints its report on standard output. `Ok(false)`: it ran, and something
/// does not add up.
pub async fn run(args: Args) -> anyhow::Result<bool> {
    let report = replay(&args).await?;
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    Ok(report.verdict.adds_up())
}

async fn replay(args: &Args) -> anyhow::Result<Report> {
    let demand = Demand::open(&args.file)?;
    let plan = Plan::new(&demand, args.rooms)?;
    let concurrency = usize::try_from(args.concurrency)?;
    let limits = Limits { connections_max: concurrency, ..Limits::default() };
    let client = Client::new(&args.url, limits)?;
    let partner = client.with_token(&args.token_partner).context("--token-partner")?;
    let admin = client.with_token(&args.token_admin).context("--token-admin")?;

    let run = format!("{:032x}", crate::random::bits());
    let house = house::open(&plan, &partner, &admin, &run).await?;
    let mut driver = Driver {
        client: partner.clone(),
        run: run.as_str().into(),
        concurrency,
        books: Books::new(&plan),
        measure: Measure::new()?,
        progress: progress(plan.stays.len() + plan.cancellations()),
    };
    driver.run(&plan, &house).await?;
    let Driver { books, measure, progress, .. } = driver;
    progress.finish_and_clear();
    let verdict = check::compare(&plan, &house, &books, &partner, args.rooms.is_none()).await?;
    Ok(Report { run, demand, plan, house, books, measure, verdict })
}

/// A bar on standard error; draws nothing when that is no terminal.
fn progress(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta} left {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

#[cfg(test)]
mod tests;
