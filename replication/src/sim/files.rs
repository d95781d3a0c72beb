//! The files of snapshots on a simulated disk: bytes last once their file is synced, names once their
//! directory is.
//!
//! It owns what a lost power leaves of them, and how long each step takes. It refuses to know what they
//! mean: the bytes are the product's own. **Invariant**: after a lost power a directory is as it was at some
//! moment not before it was last synced, and a file begins with what was last synced of it.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_snapshot::{Durable, Files, Input, Output};
use parking_lot::Mutex;

use super::dice::Dice;
use super::disk::{Disk, Step, disk_of};
use super::runtime::blocking;
use super::world::world;

/// Bytes that a file takes at once.
const WRITE_BYTES_MAX: usize = 16_384;

#[derive(Debug, Default)]
struct Bytes {
    now: Vec<u8>,
    durable: Vec<u8>,
}

type Inode = Arc<Mutex<Bytes>>;
type Names = BTreeMap<PathBuf, Inode>;

#[derive(Debug)]
enum Change {
    Made(PathBuf, Inode),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf),
}

impl Change {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Made(path, inode) => drop(names.insert(path.clone(), inode.clone())),
            Self::Renamed(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Removed(path) => drop(names.remove(path)),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Made(path, _) | Self::Renamed(path, _) | Self::Removed(path) => path,
        }
    }
}

/// The files of one disk.
#[derive(Debug, Default)]
pub(super) struct Tree {
    names: Names,
    durable: Names,
    /// What was changed of the names since, in order.
    unsynced: Vec<Change>,
}

impl Tree {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.unsynced.push(change);
    }

    fn get(&self, path: &Path) -> io::Result<Inode> {
        self.names.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&mut self, dir: &Path) {
        for change in std::mem::take(&mut self.unsynced) {
            if change.path().parent() == Some(dir) {
                change.apply(&mut self.durable);
            } else {
                self.unsynced.push(change);
            }
        }
    }

    /// A killed process leaves everything; a lost power what follows.
    pub fn lose_power(&mut self, dice: &mut Dice) {
        let kept = usize::try_from(dice.below(self.unsynced.len() as u64 + 1)).unwrap_or(0);
        for change in self.unsynced.drain(..).take(kept) {
            change.apply(&mut self.durable);
        }
        self.names = self.durable.clone();
        for inode in self.names.values() {
            inode.lock().lose_power(dice);
        }
    }

    /// What would be there after a power loss now, whatever is lost: names and bytes.
    pub fn durable(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let durable = |(path, inode): (&PathBuf, &Inode)| {
            // One that is about to be renamed or removed may be there under either name, or none.
            let is_sure = self.unsynced.iter().all(|change| change.path() != path);
            is_sure.then(|| (path.clone(), inode.lock().durable.clone()))
        };
        self.durable.iter().filter_map(durable).collect()
    }
}

impl Bytes {
    fn lose_power(&mut self, dice: &mut Dice) {
        let synced = self.durable.len();
        if self.now.starts_with(&self.durable) {
            let more = (self.now.len() - synced) as u64;
            let kept = usize::try_from(dice.below(more + 1)).unwrap_or(0);
            self.now.truncate(synced + kept);
            if dice.one_in(4) {
                // Its length reached the disk, its bytes did not.
                self.now.iter_mut().skip(synced).for_each(|byte| *byte = 0);
            }
        } else if dice.one_in(2) {
            self.now.clone_from(&self.durable);
        }
        self.durable.clone_from(&self.now);
    }
}

/// The files of the machine whose path it is.
#[derive(Debug)]
pub(crate) struct SimFiles;

pub(crate) static FILES: &dyn Files = &SimFiles;

/// One step of a disk: takes its time, and is done or fails.
fn step(disk: &Disk, step: Step) -> io::Result<()> {
    blocking::pause(disk.write_time(matches!(step, Step::Sync | Step::SyncNames)));
    if disk.springs_at(step) {
        blocking::stand();
    }
    disk.may_write_file()
}

impl Files for SimFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Input>> {
        let inode = disk_of(path).tree(|tree| tree.get(path))?;
        let bytes = inode.lock().now.clone();
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn create(&self, path: &Path) -> io::Result<Output> {
        let disk = disk_of(path);
        step(&disk, Step::Name)?;
        let inode = disk.tree(|tree| {
            tree.get(path).unwrap_or_else(|_| {
                let inode = Inode::default();
                tree.change(Change::Made(path.to_owned(), inode.clone()));
                inode
            })
        });
        inode.lock().now.clear();
        Ok(Box::new(File { disk, inode }))
    }

    fn extend(&self, path: &Path) -> io::Result<(Output, u64)> {
        let disk = disk_of(path);
        disk.receives();
        let there = disk.tree(|tree| tree.get(path));
        match there {
            Ok(inode) => {
                let length = inode.lock().now.len() as u64;
                Ok((Box::new(File { disk, inode }), length))
            }
            Err(_) => Ok((self.create(path)?, 0)),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let disk = disk_of(from);
        step(&disk, Step::Name)?;
        disk.tree(|tree| {
            tree.get(from)?;
            world().note(format_args!("node {} renames {} to {}", disk.node, name(from), name(to)));
            tree.change(Change::Renamed(from.to_owned(), to.to_owned()));
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let disk = disk_of(path);
        step(&disk, Step::Name)?;
        disk.tree(|tree| {
            tree.get(path)?;
            world().note(format_args!("node {} removes {}", disk.node, name(path)));
            tree.change(Change::Removed(path.to_owned()));
            Ok(())
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let in_it = |path: &&PathBuf| path.parent() == Some(dir);
        Ok(disk_of(dir).tree(|tree| tree.names.keys().filter(in_it).cloned().collect()))
    }

    fn make_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let disk = disk_of(dir);
        step(&disk, Step::SyncNames)?;
        disk.tree(|tree| tree.sync_dir(dir));
        Ok(())
    }
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

struct File {
    disk: Arc<Disk>,
    inode: Inode,
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        step(&self.disk, Step::Write)?;
        let taken = bytes.len().min(WRITE_BYTES_MAX);
        self.inode.lock().now.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Durable for File {
    fn sync(&mut self) -> io::Result<()> {
        step(&self.disk, Step::Sync)?;
        let mut bytes = self.inode.lock();
        bytes.durable = bytes.now.clone();
        Ok(())
    }
}
