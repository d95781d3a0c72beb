//! Entity tags: a thing's version in quotes, and the `If-Match` that a change must carry.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use crate::problem::Problem;

/// The version the client saw; `None` for `*`. 428 where the header is missing.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<u32>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition.required",
                "Send `If-Match` with the ETag of what you read, so that nobody's change is lost.",
            ));
        };
        match value.to_str().map(str::trim) {
            Ok("*") => Ok(Self(None)),
            Ok(text) => parse(text).map(|version| Self(Some(version))).ok_or_else(failed),
            Err(_) => Err(failed()),
        }
    }
}

/// The version the client saw, where it says one.
#[derive(Debug, Clone, Copy)]
pub struct MaybeIfMatch(pub Option<u32>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeIfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(header::IF_MATCH) {
            return Ok(Self(None));
        }
        IfMatch::from_request_parts(parts, state).await.map(|IfMatch(version)| Self(version))
    }
}

/// 412: it has changed, or the tag never was one of ours.
pub fn failed() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "precondition.failed",
        "It has changed since you read it; read it again and decide anew.",
    )
}

fn parse(text: &str) -> Option<u32> {
    text.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

pub fn of(version: u32) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}
