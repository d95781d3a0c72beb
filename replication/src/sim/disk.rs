//! A node's disk: what was synced stays, what was not is lost with the power.
//!
//! It owns the stores and small files of one node, how long a sync takes, and whether it works. A killed
//! process leaves all it has written; a lost power leaves what was synced, and of the rest as much of the
//! beginning as the seed says. **Invariant**: a life that is over changes nothing on its disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::dice::Dice;
use super::rocks::Store;
use super::runtime::Life;
use super::world::world;

pub(crate) struct Disk {
    node: u64,
    state: Mutex<State>,
}

struct State {
    dice: Dice,
    stores: BTreeMap<PathBuf, Arc<Mutex<Store>>>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// The longest ordinary sync, in microseconds.
    sync_us_max: u64,
    /// How many times as long everything takes.
    slowness: u64,
    fails: bool,
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
            sync_us_max,
            slowness: 1,
            fails: false,
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
