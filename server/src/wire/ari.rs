//! Lines of the bulk stream: what a partner writes and what it reads back for each.

mod result;

use holdfast_engine::ari::{Available, Change, LineRefusal, OnConflict as EngineOnConflict, Rules};
use holdfast_engine::civil::{Night, Weekdays};
use holdfast_engine::rates::{CutOff, OccupancyPrices};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

pub use result::{Counts, LineResult, LineStatus, SourceView, Summary};

use super::check::parse_minute;
use crate::http::envelope::parse_position;
use crate::problem::Problem;

/// One line: what to write on nights `from..=to` of a room type, and of one of its rate plans.
/// A field left out stays as it is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Rises within its source, from 1.
    #[schema(example = 1, minimum = 1)]
    pub seq: u64,
    /// May be said; must then be the room type's hotel.
    #[serde(default)]
    pub hotel: Option<String>,
    /// Left out where the whole hotel is closed or opened: then `hotel` is named.
    #[serde(default)]
    pub room_type: Option<String>,
    #[serde(default)]
    pub rate_plan: Option<String>,
    #[schema(example = "2027-04-01", format = Date)]
    pub from: String,
    /// Inclusive.
    #[schema(example = "2027-04-30", format = Date)]
    pub to: String,
    /// Only these days of the week; all when left out.
    #[serde(default)]
    pub days: Option<Vec<Day>>,
    #[serde(default)]
    #[schema(example = 10)]
    pub allotment: Option<i64>,
    #[serde(default)]
    pub allotment_delta: Option<i64>,
    /// Rooms left to sell, in place of an allotment; needs `as_of_version`.
    #[serde(default)]
    pub available: Option<i64>,
    /// The `version` (or `Engine-Index`) of the inventory that `available` was counted from.
    #[serde(default)]
    pub as_of_version: Option<String>,
    #[serde(default)]
    pub overbook: Option<i64>,
    /// Minor units of the hotel's currency for one night; needs `rate_plan`.
    #[serde(default)]
    #[schema(example = 150_000)]
    pub price: Option<i64>,
    /// May be said; must then be the hotel's.
    #[serde(default)]
    pub currency: Option<String>,
    /// `null` or 0 takes the limit away.
    #[serde(default, deserialize_with = "limit")]
    #[schema(value_type = Option<u8>)]
    pub min_stay_arrival: Option<i64>,
    #[serde(default, deserialize_with = "limit")]
    #[schema(value_type = Option<u8>)]
    pub max_stay_arrival: Option<i64>,
    #[serde(default, deserialize_with = "limit")]
    #[schema(value_type = Option<u8>)]
    pub min_stay_through: Option<i64>,
    #[serde(default, deserialize_with = "limit")]
    #[schema(value_type = Option<u8>)]
    pub max_stay_through: Option<i64>,
    /// Days from the hotel's today to check-in; `null` for none.
    #[serde(default, deserialize_with = "super::nullable")]
    #[schema(value_type = Option<u16>)]
    pub min_advance: Option<Option<i64>>,
    #[serde(default, deserialize_with = "super::nullable")]
    #[schema(value_type = Option<u16>)]
    pub max_advance: Option<Option<i64>>,
    /// The night stops selling so many days earlier; `null` for no cut-off.
    #[serde(default, deserialize_with = "super::nullable")]
    #[schema(value_type = Option<u16>)]
    pub release_days: Option<Option<i64>>,
    /// Hotel-local; midnight where not said.
    #[serde(default)]
    pub release_time: Option<String>,
    /// Prices by the number of adults; an empty list takes them away.
    #[serde(default)]
    pub occupancy_prices: Option<Vec<OccupancyPrice>>,
    /// Rules that go back to the plan's default.
    #[serde(default)]
    pub clear: Option<Vec<Clear>>,
    #[serde(default)]
    pub closed_to_arrival: Option<bool>,
    #[serde(default)]
    pub closed_to_departure: Option<bool>,
    /// Of the rate plan where the line names one, else of the room type.
    #[serde(default)]
    pub closed: Option<bool>,
    /// What to do where `allotment` goes below what is promised.
    #[serde(default)]
    pub on_conflict: OnConflict,
}

