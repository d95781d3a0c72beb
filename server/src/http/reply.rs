//! Replies of doors that change something: status, position, tag, replay mark.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::envelope::{Position, Replayed};
use super::etag;
use crate::state::Applied;
use crate::wire::language::Language;

/// A JSON reply under construction.
pub struct Reply(Response);

impl Reply {
    pub fn new(status: StatusCode, body: &impl Serialize) -> Self {
        Self((status, axum::Json(body)).into_response())
    }

    pub fn ok(body: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, body)
    }

    /// Carries the position of the entry that made it, and whether it repeats a stored answer.
    #[must_use]
    pub fn applied(mut self, applied: &Applied) -> Self {
        self.0.extensions_mut().insert(Position(applied.index));
        if applied.replayed {
            self.0.extensions_mut().insert(Replayed);
        }
        self
    }

    #[must_use]
    pub fn etag(mut self, version: u32) -> Self {
        self.0.headers_mut().insert(header::ETAG, etag::of(version));
        self
    }

    /// Says which language its texts for display are in.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        let headers = self.0.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, language.header());
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        self
    }

    #[must_use]
    pub fn location(mut self, path: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(path) {
            self.0.headers_mut().insert(header::LOCATION, value);
        }
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        self.0
    }
}
