//! Bookings: make one of a hold, read, list one's own.

use std::sync::Arc;

use axum::extract::State;
use holdfast_engine::booking::Booking;
use holdfast_engine::catalogue::Hotel;
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Code, Outcome, Refusal};
use http::StatusCode;

use super::payment::Purchase;
use super::{hotel_of, names, sealing};
use crate::auth::{AnyPrincipal, Principal};
use crate::http::body::Json;
use crate::http::partner::unexpected;
use crate::http::query::{Id, Query};
use crate::http::refusal;
use crate::http::reply::Reply;
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::booking::{BookingBody, BookingView};
use crate::wire::page::{self, Page, Paging};

/// A booking that a caller may see.
pub struct Visible {
    pub booking: Arc<Booking>,
    pub hotel: Arc<Hotel>,
    /// It has left memory: it stays as it is.
    pub archived: bool,
}

impl Visible {
    /// Refused with `booking.state` where nothing changes it any more.
    pub fn check_open(&self, state: &AppState) -> Result<(), Problem> {
        if self.archived {
            return Err(refusal::problem(&Refusal::from(Code::BookingState), state.reader()));
        }
        Ok(())
    }
}

/// The booking and its hotel, where the caller made it or runs the hotel, in memory or archived.
pub async fn visible(
    state: &AppState,
    principal: &Principal,
    id: BookingId,
) -> Result<Visible, Problem> {
    let reader = state.reader();
    let (found, archived) = match reader.booking(id) {
        Some(booking) => (Some(booking), false),
        None => (archived(state, id).await?, true),
    };
    found
        .and_then(|booking| {
            let hotel = reader.hotel(booking.terms.hotel)?;
            Some(Visible { booking, hotel, archived })
        })
        .filter(|Visible { booking, hotel, .. }| {
            principal.acting().may_touch(booking.principal, hotel.partner)
        })
        .ok_or_else(|| Problem::not_found("booking"))
}

async fn archived(state: &AppState, id: BookingId) -> Result<Option<Arc<Booking>>, Problem> {
    state.node().archived(id).await.map_err(|error| {
        tracing::error!(%error, "an archived booking cannot be read");
        Problem::internal()
    })
}

/// A booking with its personal data opened.
pub fn view(state: &AppState, hotel: &Hotel, booking: &Booking) -> BookingView {
    let personal = sealing::open(state, booking);
    BookingView::of(booking, personal, &names(state, hotel, &booking.terms))
}

/// Book a hold
///
/// Pays for it and confirms it. With `tok_timeout` the provider does not answer: 504; the retry with
/// the same key goes on with the same payment.
#[utoipa::path(post, path = "/v1/bookings", tag = "guests", request_body = BookingBody,
    params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = BookingView),
        (status = 402, description = "`payment.declined`; the hold goes on", body = Document),
        (status = 410, description = "`hold.expired`", body = Document),
        (status = 504, description = "`payment.unknown`", body = Document),
        (status = "default", body = Document)))]
pub async fn create(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    key: IdempotencyKey,
    Json(body): Json<BookingBody>,
) -> Result<Reply, Problem> {
    let draft = body.check()?;
    let idempotency = key.bind(state.sealer(), &principal, &body);
    let (state, principal) = (&state, &*principal);
    let (draft, payment) = (&draft, &body.payment);
    let applied = Purchase { state, principal, draft, payment, idempotency }.run().await?;
    let Outcome::Booked(booking) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let hotel = hotel_of(state, &booking.terms)?;
    let place = format!("/v1/bookings/{}", booking.id);
    Ok(Reply::new(StatusCode::CREATED, &view(state, &hotel, booking))
        .etag(booking.version)
        .location(&place)
        .applied(&applied))
}

/// List your bookings
///
/// Newest first: those you made, in whatever state they are. Long after their check-out (30 days, where the
/// operator says nothing else) they are listed no more, and read by their id alone. A page may have fewer than
/// were asked for and still a next one.
#[utoipa::path(get, path = "/v1/bookings", tag = "guests", params(Paging),
    security(("bearer" = [])),
    responses((status = 200, body = Page<BookingView>), (status = "default", body = Document)))]
pub async fn list(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Query(paging): Query<Paging>,
) -> Result<Reply, Problem> {
    let limit = page::limit(paging.limit)?;
    let before = match &paging.cursor {
        None => None,
        Some(cursor) => {
            let position = u64::from_be_bytes(page::decode_cursor(cursor)?);
            // A position past this machine's memory lies after every booking.
            Some(usize::try_from(position).unwrap_or(usize::MAX))
        }
    };
    let reader = state.reader();
    let found = reader.bookings_of(principal.acting(), before, limit);
    let next_cursor =
        found.next.map(|position| page::encode_cursor(&(position as u64).to_be_bytes()));
    let items = found.bookings.iter().filter_map(|id| {
        let booking = reader.booking(*id)?;
        let hotel = reader.hotel(booking.terms.hotel)?;
        Some(view(&state, &hotel, &booking))
    });
    Ok(Reply::ok(&Page { items: items.collect(), next_cursor }))
}

/// Read a booking
///
/// However long its stay has been over: an archived one is read as it stood when it left memory.
#[utoipa::path(get, path = "/v1/bookings/{id}", tag = "guests", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = BookingView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Id(id): Id<BookingId>,
) -> Result<Reply, Problem> {
    let Visible { booking, hotel, .. } = visible(&state, &principal, id).await?;
    Ok(Reply::ok(&view(&state, &hotel, &booking)).etag(booking.version))
}
