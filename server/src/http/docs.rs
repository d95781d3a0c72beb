//! `/openapi.json`, generated from the doors' own types, and `/docs`, a page that shows it.
//!
//! The page is embedded and loads nothing from elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::header;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::problem::{Blocker, Document, FieldError};

const PAGE: &str = include_str!("../../assets/docs.html");

/// The part of the description that no door owns.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Holdfast",
        description = "Hotel inventory and booking: search, hold, book; availability, rates and \
                       inventory in bulk.\n\nErrors are `application/problem+json` with a stable \
                       dotted `code`. Amounts are integers in minor units. Nights are civil dates \
                       in the hotel's zone. Every POST that creates or moves something takes an \
                       `Idempotency-Key`.\n\nAny node takes any request. A reply says which state \
                       it rests on (`Engine-Index`) and how old that is at most \
                       (`Engine-Age`, milliseconds). A request may ask for more: `Min-Engine-Index` (at least \
                       what an earlier reply rested on), `Max-Engine-Age` (milliseconds), or \
                       `Engine-Read: linearizable`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Document, FieldError, Blocker)),
    modifiers(&Bearer),
    tags(
        (name = "guests", description = "Search, offers, holds and bookings"),
        (name = "partners", description = "A partner's own hotels"),
        (name = "ari", description = "Availability, rates and inventory in bulk"),
        (name = "admins", description = "The marketplace's own people"),
        (name = "identity", description = "Tokens and keys")
    )
)]
pub struct Base;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("Roles: guest, partner, admin."))
            .build();
        document
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The two pages, for a finished description.
pub fn router<S: Clone + Send + Sync + 'static>(document: &utoipa::openapi::OpenApi) -> Router<S> {
    // The document is made of our own types; a failure would be a bug shown by the first test.
    let text: Arc<str> = document.to_json().unwrap_or_default().into();
    let json = move || {
        let text = text.to_string();
        async move { ([(header::CONTENT_TYPE, "application/json")], text).into_response() }
    };
    Router::new().route("/openapi.json", get(json)).route("/docs", get(async || Html(PAGE)))
}
