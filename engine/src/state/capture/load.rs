//! Loading: a state made again from the records of a capture.
//!
//! It owns what follows from the records: ids, places, expiries of hotels, counts. It refuses what does
//! not fit together, and hands nothing out before the last record: no reader sees half a state.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::part::{Part, decode_page};
use super::{Head, Name};
use crate::block::Block;
use crate::booking::{Booking, WrappedKey};
use crate::catalogue::{Hotel, Partner, RatePlan, RoomType};
use crate::civil::{LogTimeMs, Night};
use crate::codec::{self, Decode, decode_first};
use crate::command::Principal;
use crate::hold::Hold;
use crate::ids::{BlockId, BookingId, HoldId, HotelIx, PartnerId, WaitId};
use crate::promo::Promo;
use crate::quote::tax;
use crate::rates::DatedRules;
use crate::state::keys::Stored;
use crate::state::ledger::Usage;
use crate::state::listing::Listing;
use crate::state::references::Reference;
use crate::state::{Reader, State, Writer};
use crate::waitlist::Entry;

/// Why records do not make a state.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("a record of the {part:?} cannot be read: {error}")]
    Malformed { part: Part, error: codec::Error },
    #[error("a record of the {part:?} does not fit what came before it")]
    Misfit { part: Part },
    #[error("the {part:?} come after the {after:?}")]
    Order { part: Part, after: Part },
    #[error("the state's head is missing")]
    NoHead,
}

/// A state under construction.
#[derive(Debug)]
pub struct Loading {
    writer: Writer,
    reader: Reader,
    last: Option<Part>,
    retiring: Option<(Night, Night, u32)>,
    /// By principal; put into the table as a whole.
    bookings_of: BTreeMap<Principal, Listing>,
    blocks_of: BTreeMap<HotelIx, Vec<BlockId>>,
}

impl State {
    /// A state to be made from the records of a [`super::Capture`].
    #[must_use]
    pub fn load() -> Loading {
        let (writer, reader) = Self::new();
        Loading {
            writer,
            reader,
            last: None,
            retiring: None,
            bookings_of: BTreeMap::new(),
            blocks_of: BTreeMap::new(),
        }
    }
}

impl Loading {
    /// Takes records of one part; parts in their order.
    pub fn put(&mut self, records: Decoded) -> Result<(), LoadError> {
        let part = records.part;
        match self.last {
            None if part != Part::Head => return Err(LoadError::NoHead),
            Some(after) if part < after || part == Part::Head => {
                return Err(LoadError::Order { part, after });
            }
            _ => self.last = Some(part),
        }
        let writer = &mut self.writer;
        let fit = match records.form {
            Form::Holds(list) => list.into_iter().all(|hold| writer.load_hold(hold)),
            Form::Bookings(list) => list.into_iter().all(|booking| writer.load_booking(booking)),
            Form::Keys(list) => {
                list.into_iter().for_each(|(key, stored)| writer.shared.keys.add(key, stored));
                true
            }
            Form::Bytes(bytes) => return self.put_bytes(part, &bytes),
        };
        if fit { Ok(()) } else { Err(LoadError::Misfit { part }) }
    }

