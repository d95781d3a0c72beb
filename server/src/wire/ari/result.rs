//! What the bulk stream answers: a result a line, a summary, and how far a source has come.
//!
//! It owns the outside words for what became of a line. Why one was rejected is [`super::Refusal`]'s.

use holdfast_engine::ari::LineOutcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refusal;

/// What became of a line.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LineResult {
    /// The line's own number; absent where the line could not be read that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Position in this request, from 1.
    pub line: u64,
    pub status: LineStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// JSON pointer into the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The position that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineStatus {
    Applied,
    /// Everything it says was so already.
    Unchanged,
    /// A later line of the same batch writes all of it.
    Superseded,
    /// Its `seq` is not above the last one applied.
    Stale,
    Rejected,
}

impl LineStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Superseded => "superseded",
            Self::Stale => "stale",
            Self::Rejected => "rejected",
        }
    }
}

impl LineResult {
    pub fn refused(line: u64, seq: Option<u64>, refusal: Refusal) -> Self {
        Self {
            seq,
            line,
            status: LineStatus::Rejected,
            code: Some(refusal.code),
            pointer: Some(refusal.pointer),
            detail: Some(refusal.detail),
            index: None,
        }
    }

    pub fn of(line: u64, seq: u64, outcome: LineOutcome, index: String) -> Self {
        let status = match outcome {
            LineOutcome::Applied => LineStatus::Applied,
            LineOutcome::Unchanged => LineStatus::Unchanged,
            LineOutcome::Superseded => LineStatus::Superseded,
            LineOutcome::Stale => LineStatus::Stale,
            LineOutcome::Rejected(refusal) => {
                return Self::refused(line, Some(seq), refusal.into());
            }
        };
        Self {
            seq: Some(seq),
            line,
            status,
            code: None,
            pointer: None,
            detail: None,
            index: Some(index),
        }
    }
}

/// The last line of the reply.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Summary {
    pub summary: Counts,
}

#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Counts {
    pub lines: u64,
    pub applied: u64,
    pub unchanged: u64,
    pub superseded: u64,
    pub stale: u64,
    pub rejected: u64,
    /// Whether the whole request was read to its end.
    pub complete: bool,
    /// Why it was not: the code of the problem that ended the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The last `seq` of the source that counts; go on after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<u64>,
}

impl Counts {
    pub fn count(&mut self, status: LineStatus) {
        self.lines += 1;
        *match status {
            LineStatus::Applied => &mut self.applied,
            LineStatus::Unchanged => &mut self.unchanged,
            LineStatus::Superseded => &mut self.superseded,
            LineStatus::Stale => &mut self.stale,
            LineStatus::Rejected => &mut self.rejected,
        } += 1;
    }
}

/// Where a source stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceView {
    pub source: String,
    /// The last `seq` that counts; 0 where nothing has come yet.
    pub last_seq: u64,
}
