//! The waitlist: wait for rooms that are not there, see what became of it, leave.

use axum::extract::State;
use holdfast_engine::command::{HoldLine, JoinWaitlist, LeaveWaitlist};
use holdfast_engine::ids::WaitId;
use holdfast_engine::limits::{HOLD_TTL_S_MIN, WAITLIST_OFFER_S_MAX};
use holdfast_engine::waitlist::{Entry, Status};
use holdfast_engine::{Command, Outcome, Verb};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::hold_request::resolve;
use super::product_ids;
use crate::auth::{AnyPrincipal, Principal};
use crate::http::body::Json;
use crate::http::partner::unexpected;
use crate::http::query::Id;
use crate::http::reply::Reply;
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::{AppState, Applied};
use crate::wire::check::Check;
use crate::wire::hold::HoldBody;
use crate::wire::instant;

/// A place in a hotel's waitlist.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WaitlistView {
    #[schema(example = "wl_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub id: String,
    /// `waiting`, `offered`, `used`, `lapsed`, `cancelled` or `closed`.
    pub status: String,
    /// The offer: a hold like any other, to be booked before it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<String>,
    pub hotel_id: String,
    #[schema(format = Date)]
    pub check_in: String,
    #[schema(format = Date)]
    pub check_out: String,
    /// What is waited for.
    pub lines: Vec<WaitlistLine>,
    /// How long an offer will stand, in seconds.
    pub ttl_s: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_reference: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// So many rooms that are waited for; they have no price until they are offered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WaitlistLine {
    pub room_type_id: String,
    pub rate_plan_id: String,
    pub quantity: u16,
    /// Per room.
    pub adults: u8,
    /// Years, per room.
    pub children_ages: Vec<u8>,
}

fn lines(state: &AppState, entry: &Entry) -> Vec<WaitlistLine> {
    let line = |line: &HoldLine| {
        let (room_type_id, rate_plan_id) = product_ids(state, (line.room_type, line.rate_plan));
        let (quantity, adults) = (line.quantity, line.adults);
        let children_ages = line.children.clone();
        WaitlistLine { room_type_id, rate_plan_id, quantity, adults, children_ages }
    };
    entry.wish.lines.iter().map(line).collect()
}

fn view(state: &AppState, entry: &Entry) -> Result<WaitlistView, Problem> {
    let hotel = state.reader().hotel(entry.wish.hotel).ok_or_else(Problem::internal)?;
    let (status, hold, booking) = match entry.status {
        Status::Waiting => ("waiting", None, None),
        Status::Offered(hold) => ("offered", Some(hold), None),
        Status::Used(booking) => ("used", Some(entry.wish.id), Some(booking)),
        Status::Lapsed => ("lapsed", Some(entry.wish.id), None),
        Status::Cancelled => ("cancelled", None, None),
        Status::Closed => ("closed", None, None),
    };
    Ok(WaitlistView {
        id: entry.id.to_string(),
        status: status.to_owned(),
        hold_id: hold.map(|hold| hold.to_string()),
        booking_id: booking.map(|booking| booking.to_string()),
        hotel_id: hotel.id.to_string(),
        check_in: entry.wish.stay.check_in.to_string(),
        check_out: entry.wish.stay.check_out.to_string(),
        lines: lines(state, entry),
        ttl_s: entry.wish.ttl_s,
        client_reference: entry.wish.client_reference.clone(),
        created_at: instant::local(entry.created_ms, &hotel.zone),
    })
}

fn visible(state: &AppState, principal: &Principal, id: WaitId) -> Result<(), Problem> {
    let reader = state.reader();
    reader
        .waitlist_entry(id)
        .and_then(|entry| Some((reader.hotel(entry.wish.hotel)?, entry)))
        .filter(|(hotel, entry)| principal.acting().may_touch(entry.wish.principal, hotel.partner))
        .map(|_| ())
        .ok_or_else(|| Problem::not_found("waitlist"))
}

fn entry_of(applied: &Applied) -> Result<&Entry, Problem> {
    match &applied.outcome {
        Outcome::Waitlist(entry) => Ok(entry),
        other => Err(unexpected(other)),
    }
}

/// Wait for rooms
///
/// For what cannot be held now. First come, first served; an offer is a hold of up to two hours
/// (`ttl_s`), priced when it is made.
#[utoipa::path(post, path = "/v1/waitlist", tag = "guests", request_body = HoldBody,
    params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = WaitlistView), (status = "default", body = Document)))]
pub async fn join(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    key: IdempotencyKey,
    Json(body): Json<HoldBody>,
) -> Result<Reply, Problem> {
    let draft = HoldBody { ttl_s: None, ..body.clone() }.check()?;
    let mut check = Check::new();
    let asked = body.ttl_s.unwrap_or(WAITLIST_OFFER_S_MAX);
    let ttl_s = check.range("/ttl_s", asked, HOLD_TTL_S_MIN..=WAITLIST_OFFER_S_MAX);
    if body.block_id.is_some() {
        check.fault("/block_id", "field.unknown", "a block is picked up from, not waited for");
    }
    check.finish()?;
    let request = resolve(&state, &principal, &draft)?;
    let id = WaitId(state.mint(request.hotel.id.group()));
    let wish = holdfast_engine::command::Hold { ttl_s, ..request.hold };
    let verb = Verb::JoinWaitlist(JoinWaitlist { id, wish });
    let applied = state.submit_keyed(key.bind(state.sealer(), &principal, &body), verb).await?;
    let view = view(&state, entry_of(&applied)?)?;
    let place = format!("/v1/waitlist/{}", view.id);
    Ok(Reply::new(StatusCode::CREATED, &view).location(&place).applied(&applied))
}

/// Read a place in a waitlist
#[utoipa::path(get, path = "/v1/waitlist/{id}", tag = "guests", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = WaitlistView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Id(id): Id<WaitId>,
) -> Result<Reply, Problem> {
    visible(&state, &principal, id)?;
    let entry = state.reader().waitlist_entry(id).ok_or_else(|| Problem::not_found("waitlist"))?;
    Ok(Reply::ok(&view(&state, &entry)?))
}

/// Leave a waitlist
///
/// An offer that is not booked is given back.
#[utoipa::path(delete, path = "/v1/waitlist/{id}", tag = "guests", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = WaitlistView), (status = "default", body = Document)))]
pub async fn leave(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Id(id): Id<WaitId>,
) -> Result<Reply, Problem> {
    visible(&state, &principal, id)?;
    let verb = Verb::LeaveWaitlist(LeaveWaitlist { id, principal: principal.acting() });
    let applied = state.submit(Command::plain(verb), None).await?;
    Ok(Reply::ok(&view(&state, entry_of(&applied)?)?).applied(&applied))
}
