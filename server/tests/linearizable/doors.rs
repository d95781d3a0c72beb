//! One asker at the doors: requests over HTTP, some given up half-way, some sent again with their key.
//!
//! Owns the translation between the words of the specification and those of the doors, and two ways of
//! being wrong on purpose.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use holdfast_server::client::{Client, Error, Reply, Request};
use http::HeaderName;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::history::{Asker, History};
use super::hotel::Hotel;
use super::spec::{CELLS, Number, Op, Ret};

/// How soon an asker without an answer asks the next node.
const AGAIN_AFTER: Duration = Duration::from_millis(10);

/// How the doors are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Honesty {
    Honest,
    /// Refuses on the word of requests that are still under way, as a counter of them would.
    RefusesOnEscrow,
    /// Remembers a refusal and gives it again.
    RefusesFromMemory,
    /// Takes what a node happens to know for what is.
    ReadsWhatIsThere,
}

/// What becomes of a request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answered,
    /// The asker hangs up after so many turns of the scheduler and never learns the end.
    GivenUp(u8),
    /// As given up, then sent again with the same key.
    Repeated(u8),
}

/// The nights of one history at one room type.
pub struct Place<'a> {
    pub hotel: &'a Hotel,
    pub kind: usize,
    pub first: usize,
    pub given: i32,
}

/// What the askers of one history share.
pub struct Doors<'a> {
    /// One for each node; an asker has its own, and goes to the next where that one does not answer.
    clients: Vec<Client>,
    /// The newest position that an answer showed.
    seen: Mutex<String>,
    pub place: Place<'a>,
    pub history: &'a History,
    pub honesty: Honesty,
    holds: Mutex<Vec<(Number, String)>>,
    bookings: Mutex<Vec<(Number, String)>>,
    numbers: AtomicU8,
    under_way: [AtomicI32; CELLS],
    refused: Mutex<HashSet<(usize, usize)>>,
}

/// A key, or the name of a source, that nobody has used.
fn unique(what: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{what}-{}", NEXT.fetch_add(1, SeqCst))
}

impl<'a> Doors<'a> {
    pub fn new(
        clients: Vec<Client>,
        place: Place<'a>,
        history: &'a History,
        honesty: Honesty,
    ) -> Self {
        Self {
            clients,
            seen: Mutex::default(),
            place,
            history,
            honesty,
            holds: Mutex::default(),
            bookings: Mutex::default(),
            numbers: AtomicU8::new(0),
            under_way: Default::default(),
            refused: Mutex::default(),
        }
    }

    /// A hold somebody was told of, by a rolled number.
    pub fn known_hold(&self, roll: usize) -> Option<(Number, String)> {
        let holds = self.holds.lock().unwrap();
        holds.get(roll % holds.len().max(1)).cloned()
    }

    pub fn known_booking(&self, roll: usize) -> Option<(Number, String)> {
        let bookings = self.bookings.lock().unwrap();
        bookings.get(roll % bookings.len().max(1)).cloned()
    }

    fn night(&self, cell: usize) -> Date {
        self.place.hotel.night(self.place.first + cell)
    }

    pub async fn hold(&self, asker: Asker, (from, to): (usize, usize), fate: Fate) -> Asker {
        let number = self.numbers.fetch_add(1, SeqCst);
        let op = Op::Hold { number, from, to, rooms: 1 };
        self.history.asks(asker, op.clone());
        if let Some(refusal) = self.dishonest((from, to)) {
            self.history.hears(asker, refusal);
            return asker;
        }
        let before: Vec<_> =
            (from..to).map(|cell| self.under_way[cell].fetch_add(1, SeqCst)).collect();
        let asker = if self.honesty == Honesty::RefusesOnEscrow
            && before.iter().any(|&under_way| under_way >= self.place.given)
        {
            let named = (from..to).zip(&before).filter(|at| *at.1 >= self.place.given);
            self.history.hears(asker, Ret::Short(named.map(|at| at.0).collect()));
            asker
        } else {
            self.ask_for_hold((asker, number), op, (from, to), fate).await
        };
        for cell in from..to {
            self.under_way[cell].fetch_sub(1, SeqCst);
        }
        asker
    }

    fn dishonest(&self, span: (usize, usize)) -> Option<Ret> {
        let remembers = self.honesty == Honesty::RefusesFromMemory
            && self.refused.lock().unwrap().contains(&span);
        remembers.then(|| Ret::Short((span.0..span.1).collect()))
    }

