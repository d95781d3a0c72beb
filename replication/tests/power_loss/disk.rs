//! What a disk without luck would have: the bytes and names that were synced, and no others.
//!
//! It owns one image per process: durable content by file, durable names by directory. It refuses to
//! guess: what was never synced is empty or absent after a power loss.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, DirEntry, Metadata};
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::SystemTime;

use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Syncs of WAL files say yes and do nothing.
    SkipWal,
    /// Syncs of WAL files fail.
    FailWal,
}

pub struct Disk(Mutex<Image>);

/// An inode's number, which another file may have had before, and when this one was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Inode(u64, Option<SystemTime>);

impl Inode {
    fn of(metadata: &Metadata) -> Self {
        Self(metadata.ino(), metadata.created().ok())
    }
}

/// A name in a directory.
struct Name {
    name: OsString,
    inode: Inode,
    is_dir: bool,
}

impl Name {
    fn of(entry: &DirEntry) -> Self {
        let metadata = entry.metadata().expect("it");
        Self { name: entry.file_name(), inode: Inode::of(&metadata), is_dir: metadata.is_dir() }
    }
}

struct Image {
    fault: Fault,
    content: HashMap<Inode, Vec<u8>>,
    names: HashMap<PathBuf, Vec<Name>>,
    /// Syncs of a guard so far.
    guards: u64,
    roots: Vec<PathBuf>,
}

impl Disk {
    pub fn get() -> &'static Self {
        static DISK: OnceLock<Disk> = OnceLock::new();
        DISK.get_or_init(|| {
            Self(Mutex::new(Image {
                fault: Fault::None,
                content: HashMap::new(),
                names: HashMap::new(),
                guards: 0,
                roots: Vec::new(),
            }))
        })
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A directory whose files are watched.
    pub fn directory(&self) -> TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        self.image().roots.push(dir.path().canonicalize().expect("a path"));
        dir
    }

    pub fn set_fault(&self, fault: Fault) {
        self.image().fault = fault;
    }

    /// How often a guard file was synced so far.
    pub fn guards_synced(&self) -> u64 {
        self.image().guards
    }

    /// A directory as it comes back after the power was lost now.
    pub fn after_power_loss(&self, dir: &Path) -> TempDir {
        let back = tempfile::tempdir().expect("a directory");
        let image = self.image();
        image.restore(&dir.canonicalize().expect("a path"), back.path());
        back
    }

    /// Called instead of a sync of `fd`: what the caller is to be told, or `None` for a real sync.
    pub fn synced(&self, fd: RawFd) -> Result<(), ()> {
        let Ok(path) = fs::read_link(format!("/proc/self/fd/{fd}")) else { return Ok(()) };
        let mut image = self.image();
        if !image.roots.iter().any(|root| path.starts_with(root)) {
            return Ok(());
        }
        let is_wal = path.extension().is_some_and(|end| end == "log");
        match image.fault {
            Fault::SkipWal if is_wal => return Ok(()),
            Fault::FailWal if is_wal => return Err(()),
            _ => {}
        }
        let open = format!("/proc/self/fd/{fd}");
        let metadata = fs::metadata(&open).expect("an open file");
        if metadata.is_dir() {
            let names = fs::read_dir(&path).expect("a directory");
            let names = names.map(|entry| Name::of(&entry.expect("an entry")));
            image.names.insert(path, names.collect());
        } else {
            image.guards += u64::from(path.to_string_lossy().contains("guard"));
            image.content.insert(Inode::of(&metadata), fs::read(&open).expect("its bytes"));
        }
        Ok(())
    }
}

impl Image {
    fn restore(&self, from: &Path, to: &Path) {
        for Name { name, inode, is_dir } in self.names.get(from).into_iter().flatten() {
            let (from, to) = (from.join(name), to.join(name));
            if *is_dir {
                fs::create_dir(&to).expect("made");
                self.restore(&from, &to);
            } else {
                fs::write(&to, self.content.get(inode).map_or(&[][..], Vec::as_slice))
                    .expect("written");
            }
        }
    }
}

/// What a sync answers when the disk below fails.
fn failed() -> libc::c_int {
    // SAFETY: errno of this thread, written through the pointer libc gives for it.
    unsafe { *libc::__errno_location() = libc::EIO };
    -1
}

/// Stands in for libc's function in this test's process, RocksDB's calls included: the linker prefers a
/// symbol of the executable.
// SAFETY: the signature is libc's; nothing is passed on but the number.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: libc::c_int) -> libc::c_int {
    // The page cache of a test need not reach a disk: the image is the disk.
    Disk::get().synced(fd).map_or_else(|()| failed(), |()| 0)
}

// SAFETY: as `fsync`.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: libc::c_int) -> libc::c_int {
    fsync(fd)
}
