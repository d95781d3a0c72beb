//! The rules of the house, written down as code so that a test can hold everyone to them.
//!
//! Owns: which crate may depend on which, and what a source file must look like. Refuses to
//! own: anything about what the product does; it is linked into nothing. A rule is a pure function
//! from what was read to a list of complaints, so each one can be shown to fail.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub mod arrows;
pub mod bounds;
pub mod promises;
pub mod shape;

/// The root of the workspace, found from this crate's own place in it.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Reads and parses one TOML file.
pub fn read_toml(path: &Path) -> io::Result<toml::Table> {
    let text = fs::read_to_string(path)?;
    text.parse().map_err(|e| io::Error::other(format!("{}: {e}", path.display())))
}

/// The `limits.rs` of each crate that has one, in the order of the arrows.
pub fn limits(root: &Path) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for (folder, _) in arrows::MAY_USE {
        let path = root.join(folder).join("src/limits.rs");
        if path.exists() {
            found.push((folder.to_owned(), fs::read_to_string(path)?));
        }
    }
    Ok(found)
}

/// Every `.rs` file of the crates in `folders`, sorted, each with its path from the root.
/// Build output is not entered.
pub fn sources(root: &Path, folders: &[String]) -> io::Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|f| root.join(f)).collect();
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            if path.is_dir() {
                if path.file_name().is_some_and(|n| n != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path)?;
                let short = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
                found.push((short, text));
            }
        }
    }
    found.sort();
    Ok(found)
}
