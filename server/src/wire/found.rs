//! The answer to a search on the wire: hotels with their cheapest offer.

use holdfast_engine::catalogue::{Hotel, RatePlan, RoomType};
use holdfast_engine::search::Found;
use holdfast_engine::stay::Stay;
use serde::Serialize;
use utoipa::ToSchema;

use super::language::Language;
use super::money::Money;
use super::quote::{average_night, free_until};
use super::rate_plan::MealPlan;
use super::text::Text;
use super::words;

/// A hotel in the answer to a search.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FoundHotel {
    pub id: String,
    pub name: Text,
    /// The name in the language asked for.
    pub display_name: String,
    #[schema(example = "TH-83")]
    pub province: String,
    pub stars: u8,
    pub lat: f64,
    pub lon: f64,
    pub property_type: &'static str,
    pub amenities: Vec<String>,
}

/// The cheapest product of the hotel that can be had.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FoundOffer {
    pub room_type_id: String,
    pub room_type_name: String,
    pub rate_plan_id: String,
    pub meal_plan: MealPlan,
    pub nights: u16,
    /// Rooms of that type on every night.
    pub available: u32,
    /// All rooms, all nights, with taxes.
    pub total: Money,
    /// `total` by `nights`.
    pub average_night: Money,
    /// `null` where it cannot, or no longer, be given up for nothing.
    #[schema(format = DateTime)]
    pub free_cancellation_until: Option<String>,
}

/// One hotel that can take the stay.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FoundItem {
    pub hotel: FoundHotel,
    pub offer: FoundOffer,
    /// From the centre; `null` where there is none.
    #[schema(example = 1.734)]
    pub distance_km: Option<f64>,
}

/// A page of a search.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SearchPage {
    pub items: Vec<FoundItem>,
    /// Hotels that match, on all pages.
    pub total: usize,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
}

/// What an item is made from besides what the engine found.
#[derive(Debug)]
pub struct Catalogued<'a> {
    pub hotel: &'a Hotel,
    pub room_type: &'a RoomType,
    pub rate_plan: &'a RatePlan,
    pub now: u64,
    pub language: Language,
}

impl FoundItem {
    pub fn of(found: &Found, stay: Stay, from: &Catalogued<'_>) -> Self {
        let draft = &from.hotel.draft;
        let nights = stay.nights();
        let until = free_until(&from.rate_plan.draft.policy, from.hotel, stay.check_in, from.now);
        Self {
            hotel: FoundHotel {
                id: found.id.to_string(),
                name: Text::from(&draft.name),
                display_name: from.language.of(&draft.name).to_owned(),
                province: format!("TH-{:02}", draft.province),
                stars: draft.stars,
                lat: f64::from(draft.lat_e6) / 1e6,
                lon: f64::from(draft.lon_e6) / 1e6,
                property_type: words::property_type_word(draft.property_type),
                amenities: words::amenity_words(draft.amenities),
            },
            offer: FoundOffer {
                room_type_id: from.room_type.id.to_string(),
                room_type_name: from.language.of(&from.room_type.draft.name).to_owned(),
                rate_plan_id: from.rate_plan.id.to_string(),
                meal_plan: from.rate_plan.draft.meal_plan.into(),
                nights,
                available: found.available,
                total: Money::new(found.total, draft.currency),
                average_night: average_night(found.total, nights, draft.currency),
                free_cancellation_until: until,
            },
            distance_km: found.distance_m.map(|metres| f64::from(metres) / 1_000.0),
        }
    }
}
