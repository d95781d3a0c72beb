//! A search on the wire: the question as one strict query string, and the cursor that goes on with it.
//!
//! **Invariant:** a cursor is bound to the question it was given for; with another it is refused.

use holdfast_engine::catalogue::Hotel;
use holdfast_engine::ids::HotelId;
use holdfast_engine::search::{Area, Filters, Found, Sort};
use holdfast_engine::stay::Stay;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::check::Check;
use super::language::Language;
use super::page::{decode_cursor, encode_cursor};
use super::rate_plan::MealPlan;
use super::stay::{Party, check_party, check_stay};
use super::words;
use crate::gazetteer::{Gazetteer, Kind};
use crate::idempotency::fingerprint;
use crate::limits::{AROUND_HOTEL_KM, LIST_ITEMS_MAX, RADIUS_KM_DEFAULT, RADIUS_KM_MAX};
use crate::problem::Problem;

/// What is looked for. Exactly one of `destination`, `bbox` and `near`.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// An id of `/v1/destinations`. Of a hotel: the hotel and what is around it.
    #[param(example = "prv_83")]
    pub destination: Option<String>,
    /// `west,south,east,north` in degrees.
    #[param(example = "98.2,7.7,98.5,8.2")]
    pub bbox: Option<String>,
    /// `lat,lon` in degrees.
    #[param(example = "7.88,98.39")]
    pub near: Option<String>,
    /// Of `near`; 10 where not said, 500 at most.
    pub radius_km: Option<f64>,
    #[param(example = "2027-04-13", format = Date)]
    pub check_in: String,
    #[param(example = "2027-04-15", format = Date)]
    pub check_out: String,
    /// Rooms of one type; 1 where not said.
    pub rooms: Option<u16>,
    /// In all rooms together; 2 for each room where not said.
    pub adults: Option<u16>,
    /// Years, in all rooms together.
    #[param(example = "5,8")]
    pub children_ages: Option<String>,
    /// Of the whole stay, minor units.
    pub min_price: Option<i64>,
    /// Of the whole stay, minor units.
    pub max_price: Option<i64>,
    /// Any of these.
    #[param(example = "4,5")]
    pub stars: Option<String>,
    /// All of these.
    #[param(example = "pool,wifi")]
    pub amenities: Option<String>,
    #[param(example = "resort")]
    pub property_type: Option<String>,
    #[param(inline)]
    pub meal_plan: Option<MealPlan>,
    /// Only offers that can be given up for nothing at first.
    pub free_cancellation: Option<bool>,
    /// `recommended` where not said; `distance` around a hotel.
    #[param(inline)]
    pub sort: Option<SortWord>,
    /// Items wanted, 1 to 200; 50 where not said.
    pub limit: Option<usize>,
    /// `next_cursor` of the page before, with the same question.
    pub cursor: Option<String>,
    #[param(inline)]
    pub lang: Option<Language>,
}

/// The order of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortWord {
    Recommended,
    Price,
    PriceDesc,
    Stars,
    Distance,
}

impl From<SortWord> for Sort {
    fn from(word: SortWord) -> Self {
        match word {
            SortWord::Recommended => Self::Recommended,
            SortWord::Price => Self::Price,
            SortWord::PriceDesc => Self::PriceDesc,
            SortWord::Stars => Self::Stars,
            SortWord::Distance => Self::Distance,
        }
    }
}

/// A question whose form is right.
#[derive(Debug, Clone)]
pub struct Search {
    pub place: Place,
    pub stay: Stay,
    pub party: Party,
    pub filters: Filters,
    pub sort: Option<Sort>,
}

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    Area(Area),
    /// Around a hotel, which only the state knows.
    Hotel(HotelId),
}

impl Place {
    /// What is meant by "at this hotel".
    pub fn around(hotel: &Hotel) -> Area {
        circle((hotel.draft.lat_e6, hotel.draft.lon_e6), AROUND_HOTEL_KM)
    }
}

