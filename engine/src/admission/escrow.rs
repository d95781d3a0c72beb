//! Escrow: per cell, the rooms of requests that are under way.
//!
//! Owns the counters and the leases by which tickets keep them alive. A hint in arrays of its own: apply
//! never reads or writes it, it is in no digest, and nothing is ever sold or refused on its word.
//! **Invariant**: what is taken and given back cancels out, in any order, from any thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Demand;
use crate::ids::RoomTypeIx;
use crate::inventory::{Cell, Rows};
use crate::prefetch::prefetch;
use crate::stay::Stay;
use crate::sync::{AtomicU16, AtomicU64};

/// The counters of a state.
#[derive(Debug)]
pub struct Escrow {
    rows: Rows<AtomicU16>,
}

/// Rooms could not be set aside; what had been taken was given back.
pub struct Short;

impl Escrow {
    pub(crate) fn new(rows_max: u32) -> Self {
        Self { rows: Rows::new(rows_max) }
    }

    pub(crate) fn set_horizon(&self, nights: u16) {
        self.rows.set_horizon(nights);
    }

    /// Writer only; false past the bound.
    pub(crate) fn grow(&self, room_type: u32) -> bool {
        self.rows.grow(room_type)
    }

    /// Whether rooms can be set aside there. Rows never go away: once true, it stays true.
    #[inline]
    pub(crate) fn has(&self, room_type: RoomTypeIx) -> bool {
        self.rows.row(room_type.0).is_some()
    }

    /// Rooms of a cell under way now.
    pub(crate) fn at(&self, room_type: RoomTypeIx, night: crate::Night) -> Option<u16> {
        // Relaxed: a hint.
        self.rows.row(room_type.0)?.slot(night).map(|slot| slot.load(Ordering::Relaxed))
    }

    /// Asks memory for the first night of each room type.
    #[inline]
    pub(crate) fn prefetch(&self, demand: &Demand) {
        for &(room_type, _) in demand.rooms() {
            if let Some(slot) =
                self.rows.row(room_type.0).and_then(|row| row.slot(demand.stay().check_in))
            {
                prefetch(slot);
            }
        }
    }

    /// Takes the rooms of every night and room type, or none. Wait-free: a load and a `fetch_add` a cell,
    /// and a `fetch_sub` for each that was taken where a later one is short.
    #[inline]
    pub(crate) fn take(&self, cells: &Rows<AtomicU64>, demand: &Demand) -> Result<(), Short> {
        let stay = demand.stay();
        for (position, &(room_type, rooms)) in demand.rooms().iter().enumerate() {
            let Err(taken) = self.take_nights(cells, room_type, stay, rooms) else { continue };
            if cfg!(not(holdfast_bug = "drop_undo")) {
                self.give_back_nights(room_type, stay, taken, rooms);
                for &(earlier, rooms) in demand.rooms().iter().take(position) {
                    self.give_back_nights(earlier, stay, stay.nights(), rooms);
                }
            }
            return Err(Short);
        }
        Ok(())
    }

    /// Takes night after night; where one is short, for how many nights rooms were taken.
    #[inline]
    fn take_nights(
        &self,
        cells: &Rows<AtomicU64>,
        room_type: RoomTypeIx,
        stay: Stay,
        rooms: u32,
    ) -> Result<(), u16> {
        let (Some(escrow), Some(cells)) = (self.rows.row(room_type.0), cells.row(room_type.0))
        else {
            return Ok(());
        };
        let mut taken = 0;
        let (escrow, cells) =
            (escrow.parts(stay.check_in, stay.nights()), cells.parts(stay.check_in, stay.nights()));
        for (escrow, cells) in escrow.into_iter().zip(cells) {
            for (slot, cell) in escrow.iter().zip(cells) {
                // Acquire: pairs with the writer's Release, so that a night is seen whole.
                let free = Cell(cell.load(Ordering::Acquire)).free();
                // What applied state alone has too few of costs no write.
                if free < rooms {
                    return Err(taken);
                }
                taken += 1;
                if free - rooms < add(slot, rooms) {
                    return Err(taken);
                }
            }
        }
        Ok(())
    }

    /// Gives back what [`Self::take`] took.
    #[inline]
    pub(crate) fn give_back(&self, demand: &Demand) {
        for &(room_type, rooms) in demand.rooms() {
            self.give_back_nights(room_type, demand.stay(), demand.stay().nights(), rooms);
        }
    }

    #[inline]
    fn give_back_nights(&self, room_type: RoomTypeIx, stay: Stay, nights: u16, rooms: u32) {
        if let Some(row) = self.rows.row(room_type.0) {
            for slot in row.parts(stay.check_in, nights).flatten() {
                subtract(slot, rooms);
            }
        }
    }
}

/// Adds; what was there before.
#[inline]
#[allow(clippy::cast_possible_truncation)] // At most `ROOMS_PER_CELL_MAX`: a cell had so many free.
fn add(slot: &AtomicU16, rooms: u32) -> u32 {
    // Relaxed: a counter that orders nothing; the read-modify-write alone makes it exact.
    u32::from(slot.fetch_add(rooms as u16, Ordering::Relaxed))
}

#[inline]
#[allow(clippy::cast_possible_truncation)] // As in `add`.
fn subtract(slot: &AtomicU16, rooms: u32) {
    // Relaxed: as in `add`.
    slot.fetch_sub(rooms as u16, Ordering::Relaxed);
}

/// Threads that count their tickets apart. More threads than that share, which costs only time.
const LANES: usize = 32;

/// What a ticket keeps alive. One per lane, each in cache lines of its own: with one count for all, every
/// ticket of every thread would wait for the same line.
#[derive(Debug)]
#[repr(align(128))]
pub struct Lease {
    pub(crate) escrow: Arc<Escrow>,
}

/// The leases of a state.
#[derive(Debug)]
pub struct Leases([Arc<Lease>; LANES]);

impl Leases {
    pub(crate) fn of(escrow: &Arc<Escrow>) -> Self {
        Self(std::array::from_fn(|_| Arc::new(Lease { escrow: Arc::clone(escrow) })))
    }

    /// One for a ticket of the calling thread.
    #[inline]
    pub(crate) fn lease(&self) -> Arc<Lease> {
        let [first, ..] = &self.0;
        Arc::clone(self.0.get(lane() % LANES).unwrap_or(first))
    }
}

/// A number of the calling thread. It decides where a count lies and nothing else.
#[inline]
fn lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        // Relaxed: numbers only have to differ.
        static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that is being torn down may still drop or take tickets.
    LANE.try_with(|lane| *lane).unwrap_or(0)
}
