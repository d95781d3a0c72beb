//! The checker's book: what was asked of a cluster and what it answered, kept outside of it.
//!
//! Owns three judgements that need nothing but answers. While guests book: no night is promised more often
//! than it has rooms, and none is called full that cannot have been. At the end: every node has exactly
//! what was answered. **Invariant**: a promise is counted from its acknowledgement until its end is asked
//! for, and a possible one from before it is asked for until its end is acknowledged, so what is counted
//! as sure is never too much and what is counted as possible never too little.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use holdfast_server::client::{Client, Reply, Request};
use holdfast_server::clock;
use serde_json::Value;

use crate::beat::Beat;
use crate::hotel::Hotel;
use crate::nodes::Nodes;

/// Stories of which each node is asked by name at the end, and requests sent once more.
const ASKED_BY_NAME: usize = 60;

/// A room type by its place in the hotel, and nights.
#[derive(Clone, Debug)]
pub struct Stay {
    pub room_type: usize,
    pub nights: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Held { hold: String },
    Released { hold: String },
    Booked { booking: String },
    Cancelled { booking: String },
}

/// A stay that was held, and what became of it.
#[derive(Clone, Debug)]
pub struct Story {
    pub stay: Stay,
    pub state: State,
    /// Requests with keys, and what was answered.
    pub told: Vec<(Request, Value)>,
}

pub struct Ledger {
    pub hotel: Hotel,
    pub beat: Beat,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    stories: Vec<Story>,
    cells: HashMap<(usize, usize), Promised>,
    refused: usize,
    /// Refused after an attempt whose end is not known: such a hold may yet have been made.
    doubtful: Vec<(Request, Stay)>,
}

/// How often a night is promised.
#[derive(Default)]
struct Promised {
    sure: u32,
    possible: u32,
    /// What was possible, from when on.
    history: Vec<(Instant, u32)>,
}

impl Promised {
    fn maybe(&mut self, change: i32) {
        self.possible = self.possible.checked_add_signed(change).unwrap();
        self.history.push((clock::instant(), self.possible));
    }

    /// The most that was possible at any time since.
    fn most_since(&self, since: Instant) -> u32 {
        let after = self.history.partition_point(|(at, _)| *at <= since);
        let lasting = after.checked_sub(1).map_or(0, |at| self.history[at].1);
        self.history[after..].iter().map(|(_, most)| *most).fold(lasting, u32::max)
    }
}

