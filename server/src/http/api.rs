//! The public listener's doors put together, with their description.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::{admin, ari, docs, envelope, guest, identity, partner};
use crate::state::AppState;

fn doors() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(docs::Base::openapi())
        .merge(guest::router())
        .merge(partner::router())
        .merge(ari::router())
        .merge(admin::router())
        .merge(identity::router())
}

/// The description of all doors.
pub fn document() -> utoipa::openapi::OpenApi {
    doors().into_openapi()
}

/// Everything the public listener serves.
pub fn router(state: AppState) -> Router {
    let (router, document) = doors().split_for_parts();
    router
        .merge(docs::router(&document))
        .fallback(envelope::no_such_route)
        .method_not_allowed_fallback(envelope::no_such_method)
        // Bodies are bounded where they are read: objects and streams have different bounds.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), envelope::wrap))
        .with_state(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_openapi_3_1_and_every_operation_has_a_summary() {
        let document = serde_json::to_value(document()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.contains_key("/v1/ari") && paths.contains_key("/v1/hotels/{id}"));
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path}");
                assert!(operation["responses"].is_object(), "{method} {path}");
            }
        }
    }
}
