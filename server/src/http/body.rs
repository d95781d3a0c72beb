//! Request bodies: one strict JSON reader for every door that takes an object.
//!
//! 415 for another media type, 413 past the bound, 400 for text that is not JSON, 422 with a
//! pointer for JSON of the wrong shape. Unknown fields are of the wrong shape.

use axum::extract::{FromRequest, Request};
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::limits::BODY_BYTES_MAX;
use crate::problem::Problem;

/// A JSON body of type `T`.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        expect_json(request.headers())?;
        refuse_encoding(request.headers())?;
        let bytes = read(request).await?;
        parse(&bytes).map(Self)
    }
}

/// A JSON body of type `T`, or nothing at all.
#[derive(Debug)]
pub struct MaybeJson<T>(pub Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let json = expect_json(request.headers());
        refuse_encoding(request.headers())?;
        let bytes = read(request).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        json?;
        parse(&bytes).map(|value| Self(Some(value)))
    }
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = found.map(|text| text.split(';').next().unwrap_or_default().trim());
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.media_type",
            "Send the body as `Content-Type: application/json`.",
        )),
    }
}

fn refuse_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING).map(http::HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.content_encoding",
            "Send this body uncompressed; only bulk streams take gzip.",
        )),
    }
}

async fn read(request: Request) -> Result<bytes::Bytes, Problem> {
    match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request.too_large",
            format!("The body is larger than {BODY_BYTES_MAX} bytes."),
        )),
        Err(_) => Err(Problem::bad_request("request.malformed", "The body was cut short.")),
    }
}

/// Reads `bytes` as a `T`; also for the lines of a bulk stream.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| shape(&error, bytes))?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::bad_request("request.malformed", format!("The body is not valid JSON: {error}."))
}

fn shape(error: &serde_path_to_error::Error<serde_json::Error>, bytes: &[u8]) -> Problem {
    let inner = error.inner();
    // A wrong shape where one of several is wanted is reported like bad syntax; the bytes decide.
    let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    if !inner.is_data() && !is_json() {
        return malformed(inner);
    }
    let message = inner.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let mut pointer = pointer(error.path());
    let code = if let Some(name) = quoted(message, "unknown field `") {
        if !pointer.ends_with(&format!("/{}", escape(name))) {
            pointer = format!("{pointer}/{}", escape(name));
        }
        "field.unknown"
    } else if let Some(name) = quoted(message, "missing field `") {
        pointer = format!("{pointer}/{}", escape(name));
        "field.missing"
    } else if message.starts_with("duplicate field") {
        "field.duplicate"
    } else {
        "field.invalid"
    };
    Problem::field(&pointer, code, message)
}

fn quoted<'m>(message: &'m str, before: &str) -> Option<&'m str> {
    message.strip_prefix(before)?.split('`').next()
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escape(key)),
        Segment::Enum { variant } => format!("{pointer}/{}", escape(variant)),
        Segment::Unknown => pointer,
    })
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Outer {
        lines: Vec<Inner>,
        #[serde(default)]
        way: Option<Way>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Way {
        One(u8),
        Other(u8),
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        quantity: u16,
    }

    #[test]
    fn each_wrong_shape_names_its_place() {
        let cases: [(&str, u16, &str, &str); 10] = [
            (
                r#"{"lines":[{"quantity":1},{"quantity":"x"}]}"#,
                422,
                "/lines/1/quantity",
                "field.invalid",
            ),
            (r#"{"lines":[{"quantity":70000}]}"#, 422, "/lines/0/quantity", "field.invalid"),
            (r#"{"lines":[{"qty":1}]}"#, 422, "/lines/0/qty", "field.unknown"),
            (r#"{"lines":[{}]}"#, 422, "/lines/0/quantity", "field.missing"),
            (r#"{"a/b~":1}"#, 422, "/a~1b~0", "field.unknown"),
            (r#"{"lines":[],"way":{}}"#, 422, "/way", "field.invalid"),
            (r#"{"lines":[],"way":{"one":1,"other":2}}"#, 422, "/way", "field.invalid"),
            (r#"{"lines":["#, 400, "", "request.malformed"),
            (r#"{"lines":[]} x"#, 400, "", "request.malformed"),
            ("", 400, "", "request.malformed"),
        ];
        for (text, status, pointer, code) in cases {
            let problem = parse::<Outer>(text.as_bytes()).unwrap_err();
            assert_eq!(problem.status.as_u16(), status, "{text}");
            assert_eq!(problem.code, code, "{text}");
            let found = problem.errors.first().map_or("", |error| error.pointer.as_str());
            assert_eq!(found, pointer, "{text}");
        }
    }
}
