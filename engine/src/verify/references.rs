//! References: a name leads to the live hold or the booking that has it, and they have it alone.

use std::collections::BTreeMap;

use super::archive::Archive;
use super::finding::Findings;
use crate::civil::Night;
use crate::command::Principal;
use crate::ids::{BookingId, HoldId};
use crate::state::Writer;

type Target = (HoldId, Option<BookingId>);

/// Names and what they lead to, with the check-out of a booking.
type Expected = BTreeMap<(Principal, String), (Target, Option<Night>)>;

pub(super) fn check_all(archive: &Archive, writer: &Writer, findings: &mut Findings) {
    let mut known: BTreeMap<_, _> = writer.references().collect();
    for ((principal, name), (target, check_out)) in expected(archive, writer) {
        match known.remove(&(principal, name.clone())) {
            Some(found) if found == target => {}
            Some(found) => {
                let about = ("references", format!("{principal:?} {name:?}"), None);
                findings.add(about, shown(target), shown(found));
            }
            // A reference is forgotten long after check-out, a cancelled booking's with it.
            None if check_out.is_some_and(|it| writer.is_past_reference(it)) => {}
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

/// What every booking, in memory or archived, and every live hold says of its name.
fn expected(archive: &Archive, writer: &Writer) -> Expected {
    let shared = &writer.shared;
    let of_archived = |(name, known): (&(Principal, String), &(HoldId, BookingId, Night))| {
        (name.clone(), ((known.0, Some(known.1)), Some(known.2)))
    };
    let mut expected: Expected = archive.named.iter().map(of_archived).collect();
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
            let target = ((terms.id, Some(booking)), Some(terms.check_out));
            expected.insert((terms.principal, name.clone()), target);
        }
    }
    for (_, hold) in shared.holds.iter().filter(|(_, hold)| hold.is_live()) {
        if let Some(name) = &hold.terms.client_reference {
            let target = ((hold.terms.id, None), None);
            expected.insert((hold.terms.principal, name.clone()), target);
        }
    }
    expected
}

fn shown((hold, booking): Target) -> String {
    booking.map_or_else(|| hold.to_string(), |booking| format!("{hold}, {booking}"))
}
