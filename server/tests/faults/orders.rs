//! Orders to the library in front of libc: compiled, loaded into nodes, told what to do while they run.
//!
//! Owns one file of orders for each node. Where there is no compiler, or no such system, there are none.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::nodes::Nodes;
use crate::trial::say;

pub struct Orders {
    dir: TempDir,
}

impl Orders {
    /// Loads the library into all `voters` nodes from their next start on; `None` where that cannot be done.
    pub fn load(nodes: &mut Nodes, voters: u64) -> Option<Self> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
            say("SKIPPED: clocks and syncs are replaced on Linux x86_64 with glibc only");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("shim.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.rs");
        let compiled = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
            .args(["--edition", "2024", "--crate-type", "cdylib", "-O", source, "-o"])
            .arg(&library)
            .output();
        let failed = match compiled {
            Ok(done) if done.status.success() => None,
            Ok(done) => panic!("{}", String::from_utf8_lossy(&done.stderr)),
            Err(error) => Some(error),
        };
        if let Some(error) = failed {
            say(&format!(
                "SKIPPED: clocks and syncs cannot be replaced, rustc does not run: {error}"
            ));
            return None;
        }
        let orders = Self { dir };
        for node in 1..=voters {
            orders.write(node, [0; 3]);
            let path = |path: PathBuf| path.to_str().unwrap().to_owned();
            nodes.environment.insert(
                node,
                vec![
                    ("LD_PRELOAD".to_owned(), path(library.clone())),
                    ("HOLDFAST_FAULT_ORDERS".to_owned(), path(orders.file(node))),
                ],
            );
        }
        Some(orders)
    }

    /// From now on the node's wall clock is off by so much.
    pub fn wall_ms(&self, node: u64, ms: i64) {
        self.write(node, [ms, 0, 0]);
    }

    /// From now on each sync of the node takes so much longer.
    pub fn sync_us(&self, node: u64, us: i64) {
        self.write(node, [0, us, 0]);
    }

    /// From now on each sync of the node fails.
    pub fn syncs_fail(&self, node: u64) {
        self.write(node, [0, -1, 0]);
    }

    /// The node kills itself instead of its `nth` sync from now on, 1 being the next.
    pub fn dies_at_sync(&self, node: u64, nth: i64) {
        self.write(node, [0, 0, nth]);
    }

    pub fn mend(&self, node: u64) {
        self.write(node, [0; 3]);
    }

    fn write(&self, node: u64, numbers: [i64; 3]) {
        let file = File::options().create(true).truncate(false).write(true).open(self.file(node));
        let bytes = numbers.map(i64::to_ne_bytes).concat();
        file.unwrap().write_all_at(&bytes, 0).unwrap();
    }

    fn file(&self, node: u64) -> PathBuf {
        self.dir.path().join(format!("orders-{node}"))
    }
}
