//! Quotas: what a guest is said to hold is the sum of that guest's live holds.

use super::books::{Books, GuestCount, Owner};
use super::finding::Findings;
use crate::ids::UserId;
use crate::state::Writer;

pub(super) fn check_owner(owner: Owner, books: &Books, writer: &Writer, findings: &mut Findings) {
    if let Some(guest) = books.claims.get(&owner).and_then(|claim| claim.hold?.guest) {
        check(guest, books, writer, findings);
    }
}

pub(super) fn check_all(books: &Books, writer: &Writer, findings: &mut Findings) {
    let mut guests: Vec<u128> = books.guests.keys().copied().collect();
    guests.extend(writer.guests_with_usage());
    guests.sort_unstable();
    guests.dedup();
    for guest in guests {
        check(guest, books, writer, findings);
    }
}

fn check(guest: u128, books: &Books, writer: &Writer, findings: &mut Findings) {
    let expected = books.guests.get(&guest).copied().unwrap_or_default();
    let found = writer.usage_of(guest);
    let found = found.map_or_else(GuestCount::default, |usage| GuestCount {
        holds: usage.holds.len() as u64,
        rooms: usage.rooms,
        room_nights: usage.room_nights,
    });
    for (name, expected, found) in [
        ("holds", expected.holds, found.holds),
        ("rooms", expected.rooms, found.rooms),
        ("room-nights", expected.room_nights, found.room_nights),
    ] {
        findings.expect(("quota", format!("{} {name}", UserId(guest))), expected, found);
    }
    let stray = writer.usage_of(guest).into_iter().flat_map(|usage| usage.holds);
    for id in stray.filter(|&id| !books.claims.contains_key(&Owner::Hold(id))) {
        findings.add(("quota", id.to_string(), None), "a live hold", "none");
    }
}
