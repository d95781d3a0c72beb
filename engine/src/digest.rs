//! The digest of the whole state: 128 bits per part, the same on every replica that applied the same log.
//!
//! Each record is hashed by itself (XXH3-128 over its encoded bytes) and the hashes of a part are added,
//! so the order in which a table hands out its records does not matter. Escrow, expiry queues and other
//! derived data are not in it.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use xxhash_rust::xxh3::xxh3_128;

use crate::codec::{Encode, encode_into};
use crate::outcome::Outcome;
use crate::state::Writer;
use crate::state::table::Table;

/// One number per part of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    pub clock: u128,
    pub cells: u128,
    pub rates: u128,
    pub catalogue: u128,
    pub holds: u128,
    pub bookings: u128,
    pub keys: u128,
    pub references: u128,
    pub sources: u128,
    pub guest_keys: u128,
    pub taxes: u128,
    pub blocks: u128,
    pub waitlist: u128,
    pub archive: u128,
    pub promos: u128,
}

impl Digest {
    /// Each part by its name, in the order of the fields.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, u128)> + use<> {
        // Without `..`: a part that is added is named here, or this does not compile.
        #[rustfmt::skip]
        let Self {
            clock, cells, rates, catalogue, holds, bookings, keys, references, sources, guest_keys,
            taxes,
            blocks, waitlist, archive, promos,
        } = *self;
        [
            ("clock", clock),
            ("cells", cells),
            ("rates", rates),
            ("catalogue", catalogue),
            ("holds", holds),
            ("bookings", bookings),
            ("keys", keys),
            ("references", references),
            ("sources", sources),
            ("guest_keys", guest_keys),
            ("taxes", taxes),
            ("blocks", blocks),
            ("waitlist", waitlist),
            ("archive", archive),
            ("promos", promos),
        ]
        .into_iter()
    }

    /// The parts that are not alike: name, this one's, the other's.
    pub fn differences(&self, other: &Self) -> impl Iterator<Item = (&'static str, u128, u128)> {
        let pairs = self.parts().zip(other.parts());
        pairs.filter(|(one, two)| one.1 != two.1).map(|(one, two)| (one.0, one.1, two.1))
    }
}

#[derive(Default)]
struct Sum {
    total: u128,
    bytes: Vec<u8>,
}

impl Sum {
    fn add(&mut self, record: &impl Encode) {
        self.bytes.clear();
        encode_into(record, &mut self.bytes);
        self.total = self.total.wrapping_add(xxh3_128(&self.bytes));
    }

    fn of_table<K: Eq + Hash, V, S: BuildHasher, T: Encode>(
        table: &Table<K, V, S>,
        record: impl Fn(&K, &V) -> T,
    ) -> u128 {
        let mut sum = Self::default();
        table.for_each(|id, value| sum.add(&record(id, value)));
        sum.total
    }

    fn of<T: Encode>(records: impl IntoIterator<Item = T>) -> u128 {
        let mut sum = Self::default();
        for record in records {
            sum.add(&record);
        }
        sum.total
    }
}