impl Ledger {
    pub fn new(hotel: Hotel) -> Self {
        Self { hotel, beat: Beat::new(), book: Mutex::default() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a hold is asked for; when that was.
    pub fn asks(&self, stay: &Stay) -> Instant {
        let since = clock::instant();
        let mut book = self.book();
        for night in stay.nights.clone() {
            book.cells.entry((stay.room_type, night)).or_default().maybe(1);
        }
        since
    }

    /// A hold was acknowledged.
    pub fn is_held(&self, stay: &Stay) {
        let mut book = self.book();
        let rooms = self.hotel.room_types[stay.room_type].rooms;
        for night in stay.nights.clone() {
            let cell = book.cells.get_mut(&(stay.room_type, night)).unwrap();
            cell.sure += 1;
            assert!(cell.sure <= rooms, "{} of {rooms} rooms promised: {stay:?}", cell.sure);
        }
    }

    /// A hold was refused for want of rooms: each night that it names was full at some time since it was
    /// asked for, as far as anybody can have known.
    pub fn is_refused(
        &self,
        (request, stay, since): (&Request, &Stay, Instant),
        told: (&Reply, bool),
    ) {
        let (reply, in_doubt) = told;
        let mut book = self.book();
        let rooms = self.hotel.room_types[stay.room_type].rooms;
        for blocker in reply.json::<Value>().unwrap()["blockers"].as_array().unwrap() {
            let named = blocker["night"].as_str().unwrap();
            let mut nights = stay.nights.clone();
            let night = nights.find(|night| self.hotel.night(*night).to_string() == named).unwrap();
            let others = book.cells[&(stay.room_type, night)].most_since(since) - 1;
            let full = others >= rooms;
            assert!(full, "{named} called full with {others} of {rooms} promised: {stay:?}");
        }
        book.refused += 1;
        if in_doubt {
            book.doubtful.push((request.clone(), stay.clone()));
        } else {
            Self::no_more(&mut book, stay);
        }
    }

    /// Before a release or a cancellation is asked for.
    pub fn is_ending(&self, stay: &Stay) {
        let mut book = self.book();
        for night in stay.nights.clone() {
            book.cells.get_mut(&(stay.room_type, night)).unwrap().sure -= 1;
        }
    }

    /// It was acknowledged.
    pub fn is_over(&self, stay: &Stay) {
        Self::no_more(&mut self.book(), stay);
    }

    fn no_more(book: &mut Book, stay: &Stay) {
        for night in stay.nights.clone() {
            book.cells.get_mut(&(stay.room_type, night)).unwrap().maybe(-1);
        }
    }

    pub fn keep(&self, story: Story) {
        self.book().stories.push(story);
    }

    /// Asks again for what was refused in doubt, until each is known to be held or not to be.
    async fn settle(&self, client: &Client) {
        let doubtful = std::mem::take(&mut self.book().doubtful);
        for (request, stay) in doubtful {
            let reply = client.settle(&request).await.unwrap().reply;
            match reply.status {
                201 => {
                    self.is_held(&stay);
                    let state = State::Held { hold: reply.field("id").unwrap() };
                    let told = vec![(request, reply.json().unwrap())];
                    self.keep(Story { stay, state, told });
                }
                409 => self.is_over(&stay),
                _ => panic!("{}", reply.refusal()),
            }
        }
    }

    /// Holds all nodes against the book, once nobody books. Says what was compared.
    pub async fn check(&self, nodes: &Nodes) -> String {
        let clients: Vec<Client> =
            nodes.up.keys().map(|node| nodes.client(*node, "partner")).collect();
        self.settle(&clients[0]).await;
        self.release_held(&clients[0]).await;
        nodes.digests_agree().await;
        for client in &clients {
            self.check_cells(client).await;
            self.check_states(client).await;
        }
        for node in nodes.up.keys() {
            let report = nodes.call(*node, &["verify"]).unwrap();
            assert_eq!(report["found"], 0, "node {node}: {report}");
        }
        let book = self.book();
        let is_booked = |story: &&Story| matches!(story.state, State::Booked { .. });
        let booked = book.stories.iter().filter(is_booked).count();
        format!(
            "{} holds, {booked} booked, {} refused: all there",
            book.stories.len(),
            book.refused
        )
    }

    /// Holds end by themselves after a while; ended here, they cannot do so between two looks.
    async fn release_held(&self, client: &Client) {
        let mut stories = std::mem::take(&mut self.book().stories);
        for story in &mut stories {
            if let State::Held { hold } = story.state.clone() {
                self.is_ending(&story.stay);
                let request = Request::delete(format!("/v1/holds/{hold}"));
                let reply = client.settle(&request).await.unwrap().reply;
                assert!(reply.is_success(), "{}", reply.refusal());
                self.is_over(&story.stay);
                story.state = State::Released { hold };
                // What was told then says that it is held.
                story.told.clear();
            }
        }
        self.book().stories = stories;
    }

    async fn check_cells(&self, client: &Client) {
        let mut sold: HashMap<(usize, usize), u32> = HashMap::new();
        for story in &self.book().stories {
            if matches!(story.state, State::Booked { .. }) {
                for night in story.stay.nights.clone() {
                    *sold.entry((story.stay.room_type, night)).or_default() += 1;
                }
            }
        }
        for (place, cell) in self.hotel.inventory(client).await {
            let sold = sold.get(&place).copied().unwrap_or(0);
            assert_eq!((cell.held, cell.sold), (0, sold), "held and sold of {cell:?}");
            assert!(cell.sold <= cell.allotment, "{cell:?} is sold too often");
        }
    }

    /// The newest stories, and some of all ages, are there as they were told, and told again.
    async fn check_states(&self, client: &Client) {
        let stories = self.book().stories.clone();
        let newest = stories.iter().rev().take(ASKED_BY_NAME);
        let some = stories.iter().step_by((stories.len() / ASKED_BY_NAME).max(1));
        for story in newest.chain(some) {
            let (path, status) = match &story.state {
                State::Held { hold } => (format!("/v1/holds/{hold}"), "active"),
                State::Released { hold } => (format!("/v1/holds/{hold}"), "released"),
                State::Booked { booking } => (format!("/v1/bookings/{booking}"), "confirmed"),
                State::Cancelled { booking } => (format!("/v1/bookings/{booking}"), "cancelled"),
            };
            let reply = client.get(&path).await.unwrap();
            assert_eq!(reply.status, 200, "{path}: {}", reply.refusal());
            assert_eq!(reply.field("status").unwrap(), status, "{path}");
            for (request, first) in &story.told {
                let again = client.settle(request).await.unwrap().reply;
                assert_eq!(
                    again.header("idempotent-replayed"),
                    Some("true"),
                    "{}",
                    again.refusal()
                );
                assert_eq!(again.json::<Value>().unwrap(), *first);
            }
        }
    }
}
