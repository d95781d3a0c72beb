//! Books of who has which rooms, made anew from the tables: never from a counter.
//!
//! It owns the sums: rooms held and sold per cell, and what each guest holds. **Invariant**: the sums are
//! those of the claims, and a claim is what its table said when its last event was seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::finding::Findings;
use crate::block::{self, Block};
use crate::booking::{self, Booking};
use crate::civil::{LogTimeMs, Night};
use crate::command::Principal;
use crate::hash::BuildFolded;
use crate::hold::{Hold, Terms};
use crate::ids::{BlockId, BookingId, HoldId, HotelIx, RoomTypeIx};
use crate::state::Shared;

/// Who can have rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Owner {
    Hold(HoldId),
    Booking(BookingId),
    /// Last: what a block has left follows from what holds and bookings have of it.
    Block(BlockId),
}

impl Owner {
    fn part(self) -> &'static str {
        match self {
            Self::Hold(_) => "holds",
            Self::Booking(_) => "bookings",
            Self::Block(_) => "blocks",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold(id) => id.fmt(f),
            Self::Booking(id) => id.fmt(f),
            Self::Block(id) => id.fmt(f),
        }
    }
}

/// As what the rooms count in their cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Held,
    Sold,
    Blocked,
}

/// The rooms one owner has: so many of a room type from a night up to, not including, another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub kind: Kind,
    pub rooms: Vec<(RoomTypeIx, Night, Night, u32)>,
    /// Of a live hold: where, until when, and whose quota it counts towards.
    pub hold: Option<LiveHold>,
    /// The block they were picked up from.
    pub block: Option<BlockId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LiveHold {
    pub hotel: HotelIx,
    pub expires_ms: LogTimeMs,
    pub guest: Option<u128>,
}

/// Rooms of one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub held: u32,
    pub sold: u32,
    pub blocked: u32,
}

/// What one guest has in live holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct GuestCount {
    pub holds: u64,
    pub rooms: u64,
    pub room_nights: u64,
}

type CellKey = (RoomTypeIx, Night);

/// All claims and their sums, for the nights that are still kept.
#[derive(Debug, Default)]
pub(super) struct Books {
    first: Night,
    pub claims: HashMap<Owner, Claim, BuildFolded>,
    pub cells: HashMap<CellKey, Count, BuildFolded>,
    pub guests: HashMap<u128, GuestCount, BuildFolded>,
    /// Rooms of blocks in live holds and standing bookings.
    pub picked_up: BTreeMap<(BlockId, RoomTypeIx, Night), u32>,
}

impl Books {
    /// From the tables alone.
    pub fn recount(shared: &Shared) -> Self {
        let first = shared.window().map_or(Night(0), |window| window.0);
        let mut books = Self { first, ..Self::default() };
        let mut unused = BTreeSet::new();
        for (id, hold) in shared.holds.iter() {
            books.put(Owner::Hold(id), claim_of_hold(&hold), &mut unused);
        }
        for (id, booking) in shared.bookings.iter() {
            let claim = claim_of_booking(&booking, first);
            books.put(Owner::Booking(id), claim, &mut unused);
        }
        for (id, block) in shared.blocks.iter() {
            let claim = books.claim_of_block(&block);
            books.put(Owner::Block(id), claim, &mut unused);
        }
        books
    }

    /// Looks an owner up again and counts what it has now; the cells that had or have its rooms.
    pub fn refresh(&mut self, owner: Owner, shared: &Shared, touched: &mut BTreeSet<CellKey>) {
        let claim = match owner {
            Owner::Hold(id) => shared.holds.get(&id).and_then(|hold| claim_of_hold(&hold)),
            Owner::Booking(id) => {
                let booking = shared.bookings.get(&id);
                booking.and_then(|booking| claim_of_booking(&booking, self.first))
            }
            Owner::Block(id) => {
                shared.blocks.get(&id).and_then(|block| self.claim_of_block(&block))
            }
        };
        self.put(owner, claim, touched);
    }

    /// What a definite block keeps of the nights that are still kept: what it is for, less what is
    /// picked up by the claims, whatever the block itself says of that.
    fn claim_of_block(&self, block: &Block) -> Option<Claim> {
        if block.status != block::Status::Definite {
            return None;
        }
        let stay = block.draft.stay;
        let mut rooms = Vec::new();
        for line in &block.draft.lines {
            for night in stay.check_in.max(self.first).until(stay.check_out) {
                let picked_up = self.picked_up.get(&(block.id, line.room_type, night));
                let left = u32::from(line.rooms).saturating_sub(picked_up.copied().unwrap_or(0));
                if left > 0 {
                    rooms.push((line.room_type, night, night.plus(1), left));
                }
            }
        }
        let claim = Claim { kind: Kind::Blocked, rooms, hold: None, block: None };
        (!claim.rooms.is_empty()).then_some(claim)
    }

    fn put(&mut self, owner: Owner, claim: Option<Claim>, touched: &mut BTreeSet<CellKey>) {
        if let Some(before) = self.claims.remove(&owner) {
            self.count(&before, false, touched);
        }
        if let Some(claim) = claim {
            self.count(&claim, true, touched);
            self.claims.insert(owner, claim);
        }
    }

