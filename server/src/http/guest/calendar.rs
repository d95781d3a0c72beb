//! A hotel's calendar: a year of days in one call.

use axum::extract::State;
use holdfast_engine::calendar::Span;
use holdfast_engine::ids::HotelId;
use http::HeaderMap;

use super::visible_hotel;
use crate::auth::MaybePrincipal;
use crate::http::query::{Id, Query};
use crate::http::refusal;
use crate::http::reply::Reply;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::calendar::{CalendarParams, CalendarView, DayView};
use crate::wire::language::Language;

/// Read a hotel's calendar
///
/// Day by day the cheapest price, the rooms left, and whether a stay may begin or end there.
#[utoipa::path(get, path = "/v1/hotels/{id}/calendar", tag = "guests",
    params(("id" = String, Path), CalendarParams), security((), ("bearer" = [])),
    responses((status = 200, body = CalendarView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    MaybePrincipal(principal): MaybePrincipal,
    Id(id): Id<HotelId>,
    headers: HeaderMap,
    Query(params): Query<CalendarParams>,
) -> Result<Reply, Problem> {
    let (from, to, adults) = params.check()?;
    let (hotel, _) = visible_hotel(&state, principal.as_deref(), id)?;
    let reader = state.reader();
    let span = Span { hotel: hotel.ix, from, to, adults };
    let days = reader
        .calendar(span, state.now_ms())
        .map_err(|refused| refusal::problem(&refused, reader))?;
    let currency = hotel.draft.currency;
    let view = CalendarView {
        hotel_id: hotel.id.to_string(),
        currency: currency.code().to_owned(),
        adults,
        days: days.iter().map(|day| DayView::of(day, currency)).collect(),
    };
    Ok(Reply::ok(&view).language(Language::choose(params.lang, &headers)))
}
