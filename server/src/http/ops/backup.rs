//! `POST /v1/ops/backup`: writes a backup now, and the metrics of the one that goes on.
//!
//! It owns the call; what is written is [`crate::backup`]'s. One call at a time: each takes a snapshot.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Operator;
use crate::backup::archiver::{Archiver, Error};
use crate::backup::place::Place;
use crate::http::body::Json as Given;
use crate::problem::Problem;
use crate::state::AppState;
use crate::wire::instant;

/// Where to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// `s3://bucket/prefix`, `file:///directory` or a directory of the node's machine; the configured place
    /// where nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What is there now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    pub to: String,
    /// The last entry in the snapshot that was taken.
    pub snapshot_index: u64,
    pub snapshot_bytes: u64,
    /// The last entry in the backup.
    pub last_index: u64,
    /// RFC 3339, the log's clock there.
    pub log_time: String,
    /// Pieces of the log that were written.
    pub pieces: u64,
}

pub(super) async fn write(
    _: Operator,
    State(state): State<AppState>,
    Given(asked): Given<Asked>,
) -> Result<Json<BackedUp>, Problem> {
    let Ok(alone) = Arc::clone(state.verifying()).try_acquire_owned() else {
        return Err(Problem::conflict(
            "backup.running",
            "A backup or a verification is under way.",
        ));
    };
    let configured = || state.config().backup.as_ref().map(|backup| backup.to.clone());
    let Some(to) = asked.to.or_else(configured) else {
        return Err(refused("no place is given, and none is configured".to_owned()));
    };
    let place = Place::open(&to, true).map_err(|error| refused(format!("{error:#}")))?;
    let archiver = Archiver::once(state.backup_source(place));
    // A caller that hangs up does not leave half of it behind.
    let written = tokio::spawn(async move {
        let _alone = alone;
        write_to(archiver, to).await
    });
    let written = written.await.unwrap_or(Err(Error::Ended));
    written.map(Json).map_err(|error| {
        tracing::error!(%error, "no backup was written");
        refused(error.to_string())
    })
}

async fn write_to(mut archiver: Archiver, to: String) -> Result<BackedUp, Error> {
    let (done, snapshot) = archiver.whole().await?;
    let tip = archiver.tip().ok_or(Error::Nothing)?;
    Ok(BackedUp {
        to,
        snapshot_index: snapshot.index,
        snapshot_bytes: snapshot.bytes,
        last_index: tip.next.saturating_sub(1),
        log_time: instant::utc(tip.to_ms),
        pieces: done.pieces,
    })
}

fn refused(why: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, "backup.refused", why)
}

/// What the metrics say of the backup that goes on.
#[expect(clippy::cast_precision_loss, reason = "gauges; exact up to 2^53")]
pub(super) fn show(state: &AppState) {
    if state.config().backup.is_none() {
        return;
    }
    let report = state.backup().report();
    let now = state.now_ms();
    let age = |since_ms: u64| now.saturating_sub(since_ms) as f64 / 1_000.0;
    if let Some(last) = report.last_index {
        metrics::gauge!("holdfast_backup_age_seconds").set(age(report.to_ms));
        metrics::gauge!("holdfast_backup_last_index").set(last as f64);
    }
    if let Some(written_ms) = report.snapshot_ms {
        metrics::gauge!("holdfast_backup_snapshot_age_seconds").set(age(written_ms));
    }
    metrics::gauge!("holdfast_backup_failing").set(f64::from(u8::from(report.failing.is_some())));
    metrics::counter!("holdfast_backup_failures_total").absolute(report.failures);
    metrics::counter!("holdfast_backup_holes_total").absolute(report.holes);
    metrics::counter!("holdfast_backup_bytes_total").absolute(report.bytes);
}
