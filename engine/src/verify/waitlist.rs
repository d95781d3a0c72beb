//! The waitlist: who waits is served in the order in which they came, an offer is a live hold and nothing
//! else, and an entry that has ended stays ended.
//!
//! It owns every entry as of its last event, and the order in which entries came by the log. It refuses to
//! know what frees rooms. **Invariant**: what the queues and counters say follows from the entries alone.

use std::collections::BTreeMap;

use super::finding::Findings;
use crate::command::Principal;
use crate::event::Event;
use crate::hold::{Hold, Terms};
use crate::ids::{HotelIx, WaitId};
use crate::state::Writer;
use crate::waitlist::{Entry, Status};

/// The entries as of their last event.
#[derive(Debug, Default)]
pub(super) struct Waitlist {
    known: BTreeMap<WaitId, (u64, Status)>,
    /// The place of whoever came last.
    last: u64,
}

fn named(id: WaitId, what: &str) -> (&'static str, String, Option<crate::Night>) {
    let space = if what.is_empty() { "" } else { " " };
    ("waitlist", format!("{id}{space}{what}"), None)
}

impl Waitlist {
    pub fn begin(&mut self, writer: &Writer) {
        let entries = writer.shared.waitlist.iter().map(|(_, entry)| entry);
        self.known = entries.map(|entry| (entry.id, (entry.number, entry.status))).collect();
        let last = self.known.values().map(|entry| entry.0).max().unwrap_or(0);
        // The last to come may be forgotten already.
        self.last = last.max(writer.waiting().last_number());
    }

    /// What one event says of an entry.
    pub fn read(&mut self, event: &Event, writer: &Writer, findings: &mut Findings) {
        let Event::WaitlistChanged(entry) = event else { return };
        // An id may come again once its entry was forgotten.
        let begins_anew = |before: Status| !is_open(before) && entry.status == Status::Waiting;
        let known = self.known.get(&entry.id).filter(|known| !begins_anew(known.1));
        match known {
            None if entry.number <= self.last => {
                let expected = format!("a place after {}", self.last);
                findings.add(named(entry.id, "place"), expected, entry.number);
            }
            None => self.last = entry.number,
            Some(&(number, before)) => {
                if number != entry.number {
                    findings.add(named(entry.id, "place"), number, entry.number);
                }
                if !may_follow(before, entry.status) {
                    let after = format!("{:?}", entry.status);
                    findings.add(named(entry.id, "went on"), format!("after {before:?}"), after);
                }
            }
        }
        self.known.insert(entry.id, (entry.number, entry.status));
        if let Status::Offered(_) = entry.status {
            check_turn(entry, writer, findings);
        }
    }

    pub fn check_all(&mut self, writer: &Writer, findings: &mut Findings) {
        let shared = &writer.shared;
        let mut entries: Vec<_> = shared.waitlist.iter().map(|(_, entry)| entry).collect();
        entries.sort_unstable_by_key(|entry| entry.number);
        let mut known = std::mem::take(&mut self.known);
        for entry in &entries {
            let now = (entry.number, entry.status);
            if let Some(before) = known.remove(&entry.id)
                && before != now
            {
                let (before, now) = (format!("{before:?}"), format!("{now:?}"));
                findings.add(named(entry.id, ""), before, now);
            }
            self.known.insert(entry.id, now);
            check_entry(entry, writer, findings);
        }
        // An entry that has ended is forgotten in time; one that is open is not.
        for (id, (_, status)) in known {
            if is_open(status) {
                findings.add(named(id, ""), format!("{status:?}"), "nothing");
            }
        }
        check_offers(writer, findings);
        check_queues(&entries, writer, findings);
    }
}

const fn is_open(status: Status) -> bool {
    matches!(status, Status::Waiting | Status::Offered(_))
}

/// Waiting ends in an offer, by leaving or for good; an offer is used, lapses or is given back; what has
/// ended stays as it is.
const fn may_follow(before: Status, after: Status) -> bool {
    match before {
        Status::Waiting => {
            matches!(after, Status::Offered(_) | Status::Cancelled | Status::Closed)
        }
        Status::Offered(_) => {
            matches!(after, Status::Used(_) | Status::Lapsed | Status::Cancelled)
        }
        Status::Used(_) | Status::Lapsed | Status::Cancelled | Status::Closed => false,
    }
}

