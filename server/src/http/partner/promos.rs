//! Promotion codes of a partner: add, list, read, change, remove.
//!
//! A code is the partner's own: an admin says whose is meant with `partner_id`.

use axum::extract::State;
use holdfast_engine::command::{AddPartner, AddPromo, ChangePromo, RemovePromo};
use holdfast_engine::ids::{HotelIx, PartnerId, PromoId};
use holdfast_engine::promo::{Promo, PromoCode, PromoDraft};
use holdfast_engine::{Command, Outcome, Principal as EnginePrincipal, Verb};
use http::StatusCode;

use super::unexpected;
use crate::auth::{Manager, Principal};
use crate::http::body::Json;
use crate::http::etag::{self, IfMatch, MaybeIfMatch};
use crate::http::query::{Id, Query};
use crate::http::reply::Reply;
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::{AppState, Applied};
use crate::wire::page::{self, Page};
use crate::wire::promo::{PromoBody, PromoFields, PromoView, PromosParams, WhosePromo};

fn view(state: &AppState, promo: &Promo) -> PromoView {
    let reader = state.reader();
    let hotels = promo.draft.hotels.iter().filter_map(|ix| reader.hotel(*ix));
    PromoView::of(promo, hotels.map(|hotel| hotel.id.to_string()).collect())
}

fn reply(state: &AppState, status: StatusCode, applied: &Applied) -> Result<Reply, Problem> {
    let Outcome::Promo(promo) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let reply = Reply::new(status, &view(state, promo)).etag(promo.version).applied(applied);
    Ok(if status == StatusCode::CREATED {
        reply.location(&format!("/v1/promo-codes/{}", promo.code))
    } else {
        reply
    })
}

/// The partner whose promotions are meant: a partner's own, for an admin the one that is named.
fn whose(principal: &Principal, named: Option<&str>, pointer: &str) -> Result<PartnerId, Problem> {
    let named = named.map(str::parse::<PartnerId>);
    let partner = match (principal.acting(), named) {
        (_, Some(named)) => named.map_err(|_| Problem::not_found("partner"))?,
        (EnginePrincipal::Partner(own), None) => PartnerId(own),
        _ => {
            let detail = "say whose promotion is meant";
            return Err(Problem::field(pointer, "field.missing", detail));
        }
    };
    if principal.acting().acts_for(partner) {
        Ok(partner)
    } else {
        Err(Problem::not_found("partner"))
    }
}

/// The promotion that a code of the path names.
fn own_promo(
    state: &AppState,
    principal: &Principal,
    (code, params): (&PromoCode, &WhosePromo),
) -> Result<Promo, Problem> {
    let partner = whose(principal, params.partner_id.as_deref(), "?partner_id")?;
    let found = state.reader().promo_named(partner, code);
    found.ok_or_else(|| Problem::not_found("promo_code"))
}

fn draft(
    state: &AppState,
    partner: PartnerId,
    fields: &PromoFields,
) -> Result<PromoDraft, Problem> {
    let own = |id: &Option<_>| {
        let found = id.and_then(|id| state.reader().hotel_by_id(id));
        let found = found.filter(|hotel| hotel.partner == partner);
        found.map(|hotel| hotel.ix).ok_or_else(|| Problem::not_found("hotel"))
    };
    let mut hotels: Vec<HotelIx> = fields.hotels.iter().map(own).collect::<Result<_, _>>()?;
    hotels.sort_unstable();
    hotels.dedup();
    let PromoFields { discount, currency, booking, stay, min_nights, .. } = *fields;
    let (uses_max, money_max) = (fields.uses_max, fields.money_max);
    Ok(PromoDraft { discount, currency, booking, stay, min_nights, hotels, uses_max, money_max })
}

/// Add a promotion code
///
/// Who names it in a hold has the discount, within its windows and caps. Uses and money are reserved by
/// the hold, committed by the booking, and come back with expiry, release or cancellation.
#[utoipa::path(post, path = "/v1/promo-codes", tag = "partners", request_body = PromoBody,
    params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = PromoView), (status = "default", body = Document)))]
pub async fn create(
    State(state): State<AppState>,
    Manager(principal): Manager,
    key: IdempotencyKey,
    Json(body): Json<PromoBody>,
) -> Result<Reply, Problem> {
    let fields = body.check()?;
    let partner = whose(&principal, body.partner_id.as_deref(), "/partner_id")?;
    let Some(code) = fields.code.clone() else {
        return Err(Problem::field("/code", "field.missing", "a promotion has a code"));
    };
    let is_own = principal.acting() == EnginePrincipal::Partner(partner.0);
    if is_own && state.reader().partner(partner).is_none() {
        // Adding a known partner changes nothing, so two first requests at once do no harm.
        let add = AddPartner { id: partner, name: principal.subject.clone() };
        state.submit(Command::plain(Verb::AddPartner(add)), None).await?;
    }
    let draft = draft(&state, partner, &fields)?;
    // A partner's promotions live in the partner's Raft group.
    let id = PromoId(state.mint(partner.group()));
    let principal_acting = principal.acting();
    let verb = Verb::AddPromo(AddPromo { id, partner, principal: principal_acting, code, draft });
    let applied = state.submit_keyed(key.bind(state.sealer(), &principal, &body), verb).await?;
    reply(&state, StatusCode::CREATED, &applied)
}

