//! The inventory read-back: every room type-night of a hotel as it stands.

use axum::extract::State;
use holdfast_engine::Night;
use holdfast_engine::ids::HotelId;
use serde::Deserialize;

use super::own_hotel;
use crate::auth::Manager;
use crate::http::envelope::position_text;
use crate::http::query::{Id, Query};
use crate::http::reply::Reply;
use crate::limits::INVENTORY_NIGHTS_MAX;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::inventory::{CellView, InventoryView};

/// Which nights.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Range {
    #[param(example = "2027-04-01", format = Date)]
    from: String,
    /// Inclusive.
    #[param(example = "2027-04-30", format = Date)]
    to: String,
}

impl Range {
    fn nights(&self) -> Result<(Night, Night), Problem> {
        let (from, to) = (date("?from", &self.from)?, date("?to", &self.to)?);
        if to < from {
            return Err(Problem::field("?to", "field.range", "must not lie before `from`"));
        }
        if usize::from(to.0 - from.0) >= INVENTORY_NIGHTS_MAX {
            let detail = format!("at most {INVENTORY_NIGHTS_MAX} nights at once");
            return Err(Problem::field("?to", "field.range", detail));
        }
        Ok((from, to))
    }
}

/// A date of a query parameter.
pub fn date(pointer: &str, text: &str) -> Result<Night, Problem> {
    text.parse::<Night>()
        .map_err(|error| Problem::field(pointer, "date.invalid", error.to_string()))
}

/// Read the inventory
///
/// Nights outside the window that is kept (the past, and beyond the horizon) are left out.
#[utoipa::path(get, path = "/v1/hotels/{id}/inventory", tag = "partners",
    params(("id" = String, Path), Range), security(("bearer" = [])),
    responses((status = 200, body = InventoryView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    Manager(principal): Manager,
    Id(id): Id<HotelId>,
    Query(range): Query<Range>,
) -> Result<Reply, Problem> {
    let hotel = own_hotel(&state, &principal, id)?;
    let (from, to) = range.nights()?;
    let reader = state.reader();
    let mut items = Vec::new();
    for room_type in hotel.room_types.iter().filter_map(|ix| reader.room_type(*ix)) {
        if room_type.removed {
            continue;
        }
        // Before the cells: what changes in between makes the version too old, never too new.
        let version = position_text(reader.promised_at(room_type.ix));
        let id = room_type.id.to_string();
        let cells = reader.cells(room_type.ix, from, to);
        items.extend(
            cells.into_iter().map(|(night, cell)| CellView::of((&id, &version), night, cell)),
        );
    }
    Ok(Reply::ok(&InventoryView { items }))
}
