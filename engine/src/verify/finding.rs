//! Findings: what does not agree, where, and what it should have been.
//!
//! It owns the words of a finding and the bound on how many are kept. The same thing is told once.

use std::collections::BTreeSet;
use std::fmt;

use crate::Night;
use crate::limits::FINDINGS_MAX;

/// One disagreement between the state and what follows from its tables and events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Log index of the entry after which it was seen. A whole check sees what an earlier entry did.
    pub index: u64,
    /// Which part of the state: `cells`, `holds`, `quota`, …
    pub part: &'static str,
    /// The id of the thing, or the name of a counter.
    pub id: String,
    pub night: Option<Night>,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, part, id, night, expected, found } = self;
        write!(f, "entry {index}: {part} {id}")?;
        if let Some(night) = night {
            write!(f, " {night}")?;
        }
        write!(f, ": expected {expected}, found {found}")
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The entry being checked.
    pub index: u64,
    kept: Vec<Finding>,
    known: BTreeSet<(&'static str, String, Option<Night>)>,
    count: u64,
}

impl Findings {
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a finding about a thing, unless there is one about it already.
    pub fn add(
        &mut self,
        (part, id, night): (&'static str, String, Option<Night>),
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) {
        if self.known.contains(&(part, id.clone(), night)) {
            return;
        }
        self.count += 1;
        if self.kept.len() >= FINDINGS_MAX {
            return;
        }
        self.known.insert((part, id.clone(), night));
        let (expected, found) = (expected.to_string(), found.to_string());
        let index = self.index;
        self.kept.push(Finding { index, part, id, night, expected, found });
    }

    /// Adds a finding where the two differ.
    pub fn expect<T: PartialEq + fmt::Display>(
        &mut self,
        about: (&'static str, impl fmt::Display),
        expected: T,
        found: T,
    ) {
        if expected != found {
            self.add((about.0, about.1.to_string(), None), expected, found);
        }
    }
}
