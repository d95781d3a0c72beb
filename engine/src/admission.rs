//! Admission: hopeless requests are kept out of the log, lock-free, from any thread.
//!
//! *Escrow* counts, per cell, the rooms of requests that are under way. It is a hint in an array of its
//! own: apply never reads or writes it, it is in no digest, and nothing is ever sold or refused for good
//! on its word. A refusal rests on applied state alone; where escrow or doubt stands in the way the
//! answer is *contended* and the log decides.
//!
//! **Invariant**: what a ticket took is returned exactly once, when the ticket is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::civil::LogTimeMs;
use crate::ids::{HotelIx, RoomTypeIx};
use crate::inventory::Cell;
use crate::refusal::Blocker;
use crate::state::{Reader, Shared};
use crate::stay::{Stay, find_cell_blockers};

/// What a request takes: rooms per room type, the same on every night of the stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    stay: Stay,
    rooms: Vec<(RoomTypeIx, u32)>,
}

impl Demand {
    /// Sums the lines per room type.
    #[must_use]
    pub fn of(stay: Stay, lines: impl IntoIterator<Item = (RoomTypeIx, u32)>) -> Self {
        let mut rooms: Vec<(RoomTypeIx, u32)> = Vec::new();
        for (room_type, quantity) in lines {
            match rooms.iter_mut().find(|known| known.0 == room_type) {
                Some(known) => known.1 = known.1.saturating_add(quantity),
                None => rooms.push((room_type, quantity)),
            }
        }
        Self { stay, rooms }
    }

    #[must_use]
    pub const fn stay(&self) -> Stay {
        self.stay
    }

    /// Rooms per night of each room type, each room type once.
    #[must_use]
    pub fn rooms(&self) -> &[(RoomTypeIx, u32)] {
        &self.rooms
    }
}

/// The answer to a request before it goes to the log.
#[derive(Debug)]
pub enum Admission {
    /// The rooms are set aside for this request; the ticket travels with it.
    Admitted(Ticket),
    /// Applied state has too few rooms, on these nights. To be told to a client only after the
    /// leadership is confirmed and [`Reader::still_short`] agrees.
    Refused(Vec<Blocker>),
    /// Others are under way, or holds are due: the log decides.
    Contended,
}

/// Rooms set aside in escrow for one request. Dropping it returns them.
#[derive(Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
    demand: Demand,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        for &(room_type, rooms) in &self.demand.rooms {
            give_back(&self.shared, room_type, self.demand.stay, self.demand.stay.nights(), rooms);
        }
    }
}

fn give_back(shared: &Shared, room_type: RoomTypeIx, stay: Stay, nights: u16, rooms: u32) {
    if let Some(row) = shared.escrow.row(room_type.0) {
        for slot in row.nights(stay.check_in, nights) {
            release(slot, rooms);
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // Escrow wraps by design: adding and subtracting cancel out.
fn take(slot: &AtomicU16, rooms: u32) -> u32 {
    // Relaxed: a counter that orders nothing; the read-modify-write alone makes it exact.
    u32::from(slot.fetch_add(rooms as u16, Ordering::Relaxed))
}

#[allow(clippy::cast_possible_truncation)] // As in `take`.
fn release(slot: &AtomicU16, rooms: u32) {
    // Relaxed: as in `take`.
    slot.fetch_sub(rooms as u16, Ordering::Relaxed);
}

impl Reader {
    /// Asks for the demand at `now` by the leader's log clock. Wait-free: one `fetch_add` and one load
    /// a cell, and as many `fetch_sub` where a cell is short.
    #[must_use]
    pub fn admit(&self, hotel: HotelIx, demand: Demand, now: LogTimeMs) -> Admission {
        let stay = demand.stay;
        // What has no calendar can have nothing set aside, now or when the ticket is returned.
        if !demand.rooms.iter().all(|&(room_type, _)| self.has_calendar(room_type)) {
            return Admission::Contended;
        }
        for (position, &(room_type, rooms)) in demand.rooms.iter().enumerate() {
            let taken = self.take_nights(room_type, stay, rooms);
            if taken == stay.nights() {
                continue;
            }
            // Undo: the nights of this room type up to and with the short one, and all before it.
            give_back(&self.shared, room_type, stay, taken + 1, rooms);
            for &(earlier, rooms) in demand.rooms.iter().take(position) {
                give_back(&self.shared, earlier, stay, stay.nights(), rooms);
            }
            let blockers = self.still_short(hotel, &demand, now);
            return blockers.map_or(Admission::Contended, Admission::Refused);
        }
        Admission::Admitted(Ticket { shared: Arc::clone(&self.shared), demand })
    }

    /// Rows never go away: where this was true once, it stays true.
    fn has_calendar(&self, room_type: RoomTypeIx) -> bool {
        self.shared.escrow.row(room_type.0).is_some()
            && self.shared.cells.row(room_type.0).is_some()
    }

    /// Takes night after night; the number of nights before the first short one, whose rooms are taken
    /// too.
    fn take_nights(&self, room_type: RoomTypeIx, stay: Stay, rooms: u32) -> u16 {
        let (Some(escrow), Some(cells)) =
            (self.shared.escrow.row(room_type.0), self.shared.cells.row(room_type.0))
        else {
            return stay.nights();
        };
        let nights = stay.nights();
        let mut taken = 0;
        for (escrow, cell) in
            escrow.nights(stay.check_in, nights).zip(cells.nights(stay.check_in, nights))
        {
            let under_way = take(escrow, rooms);
            // Acquire: pairs with the writer's Release, so that a night is seen whole.
            if Cell(cell.load(Ordering::Acquire)).free() < under_way.saturating_add(rooms) {
                return taken;
            }
            taken += 1;
        }
        taken
    }

    /// Every night on which applied state alone has too few rooms; `None` where it has enough, or where
    /// holds of the hotel are due at `now` and may give rooms back.
    #[must_use]
    pub fn still_short(
        &self,
        hotel: HotelIx,
        demand: &Demand,
        now: LogTimeMs,
    ) -> Option<Vec<Blocker>> {
        if self.shared.earliest_expiry(hotel) <= now {
            return None;
        }
        let mut blockers = Vec::new();
        for &(room_type, rooms) in &demand.rooms {
            find_cell_blockers(&self.shared, room_type, demand.stay, rooms, &mut blockers);
        }
        blockers.retain(|blocker| {
            matches!(blocker.reason, crate::refusal::Reason::Insufficient { .. })
        });
        (!blockers.is_empty()).then_some(blockers)
    }

    /// Rooms of a cell that are in escrow now: a hint, for tests and metrics.
    #[must_use]
    pub fn escrowed(&self, room_type: RoomTypeIx, night: crate::Night) -> Option<u16> {
        // Relaxed: a hint.
        self.shared.escrow.row(room_type.0)?.slot(night).map(|slot| slot.load(Ordering::Relaxed))
    }
}
