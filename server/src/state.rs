//! What every door shares: the node, keys, sealing, requests in flight, readiness.
//!
//! It owns wiring and the one way a command leaves a door ([`AppState::submit`]). Cheap to clone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use holdfast_engine::ids;
use holdfast_engine::{Command, Outcome, Reader, Ticket};
use holdfast_replication::{Node, SubmitError};
use holdfast_snapshot::backup::Hash;
use tokio::sync::Semaphore;

use crate::auth::Keys;
use crate::backup::archiver::Source;
use crate::backup::keeper::Told;
use crate::backup::place::Place;
use crate::config::Config;
use crate::data_dir::Secrets;
use crate::http::guest::hotel_names::HotelNames;
use crate::http::refusal;
use crate::idempotency::InFlight;
use crate::payment::Payments;
use crate::problem::Problem;
use crate::seal::{Sealer, key_name};
use crate::{clock, random};

/// Shared by all doors of a node.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    node: Node,
    keys: Keys,
    sealer: Sealer,
    operator_token: zeroize::Zeroizing<String>,
    in_flight: InFlight,
    payments: Payments,
    hotel_names: HotelNames,
    readiness: Readiness,
    /// Whoever verifies the log holds it.
    verifying: Arc<Semaphore>,
    config: Config,
    /// Names the deployment, and the key that opens guests' data, in backups.
    backed_up_as: (u128, Hash),
    backup: Arc<Told>,
}

/// A command's outcome, past its refusals.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Log index of the entry that holds it; for a replay, the position of this node.
    pub index: u64,
    pub outcome: Outcome,
    /// The key was used before; this is the first answer.
    pub replayed: bool,
}

impl AppState {
    pub fn new(node: Node, config: Config, cluster_id: &str, secrets: &Secrets) -> Self {
        let readiness = Readiness::new(node.in_cluster(), config.ready_after_load);
        Self(Arc::new(Inner {
            node,
            keys: Keys::new(cluster_id, &secrets.signing_seed),
            sealer: Sealer::new(&secrets.deployment_key),
            operator_token: secrets.operator_token.clone(),
            in_flight: InFlight::new(),
            payments: Payments::mock(),
            hotel_names: HotelNames::new(),
            readiness,
            verifying: Arc::new(Semaphore::new(1)),
            config,
            backed_up_as: (
                u128::from_str_radix(cluster_id, 16).unwrap_or(0),
                Hash(key_name(&secrets.deployment_key)),
            ),
            backup: Arc::default(),
        }))
    }

    /// Other payment providers than the mock. At start, before the state is shared with any door.
    #[must_use]
    pub fn with_payments(mut self, payments: Payments) -> Self {
        match Arc::get_mut(&mut self.0) {
            Some(inner) => inner.payments = payments,
            None => tracing::error!("payment providers were named after the doors had opened"),
        }
        self
    }

    pub fn node(&self) -> &Node {
        &self.0.node
    }

    pub fn reader(&self) -> &Reader {
        self.0.node.reader()
    }

    /// The log's clock, milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.0.node.now_ms()
    }

    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    pub fn operator_token(&self) -> &str {
        &self.0.operator_token
    }

    pub fn in_flight(&self) -> &InFlight {
        &self.0.in_flight
    }

    pub fn payments(&self) -> &Payments {
        &self.0.payments
    }

    pub fn hotel_names(&self) -> &HotelNames {
        &self.0.hotel_names
    }

    pub fn readiness(&self) -> &Readiness {
        &self.0.readiness
    }

    pub fn verifying(&self) -> &Arc<Semaphore> {
        &self.0.verifying
    }

    /// What the backup that goes on tells.
    pub fn backup(&self) -> &Arc<Told> {
        &self.0.backup
    }

    /// This node's log and state, for a backup at `place`.
    pub fn backup_source(&self, place: Place) -> Source {
        let (cluster, keys) = self.0.backed_up_as;
        Source { place, node: self.node().clone(), cluster, keys }
    }

    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// A fresh id in Raft group `group`; the group of an owner's id for what belongs to it.
    pub fn mint(&self, group: u16) -> u128 {
        ids::mint(clock::wall_ms(), group, random::bits())
    }

    /// Puts a command in the log and waits for its outcome. A refusal comes back as its problem.
    pub async fn submit(
        &self,
        command: Command,
        ticket: Option<Ticket>,
    ) -> Result<Applied, Problem> {
        let keyed = command.idempotency.is_some();
        let again = self.node().in_cluster().then(|| command.clone());
        let submitted = match (self.node().submit(command, ticket).await, again) {
            // The lead was lost before it was proposed: it goes to whoever leads next.
            (Err(SubmitError::NotLeader { .. }), Some(command)) => {
                self.node().submit(command, None).await
            }
            (submitted, _) => submitted,
        };
        let applied = submitted.map_err(|error| not_applied(&error, keyed))?;
        self.settle(applied.outcome, applied.index)
    }

    /// Puts a bulk command in the log, waiting for room where there is none.
    pub async fn submit_bulk(&self, command: Command) -> Result<Applied, Problem> {
        let keyed = command.idempotency.is_some();
        let fail = |error| not_applied(&error, keyed);
        let many = self.node().submit_many(vec![command]).await.map_err(fail)?;
        let mut many = many.await.map_err(fail)?;
        let outcome = many.outcomes.pop().ok_or_else(Problem::internal)?;
        self.settle(outcome, many.index)
    }

    /// An outcome as doors want it: replays unwrapped and marked, refusals as problems.
    pub fn settle(&self, outcome: Outcome, index: u64) -> Result<Applied, Problem> {
        let (outcome, replayed) = match outcome {
            Outcome::Replayed(first) => (Outcome::clone(&first), true),
            outcome => (outcome, false),
        };
        match outcome {
            Outcome::Refused(refusal) => {
                let mut problem = refusal::problem(&refusal, self.reader());
                problem.replayed = replayed;
                problem.index = Some(index);
                Err(problem)
            }
            outcome => Ok(Applied { index, outcome, replayed }),
        }
    }
}

