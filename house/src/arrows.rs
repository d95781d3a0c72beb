//! Which crate may depend on which: `engine ← snapshot ← replication ← server`.
//!
//! Owns the table of arrows and the crates that only one folder may name. Refuses to run cargo: it
//! reads the manifests and the lock file, so the answer needs no network and no build.
//! Invariant: a folder that is in no row of [`MAY_USE`] is itself a complaint.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

/// Folder of each crate, with the folders it may depend on, in any kind of dependency.
pub const MAY_USE: [(&str, &[&str]); 6] = [
    ("engine", &[]),
    ("snapshot", &["engine"]),
    ("replication", &["engine", "snapshot"]),
    ("server", &["engine", "snapshot", "replication"]),
    ("benches", &["engine", "snapshot", "replication", "server"]),
    ("house", &[]),
];

/// Outside crates that stay behind one folder's facade.
pub const ONLY_IN: [(&str, &str); 8] = [
    ("openraft", "replication"),
    ("openraft-macros", "replication"),
    ("openraft-rt", "replication"),
    ("openraft-rt-tokio", "replication"),
    ("openraft-rt-sim", "replication"),
    ("rocksdb", "replication"),
    ("librocksdb-sys", "replication"),
    ("axum", "server"),
];

/// What the engine must not reach, not even through another crate: I/O, async and JSON.
pub const NEVER_UNDER_ENGINE: [&str; 8] =
    ["tokio", "mio", "hyper", "axum", "serde_json", "openraft", "rocksdb", "librocksdb-sys"];

/// What the engine must not name itself: sources of randomness and of the time of day.
pub const NEVER_IN_ENGINE: [&str; 4] = ["rand", "getrandom", "fastrand", "chrono"];

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// One crate of the workspace: the folder it lies in and its parsed manifest.
pub struct Member {
    pub folder: String,
    pub manifest: Table,
}

impl Member {
    /// Names of the packages depended on: of every kind, or of the ordinary kind only.
    fn uses(&self, only_ordinary: bool) -> BTreeSet<String> {
        let kinds = if only_ordinary { &KINDS[..1] } else { &KINDS[..] };
        let platforms = self.manifest.get("target").and_then(Value::as_table);
        let mut places = vec![&self.manifest];
        places.extend(platforms.into_iter().flat_map(Table::values).filter_map(Value::as_table));
        let mut names = BTreeSet::new();
        for place in places {
            for table in kinds.iter().filter_map(|kind| place.get(*kind)?.as_table()) {
                names.extend(table.iter().map(|(key, spec)| {
                    spec.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()
                }));
            }
        }
        names
    }
}

/// The folders named as members by the root manifest.
#[must_use]
pub fn member_folders(root_manifest: &Table) -> Vec<String> {
    let members = root_manifest.get("workspace").and_then(|w| w.get("members"));
    let members = members.and_then(Value::as_array).into_iter().flatten();
    members.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Complaints about direct dependencies: arrows that turn, facades that are passed by.
#[must_use]
pub fn direct(members: &[Member]) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in members {
        let folder = member.folder.as_str();
        let Some((_, may_use)) = MAY_USE.iter().find(|(f, _)| *f == folder) else {
            complaints.push(format!("{folder}: not in the table of arrows; say where it stands"));
            continue;
        };
        for name in member.uses(false) {
            if let Some(other) = name.strip_prefix("holdfast-")
                && !may_use.contains(&other)
            {
                complaints.push(format!("{folder} depends on {other}: the arrow turns"));
            }
            if let Some((_, owner)) = ONLY_IN.iter().find(|(n, _)| *n == name)
                && *owner != folder
                && folder != "benches"
            {
                complaints.push(format!("{folder} depends on {name}: that is {owner}'s to hide"));
            }
            if folder == "engine" && NEVER_IN_ENGINE.contains(&name.as_str()) {
                complaints.push(format!("engine depends on {name}: it is pure"));
            }
        }
    }
    complaints
}

