//! Rate plans of a partner's room type: add, list, read, change.

use axum::extract::State;
use holdfast_engine::catalogue::RatePlan;
use holdfast_engine::command::{AddRatePlan, ChangeRatePlan, RemoveRatePlan};
use holdfast_engine::ids::{HotelIx, RatePlanId, RatePlanIx, RoomTypeId};
use holdfast_engine::{Command, Outcome, Verb};
use http::StatusCode;

use super::{own_rate_plan, own_room_type, unexpected};
use crate::auth::Manager;
use crate::http::body::Json;
use crate::http::etag::{self, IfMatch};
use crate::http::query::Id;
use crate::http::reply::Reply;
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::{AppState, Applied};
use crate::wire::page::Page;
use crate::wire::rate_plan::{RatePlanBody, RatePlanView};

fn view(state: &AppState, rate_plan: &RatePlan) -> RatePlanView {
    let room_type = state.reader().room_type(rate_plan.room_type);
    let room_type = room_type.map(|found| found.id.to_string()).unwrap_or_default();
    let parent = rate_plan.draft.derived_from.and_then(|it| state.reader().rate_plan(it.parent));
    RatePlanView::of(rate_plan, room_type, parent.map(|parent| parent.id.to_string()))
}

/// A plan of a hotel by its id.
fn parent_of(state: &AppState, hotel: HotelIx, id: &str) -> Option<RatePlanIx> {
    let reader = state.reader();
    let found = reader.rate_plan_by_id(id.parse().ok()?)?;
    let room_type = reader.room_type(found.room_type)?;
    (room_type.hotel == hotel).then_some(found.ix)
}

fn reply(state: &AppState, status: StatusCode, applied: &Applied) -> Result<Reply, Problem> {
    let Outcome::RatePlan(rate_plan) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let reply = Reply::new(status, &view(state, rate_plan)).etag(rate_plan.version);
    let reply = reply.applied(applied);
    Ok(if status == StatusCode::CREATED {
        reply.location(&format!("/v1/rate-plans/{}", rate_plan.id))
    } else {
        reply
    })
}

/// Add a rate plan
///
/// It sells nothing until it has prices and its room type has rooms.
#[utoipa::path(post, path = "/v1/room-types/{id}/rate-plans", tag = "partners",
    request_body = RatePlanBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [])),
    responses((status = 201, body = RatePlanView), (status = "default", body = Document)))]
pub async fn create(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<RoomTypeId>,
    key: IdempotencyKey,
    Json(body): Json<RatePlanBody>,
) -> Result<Reply, Problem> {
    let (room_type, hotel) = own_room_type(&state, &principal, id)?;
    let verb = Verb::AddRatePlan(AddRatePlan {
        id: RatePlanId(state.mint(hotel.id.group())),
        room_type: room_type.ix,
        principal: principal.acting(),
        draft: body.check(|id| parent_of(&state, hotel.ix, id))?,
    });
    let applied = state.submit_keyed(key.bind(state.sealer(), &principal, &body), verb).await?;
    reply(&state, StatusCode::CREATED, &applied)
}

/// List a room type's rate plans
#[utoipa::path(get, path = "/v1/room-types/{id}/rate-plans", tag = "partners",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = Page<RatePlanView>), (status = "default", body = Document)))]
pub async fn list(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<RoomTypeId>,
) -> Result<Reply, Problem> {
    let (room_type, _) = own_room_type(&state, &principal, id)?;
    let reader = state.reader();
    let found = room_type.rate_plans.iter().filter_map(|ix| reader.rate_plan(*ix));
    let items = found.filter(|plan| !plan.removed).map(|plan| view(&state, &plan)).collect();
    Ok(Reply::ok(&Page::<RatePlanView> { items, next_cursor: None }))
}

/// Read a rate plan
#[utoipa::path(get, path = "/v1/rate-plans/{id}", tag = "partners",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = RatePlanView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<RatePlanId>,
) -> Result<Reply, Problem> {
    let (rate_plan, _) = own_rate_plan(&state, &principal, id)?;
    Ok(Reply::ok(&view(&state, &rate_plan)).etag(rate_plan.version))
}

/// Change a rate plan
#[utoipa::path(put, path = "/v1/rate-plans/{id}", tag = "partners", request_body = RatePlanBody,
    params(("id" = String, Path), ("If-Match" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = RatePlanView), (status = "default", body = Document)))]
pub async fn change(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<RatePlanId>,
    IfMatch(version): IfMatch,
    Json(body): Json<RatePlanBody>,
) -> Result<Reply, Problem> {
    let (rate_plan, room_type) = own_rate_plan(&state, &principal, id)?;
    if version.is_some_and(|version| version != rate_plan.version) {
        return Err(etag::failed());
    }
    let verb = Verb::ChangeRatePlan(ChangeRatePlan {
        rate_plan: rate_plan.ix,
        principal: principal.acting(),
        version,
        draft: body.check(|id| parent_of(&state, room_type.hotel, id))?,
    });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, StatusCode::OK, &applied)
}

/// Remove a rate plan
///
/// It sells nothing any more and is shown only where it was booked. Refused with 409 `state.in_use` while
/// bookings whose stay is not over or holds stand, or another plan is derived from it.
#[utoipa::path(delete, path = "/v1/rate-plans/{id}", tag = "partners",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = RatePlanView), (status = "default", body = Document)))]
pub async fn remove(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<RatePlanId>,
) -> Result<Reply, Problem> {
    let (rate_plan, _) = own_rate_plan(&state, &principal, id)?;
    let (rate_plan, principal) = (rate_plan.ix, principal.acting());
    let verb = Verb::RemoveRatePlan(RemoveRatePlan { rate_plan, principal });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, StatusCode::OK, &applied)
}
