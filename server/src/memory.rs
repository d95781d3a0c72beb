//! Memory got from the system before it is needed, for the allocator to give out.
//!
//! It owns one mapping for the life of the process. The first touch of a page is the system's work, on a
//! virtual machine also its host's, and falls into whatever command comes upon it; what is reserved here is
//! touched by threads of its own, while the node starts. It refuses to know what the memory is used for.

#![allow(unsafe_code)] // A mapping, advice about it, and its hand-over to the allocator.

use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
use rustix::system::sysinfo;

use crate::config::MIB;
use crate::limits::{MEMORY_RESERVE_PERCENT_MAX, MEMORY_TOUCH_BYTES, MEMORY_TOUCH_THREADS_MAX};

/// Why memory was not reserved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "memory_reserve_mib is {wanted}; this machine has {} MiB, of which at most \
         {MEMORY_RESERVE_PERCENT_MAX} % can be reserved",
        total
    )]
    TooMuch { wanted: u64, total: u64 },
    #[error("memory cannot be reserved: {0}")]
    System(#[from] io::Error),
    #[error("the allocator does not take {mib} MiB; reserve 64 or more, or 0 for none")]
    Refused { mib: u64 },
}

/// Threads that touch what was reserved, front to back, as the allocator will give it out.
#[derive(Debug)]
pub struct Touching(Vec<thread::JoinHandle<io::Result<()>>>);

impl Touching {
    /// Waits until all is touched.
    pub fn wait(self) -> io::Result<()> {
        for thread in self.0 {
            thread.join().map_err(|_| io::Error::other("touching memory panicked"))??;
        }
        Ok(())
    }
}

/// Reserves `mib` MiB for the allocator, once in the life of a process, and begins to touch them; 0 is
/// nothing to do. Nobody has to wait: memory not touched yet is touched by whoever gets it.
pub fn reserve(mib: u64) -> Result<Touching, Error> {
    if mib == 0 {
        return Ok(Touching(Vec::new()));
    }
    let total = total_mib();
    if u128::from(mib) * 100 > u128::from(total) * u128::from(MEMORY_RESERVE_PERCENT_MAX) {
        return Err(Error::TooMuch { wanted: mib, total });
    }
    let bytes = usize::try_from(mib * MIB).map_err(|_| Error::TooMuch { wanted: mib, total })?;
    let start = map(bytes)?;
    // Its pages are never given back one by one: the host would have to be asked for them again.
    let (committed, pinned, zero, any_node, for_all) = (true, true, true, -1, false);
    // SAFETY: `bytes` bytes from `start` on were mapped just now, are zero, writable and nobody else's, and
    // are never unmapped; no place for an id is given, which the allocator allows.
    let taken = unsafe {
        libmimalloc_sys::mi_manage_os_memory_ex(
            start,
            bytes,
            committed,
            pinned,
            zero,
            any_node,
            for_all,
            ptr::null_mut(),
        )
    };
    if !taken {
        return Err(Error::Refused { mib });
    }
    touch(start, bytes).map_err(Error::System)
}

fn map(bytes: usize) -> io::Result<*mut c_void> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping at a place of the system's choice touches nothing that is there.
    let start = unsafe { mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE) }?;
    // SAFETY: advice about exactly what was mapped. Where there are no huge pages, all works as before.
    let _ = unsafe { madvise(start, bytes, Advice::LinuxHugepage) };
    Ok(start)
}

/// Each thread takes the next piece until there is none.
fn touch(start: *mut c_void, bytes: usize) -> io::Result<Touching> {
    let next = Arc::new(AtomicUsize::new(0));
    let threads = thread::available_parallelism()?.get().min(MEMORY_TOUCH_THREADS_MAX);
    let address = start.expose_provenance();
    let spawn = |_| {
        let next = next.clone();
        let work = move || {
            loop {
                // Relaxed: each piece is taken once, and its contents do not change.
                let from = next.fetch_add(MEMORY_TOUCH_BYTES, Ordering::Relaxed);
                if from >= bytes {
                    return Ok(());
                }
                let length = MEMORY_TOUCH_BYTES.min(bytes - from);
                let piece = ptr::with_exposed_provenance_mut(address + from);
                // SAFETY: the piece lies in the mapping, which is there for good. The system brings its pages
                // in and leaves what stands in them, so others may use them meanwhile.
                unsafe { madvise(piece, length, Advice::LinuxPopulateWrite) }?;
            }
        };
        thread::Builder::new().name("holdfast-memory".to_owned()).spawn(work)
    };
    Ok(Touching((0..threads).map(spawn).collect::<io::Result<_>>()?))
}

fn total_mib() -> u64 {
    let info = sysinfo();
    info.totalram.saturating_mul(u64::from(info.mem_unit)) / MIB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_machine_has_is_refused_in_words() {
        let error = reserve(total_mib()).unwrap_err().to_string();
        assert!(error.contains("memory_reserve_mib"), "{error}");
    }

    #[test]
    fn nothing_is_reserved_where_nothing_is_asked_for() {
        reserve(0).unwrap().wait().unwrap();
    }

    #[test]
    fn what_is_reserved_is_touched() {
        let resident = || {
            let text = std::fs::read_to_string("/proc/self/statm").unwrap();
            text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096 / MIB
        };
        let before = resident();
        reserve(256).unwrap().wait().unwrap();
        assert!(resident() >= before + 250, "{before} MiB before, {} MiB after", resident());
    }
}