    async fn ask_for_hold(
        &self,
        (asker, number): (Asker, Number),
        op: Op,
        (from, to): (usize, usize),
        fate: Fate,
    ) -> Asker {
        let kind = &self.place.hotel.room_types[self.place.kind];
        let body = json!({
            "hotel_id": self.place.hotel.id,
            "check_in": self.night(from),
            "check_out": self.night(to),
            "lines": [{
                "room_type_id": kind.id, "rate_plan_id": kind.rate_plan,
                "quantity": 1, "adults": 2,
            }],
        });
        let request = Request::post("/v1/holds").key(unique("hold")).json(&body);
        let mut first = None;
        if let Fate::GivenUp(turns) | Fate::Repeated(turns) = fate {
            first = self.answered_within(asker, &request, turns).await;
            if first.is_none() && matches!(fate, Fate::GivenUp(_)) {
                return self.history.asker();
            }
        }
        // A refusal for want of rooms is judged anew each time, so an attempt without an answer may win
        // after a later one was refused: the later one is somebody else's, and the first stays in flight.
        let mut other = None;
        let again = || {
            let other = self.history.asker();
            self.history.asks(other, op.clone());
            other
        };
        if first.is_none() && matches!(fate, Fate::Repeated(_)) {
            other = Some(again());
        }
        let mut attempts = 0;
        let reply = loop {
            if let Some(reply) = first {
                break reply;
            }
            match self.attempt(asker + attempts, &request).await {
                Attempt::Answered(reply) => first = Some(reply),
                Attempt::Undone => {}
                Attempt::Unknown => _ = other.get_or_insert_with(again),
            }
            attempts += 1;
        };
        match other {
            None => self.hears_of_hold((asker, number), (from, to), &reply),
            Some(other) if reply.status == 201 => {
                self.history.withdraws(other);
                self.hears_of_hold((asker, number), (from, to), &reply);
            }
            Some(other) => {
                self.hears_of_hold((other, number), (from, to), &reply);
                return self.history.asker();
            }
        }
        asker
    }

    fn hears_of_hold(&self, (asker, number): (Asker, Number), span: (usize, usize), reply: &Reply) {
        if reply.status == 201 {
            self.holds.lock().unwrap().push((number, reply.field("id").unwrap()));
            self.history.hears(asker, Ret::Done);
            return;
        }
        assert_eq!((reply.status, reply.code().as_str()), (409, "inventory.insufficient"));
        self.refused.lock().unwrap().insert(span);
        self.history.hears(asker, Ret::Short(self.short_cells(reply)));
    }

    fn short_cells(&self, reply: &Reply) -> Vec<usize> {
        let body: Value = reply.json().unwrap();
        let nights = body["blockers"].as_array().unwrap();
        let cell = |blocker: &Value| {
            let night: Date = blocker["night"].as_str().unwrap().parse().unwrap();
            (0..CELLS).find(|&cell| self.night(cell) == night).unwrap()
        };
        nights.iter().map(cell).collect()
    }

    pub async fn release(&self, asker: Asker, hold: (Number, String), fate: Fate) -> Asker {
        self.history.asks(asker, Op::Release(hold.0));
        let request = Request::delete(format!("/v1/holds/{}", hold.1));
        let Some(reply) = self.send(asker, request, fate).await else {
            return self.history.asker();
        };
        self.history.hears(asker, told(&reply));
        asker
    }

    pub async fn confirm(&self, asker: Asker, hold: (Number, String), fate: Fate) -> Asker {
        self.history.asks(asker, Op::Confirm(hold.0));
        let body = json!({
            "hold_id": hold.1,
            "guest": {"name": "Somchai", "email": "somchai@example.com"},
            "payment": {"method": "mock", "token": "tok_ok"},
        });
        let request = Request::post("/v1/bookings").key(unique("book")).json(&body);
        let Some(reply) = self.send(asker, request, fate).await else {
            return self.history.asker();
        };
        if reply.status == 201 {
            self.bookings.lock().unwrap().push((hold.0, reply.field("id").unwrap()));
        }
        self.history.hears(asker, told(&reply));
        asker
    }

    pub async fn cancel(&self, asker: Asker, booking: (Number, String), fate: Fate) -> Asker {
        self.history.asks(asker, Op::Cancel(booking.0));
        let request = Request::delete(format!("/v1/bookings/{}", booking.1));
        let Some(reply) = self.send(asker, request, fate).await else {
            return self.history.asker();
        };
        self.history.hears(asker, told(&reply));
        asker
    }

