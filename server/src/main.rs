//! The binary `holdfast`: hands the command line to the library and turns its answer into an
//! exit code. It decides nothing itself.

use std::process::ExitCode;

/// Holds and bookings live in small pieces of memory for weeks: huge pages and tight packing are worth a
/// quarter of the time of every command (docs/adr/0009-memory-of-live-records.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    holdfast_server::cli::main()
}
