//! `POST /v1/ops/verify`: folds the node's own log once more and tells what was found; `GET
//! /v1/ops/digest`: the digest of the node's state.
//!
//! The fold runs on a thread of its own and ends when the caller hangs up. **Invariant:** one at a time: it
//! takes as much memory as the node's state.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use holdfast_replication::verify::{GiveUp, Scope, VerifyError};
use holdfast_replication::{Node, Progress};
use http::{HeaderValue, header};
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use super::Operator;
use crate::http::query::Query;
use crate::limits::VERIFY_TELL_EVERY;
use crate::problem::Problem;
use crate::state::AppState;
use crate::wire::verified::{DigestAt, Line, Report, parts};

/// Lines that wait for a slow caller.
const LINES_MAX: usize = 4;

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Check from this index on.
    #[serde(default)]
    from: u64,
    /// Look at everything after every entry.
    #[serde(default)]
    full: bool,
    /// Compare the result with the digest of the node's own state; writes wait while that is taken.
    #[serde(default)]
    compare: bool,
}

pub(super) async fn digest(
    _: Operator,
    State(state): State<AppState>,
) -> Result<Json<DigestAt>, Problem> {
    let digest = state.node().digest().await;
    let (index, digest) = digest.map_err(|error| {
        tracing::error!(%error, "no digest can be taken");
        Problem::internal()
    })?;
    Ok(Json(DigestAt { index, parts: parts(&digest) }))
}

pub(super) async fn verify(
    _: Operator,
    State(state): State<AppState>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let Ok(alone) = Arc::clone(state.verifying()).try_acquire_owned() else {
        return Err(Problem::conflict("verify.running", "A verification is under way already."));
    };
    let (lines, receiver) = mpsc::channel(LINES_MAX);
    tokio::spawn(tell(state.node().clone(), asked, alone, lines));
    let body = Body::from_stream(stream::unfold(receiver, async |mut receiver| {
        let line: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(line), receiver))
    }));
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    Ok(([(header::CONTENT_TYPE, ndjson)], body).into_response())
}

/// Folds and tells of it, until the end or until nobody listens.
async fn tell(node: Node, asked: Asked, alone: OwnedSemaphorePermit, lines: mpsc::Sender<Bytes>) {
    let give_up = GiveUp::default();
    let given_up = give_up.flag();
    let (progress, watched) = watch::channel(Progress { applied: 0, last: 0 });
    let runtime = Handle::current();
    let mut fold = tokio::task::spawn_blocking(move || {
        // Given back when the fold has ended, not when its caller has gone.
        let _alone = alone;
        let mut told = |now: Progress| {
            progress.send_replace(now);
            !given_up()
        };
        fold(&node, asked, &runtime, &mut told)
    });
    let mut tick = tokio::time::interval(VERIFY_TELL_EVERY);
    loop {
        tokio::select! {
            ended = &mut fold => {
                let ended = ended.unwrap_or_else(|panic| Err(VerifyError::Panicked(panic.to_string())));
                let last = match ended {
                    Ok(report) => Line::Report(Box::new(report)),
                    Err(error) => Line::Failed(error.to_string()),
                };
                // Whoever has gone does not want to know.
                let _ = lines.send(line(&last)).await;
                return;
            }
            _ = tick.tick() => {
                let Progress { applied, last } = *watched.borrow();
                // A caller that reads slowly misses progress, not the end.
                let _ = lines.try_send(line(&Line::Progress { applied, last }));
            }
            () = lines.closed() => return,
        }
    }
}

fn fold(
    node: &Node,
    asked: Asked,
    runtime: &Handle,
    told: &mut dyn FnMut(Progress) -> bool,
) -> Result<Report, VerifyError> {
    let scope = Scope { from: asked.from, full: asked.full };
    if asked.compare {
        let take = || runtime.block_on(node.digest());
        let (verified, digest) = node.verify_against(scope, take, told)?;
        return Ok(Report::new(scope, &verified, Some(&digest)));
    }
    node.verify(scope, told).map(|verified| Report::new(scope, &verified, None))
}

fn line(line: &Line) -> Bytes {
    // Our own types serialize without fail; a line without words would still be a line.
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text.into()
}
