//! The witness: sees every entry that any node applies, and folds the log once more by itself.
//!
//! It owns the first account of each index: the entry's bytes, its outcomes, the cells after it. It refuses
//! to be asked by a node. Each law it holds the nodes to stands in a file of its own beneath
//! `invariants`.

use std::collections::BTreeMap;

use holdfast_engine::digest::Digest;
use holdfast_engine::{Event, Reader, State, Verifier, Writer, codec};
use xxhash_rust::xxh3::xxh3_64;

use super::hotel;
use super::invariants::{
    clock_steady, digests_equal, expiry_on_time, never_oversold, nothing_doubled, one_log,
    snapshots_true,
};
use super::runtime::Life;
use super::world::{Counts, world};
use crate::raft_types::{Entry, EntryPayload, LogId};

/// Entries between two digests that are compared.
const DIGEST_EVERY: u64 = 16;

/// What the witness knows of one index.
pub(crate) struct Account {
    pub sum: u64,
    pub term: u64,
    pub at_ms: Option<u64>,
    /// Of each command: its key, and its outcome's bytes.
    pub commands: Vec<(Option<u128>, Vec<u8>)>,
    /// Rooms free on each night on sale, after it.
    pub free: Vec<u32>,
    pub digest: Option<Digest>,
}

pub(crate) struct Witness {
    writer: Writer,
    reader: Reader,
    verifier: Verifier,
    pub accounts: Vec<Account>,
    moving: expiry_on_time::Moving,
    pub effects: BTreeMap<(u8, u128), u64>,
    /// Indexes whose outcome somebody was told.
    pub told: BTreeMap<u64, u64>,
    /// The state after an entry, as the first node had it that took a snapshot there.
    pub marked: BTreeMap<u64, Digest>,
}

impl Witness {
    pub fn new() -> Self {
        let (writer, reader) = State::new();
        Self {
            writer,
            reader,
            verifier: Verifier::new(0),
            accounts: Vec::new(),
            moving: expiry_on_time::Moving::default(),
            effects: BTreeMap::new(),
            told: BTreeMap::new(),
            marked: BTreeMap::new(),
        }
    }

    /// How many entries were applied anywhere.
    pub fn end(&self) -> u64 {
        self.accounts.len() as u64
    }

    pub fn account(&self, index: u64) -> Option<&Account> {
        self.accounts.get(usize::try_from(index).ok()?)
    }

    fn saw(&mut self, seen: &Seen<'_>) {
        let index = seen.entry.log_id.index;
        let sum = sum(seen.entry);
        if self.account(index).is_none() {
            if index != self.end() {
                one_log::skipped(seen.node, index, self.end());
                return;
            }
            self.fold(seen.entry, sum);
        }
        let Some(account) = self.account(index) else { return };
        if account.sum != sum {
            one_log::differs(self, seen.node, index, seen.entry);
            return;
        }
        digests_equal::check_outcomes(account, seen);
        digests_equal::check_digest(account, seen);
        never_oversold::check(seen);
    }

    /// The first time that anybody applies the entry.
    fn fold(&mut self, entry: &Entry, sum: u64) {
        let index = entry.log_id.index;
        let (mut outcomes, mut events) = (Vec::new(), Vec::new());
        let (mut at_ms, mut keys) = (None, Vec::new());
        match &entry.payload {
            EntryPayload::Normal(payload) => {
                let batch = payload.batch().expect("written by this build");
                at_ms = Some(batch.at_ms);
                keys.extend(
                    batch.commands.iter().map(|command| command.idempotency.map(|it| it.key)),
                );
                clock_steady::check(self, index, batch.at_ms);
                self.writer.apply(index, batch, &mut outcomes, &mut events);
            }
            _ => self.writer.skip(index),
        }
        self.verifier.after(&self.writer, &events);
        nothing_doubled::check_effects(self, index, &events);
        if let Some(at_ms) = at_ms {
            expiry_on_time::check(&mut self.moving, &self.reader, (index, at_ms), &events);
        }
        let outcomes = outcomes.iter().map(codec::encode);
        let digest = index.is_multiple_of(DIGEST_EVERY).then(|| self.writer.digest());
        world().note(format_args!("entry {index} {sum:016x} at {}", at_ms.unwrap_or(0)));
        self.accounts.push(Account {
            sum,
            term: entry.log_id.leader_id.term,
            at_ms,
            commands: keys.into_iter().zip(outcomes).collect(),
            free: hotel::cells(&self.reader).iter().map(|cell| cell.free()).collect(),
            digest,
        });
    }

