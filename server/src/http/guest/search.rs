//! Search: one pass of the engine over the area, one page of it dressed.

use axum::extract::State;
use holdfast_engine::limits::MAX_STAY_MAX;
use holdfast_engine::search::{Page, Query as EngineQuery, Sort};
use holdfast_engine::stay::Stay;
use holdfast_engine::zone::{self, Zone};
use holdfast_engine::{Code, Reader, Refusal};
use http::HeaderMap;

use super::visible_hotel;
use crate::auth::MaybePrincipal;
use crate::http::query::Query;
use crate::http::refusal;
use crate::http::reply::Reply;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::found::{Catalogued, FoundItem, SearchPage};
use crate::wire::language::Language;
use crate::wire::page;
use crate::wire::search::{Place, SearchParams};

/// Search hotels
///
/// Every live hotel of the area that can take the stay, with its cheapest offer. A page is a moment:
/// prices and rooms may have changed when it is held.
#[utoipa::path(get, path = "/v1/search", tag = "guests", params(SearchParams),
    security((), ("bearer" = [])),
    responses((status = 200, body = SearchPage), (status = "default", body = Document)))]
pub async fn search(
    State(state): State<AppState>,
    MaybePrincipal(principal): MaybePrincipal,
    headers: HeaderMap,
    Query(params): Query<SearchParams>,
) -> Result<Reply, Problem> {
    let asked = params.check()?;
    let limit = page::limit(params.limit)?;
    let after = params.after()?;
    let now = state.now_ms();
    check_dates(state.reader(), asked.stay, now)?;
    let (area, natural) = match asked.place {
        Place::Area(area) => (area, Sort::Recommended),
        Place::Hotel(id) => {
            let (hotel, _) = visible_hotel(&state, principal.as_deref(), id)?;
            (Place::around(&hotel), Sort::Distance)
        }
    };
    let found = state.reader().search(&EngineQuery {
        area,
        stay: asked.stay,
        rooms: asked.party.rooms,
        adults: asked.party.adults,
        children: asked.party.children.clone(),
        filters: asked.filters,
        sort: asked.sort.unwrap_or(natural),
        after,
        limit,
    });
    let language = Language::choose(params.lang, &headers);
    let page = dress(&state, &params, &found, (asked.stay, now, language));
    Ok(Reply::ok(&page).language(language))
}

fn dress(
    state: &AppState,
    params: &SearchParams,
    found: &Page,
    (stay, now, language): (Stay, u64, Language),
) -> SearchPage {
    let reader = state.reader();
    let items = found.items.iter().filter_map(|found| {
        let hotel = reader.hotel(found.hotel)?;
        let room_type = reader.room_type(found.offering.room_type)?;
        let rate_plan = reader.rate_plan(found.offering.rate_plan)?;
        let (hotel, room_type, rate_plan) = (&*hotel, &*room_type, &*rate_plan);
        let from = Catalogued { hotel, room_type, rate_plan, now, language };
        Some(FoundItem::of(found, stay, &from))
    });
    SearchPage {
        items: items.collect(),
        total: found.total,
        next_cursor: found
            .items
            .last()
            .filter(|_| found.more)
            .map(|last| params.cursor_after(last)),
    }
}

/// The rules for dates that hold for every hotel; a hotel's own maximum filters the answers. Today is
/// Bangkok's here, since a search has no hotel.
fn check_dates(reader: &Reader, stay: Stay, now: u64) -> Result<(), Problem> {
    let refuse = |code: Code| Err(refusal::problem(&Refusal::from(code), reader));
    let Some((_, end)) = reader.window() else { return refuse(Code::NotConfigured) };
    let zone = Zone::find(zone::DEFAULT).ok_or_else(Problem::internal)?;
    match stay.nights() {
        0 => refuse(Code::StayTooShort),
        nights if nights > MAX_STAY_MAX => refuse(Code::StayTooLong),
        _ if stay.check_in < zone.night_at(now) => refuse(Code::StayInPast),
        _ if stay.check_out > end => refuse(Code::StayBeyondHorizon),
        _ => Ok(()),
    }
}
