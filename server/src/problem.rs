//! The one shape of every refusal: RFC 9457 `application/problem+json`.
//!
//! It owns codes' outward form, never their meaning: a business refusal is decided by the engine
//! and only dressed here. The cause meant for the log never enters the body.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::limits::{PROBLEM_ERRORS_MAX, PROBLEM_TEXT_CHARS_MAX};

/// A refusal on its way to the caller. Boxed, so that a door's `Result` stays small.
#[derive(Debug, Clone)]
pub struct Problem(Box<Document>);

/// A problem as sent to the caller.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document {
    /// A URN made from `code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short text, the same for every problem of this code.
    pub title: String,
    /// The HTTP status, repeated in the body.
    #[serde(serialize_with = "status_number")]
    #[schema(value_type = u16, example = 409)]
    pub status: StatusCode,
    /// What happened this time and what to do about it.
    pub detail: String,
    /// Dotted and stable, for programs.
    #[schema(example = "inventory.insufficient")]
    pub code: String,
    /// Identifies this request in logs and traces.
    pub trace_id: String,
    /// Which fields of the request are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Why a stay cannot be had, night by night.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Blocker>,
    /// Seconds after which a retry makes sense; the same as the `Retry-After` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// What the client needs to go on: a new quote, the id of the booking already made.
    #[serde(flatten, skip_serializing_if = "serde_json::Map::is_empty")]
    #[schema(value_type = Object, additional_properties)]
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// Whether this repeats a stored answer.
    #[serde(skip)]
    pub replayed: bool,
    /// The position the refusal rests on, where the log decided it.
    #[serde(skip)]
    pub index: Option<u64>,
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the request body, or `?name` for a query parameter.
    pub pointer: String,
    /// Dotted and stable.
    pub code: String,
    /// For a person.
    pub detail: String,
}

/// One reason against a stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Blocker {
    /// Dotted and stable.
    pub code: String,
    /// The night it stands on; absent when the whole stay is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2027-04-13")]
    pub night: Option<String>,
    /// `hotel`, `room_type`, `rate_plan` or `stay`.
    pub layer: String,
    /// For a person.
    pub detail: String,
}

fn status_number<S: serde::Serializer>(status: &StatusCode, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem with its title taken from the status.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(Document {
            kind: format!("urn:holdfast:problem:{code}"),
            title: title(status, code),
            status,
            detail: bounded(detail.into()),
            code: code.to_owned(),
            trace_id: String::new(),
            errors: Vec::new(),
            blockers: Vec::new(),
            retry_after_s: None,
            extra: serde_json::Map::new(),
            replayed: false,
            index: None,
        }))
    }

    pub fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub fn unauthorized(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "auth.forbidden", detail)
    }

    /// 404 for a thing that is not there, or is another's: the two look the same from outside.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            &format!("{what}.not_found"),
            format!("There is no such {} here.", what.replace('_', " ")),
        )
    }

    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422 with one line per wrong field.
    pub fn invalid(mut errors: Vec<FieldError>) -> Self {
        for error in &mut errors {
            error.pointer = bounded(std::mem::take(&mut error.pointer));
            error.detail = bounded(std::mem::take(&mut error.detail));
        }
        let (code, detail) = match errors.as_slice() {
            [only] => (only.code.clone(), format!("{}: {}", only.pointer, only.detail)),
            _ => (
                "request.invalid".to_owned(),
                format!("{} fields are wrong; see `errors`.", errors.len()),
            ),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, &code, detail);
        errors.truncate(PROBLEM_ERRORS_MAX);
        problem.errors = errors;
        problem
    }

    /// 422 about one field.
    pub fn field(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            detail: detail.into(),
        }])
    }

    /// 503 with a time after which to try again.
    pub fn unavailable(code: &str, detail: impl Into<String>, retry_after_s: u32) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(retry_after_s)
    }

    /// 500 without a word about the cause; log the cause where it is known.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal.invariant",
            "Something that must not happen did. Nothing was changed by this request unless a \
             retry with the same Idempotency-Key says so. Quote `trace_id` when reporting it.",
        )
    }

    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    #[must_use]
    pub fn with_blockers(mut self, blockers: Vec<Blocker>) -> Self {
        self.blockers = blockers;
        self
    }

    /// Adds a member the code's documentation names (`quote`, `booking_id`, …).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.extra.insert(name.to_owned(), value);
        }
        self
    }

    /// The finished reply. Doors return the problem itself; the envelope calls this once it
    /// knows the trace.
    pub fn render(mut self, trace_id: &str) -> Response {
        trace_id.clone_into(&mut self.trace_id);
        let body = serde_json::to_vec(&*self.0).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        self.head(&mut response);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }

    fn head(&self, response: &mut Response) {
        *response.status_mut() = self.status;
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"holdfast\""),
            );
        }
    }
}

