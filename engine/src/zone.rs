//! Civil time of a hotel: what night it is there, and which instant a local time of a night is.
//!
//! The zone rules are the ones compiled into the binary, never the machine's: two replicas must agree on
//! "today". A release that carries newer rules is rolled out like a change of the command format.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};

use crate::civil::{DAY_MS, LogTimeMs, Night};
use crate::codec::encoded_as;

static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone of hotels that name none.
pub const DEFAULT: &str = "Asia/Bangkok";

/// An IANA zone known to this build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
    /// Seconds east of Greenwich from [`STEADY_FROM_S`] on, where they never change after that.
    steady_s: Option<i32>,
}

/// 2020-01-01T00:00:00Z. Most zones, Bangkok's among them, have kept their clocks since.
const STEADY_FROM_S: i64 = 1_577_836_800;

// As its name: the rules are this build's.
encoded_as!(Zone, String, |zone| zone.name.clone(), |name| Self::find(&name));

impl Zone {
    /// `None` for a name this build does not know.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let rules = RULES.get(name).ok()?;
        let from = Timestamp::from_second(STEADY_FROM_S).ok()?;
        let is_steady = rules.following(from).next().is_none();
        let steady_s = is_steady.then(|| rules.to_offset(from).seconds());
        Some(Self { name: name.to_owned(), rules, steady_s })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds east of Greenwich at an instant.
    #[must_use]
    pub fn offset_s(&self, at: LogTimeMs) -> i32 {
        match self.steady_s {
            Some(steady_s) if at >= STEADY_FROM_S.unsigned_abs() * 1_000 => steady_s,
            _ => self.rules.to_offset(timestamp(at)).seconds(),
        }
    }

    /// The civil date there at an instant.
    #[must_use]
    pub fn night_at(&self, at: LogTimeMs) -> Night {
        let shift_ms = i64::from(self.offset_s(at)) * 1_000;
        let local_ms = at.saturating_add_signed(shift_ms);
        Night(u16::try_from(local_ms / DAY_MS).unwrap_or(u16::MAX))
    }

    /// The instant at which the local clock shows `minute_of_day` (0–1,439) on that date; in a gap as
    /// much later as the gap is long, in a fold the earlier one.
    #[must_use]
    pub fn instant(&self, night: Night, minute_of_day: u16) -> LogTimeMs {
        let (year, month, day) = night.ymd();
        let minute = minute_of_day.min(1_439);
        let local = (|| {
            civil::DateTime::new(
                i16::try_from(year).ok()?,
                i8::try_from(month).ok()?,
                i8::try_from(day).ok()?,
                i8::try_from(minute / 60).ok()?,
                i8::try_from(minute % 60).ok()?,
                0,
                0,
            )
            .ok()
        })();
        let instant = local.and_then(|local| {
            self.rules
                .to_ambiguous_timestamp(local)
                .compatible()
                .ok()
                .map(Timestamp::as_millisecond)
        });
        instant.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0)
    }
}

fn timestamp(at: LogTimeMs) -> Timestamp {
    i64::try_from(at)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(text: &str) -> Night {
        text.parse().unwrap()
    }

    #[test]
    fn today_in_bangkok_begins_at_seventeen_utc() {
        let zone = Zone::find(DEFAULT).unwrap();
        let midnight = zone.instant(night("2026-11-22"), 0);
        assert_eq!(midnight % DAY_MS, 17 * 3_600_000);
        assert_eq!(zone.night_at(midnight), night("2026-11-22"));
        assert_eq!(zone.night_at(midnight - 1), night("2026-11-21"));
        assert_eq!(zone.offset_s(midnight), 7 * 3_600);
    }

    #[test]
    fn a_zone_with_summer_time_keeps_civil_days() {
        let zone = Zone::find("Europe/Lisbon").unwrap();
        let spring = night("2027-03-28");
        let length = zone.instant(spring.plus(1), 0) - zone.instant(spring, 0);
        assert_eq!(length, 23 * 3_600_000);
        // 01:30 does not exist that day: the clocks go from 01:00 to 02:00.
        assert_eq!(zone.night_at(zone.instant(spring, 90)), spring);
    }

    #[test]
    fn steady_clocks_show_what_the_rules_say() {
        for (name, is_steady) in
            [(DEFAULT, true), ("Asia/Tokyo", true), ("Europe/Lisbon", false), ("Asia/Gaza", false)]
        {
            let zone = Zone::find(name).unwrap();
            assert_eq!(zone.steady_s.is_some(), is_steady, "{name}");
            for week in 0..52 * 80 {
                let at = week * 7 * DAY_MS + 1;
                assert_eq!(zone.offset_s(at), zone.rules.to_offset(timestamp(at)).seconds());
            }
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(Zone::find("Asia/Atlantis").is_none());
    }
}
