//! Type-ahead: provinces, towns, quarters, districts and hotels by the beginning of their names.

use axum::extract::State;
use holdfast_engine::ids::HotelIx;
use http::HeaderMap;

use crate::gazetteer::{Destination, Gazetteer, Score};
use crate::http::query::Query;
use crate::http::reply::Reply;
use crate::limits::{DESTINATION_QUERY_CHARS_MAX, DESTINATIONS_DEFAULT, DESTINATIONS_MAX};
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::check::Check;
use crate::wire::destination::{DestinationView, DestinationsParams, DestinationsView};
use crate::wire::language::Language;

/// A place or a hotel, before it is dressed.
enum Suggested {
    Place(&'static Destination),
    Hotel(HotelIx),
}

/// Suggest destinations
///
/// Places and live hotels whose Thai or English name begins like `q`, best first.
#[utoipa::path(get, path = "/v1/destinations", tag = "guests", params(DestinationsParams),
    responses((status = 200, body = DestinationsView), (status = "default", body = Document)))]
pub async fn suggest(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(params): Query<DestinationsParams>,
) -> Result<Reply, Problem> {
    let mut check = Check::new();
    let limit = params.limit.unwrap_or(DESTINATIONS_DEFAULT);
    let limit = check.range("?limit", limit, 1..=DESTINATIONS_MAX);
    if params.q.chars().count() > DESTINATION_QUERY_CHARS_MAX {
        let detail = format!("must have at most {DESTINATION_QUERY_CHARS_MAX} characters");
        check.fault("?q", "text.too_long", detail);
    }
    check.finish()?;

    let places = Gazetteer::get().suggest_scored(&params.q, limit);
    let mut found: Vec<(Score, Suggested)> =
        places.into_iter().map(|(score, place)| (score, Suggested::Place(place))).collect();
    let hotels = state.hotel_names().suggest(state.reader(), &params.q, limit);
    found.extend(hotels.into_iter().map(|(score, hotel)| (score, Suggested::Hotel(hotel))));
    // Stable: places before hotels, each in their own order.
    found.sort_by_key(|(score, _)| *score);
    found.truncate(limit);

    let language = Language::choose(params.lang, &headers);
    let items = found.into_iter().filter_map(|(_, suggested)| match suggested {
        Suggested::Place(place) => Some(DestinationView::of_place(place, language)),
        Suggested::Hotel(ix) => {
            Some(DestinationView::of_hotel(&*state.reader().hotel(ix)?, language))
        }
    });
    Ok(Reply::ok(&DestinationsView { items: items.collect() }).language(language))
}
