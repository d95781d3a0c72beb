//! Idempotency keys at the door: the header, the digests, and the table of requests in flight.
//!
//! The answers themselves live in the replicated state. This file only makes the 128-bit key and
//! fingerprint a command carries, finds a stored answer, and lets one request per key run at a
//! time on this node.
//!
//! **Invariant:** the fingerprint is of the parsed request, so bytes that mean the same are the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::FromRequestParts;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use holdfast_engine::{Command, Idempotency, Outcome, Verb};
use http::request::Parts;
use serde::Serialize;

use crate::auth::Principal;
use crate::limits::{IDEMPOTENCY_KEY_CHARS_MAX, KEYS_IN_FLIGHT_MAX};
use crate::problem::Problem;
use crate::seal::Sealer;
use crate::state::{AppState, Applied};

pub const HEADER: &str = "idempotency-key";
/// On a reply that repeats the first answer.
pub const REPLAYED: &str = "idempotent-replayed";

/// The client's key with the scope it counts in. Required: without it the door answers 400.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    key: String,
    method: http::Method,
    path: String,
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let (value, more) = (values.next(), values.next());
        let value = value.ok_or_else(|| {
            Problem::bad_request(
                "idempotency.missing",
                "This call needs an `Idempotency-Key` header: any text that is yours alone, such \
                 as a UUID, and the same again when you retry.",
            )
        })?;
        let key = value.to_str().unwrap_or_default();
        let fits = (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len());
        if more.is_some() || !fits || !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(Problem::bad_request(
                "idempotency.invalid",
                format!(
                    "An Idempotency-Key is one header of 1 to {IDEMPOTENCY_KEY_CHARS_MAX} \
                     printable ASCII characters."
                ),
            ));
        }
        Ok(Self {
            key: key.to_owned(),
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
        })
    }
}

/// A key where the client sends one.
#[derive(Debug, Clone)]
pub struct MaybeIdempotencyKey(pub Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeIdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(HEADER) {
            return Ok(Self(None));
        }
        IdempotencyKey::from_request_parts(parts, state).await.map(|key| Self(Some(key)))
    }
}

impl IdempotencyKey {
    /// The digests a command carries, for this caller and this parsed request.
    pub fn bind(
        &self,
        sealer: &Sealer,
        principal: &Principal,
        request: &impl Serialize,
    ) -> Idempotency {
        let scope = principal.org.map_or(principal.user.0, |org| org.0);
        let role = principal.role.name();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&scope.to_be_bytes());
        for part in [role, self.method.as_str(), &self.path, &self.key] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        // Kept for a day, beyond an erasure: keyed, so that the personal data in it cannot be guessed.
        let fingerprint = sealer.digest(&canonical(request));
        Idempotency { key: first_128(&hasher.finalize()), fingerprint }
    }
}

/// Digest of a parsed request: of its canonical JSON, where fields stand in declared order and
/// defaults are filled in.
pub fn fingerprint(request: &impl Serialize) -> u128 {
    first_128(&blake3::hash(&canonical(request)))
}

fn canonical(request: &impl Serialize) -> Vec<u8> {
    // Our own request types serialize without fail; an empty text would still have one digest.
    serde_json::to_vec(request).unwrap_or_default()
}

fn first_128(hash: &blake3::Hash) -> u128 {
    hash.as_bytes().iter().take(16).fold(0, |value, byte| (value << 8) | u128::from(*byte))
}

/// Keys whose first request is still running on this node.
pub struct InFlight {
    running: Arc<Running>,
}

#[derive(Default)]
struct Running {
    keys: DashMap<u128, ()>,
    /// How many; asking the table would lock all of it for every request.
    count: AtomicUsize,
}

/// Holds a key until the request ends.
pub struct Claim {
    running: Arc<Running>,
    key: u128,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.running.keys.remove(&self.key);
        // Relaxed: a bound on its own; nothing is published through it.
        self.running.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl InFlight {
    pub fn new() -> Self {
        Self { running: Arc::default() }
    }

    /// 409 while another request holds the key, 503 when too many are running.
    pub fn claim(&self, key: u128) -> Result<Claim, Problem> {
        // Relaxed: as in `drop`. A few requests at once may pass it by a few.
        if self.running.count.load(Ordering::Relaxed) >= KEYS_IN_FLIGHT_MAX {
            return Err(Problem::unavailable(
                "engine.busy",
                "More requests are running than this node takes; nothing was changed.",
                1,
            ));
        }
        match self.running.keys.entry(key) {
            Entry::Occupied(_) => Err(Problem::conflict(
                "idempotency.in_progress",
                "The first request with this Idempotency-Key is still running; ask again soon.",
            )
            .retry_after(1)),
            Entry::Vacant(place) => {
                place.insert(());
                // Relaxed: as in `drop`.
                self.running.count.fetch_add(1, Ordering::Relaxed);
                Ok(Claim { running: self.running.clone(), key })
            }
        }
    }
}

impl Default for InFlight {
    fn default() -> Self {
        Self::new()
    }
}

/// What a keyed request finds.
pub enum Begun {
    /// Nobody has used the key: go on, and keep the claim until the answer is known.
    First(Claim),
    /// The answer given the first time.
    Stored(Applied),
}

impl AppState {
    /// Claims the key and looks for a stored answer. 422 for a key used with another request.
    pub fn begin(&self, idempotency: Idempotency) -> Result<Begun, Problem> {
        let claim = self.in_flight().claim(idempotency.key)?;
        let reader = self.reader();
        match reader.stored(idempotency.key) {
            None => Ok(Begun::First(claim)),
            Some(stored) if stored.fingerprint != idempotency.fingerprint => Err(key_reused()),
            Some(stored) => {
                let outcome = Outcome::Replayed(Arc::new(stored.outcome));
                self.settle(outcome, reader.applied_index()).map(Begun::Stored)
            }
        }
    }
}

impl AppState {
    /// Submits `verb` under a key: the stored answer where there is one, else a new one.
    pub async fn submit_keyed(
        &self,
        idempotency: Idempotency,
        verb: Verb,
    ) -> Result<Applied, Problem> {
        match self.begin(idempotency)? {
            Begun::Stored(applied) => Ok(applied),
            Begun::First(_claim) => {
                self.submit(Command { idempotency: Some(idempotency), verb }, None).await
            }
        }
    }
}

pub fn key_reused() -> Problem {
    Problem::new(
        http::StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency.key_reused",
        "This Idempotency-Key was used for another request; take a new key.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_per_key_runs_at_a_time() {
        let in_flight = InFlight::new();
        let claim = in_flight.claim(1).unwrap();
        let refused = in_flight.claim(1).err().unwrap();
        assert_eq!(refused.code, "idempotency.in_progress");
        assert_eq!(refused.retry_after_s, Some(1));
        assert!(in_flight.claim(2).is_ok());
        drop(claim);
        assert!(in_flight.claim(1).is_ok());
    }

    #[test]
    fn fingerprints_are_of_meaning_not_of_bytes() {
        #[derive(serde::Deserialize, Serialize)]
        struct Request {
            a: u8,
            #[serde(default)]
            b: Option<u8>,
        }
        let read = |text: &str| fingerprint(&serde_json::from_str::<Request>(text).unwrap());
        assert_eq!(read(r#"{"a":1,"b":null}"#), read("{ \"a\" : 1 }"));
        assert_ne!(read(r#"{"a":1}"#), read(r#"{"a":2}"#));
    }
}
