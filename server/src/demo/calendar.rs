//! The year as hotels price it: weekends, Thai holidays with their long weekends, and the seasons
//! of each climate.
//!
//! Owns the holiday table (`assets/demo/holidays_th.csv`, the public holidays of some years) and
//! the season tables below. Years without an entry in the table still have their fixed feasts: New
//! Year and Songkran are computed. **Invariant**: the same dates give the same calendar; nothing
//! here asks for the time.

use std::collections::HashSet;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::spots::Climate;
use crate::gazetteer::rows::rows;

const HOLIDAYS: &str = include_str!("../../assets/demo/holidays_th.csv");

/// Days off in a row that people travel for.
const LONG_WEEKEND_DAYS: usize = 3;

/// What kind of night it is for the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Weekday,
    /// Friday and Saturday.
    Weekend,
    /// The nights before and between the days of a long weekend.
    LongWeekend,
    Songkran,
    NewYear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub date: Date,
    pub mood: Mood,
}

/// The nights the demo sells, and what season it is in each climate.
#[derive(Debug)]
pub(super) struct Calendar {
    pub days: Vec<Day>,
    /// By climate, then by night, in basis points of the price of an ordinary night.
    seasons: Vec<Vec<i64>>,
}

impl Calendar {
    /// `nights` nights from `today` on. A date past the civil calendar ends it early.
    pub fn new(today: Date, nights: u16) -> Self {
        let dates: Vec<Date> = today.series(1.day()).take(usize::from(nights)).collect();
        let off = days_off(&dates);
        let days = dates.iter().map(|date| Day { date: *date, mood: mood(*date, &off) }).collect();
        let seasons = Climate::ALL
            .iter()
            .map(|(climate, _)| dates.iter().map(|date| season(*climate, *date)).collect())
            .collect();
        Self { days, seasons }
    }

    /// Season of every night in `climate`, basis points.
    pub fn seasons(&self, climate: Climate) -> &[i64] {
        let at = Climate::ALL.iter().position(|(known, _)| *known == climate).unwrap_or_default();
        &self.seasons[at]
    }
}

/// Days round `dates` on which offices are closed and that belong to three or more in a row.
fn days_off(dates: &[Date]) -> HashSet<Date> {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return HashSet::new() };
    let holidays: HashSet<Date> =
        rows(HOLIDAYS).filter_map(|[date, _, _]: [&str; 3]| date.parse().ok()).collect();
    let closed = |date: Date| {
        holidays.contains(&date)
            || matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
            || matches!((date.month(), date.day()), (12, 31) | (1, 1) | (4, 13..=15))
    };
    let around = first.saturating_sub(7.days()).series(1.day());
    let until = last.saturating_add(7.days());
    let mut row = Vec::new();
    let mut off = HashSet::new();
    for date in around.take_while(|date| *date <= until) {
        if closed(date) {
            row.push(date);
            continue;
        }
        if row.len() >= LONG_WEEKEND_DAYS {
            off.extend(row.iter().copied());
        }
        row.clear();
    }
    off
}

fn mood(date: Date, off: &HashSet<Date>) -> Mood {
    match (date.month(), date.day()) {
        (12, 29..=31) | (1, 1..=2) => return Mood::NewYear,
        (4, 12..=15) => return Mood::Songkran,
        _ => {}
    }
    // A night is a holiday night when one can sleep in after it.
    let free_tomorrow = date.tomorrow().is_ok_and(|tomorrow| off.contains(&tomorrow));
    match date.weekday() {
        _ if free_tomorrow => Mood::LongWeekend,
        Weekday::Friday | Weekday::Saturday => Mood::Weekend,
        _ => Mood::Weekday,
    }
}

/// The level of a date: that of the last step on or before it; before the first step the last one
/// of the year holds on.
fn season(climate: Climate, date: Date) -> i64 {
    let steps = steps(climate);
    let day = (date.month(), date.day());
    let reached = steps.iter().rev().find(|(month, first, _)| (*month, *first) <= day);
    reached.or(steps.last()).map_or(10_000, |(_, _, level)| *level)
}

