//! A partner's hotels: add, list, read, change, submit for approval.

use axum::extract::State;
use holdfast_engine::catalogue::{Hotel, HotelStatus};
use holdfast_engine::command::{AddHotel, AddPartner, ChangeHotel, SetHotelStatus};
use holdfast_engine::ids::HotelId;
use holdfast_engine::{Command, Outcome, Verb};
use http::{HeaderMap, StatusCode};

use super::{Empty, own_hotel, unexpected};
use crate::auth::{Manager, MaybePrincipal, Partner};
use crate::http::body::{Json, MaybeJson};
use crate::http::etag::{self, IfMatch};
use crate::http::guest;
use crate::http::query::{Id, Query};
use crate::http::reply::Reply;
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::{AppState, Applied};
use crate::wire::hotel::{HotelBody, HotelView};
use crate::wire::hotel_page::HotelPage;
use crate::wire::language::{Language, Spoken};
use crate::wire::page::{self, Page, Paging};

/// A hotel with its room types' ids, as partners and admins see it.
pub fn view(state: &AppState, hotel: &Hotel) -> HotelView {
    let reader = state.reader();
    let ids = hotel.room_types.iter().filter_map(|ix| reader.room_type(*ix));
    let ids = ids.filter(|room_type| !room_type.removed);
    HotelView::of(hotel, ids.map(|room_type| room_type.id.to_string()).collect())
}

/// The reply to a command whose outcome is a hotel.
pub fn reply(state: &AppState, status: StatusCode, applied: &Applied) -> Result<Reply, Problem> {
    let Outcome::Hotel(hotel) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let view = view(state, hotel);
    let reply = Reply::new(status, &view).etag(hotel.version).applied(applied);
    Ok(if status == StatusCode::CREATED {
        reply.location(&format!("/v1/hotels/{}", hotel.id))
    } else {
        reply
    })
}

/// Add a hotel
///
/// It begins as a draft: give it room types, rate plans, rooms and prices, then submit it.
#[utoipa::path(post, path = "/v1/hotels", tag = "partners", request_body = HotelBody,
    params(("Idempotency-Key" = String, Header)), security(("bearer" = [])),
    responses((status = 201, body = HotelView), (status = "default", body = Document)))]
pub async fn create(
    State(state): State<AppState>,
    partner: Partner,
    key: IdempotencyKey,
    Json(body): Json<HotelBody>,
) -> Result<Reply, Problem> {
    let draft = body.check()?;
    if state.reader().partner(partner.org).is_none() {
        // Adding a known partner changes nothing, so two first requests at once do no harm.
        let add = AddPartner { id: partner.org, name: partner.principal.subject.clone() };
        state.submit(Command::plain(Verb::AddPartner(add)), None).await?;
    }
    // A partner's hotels live in the partner's Raft group.
    let id = HotelId(state.mint(partner.org.group()));
    let verb = Verb::AddHotel(AddHotel { id, partner: partner.org, draft });
    let applied =
        state.submit_keyed(key.bind(state.sealer(), &partner.principal, &body), verb).await?;
    reply(&state, StatusCode::CREATED, &applied)
}

/// List your hotels
#[utoipa::path(get, path = "/v1/hotels", tag = "partners", params(Paging),
    security(("bearer" = [])),
    responses((status = 200, body = Page<HotelView>), (status = "default", body = Document)))]
pub async fn list(
    State(state): State<AppState>,
    partner: Partner,
    Query(paging): Query<Paging>,
) -> Result<Reply, Problem> {
    let reader = state.reader();
    let own = reader.hotels_of(partner.org);
    let walk = own.iter().filter_map(|ix| Some((ix.0, reader.hotel(*ix)?)));
    let page = page::of_positions(&paging, walk)?;
    let items = page.items.iter().map(|hotel| view(&state, hotel)).collect();
    Ok(Reply::ok(&Page::<HotelView> { items, next_cursor: page.next_cursor }))
}

/// Read a hotel
///
/// Its partner and admins see it in every state, with an `ETag` for changing it; everybody else
/// sees the public page of a live hotel.
#[utoipa::path(get, path = "/v1/hotels/{id}", tag = "partners",
    params(("id" = String, Path), Spoken), security((), ("bearer" = [])),
    responses((status = 200, body = HotelPage), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    MaybePrincipal(principal): MaybePrincipal,
    Id(id): Id<HotelId>,
    headers: HeaderMap,
    Query(Spoken { lang }): Query<Spoken>,
) -> Result<Reply, Problem> {
    let language = Language::choose(lang, &headers);
    guest::hotels::page(&state, principal.as_deref(), id, language)
}

/// Change a hotel
#[utoipa::path(put, path = "/v1/hotels/{id}", tag = "partners", request_body = HotelBody,
    params(("id" = String, Path), ("If-Match" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = HotelView), (status = "default", body = Document)))]
pub async fn change(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<HotelId>,
    IfMatch(version): IfMatch,
    Json(body): Json<HotelBody>,
) -> Result<Reply, Problem> {
    let hotel = own_hotel(&state, &principal, id)?;
    if version.is_some_and(|version| version != hotel.version) {
        return Err(etag::failed());
    }
    let verb = Verb::ChangeHotel(ChangeHotel {
        hotel: hotel.ix,
        principal: principal.acting(),
        version,
        draft: body.check()?,
    });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, StatusCode::OK, &applied)
}

/// Submit a draft for approval
#[utoipa::path(post, path = "/v1/hotels/{id}/submit", tag = "partners",
    request_body = Option<Empty>,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [])),
    responses((status = 200, body = HotelView), (status = "default", body = Document)))]
pub async fn submit(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<HotelId>,
    key: IdempotencyKey,
    _: MaybeJson<Empty>,
) -> Result<Reply, Problem> {
    let hotel = own_hotel(&state, &principal, id)?;
    let verb = Verb::SetHotelStatus(SetHotelStatus {
        hotel: hotel.ix,
        principal: principal.acting(),
        status: HotelStatus::Pending,
    });
    let applied = state.submit_keyed(key.bind(state.sealer(), &principal, &Empty {}), verb).await?;
    reply(&state, StatusCode::OK, &applied)
}
