//! What the demo says at the partner's doors, as it goes over the wire.
//!
//! Plain structs that serialise to the bodies of the calls; they decide nothing. The doors' own
//! types are not used: the demo is a client like any other and would not notice a change of the
//! contract otherwise.

use serde::Serialize;

/// Thai and English.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Text {
    pub th: String,
    pub en: String,
}

/// `POST /v1/hotels`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HotelBody {
    pub name: Text,
    pub description: Text,
    /// Administrative code: `"10"` … `"96"`.
    pub province: String,
    pub lat: f64,
    pub lon: f64,
    /// 0 (none) to 5.
    pub stars: u8,
    pub property_type: &'static str,
    pub amenities: Vec<&'static str>,
    pub check_in_time: &'static str,
    pub check_out_time: &'static str,
}

/// `POST /v1/hotels/{id}/room-types`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomTypeBody {
    pub name: Text,
    pub max_adults: u8,
    pub max_children: u8,
    pub max_occupancy: u8,
    pub beds: Vec<Bed>,
    pub size_m2: u16,
    pub amenities: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bed {
    pub kind: &'static str,
    pub count: u8,
}

/// `POST /v1/room-types/{id}/rate-plans`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RatePlanBody {
    pub name: Text,
    pub meal_plan: &'static str,
    pub tax_inclusive: bool,
    pub cancellation: Vec<Tier>,
}

/// Until `until_time` on the day `until_days` before check-in the penalty is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tier {
    pub until_days: u16,
    pub until_time: &'static str,
    pub penalty: Penalty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// Of the total, in basis points.
    PercentBp(u16),
    /// The prices of the first nights.
    Nights(u8),
}

/// One line of `POST /v1/ari`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AriLine<'a> {
    pub seq: u64,
    pub room_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_plan: Option<&'a str>,
    /// `YYYY-MM-DD`
    pub from: String,
    /// Inclusive.
    pub to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allotment: Option<u16>,
    /// Satang for one night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_stay_arrival: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_to_arrival: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
}