    /// At the end of a simulation.
    pub fn check_whole(&mut self) {
        self.verifier.check_all(&self.writer);
        for finding in self.verifier.findings() {
            world().broke(never_oversold::BOOKS, format_args!("{finding}"));
        }
    }

    pub fn digest(&self) -> Digest {
        self.writer.digest()
    }
}

/// An entry that a node has just applied.
pub(crate) struct Seen<'a> {
    pub node: u64,
    pub entry: &'a Entry,
    pub outcomes: &'a [holdfast_engine::Outcome],
    pub writer: &'a Writer,
    pub reader: &'a Reader,
}

/// Called by the state machine after each entry.
pub(crate) fn applied(
    entry: &Entry,
    outcomes: &[holdfast_engine::Outcome],
    (writer, reader): (&Writer, Option<&Reader>),
) {
    let Some(life) = Life::current().filter(|life| !life.is_over()) else { return };
    let Some(reader) = reader else { return };
    let seen = Seen { node: life.node, entry, outcomes, writer, reader };
    world().witness.lock().saw(&seen);
}

/// Called by the state machine where it marks a state for a snapshot.
pub(crate) fn marked(last: LogId, writer: &Writer) {
    let Some(life) = Life::current().filter(|life| !life.is_over()) else { return };
    world().note(format_args!("node {} marks a snapshot as of {}", life.node, last.index));
    snapshots_true::marked(&mut world().witness.lock(), life.node, last, writer.digest());
}

/// Called by a start that begins with a snapshot.
pub(crate) fn begun(last: LogId, writer: &Writer) {
    let Some(life) = Life::current().filter(|life| !life.is_over()) else { return };
    Counts::add(&world().counts.begun_with);
    world().note(format_args!("node {} begins with a snapshot as of {}", life.node, last.index));
    snapshots_true::begun(&world().witness.lock(), life.node, last, &writer.digest());
}

/// Called where a snapshot is offered to another node, which has some bytes of it.
pub(crate) fn offered(index: u64, from: u64) {
    let counts = &world().counts;
    Counts::add(if from == 0 { &counts.offers } else { &counts.resumed });
    world().note(format_args!("a snapshot as of {index} is sent from byte {from} on"));
}

/// Called by a start that makes its log begin behind a snapshot it was sent.
pub(crate) fn taken_in(last: LogId) {
    Counts::add(&world().counts.taken_in);
    world().note(format_args!("a snapshot as of {} is taken in", last.index));
}

fn sum(entry: &Entry) -> u64 {
    let leader = entry.log_id.leader_id;
    let body = match &entry.payload {
        EntryPayload::Blank => 1,
        EntryPayload::Membership(membership) => xxh3_64(format!("{membership:?}").as_bytes()),
        EntryPayload::Normal(payload) => xxh3_64(payload.bytes()),
    };
    let mut bytes = Vec::with_capacity(24);
    for word in [leader.term, leader.node_id, body] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    xxh3_64(&bytes)
}

/// What an event does that may be done but once, and to what.
pub(crate) fn effect(event: &Event) -> Option<(u8, u128)> {
    match event {
        Event::Held(terms) => Some((1, terms.id.0)),
        Event::Booked(booking) => Some((2, booking.id.0)),
        Event::BookingCancelled(booking) => Some((3, booking.id.0)),
        Event::HoldChanged(hold) if hold.ended_ms.is_some() => Some((4, hold.terms.id.0)),
        _ => None,
    }
}
