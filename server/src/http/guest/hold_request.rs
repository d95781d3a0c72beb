//! From a hold's request to its command: ids resolved, prices quoted, hopeless demand turned away.
//!
//! The quote made here travels with the version of what it was made from; the log takes it where that
//! still stands. **Invariant:** missing rooms are told from here only by a leader whose lead was
//! confirmed after the request came.

use std::sync::Arc;

use holdfast_engine::admission::{Admission, Demand, Ticket};
use holdfast_engine::catalogue::{Hotel, HotelStatus, RatePlan};
use holdfast_engine::command::{Hold, HoldLine};
use holdfast_engine::hold::Terms;
use holdfast_engine::ids::HoldId;
use holdfast_engine::money::Currency;
use holdfast_engine::promo::{self, PromoCode};
use holdfast_engine::quote::Discount;
use holdfast_engine::stay::{self, Asked};
use holdfast_engine::{Code, Idempotency, Principal as EnginePrincipal};

use super::names;
use crate::auth::Principal;
use crate::http::refusal;
use crate::problem::{FieldError, Problem};
use crate::state::AppState;
use crate::wire::hold::{HoldDraft, LineDraft};
use crate::wire::money::Money;
use crate::wire::quote::QuoteView;

/// A hold's command, and the hotel it is about.
pub struct HoldRequest {
    pub hotel: Arc<Hotel>,
    pub hold: Hold,
    /// What the promotion takes off, where there is one.
    discount: Option<Discount>,
}

/// Resolves every id and quotes every line. 404 for what is not there or not this caller's to hold,
/// 422 for dates the hotel's rules exclude.
pub fn resolve(
    state: &AppState,
    principal: &Principal,
    draft: &HoldDraft,
) -> Result<HoldRequest, Problem> {
    let reader = state.reader();
    let hotel = holdable_hotel(state, principal, draft)?;
    let currency = hotel.draft.currency;
    let expected_total = minor_units(draft.expected_total.as_ref(), currency)?;
    let mut rate_plans = Vec::with_capacity(draft.lines.len());
    for (position, line) in draft.lines.iter().enumerate() {
        rate_plans.push(rate_plan_of(state, &hotel, line, position)?);
    }
    stay::check_dates(reader, &hotel, draft.stay, state.now_ms())
        .map_err(|refused| refusal::problem(&refused, reader))?;
    // What admission looks at is asked of memory now, to be there once the prices are looked up.
    let wanted = draft.lines.iter().zip(&rate_plans);
    let wanted = wanted.map(|(line, rate_plan)| (rate_plan.room_type, u32::from(line.quantity)));
    reader.expect(&Demand::of(draft.stay, wanted));
    // Before the quotes that are made with it: a change in between shows as an old version.
    let promo = draft.promo.as_ref().map(|code| named_promo(state, &hotel, code));
    let discount = promo.as_ref().and_then(|promo| promo.1);
    let lines = draft.lines.iter().zip(&rate_plans).map(|(line, rate_plan)| {
        let mut line = HoldLine {
            room_type: rate_plan.room_type,
            rate_plan: rate_plan.ix,
            quantity: line.quantity,
            adults: line.adults,
            children: line.children.clone(),
            quote: None,
        };
        let asked = Asked::of(draft.stay, &line).with(discount);
        line.quote = stay::quote_room(reader, &hotel, rate_plan, asked);
        line
    });
    let hold = Hold {
        // A hold lives in its hotel's Raft group.
        id: HoldId(state.mint(hotel.id.group())),
        hotel: hotel.ix,
        principal: principal.acting(),
        stay: draft.stay,
        lines: lines.collect(),
        ttl_s: draft.ttl_s,
        expected_total,
        client_reference: draft.client_reference.clone(),
        block: draft.block,
        promo: promo.map(|promo| promo.0),
    };
    Ok(HoldRequest { hotel, hold, discount })
}

/// The code as a command carries it, and what it takes off. One that names nothing here is the log's to
/// refuse.
fn named_promo(
    state: &AppState,
    hotel: &Hotel,
    code: &PromoCode,
) -> (Box<promo::Asked>, Option<Discount>) {
    let known = state.reader().promo_named(hotel.partner, code);
    let quoted = known.as_ref().map(|promo| (promo.id, promo.version));
    let discount = known.map(|promo| promo.draft.discount);
    (Box::new(promo::Asked { code: code.clone(), quoted }), discount)
}

/// Guests hold in hotels they have been able to see, everybody else in hotels they run.
fn holdable_hotel(
    state: &AppState,
    principal: &Principal,
    draft: &HoldDraft,
) -> Result<Arc<Hotel>, Problem> {
    let hotel = draft.hotel.and_then(|id| state.reader().hotel_by_id(id));
    hotel
        .filter(|hotel| match principal.acting() {
            // One that was suspended is known; the log says that it is closed.
            EnginePrincipal::Guest(_) => {
                matches!(hotel.status, HotelStatus::Live | HotelStatus::Suspended)
            }
            runs => runs.acts_for(hotel.partner),
        })
        .ok_or_else(|| Problem::not_found("hotel"))
}

