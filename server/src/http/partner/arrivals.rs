//! The front desk: a guest has come, has left, or has not come.
//!
//! For the hotel's own people. What each costs and frees is the log's to say.

use axum::extract::State;
use holdfast_engine::command::{CheckIn, CheckOut, NoShow};
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Idempotency, Outcome, Verb};

use super::{Empty, unexpected};
use crate::auth::{Manager, Principal};
use crate::http::body::MaybeJson;
use crate::http::etag::MaybeIfMatch;
use crate::http::guest::bookings::{view, visible};
use crate::http::guest::hotel_of;
use crate::http::query::Id;
use crate::http::reply::Reply;
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::booking::BookingView;

/// Check a guest in
///
/// From 00:00 of the check-in day until the check-out time of the check-out day.
#[utoipa::path(post, path = "/v1/bookings/{id}/check-in", tag = "partners",
    request_body = Option<Empty>,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header),
        ("If-Match" = Option<String>, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = BookingView),
        (status = 409, description = "`booking.state`", body = Document),
        (status = "default", body = Document)))]
pub async fn check_in(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Id(booking): Id<BookingId>,
    MaybeIfMatch(version): MaybeIfMatch,
    key: IdempotencyKey,
    _: MaybeJson<Empty>,
) -> Result<Reply, Problem> {
    let principal = caller.acting();
    let verb = Verb::CheckIn(CheckIn { booking, principal, version });
    let key = key.bind(state.sealer(), &caller, &Empty {});
    change(&state, &caller, booking, (key, verb)).await
}

/// Check a guest out
///
/// Before the last day it frees the nights from that date on; what was agreed to be paid stands.
#[utoipa::path(post, path = "/v1/bookings/{id}/check-out", tag = "partners",
    request_body = Option<Empty>,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header),
        ("If-Match" = Option<String>, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = BookingView),
        (status = 409, description = "`booking.state`", body = Document),
        (status = "default", body = Document)))]
pub async fn check_out(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Id(booking): Id<BookingId>,
    MaybeIfMatch(version): MaybeIfMatch,
    key: IdempotencyKey,
    _: MaybeJson<Empty>,
) -> Result<Reply, Problem> {
    let principal = caller.acting();
    let verb = Verb::CheckOut(CheckOut { booking, principal, version });
    let key = key.bind(state.sealer(), &caller, &Empty {});
    change(&state, &caller, booking, (key, verb)).await
}

/// Say that a guest has not come
///
/// From 00:00 of the check-in day to 48 hours after 00:00 of the check-out day. The first night stays
/// sold, the later ones are free again; the reply states what is left to settle.
#[utoipa::path(post, path = "/v1/bookings/{id}/no-show", tag = "partners",
    request_body = Option<Empty>,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header),
        ("If-Match" = Option<String>, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = BookingView),
        (status = 409, description = "`booking.state`", body = Document),
        (status = "default", body = Document)))]
pub async fn no_show(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Id(booking): Id<BookingId>,
    MaybeIfMatch(version): MaybeIfMatch,
    key: IdempotencyKey,
    _: MaybeJson<Empty>,
) -> Result<Reply, Problem> {
    let principal = caller.acting();
    let verb = Verb::NoShow(NoShow { booking, principal, version });
    let key = key.bind(state.sealer(), &caller, &Empty {});
    change(&state, &caller, booking, (key, verb)).await
}

async fn change(
    state: &AppState,
    caller: &Principal,
    booking: BookingId,
    (key, verb): (Idempotency, Verb),
) -> Result<Reply, Problem> {
    // Another partner's booking answers like none, without an entry in the log.
    let found = visible(state, caller, booking).await?;
    // What was answered before is answered so again.
    if state.reader().stored(key.key).is_none() {
        found.check_open(state)?;
    }
    let applied = state.submit_keyed(key, verb).await?;
    let Outcome::BookingChanged(booking) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let hotel = hotel_of(state, &booking.terms)?;
    let view = view(state, &hotel, booking);
    Ok(Reply::ok(&view).etag(booking.version).applied(&applied))
}
