//! Cancellation: a booking is given up for the fee its own policy says, or asked what that would be.

use axum::extract::State;
use holdfast_engine::booking::{Booking, Status, fees};
use holdfast_engine::catalogue::Hotel;
use holdfast_engine::command::Cancel;
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Code, Command, Outcome, Refusal, Verb};

use super::bookings::{view, visible};
use super::{hotel_of, names};
use crate::auth::AnyPrincipal;
use crate::http::etag::{self, MaybeIfMatch};
use crate::http::partner::unexpected;
use crate::http::query::{Id, Query};
use crate::http::refusal;
use crate::http::reply::Reply;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::booking::{BookingView, CancelParams, SettlementView};

/// Cancel a booking
///
/// Before check-in. The reply states fee and refund; cancelling again answers as the first time.
#[utoipa::path(delete, path = "/v1/bookings/{id}", tag = "guests",
    params(("id" = String, Path), CancelParams, ("If-Match" = Option<String>, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = BookingView), (status = "default", body = Document)))]
pub async fn cancel(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Id(id): Id<BookingId>,
    MaybeIfMatch(version): MaybeIfMatch,
    Query(params): Query<CancelParams>,
) -> Result<Reply, Problem> {
    let found = visible(&state, &principal, id).await?;
    let (booking, hotel) = (&found.booking, &found.hotel);
    let stale = version.is_some_and(|version| version != booking.version);
    if stale && booking.status == Status::Confirmed {
        return Err(etag::failed());
    }
    if params.dry_run {
        return dry_run(&state, hotel, booking);
    }
    if found.archived && matches!(booking.status, Status::Cancelled(_)) {
        return Ok(Reply::ok(&view(&state, hotel, booking)).etag(booking.version));
    }
    found.check_open(&state)?;
    let verb = Verb::Cancel(Cancel { booking: id, principal: principal.acting(), version });
    let applied = state.submit(Command::plain(verb), None).await?;
    let Outcome::Cancelled(booking) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let hotel = hotel_of(&state, &booking.terms)?;
    let view = view(&state, &hotel, booking);
    Ok(Reply::ok(&view).etag(booking.version).applied(&applied))
}

/// What a cancellation would answer now.
fn dry_run(state: &AppState, hotel: &Hotel, booking: &Booking) -> Result<Reply, Problem> {
    let now = state.now_ms();
    let mut view = view(state, hotel, booking);
    let open = hotel.zone.night_at(now) <= booking.terms.check_in;
    match booking.status {
        Status::Cancelled(_) => {}
        Status::Confirmed if open => {
            let ended = booking.settle(fees::cancelling(booking, now, &hotel.zone), now);
            let names = names(state, hotel, &booking.terms);
            let told = SettlementView::of(ended, booking, &names);
            view.cancellation = Some(SettlementView { dry_run: true, ..told });
        }
        _ => return Err(refusal::problem(&Refusal::from(Code::BookingState), state.reader())),
    }
    Ok(Reply::ok(&view).etag(booking.version))
}
