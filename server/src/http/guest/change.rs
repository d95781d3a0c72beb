//! Changes of bookings: other dates, rooms or guest data, in one step, or asked what that would cost.

use axum::extract::State;
use holdfast_engine::booking::{Booking, fees};
use holdfast_engine::catalogue::Hotel;
use holdfast_engine::command::{HoldLine, Modify};
use holdfast_engine::ids::BookingId;
use holdfast_engine::stay::{Wanted, judge_change};
use holdfast_engine::{Code, Command, Outcome, Refusal, Verb};

use super::bookings::{view, visible};
use super::hold_request::{minor_units, rate_plan_of};
use super::{hotel_of, sealing};
use crate::auth::{AnyPrincipal, Principal};
use crate::http::body::Json;
use crate::http::etag::{self, IfMatch};
use crate::http::partner::unexpected;
use crate::http::query::{Id, Query};
use crate::http::refusal;
use crate::http::reply::Reply;
use crate::idempotency::MaybeIdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::booking::BookingView;
use crate::wire::change::{ChangeBody, ChangeDraft, ChangeParams};
use crate::wire::money::Money;

/// Change a booking
///
/// All of it or nothing. Its own nights count as free; nights that are kept keep their price, others
/// cost what they cost today. `balance` says what is left to pay or to give back.
#[utoipa::path(patch, path = "/v1/bookings/{id}", tag = "guests", request_body = ChangeBody,
    params(("id" = String, Path), ChangeParams, ("If-Match" = String, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = BookingView),
        (status = 409, description = "`price.changed`, `inventory.insufficient`, `booking.state` and \
            other reasons; the booking is as it was", body = Document),
        (status = 412, description = "`precondition.failed`", body = Document),
        (status = 428, description = "`precondition.required`", body = Document),
        (status = "default", body = Document)))]
pub async fn change(
    State(state): State<AppState>,
    AnyPrincipal(principal): AnyPrincipal,
    Id(id): Id<BookingId>,
    IfMatch(version): IfMatch,
    Query(params): Query<ChangeParams>,
    key: MaybeIdempotencyKey,
    Json(body): Json<ChangeBody>,
) -> Result<Reply, Problem> {
    let found = visible(&state, &principal, id).await?;
    let (booking, hotel) = (&found.booking, &found.hotel);
    let draft = body.check()?;
    let key = key.0.map(|key| key.bind(state.sealer(), &principal, &body));
    let answered = key.is_some_and(|key| state.reader().stored(key.key).is_some());
    // A repetition finds the version that its first try has made: the log knows the key.
    if !answered && version.is_some_and(|version| version != booking.version) {
        return Err(etag::failed());
    }
    if !answered {
        found.check_open(&state)?;
    }
    let wanted = wanted(&state, hotel, &draft)?;
    let expected_total = minor_units(draft.expected_total.as_ref(), hotel.draft.currency)?;
    if params.dry_run {
        return dry_run(&state, hotel, booking, (&wanted, expected_total));
    }
    let modify = modify(&state, &principal, booking, &draft)?;
    let verb = Verb::Modify(Modify { version, wanted, expected_total, ..modify });
    let applied = match key {
        Some(key) => state.submit_keyed(key, verb).await,
        None => state.submit(Command::plain(verb), None).await,
    };
    let applied = applied.map_err(|problem| with_currency(problem, hotel))?;
    let Outcome::BookingChanged(booking) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let hotel = hotel_of(&state, &booking.terms)?;
    let view = view(&state, &hotel, booking);
    Ok(Reply::ok(&view).etag(booking.version).applied(&applied))
}

fn wanted(state: &AppState, hotel: &Hotel, draft: &ChangeDraft) -> Result<Wanted, Problem> {
    let mut wanted = Wanted { check_in: draft.check_in, check_out: draft.check_out, lines: None };
    if let Some(lines) = &draft.lines {
        let mut found = Vec::with_capacity(lines.len());
        for (position, line) in lines.iter().enumerate() {
            let rate_plan = rate_plan_of(state, hotel, line, position)?;
            found.push(HoldLine {
                room_type: rate_plan.room_type,
                rate_plan: rate_plan.ix,
                quantity: line.quantity,
                adults: line.adults,
                children: line.children.clone(),
                quote: None,
            });
        }
        wanted.lines = Some(found);
    }
    Ok(wanted)
}

/// The command, but for what is asked of the rooms.
fn modify(
    state: &AppState,
    principal: &Principal,
    booking: &Booking,
    draft: &ChangeDraft,
) -> Result<Modify, Problem> {
    let personal = draft.personal(sealing::open(state, booking))?;
    let sealed = personal.map(|personal| sealing::seal(state, booking.id, &personal));
    let (guest, guest_key) = match sealed {
        Some(sealed) => (Some(sealed.sealed), sealed.key),
        None => (None, None),
    };
    Ok(Modify {
        booking: booking.id,
        principal: principal.acting(),
        version: None,
        wanted: Wanted::default(),
        guest,
        guest_key,
        expected_total: None,
    })
}

/// What a change would answer now, without an entry in the log.
fn dry_run(
    state: &AppState,
    hotel: &Hotel,
    booking: &Booking,
    (wanted, expected_total): (&Wanted, Option<i64>),
) -> Result<Reply, Problem> {
    let (reader, now) = (state.reader(), state.now_ms());
    let terms = judge_change(reader, hotel, booking, wanted, now)
        .map_err(|refused| refusal::problem(&refused, reader))?;
    if expected_total.is_some_and(|expected| expected != terms.total) {
        let refused = Refusal { total: Some(terms.total), ..Code::PriceChanged.into() };
        return Err(with_currency(refusal::problem(&refused, reader), hotel));
    }
    let fee_floor = fees::cancelling(booking, now, &hotel.zone);
    let changed = Booking { terms: terms.into(), fee_floor, ..booking.clone() };
    let view = BookingView { dry_run: true, ..view(state, hotel, &changed) };
    Ok(Reply::ok(&view).etag(booking.version))
}

/// A new total with its currency.
fn with_currency(problem: Problem, hotel: &Hotel) -> Problem {
    match problem.extra.get("total").and_then(serde_json::Value::as_i64) {
        Some(total) => {
            let total = Money::new(total, hotel.draft.currency);
            let quote = serde_json::json!({ "total": &total });
            problem.with("total", total).with("quote", quote)
        }
        None => problem,
    }
}
