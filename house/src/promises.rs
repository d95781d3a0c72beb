//! `docs/GUARANTEES.md` and `docs/rules.md` name the tests that hold each promise and each rule; here
//! they are made to.
//!
//! Owns the reading of those pages' tables. Refuses to judge whether a test proves what it stands for.
//! Invariant: a promise without a test, and a test that does not exist, are complaints.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Complaints about the page, given the names of all functions in the sources.
#[must_use]
pub fn unheld(page: &str, functions: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for row in page.lines().filter(|l| l.starts_with("| G")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let (Some(label), Some(tests)) = (cells.first(), cells.last()) else { continue };
        let mut names = tests.split('`').skip(1).step_by(2).peekable();
        if names.peek().is_none() {
            complaints.push(format!("docs/GUARANTEES.md: {label} is held by no test"));
        }
        for name in names.filter(|name| !functions.contains(*name)) {
            complaints.push(format!("docs/GUARANTEES.md: {label} names {name}, which is no test"));
        }
    }
    complaints
}

/// Complaints about the page of rules, given every source file with the names of its tests. A row's
/// last cell names tests as `path/to/file.rs::test`, from the workspace's root.
#[must_use]
pub fn unheld_rules(page: &str, files: &[(PathBuf, BTreeSet<String>)]) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_rule = |line: &&str| {
        line.starts_with("| ") && !line.starts_with("| rule |") && !line.starts_with("| ---")
    };
    for row in page.lines().filter(is_rule) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let (Some(rule), Some(tests)) = (cells.first(), cells.last()) else { continue };
        let mut names = tests.split('`').skip(1).step_by(2).peekable();
        if names.peek().is_none() || cells.len() != 2 {
            complaints.push(format!("docs/rules.md: no test holds \"{rule}\""));
        }
        for name in names.filter(|name| !is_test(name, files)) {
            complaints.push(format!("docs/rules.md: \"{rule}\" names {name}, which is no test"));
        }
    }
    complaints
}

fn is_test(name: &str, files: &[(PathBuf, BTreeSet<String>)]) -> bool {
    name.split_once("::").is_some_and(|(file, function)| {
        files.iter().any(|(path, tests)| path == Path::new(file) && tests.contains(function))
    })
}

/// Names of the functions that stand under a `#[test]` or `#[tokio::test…]`, or inside a
/// `proptest!` block, in one file.
#[must_use]
pub fn functions(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            marked = true;
        } else if let Some((_, rest)) = line.split_once("fn ")
            && marked
        {
            names.extend(rest.split('(').next().map(str::to_owned));
            marked = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_without_a_test_or_with_a_made_up_one_is_named() {
        let text = "#[test]\nfn real() {}\nfn not_a_test() {}\n";
        let page = "| G1 | a | `real` |\n| G2 | b | |\n| G3 | c | `real`, `not_a_test` |\n";
        let complaints = unheld(page, &functions(text));
        assert_eq!(
            complaints,
            [
                "docs/GUARANTEES.md: G2 is held by no test",
                "docs/GUARANTEES.md: G3 names not_a_test, which is no test",
            ]
        );
    }

    #[test]
    fn a_rule_without_a_test_or_with_a_made_up_one_is_named() {
        let files = [(PathBuf::from("engine/tests/ari.rs"), functions("#[test]\nfn real() {}\n"))];
        let page = "| rule | held by |\n|---|---|\n| a | `engine/tests/ari.rs::real` |\n| b | later |\n\
            | c | `engine/tests/ari.rs::real`, `ari.rs::real`, `real` |\n";
        assert_eq!(
            unheld_rules(page, &files),
            [
                "docs/rules.md: no test holds \"b\"",
                "docs/rules.md: \"c\" names ari.rs::real, which is no test",
                "docs/rules.md: \"c\" names real, which is no test",
            ]
        );
    }

    #[test]
    fn a_tests_name_is_found_below_further_attributes() {
        let text =
            "#[tokio::test(flavor = \"multi_thread\")]\n#[ignore = \"long\"]\nasync fn far() {";
        assert!(functions(text).contains("far"));
    }
}
