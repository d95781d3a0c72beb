//! The table of taxes: read and written by admins, province by province.

use axum::extract::{Path, State};
use holdfast_engine::command::SetTaxes;
use holdfast_engine::quote::tax::Scope;
use holdfast_engine::{Command, Outcome, Verb};

use crate::auth::Admin;
use crate::http::body::Json;
use crate::http::partner::unexpected;
use crate::http::reply::Reply;
use crate::problem::{Document, Problem};
use crate::state::AppState;
use crate::wire::check::Check;
use crate::wire::hotel::check_province;
use crate::wire::tax::{TaxesBody, TaxesView};

fn scope_of(text: &str) -> Result<Scope, Problem> {
    if text == "country" {
        return Ok(Scope::Country);
    }
    let mut check = Check::new();
    let province = check_province(text, &mut check);
    check.finish().map_err(|_| Problem::not_found("province"))?;
    Ok(Scope::Province(province))
}

/// Today in the country.
fn today(state: &AppState) -> holdfast_engine::Night {
    holdfast_engine::zone::Zone::find(holdfast_engine::zone::DEFAULT)
        .map_or(holdfast_engine::Night(0), |zone| zone.night_at(state.now_ms()))
}

/// Read a province's taxes
///
/// `country` reads what holds where a province says nothing.
#[utoipa::path(get, path = "/v1/admin/taxes/{province}", tag = "admins",
    params(("province" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = TaxesView), (status = "default", body = Document)))]
pub async fn read(
    State(state): State<AppState>,
    _: Admin,
    Path(province): Path<String>,
) -> Result<Reply, Problem> {
    let scope = scope_of(&province)?;
    let table = state.reader().taxes();
    let view = TaxesView::of(&table, scope, today(&state));
    Ok(Reply::ok(&view).etag(table.version()))
}

/// Set a province's taxes
///
/// From a night on; holds and bookings made before keep their price. `country` says what holds where a
/// province says nothing.
#[utoipa::path(put, path = "/v1/admin/taxes/{province}", tag = "admins",
    request_body = TaxesBody,
    params(("province" = String, Path)), security(("bearer" = [])),
    responses((status = 200, body = TaxesView), (status = "default", body = Document)))]
pub async fn set(
    State(state): State<AppState>,
    Admin(principal): Admin,
    Path(province): Path<String>,
    Json(body): Json<TaxesBody>,
) -> Result<Reply, Problem> {
    let scope = scope_of(&province)?;
    let (from, rates) = body.check()?;
    let verb = Verb::SetTaxes(SetTaxes { principal: principal.acting(), scope, from, rates });
    let applied = state.submit(Command::plain(verb), None).await?;
    let Outcome::Taxes(table) = &applied.outcome else { return Err(unexpected(&applied.outcome)) };
    let view = TaxesView::of(table, scope, today(&state));
    Ok(Reply::ok(&view).etag(table.version()).applied(&applied))
}
