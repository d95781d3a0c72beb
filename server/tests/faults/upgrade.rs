//! A cluster that is upgraded node by node, while guests book, to a build that writes the next version of its
//! files.
//!
//! Owns the order of an upgrade and what may not be in it: the way back. The other build is the product with
//! `--cfg holdfast_format="next"`; `./dev upgrade` makes it and names it here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::nodes::{Nodes, until};
use crate::snapshots::{CUT_AT_ONCE, cut_behind, follows, leave_behind, starts_itself_again};
use crate::trial::{Trial, alone, say};

const NEXT: &str = "HOLDFAST_NEXT_BUILD";

/// The later build, where somebody made it.
fn next_build() -> Option<PathBuf> {
    let found = std::env::var_os(NEXT).map(PathBuf::from);
    if found.is_none() {
        say("SKIPPED: an upgrade needs a later build, which `./dev upgrade` makes");
    }
    found
}

/// Stops a node in order and starts it with the later build.
async fn upgrade(trial: &mut Trial, node: u64, build: &Path) {
    assert_eq!(trial.nodes.up.remove(&node).unwrap().stop(), Some(0));
    trial.nodes.programs.insert(node, build.to_owned());
    trial.nodes.start(node);
    trial.nodes.all_ready().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_upgraded_to_another_file_format_while_guests_book() {
    let _alone = alone().await;
    let Some(build) = next_build() else { return };
    let nodes = Nodes::new(3);
    nodes.configure(CUT_AT_ONCE);
    let mut trial = Trial::begin(nodes, 3).await;
    trial.open().await;
    // Files of the first version to begin with: snapshots, and the log behind them.
    cut_behind(&trial.nodes, 0).await;
    trial.hurt();
    let leader = trial.nodes.leader().await;
    let mut followers = trial.nodes.up.keys().copied().filter(|node| *node != leader);
    let (first, second) = (followers.next().unwrap(), followers.next().unwrap());

    upgrade(&mut trial, first, &build).await;
    trial.goes_on("one of three is upgraded").await;
    // Once its log alone is of the next version, and once its snapshots are too.
    old_build_leaves_new_files_alone(&mut trial, first).await;
    mixed(&mut trial, (first, second)).await;
    old_build_leaves_new_files_alone(&mut trial, first).await;

    upgrade(&mut trial, second, &build).await;
    trial.goes_on("two of three are upgraded").await;
    let leader =
        *trial.nodes.up.keys().find(|node| !trial.nodes.programs.contains_key(node)).unwrap();
    upgrade(&mut trial, leader, &build).await;
    trial.goes_on("all are upgraded").await;
    cut_behind(&trial.nodes, trial.last_entry(first)).await;
    trial.goes_on("snapshots of the next version").await;
    trial.close().await;
}

/// Both builds lead once; and the older one is sent a snapshot that it cannot read.
async fn mixed(trial: &mut Trial, (new, old): (u64, u64)) {
    for to in [new, old, new] {
        let asked = trial.nodes.leader().await;
        if asked != to {
            let to = to.to_string();
            trial.nodes.call_until_done(asked, &["leader", "transfer", "--to", &to]).await;
        }
        trial.goes_on(&format!("node {to} leads in a mixed cluster")).await;
    }
    leave_behind(trial, old).await;
    trial.nodes.start(old);
    until("the older build says what it cannot read", async || {
        let said = trial.nodes.up.get_mut(&old).unwrap().said();
        said.contains("format version 2 is not readable by this build, which reads up to 1")
    })
    .await;
    trial.goes_on("a snapshot of the next version is refused").await;
    assert!(trial.nodes.up.get_mut(&old).unwrap().runs());
    // A leader of its own version has one that it reads.
    let third = *trial.nodes.up.keys().find(|node| ![new, old].contains(node)).unwrap();
    let by = trial.nodes.leader().await;
    trial.nodes.call_until_done(by, &["leader", "transfer", "--to", &third.to_string()]).await;
    starts_itself_again(&mut trial.nodes, old).await;
    trial.nodes.all_ready().await;
}

/// A data directory that was upgraded is refused by the build before, in words, and is not touched.
async fn old_build_leaves_new_files_alone(trial: &mut Trial, node: u64) {
    // Before, it may have written nothing yet that the older build cannot read.
    follows(trial, node).await;
    let build = trial.nodes.programs.remove(&node).unwrap();
    assert_eq!(trial.nodes.up.remove(&node).unwrap().stop(), Some(0));
    let before = files(&trial.nodes.data(node).join("log"));
    let ended = trial.nodes.try_start(node).err().expect("the older build refuses");
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    for words in ["a later build", "format version 2", "reads up to 1", "Nothing was changed"] {
        assert!(ended.said.contains(words), "{words}: {}", ended.said);
    }
    assert!(!ended.said.contains("accept-loss"), "{}", ended.said);
    assert_eq!(
        files(&trial.nodes.data(node).join("log")),
        before,
        "the refused start changed files"
    );
    trial.nodes.programs.insert(node, build);
    trial.nodes.start(node);
    trial.nodes.all_ready().await;
    trial.goes_on("the build before is refused on upgraded files").await;
}

/// All files below a folder: length and time of change.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u64, u128)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = std::fs::metadata(&path).unwrap();
        if about.is_dir() {
            found.extend(files(&path));
        } else {
            let changed = about.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
            found.insert(path, (about.len(), changed.as_nanos()));
        }
    }
    found
}
