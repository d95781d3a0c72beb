//! What others need to trust our tokens: the public key.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reply::Reply;
use crate::state::AppState;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(jwks))
}

/// The keys that sign tokens
///
/// A JWK set (RFC 7517, RFC 8037).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "identity",
    responses((status = 200, body = Object)))]
pub async fn jwks(State(state): State<AppState>) -> Reply {
    Reply::ok(&state.keys().jwks())
}
