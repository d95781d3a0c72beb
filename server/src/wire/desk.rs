//! What a hotel's front desk asks of its bookings, as one strict query string.
//!
//! **Invariant:** a cursor is the place of the last booking that was looked at, whether it was shown.

use holdfast_engine::Night;
use holdfast_engine::civil::LogTimeMs;
use holdfast_engine::ids::BookingId;
use holdfast_engine::state::arrivals::{Dates, On};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::booking::BookingStatus;
use super::check::Check;
use super::language::Language;
use super::page::{self, decode_cursor, encode_cursor};
use super::stay::check_night;
use crate::problem::Problem;

/// Which bookings of a hotel. Today's arrivals: `on=arrival&from=TODAY&to=TODAY&status=confirmed`;
/// departures: `on=departure…&status=checked_in`; in the house: `on=stay…&status=checked_in`.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeskParams {
    /// What `from` and `to` are about: the check-in date (where not said), the check-out date, or the
    /// nights of the stay.
    #[param(inline)]
    pub on: Option<OnParam>,
    #[param(example = "2027-04-13", format = Date)]
    pub from: Option<String>,
    /// Inclusive.
    #[param(example = "2027-04-13", format = Date)]
    pub to: Option<String>,
    /// Any of these.
    #[param(example = "confirmed,checked_in")]
    pub status: Option<String>,
    /// Made or changed at this instant or later.
    #[param(example = "2027-04-13T06:00:00Z", format = DateTime)]
    pub changed_since: Option<String>,
    /// Items wanted, 1 to 200; 50 when not said. A page may have fewer while `next_cursor` names another.
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Taken everywhere; bookings carry every language anyway.
    #[param(inline)]
    pub lang: Option<Language>,
}

/// Which dates of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnParam {
    Arrival,
    Departure,
    Stay,
}

/// A question whose form is right.
#[derive(Debug)]
pub struct DeskQuery {
    pub dates: Dates,
    /// Empty for any.
    pub statuses: Vec<BookingStatus>,
    pub changed_since_ms: LogTimeMs,
    pub limit: usize,
    pub after: Option<(Night, BookingId)>,
}

const STATUSES: [(&str, BookingStatus); 5] = [
    ("confirmed", BookingStatus::Confirmed),
    ("checked_in", BookingStatus::CheckedIn),
    ("checked_out", BookingStatus::CheckedOut),
    ("cancelled", BookingStatus::Cancelled),
    ("no_show", BookingStatus::NoShow),
];

impl DeskParams {
    pub fn check(&self) -> Result<DeskQuery, Problem> {
        let mut check = Check::new();
        let mut night = |pointer, text: &Option<String>, other| match text {
            Some(text) => check_night(pointer, text, &mut check),
            None => other,
        };
        let dates = Dates {
            on: match self.on {
                None | Some(OnParam::Arrival) => On::Arrival,
                Some(OnParam::Departure) => On::Departure,
                Some(OnParam::Stay) => On::Stay,
            },
            from: night("?from", &self.from, Dates::ALL.from),
            to: night("?to", &self.to, Dates::ALL.to),
        };
        let statuses = check_statuses(self.status.as_deref(), &mut check);
        let changed_since_ms = check_instant(self.changed_since.as_deref(), &mut check);
        check.finish()?;
        if dates.to < dates.from {
            return Err(Problem::field("?to", "field.range", "must not lie before `from`"));
        }
        let limit = page::limit(self.limit)?;
        let after = self.cursor.as_deref().map(place_of).transpose()?;
        Ok(DeskQuery { dates, statuses, changed_since_ms, limit, after })
    }
}

fn check_statuses(text: Option<&str>, check: &mut Check) -> Vec<BookingStatus> {
    let words = text.into_iter().flat_map(|text| text.split(',')).map(str::trim);
    let mut found = Vec::new();
    for word in words {
        match STATUSES.iter().find(|known| known.0 == word) {
            Some(known) => found.push(known.1),
            None => {
                let known = STATUSES.map(|known| known.0).join(", ");
                check.fault("?status", "field.invalid", format!("any of {known}"));
            }
        }
    }
    found
}

fn check_instant(text: Option<&str>, check: &mut Check) -> LogTimeMs {
    let Some(text) = text else { return 0 };
    match text.parse::<Timestamp>() {
        // Before 1970 nothing had changed yet.
        Ok(at) => u64::try_from(at.as_millisecond()).unwrap_or(0),
        Err(_) => {
            let detail =
                "must be like `2027-04-13T06:00:00Z`; the `+` of an offset is sent as `%2B`";
            check.fault("?changed_since", "instant.invalid", detail);
            0
        }
    }
}

/// A booking's place as an opaque text.
pub fn cursor_of((check_in, id): (Night, BookingId)) -> String {
    let mut key = check_in.0.to_be_bytes().to_vec();
    key.extend(id.0.to_be_bytes());
    encode_cursor(&key)
}

fn place_of(cursor: &str) -> Result<(Night, BookingId), Problem> {
    let key = u144(decode_cursor::<18>(cursor)?);
    Ok((Night(key.0), BookingId(key.1)))
}

/// The two numbers that eighteen bytes are.
fn u144(key: [u8; 18]) -> (u16, u128) {
    let [a, b, rest @ ..] = key;
    (u16::from_be_bytes([a, b]), u128::from_be_bytes(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(params: &DeskParams) -> Vec<String> {
        let problem = params.check().unwrap_err();
        problem.errors.iter().map(|error| error.pointer.clone()).collect()
    }

    #[test]
    fn a_place_is_the_same_after_its_cursor() {
        let place = (Night(20_850), BookingId(u128::MAX - 7));
        assert_eq!(place_of(&cursor_of(place)).unwrap(), place);
        assert!(place_of("AAAA").is_err());
    }

    #[test]
    fn what_is_not_said_asks_for_all_and_every_fault_is_named() {
        let query = DeskParams::default().check().unwrap();
        assert_eq!((query.dates, query.changed_since_ms), (Dates::ALL, 0));
        assert!(query.statuses.is_empty() && query.after.is_none());
        let some = |text: &str| Some(text.to_owned());
        let wrong = DeskParams {
            from: some("2027-02-29"),
            to: some("2570-01-01"),
            status: some("confirmed,gone"),
            changed_since: some("yesterday"),
            ..DeskParams::default()
        };
        assert_eq!(pointers(&wrong), ["?from", "?to", "?status", "?changed_since"]);
        let turned = DeskParams {
            from: some("2027-02-02"),
            to: some("2027-02-01"),
            ..DeskParams::default()
        };
        assert_eq!(pointers(&turned), ["?to"]);
    }
}
