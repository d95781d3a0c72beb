//! `/v1/ops/members` and `/v1/ops/leader`: who belongs to the cluster and who leads, and changes to that,
//! at any node. The same in metrics.

use axum::Json;
use axum::extract::{Path, State};
use holdfast_replication::{Change, ChangeError, MemberRole, MemberStatus, Node};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Operator;
use crate::http::body::Json as Given;
use crate::http::envelope::millis_up;
use crate::problem::Problem;
use crate::state::AppState;

/// A member of the cluster, as `holdfast admin member list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub node: u64,
    /// `leader`, `voter` or `learner`.
    pub role: String,
    /// Where the other nodes reach it.
    pub address: String,
    /// Index up to which it has the leader's log, where the leader was asked.
    pub matched_index: Option<u64>,
    /// How long ago the leader heard of it, in milliseconds.
    pub heard_ms: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    pub items: Vec<Member>,
}

/// A node to add as a learner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    pub node: u64,
    pub address: String,
}

/// Who shall lead; the most advanced other voter where nobody is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    pub to: Option<u64>,
}

impl From<MemberStatus> for Member {
    fn from(member: MemberStatus) -> Self {
        let role = match member.role {
            MemberRole::Leader => "leader",
            MemberRole::Voter => "voter",
            MemberRole::Learner => "learner",
        };
        Self {
            node: member.node,
            role: role.to_owned(),
            address: member.address,
            matched_index: member.matched,
            heard_ms: member.heard.map(millis_up),
        }
    }
}

pub(super) async fn list(_: Operator, State(state): State<AppState>) -> Json<Members> {
    Json(listed(state.node()).await)
}

pub(super) async fn add(
    _: Operator,
    State(state): State<AppState>,
    Given(asked): Given<NewMember>,
) -> Result<Json<Members>, Problem> {
    let NewMember { node, address } = asked;
    change(&state, Change::AddLearner { node, address }).await
}

pub(super) async fn promote(
    _: Operator,
    State(state): State<AppState>,
    Path(node): Path<String>,
) -> Result<Json<Members>, Problem> {
    let node = node.parse().map_err(|_| Problem::not_found("member"))?;
    change(&state, Change::Promote { node }).await
}

pub(super) async fn remove(
    _: Operator,
    State(state): State<AppState>,
    Path(node): Path<String>,
) -> Result<Json<Members>, Problem> {
    let node = node.parse().map_err(|_| Problem::not_found("member"))?;
    change(&state, Change::Remove { node }).await
}

pub(super) async fn transfer(
    _: Operator,
    State(state): State<AppState>,
    Given(asked): Given<Transfer>,
) -> Result<Json<Members>, Problem> {
    change(&state, Change::Lead { to: asked.to }).await
}

async fn change(state: &AppState, change: Change) -> Result<Json<Members>, Problem> {
    tracing::info!(?change, "an operator changes the cluster");
    match state.node().change(change).await {
        Ok(()) => Ok(Json(listed(state.node()).await)),
        Err(ChangeError::Refused(why)) => {
            Err(Problem::new(StatusCode::CONFLICT, "cluster.refused", why))
        }
        Err(error @ ChangeError::NotLeader { .. }) => {
            Err(Problem::unavailable("engine.no_leader", error.to_string(), 1))
        }
        Err(error @ ChangeError::Unknown(_)) => {
            Err(Problem::unavailable("engine.outcome_unknown", error.to_string(), 1))
        }
    }
}

async fn listed(node: &Node) -> Members {
    Members { items: node.members().await.into_iter().map(Member::from).collect() }
}

/// The cluster in metrics: each node's own view, and on the leader how far behind the others are.
#[expect(clippy::cast_precision_loss, reason = "gauges; exact up to 2^53")]
pub(super) async fn show(state: &AppState) {
    let node = state.node();
    let status = node.status();
    metrics::gauge!("holdfast_term").set(status.term as f64);
    metrics::gauge!("holdfast_leads").set(f64::from(u8::from(node.leads())));
    metrics::gauge!("holdfast_leader_node").set(status.leader.unwrap_or(0) as f64);
    metrics::gauge!("holdfast_log_age_seconds").set(status.quiet.as_secs_f64());
    if let Some(age) = status.age {
        metrics::gauge!("holdfast_state_age_seconds").set(age.as_secs_f64());
    }
    metrics::gauge!("holdfast_stuck").set(f64::from(u8::from(status.stuck.is_some())));
    metrics::gauge!("holdfast_disk_free_bytes").set(status.disk_free as f64);
    if !node.leads() {
        return;
    }
    let last = status.last_log.unwrap_or(0);
    for member in node.members().await {
        let label = member.node.to_string();
        if let Some(matched) = member.matched {
            let lag = last.saturating_sub(matched);
            metrics::gauge!("holdfast_member_lag_entries", "node" => label.clone()).set(lag as f64);
        }
        if let Some(heard) = member.heard {
            metrics::gauge!("holdfast_member_heard_seconds", "node" => label)
                .set(heard.as_secs_f64());
        }
    }
}
