//! Holds this repository to the rules in the crate beside it: arrows between crates, one table of
//! versions and lints, the shape of every source file. Reads files only; builds nothing.

use std::fs;

use holdfast_house::arrows::{self, Member};
use holdfast_house::{bounds, limits, promises, read_toml, root, shape, sources};

fn folders() -> Vec<String> {
    let manifest = read_toml(&root().join("Cargo.toml")).expect("the root manifest parses");
    let folders = arrows::member_folders(&manifest);
    assert!(folders.len() >= 4, "the workspace has lost its members: {folders:?}");
    folders
}

fn members() -> Vec<Member> {
    let read = |folder: String| {
        let path = root().join(&folder).join("Cargo.toml");
        Member { manifest: read_toml(&path).expect("a member's manifest parses"), folder }
    };
    folders().into_iter().map(read).collect()
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn no_crate_depends_against_the_arrow() {
    none(&arrows::direct(&members()));
}

#[test]
fn the_engine_reaches_no_io_no_async_and_no_json() {
    let lock = read_toml(&root().join("Cargo.lock")).expect("the lock file parses");
    none(&arrows::under_engine(&members(), &lock));
}

#[test]
fn versions_and_lints_come_from_the_root() {
    none(&arrows::one_table(&members()));
}

#[test]
fn every_source_file_has_the_house_shape() {
    let files = sources(&root(), &folders()).expect("the sources can be read");
    assert!(files.len() >= 10, "the walk found only {} files", files.len());
    let complaints: Vec<_> =
        files.iter().flat_map(|(path, text)| shape::file(path, text)).collect();
    none(&complaints);
}

#[test]
fn crates_below_the_server_deny_what_could_crash_or_truncate() {
    let below = |f: &String| ["engine", "snapshot", "replication"].contains(&f.as_str());
    let mut complaints = Vec::new();
    for folder in folders().into_iter().filter(below) {
        let lib = fs::read_to_string(root().join(&folder).join("src/lib.rs")).expect("a lib.rs");
        complaints.extend(shape::denies(&folder, &lib));
    }
    none(&complaints);
}

#[test]
fn every_bound_is_described_and_stands_in_the_limits_page() {
    let files = limits(&root()).expect("the bounds can be read");
    let bare = files.iter().flat_map(|(folder, text)| bounds::undescribed(folder, text));
    none(&bare.collect::<Vec<_>>());
    let page = fs::read_to_string(root().join("docs/LIMITS.md")).expect("the page is there");
    assert!(page == bounds::page(&files), "docs/LIMITS.md is behind; ./dev fix writes it anew");
}

#[test]
fn every_promise_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/GUARANTEES.md")).expect("the page is there");
    let files = sources(&root(), &folders()).expect("the sources can be read");
    let tests = files.iter().flat_map(|(_, text)| promises::functions(text)).collect();
    none(&promises::unheld(&page, &tests));
}

#[test]
fn every_rule_names_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/rules.md")).expect("the page is there");
    let files = sources(&root(), &folders()).expect("the sources can be read");
    let files: Vec<_> =
        files.into_iter().map(|(path, text)| (path, promises::functions(&text))).collect();
    none(&promises::unheld_rules(&page, &files));
}