/// List promotion codes
///
/// By code.
#[utoipa::path(get, path = "/v1/promo-codes", tag = "partners", params(PromosParams),
    security(("bearer" = [])),
    responses((status = 200, body = Page<PromoView>), (status = "default", body = Document)))]
pub async fn list(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Query(params): Query<PromosParams>,
) -> Result<Reply, Problem> {
    let partner = whose(&principal, params.partner_id.as_deref(), "?partner_id")?;
    let most = page::limit(params.limit)?;
    let after = match &params.cursor {
        None => None,
        Some(cursor) => Some(
            page::decode_text(cursor)
                .and_then(|text| PromoCode::new(&text).ok())
                .ok_or_else(page::bad_cursor)?,
        ),
    };
    let mut found = state.reader().promos_of(partner, after.as_ref(), most + 1);
    let more = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| more);
    let next_cursor = last.map(|last| page::encode_cursor(last.code.as_str().as_bytes()));
    let items = found.iter().map(|promo| view(&state, promo)).collect();
    Ok(Reply::ok(&Page::<PromoView> { items, next_cursor }))
}

/// Read a promotion code
///
/// With what is reserved and committed of it.
#[utoipa::path(get, path = "/v1/promo-codes/{code}", tag = "partners",
    params(("code" = String, Path), WhosePromo), security(("bearer" = [])),
    responses((status = 200, body = PromoView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(Code(code)): Id<Code>,
    Query(params): Query<WhosePromo>,
) -> Result<Reply, Problem> {
    let promo = own_promo(&state, &principal, (&code, &params))?;
    Ok(Reply::ok(&view(&state, &promo)).etag(promo.version))
}

/// Change a promotion code
///
/// Holds and bookings that have it keep what they have. A cap below what is used is taken; nothing more
/// is given then.
#[utoipa::path(put, path = "/v1/promo-codes/{code}", tag = "partners", request_body = PromoBody,
    params(("code" = String, Path), WhosePromo, ("If-Match" = String, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = PromoView), (status = "default", body = Document)))]
pub async fn change(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(Code(code)): Id<Code>,
    Query(params): Query<WhosePromo>,
    IfMatch(version): IfMatch,
    Json(body): Json<PromoBody>,
) -> Result<Reply, Problem> {
    let promo = own_promo(&state, &principal, (&code, &params))?;
    if version.is_some_and(|version| version != promo.version) {
        return Err(etag::failed());
    }
    let fields = body.check()?;
    let partner = promo.partner;
    if fields.code.as_ref().is_some_and(|named| *named != code) {
        return Err(Problem::field("/code", "field.immutable", "a code cannot be changed"));
    }
    let named = body.partner_id.as_deref();
    if named.is_some() && whose(&principal, named, "/partner_id")? != partner {
        let detail = "a promotion stays its partner's";
        return Err(Problem::field("/partner_id", "field.immutable", detail));
    }
    let draft = draft(&state, partner, &fields)?;
    let principal = principal.acting();
    let verb = Verb::ChangePromo(ChangePromo { partner, code, principal, version, draft });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, StatusCode::OK, &applied)
}

/// Remove a promotion code
///
/// Nobody gets it any more; holds and bookings that have it keep it. The code may be used for another.
#[utoipa::path(delete, path = "/v1/promo-codes/{code}", tag = "partners",
    params(("code" = String, Path), WhosePromo), security(("bearer" = [])),
    responses((status = 200, body = PromoView), (status = "default", body = Document)))]
pub async fn remove(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(Code(code)): Id<Code>,
    Query(params): Query<WhosePromo>,
    MaybeIfMatch(version): MaybeIfMatch,
) -> Result<Reply, Problem> {
    let promo = own_promo(&state, &principal, (&code, &params))?;
    if version.is_some_and(|version| version != promo.version) {
        return Err(etag::failed());
    }
    let (partner, principal) = (promo.partner, principal.acting());
    let verb = Verb::RemovePromo(RemovePromo { partner, code, principal, version });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, StatusCode::OK, &applied)
}

/// A code in the path. A text that can be none names nothing.
#[derive(Debug)]
pub struct Code(pub PromoCode);

impl std::str::FromStr for Code {
    type Err = holdfast_engine::promo::BadCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PromoCode::new(text).map(Self)
    }
}

impl crate::http::query::IdKind for Code {
    const NAME: &'static str = "promo_code";
}
