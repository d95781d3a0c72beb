//! The admins' doors: hotels waiting for approval, approval, suspension.

mod taxes;

use axum::extract::State;
use holdfast_engine::Verb;
use holdfast_engine::catalogue::HotelStatus;
use holdfast_engine::command::SetHotelStatus;
use holdfast_engine::ids::{HotelId, HotelIx};
use http::StatusCode;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::MaybeJson;
use super::partner::{Empty, hotels};
use super::query::{Id, Query};
use super::reply::Reply;
use crate::auth::{Admin, Principal};
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::hotel::{HotelView, Status};
use crate::wire::language::Language;
use crate::wire::page::{self, Page, Paging};

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(approve))
        .routes(routes!(suspend))
        .routes(routes!(taxes::read, taxes::set))
}

/// Which hotels.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    #[param(inline)]
    status: Option<Status>,
    /// Items wanted, 1 to 200; 50 when not said.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Taken everywhere; lists carry every language anyway.
    #[param(inline)]
    lang: Option<Language>,
}

/// List hotels
#[utoipa::path(get, path = "/v1/admin/hotels", tag = "admins", params(Filter),
    security(("bearer" = [])),
    responses((status = 200, body = Page<HotelView>), (status = "default", body = Document)))]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    Query(filter): Query<Filter>,
) -> Result<Reply, Problem> {
    let reader = state.reader();
    let wanted = |status: HotelStatus| filter.status.is_none_or(|it| it == status.into());
    let walk = (0..reader.hotels_count())
        .filter_map(|at| Some((at, reader.hotel(HotelIx(at))?)))
        .filter(|(_, hotel)| wanted(hotel.status));
    let paging = Paging { limit: filter.limit, cursor: filter.cursor.clone(), lang: filter.lang };
    let page = page::of_positions(&paging, walk)?;
    let items = page.items.iter().map(|hotel| hotels::view(&state, hotel)).collect();
    Ok(Reply::ok(&Page::<HotelView> { items, next_cursor: page.next_cursor }))
}

/// Approve a hotel
///
/// A pending or suspended hotel goes on sale.
#[utoipa::path(post, path = "/v1/admin/hotels/{id}/approve", tag = "admins",
    request_body = Option<Empty>,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = HotelView), (status = "default", body = Document)))]
pub async fn approve(
    State(state): State<AppState>,
    Admin(principal): Admin,
    Id(id): Id<HotelId>,
    key: IdempotencyKey,
    _: MaybeJson<Empty>,
) -> Result<Reply, Problem> {
    set_status(&state, &principal, (id, HotelStatus::Live), &key).await
}

/// Suspend a hotel
///
/// It leaves the sale at once; holds and bookings stay.
#[utoipa::path(post, path = "/v1/admin/hotels/{id}/suspend", tag = "admins",
    request_body = Option<Empty>,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = HotelView), (status = "default", body = Document)))]
pub async fn suspend(
    State(state): State<AppState>,
    Admin(principal): Admin,
    Id(id): Id<HotelId>,
    key: IdempotencyKey,
    _: MaybeJson<Empty>,
) -> Result<Reply, Problem> {
    set_status(&state, &principal, (id, HotelStatus::Suspended), &key).await
}

async fn set_status(
    state: &AppState,
    principal: &Principal,
    (id, status): (HotelId, HotelStatus),
    key: &IdempotencyKey,
) -> Result<Reply, Problem> {
    let hotel = state.reader().hotel_by_id(id).ok_or_else(|| Problem::not_found("hotel"))?;
    let verb = Verb::SetHotelStatus(SetHotelStatus {
        hotel: hotel.ix,
        principal: principal.acting(),
        status,
    });
    let applied = state.submit_keyed(key.bind(state.sealer(), principal, &Empty {}), verb).await?;
    hotels::reply(state, StatusCode::OK, &applied)
}