    fn count(&mut self, claim: &Claim, add: bool, touched: &mut BTreeSet<CellKey>) {
        let change = |sum: &mut u32, rooms: u32| {
            *sum = if add { sum.saturating_add(rooms) } else { sum.saturating_sub(rooms) };
        };
        for &(room_type, from, to, rooms) in &claim.rooms {
            for night in from.max(self.first).until(to) {
                let count = self.cells.entry((room_type, night)).or_default();
                match claim.kind {
                    Kind::Held => change(&mut count.held, rooms),
                    Kind::Sold => change(&mut count.sold, rooms),
                    Kind::Blocked => change(&mut count.blocked, rooms),
                }
                if *count == Count::default() {
                    self.cells.remove(&(room_type, night));
                }
                if let Some(block) = claim.block {
                    let part = (block, room_type, night);
                    change(self.picked_up.entry(part).or_default(), rooms);
                    if self.picked_up.get(&part) == Some(&0) {
                        self.picked_up.remove(&part);
                    }
                }
                touched.insert((room_type, night));
            }
        }
        let Some(guest) = claim.hold.and_then(|hold| hold.guest) else { return };
        let rooms = claim.rooms.iter().map(|part| u64::from(part.3)).sum::<u64>();
        let nights = |part: &(_, Night, Night, u32)| u64::from(part.2.0 - part.1.0);
        let room_nights = claim.rooms.iter().map(|part| nights(part) * u64::from(part.3)).sum();
        let count = self.guests.entry(guest).or_default();
        let change = |sum: &mut u64, more: u64| {
            *sum = if add { sum.saturating_add(more) } else { sum.saturating_sub(more) };
        };
        change(&mut count.holds, 1);
        change(&mut count.rooms, rooms);
        change(&mut count.room_nights, room_nights);
        if count.holds == 0 {
            self.guests.remove(&guest);
        }
    }

    /// Nights before `first` are kept no longer, nor are bookings that end before it.
    pub fn retire(&mut self, first: Night) {
        if first <= self.first {
            return;
        }
        self.first = first;
        self.cells.retain(|cell, _| cell.1 >= first);
        self.picked_up.retain(|part, _| part.2 >= first);
        for claim in self.claims.values_mut().filter(|claim| claim.kind == Kind::Blocked) {
            claim.rooms.retain(|part| part.2 > first);
        }
        self.claims.retain(|_, claim| {
            claim.hold.is_some() || claim.rooms.iter().any(|&(_, _, to, _)| to > first)
        });
    }

    /// Claims that came, went or changed without an event that said so.
    pub fn compare(&self, recounted: &Self, findings: &mut Findings) {
        let mut owners: Vec<Owner> = self.claims.keys().copied().collect();
        owners.extend(recounted.claims.keys().filter(|owner| !self.claims.contains_key(owner)));
        owners.sort_unstable();
        for owner in owners {
            let (known, now) = (self.claims.get(&owner), recounted.claims.get(&owner));
            if known != now {
                let about = (owner.part(), owner.to_string(), None);
                findings.add(about, Shown(known), Shown(now));
            }
        }
    }
}

/// A claim in words.
struct Shown<'a>(Option<&'a Claim>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(claim) = self.0 else { return f.write_str("no rooms") };
        let kind = match claim.kind {
            Kind::Held => "held",
            Kind::Sold => "sold",
            Kind::Blocked => "blocked",
        };
        for (at, (room_type, from, to, rooms)) in claim.rooms.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{rooms} {kind} of room type {} {from} to {to}", room_type.0)?;
        }
        match claim.hold {
            Some(hold) => write!(f, " until {} ms", hold.expires_ms),
            None => Ok(()),
        }
    }
}

fn rooms_of(terms: &Terms) -> Vec<(RoomTypeIx, Night, Night, u32)> {
    let part = |line: &crate::hold::Line| {
        (line.room_type, terms.check_in, terms.check_out, u32::from(line.quantity))
    };
    terms.lines.iter().map(part).collect()
}

/// A hold has its rooms until it was released, confirmed or swept, however late the sweep.
fn claim_of_hold(hold: &Hold) -> Option<Claim> {
    let terms = &hold.terms;
    let guest = match terms.principal {
        Principal::Guest(guest) => Some(guest),
        Principal::Partner(_) | Principal::Admin(_) => None,
    };
    let live = LiveHold { hotel: terms.hotel, expires_ms: hold.expires_ms, guest };
    let (kind, rooms, block) = (Kind::Held, rooms_of(terms), terms.block);
    hold.is_live().then_some(Claim { kind, rooms, hold: Some(live), block })
}

/// A booking has its rooms for the nights that its status leaves it, told here a second time on purpose.
fn claim_of_booking(booking: &Booking, first: Night) -> Option<Claim> {
    let terms = &booking.terms;
    let until = match booking.status {
        booking::Status::Confirmed | booking::Status::CheckedIn => terms.check_out,
        // The night of the departure's date is somebody else's.
        booking::Status::CheckedOut(departure) => terms.check_out.min(departure.on),
        booking::Status::NoShow(_) => terms.check_in.plus(1),
        booking::Status::Cancelled(_) => return None,
    };
    if until <= first || until <= terms.check_in {
        return None;
    }
    let mut rooms = rooms_of(terms);
    for part in &mut rooms {
        part.2 = until;
    }
    Some(Claim { kind: Kind::Sold, rooms, hold: None, block: terms.block })
}
