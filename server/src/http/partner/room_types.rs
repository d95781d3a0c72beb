//! Room types of a partner's hotel: add, list, read, change.

use axum::extract::State;
use holdfast_engine::catalogue::RoomType;
use holdfast_engine::command::{AddRoomType, ChangeRoomType, RemoveRoomType};
use holdfast_engine::ids::{HotelId, RoomTypeId};
use holdfast_engine::{Command, Outcome, Verb};
use http::StatusCode;

use super::{own_hotel, own_room_type, unexpected};
use crate::auth::Manager;
use crate::http::body::Json;
use crate::http::etag::{self, IfMatch};
use crate::http::query::Id;
use crate::http::reply::Reply;
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::{AppState, Applied};
use crate::wire::page::Page;
use crate::wire::room_type::{RoomTypeBody, RoomTypeView};

/// A room type with its rate plans' ids.
pub fn view(state: &AppState, room_type: &RoomType) -> RoomTypeView {
    let reader = state.reader();
    let hotel = reader.hotel(room_type.hotel).map(|hotel| hotel.id.to_string());
    let plans = room_type.rate_plans.iter().filter_map(|ix| reader.rate_plan(*ix));
    let plans = plans.filter(|plan| !plan.removed).map(|plan| plan.id.to_string()).collect();
    RoomTypeView::of(room_type, hotel.unwrap_or_default(), plans)
}

fn reply(state: &AppState, status: StatusCode, applied: &Applied) -> Result<Reply, Problem> {
    let Outcome::RoomType(room_type) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let reply = Reply::new(status, &view(state, room_type)).etag(room_type.version);
    let reply = reply.applied(applied);
    Ok(if status == StatusCode::CREATED {
        reply.location(&format!("/v1/room-types/{}", room_type.id))
    } else {
        reply
    })
}

/// Add a room type
#[utoipa::path(post, path = "/v1/hotels/{id}/room-types", tag = "partners",
    request_body = RoomTypeBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [])),
    responses((status = 201, body = RoomTypeView), (status = "default", body = Document)))]
pub async fn create(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<HotelId>,
    key: IdempotencyKey,
    Json(body): Json<RoomTypeBody>,
) -> Result<Reply, Problem> {
    let hotel = own_hotel(&state, &principal, id)?;
    let verb = Verb::AddRoomType(AddRoomType {
        id: RoomTypeId(state.mint(hotel.id.group())),
        hotel: hotel.ix,
        principal: principal.acting(),
        draft: body.check()?,
    });
    let applied = state.submit_keyed(key.bind(state.sealer(), &principal, &body), verb).await?;
    reply(&state, StatusCode::CREATED, &applied)
}

/// List a hotel's room types
#[utoipa::path(get, path = "/v1/hotels/{id}/room-types", tag = "partners",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = Page<RoomTypeView>), (status = "default", body = Document)))]
pub async fn list(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<HotelId>,
) -> Result<Reply, Problem> {
    let hotel = own_hotel(&state, &principal, id)?;
    let reader = state.reader();
    let found = hotel.room_types.iter().filter_map(|ix| reader.room_type(*ix));
    let found = found.filter(|room_type| !room_type.removed);
    let items = found.map(|room_type| view(&state, &room_type)).collect();
    Ok(Reply::ok(&Page::<RoomTypeView> { items, next_cursor: None }))
}

/// Read a room type
#[utoipa::path(get, path = "/v1/room-types/{id}", tag = "partners",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = RoomTypeView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<RoomTypeId>,
) -> Result<Reply, Problem> {
    let (room_type, _) = own_room_type(&state, &principal, id)?;
    Ok(Reply::ok(&view(&state, &room_type)).etag(room_type.version))
}

/// Change a room type
#[utoipa::path(put, path = "/v1/room-types/{id}", tag = "partners", request_body = RoomTypeBody,
    params(("id" = String, Path), ("If-Match" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = RoomTypeView), (status = "default", body = Document)))]
pub async fn change(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<RoomTypeId>,
    IfMatch(version): IfMatch,
    Json(body): Json<RoomTypeBody>,
) -> Result<Reply, Problem> {
    let (room_type, _) = own_room_type(&state, &principal, id)?;
    if version.is_some_and(|version| version != room_type.version) {
        return Err(etag::failed());
    }
    let verb = Verb::ChangeRoomType(ChangeRoomType {
        room_type: room_type.ix,
        principal: principal.acting(),
        version,
        draft: body.check()?,
    });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, StatusCode::OK, &applied)
}

/// Remove a room type
///
/// It sells nothing any more and is shown only where it was booked. Refused with 409 `state.in_use` while
/// bookings whose stay is not over, holds or blocks stand; `booking_ids` names the bookings.
#[utoipa::path(delete, path = "/v1/room-types/{id}", tag = "partners",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = RoomTypeView), (status = "default", body = Document)))]
pub async fn remove(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<RoomTypeId>,
) -> Result<Reply, Problem> {
    let (room_type, _) = own_room_type(&state, &principal, id)?;
    let (room_type, principal) = (room_type.ix, principal.acting());
    let verb = Verb::RemoveRoomType(RemoveRoomType { room_type, principal });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, StatusCode::OK, &applied)
}
