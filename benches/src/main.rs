//! Benchmarks of Holdfast: every figure beside its floor or its peers, in one run, on this machine.
//!
//! `bench [--quick] [--dir DIR] [NAME…]`; without names all of them. Prints and judges nothing: the only
//! failure is a figure that could not be measured.

#![cfg_attr(not(feature = "node"), allow(dead_code))] // Some of it serves a node's figures alone.

#[cfg(feature = "node")]
mod child;
#[cfg(feature = "node")]
mod cpu_share;
mod dice;
mod engine_run;
mod figures;
#[cfg(feature = "node")]
mod http_load;
mod machine;
#[cfg(feature = "node")]
mod peers;
mod report;
mod stopwatch;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use figures::Scale;

/// The product's, so that figures are of what runs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: bench [--quick] [--dir DIR] [NAME...]

  engine    holds a second in memory, on one core and on two
  parts     the engine part by part: cells alone, growth, retirement, a partner's writes
  admission rooms set aside and refused, on one core and on two
  search    a city of 2,000 hotels and a town of 100 while a writer is busy, in memory
  explain   why a stay cannot be had and what would work, in memory
  calendar  a year of a hotel, in memory
  verify    a log folded and checked entry by entry, beside folding it alone
  memory    resident bytes of a room-type-night and of a hold
  snapshot  what a snapshot costs those who write meanwhile, and how fast it is
  durable   holds a second that are on disk before they are answered, in process
  cluster   holds a second with three nodes, how fast a follower catches up and a lead moves, in process
  drill     a large cluster lost and restored from its backup: seconds of each step, and what is lost; four
            nodes' memory on one machine (20 GiB), so only where it is named
  replay    start-up time over a million log entries
  http      holds and searches through the door, beside a bare handler
  reads     searches a second that a follower and a learner add, each node with a share of a core
  peers     the same holds in PostgreSQL and Redis

  --quick   a tenth of the work: whether it runs, not how fast
  --dir     where logs and databases are put [default: the system's temporary directory];
            must lie on the disk that is to be measured, not in memory";

/// Memory first: resident bytes are counted before anything else has taken some.
const FIGURES: &[&str] = &[
    "memory",
    "admission",
    "engine",
    "parts",
    "search",
    "explain",
    "calendar",
    "verify",
    "snapshot",
];
/// Those that need a node, a door or a peer; after the others.
const NODE_FIGURES: &[&str] = if cfg!(feature = "node") {
    &["durable", "cluster", "drill", "replay", "http", "reads", "peers"]
} else {
    &[]
};

/// The one that takes most of a machine's memory, and is run alone.
const DRILL: &str = "drill";

/// What the figures of nodes reserve of the machine's memory.
#[cfg(feature = "node")]
const RESERVE_MIB: u64 = 8 * 1024;

struct Asked {
    names: Vec<String>,
    scale: Scale,
    dir: PathBuf,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    #[cfg(feature = "node")]
    if child::run_role()? {
        return Ok(ExitCode::SUCCESS);
    }
    let asked = match parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    if cfg!(debug_assertions) {
        println!("NOTE: built without optimisation; run it with `./dev bench`");
    }
    let scratch = tempfile::Builder::new().prefix("holdfast-bench-").tempdir_in(&asked.dir)?;
    // Other accounts (PostgreSQL's) have to reach what is theirs beneath it.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(scratch.path(), open)?;
    machine::print(scratch.path())?;
    let mut reserved = false;
    for name in &asked.names {
        if !reserved && name != DRILL && NODE_FIGURES.contains(&name.as_str()) {
            reserve(asked.scale)?;
            reserved = true;
        }
        figure(name, asked.scale, scratch.path())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked =
        Asked { names: Vec::new(), scale: Scale { quick: false }, dir: std::env::temp_dir() };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => asked.scale.quick = true,
            "--dir" => asked.dir = arguments.next().ok_or("--dir needs a directory")?.into(),
            name if FIGURES.iter().chain(NODE_FIGURES).any(|known| *known == name) => {
                asked.names.push(name.to_owned());
            }
            other => return Err(format!("no figure and no option: {other}")),
        }
    }
    if asked.names.is_empty() {
        let all = FIGURES.iter().chain(NODE_FIGURES).filter(|name| **name != DRILL);
        asked.names = all.copied().map(str::to_owned).collect();
    }
    Ok(asked)
}

fn figure(name: &str, scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    match name {
        "memory" => figures::memory::run(scale),
        "admission" => figures::admission::run(scale),
        "engine" => figures::engine::run(scale),
        "parts" => figures::engine_parts::run(scale),
        "search" => figures::search::run(scale),
        "explain" => figures::explain::explain(scale),
        "calendar" => figures::explain::calendar(scale),
        "verify" => figures::verify::run(scale),
        "snapshot" => figures::snapshot::run(scale, scratch)?,
        other => node_figure(other, scale, scratch)?,
    }
    Ok(())
}

/// As a server does that is told to: what a figure is about is not the host's first touch of memory.
#[cfg(feature = "node")]
fn reserve(scale: Scale) -> anyhow::Result<()> {
    let mib = if scale.quick { RESERVE_MIB / 4 } else { RESERVE_MIB };
    let (time, touched) =
        stopwatch::timed(|| anyhow::Ok(holdfast_server::memory::reserve(mib)?.wait()?));
    match touched {
        Ok(()) => println!("\nmemory_reserve_mib = {mib}, touched in {time:.1?}"),
        Err(error) => println!("\nNOTE: first touches of memory are in what follows: {error}"),
    }
    Ok(())
}

#[cfg(not(feature = "node"))]
fn reserve(_: Scale) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(feature = "node")]
fn node_figure(name: &str, scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match name {
        "durable" => runtime()?.block_on(figures::durable::run(scale, scratch))?,
        "cluster" => runtime()?.block_on(figures::cluster::run(scale, scratch))?,
        "drill" => runtime()?.block_on(figures::drill::run(scale, scratch))?,
        "replay" => runtime()?.block_on(figures::replay::run(scale, scratch))?,
        "http" => figures::http::run(scale, scratch)?,
        "reads" => figures::reads::run(scale, scratch)?,
        _ => figures::peers::run(scale, scratch)?,
    }
    Ok(())
}

#[cfg(not(feature = "node"))]
fn node_figure(name: &str, _: Scale, _: &Path) -> anyhow::Result<()> {
    anyhow::bail!("{name} needs a node: build with the feature `node`")
}
