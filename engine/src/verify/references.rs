//! References: a name leads to the live hold or the booking that has it, and they have it alone.

use std::collections::BTreeMap;

use super::finding::Findings;
use crate::command::Principal;
use crate::ids::{BookingId, HoldId};
use crate::state::Writer;

type Target = (HoldId, Option<BookingId>);

pub(super) fn check_all(writer: &Writer, findings: &mut Findings) {
    let mut expected: BTreeMap<(Principal, String), Target> = BTreeMap::new();
    let shared = &writer.shared;
    let mut named: Vec<_> = shared
        .bookings
        .iter()
        .map(|(_, booking)| booking)
        .filter(|booking| booking.terms.client_reference.is_some())
        .map(|booking| (booking.created_ms, booking.id, booking.terms.clone()))
        .collect();
    // The last one to get a name has it: an earlier one's was forgotten.
    named.sort_unstable_by_key(|booking| (booking.0, booking.1));
    for (_, booking, terms) in named {
        if let Some(name) = &terms.client_reference {
            expected.insert((terms.principal, name.clone()), (terms.id, Some(booking)));
        }
    }
    for (_, hold) in shared.holds.iter().filter(|(_, hold)| hold.is_live()) {
        if let Some(name) = &hold.terms.client_reference {
            expected.insert((hold.terms.principal, name.clone()), (hold.terms.id, None));
        }
    }
    let mut known: BTreeMap<_, _> = writer.references().collect();
    for ((principal, name), target) in expected {
        match known.remove(&(principal, name.clone())) {
            Some(found) if found == target => {}
            Some(found) => {
                let about = ("references", format!("{principal:?} {name:?}"), None);
                findings.add(about, shown(target), shown(found));
            }
            // A reference is forgotten long after check-out, a cancelled booking's with it.
            None if writer.may_be_forgotten(target.1) => {}
            None => {
                let about = ("references", format!("{principal:?} {name:?}"), None);
                findings.add(about, shown(target), "nothing");
            }
        }
    }
    for ((principal, name), target) in known {
        let about = ("references", format!("{principal:?} {name:?}"), None);
        findings.add(about, "nothing", shown(target));
    }
}

fn shown((hold, booking): Target) -> String {
    booking.map_or_else(|| hold.to_string(), |booking| format!("{hold}, {booking}"))
}