/// `null` means "no limit", which the engine writes as 0; a field left out means "as it is".
fn limit<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<i64>, D::Error> {
    Option::<i64>::deserialize(reader).map(|given| Some(given.unwrap_or(0)))
}

/// What so many adults pay for a night, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OccupancyPrice {
    pub adults: u8,
    pub price: i64,
}

/// A rule for which a plan may have a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clear {
    MinStayArrival,
    MaxStayArrival,
    MinStayThrough,
    MaxStayThrough,
    MinAdvance,
    MaxAdvance,
    Release,
}

impl Clear {
    const fn rule(self) -> Rules {
        match self {
            Self::MinStayArrival => Rules::MIN_STAY_ARRIVAL,
            Self::MaxStayArrival => Rules::MAX_STAY_ARRIVAL,
            Self::MinStayThrough => Rules::MIN_STAY_THROUGH,
            Self::MaxStayThrough => Rules::MAX_STAY_THROUGH,
            Self::MinAdvance => Rules::MIN_ADVANCE,
            Self::MaxAdvance => Rules::MAX_ADVANCE,
            Self::Release => Rules::CUT_OFF,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Take it; what is promised stays, nothing is available.
    #[default]
    Accept,
    /// Refuse the line.
    Reject,
    /// Cut only as far as promises allow.
    Clamp,
}

impl From<OnConflict> for EngineOnConflict {
    fn from(choice: OnConflict) -> Self {
        match choice {
            OnConflict::Accept => Self::Accept,
            OnConflict::Reject => Self::Reject,
            OnConflict::Clamp => Self::Clamp,
        }
    }
}

/// Why a line was refused before it became part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: String,
    pub pointer: String,
    pub detail: String,
}

impl Refusal {
    pub fn new(code: &str, pointer: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), pointer: pointer.to_owned(), detail: detail.into() }
    }
}

impl From<&Problem> for Refusal {
    fn from(problem: &Problem) -> Self {
        let pointer = problem.errors.first().map_or("", |error| error.pointer.as_str());
        Self::new(&problem.code, pointer, problem.detail.clone())
    }
}

impl From<LineRefusal> for Refusal {
    fn from(refusal: LineRefusal) -> Self {
        let (code, pointer) = refusal.name();
        Self::new(code, pointer, detail(refusal))
    }
}

fn detail(refusal: LineRefusal) -> &'static str {
    match refusal {
        LineRefusal::UnknownRoomType | LineRefusal::NotYours => "There is no such room type here.",
        LineRefusal::UnknownRatePlan => "The room type has no such rate plan.",
        LineRefusal::NothingToWrite => "The line says nothing to write.",
        LineRefusal::NeedsRatePlan => "Prices and stay rules belong to a rate plan; name it.",
        LineRefusal::EmptyRange => "`to` lies before `from`.",
        LineRefusal::NoWeekday => "No night of the range falls on these days.",
        LineRefusal::PastNight => "The range begins before the hotel's today.",
        LineRefusal::BeyondHorizon => "The range ends beyond the horizon.",
        LineRefusal::TooLarge => "A night counts at most 4,095 rooms, overbooking included.",
        LineRefusal::BelowZero => "The allotment would fall below 0.",
        LineRefusal::PriceOutOfRange => "The price is out of range.",
        LineRefusal::StayLimitOutOfRange => "A stay limit is 0 (none) to 62 nights.",
        LineRefusal::MaxBelowMin => "The longest stay would be below the shortest.",
        LineRefusal::BelowPromised => "More rooms than that are promised already.",
        LineRefusal::AdvanceOutOfRange => "Days of advance are 0 to 1,100.",
        LineRefusal::CutOffOutOfRange => {
            "A cut-off is 0 to 1,100 days ahead, at a time of the day."
        }
        LineRefusal::OccupancyInvalid => {
            "Occupancies rise from 1, each with one price, 12 at most."
        }
        LineRefusal::DerivedPrice => "The prices of a derived rate plan come from its parent.",
        LineRefusal::PriceOutsideBounds => "The price lies outside the rate plan's own bounds.",
        LineRefusal::Contradiction => "The line says two things of the same field.",
        LineRefusal::UnknownHotel => "There is no such hotel here.",
        LineRefusal::HotelTakesClosedOnly => "Without a room type only `closed` can be written.",
        LineRefusal::StaleVersion => "Rooms were promised or given back since that version.",
        LineRefusal::CapacityReached => "The deployment can take no more dated rules.",
    }
}

