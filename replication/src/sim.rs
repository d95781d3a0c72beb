//! The simulation: a whole cluster on one thread, of which a seed decides everything.
//!
//! It owns a world of simulated machines, disks, network and clocks, the clients and the faults in it, and
//! the laws it is held to. What runs on the machines is this crate's own source, compiled with
//! `--cfg holdfast_sim`. It is never part of a product. See docs/simulation.md.

mod clients;
mod cluster;
mod dice;
mod disk;
mod door;
mod files;
mod hotel;
mod invariants;
mod members;
mod nemesis;
mod net;
mod report;
pub(crate) mod rocks;
pub(crate) mod runtime;
mod scenario;
mod snapshots;
mod time;
pub(crate) mod witness;
mod world;

pub(crate) use disk::whole_file;

use report::Report;

/// A number from the environment: how `./dev` asks.
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs the seeds that were asked for; twenty where none were.
#[test]
fn seeds() {
    let first = asked("HOLDFAST_SIM_FIRST").unwrap_or(1);
    let step = asked("HOLDFAST_SIM_STEP").unwrap_or(1);
    let minutes = asked("HOLDFAST_SIM_MINUTES");
    let count =
        asked("HOLDFAST_SIM_SEEDS").unwrap_or(if minutes.is_some() { u64::MAX } else { 20 });
    let expected = std::env::var("HOLDFAST_SIM_EXPECT").ok();
    let mut report = Report::new(expected);
    for nth in 0..count {
        if minutes.is_some_and(|minutes| report.minutes() >= minutes) || report.is_over() {
            break;
        }
        report.add(&scenario::run(first + nth * step));
    }
    report.end();
}
