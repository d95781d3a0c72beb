//! Disks that are slow, fail, or fill up.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use holdfast_server::client::Request;
use serde_json::json;

use crate::nodes::{Nodes, until};
use crate::orders::Orders;
use crate::trial::{Trial, alone, rounds, say};

/// A sync on a disk that is far too slow.
const SLOW_US: i64 = 150_000;
/// A disk that hangs.
const HANGS_US: i64 = 4_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_failing_disks_lose_nothing() {
    let _alone = alone().await;
    let mut nodes = Nodes::new(3);
    let Some(orders) = Orders::load(&mut nodes, 3) else { return };
    let mut trial = Trial::begin(nodes, 3).await;
    trial.open().await;
    for _ in 0..rounds() {
        for (how, us) in [("slow", SLOW_US), ("hung", HANGS_US)] {
            let (leader, follower) = (trial.nodes.leader().await, trial.nodes.follower().await);
            trial.hurt();
            orders.sync_us(follower, us);
            trial.goes_on(&format!("follower's disk {how}")).await;
            orders.mend(follower);
            trial.nodes.all_ready().await;
            trial.hurt();
            orders.sync_us(leader, us);
            trial.goes_on(&format!("leader's disk {how}")).await;
            orders.mend(leader);
            trial.nodes.all_ready().await;
        }
        for whose in ["follower's", "leader's"] {
            let leader = trial.nodes.leader().await;
            let node = if whose == "leader's" { leader } else { trial.nodes.follower().await };
            trial.hurt();
            orders.syncs_fail(node);
            let server = trial.nodes.up.remove(&node).unwrap();
            let ended = tokio::task::spawn_blocking(|| server.ended(Duration::from_secs(30)));
            let said = ended.await.unwrap().said;
            assert!(said.contains("the disk failed: ending the process"), "{said}");
            trial.goes_on(&format!("{whose} disk failing")).await;
            orders.mend(node);
            trial.nodes.start(node);
            trial.nodes.all_ready().await;
        }
    }
    trial.close().await;
}

/// A file system of its own for a node's data, and the file that fills it.
struct Small {
    at: PathBuf,
}

/// Its size, what a node keeps free of it, and what is left by a disk that is low.
const SIZE_MIB: u64 = 192;
const RESERVE_MIB: u64 = 48;
const LOW_MIB: u64 = 24;

impl Small {
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={SIZE_MIB}m,mode=700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        match mounted {
            Ok(done) if done.status.success() => Some(Self { at: at.to_owned() }),
            _ => {
                say("SKIPPED: a full disk needs the right to mount a tmpfs (root)");
                None
            }
        }
    }

    fn free_mib(&self) -> u64 {
        let said =
            Command::new("df").args(["--output=avail", "-BM"]).arg(&self.at).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let last = said.lines().last().unwrap().trim().trim_end_matches('M');
        last.parse().unwrap()
    }

    /// Takes what there is but `left` MiB.
    fn fill_but(&self, left: u64) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).unwrap();
        let block = vec![1; 1 << 20];
        while self.free_mib() > left {
            if ballast.write_all(&block).is_err() {
                return;
            }
        }
        if left == 0 {
            // The last pages.
            while ballast.write_all(&block[..4096]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a node that a failed test leaves behind may still be ending.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

async fn says_full(nodes: &Nodes, node: u64) {
    until("a node says that its disk is full", async || {
        let (status, says) = nodes.readyz(node).await;
        status == 503 && says.contains("the disk is full")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_its_node_or_its_writes_and_loses_nothing() {
    let _alone = alone().await;
    let nodes = Nodes::new(3);
    let mut disks = Vec::new();
    for node in 1..=3 {
        let text = fs::read_to_string(nodes.file(node)).unwrap();
        fs::write(nodes.file(node), format!("disk_reserve_mib = {RESERVE_MIB}\n{text}")).unwrap();
        let Some(disk) = Small::mount(&nodes.data(node)) else { return };
        disks.push(disk);
    }
    let disk = |node: u64| &disks[usize::try_from(node - 1).unwrap()];
    // Ends before what it runs on does.
    let mut trial = Trial::begin(nodes, 3).await;
    trial.open().await;
    for _ in 0..rounds() {
        // Below the reserve: a follower goes on following, a leader hands the lead over.
        for whose in ["follower's", "leader's"] {
            let leader = trial.nodes.leader().await;
            let node = if whose == "leader's" { leader } else { trial.nodes.follower().await };
            trial.hurt();
            disk(node).fill_but(LOW_MIB);
            says_full(&trial.nodes, node).await;
            trial.goes_on(&format!("{whose} disk low")).await;
            assert_ne!(trial.nodes.leader().await, node);
            disk(node).free();
            trial.nodes.all_ready().await;
        }
        full_to_the_last_byte(&mut trial, disk).await;
        all_full(&mut trial, disk).await;
    }
    trial.close().await;
    for node in 1..=3 {
        assert_eq!(trial.nodes.up.remove(&node).unwrap().stop(), Some(0));
    }
}

/// Filled by somebody else faster than anybody can look: the node ends, and starts once there is room.
async fn full_to_the_last_byte<'a>(trial: &mut Trial, disk: impl Fn(u64) -> &'a Small) {
    for whose in ["follower's", "leader's"] {
        let leader = trial.nodes.leader().await;
        let node = if whose == "leader's" { leader } else { trial.nodes.follower().await };
        trial.hurt();
        disk(node).fill_but(0);
        let server = trial.nodes.up.remove(&node).unwrap();
        let ended = tokio::task::spawn_blocking(|| server.ended(Duration::from_secs(60)));
        let said = ended.await.unwrap().said;
        assert!(said.contains("No space left on device"), "{said}");
        trial.goes_on(&format!("{whose} disk full to the last byte")).await;
        disk(node).free();
        trial.nodes.start(node);
        trial.nodes.all_ready().await;
    }
}

/// No node has room: writes are refused with words, and go on by themselves.
async fn all_full<'a>(trial: &mut Trial, disk: impl Fn(u64) -> &'a Small) {
    let nodes: Vec<u64> = trial.nodes.up.keys().copied().collect();
    for node in &nodes {
        disk(*node).fill_but(LOW_MIB);
    }
    for node in &nodes {
        says_full(&trial.nodes, *node).await;
    }
    for node in &nodes {
        let write = Request::post("/v1/hotels").key("full").json(&json!({
            "name": {"th": "โรงแรม", "en": "Hotel"}, "province": "TH-83", "lat": 7.88, "lon": 98.39,
            "stars": 3, "property_type": "hotel", "zone": "Asia/Bangkok", "currency": "THB",
        }));
        let refused = trial.nodes.client(*node, "partner").send(&write).await.unwrap();
        assert_eq!((refused.status, refused.code()), (503, "engine.disk_full".to_owned()));
        assert!(refused.retry_after_s().is_some());
    }
    trial.hurt();
    for node in &nodes {
        disk(*node).free();
    }
    trial.goes_on("all disks low, until there is room again").await;
    trial.nodes.all_ready().await;
}