impl SearchParams {
    pub fn check(&self) -> Result<Search, Problem> {
        let mut check = Check::new();
        let stay = check_stay("?", (&self.check_in, &self.check_out), &mut check);
        let ages = self.children_ages.as_deref();
        let party = check_party(self.rooms, self.adults, ages, &mut check);
        let place = self.check_place(&mut check);
        let filters = self.check_filters(&mut check);
        check.finish()?;
        let centred = !matches!(place, Some(Place::Area(Area::Province(_) | Area::Box { .. })));
        if self.sort == Some(SortWord::Distance) && !centred {
            return Err(no_centre());
        }
        let everywhere = Area::Box { west: 0, south: 0, east: 0, north: 0 };
        // A missing place is a fault, so that the fallback is never searched.
        let place = place.unwrap_or(Place::Area(everywhere));
        Ok(Search { place, stay, party, filters, sort: self.sort.map(Sort::from) })
    }

    fn check_place(&self, check: &mut Check) -> Option<Place> {
        if self.radius_km.is_some() && self.near.is_none() {
            check.fault("?radius_km", "field.unexpected", "goes with `near`");
        }
        match (&self.destination, &self.bbox, &self.near) {
            (Some(id), None, None) => check_destination(id, check),
            (None, Some(text), None) => check_box(text, check).map(Place::Area),
            (None, None, Some(text)) => {
                let radius_km = self.radius_km.unwrap_or(RADIUS_KM_DEFAULT);
                if !(0.0..=RADIUS_KM_MAX).contains(&radius_km) {
                    let detail = format!("must be between 0 and {RADIUS_KM_MAX}");
                    check.fault("?radius_km", "field.range", detail);
                    return None;
                }
                let [lat, lon] = degrees("?near", text, [90.0, 180.0], check)?;
                Some(Place::Area(circle((lat, lon), radius_km)))
            }
            _ => {
                let detail = "exactly one of `destination`, `bbox` and `near` says where to look";
                check.fault("?destination", "search.place", detail);
                None
            }
        }
    }

    fn check_filters(&self, check: &mut Check) -> Filters {
        for (pointer, price) in [("?min_price", self.min_price), ("?max_price", self.max_price)] {
            if price.is_some_and(|price| price < 0) {
                check.fault(pointer, "field.range", "must be at least 0");
            }
        }
        let property_type = self.property_type.as_ref().and_then(|word| {
            let position = words::property_type_position(word);
            if position.is_none() {
                let known = words::PROPERTY_TYPES.join(", ");
                check.fault("?property_type", "word.unknown", format!("must be one of {known}"));
            }
            position
        });
        Filters {
            min_price: self.min_price,
            max_price: self.max_price,
            stars: check_stars(self.stars.as_deref(), check),
            amenities: check_amenities(self.amenities.as_deref(), check),
            property_type,
            meal_plan: self.meal_plan.map(Into::into),
            free_cancellation: self.free_cancellation.unwrap_or(false),
        }
    }

    /// Binds a cursor to the question, whatever page and language it asks for.
    fn digest(&self) -> [u8; 8] {
        let question = Self { limit: None, cursor: None, lang: None, ..self.clone() };
        let [first, second, third, fourth, fifth, sixth, seventh, eighth, ..] =
            fingerprint(&question).to_be_bytes();
        [first, second, third, fourth, fifth, sixth, seventh, eighth]
    }

    /// Where the page begins: after this key and hotel.
    pub fn after(&self) -> Result<Option<(i64, HotelId)>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let bytes: [u8; 32] = decode_cursor(cursor)?;
        let (digest, rest) = bytes.split_at(8);
        if digest != self.digest() {
            return Err(Problem::field(
                "?cursor",
                "cursor.invalid",
                "belongs to another search; begin this one without a cursor",
            ));
        }
        let number =
            |bytes: &[u8]| bytes.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
        let (key, hotel) = rest.split_at(8);
        // Eight bytes make a key, sign included.
        let key = i64::from_be_bytes(key.try_into().unwrap_or_default());
        Ok(Some((key, HotelId(number(hotel)))))
    }

    /// The cursor of what comes after `last`.
    pub fn cursor_after(&self, last: &Found) -> String {
        let mut bytes = Vec::with_capacity(32);
        bytes.extend_from_slice(&self.digest());
        bytes.extend_from_slice(&last.key.to_be_bytes());
        bytes.extend_from_slice(&last.id.0.to_be_bytes());
        encode_cursor(&bytes)
    }
}

