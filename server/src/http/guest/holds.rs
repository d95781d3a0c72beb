//! Holds: make, read, extend, give back.

use axum::extract::State;
use holdfast_engine::command::{Extend, Release};
use holdfast_engine::hold::Hold;
use holdfast_engine::ids::HoldId;
use holdfast_engine::{Command, Idempotency, Outcome, Verb};
use http::StatusCode;

use super::explain::with_nearest;
use super::hold_request::{admit, resolve, with_new_quote};
use super::{hotel_of, names, visible_hold};
use crate::auth::{AnyPrincipal, Principal};
use crate::http::body::{Json, MaybeJson};
use crate::http::partner::unexpected;
use crate::http::query::Id;
use crate::http::reply::Reply;
use crate::idempotency::{Begun, IdempotencyKey};
use crate::problem::{Document, Problem};
use crate::state::{AppState, Applied};
use crate::wire::hold::{ExtendBody, HoldBody, HoldDraft, HoldView};

/// Hold rooms
///
/// All lines on all nights, or nothing. The price is frozen in the hold. A partner or an admin may
/// hold in a hotel of its own for a guest.
#[utoipa::path(post, path = "/v1/holds", tag = "guests", request_body = HoldBody,
    params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = HoldView),
        (status = 409, description = "`inventory.insufficient` names every short night, \
            all with `blockers` name the `nearest` stays that would work, \
            `price.changed` carries the new quote", body = Document),
        (status = 429, description = "`hold.quota_exceeded`; `cap` says of what a guest may hold no \
            more (`holds`, `rooms`, `room_nights`, `cell_share`) and `limit` how many; for a \
            share of what is free `blockers` name every night", body = Document),
        (status = "default", body = Document)))]
pub async fn create(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    key: IdempotencyKey,
    Json(body): Json<HoldBody>,
) -> Result<Reply, Problem> {
    let draft = body.check()?;
    let idempotency = key.bind(state.sealer(), &principal, &body);
    let applied = hold(&state, &principal, &draft, idempotency)
        .await
        .map_err(|problem| with_new_quote(&state, &principal, &draft, problem))
        .map_err(|problem| with_nearest(&state, &principal, &draft, problem))?;
    let Outcome::Held { terms, expires_ms } = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let hotel = hotel_of(&state, terms)?;
    let view = HoldView::new(terms, *expires_ms, &names(&state, &hotel, terms));
    let place = format!("/v1/holds/{}", view.id);
    Ok(Reply::new(StatusCode::CREATED, &view).location(&place).applied(&applied))
}

async fn hold(
    state: &AppState,
    principal: &Principal,
    draft: &HoldDraft,
    idempotency: Idempotency,
) -> Result<Applied, Problem> {
    let _claim = match state.begin(idempotency)? {
        Begun::Stored(applied) => return Ok(applied),
        Begun::First(claim) => claim,
    };
    let request = resolve(state, principal, draft)?;
    let ticket = admit(state, &request, idempotency).await?;
    let verb = Verb::Hold(request.hold);
    state.submit(Command { idempotency: Some(idempotency), verb }, ticket).await
}

/// Read a hold
#[utoipa::path(get, path = "/v1/holds/{id}", tag = "guests", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = HoldView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Id(id): Id<HoldId>,
) -> Result<Reply, Problem> {
    let (hold, hotel) = visible_hold(&state, &principal, Some(id))?;
    let names = names(&state, &hotel, &hold.terms);
    Ok(Reply::ok(&HoldView::of(&hold, hold.status_at(state.now_ms()), &names)))
}

/// Extend a hold
///
/// It shall last `ttl_s` seconds from now (900 where not said): twice at most, and never past 45 minutes
/// after it was made. A hold that lasts so long already is answered as it stands, and no extension is
/// spent.
#[utoipa::path(post, path = "/v1/holds/{id}/extend", tag = "guests",
    request_body = Option<ExtendBody>,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = HoldView),
        (status = 409, description = "`hold.extension_limit`, `hold.waitlist_waiting`",
            body = Document),
        (status = "default", body = Document)))]
pub async fn extend(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Id(id): Id<HoldId>,
    key: IdempotencyKey,
    MaybeJson(body): MaybeJson<ExtendBody>,
) -> Result<Reply, Problem> {
    let body = body.unwrap_or_default();
    let ttl_s = body.check()?;
    visible_hold(&state, &principal, Some(id))?;
    let verb = Verb::Extend(Extend { hold: id, principal: principal.acting(), ttl_s });
    let applied = state.submit_keyed(key.bind(state.sealer(), &principal, &body), verb).await?;
    changed(&state, &applied)
}

/// Give a hold back
///
/// Its rooms are free at once. Doing it again answers as the first time.
#[utoipa::path(delete, path = "/v1/holds/{id}", tag = "guests", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = HoldView), (status = "default", body = Document)))]
pub async fn release(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Id(id): Id<HoldId>,
) -> Result<Reply, Problem> {
    visible_hold(&state, &principal, Some(id))?;
    let verb = Verb::Release(Release { hold: id, principal: principal.acting() });
    let applied = state.submit(Command::plain(verb), None).await?;
    changed(&state, &applied)
}

/// The reply to a command whose outcome is a hold: as it was then, so that a repetition is the same.
fn changed(state: &AppState, applied: &Applied) -> Result<Reply, Problem> {
    let Outcome::HoldChanged(hold) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let hold: &Hold = hold;
    let hotel = hotel_of(state, &hold.terms)?;
    let names = names(state, &hotel, &hold.terms);
    Ok(Reply::ok(&HoldView::of(hold, hold.status, &names)).applied(applied))
}
