//! The command line: what a person types, told in one line when it fails.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage. Secrets go to standard output only when
//! they are the thing asked for; everything else about a running node goes to standard error.

mod admin;
mod demo;
mod token;

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Parser, Subcommand};
use holdfast_replication::OnProgress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::{Config, Flags};
use crate::serve::{Ended, Server, StopSignal};
use crate::{memory, replay, serve, telemetry};

/// Log lines told while a log is read, where there is no terminal for a bar.
const LOG_STEPS: u64 = 10;

/// Hotel inventory and booking engine.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Run a node until it is stopped
    Serve(Serve),
    /// Run a node with a believable market in it, and say what to try
    Demo(demo::Args),
    /// Run a published booking file through a node and check the books
    Replay(replay::Args),
    /// Mint a token; works while the node runs
    Token(token::Args),
    /// Look at a configuration
    #[command(subcommand)]
    Config(ConfigCommands),
    /// Talk to the node that runs on a data directory
    Admin(admin::Args),
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// A TOML file; flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    /// Start once with what is left of a log that has lost acknowledged entries
    #[arg(long)]
    accept_loss: bool,
    /// Start once although the machine's clock is far ahead of the log's last entry
    #[arg(long)]
    accept_clock: bool,
}

#[derive(Debug, Subcommand)]
enum ConfigCommands {
    /// Say whether a configuration file can be used
    Check { file: PathBuf },
}

/// Parses the command line and runs it.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; clap prints them to the right place.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(cli.command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // A pipe that closed under us is not worth a second failure.
            let _ = writeln!(std::io::stderr(), "holdfast: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// `Ok(false)` where it ran and the answer is no.
fn run(command: Subcommands) -> anyhow::Result<bool> {
    match command {
        Subcommands::Serve(args) => {
            let mut config = Config::load(args.config.as_deref(), &args.flags)?;
            config.accept_loss = args.accept_loss;
            config.accept_clock = args.accept_clock;
            telemetry::start_logs(config.log_format, &config.log_filter);
            match on_runtime(serve_until_stopped(config))? {
                Ended::Stopped => Ok(true),
                Ended::StartAgain => Err(start_again()),
            }
        }
        Subcommands::Demo(args) => on_runtime(demo::run(args)).map(|()| true),
        Subcommands::Replay(args) => on_runtime(replay::run(args)),
        Subcommands::Token(args) => token::run(&args).map(|()| true),
        Subcommands::Config(ConfigCommands::Check { file }) => {
            let config = Config::load(Some(&file), &Flags::default())?;
            println!("{} is good: http {}, ops {}", file.display(), config.http, config.ops);
            if let Some(cluster) = &config.cluster {
                let (node, voters) = (cluster.node, cluster.voters.len());
                println!("node {node} of a cluster that begins with {voters} voters");
            }
            Ok(true)
        }
        Subcommands::Admin(args) => on_runtime(admin::run(args)),
    }
}

/// Puts a new process in this one's place, under its id, with its arguments: all memory is given back first. It
/// is the very program that runs, also where an upgrade has put another under its name. Returns only where that
/// fails.
fn start_again() -> anyhow::Error {
    // Linux says of a program that was replaced that it is deleted; what runs is still behind this name.
    let running = PathBuf::from("/proc/self/exe");
    let program = std::env::current_exe();
    let program = program.map(|named| if named.exists() { named } else { running });
    match program {
        Ok(program) => {
            let mut arguments = std::env::args_os();
            let mut command = Command::new(program);
            if let Some(name) = arguments.next() {
                command.arg0(name);
            }
            let error = command.args(arguments).exec();
            anyhow::Error::new(error).context("the node cannot start itself again; start it")
        }
        Err(error) => error.into(),
    }
}

async fn serve_until_stopped(config: Config) -> anyhow::Result<Ended> {
    let mut stop = StopSignal::listen()?;
    tracing::info!(data_dir = %config.data_dir.display(), "starting");
    // Touched by threads of its own while the log is read; what fails of that is told, and no more.
    let touching = memory::reserve(config.memory_reserve_mib)?;
    drop(tokio::task::spawn_blocking(move || {
        if let Err(error) = touching.wait() {
            tracing::warn!(%error, "reserved memory could not be touched beforehand");
        }
    }));
    match start(config, &mut stop).await? {
        Some(server) => server.run(&mut stop).await,
        None => Ok(Ended::Stopped),
    }
}

/// Starts a server; `None` where it was asked to stop first.
async fn start(config: Config, stop: &mut StopSignal) -> Result<Option<Server>, serve::Error> {
    let asked_to_stop = Arc::new(AtomicBool::new(false));
    let starting = serve::start(config, Some(replay_progress(asked_to_stop.clone())));
    tokio::pin!(starting);
    tokio::select! {
        started = &mut starting => return started.map(Some),
        () = stop.received() => tracing::info!("asked to stop while starting"),
    }
    // Relaxed: a flag on its own.
    asked_to_stop.store(true, Ordering::Relaxed);
    // To its end, which is near: a database that is opened while the process ends could end it badly.
    match starting.await {
        Ok(server) => server.shutdown().await,
        Err(error) if error.is_stop() => {}
        Err(error) => return Err(error),
    }
    tracing::info!("stopped while starting");
    Ok(None)
}

fn on_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // Whatever still runs (a blocking read of standard input, say) does not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// Shows how far the log has been read: a bar on a terminal, log lines otherwise. Asked to stop, it ends that.
fn replay_progress(asked_to_stop: Arc<AtomicBool>) -> OnProgress {
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("reading the log {bar:40} {pos}/{len} {eta}");
        let bar = ProgressBar::new(0);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    });
    let mut told = 0;
    Box::new(move |progress| {
        match &bar {
            Some(bar) => {
                bar.set_length(progress.last);
                bar.set_position(progress.applied);
                if progress.applied >= progress.last {
                    bar.finish_and_clear();
                }
            }
            None => {
                let tenths = progress.applied * LOG_STEPS / progress.last.max(1);
                if tenths > told {
                    told = tenths;
                    let (applied, last) = (progress.applied, progress.last);
                    tracing::info!(applied, last, "reading the log");
                }
            }
        }
        // Relaxed: a flag on its own.
        if asked_to_stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

/// An error and its causes on one line.
fn one_line(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string().replace('\n', "; ");
        // Many errors repeat their cause's text within their own.
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn errors_are_one_line_without_repetition() {
        let error = anyhow::anyhow!("low\nest").context("middle: low; est").context("top");
        assert_eq!(one_line(&error), "top: middle: low; est");
    }
}
