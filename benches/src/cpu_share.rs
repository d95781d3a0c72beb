//! A fixed share of a processor for a process: the kernel's control groups.
//!
//! Owns one group below the root; refuses to guess where the machine does not let it make one. The group
//! goes with the value that stands for it, once its processes have ended.

use std::fs;
use std::path::{Path, PathBuf};

/// How often a share is dealt out: short, so that no heartbeat is late for it.
const PERIOD_US: u64 = 20_000;

pub struct CpuShare {
    dir: PathBuf,
}

impl CpuShare {
    /// A group that may use so many hundredths of one processor; why not, where that cannot be.
    pub fn make(name: &str, percent: u64) -> Result<Self, String> {
        let quota = PERIOD_US * percent / 100;
        let name = format!("holdfast-bench-{}-{name}", std::process::id());
        let (second, first) = (Path::new("/sys/fs/cgroup"), Path::new("/sys/fs/cgroup/cpu"));
        let (root, orders) = if second.join("cgroup.controllers").exists() {
            (second, vec![("cpu.max", format!("{quota} {PERIOD_US}"))])
        } else if first.join("cpu.cfs_quota_us").exists() {
            let period = ("cpu.cfs_period_us", PERIOD_US.to_string());
            (first, vec![period, ("cpu.cfs_quota_us", quota.to_string())])
        } else {
            return Err("there are no control groups for processors".to_owned());
        };
        let share = Self { dir: root.join(name) };
        let why = |error| format!("{}: {error}", share.dir.display());
        fs::create_dir(&share.dir).map_err(why)?;
        for (file, text) in orders {
            fs::write(share.dir.join(file), text).map_err(why)?;
        }
        Ok(share)
    }

    /// From now on this process shares in it.
    pub fn take(&self, process: u32) -> anyhow::Result<()> {
        Ok(fs::write(self.dir.join("cgroup.procs"), process.to_string())?)
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        // Refused while a process is in it; then it stays, empty and harmless.
        let _ = fs::remove_dir(&self.dir);
    }
}
