//! `[backup]` of a configuration file: where the log and snapshots are kept besides the nodes, and how often.
//!
//! Credentials have no place here: an object store's come from the environment.

use std::time::Duration;

use serde::Deserialize;

const EVERY_DEFAULT: Duration = Duration::from_secs(30);
const EVERY_MAX: Duration = Duration::from_secs(60 * 60);
const SNAPSHOT_EVERY_DEFAULT: Duration = Duration::from_secs(6 * 60 * 60);
const SNAPSHOT_EVERY_MIN: Duration = Duration::from_secs(60);
const KEEP_DEFAULT: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A backup that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// `s3://bucket/prefix` or `file:///directory`; all nodes of a cluster the same.
    pub to: String,
    /// How often the log is written: a second to an hour. Default 30 s, so that at most a minute is lost.
    pub every: Duration,
    /// How often a snapshot is written, a minute at least. Default 6 h.
    pub snapshot_every: Duration,
    /// How long a snapshot and the log since stay; the newest stays always. Default 14 d.
    pub keep: Duration,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    to: String,
    every: Option<String>,
    snapshot_every: Option<String>,
    keep: Option<String>,
}

/// What of `[backup]` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("backup.{key} is `{found}`; it must be a number and a unit, as 30s, 10m, 6h or 14d")]
    Duration { key: &'static str, found: String },
    #[error("backup.{key} is `{found}`; it must be {bounds}")]
    Bounds { key: &'static str, found: String, bounds: &'static str },
    #[error("backup.to is `{found}`; it must be s3://bucket/prefix or file:///directory")]
    To { found: String },
}

impl File {
    pub fn check(self) -> Result<Backup, Error> {
        let is_place = |scheme: &str| self.to.strip_prefix(scheme).is_some_and(|it| !it.is_empty());
        if !is_place("s3://") && !is_place("file:///") {
            return Err(Error::To { found: self.to });
        }
        let every = duration("every", self.every, EVERY_DEFAULT, |it| {
            (Duration::from_secs(1)..=EVERY_MAX).contains(&it).then_some(it).ok_or("1s to 1h")
        })?;
        let snapshot_every =
            duration("snapshot_every", self.snapshot_every, SNAPSHOT_EVERY_DEFAULT, |it| {
                (it >= SNAPSHOT_EVERY_MIN).then_some(it).ok_or("1m at least")
            })?;
        let keep = duration("keep", self.keep, KEEP_DEFAULT, |it| {
            (it >= snapshot_every).then_some(it).ok_or("backup.snapshot_every at least")
        })?;
        Ok(Backup { to: self.to, every, snapshot_every, keep })
    }
}

fn duration(
    key: &'static str,
    found: Option<String>,
    default: Duration,
    bounds: impl FnOnce(Duration) -> Result<Duration, &'static str>,
) -> Result<Duration, Error> {
    let Some(found) = found else { return Ok(default) };
    let Some(duration) = parse(&found) else { return Err(Error::Duration { key, found }) };
    bounds(duration).map_err(|bounds| Error::Bounds { key, found, bounds })
}

fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Backup, Error> {
        toml::from_str::<File>(text).unwrap().check()
    }

    #[test]
    fn defaults_lose_a_minute_at_most() {
        let backup = checked("to = \"s3://bucket/hotels\"").unwrap();
        assert!(backup.every <= Duration::from_secs(30));
        assert_eq!(backup.snapshot_every, Duration::from_secs(6 * 3_600));
        assert_eq!(backup.keep, Duration::from_secs(14 * 86_400));
    }

    #[test]
    fn bounds_hold_and_one_past_them_is_refused_in_words() {
        for (line, says) in [
            ("every = \"1s\"", None),
            ("every = \"0s\"", Some("1s to 1h")),
            ("every = \"3600s\"", None),
            ("every = \"3601s\"", Some("1s to 1h")),
            ("snapshot_every = \"60s\"", None),
            ("snapshot_every = \"59s\"", Some("1m at least")),
            ("keep = \"6h\"", None),
            ("keep = \"5h\"", Some("backup.snapshot_every at least")),
            ("keep = \"forever\"", Some("a number and a unit")),
        ] {
            let checked = checked(&format!("to = \"file:///b\"\n{line}"));
            match says {
                None => assert!(checked.is_ok(), "{line}"),
                Some(says) => {
                    let error = checked.unwrap_err().to_string();
                    assert!(error.contains(says), "{line}: {error}");
                }
            }
        }
        for to in ["", "/var/backups", "file://", "s3://", "https://x/y"] {
            assert!(matches!(checked(&format!("to = {to:?}")), Err(Error::To { .. })), "{to}");
        }
    }
}
