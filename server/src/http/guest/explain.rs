//! Why not: every obstacle of a stay, and the nearest stays that would work; also for refused holds.

use axum::extract::State;
use holdfast_engine::Reader;
use holdfast_engine::catalogue::Hotel;
use holdfast_engine::explain::{Ask, Nearest};
use holdfast_engine::ids::{HotelId, RatePlanId, RoomTypeId};
use http::HeaderMap;

use super::hold_request::resolve;
use super::visible_hotel;
use crate::auth::{MaybePrincipal, Principal};
use crate::http::query::{Id, Query};
use crate::http::refusal;
use crate::http::reply::Reply;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::explain::{ExplainParams, ExplainView, ExplainedView, NearestView};
use crate::wire::hold::HoldDraft;
use crate::wire::language::Language;
use crate::wire::money::Money;

/// Explain a stay
///
/// Everything that stands in its way, product by product, and the nearest stays that would work.
#[utoipa::path(get, path = "/v1/hotels/{id}/explain", tag = "guests",
    params(("id" = String, Path), ExplainParams), security((), ("bearer" = [])),
    responses((status = 200, body = ExplainView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    MaybePrincipal(principal): MaybePrincipal,
    Id(id): Id<HotelId>,
    headers: HeaderMap,
    Query(params): Query<ExplainParams>,
) -> Result<Reply, Problem> {
    let (stay, party, code) = params.check()?;
    let (hotel, _) = visible_hotel(&state, principal.as_deref(), id)?;
    let reader = state.reader();
    let room_type = match &params.room_type_id {
        None => None,
        Some(text) => {
            let found = text.parse::<RoomTypeId>().ok().and_then(|id| reader.room_type_by_id(id));
            let own = found.filter(|room_type| room_type.hotel == hotel.ix);
            Some(own.ok_or_else(|| Problem::not_found("room_type"))?.ix)
        }
    };
    let rate_plan = match &params.rate_plan_id {
        None => None,
        Some(text) => {
            let found = text.parse::<RatePlanId>().ok().and_then(|id| reader.rate_plan_by_id(id));
            let own = found.filter(|plan| {
                room_type.is_none_or(|room_type| plan.room_type == room_type)
                    && hotel.room_types.contains(&plan.room_type)
            });
            Some(own.ok_or_else(|| Problem::not_found("rate_plan"))?.ix)
        }
    };
    let (rooms, adults, children) = (party.rooms, party.adults, party.children.as_slice());
    let (hotel_ix, promo) = (hotel.ix, code.as_ref());
    let ask = Ask { hotel: hotel_ix, stay, rooms, adults, children, room_type, rate_plan, promo };
    let found = reader
        .explain(&ask, state.now_ms())
        .map_err(|refused| refusal::problem(&refused, reader))?;
    let offers: Vec<_> = found.offerings.iter().map(|one| explained(one, reader)).collect();
    let view = ExplainView {
        hotel_id: hotel.id.to_string(),
        check_in: stay.check_in.to_string(),
        check_out: stay.check_out.to_string(),
        nights: stay.nights(),
        rooms,
        available: offers.iter().any(|offer| offer.available),
        offers,
        nearest: found.nearest.iter().map(|one| nearest_view(one, &hotel, reader)).collect(),
    };
    Ok(Reply::ok(&view).language(Language::choose(params.lang, &headers)))
}

fn explained(one: &holdfast_engine::explain::Explained, reader: &Reader) -> ExplainedView {
    let blockers = one.blockers.iter().map(|blocker| refusal::blocker(blocker, reader));
    let room_type = reader.room_type(one.room_type).map(|found| found.id.to_string());
    let rate_plan = reader.rate_plan(one.rate_plan).map(|found| found.id.to_string());
    ExplainedView {
        // Indexes in offerings were given by the state itself; they name something for ever.
        room_type_id: room_type.unwrap_or_default(),
        rate_plan_id: rate_plan.unwrap_or_default(),
        available: one.blockers.is_empty(),
        blockers: blockers.collect(),
    }
}

/// One stay that would work, named.
pub fn nearest_view(one: &Nearest, hotel: &Hotel, reader: &Reader) -> NearestView {
    NearestView {
        check_in: one.stay.check_in.to_string(),
        check_out: one.stay.check_out.to_string(),
        nights: one.stay.nights(),
        room_type_id: reader.room_type(one.room_type).map(|found| found.id.to_string()),
        rate_plan_id: reader.rate_plan(one.rate_plan).map(|found| found.id.to_string()),
        total: Money::new(one.total, hotel.draft.currency),
        distance_nights: one.distance,
    }
}

/// A refusal that names obstacles, with the nearest stays that would work. Other problems pass as they
/// are. What would work is looked up anew for every answer, repeated ones included.
pub fn with_nearest(
    state: &AppState,
    principal: &Principal,
    draft: &HoldDraft,
    problem: Problem,
) -> Problem {
    if problem.blockers.is_empty() {
        return problem;
    }
    let Ok(request) = resolve(state, principal, draft) else { return problem };
    let reader = state.reader();
    let found = reader.nearest_for(&request.hold, state.now_ms());
    let several = request.hold.lines.len() > 1;
    let views = found.iter().map(|one| {
        let view = nearest_view(one, &request.hotel, reader);
        if several { NearestView { room_type_id: None, rate_plan_id: None, ..view } } else { view }
    });
    let views: Vec<_> = views.collect();
    problem.with("nearest", views)
}
