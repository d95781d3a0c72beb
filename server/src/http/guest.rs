//! The guests' doors: destinations, search, hotel pages, offers, holds, bookings.
//!
//! It owns what their files share: whose things a caller sees, and the names outside of what a hold
//! refers to. **Invariant:** what a caller may not see answers exactly like what does not exist.

pub mod bookings;
pub mod calendar;
pub mod cancellation;
pub mod change;
pub mod destinations;
pub mod explain;
pub mod hold_request;
pub mod holds;
pub mod hotel_names;
pub mod hotels;
pub mod offers;
pub mod payment;
pub mod sealing;
pub mod search;
pub mod waitlist;

use std::sync::Arc;

use holdfast_engine::catalogue::{Hotel, HotelStatus};
use holdfast_engine::hold::{Hold, Terms};
use holdfast_engine::ids::{HoldId, HotelId, RatePlanIx, RoomTypeIx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Principal;
use crate::problem::Problem;
use crate::state::AppState;
use crate::wire::hold::Names;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(destinations::suggest))
        .routes(routes!(search::search))
        .routes(routes!(offers::read))
        .routes(routes!(calendar::read))
        .routes(routes!(explain::read))
        .routes(routes!(holds::create))
        .routes(routes!(holds::read, holds::release))
        .routes(routes!(holds::extend))
        .routes(routes!(waitlist::join))
        .routes(routes!(waitlist::read, waitlist::leave))
        .routes(routes!(bookings::create, bookings::list))
        .routes(routes!(bookings::read, change::change, cancellation::cancel))
}

/// The hotel, and whether the caller runs it: everybody sees live hotels, their own people every one.
pub fn visible_hotel(
    state: &AppState,
    principal: Option<&Principal>,
    id: HotelId,
) -> Result<(Arc<Hotel>, bool), Problem> {
    let hotel = state.reader().hotel_by_id(id).ok_or_else(|| Problem::not_found("hotel"))?;
    let own = principal.is_some_and(|caller| caller.acting().acts_for(hotel.partner));
    if own || hotel.status == HotelStatus::Live {
        Ok((hotel, own))
    } else {
        Err(Problem::not_found("hotel"))
    }
}

/// The hold and its hotel, where the caller made it or runs the hotel.
pub fn visible_hold(
    state: &AppState,
    principal: &Principal,
    id: Option<HoldId>,
) -> Result<(Hold, Arc<Hotel>), Problem> {
    let reader = state.reader();
    id.and_then(|id| reader.hold(id))
        .and_then(|hold| Some((reader.hotel(hold.terms.hotel)?, hold)))
        .filter(|(hotel, hold)| principal.acting().may_touch(hold.terms.principal, hotel.partner))
        .map(|(hotel, hold)| (hold, hotel))
        .ok_or_else(|| Problem::not_found("hold"))
}

/// The names of all that `terms` refers to.
pub fn names<'a>(state: &AppState, hotel: &'a Hotel, terms: &Terms) -> Names<'a> {
    let lines = terms.lines.iter();
    let lines = lines.map(|line| product_ids(state, (line.room_type, line.rate_plan)));
    Names { hotel: hotel.id, zone: &hotel.zone, lines: lines.collect() }
}

/// The ids of a room type and a rate plan that are in the state.
pub fn product_ids(state: &AppState, product: (RoomTypeIx, RatePlanIx)) -> (String, String) {
    let reader = state.reader();
    // Indexes in the state were given by the state itself; they name something for ever.
    let room_type = reader.room_type(product.0).map(|found| found.id.to_string());
    let rate_plan = reader.rate_plan(product.1).map(|found| found.id.to_string());
    (room_type.unwrap_or_default(), rate_plan.unwrap_or_default())
}

/// The hotel of a hold that the log has answered about.
pub fn hotel_of(state: &AppState, terms: &Terms) -> Result<Arc<Hotel>, Problem> {
    state.reader().hotel(terms.hotel).ok_or_else(Problem::internal)
}
