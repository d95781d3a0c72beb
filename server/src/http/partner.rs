//! The partners' doors: hotels, room types, rate plans, inventory.
//!
//! **Invariant:** what belongs to another partner answers exactly like what does not exist.

pub mod arrivals;
pub mod blocks;
pub mod bookings;
pub mod hotels;
pub mod inventory;
pub mod promos;
pub mod rate_plans;
pub mod room_types;

use std::sync::Arc;

use holdfast_engine::catalogue::{Hotel, RatePlan, RoomType};
use holdfast_engine::ids::{HotelId, RatePlanId, RoomTypeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Principal;
use crate::problem::Problem;
use crate::state::AppState;

/// The body of a call that says everything with its path; may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(hotels::create, hotels::list))
        .routes(routes!(hotels::read, hotels::change))
        .routes(routes!(hotels::submit))
        .routes(routes!(room_types::create, room_types::list))
        .routes(routes!(room_types::read, room_types::change, room_types::remove))
        .routes(routes!(rate_plans::create, rate_plans::list))
        .routes(routes!(rate_plans::read, rate_plans::change, rate_plans::remove))
        .routes(routes!(inventory::read))
        .routes(routes!(bookings::list))
        .routes(routes!(blocks::create, blocks::list))
        .routes(routes!(blocks::read, blocks::change, blocks::release))
        .routes(routes!(promos::create, promos::list))
        .routes(routes!(promos::read, promos::change, promos::remove))
        .routes(routes!(arrivals::check_in))
        .routes(routes!(arrivals::check_out))
        .routes(routes!(arrivals::no_show))
}

/// The hotel, where this principal runs it.
pub fn own_hotel(
    state: &AppState,
    principal: &Principal,
    id: HotelId,
) -> Result<Arc<Hotel>, Problem> {
    let hotel = state.reader().hotel_by_id(id);
    hotel
        .filter(|hotel| principal.acting().acts_for(hotel.partner))
        .ok_or_else(|| Problem::not_found("hotel"))
}

/// The room type with its hotel, where this principal runs them.
pub fn own_room_type(
    state: &AppState,
    principal: &Principal,
    id: RoomTypeId,
) -> Result<(Arc<RoomType>, Arc<Hotel>), Problem> {
    let reader = state.reader();
    reader
        .room_type_by_id(id)
        .filter(|room_type| !room_type.removed)
        .and_then(|room_type| Some((reader.hotel(room_type.hotel)?, room_type)))
        .filter(|(hotel, _)| principal.acting().acts_for(hotel.partner))
        .map(|(hotel, room_type)| (room_type, hotel))
        .ok_or_else(|| Problem::not_found("room_type"))
}

/// The rate plan with its room type, where this principal runs them.
pub fn own_rate_plan(
    state: &AppState,
    principal: &Principal,
    id: RatePlanId,
) -> Result<(Arc<RatePlan>, Arc<RoomType>), Problem> {
    let reader = state.reader();
    let found = reader.rate_plan_by_id(id).and_then(|rate_plan| {
        let room_type = reader.room_type(rate_plan.room_type)?;
        if rate_plan.removed || room_type.removed {
            return None;
        }
        let hotel = reader.hotel(room_type.hotel)?;
        principal.acting().acts_for(hotel.partner).then_some((rate_plan, room_type))
    });
    found.ok_or_else(|| Problem::not_found("rate_plan"))
}

/// The log gave an answer of another kind than the command asks for: a bug, told to nobody.
pub fn unexpected(outcome: &holdfast_engine::Outcome) -> Problem {
    tracing::error!(?outcome, "an outcome of another kind than the command");
    Problem::internal()
}
