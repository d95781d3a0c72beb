//! The archive: what the state says it has archived is what its events said, and every booking in memory will
//! be archived one day.
//!
//! It owns a count and a digest made from the events alone, the client references of archived bookings until
//! they may be forgotten, and the ids that a list may still name. Of what was archived before the first entry
//! that it saw it believes the state.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Findings;
use crate::archive::{self, Archived};
use crate::booking::Booking;
use crate::civil::Night;
use crate::command::Principal;
use crate::event::Event;
use crate::ids::{BookingId, HoldId};
use crate::state::Writer;

/// What the events of a log have archived.
#[derive(Debug, Default)]
pub(super) struct Archive {
    begun: bool,
    /// What the state had archived before the first entry that was seen here.
    before: Archived,
    seen: Archived,
    /// Of which a list may have an entry.
    pub listed: BTreeSet<BookingId>,
    /// With the check-out, from which it is told how long the name stays taken.
    pub named: BTreeMap<(Principal, String), (HoldId, BookingId, Night)>,
}

impl Archive {
    /// Takes a state over that was not made here. What it has archived is believed, and what still refers to
    /// that: from then on a name or an entry more is a stray.
    pub fn begin(&mut self, writer: &Writer) {
        self.begun = true;
        self.before = writer.archived();
        if self.has_some_before() {
            let is_archived = |id: &BookingId| !writer.shared.bookings.contains(id);
            writer.shared.bookings_of.for_each(|_, list| {
                self.listed.extend(list.entries().copied().filter(is_archived));
            });
            let named = writer.booking_references().filter(|named| is_archived(&named.1.1));
            self.named.extend(named);
        }
    }

    /// To be called after every entry, checked or not.
    pub fn note(&mut self, writer: &Writer, events: &[Event]) {
        let is_first = !self.begun;
        if is_first {
            self.begin(writer);
        }
        let mut now = Archived::default();
        for event in events {
            if let Event::BookingArchived(booking) = event {
                now.add(&archive::record(booking));
                self.keep(booking);
            }
        }
        self.seen.bookings += now.bookings;
        self.seen.digest = self.seen.digest.wrapping_add(now.digest);
        if is_first {
            self.before = writer.archived().since(now);
        }
    }

    fn keep(&mut self, booking: &Booking) {
        self.listed.insert(booking.id);
        let terms = &booking.terms;
        if let Some(reference) = &terms.client_reference {
            let known = (terms.id, booking.id, terms.check_out);
            self.named.insert((terms.principal, reference.clone()), known);
        }
    }

    /// Whether bookings were archived before anyone looked.
    pub const fn has_some_before(&self) -> bool {
        self.before.bookings > 0
    }

    pub fn check_all(&mut self, writer: &Writer, findings: &mut Findings) {
        let found = writer.archived();
        let bookings = self.before.bookings.saturating_add(self.seen.bookings);
        let digest = self.before.digest.wrapping_add(self.seen.digest);
        findings.expect(("archive", "count"), bookings, found.bookings);
        let shown = |digest: u128| format!("{digest:032x}");
        findings.expect(("archive", "digest"), shown(digest), shown(found.digest));
        check_coming(writer, findings);
        self.forget(writer);
    }

    /// What nothing refers to any more.
    fn forget(&mut self, writer: &Writer) {
        self.named.retain(|name, known| {
            !writer.is_past_reference(known.2) || writer.booking_named(name) == Some(known.1)
        });
        let mut still = BTreeSet::new();
        writer.shared.bookings_of.for_each(|_, list| {
            still.extend(list.entries().filter(|id| self.listed.contains(id)));
        });
        self.listed = still;
    }
}

/// Every booking in memory lies under its check-out, once, and nothing else does.
fn check_coming(writer: &Writer, findings: &mut Findings) {
    let mut coming: BTreeMap<BookingId, (u32, Night)> = BTreeMap::new();
    for (night, booking) in writer.check_outs.entries() {
        coming.entry(booking).or_insert((0, night)).0 += 1;
    }
    let words = |(times, night): (u32, Night)| format!("{times} of {night}");
    for (id, booking) in writer.shared.bookings.iter() {
        let expected = (1, booking.terms.check_out);
        let found = coming.remove(&id);
        if found != Some(expected) {
            let found = found.map_or_else(|| "none".to_owned(), words);
            findings.add(("archive", format!("{id} to come"), None), words(expected), found);
        }
    }
    for (id, found) in coming {
        findings.add(("archive", format!("{id} to come"), None), "none", words(found));
    }
}
