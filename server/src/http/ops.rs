//! The operators' listener: health, readiness, metrics, and calls behind the operator token.
//!
//! It stands on loopback unless configured otherwise and knows no guest and no partner.

pub mod backup;
pub mod members;
mod snapshot;
mod verify;

use axum::extract::{FromRequestParts, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Router, extract::Request};
use http::request::Parts;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::envelope::{millis_up, no_such_method, no_such_route};
use super::trace::{TRACEPARENT, Trace};
use crate::problem::{Problem, Unrendered};
use crate::state::AppState;
use crate::telemetry;

/// What `holdfast admin status` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// `starting`, `loading`, `serving` or `stopping`.
    pub phase: String,
    pub version: String,
    pub node: u64,
    /// `leader`, `follower`, `candidate`, `learner` or `stopped`.
    pub role: String,
    pub term: u64,
    /// Id of the node that leads, where that is known.
    pub leader: Option<u64>,
    /// How old this node's state is at most, in milliseconds; not known before a leader has confirmed it.
    pub age_ms: Option<u64>,
    /// Why this node should get no traffic, where that is so.
    pub stuck: Option<String>,
    /// The log begins with it: what is before was cut off, and lies in a snapshot.
    pub first_index: u64,
    pub last_index: u64,
    pub applied_index: u64,
    /// Commands that wait to be proposed.
    pub queued: usize,
    /// RFC 3339, the log's clock.
    pub log_time: String,
    /// Nights that can be sold from today on.
    pub horizon_nights: u16,
    pub hotels: u32,
}

pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/v1/ops/status", get(status))
        .route("/v1/ops/members", get(members::list).post(members::add))
        .route("/v1/ops/members/{node}", delete(members::remove))
        .route("/v1/ops/members/{node}/promote", post(members::promote))
        .route("/v1/ops/leader", post(members::transfer))
        .route("/v1/ops/verify", post(verify::verify))
        .route("/v1/ops/snapshot", post(snapshot::take))
        .route("/v1/ops/digest", get(verify::digest))
        .route("/v1/ops/backup", post(backup::write))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(render))
        .with_state(state)
}

/// Turns problems into bodies; the public envelope's other duties do not apply here.
async fn render(request: Request, next: Next) -> Response {
    let trace = Trace::of(request.headers());
    let mut response = next.run(request).await;
    if let Some(Unrendered(problem)) = response.extensions_mut().remove::<Unrendered>() {
        response = problem.render(&trace.id());
    }
    response.headers_mut().insert(TRACEPARENT, trace.header());
    response
}

async fn ready(State(state): State<AppState>) -> Response {
    let (phase, stuck) = (state.readiness().name(), state.node().status().stuck);
    let is_ready = state.readiness().is_ready() && stuck.is_none();
    let code = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let text = match stuck {
        None => format!("{phase}\n"),
        Some(why) => format!("{phase}: {why}\n"),
    };
    (code, text).into_response()
}

async fn metrics(State(state): State<AppState>) -> Response {
    #[expect(clippy::cast_precision_loss, reason = "a gauge; exact up to 2^53 entries")]
    metrics::gauge!("holdfast_applied_index").set(state.reader().applied_index() as f64);
    show_clocks(&state);
    snapshot::show(&state);
    backup::show(&state);
    members::show(&state).await;
    let text = telemetry::metrics().render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

#[expect(clippy::cast_precision_loss, reason = "gauges; exact up to 2^53")]
fn show_clocks(state: &AppState) {
    let status = state.node().status();
    metrics::gauge!("holdfast_clock_skew_seconds").set(status.clock.skew_ms as f64 / 1_000.0);
    metrics::gauge!("holdfast_clock_alarm").set(f64::from(u8::from(status.clock.alarm)));
    metrics::gauge!("holdfast_guard_lag_seconds").set(status.guard.now.as_secs_f64());
    metrics::gauge!("holdfast_guard_lag_longest_seconds").set(status.guard.longest.as_secs_f64());
    let impossible = metrics::counter!("holdfast_invariant_refusals_total");
    impossible.absolute(status.invariant_refusals);
}

/// Somebody who can read the data directory.
struct Operator;

impl FromRequestParts<AppState> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let given = parts.headers.get(header::AUTHORIZATION).map(http::HeaderValue::as_bytes);
        let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
        // Digests, so that the time of the comparison says nothing about the token.
        let known = blake3::hash(state.operator_token().as_bytes());
        match given.map(blake3::hash) {
            Some(digest) if digest == known => Ok(Self),
            _ => Err(Problem::unauthorized(
                "auth.invalid",
                "This call needs the operator token, kept in the data directory.",
            )),
        }
    }
}

async fn status(_: Operator, State(state): State<AppState>) -> axum::Json<NodeStatus> {
    let node = state.node().status();
    axum::Json(NodeStatus {
        phase: state.readiness().name().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: node.node,
        role: format!("{:?}", node.role).to_lowercase(),
        term: node.term,
        leader: node.leader,
        age_ms: node.age.map(millis_up),
        stuck: node.stuck.map(|why| why.to_string()),
        first_index: node.purged.map_or(0, |purged| purged.saturating_add(1)),
        last_index: node.last_log.unwrap_or(0),
        queued: node.queued,
        applied_index: state.reader().applied_index(),
        log_time: crate::wire::instant::utc(state.now_ms()),
        horizon_nights: state.reader().settings().map_or(0, |made| made.horizon_nights),
        hotels: state.reader().hotels_count(),
    })
}
