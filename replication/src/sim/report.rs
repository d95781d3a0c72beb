//! What is told of the seeds that were run.
//!
//! It owns the words and the sums. The first seed that breaks a law ends a run, unless that is what is
//! waited for.

use std::time::Duration;

use super::world::{Counts, World};
use crate::clock::{SystemTimeSource, TimeSource};

/// How one seed ended.
pub(crate) struct Told {
    pub seed: u64,
    pub simulated: Duration,
    pub trace: (u64, u64),
    pub broken: Vec<String>,
    pub entries: u64,
    pub counts: Vec<(&'static str, u64)>,
}

impl Told {
    pub fn of(world: &World, simulated: Duration) -> Self {
        let counts = &world.counts;
        let entries = world.witness.lock().end();
        let all = [
            ("stopped", &counts.stops),
            ("killed", &counts.crashes),
            ("power losses", &counts.power_losses),
            ("disk failures", &counts.disk_failures),
            ("slow disks", &counts.slow_disks),
            ("partitions", &counts.partitions),
            ("resets", &counts.resets),
            ("clock jumps", &counts.clock_steps),
            ("transfers", &counts.transfers),
            ("member changes", &counts.member_changes),
            ("elections", &counts.elections),
            ("commands acknowledged", &counts.acknowledged),
            ("refused at the door", &counts.refused_at_the_door),
            ("reads", &counts.reads),
            ("ages", &counts.ages),
            ("snapshots", &counts.snapshots),
            ("of them failed", &counts.snapshots_failed),
            ("crashes amid a snapshot", &counts.mid_way),
            ("full disks", &counts.refused_files),
            ("logs cut", &counts.cuts),
            ("sendings begun", &counts.offers),
            ("resumed", &counts.resumed),
            ("taken in", &counts.taken_in),
            ("starts with a snapshot", &counts.begun_with),
        ];
        let counts = all.map(|(name, count)| (name, Counts::get(count))).to_vec();
        let (trace, broken) = (world.trace(), world.broken());
        Self { seed: world.seed, simulated, trace, broken, entries, counts }
    }
}

pub(crate) struct Report {
    time: SystemTimeSource,
    /// The law that a bug is expected to break.
    expected: Option<String>,
    seeds: u64,
    simulated: Duration,
    entries: u64,
    sums: Vec<(&'static str, u64)>,
    failed: Option<u64>,
    found: bool,
}

impl Report {
    pub fn new(expected: Option<String>) -> Self {
        Self {
            time: SystemTimeSource::new(),
            expected,
            seeds: 0,
            simulated: Duration::ZERO,
            entries: 0,
            sums: Vec::new(),
            failed: None,
            found: false,
        }
    }

    pub fn minutes(&self) -> u64 {
        self.time.elapsed().as_secs() / 60
    }

    pub fn is_over(&self) -> bool {
        self.found || self.failed.is_some()
    }

    pub fn add(&mut self, told: &Told) {
        self.seeds += 1;
        self.simulated += told.simulated;
        self.entries += told.entries;
        if self.sums.is_empty() {
            self.sums.clone_from(&told.counts);
        } else {
            for (sum, count) in self.sums.iter_mut().zip(&told.counts) {
                sum.1 += count.1;
            }
        }
        let Told { seed, trace: (hash, events), broken, .. } = told;
        println!("seed {seed}: trace {hash:016x} of {events} events");
        if broken.is_empty() {
            return;
        }
        for law in broken.iter().take(8) {
            println!("seed {seed} breaks a law: {law}");
        }
        match &self.expected {
            Some(law) if broken.iter().any(|broken| broken.starts_with(law.as_str())) => {
                println!("found by the law `{law}` after {} seeds", self.seeds);
                self.found = true;
            }
            Some(_) => {}
            None => {
                println!("run it again with: ./dev simulate --seed {seed}");
                self.failed = Some(*seed);
            }
        }
    }

    pub fn end(self) {
        let hours = self.simulated.as_secs_f64() / 3_600.0;
        let sums = self.sums.iter().map(|(name, sum)| format!("{sum} {name}"));
        let sums: Vec<String> = sums.collect();
        println!(
            "{} seeds, {hours:.2} simulated hours in {:.0} s: {} entries, {}",
            self.seeds,
            self.time.elapsed().as_secs_f64(),
            self.entries,
            sums.join(", ")
        );
        assert!(self.failed.is_none(), "seed {:?} breaks a law", self.failed);
        if let Some(law) = self.expected {
            assert!(self.found, "no seed breaks the law `{law}`");
        }
    }
}
