//! What is asked: method, path with query, headers, body. Holds no connection and no credentials.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH};
use http::{HeaderMap, Method};
use serde_json::Value;

use super::body::Body;
use super::{Client, IDEMPOTENCY_KEY};

/// A request that can be sent any number of times with the same bytes.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(HeaderName, String)>,
    body: Option<Bytes>,
}

impl Request {
    /// `path` starts with `/` and carries its query, already percent-encoded.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: None }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Sets the `Idempotency-Key`, which makes the request safe to send again.
    pub fn key(self, key: impl Into<String>) -> Self {
        self.header(IDEMPOTENCY_KEY, key)
    }

    pub fn if_match(self, etag: impl Into<String>) -> Self {
        self.header(IF_MATCH, etag)
    }

    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    pub fn bytes(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut request = self.content_type(content_type);
        request.body = Some(body.into());
        request
    }

    pub fn content_type(self, content_type: &str) -> Self {
        self.header(CONTENT_TYPE, content_type)
    }

    pub(super) fn whole_body(&self) -> Body {
        Body::Whole(self.body.clone())
    }

    /// Whether sending it twice has the effect of sending it once.
    pub(super) fn repeatable(&self) -> bool {
        self.method.is_safe()
            || self.method == Method::DELETE
            || self.headers.iter().any(|(name, _)| *name == IDEMPOTENCY_KEY)
    }
}

/// The calls most callers need, each repeated until there is a definite answer.
impl Client {
    pub async fn get(&self, path: impl Into<String>) -> Result<super::Reply, super::Error> {
        Ok(self.settle(&Request::get(path)).await?.reply)
    }

    pub async fn post(
        &self,
        path: impl Into<String>,
        key: impl Into<String>,
        body: &Value,
    ) -> Result<super::Reply, super::Error> {
        Ok(self.settle(&Request::post(path).key(key).json(body)).await?.reply)
    }
}

/// One header as text, if it is there and is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