/// Complaints about what the engine reaches through others, by the lock file.
#[must_use]
pub fn under_engine(members: &[Member], lock: &Table) -> Vec<String> {
    let edges = lock_edges(lock);
    let mut open: Vec<(String, String)> = members
        .iter()
        .filter(|m| m.folder == "engine")
        .flat_map(|m| m.uses(true))
        .map(|name| (name.clone(), name))
        .collect();
    let mut seen = BTreeSet::new();
    let mut complaints = Vec::new();
    while let Some((name, path)) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if NEVER_UNDER_ENGINE.contains(&name.as_str()) {
            complaints.push(format!("engine reaches {name} by {path}"));
        }
        for next in edges.get(&name).into_iter().flatten() {
            open.push((next.clone(), format!("{path} → {next}")));
        }
    }
    complaints
}

/// Package name → names it depends on. Versions of one name are taken together, which can only
/// add complaints.
fn lock_edges(lock: &Table) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock.get("package").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = package.get("name").and_then(Value::as_str) else { continue };
        let needs = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let needs = needs.filter_map(Value::as_str).filter_map(|d| d.split(' ').next());
        edges.entry(name.to_owned()).or_default().extend(needs.map(str::to_owned));
    }
    edges
}

/// Complaints about manifests that do not take versions and lints from the root's tables.
#[must_use]
pub fn one_table(members: &[Member]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Member { folder, manifest } in members {
        let lints = manifest.get("lints").and_then(|l| l.get("workspace"));
        if lints.and_then(Value::as_bool) != Some(true) {
            complaints.push(format!("{folder}: its manifest lacks '[lints] workspace = true'"));
        }
        for kind in KINDS {
            for (name, spec) in manifest.get(kind).and_then(Value::as_table).into_iter().flatten() {
                if spec.get("workspace").and_then(Value::as_bool) != Some(true) {
                    complaints.push(format!("{folder}: {name} has a version of its own"));
                }
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(folder: &str, manifest: &str) -> Member {
        Member { folder: folder.to_owned(), manifest: manifest.parse().expect("valid TOML") }
    }

    #[test]
    fn an_arrow_that_turns_is_named() {
        let turned = member("engine", "[dependencies]\nholdfast-replication.workspace = true");
        assert_eq!(direct(&[turned]), ["engine depends on replication: the arrow turns"]);
    }

    #[test]
    fn an_arrow_that_turns_in_dev_dependencies_or_under_another_name_is_named() {
        let dev = member(
            "snapshot",
            "[dev-dependencies]\nx = { workspace = true, package = \"holdfast-server\" }",
        );
        assert_eq!(direct(&[dev]), ["snapshot depends on server: the arrow turns"]);
        let one_platform =
            member("engine", "[target.'cfg(unix)'.dependencies]\nrocksdb.workspace = true");
        assert_eq!(direct(&[one_platform]).len(), 1);
    }

    #[test]
    fn a_facade_may_not_be_passed_by() {
        let past = member("server", "[dependencies]\nopenraft.workspace = true");
        assert_eq!(direct(&[past]), ["server depends on openraft: that is replication's to hide"]);
        let owner = member("replication", "[dependencies]\nopenraft.workspace = true");
        assert!(direct(&[owner]).is_empty());
    }

    #[test]
    fn a_crate_without_a_place_is_named() {
        assert_eq!(direct(&[member("attic", "")]).len(), 1);
    }

    #[test]
    fn what_the_engine_reaches_through_others_is_named() {
        let engine = member("engine", "[dependencies]\nserde.workspace = true");
        let lock = "[[package]]\nname = \"serde\"\ndependencies = [\"glue 1.0.0\"]\n\
                    [[package]]\nname = \"glue\"\ndependencies = [\"tokio\"]\n"
            .parse()
            .expect("valid TOML");
        assert_eq!(
            under_engine(&[engine], &lock),
            ["engine reaches tokio by serde → glue → tokio"]
        );
    }

    #[test]
    fn a_version_or_a_lint_table_outside_the_root_is_named() {
        assert_eq!(one_table(&[member("engine", "[dependencies]\nserde = \"1\"")]).len(), 2);
        let good = "[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true";
        assert!(one_table(&[member("engine", good)]).is_empty());
    }
}
