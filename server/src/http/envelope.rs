//! What surrounds every door: trace, position, time limit, panics, problem bodies, metrics.
//!
//! A read is as fresh as its request asks: `Min-Engine-Index` (what the client has seen), `Max-Engine-Age`
//! (milliseconds), or `Engine-Read: linearizable` (a read index of its own, on any node).
//!
//! **Invariant:** no reply leaves without `Engine-Index` and `traceparent`, `Engine-Age` is never less than the
//! age of what was read, and no panic's text leaves at all.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::time::timeout;

use super::trace::{TRACEPARENT, Trace};
use crate::clock;
use crate::idempotency::REPLAYED;
use crate::limits::{FRESH_WAIT, REQUEST_TIMEOUT};
use crate::problem::{Problem, Unrendered};
use crate::state::AppState;

pub const ENGINE_INDEX: &str = "engine-index";
pub const MIN_ENGINE_INDEX: &str = "min-engine-index";
/// How old, in milliseconds, the state may be that the reply rests on: whatever was committed longer ago is in
/// it. Not there while no leader has confirmed the node's state since its start.
pub const ENGINE_AGE: &str = "engine-age";
pub const MAX_ENGINE_AGE: &str = "max-engine-age";
pub const ENGINE_READ: &str = "engine-read";

/// The position a reply rests on, where it is later than the one the request began at.
#[derive(Debug, Clone, Copy)]
pub struct Position(pub u64);

/// Marks a reply as the repetition of a stored one.
#[derive(Debug, Clone, Copy)]
pub struct Replayed;

/// A position as shown outside: opaque, one text per log index.
pub fn position_text(index: u64) -> String {
    // The leading 0 is the Raft group.
    format!("0.{index}")
}

pub fn parse_position(text: &str) -> Option<u64> {
    let (group, index) = text.split_once('.')?;
    (group == "0").then(|| index.parse().ok()).flatten()
}

/// Wraps every door of the public listener.
pub async fn wrap(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = clock::instant();
    let trace = Trace::of(request.headers());
    request.extensions_mut().insert(trace);
    let method = request.method().clone();
    let door = request.extensions().get::<MatchedPath>().cloned();
    let fresh = fresh_enough(request.headers(), &state).await;
    // Taken before anything is read: what is applied meanwhile makes the reply no older than this says.
    let whole_as_of = state.node().whole_as_of();
    let response = match fresh {
        Err(problem) => problem.into_response(),
        Ok(index) => {
            let mut response = guarded(request, next).await;
            if response.extensions().get::<Position>().is_none_or(|shown| shown.0 < index) {
                response.extensions_mut().insert(Position(index));
            }
            response
        }
    };
    let mut response = finish(response, &trace, &state);
    if let Some(whole_as_of) = whole_as_of {
        let age = millis_up(state.node().age_of(whole_as_of));
        response.headers_mut().insert(ENGINE_AGE, HeaderValue::from(age));
    }
    let door = door.as_ref().map_or("none", MatchedPath::as_str);
    record(door, &method, response.status(), started.elapsed(), &trace);
    response
}

/// Waits until this node's state is as fresh as the request asks; the position the reply rests on at least.
async fn fresh_enough(headers: &HeaderMap, state: &AppState) -> Result<u64, Problem> {
    let index = wait_for_position(headers, state).await?;
    let index = match headers.get(ENGINE_READ).map(HeaderValue::as_bytes) {
        None => index,
        Some(b"linearizable") => index.max(read_index(state).await?),
        Some(_) => {
            return Err(Problem::bad_request(
                "engine.read",
                "Engine-Read knows `linearizable` only.",
            ));
        }
    };
    let Some(most) = headers.get(MAX_ENGINE_AGE) else { return Ok(index) };
    let most = most.to_str().ok().and_then(|text| text.parse::<u128>().ok()).ok_or_else(|| {
        Problem::bad_request("engine.age", "Max-Engine-Age must be a whole number of milliseconds.")
    })?;
    if state.node().age().is_some_and(|age| u128::from(millis_up(age)) <= most) {
        return Ok(index);
    }
    // It may be older for all this node knows: whether it is, the leader says.
    match timeout(FRESH_WAIT, state.node().read_point()).await {
        Ok(Ok(point)) => Ok(index.max(point.index)),
        Ok(Err(_)) | Err(_) => Err(Problem::unavailable(
            "engine.behind",
            "This node's state may be older than you allow; ask another one, or try again.",
            1,
        )),
    }
}

