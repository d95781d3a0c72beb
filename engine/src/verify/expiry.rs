//! Expiry: every live hold is found by the sweep and by its hotel, no later than it is due.
//!
//! Entries are hints, so more of them is no finding; a missing one is rooms that never come back.

use std::collections::{BTreeMap, BTreeSet};

use super::books::{Books, Owner};
use super::finding::Findings;
use crate::ids::HotelIx;
use crate::state::Writer;

/// No hint of when something is due may be later than a hold that was just touched.
pub(super) fn check_hint(owner: Owner, books: &Books, writer: &Writer, findings: &mut Findings) {
    let Some(live) = books.claims.get(&owner).and_then(|claim| claim.hold) else { return };
    let hotel = writer.shared.earliest_expiry(live.hotel);
    if hotel > live.expires_ms {
        let about = ("expiry", format!("earliest of the hotel of {owner}"), None);
        findings.add(about, format!("at most {}", live.expires_ms), hotel);
    }
    let next = writer.shared.next_expiry_ms();
    if next > live.expires_ms {
        let about = ("expiry", format!("next of all, {owner}"), None);
        findings.add(about, format!("at most {}", live.expires_ms), next);
    }
}

pub(super) fn check_all(books: &Books, writer: &Writer, findings: &mut Findings) {
    let swept: BTreeSet<_> = writer.expiry.entries().collect();
    let in_hotels: BTreeSet<_> = writer.hotel_entries().collect();
    let mut owners: Vec<_> = books
        .claims
        .iter()
        .filter_map(|(&owner, claim)| {
            let Owner::Hold(id) = owner else { return None };
            claim.hold.map(|live| (id, live))
        })
        .collect();
    owners.sort_unstable_by_key(|owner| owner.0);
    let mut live_in: BTreeMap<HotelIx, usize> = BTreeMap::new();
    for (id, live) in owners {
        *live_in.entry(live.hotel).or_default() += 1;
        check_hint(Owner::Hold(id), books, writer, findings);
        if !swept.contains(&(live.expires_ms, id)) {
            let about = ("expiry", format!("{id} in the sweep's index"), None);
            findings.add(about, live.expires_ms, "no entry");
        }
        if !in_hotels.contains(&(live.hotel, live.expires_ms, id)) {
            let about = ("expiry", format!("{id} in its hotel's index"), None);
            findings.add(about, live.expires_ms, "no entry");
        }
    }
    for hotel in 0..writer.shared.hotels.len() {
        let hotel = HotelIx(hotel);
        let expected = live_in.get(&hotel).copied().unwrap_or(0);
        let found = writer.hotel_live_holds(hotel);
        findings.expect(("expiry", format!("live holds of hotel {}", hotel.0)), expected, found);
    }
}
