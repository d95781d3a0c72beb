//! Verify: an independent look at the state while a log is folded, entry by entry.
//!
//! It owns books of its own, made from the tables of holds and bookings and from the events, and holds
//! them against what the writer counted. It refuses to repair, and to believe a counter of the writer's.
//!
//! **Invariant**: it reads and never writes; a state that was verified is the state that was folded.
//!
//! After each entry what the entry's events touched is checked ([`Verifier::after`]); the whole state at
//! intervals and at the end ([`Verifier::check_all`]). What changes without an event that names it is a
//! finding too: whoever follows the feed would never learn of it. One invariant a file beneath this one.

mod archive;
mod blocks;
mod books;
mod calendar;
mod catalogue;
mod cells;
mod derived;
mod expiry;
mod finding;
#[cfg(test)]
mod planted;
mod promos;
mod quota;
mod rates;
mod references;
mod tables;
mod waitlist;

use std::collections::BTreeSet;

pub use finding::Finding;

use crate::event::Event;
use crate::hold::Terms;
use crate::ids::{HotelIx, RatePlanIx};
use crate::state::Writer;
use archive::Archive;
use books::{Books, Owner};
use cells::Cells;
use finding::Findings;
use promos::Promos;
use rates::Rates;
use waitlist::Waitlist;

/// Checks one state while a log is folded into it. Memory: about as much as the calendars, and a record
/// for each live hold and each booking whose stay is not over, and the client reference of each archived
/// one that may not be forgotten yet.
#[derive(Debug, Default)]
pub struct Verifier {
    from: u64,
    begun: bool,
    books: Books,
    archive: Archive,
    cells: Cells,
    rates: Rates,
    promos: Promos,
    waitlist: Waitlist,
    findings: Findings,
}

impl Verifier {
    /// Checks from the entry at index `from` on; before it only cuts are noted.
    #[must_use]
    pub fn new(from: u64) -> Self {
        Self { from, ..Self::default() }
    }

    /// Begins with a state that was not folded here, as a snapshot's: to be called before its next entry. What
    /// is over its limit there, and what it says it has archived, is believed and may only not grow; all else
    /// is checked as in any state.
    pub fn begin(&mut self, writer: &Writer) {
        self.cells.believe(writer);
        self.archive.begin(writer);
        if writer.index.saturating_add(1) >= self.from {
            self.check_all(writer);
        }
    }

    /// To be called after each entry, with what happened in it.
    pub fn after(&mut self, writer: &Writer, events: &[Event]) {
        self.cells.note_cuts(events);
        self.archive.note(writer, events);
        self.promos.note(events);
        if writer.index < self.from {
            return;
        }
        if !self.begun {
            self.check_all(writer);
            return;
        }
        self.findings.index = writer.index;
        self.follow_calendars(writer);
        let mut touched = Touched::default();
        for event in events {
            touched.add(event);
            self.waitlist.read(event, writer, &mut self.findings);
        }
        for &owner in &touched.owners {
            self.books.refresh(owner, &writer.shared, &mut touched.cells);
        }
        for &owner in &touched.owners {
            expiry::check_hint(owner, &self.books, writer, &mut self.findings);
            quota::check_owner(owner, &self.books, writer, &mut self.findings);
            blocks::check_owner(owner, &self.books, writer, &mut self.findings);
        }
        let owners = touched.owners.iter();
        self.promos.after(owners, &touched.promos, writer, &mut self.findings);
        for ari in &touched.ari {
            self.cells.adopt(writer, ari);
            self.rates.adopt(writer, ari);
            touched
                .cells
                .extend(ari.from.until(ari.to.plus(1)).map(|night| (ari.room_type, night)));
        }
        for &(room_type, night) in &touched.cells {
            self.cells.check_one(&self.books, writer, (room_type, night), &mut self.findings);
        }
        for ari in &touched.ari {
            derived::check_written(ari, writer, &mut self.findings);
        }
        for &plan in &touched.plans {
            derived::check_plan(plan, writer, &mut self.findings);
        }
        for &hotel in &touched.hotels {
            catalogue::check_hotel(hotel, writer, &mut self.findings);
        }
    }

