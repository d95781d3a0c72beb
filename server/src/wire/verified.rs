//! What a verification of a log says, for operators: the same beside a running node and without one.

use std::collections::BTreeMap;

use holdfast_engine::digest::Digest;
use holdfast_engine::verify::Finding;
use holdfast_replication::verify::{Scope, Verified};
use serde::{Deserialize, Serialize};

/// One line of the reply to `POST /v1/ops/verify`: progress until the last, which is the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Progress {
        applied: u64,
        last: u64,
    },
    Report(Box<Report>),
    /// The log could not be folded to its end, and why.
    Failed(String),
}

/// What was found in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The last entry of the snapshot that the fold began with; absent where the log has its beginning.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snapshot: Option<u64>,
    /// First and last entry that was folded; absent where the log is empty.
    pub first_index: Option<u64>,
    pub last_index: Option<u64>,
    /// Entries before this one were folded and not checked.
    pub checked_from: u64,
    pub commands: u64,
    /// All findings, of which `findings` has the first.
    pub found: u64,
    pub findings: Vec<Found>,
    /// Of the state after the last entry, part by part.
    pub digest: BTreeMap<String, String>,
    /// The running node's own state was compared with the log's.
    pub compared: bool,
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The entry after which it was seen.
    pub index: u64,
    /// Which part of the state.
    pub part: String,
    /// The id of the thing, or the name of a counter.
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub night: Option<String>,
    pub expected: String,
    pub found: String,
}

/// The digest of a node's state at an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestAt {
    pub index: u64,
    pub parts: BTreeMap<String, String>,
}

impl From<&Finding> for Found {
    fn from(finding: &Finding) -> Self {
        let Finding { index, part, id, night, expected, found } = finding.clone();
        let night = night.map(|night| night.to_string());
        Self { index, part: part.to_owned(), id, night, expected, found }
    }
}

impl Report {
    /// `node`: the digest of the running node's own state after the same entry.
    pub fn new(scope: Scope, verified: &Verified, node: Option<&Digest>) -> Self {
        let last = verified.entries.map(|entries| entries.1);
        let mut findings: Vec<Found> = verified.findings.iter().map(Found::from).collect();
        let mut found = verified.found;
        for (part, expected, is) in
            node.into_iter().flat_map(|node| verified.digest.differences(node))
        {
            found += 1;
            findings.push(Found {
                index: last.unwrap_or(0),
                part: "digest".to_owned(),
                id: part.to_owned(),
                night: None,
                expected: hex(expected),
                found: hex(is),
            });
        }
        Self {
            snapshot: verified.snapshot,
            first_index: verified.entries.map(|entries| entries.0),
            last_index: last,
            checked_from: scope.from,
            commands: verified.commands,
            found,
            findings,
            digest: parts(&verified.digest),
            compared: node.is_some(),
        }
    }
}

/// Each part of a digest as 32 hexadecimal digits.
pub fn parts(digest: &Digest) -> BTreeMap<String, String> {
    digest.parts().map(|(name, value)| (name.to_owned(), hex(value))).collect()
}

fn hex(value: u128) -> String {
    format!("{value:032x}")
}
