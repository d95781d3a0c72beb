//! What a source file must look like.
//!
//! Owns the rules a reader can check with the eye: an opening that says what the file is for, names
//! that mean something, a length one can read. Refuses to judge code: that is the compiler's,
//! clippy's and the reader's. Test code at a file's end does not count towards its length.

use std::path::Path;

/// Lines of a file up to its tests.
pub const LINES_MAX: usize = 450;

/// Names that say nothing about what is in the file.
const EMPTY_NAMES: [&str; 9] =
    ["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "stuff"];

/// Spelt in two parts, so that this file keeps its own rule.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

/// What has no place in the engine outside tests: clocks, files, sockets, threads, async.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "async fn",
    "println!(",
];

/// Lints that the crates below the server deny in their `lib.rs`.
const DENIED_BELOW_SERVER: [&str; 3] =
    ["clippy::unwrap_used", "clippy::indexing_slicing", "clippy::cast_possible_truncation"];

/// Complaints about one file; `path` is from the workspace's root.
#[must_use]
pub fn file(path: &Path, text: &str) -> Vec<String> {
    let shown = path.display();
    let mut complaints = Vec::new();
    if !text.starts_with("//! ") {
        complaints.push(format!("{shown}: does not open with //!"));
    }
    if path.file_name().is_some_and(|n| n == "mod.rs") {
        complaints.push(format!("{shown}: foo.rs beside foo/, no mod.rs"));
    }
    for part in path.iter().filter_map(|p| Path::new(p).file_stem()?.to_str()) {
        if EMPTY_NAMES.contains(&part) {
            complaints.push(format!("{shown}: '{part}' names nothing"));
        }
    }
    let production = before_tests(text);
    let lines = production.lines().count();
    if lines > LINES_MAX && !path.iter().any(|p| p == "tests") {
        complaints.push(format!("{shown}: {lines} lines before its tests, at most {LINES_MAX}"));
    }
    for (at, line) in text.lines().enumerate() {
        for word in UNFINISHED.iter().filter(|w| line.contains(*w)) {
            complaints.push(format!("{shown}:{}: {word}", at + 1));
        }
    }
    if path.starts_with("engine/src") {
        complaints.extend(impurities(path, production));
    }
    complaints
}

/// Complaints about a crate's `lib.rs` that does not deny what its crate must.
#[must_use]
pub fn denies(folder: &str, lib: &str) -> Vec<String> {
    let missing = DENIED_BELOW_SERVER.iter().filter(|lint| !lib.contains(**lint));
    missing.map(|lint| format!("{folder}/src/lib.rs: does not deny {lint}")).collect()
}

fn impurities(path: &Path, production: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (at, line) in production.lines().enumerate() {
        let code = line.split("//").next().unwrap_or(line);
        for word in IMPURE.iter().filter(|w| code.contains(*w)) {
            complaints.push(format!("{}:{}: {word} in the engine", path.display(), at + 1));
        }
    }
    complaints
}

/// The file up to its test module, by this project's habit the last thing in it.
fn before_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").map_or(text, |at| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENING: &str = "//! Owns this.\n";

    #[test]
    fn a_file_without_an_opening_is_named() {
        assert_eq!(file(Path::new("server/src/a.rs"), "use x;\n").len(), 1);
        assert!(file(Path::new("server/src/a.rs"), OPENING).is_empty());
    }

    #[test]
    fn empty_names_and_mod_rs_are_named() {
        for path in ["server/src/utils.rs", "server/src/helpers/a.rs", "server/src/a/mod.rs"] {
            assert_eq!(file(Path::new(path), OPENING).len(), 1, "{path}");
        }
    }

    #[test]
    fn length_is_counted_up_to_the_tests() {
        let long = format!("{OPENING}{}", "x\n".repeat(LINES_MAX));
        assert_eq!(file(Path::new("server/src/a.rs"), &long).len(), 1);
        let tests = format!("{OPENING}#[cfg(test)]\nmod tests {{\n{}", "x\n".repeat(LINES_MAX));
        assert!(file(Path::new("server/src/a.rs"), &tests).is_empty());
        let at_the_bound = format!("{OPENING}{}", "x\n".repeat(LINES_MAX - 1));
        assert!(file(Path::new("server/src/a.rs"), &at_the_bound).is_empty());
    }

    #[test]
    fn unfinished_work_is_named_with_its_line() {
        let text = format!("{OPENING}// {}: later\n", UNFINISHED[0]);
        let complaints = file(Path::new("server/src/a.rs"), &text);
        assert_eq!(complaints, [format!("server/src/a.rs:2: {}", UNFINISHED[0])]);
    }

    #[test]
    fn a_clock_in_the_engine_is_named_but_not_in_a_comment_or_a_test() {
        let clock = format!("{OPENING}let t = SystemTime::now();\n");
        assert_eq!(file(Path::new("engine/src/a.rs"), &clock).len(), 1);
        assert!(file(Path::new("server/src/a.rs"), &clock).is_empty());
        let comment = format!("{OPENING}// never SystemTime\n");
        assert!(file(Path::new("engine/src/a.rs"), &comment).is_empty());
        let test = format!("{OPENING}#[cfg(test)]\nmod tests {{\nuse std::thread;\n}}\n");
        assert!(file(Path::new("engine/src/a.rs"), &test).is_empty());
    }

    #[test]
    fn a_crate_that_forgets_a_denial_is_named() {
        assert_eq!(denies("engine", "#![deny(clippy::unwrap_used)]").len(), 2);
    }
}