    /// Reads everything: seconds for a large state.
    pub fn check_all(&mut self, writer: &Writer) {
        self.findings.index = writer.index;
        let recounted = Books::recount(&writer.shared);
        let is_first = !self.begun;
        if self.begun {
            self.follow_calendars(writer);
            self.books.compare(&recounted, &mut self.findings);
        } else {
            self.cells.begin(writer);
            self.rates.begin(writer);
            self.waitlist.begin(writer);
            self.begun = true;
        }
        self.books = recounted;
        self.cells.check_all(&self.books, writer, &mut self.findings);
        self.rates.check_all(writer, &mut self.findings);
        derived::check_all(writer, &mut self.findings);
        self.waitlist.check_all(writer, &mut self.findings);
        expiry::check_all(&self.books, writer, &mut self.findings);
        quota::check_all(&self.books, writer, &mut self.findings);
        references::check_all(&self.archive, writer, &mut self.findings);
        blocks::check_all(&self.books, writer, &mut self.findings);
        tables::check_all(&self.archive, writer, &mut self.findings);
        self.promos.renew(is_first, &self.archive, writer, &mut self.findings);
        // Last: it forgets what the others asked for.
        self.archive.check_all(writer, &mut self.findings);
        catalogue::check_all(writer, &mut self.findings);
    }

    /// What was found, in the order in which it was; the first [`FINDINGS_MAX`] of it.
    ///
    /// [`FINDINGS_MAX`]: crate::limits::FINDINGS_MAX
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        self.findings.kept()
    }

    /// How many findings there were, kept or not.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.findings.count()
    }

    fn follow_calendars(&mut self, writer: &Writer) {
        if let Some((first, _)) = writer.shared.window() {
            self.books.retire(first);
            self.cells.retire(first);
            self.rates.retire(first);
        }
        self.cells.grow(writer);
        self.rates.grow(writer);
    }
}

/// Nights that a partner has written.
#[derive(Debug, Clone, Copy)]
struct Written {
    room_type: crate::ids::RoomTypeIx,
    rate_plan: Option<RatePlanIx>,
    from: crate::Night,
    /// Inclusive.
    to: crate::Night,
}

/// What the events of one entry say has changed.
#[derive(Debug, Default)]
struct Touched {
    owners: BTreeSet<Owner>,
    cells: BTreeSet<(crate::ids::RoomTypeIx, crate::Night)>,
    ari: Vec<Written>,
    hotels: BTreeSet<HotelIx>,
    plans: BTreeSet<RatePlanIx>,
    promos: promos::Touched,
}

impl Touched {
    /// What comes from a block changes what the block has left.
    fn add_owner(&mut self, owner: Owner, terms: &Terms) {
        self.owners.insert(owner);
        self.owners.extend(terms.block.map(Owner::Block));
    }

    /// Every event says here what it touches; a new one that moves rooms names its [`Owner`].
    fn add(&mut self, event: &Event) {
        match event {
            Event::Held(terms) => {
                self.promos.given.extend(terms.promo.as_deref().map(|taken| taken.promo));
                self.add_owner(Owner::Hold(terms.id), terms);
            }
            Event::HoldChanged(hold) => {
                self.add_owner(Owner::Hold(hold.terms.id), &hold.terms);
            }
            Event::Booked(booking) => {
                self.owners.extend([Owner::Hold(booking.terms.id), Owner::Booking(booking.id)]);
            }
            Event::BookingCancelled(booking)
            | Event::BookingChanged(booking)
            | Event::BookingArchived(booking) => {
                self.add_owner(Owner::Booking(booking.id), &booking.terms);
            }
            // Moves no rooms: the offer is a hold. The waitlist's own books read it.
            Event::WaitlistChanged(_) => {}
            Event::BlockChanged(block) => {
                self.owners.insert(Owner::Block(block.id));
            }
            &Event::AriChanged { room_type, rate_plan, from, to, .. } => {
                self.ari.push(Written { room_type, rate_plan, from, to });
            }
            &Event::InventoryOversubscribed { room_type, night, .. } => {
                self.cells.insert((room_type, night));
            }
            Event::HotelChanged(hotel) => {
                self.hotels.insert(hotel.ix);
            }
            Event::RoomTypeChanged(room_type) => {
                self.hotels.insert(room_type.hotel);
            }
            // The next publication of its hotel names it in its lists.
            Event::RatePlanChanged(plan) => {
                self.plans.insert(plan.ix);
            }
            Event::PartnerAdded(_) | Event::NightsRetired { .. } | Event::TaxesChanged { .. } => {}
            Event::PromoChanged(promo) => {
                self.promos.changed.insert(promo.id);
            }
            // Said beside the end of its hold.
            Event::PaymentLapsed { .. } => {}
        }
    }
}