/// Nobody still waits who came earlier for the very same.
fn check_turn(offered: &Entry, writer: &Writer, findings: &mut Findings) {
    for id in writer.waiting().before(offered.wish.hotel, offered.number) {
        let Some(entry) = writer.shared.waitlist.get(&id) else { continue };
        let (stay, lines) = (entry.wish.stay, &entry.wish.lines);
        if stay == offered.wish.stay && *lines == offered.wish.lines {
            let expected = format!("after {}", entry.id);
            findings.add(named(offered.id, "turn"), expected, "before");
        }
    }
}

/// An offer is a live hold that says so; what was used is a booking that says so.
fn check_entry(entry: &Entry, writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    let says_so = |terms: &Terms| terms.waitlist == Some(entry.id);
    match entry.status {
        Status::Offered(id) => {
            let is_offer = |hold: &Hold| hold.is_live() && says_so(&hold.terms);
            if shared.holds.look(&id, is_offer) != Some(true) {
                findings.add(named(entry.id, "offer"), format!("live hold {id}"), "none");
            }
        }
        Status::Used(id) => {
            let booking = shared.bookings.get(&id);
            if !booking.is_some_and(|booking| says_so(&booking.terms)) {
                findings.add(named(entry.id, "used"), format!("booking {id}"), "none");
            }
        }
        Status::Waiting | Status::Lapsed | Status::Cancelled | Status::Closed => {}
    }
    if is_open(entry.status) == entry.ended_ms.is_some() {
        let ended = if is_open(entry.status) { "no end" } else { "an end" };
        findings.add(named(entry.id, "end"), ended, format!("{:?}", entry.ended_ms));
    }
}

/// Every live hold that says it is an offer is one; every booking of an offer has used it.
fn check_offers(writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    let status = |id: WaitId| shared.waitlist.get(&id).map(|entry| entry.status);
    for (id, hold) in shared.holds.iter().filter(|(_, hold)| hold.is_live()) {
        let Some(wait) = hold.terms.waitlist else { continue };
        if status(wait) != Some(Status::Offered(id)) {
            let found = format!("{:?}", status(wait));
            findings.add(named(wait, "of a hold"), format!("offered as {id}"), found);
        }
    }
    for (id, booking) in shared.bookings.iter() {
        let Some(wait) = booking.terms.waitlist else { continue };
        // Long after, the entry is forgotten.
        if status(wait).is_some_and(|status| status != Status::Used(id)) {
            let found = format!("{:?}", status(wait));
            findings.add(named(wait, "of a booking"), format!("used as {id}"), found);
        }
    }
}

/// The queues have those who wait, in their order; the counters count them.
fn check_queues(entries: &[std::sync::Arc<Entry>], writer: &Writer, findings: &mut Findings) {
    let waits = |entry: &&std::sync::Arc<Entry>| entry.status == Status::Waiting;
    let mut queues: BTreeMap<(HotelIx, u64), WaitId> = BTreeMap::new();
    let mut of_guest: BTreeMap<Principal, usize> = BTreeMap::new();
    for entry in entries.iter().filter(waits) {
        queues.insert((entry.wish.hotel, entry.number), entry.id);
        *of_guest.entry(entry.wish.principal).or_default() += 1;
    }
    let waiting = writer.waiting();
    for (hotel, number, id) in waiting.queued() {
        if queues.remove(&(hotel, number)) != Some(id) {
            findings.add(named(id, "in a queue"), "nothing", format!("place {number}"));
        }
    }
    for ((hotel, number), id) in queues {
        let expected = format!("place {number} of hotel {}", hotel.0);
        findings.add(named(id, "in a queue"), expected, "nothing");
    }
    for (principal, count) in waiting.counted() {
        let expected = of_guest.remove(&principal).unwrap_or(0);
        findings.expect(("waitlist", format!("{principal:?} waits")), expected, count);
    }
    for (principal, count) in of_guest {
        findings.expect(("waitlist", format!("{principal:?} waits")), count, 0);
    }
    let open = entries.iter().filter(|entry| is_open(entry.status)).count();
    findings.expect(("waitlist", "open"), open, waiting.open());
    let ended: BTreeMap<_, _> = waiting.ended().map(|(at, id)| (id, at)).collect();
    for entry in entries.iter().filter(|entry| !is_open(entry.status)) {
        if ended.get(&entry.id).copied() != entry.ended_ms {
            let found = format!("{:?}", ended.get(&entry.id));
            let expected = format!("{:?}", entry.ended_ms);
            findings.add(named(entry.id, "to be forgotten"), expected, found);
        }
    }
}