/// A bound stays one in whole milliseconds.
pub fn millis_up(age: Duration) -> u64 {
    u64::try_from(age.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

async fn read_index(state: &AppState) -> Result<u64, Problem> {
    let point = state.node().read_point().await.map_err(|error| {
        tracing::warn!(%error, "a linearizable read could not be confirmed");
        Problem::unavailable("engine.no_leader", "No node can confirm a read right now.", 1)
    })?;
    Ok(point.index)
}

/// Waits until this node has what the client has seen; the position the reply rests on at least.
async fn wait_for_position(headers: &HeaderMap, state: &AppState) -> Result<u64, Problem> {
    let Some(value) = headers.get(MIN_ENGINE_INDEX) else {
        return Ok(state.reader().applied_index());
    };
    let wanted = value.to_str().ok().and_then(parse_position).ok_or_else(|| {
        Problem::bad_request(
            "engine.position",
            "Min-Engine-Index must be an Engine-Index of an earlier reply.",
        )
    })?;
    if state.node().wait_applied(wanted, FRESH_WAIT).await {
        return Ok(state.reader().applied_index());
    }
    Err(Problem::unavailable(
        "engine.behind",
        "This node has not yet got to the position you have seen; try again.",
        1,
    ))
}

async fn guarded(request: Request, next: Next) -> Response {
    let door = AssertUnwindSafe(next.run(request)).catch_unwind();
    match timeout(REQUEST_TIMEOUT, door).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            // The panic hook has logged message and place.
            metrics::counter!("holdfast_http_panics_total").increment(1);
            Problem::internal().into_response()
        }
        Err(_elapsed) => Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "request.timeout",
            "This took too long. Whether it took effect is not known; send it again with the same \
             Idempotency-Key to learn its outcome.",
        )
        .into_response(),
    }
}

fn finish(mut response: Response, trace: &Trace, state: &AppState) -> Response {
    let mut index = response.extensions_mut().remove::<Position>().map(|position| position.0);
    let mut replayed = response.extensions_mut().remove::<Replayed>().is_some();
    let mut response = match response.extensions_mut().remove::<Unrendered>() {
        None => response,
        Some(Unrendered(problem)) => {
            index = index.max(problem.index);
            replayed |= problem.replayed;
            // What the router added (Allow on 405) stays.
            let mut rendered = problem.render(&trace.id());
            for (name, value) in response.headers() {
                if name != http::header::CONTENT_LENGTH {
                    rendered.headers_mut().entry(name).or_insert_with(|| value.clone());
                }
            }
            rendered
        }
    };
    let headers = response.headers_mut();
    headers.insert(TRACEPARENT, trace.header());
    let index = index.unwrap_or_else(|| state.reader().applied_index());
    if let Ok(value) = HeaderValue::from_str(&position_text(index)) {
        headers.insert(ENGINE_INDEX, value);
    }
    if replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

fn record(door: &str, method: &Method, status: StatusCode, elapsed: Duration, trace: &Trace) {
    let labels = [
        ("door", door.to_owned()),
        ("method", known_method(method).to_owned()),
        ("status", status.as_str().to_owned()),
    ];
    metrics::counter!("holdfast_http_requests_total", &labels).increment(1);
    metrics::histogram!("holdfast_http_request_seconds", "door" => door.to_owned()).record(elapsed);
    let trace_id = || trace.id();
    if status == StatusCode::GATEWAY_TIMEOUT {
        // Somebody else took too long; the request's own key will tell its end.
        tracing::warn!(%method, door, trace_id = trace_id(), "no answer in time");
    } else if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(%method, door, status = status.as_u16(), trace_id = trace_id(), "failed");
    } else {
        tracing::debug!(
            %method,
            door,
            status = status.as_u16(),
            elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            trace_id = tracing::field::display(trace_id()),
            "served"
        );
    }
}

/// A label with few values, whatever clients send.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// 404 for a path that is no door.
pub async fn no_such_route(uri: http::Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "route.not_found",
        format!("There is nothing at {}; `/docs` shows what there is.", uri.path()),
    )
}

/// 405 for a door that does not take this method.
pub async fn no_such_method(method: Method, uri: http::Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "route.method_not_allowed",
        format!("{} does not take {method}; `Allow` names what it takes.", uri.path()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_round_trip_and_other_texts_do_not() {
        assert_eq!(parse_position(&position_text(42)), Some(42));
        for text in ["", "42", "1.42", "0.", "0.-1", "0.x"] {
            assert_eq!(parse_position(text), None, "{text}");
        }
    }
}
