//! Nights: civil dates as day numbers, and sets of weekdays.
//!
//! A night is a date in the hotel's zone, never an instant. The arithmetic is the proleptic Gregorian
//! day count from 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"), in 16 bits:
//! 1970-01-01 to 2149-06-06.

use std::{fmt, str::FromStr};

use crate::codec::{Decode, Encode};

/// Milliseconds since 1970-01-01T00:00:00Z, by the log's clock.
pub type LogTimeMs = u64;

/// Milliseconds of a civil day without a zone change.
pub const DAY_MS: u64 = 86_400_000;

/// One night: the date on which it begins. Days since 1970-01-01.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Night(pub u16);

/// Why a text is not a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("expected a date like 2027-01-31")]
    Form,
    #[error("there is no such day in the calendar")]
    NoSuchDay,
    #[error("the year {0} looks like the Buddhist era; write {gregorian}", gregorian = .0 - 543)]
    BuddhistEra(u16),
    #[error("dates from 1970 to 2148 are understood")]
    Range,
}

impl Night {
    /// The night of a civil date, where the calendar has it and 16 bits reach it.
    pub fn from_ymd(year: u16, month: u8, day: u8) -> Result<Self, Error> {
        if (2400..=2700).contains(&year) {
            return Err(Error::BuddhistEra(year));
        }
        if !(1970..=2148).contains(&year) {
            return Err(Error::Range);
        }
        if month == 0 || month > 12 || day == 0 || day > days_in(year, month) {
            return Err(Error::NoSuchDay);
        }
        let shifted = i32::from(year) - i32::from(month <= 2);
        let era = shifted / 400;
        let year_of_era = shifted - era * 400;
        let month_from_march = (i32::from(month) + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + i32::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        u16::try_from(era * 146_097 + day_of_era - 719_468).map(Self).map_err(|_| Error::Range)
    }

    /// Year, month 1–12, day 1–31.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Every part is bounded by the 16-bit day count.
    pub fn ymd(self) -> (u16, u8, u8) {
        let days = u32::from(self.0) + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u32::from(month <= 2);
        (year as u16, month as u8, day as u8)
    }

    /// 0 is Monday, 6 is Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        ((u32::from(self.0) + 3) % 7) as u8
    }

    /// The night `nights` later; the last night that 16 bits reach where there is none.
    #[must_use]
    pub fn plus(self, nights: u16) -> Self {
        Self(self.0.saturating_add(nights))
    }

    /// The night `nights` earlier; 1970-01-01 where there is none.
    #[must_use]
    pub fn minus(self, nights: u16) -> Self {
        Self(self.0.saturating_sub(nights))
    }

    /// Every night from this one up to, not including, `end`.
    pub fn until(self, end: Self) -> impl Iterator<Item = Self> + Clone {
        (self.0..end.0).map(Self)
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Night {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('-');
        let (Some(year), Some(month), Some(day), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::Form);
        };
        let digits = |part: &str, length: usize| {
            (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<u16>().ok())
                .flatten()
                .ok_or(Error::Form)
        };
        let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
        let month = u8::try_from(month).map_err(|_| Error::Form)?;
        let day = u8::try_from(day).map_err(|_| Error::Form)?;
        Self::from_ymd(year, month, day)
    }
}

/// A set of weekdays: bit 0 is Monday, bit 6 Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Weekdays(pub u8);

impl Weekdays {
    /// Every day of the week.
    pub const ALL: Self = Self(0b111_1111);

    #[must_use]
    pub fn contains(self, night: Night) -> bool {
        self.0 & (1 << night.weekday()) != 0
    }

    #[must_use]
    pub const fn is_all(self) -> bool {
        self.0 & Self::ALL.0 == Self::ALL.0
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 & Self::ALL.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_night_round_trips_and_follows_the_one_before() {
        let mut weekday = Night(0).weekday();
        for day in 0..u16::MAX - 200 {
            let night = Night(day);
            let (year, month, date) = night.ymd();
            assert_eq!(Night::from_ymd(year, month, date), Ok(night));
            assert_eq!(night.to_string().parse(), Ok(night));
            assert_eq!(night.weekday(), weekday);
            weekday = (weekday + 1) % 7;
        }
    }

    #[test]
    fn leap_days_follow_the_gregorian_rule() {
        assert_eq!(
            "2028-02-29".parse::<Night>().map(|night| night.to_string()),
            Ok("2028-02-29".into())
        );
        assert_eq!("2027-02-29".parse::<Night>(), Err(Error::NoSuchDay));
        assert_eq!("2100-02-29".parse::<Night>(), Err(Error::NoSuchDay));
    }

    #[test]
    fn the_buddhist_era_is_refused_with_a_hint() {
        let refusal = "2569-11-22".parse::<Night>().unwrap_err();
        assert_eq!(refusal, Error::BuddhistEra(2569));
        assert!(refusal.to_string().contains("2026"));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2027",
            "2027-1-31",
            "2027-01-31T00:00",
            "+027-01-31",
            "2027-13-01",
            "１９９９-01-01",
        ] {
            assert!(text.parse::<Night>().is_err(), "{text}");
        }
    }

    #[test]
    fn known_weekdays() {
        assert_eq!("2026-11-22".parse::<Night>().map(Night::weekday), Ok(6));
        assert_eq!("1970-01-01".parse::<Night>().map(Night::weekday), Ok(3));
    }
}
