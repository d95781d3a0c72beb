//! A hotel's bookings, for its own people: arrivals, departures, who is in the house, what changed.

use axum::extract::State;
use holdfast_engine::booking::Booking;
use holdfast_engine::ids::HotelId;

use super::own_hotel;
use crate::auth::Manager;
use crate::http::guest::bookings::view;
use crate::http::query::{Id, Query};
use crate::http::reply::Reply;
use crate::limits::LISTED_BOOKINGS_MAX;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::booking::BookingView;
use crate::wire::desk::{DeskParams, DeskQuery, cursor_of};
use crate::wire::page::Page;

impl DeskQuery {
    fn means(&self, booking: &Booking) -> bool {
        booking.changed_ms >= self.changed_since_ms
            && (self.statuses.is_empty() || self.statuses.contains(&booking.status.into()))
            && self.dates.meet(booking.terms.stay())
    }
}

/// List a hotel's bookings
///
/// By check-in date, then id. Dates are those agreed; who left early still departs on the agreed day.
/// A booking that does not change is on one page exactly. Those whose stay has long been over are no
/// longer listed; each can still be read by its id.
#[utoipa::path(get, path = "/v1/hotels/{id}/bookings", tag = "partners",
    params(("id" = String, Path), DeskParams), security(("bearer" = [])),
    responses((status = 200, body = Page<BookingView>), (status = "default", body = Document)))]
pub async fn list(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<HotelId>,
    Query(params): Query<DeskParams>,
) -> Result<Reply, Problem> {
    let hotel = own_hotel(&state, &principal, id)?;
    let query = params.check()?;
    let reader = state.reader();
    let mut items = Vec::new();
    let (mut looked_at, mut last, mut next_cursor) = (0usize, None, None);
    for place in reader.bookings_of_hotel(hotel.ix, query.dates, query.after) {
        if looked_at == LISTED_BOOKINGS_MAX {
            next_cursor = last.map(cursor_of);
            break;
        }
        looked_at += 1;
        // One whose check-in has just moved is listed at its new place.
        let booking = reader
            .booking(place.1)
            .filter(|booking| booking.terms.check_in == place.0 && query.means(booking));
        if let Some(booking) = booking {
            if items.len() == query.limit {
                next_cursor = last.map(cursor_of);
                break;
            }
            items.push(view(&state, &hotel, &booking));
        }
        last = Some(place);
    }
    Ok(Reply::ok(&Page { items, next_cursor }))
}
