//! The binary `holdfast`: hands the command line to the library and turns its answer into an
//! exit code. It decides nothing itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    holdfast_server::cli::main()
}
