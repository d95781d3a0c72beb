//! A capture: the state as it stood at one index, read out by another thread while the writer goes on.
//!
//! The mark moves pointers and copies what is small; everything large is walked afterwards, and what the
//! writer changes meanwhile it has put aside before (see [`super::aside`]). It owns which parts a state
//! has and in which order they come; it refuses to know of files.
//!
//! **Invariant**: what a capture hands out is the state at its mark, whatever the writer has done since,
//! down to what decides how later commands are answered and is in no digest.

mod head;
mod load;
mod part;

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) use head::{Head, WaitingHead};
pub use load::{Decoded, LoadError, Loading};
pub use part::Part;

use super::aside::Marked;
use super::expiry;
use super::ledger::Usage;
use super::listing::Listing;
use super::queue::Kept;
use super::references::Reference;
use super::table::Table;
use super::{Shared, Writer};
use crate::civil::{LogTimeMs, Night};
use crate::codec::{Encode, encode_into};
use crate::command::Principal;
use crate::ids::{BlockId, HoldId, WaitId};
use crate::inventory::{Page, Rows};
use crate::state::closures::Closures;
use crate::sync::{AtomicU32, AtomicU64};

/// Items of a list in one record.
const ITEMS: usize = 4_096;

type Name = (Principal, String);

/// A state at its mark. Dropping it ends the capture; the next can begin then.
#[derive(Debug)]
pub struct Capture {
    number: u64,
    head: Head,
    shared: Arc<Shared>,
    usage: Arc<Table<u128, Usage>>,
    references: Arc<Table<Name, Reference, RandomState>>,
    quote_versions: Vec<u64>,
    promised_at: Vec<u64>,
    closures: Closures,
    keys_by_age: Kept<(LogTimeMs, u128)>,
    references_until: BTreeMap<Night, Kept<Name>>,
    expiry: expiry::Kept,
    ended: Kept<(LogTimeMs, HoldId)>,
    block_releases: Vec<(LogTimeMs, BlockId)>,
    ended_waiting: Kept<(LogTimeMs, WaitId)>,
    /// Not 0 while a capture is under way.
    busy: Arc<AtomicU32>,
}

impl Drop for Capture {
    fn drop(&mut self) {
        let marked: [&dyn Marked; 2] = [&*self.usage, &*self.references];
        self.shared.marked().into_iter().chain(marked).for_each(Marked::unmark);
        // Release: pairs with the Acquire in `capture`: nothing of this one comes after the next mark.
        self.busy.store(0, Ordering::Release);
    }
}

impl Writer {
    /// Marks the state as it stands, between two entries; `None` while another capture is under way.
    pub fn capture(&mut self) -> Option<Capture> {
        // Without `..`: what the writer comes to have is named here, or this does not compile.
        let Self {
            shared,
            now_ms,
            index,
            events: _,
            // The same wherever the log is folded.
            bounds: _,
            expiry,
            swept_ms,
            // Follow from the records.
            holds_count: _,
            bookings_count: _,
            check_outs: _,
            archived,
            hotel_holds: _,
            closures,
            keys,
            usage,
            references,
            references_until,
            retiring,
            ended,
            block_releases,
            waiting,
            captures,
            // What this node met.
            damage: _,
        } = self;
        // Acquire: pairs with the Release of a capture's end.
        if captures.busy.load(Ordering::Acquire) != 0 {
            return None;
        }
        // Relaxed: handed over with the capture.
        captures.busy.store(1, Ordering::Relaxed);
        captures.last += 1;
        let number = captures.last;
        let marked: [&dyn Marked; 2] = [&**usage, &**references];
        shared.marked().into_iter().chain(marked).for_each(|table| table.mark(number));
        let (waiting, ended_waiting) = waiting.keep();
        let head = Head {
            settings: shared.settings(),
            index: *index,
            now_ms: *now_ms,
            swept_ms: *swept_ms,
            archived: *archived,
            window: shared.window(),
            retiring: retiring.map(Into::into),
            taxes: shared.taxes().entries().to_vec(),
            waiting,
        };
        Some(Capture {
            number,
            head,
            quote_versions: shared.quote_versions_now(),
            promised_at: shared.promised_at_now(),
            shared: Arc::clone(shared),
            usage: Arc::clone(usage),
            references: Arc::clone(references),
            closures: closures.clone(),
            keys_by_age: keys.keep(),
            references_until: references_until
                .iter_mut()
                .map(|(at, it)| (*at, it.keep()))
                .collect(),
            expiry: expiry.keep(),
            ended: ended.keep(),
            block_releases: block_releases.iter().collect(),
            ended_waiting,
            busy: Arc::clone(&captures.busy),
        })
    }
}

/// The writer's part in captures.
#[derive(Debug, Default)]
pub(super) struct Captures {
    last: u64,
    busy: Arc<AtomicU32>,
}

/// Encodes records and hands them on, one at a time.
struct Out<F> {
    put: F,
    bytes: Vec<u8>,
}

impl<E, F: FnMut(Part, &[u8]) -> Result<(), E>> Out<F> {
    fn put(&mut self, part: Part, record: &impl Encode) -> Result<(), E> {
        self.bytes.clear();
        encode_into(record, &mut self.bytes);
        (self.put)(part, &self.bytes)
    }

