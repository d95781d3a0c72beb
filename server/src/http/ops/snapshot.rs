//! `POST /v1/ops/snapshot`: the node writes a snapshot of its state now.
//!
//! Writes go on meanwhile. **Invariant:** one at a time, which the node sees to.

use axum::Json;
use axum::extract::State;
use holdfast_replication::SnapshotError;

use super::Operator;
use crate::problem::Problem;
use crate::state::AppState;
use crate::wire::snapshot::Taken;

pub(super) async fn take(
    _: Operator,
    State(state): State<AppState>,
) -> Result<Json<Taken>, Problem> {
    let taken = state.node().snapshot().await.map_err(|error| {
        if let SnapshotError::Running = error {
            return Problem::conflict("snapshot.running", "A snapshot is being written already.");
        }
        tracing::error!(%error, "no snapshot was written");
        Problem::internal()
    })?;
    let seconds = taken.took.as_secs_f64();
    Ok(Json(Taken { index: taken.index, bytes: taken.bytes, seconds }))
}

/// Index, size and age of the newest snapshot; nothing while there is none.
#[expect(clippy::cast_precision_loss, reason = "gauges; exact up to 2^53")]
pub(super) fn show(state: &AppState) {
    if let Some(newest) = state.node().snapshot_status() {
        metrics::gauge!("holdfast_snapshot_index").set(newest.index as f64);
        metrics::gauge!("holdfast_snapshot_bytes").set(newest.bytes as f64);
        metrics::gauge!("holdfast_snapshot_age_seconds").set(newest.age.as_secs_f64());
    }
}