    pub async fn allot(&self, asker: Asker, cell: usize, rooms: i32) -> Asker {
        self.history.asks(asker, Op::Allot { cell, rooms });
        let kind = &self.place.hotel.room_types[self.place.kind];
        let line = json!({
            "seq": 1, "room_type": kind.id, "from": self.night(cell), "to": self.night(cell),
            "allotment": rooms,
        });
        let request = Request::post(format!("/v1/ari?source={}", unique("source")))
            .bytes("application/x-ndjson", format!("{line}\n"));
        // Sent once: a line that comes a second time is answered otherwise.
        let Ok(reply) = self.door(asker).send(&request).await else {
            return self.history.asker();
        };
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        if reply.status >= 500 || text.contains("engine.") {
            return self.history.asker();
        }
        assert!(text.contains("\"applied\"") || text.contains("\"unchanged\""), "{text}");
        self.history.hears(asker, Ret::Done);
        asker
    }

    pub async fn look(&self, asker: Asker, cell: usize) -> Asker {
        self.history.asks(asker, Op::Look(cell));
        let (hotel, night) = (self.place.hotel, self.night(cell));
        let path = format!("/v1/hotels/{}/inventory?from={night}&to={night}", hotel.id);
        let request = Request::get(path);
        let fresh = (HeaderName::from_static("engine-read"), "linearizable");
        let stale = self.honesty == Honesty::ReadsWhatIsThere;
        let request = if stale { request } else { request.header(fresh.0, fresh.1) };
        let page: Value = self.answer(asker, &request).await.ok().unwrap();
        let kind = &hotel.room_types[self.place.kind].id;
        let found = page["items"].as_array().unwrap().iter();
        let cell = found.clone().find(|cell| cell["room_type_id"] == **kind).unwrap();
        let left = cell["available"].as_i64().unwrap();
        self.history.hears(asker, Ret::Left(i32::try_from(left).unwrap()));
        asker
    }

    fn door(&self, asker: Asker) -> &Client {
        &self.clients[asker % self.clients.len()]
    }

    /// The answer; `None` where the request was given up. Any node that answers knows what was told of.
    async fn send(&self, asker: Asker, request: Request, fate: Fate) -> Option<Reply> {
        let seen = self.seen.lock().unwrap().clone();
        let request = request.header(HeaderName::from_static("min-engine-index"), seen);
        match fate {
            Fate::Answered => Some(self.answer(asker, &request).await),
            Fate::GivenUp(turns) => self.answered_within(asker, &request, turns).await,
            Fate::Repeated(turns) => match self.answered_within(asker, &request, turns).await {
                Some(reply) => Some(reply),
                None => Some(self.answer(asker, &request).await),
            },
        }
    }

    /// Hangs up after so many turns.
    async fn answered_within(&self, asker: Asker, request: &Request, turns: u8) -> Option<Reply> {
        let patience = async {
            for _ in 0..u32::from(turns) * 4 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            attempt = self.attempt(asker, request) => match attempt {
                Attempt::Answered(reply) => Some(reply),
                Attempt::Undone | Attempt::Unknown => None,
            },
            () = patience => None,
        }
    }

    /// Asks until there is an answer, at one node after the other.
    async fn answer(&self, asker: Asker, request: &Request) -> Reply {
        for attempts in 0.. {
            if let Attempt::Answered(reply) = self.attempt(asker + attempts, request).await {
                return reply;
            }
        }
        unreachable!("it asks for ever")
    }

    /// Asks once. A request that still runs has no answer, nor has a node that cannot tell.
    async fn attempt(&self, door: usize, request: &Request) -> Attempt {
        let attempt = match self.door(door).send(request).await {
            Ok(reply) if reply.code() == "idempotency.in_progress" => Attempt::Undone,
            Ok(reply) if reply.status == 503 && reply.code() != "engine.outcome_unknown" => {
                Attempt::Undone
            }
            Ok(reply) if reply.status >= 500 => Attempt::Unknown,
            Ok(reply) => {
                let index = reply.header("engine-index").unwrap_or_default().to_owned();
                let mut seen = self.seen.lock().unwrap();
                *seen = index.max(std::mem::take(&mut seen));
                return Attempt::Answered(reply);
            }
            Err(Error::Connect { .. }) => Attempt::Undone,
            Err(_) => Attempt::Unknown,
        };
        // One node answers soon; of several the next may.
        if self.clients.len() > 1 {
            tokio::time::sleep(AGAIN_AFTER).await;
        } else {
            tokio::task::yield_now().await;
        }
        attempt
    }
}

/// What became of one request.
enum Attempt {
    Answered(Reply),
    /// It did nothing and will do nothing.
    Undone,
    /// It may have been done, or be done yet.
    Unknown,
}

fn told(reply: &Reply) -> Ret {
    match (reply.status, reply.code().as_str()) {
        (200..=299, _) => Ret::Done,
        (409, "hold.released") => Ret::Released,
        (409, "hold.already_confirmed") => Ret::AlreadyConfirmed,
        (409, "hold.confirming") => Ret::Confirming,
        _ => panic!("{}", reply.refusal()),
    }
}
