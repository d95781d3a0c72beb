//! Blocks of a partner's hotel: set rooms aside for a group, list, read, change, give back.

use std::collections::BTreeMap;

use axum::extract::State;
use holdfast_engine::block::{Block, BlockDraft, BlockLine};
use holdfast_engine::catalogue::Hotel;
use holdfast_engine::command::{AddBlock, ChangeBlock, ReleaseBlock};
use holdfast_engine::ids::{BlockId, HotelId, RoomTypeId};
use holdfast_engine::{Command, Outcome, Verb};
use http::StatusCode;

use super::{own_hotel, unexpected};
use crate::auth::{Manager, Principal};
use crate::http::body::Json;
use crate::http::etag::{self, IfMatch, MaybeIfMatch};
use crate::http::query::Id;
use crate::http::reply::Reply;
use crate::idempotency::IdempotencyKey;
use crate::problem::{Document, Problem};
use crate::state::{AppState, Applied};
use crate::wire::block::{BlockBody, BlockKind, BlockLineBody, BlockPatch, BlockView};
use crate::wire::page::Page;

fn view(state: &AppState, hotel: &Hotel, block: &Block) -> BlockView {
    let reader = state.reader();
    let names: BTreeMap<u32, String> = hotel
        .room_types
        .iter()
        .filter_map(|ix| Some((ix.0, reader.room_type(*ix)?.id.to_string())))
        .collect();
    BlockView::of(block, (&hotel.id.to_string(), &hotel.zone), &names)
}

fn own_block(
    state: &AppState,
    principal: &Principal,
    id: BlockId,
) -> Result<(Block, std::sync::Arc<Hotel>), Problem> {
    let reader = state.reader();
    reader
        .block(id)
        .and_then(|block| Some((reader.hotel(block.hotel)?, block)))
        .filter(|(hotel, _)| principal.acting().acts_for(hotel.partner))
        .map(|(hotel, block)| (block, hotel))
        .ok_or_else(|| Problem::not_found("block"))
}

fn draft(state: &AppState, hotel: &Hotel, body: &BlockBody) -> Result<BlockDraft, Problem> {
    let fields = body.check()?;
    let mut lines = Vec::with_capacity(body.lines.len());
    for line in &body.lines {
        let room_type = line.room_type_id.parse::<RoomTypeId>().ok();
        let room_type = room_type
            .and_then(|id| state.reader().room_type_by_id(id))
            .filter(|room_type| room_type.hotel == hotel.ix)
            .ok_or_else(|| Problem::not_found("room_type"))?;
        lines.push(BlockLine { room_type: room_type.ix, rooms: line.rooms });
    }
    let (name, stay) = (fields.name, fields.stay);
    let (definite, release_on) = (fields.definite, fields.release_on);
    Ok(BlockDraft { name, stay, lines, definite, release_on })
}

fn reply(
    state: &AppState,
    hotel: &Hotel,
    status: StatusCode,
    applied: &Applied,
) -> Result<Reply, Problem> {
    let Outcome::Block(block) = &applied.outcome else {
        return Err(unexpected(&applied.outcome));
    };
    let reply = Reply::new(status, &view(state, hotel, block)).etag(block.version).applied(applied);
    Ok(if status == StatusCode::CREATED {
        reply.location(&format!("/v1/blocks/{}", block.id))
    } else {
        reply
    })
}

/// Set rooms aside for a group
///
/// A definite block keeps its rooms out of sale; holds that name it pick them up.
#[utoipa::path(post, path = "/v1/hotels/{id}/blocks", tag = "partners", request_body = BlockBody,
    params(("id" = String, Path), ("Idempotency-Key" = String, Header)),
    security(("bearer" = [])),
    responses((status = 201, body = BlockView), (status = "default", body = Document)))]