impl std::ops::Deref for Problem {
    type Target = Document;

    fn deref(&self) -> &Document {
        &self.0
    }
}

impl std::ops::DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Document {
        &mut self.0
    }
}

/// Carries a problem from a door to the envelope, which writes the body with the trace id.
#[derive(Clone)]
pub struct Unrendered(pub Problem);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        self.head(&mut response);
        response.extensions_mut().insert(Unrendered(self));
        response
    }
}

/// A text that may quote the caller, cut where it is longer than a person would read.
fn bounded(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(PROBLEM_TEXT_CHARS_MAX) {
        text.truncate(at);
        text.push('…');
    }
    text
}

fn title(status: StatusCode, code: &str) -> String {
    let known = match code {
        "inventory.insufficient" => "Not enough rooms on every night",
        "price.changed" => "The price has changed",
        "hold.expired" => "The hold has expired",
        "hold.already_confirmed" => "The hold is already a booking",
        "hold.quota_exceeded" => "Too many rooms held at once",
        "idempotency.key_reused" => "This key was used for another request",
        "idempotency.in_progress" => "The first request with this key is still running",
        "engine.behind" => "This node has not caught up",
        "precondition.required" => "An If-Match header is needed",
        "precondition.failed" => "It has changed since it was read",
        "request.malformed" => "The body cannot be read",
        "internal.invariant" => "Internal error",
        _ => status.canonical_reason().unwrap_or("Refused"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_field_gives_its_code_to_the_problem() {
        let problem = Problem::field("/lat", "field.range", "must be between -90 and 90");
        assert_eq!(problem.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem.code, "field.range");
        assert_eq!(problem.errors[0].pointer, "/lat");
    }

    #[test]
    fn what_the_caller_sent_is_not_sent_back_at_any_length() {
        let (fits, long) = ("ก".repeat(PROBLEM_TEXT_CHARS_MAX), "ก".repeat(100_000));
        assert_eq!(Problem::conflict("c", fits.clone()).detail, fits);
        let cut = format!("{fits}…");
        assert_eq!(Problem::conflict("c", long.clone()).detail, cut);
        let problem = Problem::field(&long, "field.unknown", long.clone());
        assert_eq!((&problem.errors[0].pointer, &problem.errors[0].detail), (&cut, &cut));
        assert!(problem.detail.chars().count() <= PROBLEM_TEXT_CHARS_MAX + 1);
        let wrong = FieldError { pointer: "/a".into(), code: "c".into(), detail: "d".into() };
        for (count, kept) in [(PROBLEM_ERRORS_MAX, 0), (PROBLEM_ERRORS_MAX + 1, 1)] {
            let problem = Problem::invalid(vec![wrong.clone(); count]);
            assert_eq!(problem.errors.len(), count - kept);
            assert!(problem.detail.starts_with(&count.to_string()), "{}", problem.detail);
        }
    }

    #[test]
    fn body_repeats_status_and_omits_what_does_not_apply() {
        let mut problem = Problem::conflict("price.changed", "It costs more now.");
        problem.trace_id = "t".into();
        let body = serde_json::to_value(&*problem).unwrap();
        assert_eq!(body["status"], 409);
        assert_eq!(body["type"], "urn:holdfast:problem:price.changed");
        assert!(body.get("errors").is_none() && body.get("retry_after_s").is_none());
    }
}