impl Line {
    /// Dates, days and values in the engine's terms. Ids are resolved by the door.
    pub fn nights(&self) -> Result<(Night, Night, Weekdays), Refusal> {
        let date = |pointer: &str, text: &str| {
            text.parse::<Night>()
                .map_err(|error| Refusal::new("date.invalid", pointer, error.to_string()))
        };
        let days = self.days.as_ref().map_or(Weekdays::ALL, |days| {
            Weekdays(days.iter().fold(0, |set, day| set | 1 << (*day as u8)))
        });
        Ok((date("/from", &self.from)?, date("/to", &self.to)?, days))
    }

    pub fn change(&self) -> Result<Change, Refusal> {
        let too_large = "A night counts at most 4,095 rooms, overbooking included.";
        let rooms = |pointer: &'static str, value: Option<i64>| match value {
            Some(..0) => Err(Refusal::new("inventory.below_zero", pointer, "must be at least 0")),
            Some(value) => u16::try_from(value)
                .map(Some)
                .map_err(|_| Refusal::new("inventory.too_large", pointer, too_large)),
            None => Ok(None),
        };
        let overbook = rooms("/overbook", self.overbook)?
            .map(|value| {
                u8::try_from(value)
                    .map_err(|_| Refusal::new("inventory.too_large", "/overbook", "at most 255"))
            })
            .transpose()?;
        let allotment_delta = self
            .allotment_delta
            .map(|value| {
                i16::try_from(value)
                    .map_err(|_| Refusal::new("inventory.too_large", "/allotment_delta", too_large))
            })
            .transpose()?;
        Ok(Change {
            allotment: rooms("/allotment", self.allotment)?,
            allotment_delta,
            available: self.available(rooms("/available", self.available)?)?,
            overbook,
            price: self.price,
            min_stay_arrival: stay_limit("/min_stay_arrival", self.min_stay_arrival)?,
            max_stay_arrival: stay_limit("/max_stay_arrival", self.max_stay_arrival)?,
            min_stay_through: stay_limit("/min_stay_through", self.min_stay_through)?,
            max_stay_through: stay_limit("/max_stay_through", self.max_stay_through)?,
            closed_to_arrival: self.closed_to_arrival,
            closed_to_departure: self.closed_to_departure,
            min_advance: days("/min_advance", self.min_advance)?,
            max_advance: days("/max_advance", self.max_advance)?,
            cut_off: self.cut_off()?,
            occupancy: self.occupancy()?,
            clear: self
                .clear
                .iter()
                .flatten()
                .fold(Rules::default(), |all, one| all.with(one.rule())),
            closed: self.closed,
        })
    }
}

impl Line {
    fn available(&self, rooms: Option<u16>) -> Result<Option<Available>, Refusal> {
        let Some(rooms) = rooms else { return Ok(None) };
        let pointer = "/as_of_version";
        let Some(text) = &self.as_of_version else {
            let detail = "`available` is taken only with the version it was counted from";
            return Err(Refusal::new("ari.version_required", pointer, detail));
        };
        let as_of = parse_position(text).ok_or_else(|| {
            Refusal::new("field.invalid", pointer, "not a version of this server")
        })?;
        Ok(Some(Available { rooms, as_of }))
    }

