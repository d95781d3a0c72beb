//! Guests who book through every node of a cluster while it is hurt, and tell the checker's book.
//!
//! Owns how a guest asks: until there is a definite answer, with the same key, at one node after the other.
//! Nothing of a guest's is left in doubt but a refusal after an attempt without an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_server::client::{Client, Reply, Request};
use holdfast_server::clock;
use http::HeaderName;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::task::JoinSet;

use crate::ledger::{Ledger, State, Stay, Story};

/// How soon a guest without an answer asks the next node.
const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// How long a guest goes on asking before the test calls the cluster dead.
const PATIENCE: Duration = Duration::from_secs(60);
/// Guests at each node.
const GUESTS: usize = 2;
/// A guest's rest between two stories: the machine is shared with what is tested.
const REST: Duration = Duration::from_millis(5);

pub struct Guests {
    tasks: JoinSet<()>,
    home: Arc<AtomicBool>,
}

impl Guests {
    /// Sends guests to the doors of all nodes; `run` makes their keys their own.
    pub fn start(clients: &[Client], ledger: &Arc<Ledger>, run: usize) -> Self {
        let (mut tasks, home) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for number in 0..clients.len() * GUESTS {
            let mut doors = clients.to_vec();
            doors.rotate_left(number % clients.len());
            let guest = Guest {
                doors,
                ledger: ledger.clone(),
                dice: StdRng::seed_from_u64((run * 1_000 + number) as u64),
                name: format!("g-{run}-{number}"),
                seen: String::new(),
            };
            tasks.spawn(guest.book_on(home.clone()));
        }
        Self { tasks, home }
    }

    /// Returns once every guest has its last answer.
    pub async fn stop(self) {
        // Relaxed: the join below is what orders.
        self.home.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
    }
}

struct Guest {
    doors: Vec<Client>,
    ledger: Arc<Ledger>,
    dice: StdRng,
    name: String,
    /// The position of the newest answer: no node may show this guest an older one.
    seen: String,
}

impl Guest {
    async fn book_on(mut self, home: Arc<AtomicBool>) {
        for number in 0.. {
            // Relaxed: see `stop`.
            if home.load(Ordering::Relaxed) {
                return;
            }
            self.story(number).await;
            tokio::time::sleep(REST).await;
        }
    }

    async fn story(&mut self, number: usize) {
        let hotel = &self.ledger.hotel;
        let length = self.dice.random_range(1..=3);
        let from = self.dice.random_range(0..=hotel.nights - length);
        let room_type = self.dice.random_range(0..hotel.room_types.len());
        let stay = Stay { room_type, nights: from..from + length };
        let request = self.hold(&stay, number);
        let since = self.ledger.asks(&stay);
        let (reply, in_doubt) = self.ask(&request).await;
        if reply.code() == "inventory.insufficient" {
            return self.ledger.is_refused((&request, &stay, since), (&reply, in_doubt));
        }
        assert_eq!(reply.status, 201, "{}", reply.refusal());
        self.ledger.is_held(&stay);
        let hold: String = reply.field("id").unwrap();
        let told = vec![(request, reply.json().unwrap())];
        let mut story = Story { stay, state: State::Held { hold: hold.clone() }, told };
        match self.dice.random_range(0..10) {
            0 => {}
            1..4 => {
                self.end(&story.stay, format!("/v1/holds/{hold}")).await;
                story.state = State::Released { hold };
                // Its answer says that it is held.
                story.told.clear();
            }
            _ => self.book(&mut story, &hold).await,
        }
        self.ledger.keep(story);
    }

    async fn book(&mut self, story: &mut Story, hold: &str) {
        let request = Request::post("/v1/bookings").key(format!("book-{hold}")).json(&json!({
            "hold_id": hold,
            "guest": {"name": "Test Guest", "email": "guest@test.invalid"},
            "payment": {"method": "mock", "token": "tok_ok"},
        }));
        let (reply, _) = self.ask(&request).await;
        assert_eq!(reply.status, 201, "{}", reply.refusal());
        let booking: String = reply.field("id").unwrap();
        story.told = vec![(request, reply.json().unwrap())];
        // So many are cancelled that the small room types never stay full.
        if self.dice.random_range(0..3) < 2 {
            self.end(&story.stay, format!("/v1/bookings/{booking}")).await;
            story.told.clear();
            story.state = State::Cancelled { booking };
        } else {
            story.state = State::Booked { booking };
        }
    }

    async fn end(&mut self, stay: &Stay, path: String) {
        self.ledger.is_ending(stay);
        let (reply, _) = self.ask(&Request::delete(path)).await;
        assert!(reply.is_success(), "{}", reply.refusal());
        self.ledger.is_over(stay);
    }

    fn hold(&self, stay: &Stay, number: usize) -> Request {
        let hotel = &self.ledger.hotel;
        let kind = &hotel.room_types[stay.room_type];
        Request::post("/v1/holds").key(format!("{}-{number}", self.name)).json(&json!({
            "hotel_id": hotel.id,
            "check_in": hotel.night(stay.nights.start),
            "check_out": hotel.night(stay.nights.end),
            "lines": [{
                "room_type_id": kind.id, "rate_plan_id": kind.rate_plan,
                "quantity": 1, "adults": 2, "children_ages": [],
            }],
        }))
    }

    /// Asks until there is an answer; whether an earlier attempt may have been acted on.
    async fn ask(&mut self, request: &Request) -> (Reply, bool) {
        let give_up = clock::instant() + PATIENCE;
        let mut in_doubt = false;
        loop {
            let mut request = request.clone();
            if !self.seen.is_empty() {
                let name = HeaderName::from_static("min-engine-index");
                request = request.header(name, self.seen.clone());
            }
            let last = match self.doors[0].send(&request).await {
                Ok(reply) if is_answer(&reply) => {
                    self.seen = reply.header("engine-index").unwrap().to_owned();
                    if reply.is_success() {
                        self.ledger.beat.acknowledged();
                    }
                    return (reply, in_doubt);
                }
                Ok(reply) => {
                    in_doubt |= reply.status != 503 || reply.code() == "engine.outcome_unknown";
                    reply.refusal().to_string()
                }
                Err(error) => {
                    in_doubt = true;
                    error.to_string()
                }
            };
            assert!(clock::instant() < give_up, "{request:?} is not answered; the last: {last}");
            tokio::time::sleep(AGAIN_AFTER).await;
            self.doors.rotate_left(1);
        }
    }
}

/// The first request still runs, or the node cannot tell: neither is an answer. Nor is what a node with a
/// wrong clock says of tokens.
fn is_answer(reply: &Reply) -> bool {
    let running = reply.code().starts_with("idempotency.") || reply.code() == "hold.confirming";
    reply.status < 500 && reply.status != 401 && !running
}