/// (month, day, basis points), by rising date.
fn steps(climate: Climate) -> &'static [(i8, i8, i64)] {
    match climate {
        // The dry months from November to April; rain from May, most in September.
        Climate::Andaman => &[
            (1, 11, 13_500),
            (3, 1, 12_200),
            (4, 16, 10_000),
            (5, 16, 8_000),
            (7, 1, 8_800),
            (9, 1, 7_200),
            (10, 16, 9_000),
            (11, 1, 11_500),
            (12, 1, 12_800),
            (12, 20, 17_500),
        ],
        // Samui's rain comes with the north-east monsoon from October; its second high season is
        // the northern summer.
        Climate::Gulf => &[
            (1, 11, 12_200),
            (3, 1, 11_300),
            (5, 1, 9_500),
            (7, 1, 11_800),
            (9, 1, 9_600),
            (10, 1, 8_200),
            (12, 1, 9_400),
            (12, 20, 16_500),
        ],
        Climate::East => &[
            (1, 11, 11_800),
            (3, 1, 10_500),
            (5, 16, 8_800),
            (10, 16, 10_000),
            (11, 1, 11_500),
            (12, 20, 15_500),
        ],
        Climate::WestGulf => {
            &[(1, 11, 11_000), (5, 16, 9_300), (10, 16, 9_800), (11, 16, 11_300), (12, 20, 15_000)]
        }
        // The cool season, then the smoke of March and April.
        Climate::North => &[
            (1, 11, 12_500),
            (2, 16, 10_300),
            (3, 1, 8_600),
            (6, 1, 8_900),
            (10, 1, 10_000),
            (11, 1, 13_000),
            (12, 20, 16_500),
        ],
        Climate::Inland => &[
            (1, 11, 11_200),
            (2, 16, 10_000),
            (5, 16, 9_200),
            (10, 16, 10_500),
            (11, 16, 12_000),
            (12, 20, 14_500),
        ],
        Climate::Isan => &[(1, 11, 10_000), (5, 16, 9_600), (10, 16, 10_600), (12, 25, 12_300)],
        Climate::Central => &[
            (1, 11, 10_800),
            (3, 1, 10_200),
            (5, 16, 9_300),
            (10, 16, 10_400),
            (11, 1, 11_400),
            (12, 25, 13_200),
        ],
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn mood_on(month: i8, day: i8) -> Mood {
        let calendar = Calendar::new(date(2026, 11, 22), 365);
        let year = if (month, day) < (11, 22) { 2027 } else { 2026 };
        calendar.days.iter().find(|d| d.date == date(year, month, day)).unwrap().mood
    }

    #[test]
    fn nights_have_the_mood_of_the_next_morning() {
        let cases = [
            ((11, 24), Mood::Weekday),
            ((11, 27), Mood::Weekend),
            ((11, 28), Mood::Weekend),
            ((11, 29), Mood::Weekday),
            // 5 December 2026 is a Saturday; the Monday is off in its place.
            ((12, 4), Mood::LongWeekend),
            ((12, 6), Mood::LongWeekend),
            ((12, 7), Mood::Weekday),
            ((12, 31), Mood::NewYear),
            ((1, 2), Mood::NewYear),
            ((4, 13), Mood::Songkran),
            ((7, 16), Mood::LongWeekend),
            ((7, 19), Mood::LongWeekend),
            ((7, 20), Mood::Weekday),
        ];
        for ((month, day), expected) in cases {
            assert_eq!(mood_on(month, day), expected, "{month}-{day}");
        }
    }

    #[test]
    fn the_coasts_have_their_rain_at_different_times() {
        let in_july = date(2027, 7, 15);
        let in_november = date(2027, 11, 15);
        assert!(season(Climate::Andaman, in_july) < season(Climate::Gulf, in_july));
        assert!(season(Climate::Andaman, in_november) > season(Climate::Gulf, in_november));
        for (climate, _) in Climate::ALL {
            assert_eq!(season(climate, date(2027, 1, 5)), season(climate, date(2026, 12, 28)));
            assert!(steps(climate).is_sorted_by_key(|(month, day, _)| (*month, *day)));
        }
    }

    #[test]
    fn a_year_beyond_the_table_has_its_fixed_feasts() {
        let calendar = Calendar::new(date(2044, 1, 1), 400);
        assert_eq!(calendar.days.len(), 400);
        let on = |month, day| calendar.days.iter().find(|d| d.date == date(2044, month, day));
        assert_eq!(on(4, 13).unwrap().mood, Mood::Songkran);
        assert_eq!(on(12, 31).unwrap().mood, Mood::NewYear);
    }
}
