//! The machine a figure was measured on.
//!
//! Owns what is read from `/proc` and the disk's own sync time. Numbers without their machine say little.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::report::Latencies;
use crate::stopwatch::timed;

/// Resident bytes of this process.
pub fn resident_bytes() -> usize {
    // The second field, in pages.
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = text.split(' ').nth(1).and_then(|field| field.parse().ok()).unwrap_or(0);
    pages * 4_096
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines()
        .find(|line| line.starts_with(name))
        .and_then(|line| line.split(':').nth(1))
        .map_or("?", str::trim)
}

/// Prints processor, memory and the disk's sync latency.
pub fn print(scratch: &Path) -> std::io::Result<()> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = std::thread::available_parallelism()?;
    println!(
        "machine: {}, {cores} cores, {} memory",
        field(&cpu, "model name"),
        field(&memory, "MemTotal")
    );
    println!(
        "         Linux {}, load {}",
        kernel.trim(),
        fs::read_to_string("/proc/loadavg")?.trim()
    );
    let syncs = sync_latency(scratch, 4_096, 500)?;
    println!("         disk of {}: fdatasync of 4 KiB {}", scratch.display(), syncs.summary());
    let load: f64 = fs::read_to_string("/proc/loadavg")?
        .split(' ')
        .next()
        .and_then(|field| field.parse().ok())
        .unwrap_or(0.0);
    if load > 0.5 {
        println!(
            "         NOTE: something else is running; figures are lower than they would be alone"
        );
    }
    Ok(())
}

/// Touches so much memory and gives it back to the allocator, which keeps it where
/// `MIMALLOC_PURGE_DELAY=-1` says so (`./dev bench` does): in a virtual machine the first touch of a page is
/// the host's work, and can cost more than all that a figure is about.
pub fn touch(bytes: usize) {
    const PIECE: usize = 1 << 20;
    let pieces: Vec<Vec<u8>> = (0..bytes / PIECE).map(|_| vec![1; PIECE]).collect();
    drop(std::hint::black_box(pieces));
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        println!(
            "   NOTE: without MIMALLOC_PURGE_DELAY=-1 the host's first touch of memory is in these figures"
        );
    }
}

/// Appends `bytes` and syncs, `count` times, over a file that has its length already, as a recycled
/// log file has.
pub fn sync_latency(dir: &Path, bytes: usize, count: usize) -> std::io::Result<Latencies> {
    let block = vec![0xA5u8; bytes];
    let mut file = File::create(dir.join("sync-floor"))?;
    for _ in 0..count {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    std::io::Seek::rewind(&mut file)?;
    let mut latencies = Latencies::new();
    for _ in 0..count {
        let (time, outcome) = timed(|| file.write_all(&block).and_then(|()| file.sync_data()));
        outcome?;
        latencies.record(time);
    }
    fs::remove_file(dir.join("sync-floor"))?;
    Ok(latencies)
}