    fn put_bytes(&mut self, part: Part, mut bytes: &[u8]) -> Result<(), LoadError> {
        while !bytes.is_empty() {
            let read = self.put_first(part, bytes)?;
            bytes = bytes.get(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// The first record of `bytes`; how many bytes it took.
    fn put_first(&mut self, part: Part, bytes: &[u8]) -> Result<usize, LoadError> {
        let from = Record { part, bytes };
        let writer = &mut self.writer;
        let shared = Arc::clone(&writer.shared);
        match part {
            Part::Head => from.put(|head: Head| self.head(head)),
            Part::Partners => from.put(|partner: Arc<Partner>| {
                shared.partners.add(partner.id, partner);
                true
            }),
            Part::Hotels => from.put(|hotel: Arc<Hotel>| writer.load_hotel(hotel)),
            Part::RoomTypes => from.put(|(kind, promised_at): (Arc<RoomType>, u64)| {
                shared.mark_promised(kind.ix, promised_at);
                shared.room_type_ids.pin().insert(kind.id, kind.ix);
                let at = kind.ix.0;
                shared.grow_room_type(at) && shared.room_types.push(kind) == Some(at)
            }),
            Part::RatePlans => from.put(|(plan, version): (Arc<RatePlan>, u64)| {
                shared.set_quote_version(plan.ix, version);
                shared.rate_plan_ids.pin().insert(plan.id, plan.ix);
                let at = plan.ix.0;
                shared.grow_rate_plan(at) && shared.rate_plans.push(plan) == Some(at)
            }),
            Part::Overlays => from.put(|(plan, nights): (u32, Vec<(Night, DatedRules)>)| {
                shared.overlays.put(plan, &nights);
                true
            }),
            Part::Closures => from.put(|(night, hotels): (Night, Vec<HotelIx>)| {
                hotels.iter().for_each(|hotel| writer.closures.set(*hotel, night, true));
                true
            }),
            Part::Cells | Part::Rates => {
                let misfit = || LoadError::Misfit { part };
                let (page, read) = decode_page(bytes).ok_or_else(misfit)?;
                let rows = if part == Part::Cells { &shared.cells } else { &shared.rates };
                rows.restore(&page).then_some(read).ok_or_else(misfit)
            }
            _ => self.put_stay(&from),
        }
    }

    fn put_stay(&mut self, from: &Record<'_>) -> Result<usize, LoadError> {
        let writer = &mut self.writer;
        let shared = Arc::clone(&writer.shared);
        match from.part {
            Part::BookingsOf => {
                from.put(|((of, first), some): ((Principal, u64), Vec<BookingId>)| {
                    let first = usize::try_from(first).unwrap_or(usize::MAX);
                    let list = self.bookings_of.entry(of).or_insert_with(|| Listing::load(first));
                    for booking in some {
                        list.load_entry(booking, shared.bookings.contains(&booking));
                    }
                    true
                })
            }
            Part::Blocks => from.put(|block: Block| {
                shared.blocks.add(block.id, block);
                true
            }),
            Part::BlocksOf => from.put(|(hotel, some): (HotelIx, Vec<BlockId>)| {
                self.blocks_of.entry(hotel).or_default().extend(some);
                true
            }),
            Part::Waitlist => from.put(|entry: Arc<Entry>| writer.load_waiting(&entry)),
            _ => self.put_book(from),
        }
    }

    fn put_book(&mut self, from: &Record<'_>) -> Result<usize, LoadError> {
        let writer = &mut self.writer;
        let shared = Arc::clone(&writer.shared);
        match from.part {
            Part::Usage => from.put(|(guest, usage): (u128, Usage)| {
                writer.usage.add(guest, usage);
                true
            }),
            Part::References => from.put(|(name, known): (Name, Reference)| {
                writer.references.add(name, known);
                true
            }),
            Part::Sources => from.put(|(name, seq): ((PartnerId, String), u64)| {
                shared.sources.add(name, seq);
                true
            }),
            Part::GuestKeys => from.put(|(guest, keys): (u128, Vec<WrappedKey>)| {
                shared.guest_keys.add(guest, keys);
                true
            }),
            Part::KeysByAge => from.each(|(at, key): (LogTimeMs, u128)| writer.keys.load(at, key)),
            Part::ReferencesUntil => from.put(|(night, names): (Night, Vec<Name>)| {
                let queue = writer.references_until.entry(night).or_default();
                names.into_iter().for_each(|name| queue.push(name));
                true
            }),
            Part::Expiries => {
                from.each(|(at, hold): (LogTimeMs, HoldId)| writer.expiry.add(at, hold))
            }
            Part::EndedHolds => from.each(|entry: (LogTimeMs, HoldId)| writer.ended.push(entry)),
            Part::BlockReleases => {
                from.each(|(at, block): (LogTimeMs, BlockId)| writer.block_releases.load(at, block))
            }
            Part::EndedWaiting => {
                from.each(|(at, id): (LogTimeMs, WaitId)| writer.waiting.load_ended(at, id))
            }
            Part::Promos => from.put(|promo: Promo| writer.load_promo(promo)),
            // Named above.
            _ => Err(LoadError::Misfit { part: from.part }),
        }
    }

    fn head(&mut self, head: Head) -> bool {
        let writer = &mut self.writer;
        (writer.index, writer.now_ms) = (head.index, head.now_ms);
        (writer.swept_ms, writer.archived) = (head.swept_ms, head.archived);
        if let Some(settings) = head.settings {
            writer.shared.configure(settings);
        }
        if let Some((first, end)) = head.window {
            writer.shared.set_window(first, end);
        }
        if !head.taxes.is_empty() {
            writer.shared.set_taxes(Arc::new(tax::Table::of(head.taxes)));
        }
        writer.waiting.load(head.waiting);
        self.retiring = head.retiring;
        true
    }

    /// The state, after the last record.
    pub fn finish(self) -> Result<(Writer, Reader), LoadError> {
        if self.last.is_none() {
            return Err(LoadError::NoHead);
        }
        let mut writer = self.writer;
        writer.retiring = self.retiring.map(Into::into);
        for (of, list) in self.bookings_of {
            writer.shared.bookings_of.add(of, list);
        }
        for (hotel, list) in self.blocks_of {
            writer.shared.blocks_of.add(hotel, list);
        }
        writer.skip(writer.index);
        Ok((writer, self.reader))
    }
}

/// Records of one part, one after another, as far read as they can be without the state: where there are
/// millions of them, on another thread than the one that makes the state.
#[derive(Debug)]
pub struct Decoded {
    part: Part,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Holds(Vec<Hold>),
    Keys(Vec<(u128, Stored)>),
    Bookings(Vec<Arc<Booking>>),
    /// Read as they are put: few, or little work.
    Bytes(Vec<u8>),
}

impl Decoded {
    pub fn of(part: Part, bytes: Vec<u8>) -> Result<Self, LoadError> {
        let form = match part {
            Part::Holds => Form::Holds(read_all(part, &bytes)?),
            Part::Keys => Form::Keys(read_all(part, &bytes)?),
            Part::Bookings => Form::Bookings(read_all(part, &bytes)?),
            _ => Form::Bytes(bytes),
        };
        Ok(Self { part, form })
    }
}

fn read_all<T: Decode<()>>(part: Part, mut bytes: &[u8]) -> Result<Vec<T>, LoadError> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, read) =
            decode_first(bytes).map_err(|error| LoadError::Malformed { part, error })?;
        records.push(record);
        bytes = bytes.get(read..).unwrap_or_default();
    }
    Ok(records)
}

