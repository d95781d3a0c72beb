//! When to ask again, and how long to wait before.
//!
//! A time-out, a broken connection, 502, 503 and 504 mean *outcome unknown*: only the same request
//! with the same key can tell. 429 and the 409s of a request still running say when to come back.
//! All else is an answer.

use std::time::Duration;

use super::{Client, Error, Reply, Request, Settled};
use crate::clock;

const BACKOFF_FIRST: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// A server that asks for more than this is asked again earlier.
const RETRY_AFTER_MAX_S: u64 = 30;

impl Client {
    /// Sends `request` until the answer is definite, or
    /// [`Limits::patience`](super::Limits::patience) is used up.
    pub async fn settle(&self, request: &Request) -> Result<Settled, Error> {
        let give_up = clock::instant() + self.limits.patience;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (wait, last) = match self.send(request).await {
                Ok(reply) => match wait_before_next(&reply, attempts) {
                    Some(wait) => (wait, format!("{} {}", reply.status, reply.code())),
                    None => return Ok(Settled { reply, attempts }),
                },
                Err(error @ (Error::Connect { .. } | Error::Timeout(_) | Error::Broken(_))) => {
                    if !request.repeatable() && !matches!(error, Error::Connect { .. }) {
                        return Err(error);
                    }
                    (backoff(attempts), error.to_string())
                }
                Err(error) => return Err(error),
            };
            if !request.repeatable() || clock::instant() + wait > give_up {
                return Err(Error::Undecided { attempts, last });
            }
            tokio::time::sleep(wait).await;
        }
    }
}

/// How long to wait before asking again, or `None` if this is the answer.
fn wait_before_next(reply: &Reply, attempts: u32) -> Option<Duration> {
    let asked = reply.retry_after_s().map(|s| Duration::from_secs(s.min(RETRY_AFTER_MAX_S)));
    match reply.status {
        502..=504 => Some(asked.unwrap_or_else(|| backoff(attempts))),
        // The quota is an answer about this guest, not about the moment.
        429 if reply.code() != "hold.quota_exceeded" => asked,
        // Refusals for want of rooms may also name a time; only a request still running is no
        // answer yet.
        409 if still_running(&reply.code()) => asked,
        _ => None,
    }
}

fn still_running(code: &str) -> bool {
    code.starts_with("idempotency.") || code == "hold.confirming"
}

fn backoff(attempts: u32) -> Duration {
    let doubled = BACKOFF_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(10));
    doubled.min(BACKOFF_MAX)
}
