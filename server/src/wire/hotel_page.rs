//! A hotel's page: what guests see of it, with its room types and what can be booked of them.

use holdfast_engine::catalogue::{Hotel, RatePlan, RoomType};
use serde::Serialize;
use utoipa::ToSchema;

use super::hotel::{HotelBody, Status};
use super::instant;
use super::language::Language;
use super::rate_plan::RatePlanBody;
use super::room_type::RoomTypeBody;
use super::text::Text;
use crate::gazetteer::Gazetteer;

/// A product of a room type.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RatePlanPage {
    pub id: String,
    /// The name in the language asked for.
    pub display_name: String,
    #[serde(flatten)]
    pub body: RatePlanBody,
}

/// A room type.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoomTypePage {
    pub id: String,
    /// The name in the language asked for.
    pub display_name: String,
    #[serde(flatten)]
    pub body: RoomTypeBody,
    pub rate_plans: Vec<RatePlanPage>,
}

/// A hotel.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HotelPage {
    #[schema(example = "htl_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub id: String,
    pub status: Status,
    /// The name in the language asked for.
    pub display_name: String,
    pub province_name: Text,
    #[serde(flatten)]
    pub body: HotelBody,
    pub room_types: Vec<RoomTypePage>,
    /// For those who run it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub own: Option<HotelOwn>,
}

/// What those who run a hotel see besides.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HotelOwn {
    pub partner_id: String,
    /// Rises with every change; the same as the `ETag`.
    pub version: u32,
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl RatePlanPage {
    pub fn of(rate_plan: &RatePlan, language: Language) -> Self {
        Self {
            id: rate_plan.id.to_string(),
            display_name: language.of(&rate_plan.draft.name).to_owned(),
            body: RatePlanBody::of(&rate_plan.draft, None),
        }
    }
}

impl RoomTypePage {
    pub fn of(room_type: &RoomType, rate_plans: Vec<RatePlanPage>, language: Language) -> Self {
        Self {
            id: room_type.id.to_string(),
            display_name: language.of(&room_type.draft.name).to_owned(),
            body: RoomTypeBody::of(&room_type.draft),
            rate_plans,
        }
    }
}

impl HotelPage {
    pub fn of(hotel: &Hotel, room_types: Vec<RoomTypePage>, own: bool, language: Language) -> Self {
        let province = Gazetteer::get().province(hotel.draft.province);
        Self {
            id: hotel.id.to_string(),
            status: hotel.status.into(),
            display_name: language.of(&hotel.draft.name).to_owned(),
            province_name: province.map_or_else(Text::default, |province| Text {
                th: province.name_th.to_owned(),
                en: province.name_en.to_owned(),
            }),
            body: HotelBody::of(&hotel.draft),
            room_types,
            own: own.then(|| HotelOwn {
                partner_id: hotel.partner.to_string(),
                version: hotel.version,
                created_at: instant::local(hotel.created_ms, &hotel.zone),
            }),
        }
    }
}