impl Writer {
    /// The digest of the state as it stands. Reads everything: seconds for a large state.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let shared = &self.shared;
        Digest {
            clock: Sum::of([(
                (self.now_ms, shared.window(), shared.settings()),
                self.digest_of_retiring(),
            )]),
            cells: Self::words(shared.room_types.len(), |row| shared.cells.row(row))
                .wrapping_add(Sum::of(self.closures.iter())),
            rates: Self::words(shared.rate_plans.len(), |row| shared.rates.row(row))
                .wrapping_add(self.digest_overlays()),
            catalogue: self.digest_catalogue(),
            holds: Sum::of_table(&shared.holds, |_, hold| {
                let terms = Arc::clone(&hold.terms);
                (terms, hold.status, hold.expires_ms, hold.extensions, hold.ended_ms)
            }),
            bookings: self.digest_bookings(),
            keys: Sum::of_table(&shared.keys, |key, stored| {
                (*key, stored.fingerprint, stored.at_ms, digest_outcome(&stored.outcome))
            }),
            references: self.digest_references(),
            sources: Sum::of_table(&shared.sources, |name, seq| (name.clone(), *seq)),
            guest_keys: Sum::of_table(&shared.guest_keys, |guest, keys| (*guest, keys.clone())),
            taxes: Sum::of(shared.taxes().entries().iter().copied()),
            blocks: self.digest_blocks(),
            waitlist: self.digest_waitlist(),
            archive: Sum::of([self.archived]),
            promos: self.digest_promos(),
        }
    }

    fn words<'a>(
        rows: u32,
        row: impl Fn(u32) -> Option<crate::inventory::Row<'a, crate::sync::AtomicU64>>,
    ) -> u128 {
        let mut sum = Sum::default();
        for number in 0..rows {
            let Some(row) = row(number) else { continue };
            for (slot, word) in row.nights(crate::Night(0), u16::MAX).enumerate() {
                // Relaxed: the writer itself reads.
                let word = word.load(Ordering::Relaxed);
                if word != 0 {
                    sum.add(&(number, slot as u64, word));
                }
            }
        }
        sum.total
    }

    fn digest_overlays(&self) -> u128 {
        let mut sum = Sum::default();
        for plan in 0..self.shared.rate_plans.len() {
            let Some(nights) = self.shared.overlays.of(plan) else { continue };
            for (night, rules) in nights.iter() {
                sum.add(&(plan, night, *rules));
            }
        }
        sum.total
    }

    fn digest_catalogue(&self) -> u128 {
        let shared = &self.shared;
        let mut sum = Sum::default();
        shared.partners.for_each(|_, partner| sum.add(&(0u8, Arc::clone(partner))));
        for at in 0..shared.hotels.len() {
            if let Some(hotel) = shared.hotels.get_full(at) {
                let names = (hotel.ix, hotel.id, hotel.partner, hotel.version, hotel.status);
                sum.add(&(
                    1u8,
                    names,
                    hotel.draft.clone(),
                    hotel.room_types.clone(),
                    hotel.created_ms,
                ));
            }
        }
        for at in 0..shared.room_types.len() {
            if let Some(kind) = shared.room_types.get_full(at) {
                let names = (kind.ix, kind.id, kind.hotel, kind.version, kind.removed);
                let promised = shared.promised_at(kind.ix);
                sum.add(&(2u8, names, promised, kind.draft.clone(), kind.rate_plans.clone()));
            }
        }
        for at in 0..shared.rate_plans.len() {
            if let Some(plan) = shared.rate_plans.get_full(at) {
                let names = (plan.ix, plan.id, plan.room_type, plan.version, plan.removed);
                sum.add(&(3u8, names, plan.draft.clone(), shared.quote_version(plan.ix)));
            }
        }
        sum.total
    }

    fn digest_waitlist(&self) -> u128 {
        let entries = Sum::of_table(&self.shared.waitlist, |_, entry| {
            let times = (entry.created_ms, entry.ended_ms);
            (entry.id, entry.number, entry.wish.clone(), entry.status, times)
        });
        entries.wrapping_add(Sum::of([self.waitlist_counters()]))
    }

    fn digest_promos(&self) -> u128 {
        let promos = Sum::of_table(&self.shared.promos, |_, promo| promo.clone());
        let codes = self.shared.promo_codes.iter();
        promos.wrapping_add(Sum::of(
            codes.map(|codes| (*codes.key(), codes.named.clone(), codes.removed.clone())),
        ))
    }

    fn digest_blocks(&self) -> u128 {
        let blocks = Sum::of_table(&self.shared.blocks, |_, block| {
            let names = (block.id, block.hotel, block.version, block.status);
            let times = (block.release_ms, block.created_ms, block.released_ms);
            (names, block.draft.clone(), times, block.picked_up.clone())
        });
        let lists = Sum::of_table(&self.shared.blocks_of, |hotel, list| (*hotel, list.clone()));
        blocks.wrapping_add(lists)
    }

    fn digest_bookings(&self) -> u128 {
        Sum::of_table(&self.shared.bookings, |_, booking| {
            let names = (
                booking.id,
                booking.principal,
                booking.version,
                (booking.created_ms, booking.changed_ms),
                booking.fee_floor,
            );
            let parts = (Arc::clone(&booking.guest), Arc::clone(&booking.payment));
            (names, Arc::clone(&booking.terms), booking.status, parts)
        })
    }
}

/// What identifies a stored answer: its kind and the records it carries.
fn digest_outcome(outcome: &Outcome) -> u128 {
    let mut bytes = Vec::new();
    match outcome {
        Outcome::Done => bytes.push(0),
        Outcome::Refused(refusal) => encode_into(&(1u8, refusal.as_ref().clone()), &mut bytes),
        Outcome::Replayed(first) => return digest_outcome(first).wrapping_add(1),
        Outcome::Hotel(hotel) => encode_into(&(3u8, hotel.id, hotel.version), &mut bytes),
        Outcome::RoomType(kind) => encode_into(&(4u8, kind.id, kind.version), &mut bytes),
        Outcome::RatePlan(plan) => encode_into(&(5u8, plan.id, plan.version), &mut bytes),
        Outcome::Allotted(lines) => encode_into(&(6u8, lines.to_vec()), &mut bytes),
        Outcome::Held { terms, expires_ms } => {
            encode_into(&(7u8, terms.id, *expires_ms), &mut bytes);
        }
        Outcome::HoldChanged(hold) => {
            encode_into(&(8u8, hold.terms.id, hold.status, hold.expires_ms), &mut bytes);
        }
        Outcome::Booked(booking) => encode_into(&(9u8, booking.id, booking.version), &mut bytes),
        Outcome::Cancelled(booking) => {
            encode_into(&(10u8, booking.id, booking.status), &mut bytes);
        }
        Outcome::Swept { expired } => encode_into(&(11u8, *expired), &mut bytes),
        Outcome::Ticked { retired_nights, forgotten } => {
            encode_into(&(12u8, *retired_nights, *forgotten), &mut bytes);
        }
        Outcome::BookingChanged(booking) => {
            encode_into(&(13u8, booking.id, booking.version, booking.status), &mut bytes);
        }
        Outcome::Taxes(table) => encode_into(&(14u8, table.version()), &mut bytes),
        Outcome::Waitlist(entry) => {
            encode_into(&(15u8, entry.id, entry.status), &mut bytes);
        }
        Outcome::Archived { bookings } => encode_into(&(17u8, *bookings), &mut bytes),
        Outcome::Block(block) => {
            encode_into(&(16u8, block.id, block.version, block.status), &mut bytes);
        }
        Outcome::Promo(promo) => {
            encode_into(&(18u8, promo.id, promo.version, promo.removed), &mut bytes);
        }
    }
    xxh3_128(&bytes)
}
