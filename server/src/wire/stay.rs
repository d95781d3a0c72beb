//! A stay as guests ask for it: two dates, rooms, adults and the ages of children.
//!
//! Adults and children are totals over all rooms; what one room gets is their share, rounded up:
//! children are dealt out by age, the oldest first, and every room is asked for as the first one.
//! It owns the form of the question; whether the dates can be had is judged by the engine's rules.

use holdfast_engine::Night;
use holdfast_engine::limits::{ADULT_AGE, CHILDREN_MAX, LINE_QUANTITY_MAX};
use holdfast_engine::stay::Stay;

use super::check::Check;
use crate::problem::Problem;

/// Adults of one room where nobody says how many.
const ADULTS_PER_ROOM_DEFAULT: u16 = 2;

/// Who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// At least 1.
    pub rooms: u16,
    /// Per room, at least 1.
    pub adults: u8,
    /// Ages in years, per room, the oldest first.
    pub children: Vec<u8>,
}

/// A night of a text; a fault and 1970-01-01 where it is none.
pub fn check_night(pointer: &str, text: &str, check: &mut Check) -> Night {
    text.parse().unwrap_or_else(|error: holdfast_engine::civil::Error| {
        check.fault(pointer, "date.invalid", error.to_string());
        Night(0)
    })
}

/// Both dates of a stay.
pub fn check_stay(prefix: &str, dates: (&str, &str), check: &mut Check) -> Stay {
    Stay {
        check_in: check_night(&format!("{prefix}check_in"), dates.0, check),
        check_out: check_night(&format!("{prefix}check_out"), dates.1, check),
    }
}

/// Stay and party of a query that asks for nothing else.
pub fn check_asked(
    dates: (&str, &str),
    (rooms, adults): (Option<u16>, Option<u16>),
    children_ages: Option<&str>,
) -> Result<(Stay, Party), Problem> {
    let mut check = Check::new();
    let stay = check_stay("?", dates, &mut check);
    let party = check_party(rooms, adults, children_ages, &mut check);
    check.finish()?;
    Ok((stay, party))
}

/// The party of a query.
pub fn check_party(
    rooms: Option<u16>,
    adults: Option<u16>,
    children_ages: Option<&str>,
    check: &mut Check,
) -> Party {
    let rooms = check.range("?rooms", rooms.unwrap_or(1), 1..=LINE_QUANTITY_MAX);
    let adults = adults.unwrap_or(rooms.saturating_mul(ADULTS_PER_ROOM_DEFAULT));
    if adults < rooms {
        check.fault("?adults", "occupancy.too_few", "each room needs at least one adult");
    }
    let ages = children_ages.unwrap_or_default();
    let mut children = Vec::new();
    for age in ages.split(',').filter(|age| !age.is_empty()) {
        match age.trim().parse::<u8>() {
            Ok(age) if age < ADULT_AGE => children.push(age),
            _ => check.fault("?children_ages", "field.range", age_detail()),
        }
    }
    children.sort_unstable_by(|a, b| b.cmp(a));
    let children: Vec<u8> = children.into_iter().step_by(usize::from(rooms.max(1))).collect();
    if children.len() > CHILDREN_MAX {
        let detail = format!("at most {CHILDREN_MAX} for each room");
        check.fault("?children_ages", "list.too_long", detail);
    }
    Party {
        rooms,
        // More than 255 adults in a room fit no room type, and neither do 255.
        adults: u8::try_from(adults.div_ceil(rooms.max(1))).unwrap_or(u8::MAX).max(1),
        children,
    }
}

/// What is wrong with an age that is no child's.
pub fn age_detail() -> String {
    format!("ages in years, 0 to {}; who is older counts as an adult", ADULT_AGE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(rooms: u16, adults: u16, ages: &str) -> Result<Party, Vec<String>> {
        let mut check = Check::new();
        let party = check_party(Some(rooms), Some(adults), Some(ages), &mut check);
        match check.finish() {
            Ok(()) => Ok(party),
            Err(problem) => Err(problem.errors.iter().map(|error| error.code.clone()).collect()),
        }
    }

    #[test]
    fn people_are_shared_out_over_the_rooms_rounded_up() {
        assert_eq!(party(2, 3, "5,8,9"), Ok(Party { rooms: 2, adults: 2, children: vec![9, 5] }));
        assert_eq!(party(1, 2, ""), Ok(Party { rooms: 1, adults: 2, children: vec![] }));
        assert_eq!(party(1, 600, ""), Ok(Party { rooms: 1, adults: 255, children: vec![] }));
    }

    #[test]
    fn parties_that_no_rooms_take_are_refused() {
        for (rooms, adults, ages, code) in [
            (0, 1, "", "field.range"),
            (1_001, 1_001, "", "field.range"),
            (2, 1, "", "occupancy.too_few"),
            (1, 1, "18", "field.range"),
            (1, 1, "-1", "field.range"),
            (1, 1, "five", "field.range"),
            (1, 1, "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "list.too_long"),
        ] {
            assert_eq!(party(rooms, adults, ages), Err(vec![code.to_owned()]), "{rooms} {ages}");
        }
        assert!(party(1, 1, "17,0").is_ok());
    }

    #[test]
    fn dates_are_refused_with_their_place() {
        let mut check = Check::new();
        check_stay("/", ("2027-02-29", "2569-01-01"), &mut check);
        let problem = check.finish().unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/check_in", "/check_out"]);
        assert!(problem.errors[1].detail.contains("2026"));
    }
}
