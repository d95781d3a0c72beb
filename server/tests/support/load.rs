//! Guests booking at full speed until the server goes away, and what they remember of it.
//!
//! A story is one hold and what followed. Its steps are sent once, in order; each remembers its
//! answer, or that none came. Invariant: what a story says happened rests on answers alone.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_server::client::{Client, Error, Reply, Request};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::sync::Notify;

use super::hotel::Hotel;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Hold,
    Book,
    Release,
    Cancel,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub kind: Kind,
    pub request: Request,
    /// `None`: in doubt.
    pub answer: Option<Reply>,
}

#[derive(Clone, Debug)]
pub struct Story {
    pub room_type: usize,
    pub nights: Range<usize>,
    pub reference: String,
    pub steps: Vec<Step>,
}

/// Where a story stands, once nothing in it is in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Refused,
    Held { hold: String },
    Released { hold: String },
    Booked { booking: String },
    Cancelled { booking: String },
}

impl Story {
    pub fn in_doubt(&self) -> bool {
        self.steps.iter().any(|step| step.answer.is_none())
    }

    /// What the answers say; a step in doubt counts as not done.
    pub fn state(&self) -> State {
        let mut state = State::Refused;
        for step in &self.steps {
            let Some(reply) = &step.answer else { break };
            state = match (step.kind, reply.status, state) {
                (Kind::Hold, 201, _) => State::Held { hold: id(reply) },
                (Kind::Hold, 409, _) if reply.code() == "inventory.insufficient" => State::Refused,
                (Kind::Book, 201, _) => State::Booked { booking: id(reply) },
                (Kind::Release, 200 | 204, State::Held { hold }) => State::Released { hold },
                (Kind::Cancel, 200, State::Booked { booking }) => State::Cancelled { booking },
                (kind, status, _) => panic!("{kind:?} answered {status}: {}", reply.refusal()),
            };
        }
        state
    }

    async fn take(&mut self, client: &Client, kind: Kind, request: Request) -> Taken {
        let sent = client.send(&request).await;
        let (answer, taken) = match sent {
            // The door's own word for an outcome it does not know.
            Ok(reply) if reply.status >= 500 => (None, Taken::InDoubt),
            Ok(reply) => (Some(reply), Taken::Answered),
            Err(Error::Connect { .. } | Error::Broken(_)) => (None, Taken::Gone),
            Err(error) => panic!("{kind:?}: {error}"),
        };
        self.steps.push(Step { kind, request, answer });
        taken
    }
}

enum Taken {
    Answered,
    InDoubt,
    Gone,
}

fn id(reply: &Reply) -> String {
    reply.field("id").unwrap_or_else(|| panic!("{} without an id", reply.status))
}

/// Counts answers and rings at a chosen one.
pub struct Fuse {
    answers: AtomicU64,
    at: u64,
    burnt: Notify,
}

impl Fuse {
    pub fn new(at: u64) -> Arc<Self> {
        Arc::new(Self { answers: AtomicU64::new(0), at, burnt: Notify::new() })
    }

    pub async fn burnt(&self) {
        self.burnt.notified().await;
    }

    fn answered(&self) {
        // Relaxed: it picks a moment, it orders nothing.
        if self.answers.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            self.burnt.notify_one();
        }
    }
}

/// One connection's guests, one after another.
pub struct Guest {
    pub client: Client,
    pub hotel: Arc<Hotel>,
    pub fuse: Arc<Fuse>,
    /// The first so many room types are booked.
    pub room_types: usize,
    pub seed: u64,
    /// Makes references unlike those of any other connection or round.
    pub name: String,
}

impl Guest {
    /// Books until the server is gone.
    pub async fn book_on(self) -> Vec<Story> {
        let mut dice = StdRng::seed_from_u64(self.seed);
        let mut stories = Vec::new();
        loop {
            let mut story = self.story(&mut dice, stories.len());
            let gone = self.tell(&mut dice, &mut story).await;
            stories.push(story);
            if gone {
                return stories;
            }
        }
    }

    fn story(&self, dice: &mut StdRng, number: usize) -> Story {
        let length = dice.random_range(1..=4);
        let from = dice.random_range(0..=self.hotel.nights - length);
        Story {
            room_type: dice.random_range(0..self.room_types),
            nights: from..from + length,
            reference: format!("{}-{number}", self.name),
            steps: Vec::new(),
        }
    }

    /// Lives through one story; true if the server went away in it.
    async fn tell(&self, dice: &mut StdRng, story: &mut Story) -> bool {
        let mut next = Some((Kind::Hold, hold_request(&self.hotel, story, &story.reference)));
        while let Some((kind, request)) = next {
            match story.take(&self.client, kind, request).await {
                Taken::Answered => self.fuse.answered(),
                Taken::InDoubt => return false,
                Taken::Gone => return true,
            }
            next = match story.state() {
                State::Held { hold } => match dice.random_range(0..10) {
                    0 => None,
                    1 => Some((Kind::Release, Request::delete(format!("/v1/holds/{hold}")))),
                    _ => Some((Kind::Book, book_request(&hold, &story.reference))),
                },
                State::Booked { booking } if dice.random_range(0..5) == 0 => {
                    Some((Kind::Cancel, Request::delete(format!("/v1/bookings/{booking}"))))
                }
                _ => None,
            };
        }
        false
    }
}

/// The request for a story's hold under `key`.
pub fn hold_request(hotel: &Hotel, story: &Story, key: &str) -> Request {
    let kind = &hotel.room_types[story.room_type];
    Request::post("/v1/holds").key(format!("hold-{key}")).json(&json!({
        "hotel_id": hotel.id,
        "check_in": hotel.night(story.nights.start),
        "check_out": hotel.night(story.nights.end),
        "lines": [{
            "room_type_id": kind.id, "rate_plan_id": kind.rate_plan,
            "quantity": 1, "adults": 2, "children_ages": [],
        }],
        "client_reference": story.reference,
    }))
}

fn book_request(hold: &str, key: &str) -> Request {
    Request::post("/v1/bookings").key(format!("book-{key}")).json(&json!({
        "hold_id": hold,
        "guest": {"name": "Test Guest", "email": "guest@test.invalid"},
        "payment": {"method": "mock", "token": "tok_ok"},
    }))
}
