//! An HTTP/1.1 client over kept-alive connections: what `replay`, the demo loader and tests speak
//! to the doors with.
//!
//! Owns connections, their number, time limits and when a request may be sent again. Knows no
//! resource of the API and no TLS (a proxy in front of the node is where TLS ends).
//! Invariant: a request is sent a second time only if it is a read, a delete, or carries an
//! `Idempotency-Key`.

mod body;
mod lines;
mod reply;
mod request;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use http::uri::Scheme;
use http::{HeaderName, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use body::Body;
pub use lines::{Download, Upload};
pub use reply::{Reply, Settled};
pub use request::Request;

/// Where `Idempotency-Key` goes.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What one client may use of time, connections and memory.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections open at once; further requests wait for one.
    pub connections_max: usize,
    /// To connect.
    pub connect: Duration,
    /// From the first byte sent to the last byte of the reply; for line streams, between two lines.
    pub request: Duration,
    /// How long [`Client::settle`] goes on asking for a definite answer.
    pub patience: Duration,
    /// The longest reply body taken into memory.
    pub reply_bytes_max: usize,
    /// The longest line of a line stream.
    pub line_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 64,
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            patience: Duration::from_secs(120),
            reply_bytes_max: 32 << 20,
            line_bytes_max: 1 << 20,
        }
    }
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{url}: {reason}")]
    Url { url: String, reason: String },
    #[error("a header has characters that HTTP does not allow: {0}")]
    Header(String),
    #[error("no connection to {server}: {reason}")]
    Connect { server: String, reason: String },
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the answer is not the JSON expected: {0}")]
    Json(String),
    #[error("refused with {status} {code}: {detail}")]
    Refused { status: u16, code: String, detail: String },
    #[error("no definite answer after {attempts} attempts; the last: {last}")]
    Undecided { attempts: u32, last: String },
    #[error("the client is shut down")]
    Closed,
}

/// A server's address, a token and a bounded pool of connections. Clones share the pool.
#[derive(Clone, Debug)]
pub struct Client {
    pool: legacy::Client<HttpConnector, Body>,
    slots: Arc<Semaphore>,
    base: Arc<str>,
    bearer: Option<HeaderValue>,
    limits: Limits,
}

impl Client {
    /// A client of the server at `url`, such as `http://127.0.0.1:8080`. Connects with the first
    /// request.
    pub fn new(url: &str, limits: Limits) -> Result<Self, Error> {
        let base = base_of(url)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(limits.connect));
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(limits.connections_max)
            .build(connector);
        let slots = Arc::new(Semaphore::new(limits.connections_max.max(1)));
        Ok(Self { pool, slots, base: base.into(), bearer: None, limits })
    }

    /// The same server and connections, as the holder of `token`.
    pub fn with_token(&self, token: &str) -> Result<Self, Error> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.trim()))
            .map_err(|error| Error::Header(error.to_string()))?;
        bearer.set_sensitive(true);
        Ok(Self { bearer: Some(bearer), ..self.clone() })
    }

    /// Sends `request` once. After an error other than [`Error::Connect`] the server may have done
    /// it.
    pub async fn send(&self, request: &Request) -> Result<Reply, Error> {
        let _slot = self.slot().await?;
        let exchange = async {
            let response = self.open(request, request.whole_body()).await?;
            self.read_whole(response).await
        };
        match tokio::time::timeout(self.limits.request, exchange).await {
            Ok(done) => done,
            Err(_) => Err(Error::Timeout(self.limits.request)),
        }
    }

    /// Opens a stream: lines up, lines down, at the same time. `content_type` is that of the lines
    /// sent.
    pub async fn stream(&self, request: Request) -> Result<(Upload, Download), Error> {
        let slot = self.slot().await?;
        Ok(lines::open(self.clone(), request, slot))
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.slots).acquire_owned().await.map_err(|_| Error::Closed)
    }

    async fn open(&self, request: &Request, body: Body) -> Result<http::Response<Incoming>, Error> {
        let uri = Uri::try_from(format!("{}{}", self.base, request.path))
            .map_err(|error| self.bad_url(&request.path, &error.to_string()))?;
        let mut outgoing = http::Request::new(body);
        *outgoing.method_mut() = request.method.clone();
        *outgoing.uri_mut() = uri;
        for (name, value) in &request.headers {
            let value = HeaderValue::try_from(value.as_str())
                .map_err(|_| Error::Header(format!("{name}: {value}")))?;
            outgoing.headers_mut().insert(name.clone(), value);
        }
        if let Some(bearer) = &self.bearer {
            outgoing.headers_mut().insert(AUTHORIZATION, bearer.clone());
        }
        self.pool.request(outgoing).await.map_err(|error| self.failure(&error))
    }

    async fn read_whole(&self, response: http::Response<Incoming>) -> Result<Reply, Error> {
        let (head, body) = response.into_parts();
        let limit = self.limits.reply_bytes_max;
        match Limited::new(body, limit).collect().await {
            Ok(collected) => Ok(Reply::new(head, collected.to_bytes())),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err(Error::TooLong(limit))
            }
            Err(error) => Err(Error::Broken(causes(error.as_ref()))),
        }
    }

    fn failure(&self, error: &legacy::Error) -> Error {
        if error.is_connect() {
            Error::Connect { server: self.base.to_string(), reason: causes(error) }
        } else {
            Error::Broken(causes(error))
        }
    }

    fn bad_url(&self, path: &str, reason: &str) -> Error {
        Error::Url { url: format!("{}{path}", self.base), reason: reason.to_owned() }
    }
}

/// `url` without a trailing slash, if it is one this client can speak to.
fn base_of(url: &str) -> Result<String, Error> {
    let refuse = |reason: &str| Error::Url { url: url.to_owned(), reason: reason.to_owned() };
    let uri: Uri = url.parse().map_err(|_| refuse("not a URL"))?;
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => {}
        Some(scheme) if *scheme == Scheme::HTTPS => {
            return Err(refuse(
                "this client speaks plain HTTP only; give the http:// address of the node itself",
            ));
        }
        _ => return Err(refuse("the URL must start with http://")),
    }
    if uri.authority().is_none_or(|authority| authority.host().is_empty()) {
        return Err(refuse("the URL names no host"));
    }
    if uri.query().is_some() {
        return Err(refuse("the URL of a server has no query"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// An error with its causes on one line: hyper's own text rarely says what happened.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
