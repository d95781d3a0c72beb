//! Other people's databases doing the same work, each private to this run.

pub mod postgres;
pub mod redis;

use std::io;
use std::os::unix::fs::chown;
use std::path::Path;

/// Holds a peer made, and the refusals it gave, in one load.
pub struct Peer {
    pub rate: f64,
    pub latencies: crate::report::Latencies,
}

/// An unprivileged account, where this process is root: PostgreSQL refuses to run as root.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// `None` where this process is not root and needs none.
    pub fn find() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let is_root = status.lines().any(|line| line.starts_with("Uid:\t0\t"));
        let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
        let of = |name: &str| {
            let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some(Self { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
        };
        is_root.then(|| of("postgres").or_else(|| of("nobody"))).flatten()
    }

    pub fn own(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }
}
