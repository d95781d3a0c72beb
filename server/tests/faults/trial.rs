//! One cluster under trial: nodes, guests, and the book they are held against.
//!
//! Owns the order of a trial: all is well, a fault is done, writes go on, all is mended, nothing is missing.
//! One trial runs at a time, since what is measured is how long writes stay away.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use holdfast_server::client::{Client, Limits};
use tokio::sync::{Mutex, MutexGuard};

use crate::guests::Guests;
use crate::hotel::Hotel;
use crate::ledger::Ledger;
use crate::nodes::Nodes;

/// Rooms of the room types: one that is never full, one that often is, one that nearly always is.
pub const ROOMS: [u32; 3] = [4_000, 12, 2];
const NIGHTS: usize = 20;
/// Writes that show that writes go on.
pub const GOES_ON: usize = 40;

/// Past the capture of the test's output.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "faults: {text}");
}

pub fn rounds() -> usize {
    std::env::var("HOLDFAST_FAULT_ROUNDS").map_or(1, |text| text.parse().unwrap())
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

pub async fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

pub struct Trial {
    pub nodes: Nodes,
    pub ledger: Arc<Ledger>,
    guests: Option<Guests>,
    runs: usize,
}

impl Trial {
    /// Starts the nodes of a cluster and opens a hotel in it.
    pub async fn begin(mut nodes: Nodes, voters: u64) -> Self {
        for node in 1..=voters {
            nodes.start(node);
        }
        nodes.all_ready().await;
        let (partner, admin) = (nodes.client(1, "partner"), nodes.client(1, "admin"));
        let hotel = Hotel::open(&partner, &admin, &ROOMS, NIGHTS).await;
        Self { nodes, ledger: Arc::new(Ledger::new(hotel)), guests: None, runs: 0 }
    }

    /// A guest's client: it waits no longer for a node than a guest with another one at hand.
    pub fn guest(&self, node: u64) -> Client {
        let limits = Limits {
            connect: Duration::from_millis(500),
            request: Duration::from_secs(2),
            ..Limits::default()
        };
        let anyone = *self.nodes.up.keys().next().unwrap();
        let token = self.nodes.up[&anyone].token("partner", "partner");
        Client::new(&self.nodes.url(node), limits).unwrap().with_token(&token).unwrap()
    }

    /// Sends guests to every node that runs now.
    pub async fn open(&mut self) {
        let clients: Vec<Client> = self.nodes.up.keys().map(|node| self.guest(*node)).collect();
        self.runs += 1;
        self.guests = Some(Guests::start(&clients, &self.ledger, self.runs));
        self.ledger.beat.some(GOES_ON).await;
    }

    /// Index of the last entry in a node's log.
    pub fn last_entry(&self, node: u64) -> u64 {
        self.nodes.call(node, &["status"]).unwrap()["last_index"].as_u64().unwrap()
    }

    /// From here on the longest pause is that of `fault`.
    pub fn hurt(&self) {
        self.ledger.beat.begin();
    }

    /// Writes go on; how long they stayed away since [`Trial::hurt`].
    pub async fn goes_on(&self, fault: &str) -> Duration {
        self.ledger.beat.some(GOES_ON).await;
        let gap = self.ledger.beat.longest();
        say(&format!("{fault}: longest time without a write {gap:?}"));
        gap
    }

    /// Sends the guests home and holds every node against the book.
    pub async fn close(&mut self) {
        self.guests.take().unwrap().stop().await;
        self.nodes.all_ready().await;
        let checked = self.ledger.check(&self.nodes).await;
        say(&checked);
    }
}