/// What to tell a caller whose command has no outcome (yet).
pub fn not_applied(error: &SubmitError, keyed: bool) -> Problem {
    match error {
        SubmitError::Busy { retry_after } => Problem::unavailable(
            "engine.busy",
            "More requests are waiting than this node takes; nothing was changed.",
            u32::try_from(retry_after.as_secs()).unwrap_or(1).max(1),
        ),
        SubmitError::NotLeader { .. } => Problem::unavailable(
            "engine.no_leader",
            "No node can take changes right now; nothing was changed.",
            1,
        ),
        SubmitError::ShuttingDown => Problem::unavailable(
            "engine.stopping",
            "This node is stopping; nothing was changed.",
            2,
        ),
        SubmitError::DiskFull => Problem::unavailable(
            "engine.disk_full",
            "There is no room to keep changes right now; nothing was changed.",
            5,
        ),
        SubmitError::TooLarge { .. } => Problem::new(
            http::StatusCode::PAYLOAD_TOO_LARGE,
            "request.too_large",
            "This is more than one entry of the log takes; nothing was changed.",
        ),
        SubmitError::Unknown { cause } => {
            tracing::warn!(%cause, "the outcome of a command is unknown");
            let detail = if keyed {
                "Whether this took effect is not known. Send it again with the same Idempotency-Key \
                 to learn its outcome."
            } else {
                "Whether this took effect is not known. Read it back before sending it again."
            };
            Problem::unavailable("engine.outcome_unknown", detail, 1)
        }
    }
}

/// Whether the node should get traffic.
pub struct Readiness {
    phase: AtomicU8,
}

const LOADING: u8 = 0;
const SERVING: u8 = 1;
const STOPPING: u8 = 2;
/// Its rules are not here yet, or no leader has confirmed yet that its state is whole.
const STARTING: u8 = 3;
const STARTING_THEN_LOADING: u8 = 4;

impl Readiness {
    fn new(in_cluster: bool, after_load: bool) -> Self {
        let phase = match (in_cluster, after_load) {
            (false, false) => SERVING,
            (false, true) => LOADING,
            (true, false) => STARTING,
            (true, true) => STARTING_THEN_LOADING,
        };
        Self { phase: AtomicU8::new(phase) }
    }

    /// The log has the rules to serve by, and its state is known to be whole.
    pub fn set_settled(&self) {
        for (from, to) in [(STARTING, SERVING), (STARTING_THEN_LOADING, LOADING)] {
            // Relaxed: a flag on its own; nothing is published through it.
            let _ = self.phase.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// The demo's data is there.
    pub fn set_loaded(&self) {
        // Relaxed: a flag on its own; nothing is published through it.
        let _ = self.phase.compare_exchange(LOADING, SERVING, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub fn set_stopping(&self) {
        // Relaxed: as above.
        self.phase.store(STOPPING, Ordering::Relaxed);
    }

    pub fn name(&self) -> &'static str {
        // Relaxed: as above.
        match self.phase.load(Ordering::Relaxed) {
            LOADING => "loading",
            SERVING => "serving",
            STARTING | STARTING_THEN_LOADING => "starting",
            _ => "stopping",
        }
    }

    pub fn is_ready(&self) -> bool {
        // Relaxed: as above.
        self.phase.load(Ordering::Relaxed) == SERVING
    }
}
