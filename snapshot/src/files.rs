//! The few operations on files that snapshots are made of, and the machine's own.
//!
//! It owns their names, so that what writes, renames and reads a snapshot also runs on a disk that is
//! simulated. It refuses to own any order among them. **Invariant**: nothing else in what writes or reads a
//! snapshot opens, renames or removes a file.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::archived::{ArchivedError, ArchivedRecord};
use crate::load::{self, LoadError, Loaded};
use crate::read::{self, ReadError};
use crate::{Meta, Summary};

/// Bytes that can be made durable.
pub trait Durable: Write {
    /// Returns once everything written is on disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Durable for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A file that is read.
pub trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// A file that is written.
pub type Output = Box<dyn Durable + Send + Sync>;

/// Where snapshots lie. Names and their removal are durable once the directory is synced, bytes once their
/// file is.
pub trait Files: Debug + Send + Sync {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Input>>;

    /// An empty file, whatever was there.
    fn create(&self, path: &Path) -> io::Result<Output>;

    /// The file as it is, made where it is not there, to be written on from its end; and its length in bytes.
    fn extend(&self, path: &Path) -> io::Result<(Output, u64)>;

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Every path in a directory, in any order; none where there is no such directory.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;

    /// With those above it.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// Returns once every name in it is on disk as it is now.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// The files of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

impl Files for Machine {
    fn open(&self, path: &Path) -> io::Result<Box<dyn Input>> {
        Ok(Box::new(File::open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Output> {
        Ok(Box::new(OpenOptions::new().write(true).create(true).truncate(true).open(path)?))
    }

    fn extend(&self, path: &Path) -> io::Result<(Output, u64)> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let length = file.metadata()?.len();
        Ok((Box::new(file), length))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries?.map(|entry| entry.map(|entry| entry.path())).collect(),
        }
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

impl dyn Files {
    /// As [`crate::load()`], of a file that lies here.
    pub fn load(&self, path: &Path) -> Result<Loaded, LoadError> {
        load::load(read::open(self, path)?)
    }

    /// As [`crate::read_meta`].
    pub fn read_meta(&self, path: &Path) -> Result<Meta, ReadError> {
        read::open(self, path).map(|reader| reader.meta().clone())
    }

    /// As [`crate::verify`].
    pub fn verify(&self, path: &Path) -> Result<(Meta, Summary), ReadError> {
        read::verify(read::open(self, path)?)
    }

    /// As [`crate::read_archived`].
    pub fn read_archived<E>(
        &self,
        path: &Path,
        visit: impl FnMut(ArchivedRecord<'_>) -> Result<(), E>,
    ) -> Result<(), ArchivedError<E>> {
        crate::archived::read(read::open(self, path)?, visit)
    }
}

/// Loads a file; nothing of it is handed out before its end was checked. Records of the archive are counted
/// and held against what the state says of them: [`crate::read_archived`] hands them out.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    MACHINE.load(path)
}

/// The head of a file, checked; what follows is not looked at.
pub fn read_meta(path: &Path) -> Result<Meta, ReadError> {
    MACHINE.read_meta(path)
}

/// Reads and checks the whole of a file, and loads nothing.
pub fn verify(path: &Path) -> Result<(Meta, Summary), ReadError> {
    MACHINE.verify(path)
}

/// Hands out the archive's records of a file, block by block as each was checked, and checks the whole of it:
/// what was handed out counts only once this returns.
pub fn read_archived<E>(
    path: &Path,
    visit: impl FnMut(ArchivedRecord<'_>) -> Result<(), E>,
) -> Result<(), ArchivedError<E>> {
    MACHINE.read_archived(path, visit)
}

/// [`Machine`], as what takes any files wants it.
pub static MACHINE: &dyn Files = &Machine;