    fn page(&mut self, part: Part, page: &Page) -> Result<(), E> {
        self.bytes.clear();
        part::encode_page(page, &mut self.bytes);
        (self.put)(part, &self.bytes)
    }

    /// A list in records of so many items, each behind what it belongs to.
    fn list<T: Encode + Clone>(
        &mut self,
        part: Part,
        of: &(impl Encode + Clone),
        items: impl Iterator<Item = T>,
    ) -> Result<(), E> {
        let mut items = items.peekable();
        while items.peek().is_some() {
            let some: Vec<T> = items.by_ref().take(ITEMS).collect();
            self.put(part, &(of.clone(), some))?;
        }
        Ok(())
    }
}

impl Capture {
    /// The index of the entry after which the mark was made.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.head.index
    }

    /// Hands every record out, part by part in the order of [`Part`], each record encoded. Not on the
    /// writer's thread. Ends with the first error of `put`.
    pub fn write<E>(self, put: impl FnMut(Part, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut out = Out { put, bytes: Vec::new() };
        out.put(Part::Head, &self.head)?;
        self.write_catalogue(&mut out)?;
        let (cells, rates) = (&self.shared.cells, &self.shared.rates);
        self.write_calendar(Part::Cells, cells, &mut out)?;
        self.write_calendar(Part::Rates, rates, &mut out)?;
        self.write_stays(&mut out)?;
        self.write_books(&mut out)
    }

    fn write_catalogue<E>(
        &self,
        out: &mut Out<impl FnMut(Part, &[u8]) -> Result<(), E>>,
    ) -> Result<(), E> {
        let (n, shared) = (self.number, &self.shared);
        let mark = |marks: &[u64], at: u32| marks.get(at as usize).copied().unwrap_or(0);
        shared.partners.captured(n, |_, partner| out.put(Part::Partners, partner))?;
        shared.hotels.captured(n, |_, hotel| out.put(Part::Hotels, hotel))?;
        shared.room_types.captured(n, |at, kind| {
            out.put(Part::RoomTypes, &(kind, mark(&self.promised_at, at)))
        })?;
        shared.rate_plans.captured(n, |at, plan| {
            out.put(Part::RatePlans, &(plan, mark(&self.quote_versions, at)))
        })?;
        shared.overlays.captured(n, |plan, nights| {
            out.list(Part::Overlays, &plan, nights.iter().map(|(night, rules)| (night, *rules)))
        })?;
        for night in self.closures.nights() {
            out.list(Part::Closures, &night.0, night.1)?;
        }
        Ok(())
    }

    fn write_calendar<E>(
        &self,
        part: Part,
        rows: &Rows<AtomicU64>,
        out: &mut Out<impl FnMut(Part, &[u8]) -> Result<(), E>>,
    ) -> Result<(), E> {
        rows.captured(self.number, |page| out.page(part, &page))
    }

    fn write_stays<E>(
        &self,
        out: &mut Out<impl FnMut(Part, &[u8]) -> Result<(), E>>,
    ) -> Result<(), E> {
        let (n, shared) = (self.number, &self.shared);
        shared.holds.captured(n, |_, hold| out.put(Part::Holds, hold))?;
        shared.keys.captured(n, |key, stored| out.put(Part::Keys, &(key, stored)))?;
        shared.bookings.captured(n, |_, booking| out.put(Part::Bookings, booking))?;
        shared.bookings_of.captured(n, |of, list: &Listing| {
            let first = u64::try_from(list.first()).unwrap_or(u64::MAX);
            out.list(Part::BookingsOf, &(*of, first), list.entries().copied())
        })?;
        shared.blocks.captured(n, |_, block| out.put(Part::Blocks, block))?;
        shared
            .blocks_of
            .captured(n, |hotel, list| out.list(Part::BlocksOf, hotel, list.iter().copied()))?;
        shared.waitlist.captured(n, |_, entry| out.put(Part::Waitlist, entry))
    }

    fn write_books<E>(
        &self,
        out: &mut Out<impl FnMut(Part, &[u8]) -> Result<(), E>>,
    ) -> Result<(), E> {
        let (n, shared) = (self.number, &self.shared);
        self.usage.captured(n, |guest, usage| out.put(Part::Usage, &(guest, usage)))?;
        self.references.captured(n, |name, known| out.put(Part::References, &(name, known)))?;
        shared.sources.captured(n, |name, seq| out.put(Part::Sources, &(name, seq)))?;
        shared.guest_keys.captured(n, |guest, keys| out.put(Part::GuestKeys, &(guest, keys)))?;
        out.list(Part::KeysByAge, &(), self.keys_by_age.iter().copied())?;
        for (night, names) in &self.references_until {
            out.list(Part::ReferencesUntil, night, names.iter().cloned())?;
        }
        out.list(Part::Expiries, &(), self.expiry.iter())?;
        out.list(Part::EndedHolds, &(), self.ended.iter().copied())?;
        out.list(Part::BlockReleases, &(), self.block_releases.iter().copied())?;
        out.list(Part::EndedWaiting, &(), self.ended_waiting.iter().copied())?;
        shared.promos.captured(n, |_, promo| out.put(Part::Promos, promo))
    }
}