    fn cut_off(&self) -> Result<Option<Option<CutOff>>, Refusal> {
        let refusal = || Refusal::from(LineRefusal::CutOffOutOfRange);
        let minute = match &self.release_time {
            Some(text) => parse_minute(text).ok_or_else(refusal)?,
            None => 0,
        };
        match self.release_days {
            None if self.release_time.is_some() => Err(refusal()),
            None => Ok(None),
            Some(None) => Ok(Some(None)),
            Some(Some(days)) => {
                let days = u16::try_from(days).map_err(|_| refusal())?;
                Ok(Some(Some(CutOff { days, minute })))
            }
        }
    }

    fn occupancy(&self) -> Result<Option<OccupancyPrices>, Refusal> {
        let Some(prices) = &self.occupancy_prices else { return Ok(None) };
        let pairs = prices.iter().map(|one| (one.adults, one.price));
        let prices = OccupancyPrices::new(pairs);
        prices.map(Some).ok_or_else(|| Refusal::from(LineRefusal::OccupancyInvalid))
    }
}

fn days(pointer: &str, value: Option<Option<i64>>) -> Result<Option<Option<u16>>, Refusal> {
    let Some(Some(days)) = value else { return Ok(value.map(|_| None)) };
    u16::try_from(days).map(|days| Some(Some(days))).map_err(|_| {
        let refusal = LineRefusal::AdvanceOutOfRange;
        Refusal::new(refusal.name().0, pointer, detail(refusal))
    })
}

fn stay_limit(pointer: &str, value: Option<i64>) -> Result<Option<u8>, Refusal> {
    value
        .map(|value| {
            u8::try_from(value).map_err(|_| {
                let code = LineRefusal::StayLimitOutOfRange.name().0;
                Refusal::new(code, pointer, detail(LineRefusal::StayLimitOutOfRange))
            })
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: &str) -> Line {
        let text = format!(
            r#"{{"seq":1,"room_type":"rt_x","from":"2027-04-01","to":"2027-04-30"{fields}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_limit_left_out_stays_and_null_takes_it_away() {
        assert_eq!(line("").change().unwrap().min_stay_arrival, None);
        let cleared = line(r#","min_stay_arrival":null"#).change().unwrap();
        assert_eq!(cleared.min_stay_arrival, Some(0));
        assert_eq!(line(r#","price":null"#).change().unwrap().price, None);
    }

    #[test]
    fn numbers_past_their_width_get_the_domains_code() {
        for (fields, code) in [
            (r#","allotment":70000"#, "inventory.too_large"),
            (r#","allotment":-1"#, "inventory.below_zero"),
            (r#","overbook":256"#, "inventory.too_large"),
            (r#","min_stay_through":256"#, "ari.stay_limit_out_of_range"),
            (r#","max_stay_arrival":-1"#, "ari.stay_limit_out_of_range"),
        ] {
            assert_eq!(line(fields).change().unwrap_err().code, code, "{fields}");
        }
    }

    #[test]
    fn days_make_a_mask_and_none_makes_an_empty_one() {
        let (_, _, days) = line(r#","days":["fri","sat"]"#).nights().unwrap();
        assert_eq!(days, Weekdays(0b011_0000));
        assert!(line(r#","days":[]"#).nights().unwrap().2.is_empty());
        assert_eq!(line("").nights().unwrap().2, Weekdays::ALL);
    }

    #[test]
    fn a_buddhist_year_is_refused_with_a_hint() {
        let mut line = line("");
        line.to = "2570-04-30".into();
        let refusal = line.nights().unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.pointer.as_str()), ("date.invalid", "/to"));
        assert!(refusal.detail.contains("2027"), "{}", refusal.detail);
    }
}
