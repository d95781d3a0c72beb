//! What came back: status, headers, whole body, and the problem it may describe.

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Error;
use super::request::text;

/// One whole reply, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A definite reply and how many times the request was sent for it.
#[derive(Clone, Debug)]
pub struct Settled {
    pub reply: Reply,
    pub attempts: u32,
}

impl Reply {
    pub(super) fn new(head: http::response::Parts, body: Bytes) -> Self {
        Self { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Json(error.to_string()))
    }

    /// The body as `T`, or the refusal as an error.
    pub fn ok<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if self.is_success() { self.json() } else { Err(self.refusal()) }
    }

    /// One string field of a JSON object body.
    pub fn field(&self, name: &str) -> Option<String> {
        let body: Value = self.json().ok()?;
        Some(body.get(name)?.as_str()?.to_owned())
    }

    /// The problem's dotted code; `http.<status>` where the reply has none.
    pub fn code(&self) -> String {
        self.field("code").unwrap_or_else(|| format!("http.{}", self.status))
    }

    pub fn refusal(&self) -> Error {
        let detail = self.field("detail").unwrap_or_else(|| {
            String::from_utf8_lossy(&self.body).chars().take(200).collect::<String>()
        });
        Error::Refused { status: self.status, code: self.code(), detail }
    }

    /// One header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        text(&self.headers, name)
    }

    /// `Retry-After` in seconds (the doors never send the date form).
    pub fn retry_after_s(&self) -> Option<u64> {
        self.header("retry-after")?.trim().parse().ok()
    }
}
