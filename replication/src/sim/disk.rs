//! A node's disk: what was synced stays, what was not is lost with the power.
//!
//! It owns the stores and files of one node, how long a sync takes, and whether it works. A killed
//! process leaves all it has written; a lost power leaves what was synced, and of the rest as much of the
//! beginning as the seed says. **Invariant**: a life that is over changes nothing on its disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::dice::Dice;
use super::files::Tree;
use super::rocks::Store;
use super::runtime::Life;
use super::world::{Counts, How, world};

pub(crate) struct Disk {
    pub node: u64,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    stores: BTreeMap<PathBuf, Arc<Mutex<Store>>>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    tree: Tree,
    /// The longest ordinary sync, in microseconds.
    sync_us_max: u64,
    /// How many times as long everything takes.
    slowness: u64,
    fails: bool,
    /// So many steps of files are refused, for want of room: the log's have theirs.
    refuses: u64,
    /// Some were, in this life.
    refused: bool,
    trap: Option<Trap>,
    /// Traps are laid for snapshots that come from another node.
    lays_traps: bool,
}

/// Steps of receiving a snapshot and taking it in, about.
const RECEIVING_STEPS: u64 = 100;

/// What a snapshot goes on by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Write,
    Sync,
    /// A file is made, renamed or removed.
    Name,
    SyncNames,
    /// The log is cut.
    Cut,
}

/// A crash that waits for a step of a snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trap {
    /// Of this kind; `None`: of any.
    pub kind: Option<Step>,
    /// Steps before it springs.
    pub steps: u64,
    pub power: bool,
}

/// The disk under a path of a simulation: `/sim/<node>/…`.
pub(crate) fn disk_of(path: &Path) -> Arc<Disk> {
    let root: PathBuf = path.components().take(3).collect();
    let world = world();
    let mut disks = world.disks.lock();
    let disk = disks.entry(root.clone()).or_insert_with(|| {
        let node = root.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0);
        Arc::new(Disk::new(node, world.seed))
    });
    disk.clone()
}

/// Where a node of a simulation keeps its data.
pub(crate) fn dir_of(node: u64) -> PathBuf {
    PathBuf::from(format!("/sim/{node}"))
}

impl Disk {
    fn new(node: u64, seed: u64) -> Self {
        let mut dice = Dice::new(seed, 100 + node);
        let sync_us_max = dice.of(&[200, 1_000, 5_000, 20_000]);
        let state = State {
            dice,
            stores: BTreeMap::new(),
            files: BTreeMap::new(),
            tree: Tree::default(),
            sync_us_max,
            slowness: 1,
            fails: false,
            refuses: 0,
            refused: false,
            trap: None,
            lays_traps: true,
        };
        Self { node, state: Mutex::new(state) }
    }

    pub fn store(&self, path: &Path) -> Option<Arc<Mutex<Store>>> {
        self.state.lock().stores.get(path).cloned()
    }

    pub fn make_store(&self, path: &Path) -> Arc<Mutex<Store>> {
        self.state.lock().stores.entry(path.to_owned()).or_default().clone()
    }

    /// How long the next write takes.
    pub fn write_time(&self, synced: bool) -> Duration {
        let mut state = self.state.lock();
        let most = if synced { state.sync_us_max } else { 20 };
        let took_us = state.dice.between(most / 10, most) * state.slowness;
        Duration::from_micros(took_us)
    }

    /// Whether a write may be made by this life; an error where the disk has failed.
    pub fn may_write(&self) -> Result<(), String> {
        if Life::current().is_none_or(|life| life.is_over()) {
            return Err("the process is gone".to_owned());
        }
        if self.state.lock().fails {
            return Err(format!("the disk of node {} has failed", self.node));
        }
        Ok(())
    }

    /// As [`Self::may_write`], for a file of a snapshot.
    pub fn may_write_file(&self) -> io::Result<()> {
        self.may_write().map_err(io::Error::other)?;
        let mut state = self.state.lock();
        if state.refuses == 0 {
            return Ok(());
        }
        state.refuses -= 1;
        state.refused = true;
        Counts::add(&world().counts.refused_files);
        Err(io::ErrorKind::StorageFull.into())
    }

    /// Whether a file was refused in the life that is about to end.
    pub fn has_refused(&self) -> bool {
        self.state.lock().refused
    }

    pub fn set_refuses(&self, steps: u64) {
        self.state.lock().refuses = steps;
    }

    pub fn set_trap(&self, trap: Trap) {
        self.state.lock().trap = Some(trap);
    }

    /// A snapshot comes from another node. That is seldom, so a crash amid it is drawn here: while it comes, or
    /// while the next start takes it in.
    pub fn receives(&self) {
        let mut state = self.state.lock();
        if state.lays_traps && state.trap.is_none() && state.dice.one_in(2) {
            let kind = state.dice.of(&[None, Some(Step::SyncNames)]);
            let steps = state.dice.below(if kind.is_none() { RECEIVING_STEPS } else { 3 });
            let power = state.dice.one_in(2);
            state.trap = Some(Trap { kind, steps, power });
        }
    }

    /// It works from now on, and as fast as it does.
    pub fn mend(&self) {
        let mut state = self.state.lock();
        (state.slowness, state.fails, state.refuses) = (1, false, 0);
        (state.trap, state.lays_traps) = (None, false);
    }

    /// A snapshot goes one step on: `true` where that springs a trap, and the process ends before it does
    /// anything else.
    pub fn springs_at(&self, step: Step) -> bool {
        let Some(life) = Life::current().filter(|life| !life.is_over()) else { return false };
        let mut state = self.state.lock();
        let waits_for = |trap: &&mut Trap| trap.kind.is_none_or(|kind| kind == step);
        let Some(trap) = state.trap.as_mut().filter(waits_for) else { return false };
        if trap.steps > 0 {
            trap.steps -= 1;
            return false;
        }
        let power = trap.power;
        state.trap = None;
        life.end_by_itself(How::Trapped { power });
        true
    }

    /// The files that a power loss just now would certainly leave.
    pub fn durable(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.tree(|tree| tree.durable())
    }

    pub(super) fn tree<T>(&self, work: impl FnOnce(&mut Tree) -> T) -> T {
        work(&mut self.state.lock().tree)
    }

    pub fn set_slowness(&self, times: u64) {
        self.state.lock().slowness = times;
    }

    pub fn works(&self) -> bool {
        !self.state.lock().fails
    }

    pub fn set_fails(&self, fails: bool) {
        self.state.lock().fails = fails;
    }

    /// The process has ended; `power`: and with it the page cache.
    pub fn crash(&self, power: bool) {
        let mut state = self.state.lock();
        let stores: Vec<_> = state.stores.values().cloned().collect();
        for store in stores {
            store.lock().crash(power, &mut state.dice);
        }
        state.refused = false;
        if power {
            let State { tree, dice, .. } = &mut *state;
            tree.lose_power(dice);
        }
    }
}

/// The twin of the guard's whole file: replaced whole, or not at all.
pub(crate) mod whole_file {
    use super::{Path, disk_of, io};

    pub(crate) fn read(path: &Path, _bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        Ok(disk_of(path).state.lock().files.get(path).cloned())
    }

    pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let disk = disk_of(path);
        disk.may_write().map_err(io::Error::other)?;
        disk.state.lock().files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
}
