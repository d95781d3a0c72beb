//! Which snapshot and which pieces make the state at a point, or why none do.
//!
//! **Invariant**: a point that cannot be reached exactly is refused, with what can be restored instead.

use std::fmt;
use std::str::FromStr;

use anyhow::bail;
use holdfast_snapshot::backup::Manifest;

use super::survey::Survey;
use crate::wire::instant;

/// A point in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The state after the entry with this index.
    Index(u64),
    /// The state after the last entry stamped at this time or before, milliseconds of the log's clock.
    TimeMs(u64),
    /// Everything that the backup has.
    Latest,
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if let Ok(index) = text.parse() {
            return Ok(Self::Index(index));
        }
        let time: Result<jiff::Timestamp, _> = text.parse();
        let ms = time.ok().and_then(|time| u64::try_from(time.as_millisecond()).ok());
        ms.map(Self::TimeMs).ok_or_else(|| {
            format!(
                "`{text}` is none of `latest`, an entry's index, a time as 2026-11-22T10:00:00Z"
            )
        })
    }
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Index(index) => write!(out, "entry {index}"),
            Self::TimeMs(ms) => out.write_str(&instant::utc(ms)),
            Self::Latest => out.write_str("the latest entry"),
        }
    }
}

/// A way to a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub base: Manifest,
    /// Pieces in order, the first of which has the entry after the snapshot; none where the snapshot is the
    /// point.
    pub pieces: Vec<String>,
    /// The last entry that is in them.
    pub until: u64,
}

/// Ways to a point, the shortest first: another is taken where a snapshot turns out to be damaged.
pub fn plans(survey: &Survey, at: At) -> anyhow::Result<Vec<Plan>> {
    let spans = survey.spans();
    let Some(newest) = spans.iter().max_by_key(|span| span.to) else {
        bail!("{}", survey.can_be_restored());
    };
    let reaches = |snapshot: &Manifest| -> Option<u64> {
        let chain = survey.chains.with(snapshot.index.saturating_add(1));
        let last = chain.map_or(snapshot.index, |chain| chain.last);
        let to_ms = chain.map_or(snapshot.log_time_ms, |chain| chain.to_ms);
        let does = match at {
            At::Index(index) => (snapshot.index..=last).contains(&index),
            At::TimeMs(ms) => (snapshot.log_time_ms..=to_ms).contains(&ms),
            At::Latest => last == newest.to,
        };
        does.then_some(if let At::Index(index) = at { index } else { last })
    };
    let found: Vec<Plan> = survey
        .snapshots
        .iter()
        .rev()
        .filter_map(|base| {
            let until = reaches(base)?;
            Some(Plan { base: base.clone(), pieces: pieces(survey, (base.index, until)), until })
        })
        .collect();
    if found.is_empty() {
        bail!("{at} cannot be restored: {}; {}", why_not(survey, at), survey.can_be_restored());
    }
    Ok(found)
}

/// The pieces that have the entries after one up to and with another.
fn pieces(survey: &Survey, (after, until): (u64, u64)) -> Vec<String> {
    if until <= after {
        return Vec::new();
    }
    let begins = survey.pieces.iter().rposition(|(first, _)| *first <= after.saturating_add(1));
    let ours = survey.pieces.iter().skip(begins.unwrap_or(0));
    ours.take_while(|(first, _)| *first <= until).map(|(_, name)| name.clone()).collect()
}

fn why_not(survey: &Survey, at: At) -> String {
    let spans = survey.spans();
    let first = spans.first();
    // What lies behind a hole is in the backup too, though it cannot be reached.
    let chains = survey.chains.all().iter().map(|chain| (chain.last, chain.to_ms));
    let (last, to_ms) = chains
        .chain(spans.iter().map(|span| (span.to, span.to_ms)))
        .fold((0, 0), |(last, to_ms), (its_last, its_ms)| (its_last.max(last), its_ms.max(to_ms)));
    let (is_before, is_after) = match at {
        At::Index(index) => (first.is_some_and(|it| index < it.from), index > last),
        At::TimeMs(ms) => (first.is_some_and(|it| ms < it.from_ms), ms > to_ms),
        At::Latest => (false, false),
    };
    if is_before {
        return "it is before the first snapshot".to_owned();
    }
    if is_after {
        return "it is later than what is in the backup".to_owned();
    }
    match survey.wrong.as_slice() {
        [] => "the log between was never in the backup".to_owned(),
        wrong => wrong.join("; "),
    }
}
