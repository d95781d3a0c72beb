//! The world of one seed: its chance, its trace, and what went wrong in it.
//!
//! It owns what every part of a simulation shares, and is reached from anywhere on the simulation's one
//! thread, as a machine's network and clock are. **Invariant**: what is drawn here, in the order in which
//! it is drawn, decides everything; the trace says what was decided.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::mpsc;
use xxhash_rust::xxh3::Xxh3;

use super::dice::Dice;
use super::disk::Disk;
use super::net::Net;
use super::runtime::Instant;
use super::witness::Witness;

/// What happened so often, for the report.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub stops: AtomicU64,
    pub crashes: AtomicU64,
    pub power_losses: AtomicU64,
    pub disk_failures: AtomicU64,
    pub slow_disks: AtomicU64,
    pub partitions: AtomicU64,
    pub resets: AtomicU64,
    pub clock_steps: AtomicU64,
    pub transfers: AtomicU64,
    pub member_changes: AtomicU64,
    pub elections: AtomicU64,
    pub acknowledged: AtomicU64,
    pub refused_at_the_door: AtomicU64,
    pub reads: AtomicU64,
    pub ages: AtomicU64,
    pub snapshots: AtomicU64,
    pub snapshots_failed: AtomicU64,
    pub mid_way: AtomicU64,
    pub refused_files: AtomicU64,
    pub cuts: AtomicU64,
    pub offers: AtomicU64,
    pub resumed: AtomicU64,
    pub taken_in: AtomicU64,
    pub begun_with: AtomicU64,
}

impl Counts {
    pub fn add(count: &AtomicU64) {
        // Relaxed: one thread counts.
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub fn get(count: &AtomicU64) -> u64 {
        // Relaxed: as above.
        count.load(Ordering::Relaxed)
    }
}

pub(crate) struct World {
    pub seed: u64,
    pub net: Net,
    pub disks: Mutex<BTreeMap<PathBuf, Arc<Disk>>>,
    pub counts: Counts,
    pub witness: Mutex<Witness>,
    pub schedule: Mutex<Dice>,
    trace: Mutex<Trace>,
    /// Laws that were broken, in the order in which it was seen.
    broken: Mutex<Vec<String>>,
    /// Processes that end by themselves.
    pub ended: mpsc::UnboundedSender<Ended>,
    pub ends: Mutex<Option<mpsc::UnboundedReceiver<Ended>>>,
}

/// A process ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub node: u64,
    /// In which life: a later one goes on.
    pub life: u64,
    pub how: How,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    /// Its disk has failed, or its clock forbids it to go on.
    Fails,
    /// In the middle of a snapshot.
    Trapped { power: bool },
    /// To take a snapshot in that was received.
    StartsAgain,
}

struct Trace {
    hash: Xxh3,
    events: u64,
    /// Every event in words, where they were asked for.
    loud: bool,
}

thread_local! {
    static WORLD: RefCell<Option<Arc<World>>> = const { RefCell::new(None) };
}

/// The world of this thread.
pub(crate) fn world() -> Arc<World> {
    WORLD.with(|world| world.borrow().clone()).expect("inside a simulation")
}

impl World {
    pub fn new(seed: u64) -> Arc<Self> {
        let (ended, ends) = mpsc::unbounded_channel();
        let loud = std::env::var_os("HOLDFAST_SIM_TRACE").is_some();
        Arc::new(Self {
            seed,
            net: Net::new(seed),
            disks: Mutex::default(),
            counts: Counts::default(),
            witness: Mutex::new(Witness::new()),
            schedule: Mutex::new(Dice::new(seed, 1)),
            trace: Mutex::new(Trace { hash: Xxh3::new(), events: 0, loud }),
            broken: Mutex::default(),
            ended,
            ends: Mutex::new(Some(ends)),
        })
    }

    /// Makes this the world of the thread, until the answer is dropped.
    pub fn enter(self: &Arc<Self>) -> Entered {
        WORLD.with(|world| *world.borrow_mut() = Some(self.clone()));
        Entered
    }

    /// Notes something that was decided or that happened.
    pub fn note(&self, event: std::fmt::Arguments<'_>) {
        let mut trace = self.trace.lock();
        let at = Instant::now().since_start();
        let mut line = String::new();
        let _ = write!(line, "{:>13.6} {event}", at.as_secs_f64());
        trace.hash.update(line.as_bytes());
        trace.events += 1;
        if trace.loud {
            println!("{line}");
        }
    }

    /// Entries that a node of this world keeps behind the older of its snapshots.
    pub fn log_kept(&self) -> u64 {
        Dice::new(self.seed, 6).of(&[0, 0, 8, 64])
    }

    /// The trace in one number, and how many events it has.
    pub fn trace(&self) -> (u64, u64) {
        let trace = self.trace.lock();
        (trace.hash.digest(), trace.events)
    }

    /// A law was broken.
    pub fn broke(&self, law: &str, what: std::fmt::Arguments<'_>) {
        let text = format!("{law}: {what}");
        self.broken.lock().push(text);
    }

    pub fn broken(&self) -> Vec<String> {
        self.broken.lock().clone()
    }
}

/// Ends a world on drop.
pub(crate) struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        WORLD.with(|world| drop(world.borrow_mut().take()));
    }
}