pub async fn create(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<HotelId>,
    key: IdempotencyKey,
    Json(body): Json<BlockBody>,
) -> Result<Reply, Problem> {
    let hotel = own_hotel(&state, &principal, id)?;
    let verb = Verb::AddBlock(AddBlock {
        id: BlockId(state.mint(hotel.id.group())),
        hotel: hotel.ix,
        principal: principal.acting(),
        draft: draft(&state, &hotel, &body)?,
    });
    let applied = state.submit_keyed(key.bind(state.sealer(), &principal, &body), verb).await?;
    reply(&state, &hotel, StatusCode::CREATED, &applied)
}

/// List a hotel's blocks
#[utoipa::path(get, path = "/v1/hotels/{id}/blocks", tag = "partners",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = Page<BlockView>), (status = "default", body = Document)))]
pub async fn list(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<HotelId>,
) -> Result<Reply, Problem> {
    let hotel = own_hotel(&state, &principal, id)?;
    let reader = state.reader();
    let found = reader.blocks_of(hotel.ix).into_iter().filter_map(|id| reader.block(id));
    let items = found.map(|block| view(&state, &hotel, &block)).collect();
    Ok(Reply::ok(&Page::<BlockView> { items, next_cursor: None }))
}

/// Read a block
#[utoipa::path(get, path = "/v1/blocks/{id}", tag = "partners", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = BlockView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<BlockId>,
) -> Result<Reply, Problem> {
    let (block, hotel) = own_block(&state, &principal, id)?;
    Ok(Reply::ok(&view(&state, &hotel, &block)).etag(block.version))
}

/// What a block would say of itself in a request.
fn body_of(view: BlockView, definite: bool) -> BlockBody {
    let lines = view
        .lines
        .into_iter()
        .map(|line| BlockLineBody { room_type_id: line.room_type_id, rooms: line.rooms });
    BlockBody {
        name: view.name,
        from: view.from,
        to: view.to,
        lines: lines.collect(),
        status: if definite { BlockKind::Definite } else { BlockKind::Tentative },
        release_at: view.release_at,
    }
}

/// Change a block
///
/// All nights and lines at once or not at all; its own rooms count as free.
#[utoipa::path(patch, path = "/v1/blocks/{id}", tag = "partners", request_body = BlockPatch,
    params(("id" = String, Path), ("If-Match" = String, Header)), security(("bearer" = [])),
    responses((status = 200, body = BlockView), (status = "default", body = Document)))]
pub async fn change(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<BlockId>,
    IfMatch(version): IfMatch,
    Json(patch): Json<BlockPatch>,
) -> Result<Reply, Problem> {
    let (block, hotel) = own_block(&state, &principal, id)?;
    if version.is_some_and(|version| version != block.version) {
        return Err(etag::failed());
    }
    let before = body_of(view(&state, &hotel, &block), block.draft.definite);
    let body = BlockBody {
        name: patch.name.unwrap_or(before.name),
        from: patch.from.unwrap_or(before.from),
        to: patch.to.unwrap_or(before.to),
        lines: patch.lines.unwrap_or(before.lines),
        status: patch.status.unwrap_or(before.status),
        release_at: patch.release_at.unwrap_or(before.release_at),
    };
    let verb = Verb::ChangeBlock(ChangeBlock {
        block: id,
        principal: principal.acting(),
        // What is left out was read at this version.
        version: Some(block.version),
        draft: draft(&state, &hotel, &body)?,
    });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, &hotel, StatusCode::OK, &applied)
}

/// Give back what is left of a block
///
/// What guests have picked up stays theirs. Doing it again answers as the first time.
#[utoipa::path(delete, path = "/v1/blocks/{id}", tag = "partners", params(("id" = String, Path)),
    security(("bearer" = [])),
    responses((status = 200, body = BlockView), (status = "default", body = Document)))]
pub async fn release(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<BlockId>,
    MaybeIfMatch(version): MaybeIfMatch,
) -> Result<Reply, Problem> {
    let (_, hotel) = own_block(&state, &principal, id)?;
    let principal = principal.acting();
    let verb = Verb::ReleaseBlock(ReleaseBlock { block: id, principal, version });
    let applied = state.submit(Command::plain(verb), None).await?;
    reply(&state, &hotel, StatusCode::OK, &applied)
}