/// A question that has no answer as it is put, whatever its parts are.
fn no_centre() -> Problem {
    let detail = "a province or a box has no centre to be near to: ask with `near` or around a town, \
        a quarter or a hotel, or sort by something else";
    let mut problem = Problem::field("?sort", "search.no_centre", detail);
    problem.status = http::StatusCode::BAD_REQUEST;
    problem.title = "Bad Request".to_owned();
    problem
}

fn check_destination(id: &str, check: &mut Check) -> Option<Place> {
    if let Ok(hotel) = id.parse::<HotelId>() {
        return Some(Place::Hotel(hotel));
    }
    let Some(found) = Gazetteer::get().destination(id) else {
        let detail = "must be an id of /v1/destinations";
        check.fault("?destination", "destination.unknown", detail);
        return None;
    };
    Some(Place::Area(match found.kind {
        Kind::Province => Area::Province(found.province),
        _ => circle((millionths(found.lat), millionths(found.lon)), found.radius_km),
    }))
}

fn check_box(text: &str, check: &mut Check) -> Option<Area> {
    let [west, south, east, north] = degrees("?bbox", text, [180.0, 90.0, 180.0, 90.0], check)?;
    if west > east || south > north {
        let detail = "must be west,south,east,north with west ≤ east and south ≤ north";
        check.fault("?bbox", "field.range", detail);
        return None;
    }
    Some(Area::Box { west, south, east, north })
}

/// Millionths of so many degrees, each within its bound.
fn degrees<const N: usize>(
    pointer: &str,
    text: &str,
    bounds: [f64; N],
    check: &mut Check,
) -> Option<[i32; N]> {
    let parsed: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let Some(values) = parsed.and_then(|values| <[f64; N]>::try_from(values).ok()) else {
        check.fault(pointer, "field.invalid", format!("must be {N} numbers with commas between"));
        return None;
    };
    let outside = |(value, bound): (&f64, &f64)| !(-bound..=*bound).contains(value);
    if values.iter().zip(&bounds).any(outside) {
        let detail = "degrees north are -90 to 90, degrees east -180 to 180";
        check.fault(pointer, "field.range", detail);
        return None;
    }
    Some(values.map(millionths))
}

fn circle((lat_e6, lon_e6): (i32, i32), radius_km: f64) -> Area {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 500 km")]
    let radius_m = (radius_km * 1_000.0).round() as u32;
    Area::Circle { lat_e6, lon_e6, radius_m }
}

fn millionths(degrees: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "degrees are at most ±180")]
    let millionths = (degrees * 1e6).round() as i32;
    millionths
}

fn check_stars(text: Option<&str>, check: &mut Check) -> u8 {
    let mut bits = 0;
    for part in text.into_iter().flat_map(|text| text.split(',')) {
        match part.trim().parse::<u8>() {
            Ok(stars @ 0..=5) => bits |= 1 << stars,
            _ => check.fault("?stars", "field.range", "numbers of 0 to 5 with commas between"),
        }
    }
    bits
}

fn check_amenities(text: Option<&str>, check: &mut Check) -> u64 {
    let mut bits = 0;
    let given = text.into_iter().flat_map(|text| text.split(',')).take(LIST_ITEMS_MAX);
    for word in given.map(str::trim) {
        match words::amenity_bit(word) {
            Some(bit) => bits |= bit,
            None => {
                let detail = "must be known amenities with commas between";
                check.fault("?amenities", "word.unknown", detail);
                break;
            }
        }
    }
    bits
}

#[cfg(test)]
mod tests;
