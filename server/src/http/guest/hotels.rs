//! The hotel page: one shape for everybody, with a tag and more for those who run the hotel.

use holdfast_engine::catalogue::{Hotel, RoomType};
use holdfast_engine::ids::HotelId;

use super::visible_hotel;
use crate::auth::Principal;
use crate::http::reply::Reply;
use crate::problem::Problem;
use crate::state::AppState;
use crate::wire::hotel_page::{HotelPage, RatePlanPage, RoomTypePage};
use crate::wire::language::Language;

/// The page of a hotel as this caller may see it.
pub fn page(
    state: &AppState,
    principal: Option<&Principal>,
    id: HotelId,
    language: Language,
) -> Result<Reply, Problem> {
    let (hotel, own) = visible_hotel(state, principal, id)?;
    let page = HotelPage::of(&hotel, room_types(state, &hotel, language), own, language);
    let reply = Reply::ok(&page).language(language);
    Ok(if own { reply.etag(hotel.version) } else { reply })
}

fn room_types(state: &AppState, hotel: &Hotel, language: Language) -> Vec<RoomTypePage> {
    let reader = state.reader();
    let rate_plans = |room_type: &RoomType| {
        let found = room_type.rate_plans.iter().filter_map(|ix| reader.rate_plan(*ix));
        let found = found.filter(|rate_plan| !rate_plan.removed);
        found.map(|rate_plan| RatePlanPage::of(&rate_plan, language)).collect()
    };
    hotel
        .room_types
        .iter()
        .filter_map(|ix| reader.room_type(*ix))
        .filter(|room_type| !room_type.removed)
        .map(|room_type| RoomTypePage::of(&room_type, rate_plans(&room_type), language))
        .collect()
}
