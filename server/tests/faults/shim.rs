//! A library that a node's process loads before libc: it moves the wall clock, delays or fails syncs, and ends
//! the process at one of them.
//!
//! Owns nothing but the orders, three numbers in a file that the test writes and this process maps: how far
//! the wall is off in milliseconds, how many microseconds a sync takes longer (-1: it fails), and at which
//! sync from now on the process kills itself (0: at none), also where another program takes its place.
//! Compiled by the test that loads it. **Invariant**: no clock but the wall is touched.

#![allow(unsafe_code)] // Three libc functions are replaced; each says how.

use std::ffi::{c_int, c_long, c_void};
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const CLOCK_REALTIME: c_int = 0;
const SYS_CLOCK_GETTIME: c_long = 228;
const SYS_FSYNC: c_long = 74;
const SYS_FDATASYNC: c_long = 75;
const SYS_GETPID: c_long = 39;
const SYS_KILL: c_long = 62;
const SIGKILL: c_long = 9;
const EIO: c_int = 5;

#[repr(C)]
pub struct Timespec {
    s: i64,
    ns: i64,
}

struct Orders {
    wall_ms: AtomicI64,
    sync_us: AtomicI64,
    dies_at: AtomicI64,
}

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn mmap(at: *mut c_void, len: usize, prot: c_int, flags: c_int, fd: c_int, from: i64)
    -> *mut c_void;
    fn __errno_location() -> *mut c_int;
}

fn orders() -> Option<&'static Orders> {
    static ORDERS: OnceLock<Option<&'static Orders>> = OnceLock::new();
    *ORDERS.get_or_init(|| {
        let file = std::env::var_os("HOLDFAST_FAULT_ORDERS")?;
        let file = std::fs::File::options().read(true).write(true).open(file).ok()?;
        // SAFETY: a fresh mapping (readable, writable, shared) of a file of at least 24 bytes, never unmapped.
        let mapped = unsafe { mmap(std::ptr::null_mut(), 24, 3, 1, file.as_raw_fd(), 0) };
        // SAFETY: page-aligned and as long as the struct, of atomics; whoever writes it does so by whole numbers.
        (mapped as isize != -1).then(|| unsafe { &*mapped.cast::<Orders>() })
    })
}

/// Stands in for libc's: the same, but for the wall.
// SAFETY: the signature is libc's; the pointer is the caller's and goes to the kernel first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int {
    // SAFETY: as the caller promises to libc.
    let done = unsafe { syscall(SYS_CLOCK_GETTIME, c_long::from(clock), time) };
    if clock == CLOCK_REALTIME && done == 0 {
        // Relaxed: a number on its own.
        let off = orders().map_or(0, |orders| orders.wall_ms.load(Ordering::Relaxed));
        // SAFETY: the kernel has just written there.
        unsafe { (*time).s += off / 1_000 };
    }
    done as c_int
}

fn sync(number: c_long, fd: c_int) -> c_int {
    // Relaxed: a count on its own; one that was never set stays below.
    if orders().is_some_and(|orders| orders.dies_at.load(Ordering::Relaxed) > 0)
        && orders().is_some_and(|orders| orders.dies_at.fetch_sub(1, Ordering::Relaxed) == 1)
    {
        // SAFETY: takes numbers alone; this process does not come back from it.
        unsafe { syscall(SYS_KILL, syscall(SYS_GETPID), SIGKILL) };
    }
    // Relaxed: as above.
    match orders().map_or(0, |orders| orders.sync_us.load(Ordering::Relaxed)) {
        0 => {}
        longer @ 1.. => std::thread::sleep(Duration::from_micros(longer as u64)),
        _ => {
            // SAFETY: errno of this thread, through the pointer libc gives for it.
            unsafe { *__errno_location() = EIO };
            return -1;
        }
    }
    // SAFETY: takes a number alone.
    unsafe { syscall(number, c_long::from(fd)) as c_int }
}

/// Stands in for libc's: later, or not at all.
// SAFETY: the signature is libc's.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: c_int) -> c_int {
    sync(SYS_FSYNC, fd)
}

/// As `fsync`.
// SAFETY: the signature is libc's.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(SYS_FDATASYNC, fd)
}