pub fn rate_plan_of(
    state: &AppState,
    hotel: &Hotel,
    line: &LineDraft,
    position: usize,
) -> Result<Arc<RatePlan>, Problem> {
    let reader = state.reader();
    let room_type = line
        .room_type
        .and_then(|id| reader.room_type_by_id(id))
        .filter(|room_type| room_type.hotel == hotel.ix)
        .ok_or_else(|| unknown("room_type", position))?;
    line.rate_plan
        .and_then(|id| reader.rate_plan_by_id(id))
        .filter(|rate_plan| rate_plan.room_type == room_type.ix)
        .ok_or_else(|| unknown("rate_plan", position))
}

/// 404 with the place of the id that names nothing here.
fn unknown(what: &str, position: usize) -> Problem {
    let mut problem = Problem::not_found(what);
    let error = FieldError {
        pointer: format!("/lines/{position}/{what}_id"),
        code: problem.code.clone(),
        detail: problem.detail.clone(),
    };
    problem.errors = vec![error];
    problem
}

/// What the guest agreed to pay, in the currency of what is sold.
pub fn minor_units(expected: Option<&Money>, currency: Currency) -> Result<Option<i64>, Problem> {
    match expected {
        Some(money) if money.currency != currency.code() => Err(Problem::field(
            "/expected_total/currency",
            "currency.mismatch",
            format!("this is sold in {}", currency.code()),
        )),
        other => Ok(other.map(|money| money.amount)),
    }
}

/// Asks for the rooms before the log does. A ticket where they are set aside, nothing where the log
/// shall decide, and a refusal with every short night where there are too few.
pub async fn admit(
    state: &AppState,
    request: &HoldRequest,
    key: Idempotency,
) -> Result<Option<Ticket>, Problem> {
    let (reader, hold) = (state.reader(), &request.hold);
    // What is free beside the block says nothing about what the block has left.
    if hold.block.is_some() {
        return Ok(None);
    }
    let demand = hold.demand();
    match reader.admit(hold.hotel, demand.clone(), state.now_ms()) {
        Admission::Admitted(ticket) => return Ok(Some(ticket)),
        Admission::Contended => return Ok(None),
        Admission::Refused => {}
    }
    // On any node: the leader says up to where and what time it is, once a quorum has confirmed it, and
    // this node has applied that much before it looks again.
    let point = state.node().read_point().await.map_err(|error| {
        tracing::warn!(%error, "missing rooms could not be confirmed");
        Problem::unavailable(
            "engine.no_leader",
            "This node cannot decide right now; nothing was changed.",
            1,
        )
    })?;
    // A repetition may meet the rooms that its own first try has just taken: the log knows the key.
    let answered = reader.stored(key.key).is_some();
    if answered || reader.still_short(hold.hotel, &demand, state.now_ms()).is_none() {
        return Ok(None);
    }
    match stay::check_lines(reader, &request.hotel, hold, state.now_ms()) {
        Err(refused) if refused.code == Code::InventoryInsufficient => {
            let mut problem = refusal::problem(&refused, reader);
            problem.index = Some(point.index);
            Err(problem)
        }
        // More than rooms stands in the way, or nothing does any more: the log says so, and keeps it.
        _ => Ok(None),
    }
}

/// `price.changed` with the new quote. Other problems pass as they are.
pub fn with_new_quote(
    state: &AppState,
    principal: &Principal,
    draft: &HoldDraft,
    problem: Problem,
) -> Problem {
    if problem.code != Code::PriceChanged.name() {
        return problem;
    }
    let total = problem.extra.get("total").and_then(serde_json::Value::as_i64);
    let hotel = draft.hotel.and_then(|id| state.reader().hotel_by_id(id));
    let (Some(total), Some(hotel)) = (total, hotel) else { return problem };
    let money = Money::new(total, hotel.draft.currency);
    let problem = problem.with("total", &money);
    // A repeated refusal repeats its own total; prices may have moved on since.
    let quote = resolve(state, principal, draft)
        .ok()
        .and_then(|request| current_quote(state, &request))
        .filter(|quote| quote.amounts.total == money);
    match quote {
        Some(quote) => problem.with("quote", quote),
        None => problem.with("quote", serde_json::json!({ "total": money })),
    }
}

/// What the request would cost now.
fn current_quote(state: &AppState, request: &HoldRequest) -> Option<QuoteView> {
    let HoldRequest { hotel, hold, discount } = request;
    let mut total = 0i64;
    let mut lines = Vec::with_capacity(hold.lines.len());
    for line in &hold.lines {
        let (line, amount) = {
            let asked = Asked { discount: *discount, ..Asked::of(hold.stay, line) };
            stay::price_line(state.reader(), hotel, asked, line).ok()?
        };
        total = total.checked_add(amount)?;
        lines.push(line);
    }
    let terms = Terms {
        id: hold.id,
        hotel: hold.hotel,
        principal: hold.principal,
        check_in: hold.stay.check_in,
        check_out: hold.stay.check_out,
        lines: lines.into(),
        total,
        currency: hotel.draft.currency,
        tax_version: state.reader().tax_version(),
        client_reference: None,
        block: None,
        waitlist: None,
        promo: None,
        created_ms: 0,
    };
    let names = names(state, hotel, &terms);
    Some(QuoteView::of(&terms, names.zone, &names.lines))
}