/// Records to be read, of one part.
struct Record<'a> {
    part: Part,
    bytes: &'a [u8],
}

impl Record<'_> {
    /// Reads the first and hands it over; it is refused where that says no.
    fn put<T: Decode<()>>(&self, put: impl FnOnce(T) -> bool) -> Result<usize, LoadError> {
        let part = self.part;
        let (record, read) =
            decode_first(self.bytes).map_err(|error| LoadError::Malformed { part, error })?;
        if put(record) { Ok(read) } else { Err(LoadError::Misfit { part }) }
    }

    /// The same for the items of a list.
    fn each<T: Decode<()> + 'static>(&self, put: impl FnMut(T)) -> Result<usize, LoadError> {
        self.put(|((), items): ((), Vec<T>)| {
            items.into_iter().for_each(put);
            true
        })
    }
}

impl Writer {
    fn load_hotel(&mut self, hotel: Arc<Hotel>) -> bool {
        let shared = Arc::clone(&self.shared);
        shared.hotel_ids.pin().insert(hotel.id, hotel.ix);
        shared.places.place(&hotel, None);
        self.partner_hotels(hotel.partner, hotel.ix);
        let at = hotel.ix.0;
        shared.hotels.push(hotel) == Some(at)
    }

    /// Its expiry and its guest's usage come as records of their own.
    fn load_hold(&mut self, hold: Hold) -> bool {
        if hold.is_live() {
            self.list_live(hold.terms.hotel, hold.expires_ms, hold.terms.id);
        }
        self.holds_count += 1;
        self.shared.holds.add(hold.terms.id, hold);
        true
    }

    fn load_booking(&mut self, booking: Arc<Booking>) -> bool {
        self.bookings_count += 1;
        let terms = &booking.terms;
        self.shared.arrivals.add(terms.hotel, terms.stay(), booking.id);
        self.check_outs.add(terms.check_out, booking.id);
        self.shared.bookings.add(booking.id, booking);
        true
    }

    fn load_promo(&mut self, promo: Promo) -> bool {
        self.list_promo(&promo);
        self.shared.promos.add(promo.id, promo);
        true
    }

    fn load_waiting(&mut self, entry: &Arc<Entry>) -> bool {
        self.waiting.load_entry(entry);
        self.shared.waitlist.add(entry.id, Arc::clone(entry));
        true
    }
}
