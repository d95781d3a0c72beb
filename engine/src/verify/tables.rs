//! Tables: counters agree with what they count, and queues with what they will forget.

use std::collections::BTreeMap;

use super::archive::Archive;
use super::finding::Findings;
use crate::civil::{LogTimeMs, Night};
use crate::command::Principal;
use crate::ids::{BookingId, HoldId, HotelIx};
use crate::state::Writer;
use crate::state::arrivals::Dates;

pub(super) fn check_all(archive: &Archive, writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    findings.expect(("holds", "count"), shared.holds.len(), writer.holds_count);
    findings.expect(("bookings", "count"), shared.bookings.len(), writer.bookings_count);
    check_keys(writer, findings);
    check_ended(writer, findings);
    check_listings(archive, writer, findings);
    check_arrivals(writer, findings);
    check_guest_keys(writer, findings);
}

/// Every stored answer will be forgotten, and what will be forgotten is stored.
fn check_keys(writer: &Writer, findings: &mut Findings) {
    let mut by_age: BTreeMap<u128, LogTimeMs> = BTreeMap::new();
    let mut queued = 0usize;
    for (at, key) in writer.keys_by_age() {
        queued += 1;
        by_age.insert(key, at);
    }
    let stored = writer.shared.keys.len();
    findings.expect(("keys", "count"), stored, queued);
    for (key, entry) in writer.shared.keys.iter() {
        let about = || ("keys", format!("{key:032x}"), None);
        match by_age.get(&key) {
            Some(&at) if at == entry.at_ms => {}
            Some(&at) => findings.add(about(), entry.at_ms, at),
            None => findings.add(about(), "to be forgotten one day", "kept for ever"),
        }
    }
}

fn check_ended(writer: &Writer, findings: &mut Findings) {
    // A hold that was revived has left the entry of its first end behind.
    let stands = |&(at, id): &(LogTimeMs, HoldId)| {
        writer.shared.holds.look(&id, |hold| hold.ended_ms == Some(at)) != Some(false)
    };
    let queued: BTreeMap<HoldId, LogTimeMs> =
        writer.ended_holds().filter(stands).map(|(at, hold)| (hold, at)).collect();
    let mut ended = 0usize;
    for (id, hold) in writer.shared.holds.iter().filter(|(_, hold)| !hold.is_live()) {
        ended += 1;
        if queued.get(&id).copied() != hold.ended_ms {
            let about = ("holds", format!("{id} ended"), None);
            findings.add(about, format!("{:?}", hold.ended_ms), format!("{:?}", queued.get(&id)));
        }
    }
    findings.expect(("holds", "ended count"), ended, queued.len());
}

/// Every booking is in its principal's list once, and nothing else is but what was archived.
fn check_listings(archive: &Archive, writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    let mut listed: BTreeMap<BookingId, (u32, Principal)> = BTreeMap::new();
    shared.bookings_of.for_each(|&principal, list| {
        for &booking in list.entries() {
            listed.entry(booking).or_insert((0, principal)).0 += 1;
        }
    });
    let mut live: BTreeMap<Principal, usize> = BTreeMap::new();
    for (id, booking) in shared.bookings.iter() {
        *live.entry(booking.principal).or_default() += 1;
        let found = listed.remove(&id);
        if found != Some((1, booking.principal)) {
            let about = ("bookings", format!("{id} in its list"), None);
            findings.add(about, "once", found.map_or(0, |found| found.0));
        }
    }
    for (booking, _) in listed {
        if !archive.listed.contains(&booking) {
            let about = ("bookings", format!("{booking} in a list"), None);
            findings.add(about, "nothing", "an entry");
        }
    }
    shared.bookings_of.for_each(|principal, list| {
        let expected = live.remove(principal).unwrap_or(0);
        let about = ("bookings", format!("in the list of {principal:?}"));
        findings.expect(about, expected, list.live());
    });
}

/// Every booking is in its hotel's list once, under its check-in, and nothing else is.
fn check_arrivals(writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    let mut listed: BTreeMap<BookingId, (u32, HotelIx, Night)> = BTreeMap::new();
    for hotel in (0..shared.hotels.len()).map(HotelIx) {
        for (check_in, booking) in shared.arrivals.list(hotel, Dates::ALL, None) {
            listed.entry(booking).or_insert((0, hotel, check_in)).0 += 1;
        }
    }
    let words = |(times, hotel, check_in): (u32, HotelIx, Night)| {
        format!("{times} of {check_in} at hotel {}", hotel.0)
    };
    for (id, booking) in shared.bookings.iter() {
        let expected = (1, booking.terms.hotel, booking.terms.check_in);
        let found = listed.remove(&id);
        if found != Some(expected) {
            let about = ("arrivals", id.to_string(), None);
            findings.add(about, words(expected), found.map_or_else(|| "none".to_owned(), words));
        }
    }
    for (booking, found) in listed {
        findings.add(("arrivals", booking.to_string(), None), "none", words(found));
    }
}

/// The key that opens a booking's personal data is kept.
fn check_guest_keys(writer: &Writer, findings: &mut Findings) {
    let shared = &writer.shared;
    for (id, booking) in shared.bookings.iter() {
        let guest = &booking.guest;
        let keys = shared.guest_keys.get(&guest.guest);
        // A guest none of whose keys is left was erased, or never had one.
        if keys.is_some_and(|keys| keys.iter().all(|known| known.key != guest.key)) {
            let about = ("guest_keys", format!("of {id}"), None);
            findings.add(about, format!("{:032x}", guest.key), "not kept");
        }
    }
}
