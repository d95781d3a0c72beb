//! Admission: hopeless requests are kept out of the log, lock-free, from any thread.
//!
//! Rooms are set aside in *escrow*, a hint that carries no correctness: a refusal rests on applied state
//! alone; where escrow or doubt stands in the way the answer is *contended* and the log decides.
//!
//! **Invariant**: what a ticket took is returned exactly once, when the ticket is dropped.

pub(crate) mod demand;
pub(crate) mod escrow;

use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use self::demand::Demand;
use self::escrow::Lease;
use crate::civil::LogTimeMs;
use crate::ids::{HotelIx, RoomTypeIx};
use crate::inventory::Cell;
use crate::prefetch::prefetch;
use crate::refusal::{Blocker, Reason};
use crate::state::Reader;
use crate::stay::find_cell_blockers;

/// The answer to a request before it goes to the log.
#[derive(Debug)]
pub enum Admission {
    /// The rooms are set aside for this request; the ticket travels with it.
    Admitted(Ticket),
    /// Applied state has too few rooms. To be told to a client only after the leadership is confirmed, with
    /// the nights that [`Reader::still_short`] then names.
    Refused,
    /// Others are under way, or holds are due: the log decides.
    Contended,
}

/// Rooms set aside in escrow for one request. Dropping it returns them.
#[derive(Debug)]
pub struct Ticket {
    lease: Arc<Lease>,
    demand: Demand,
}

impl Drop for Ticket {
    #[inline]
    fn drop(&mut self) {
        self.lease.escrow.give_back(&self.demand);
        if cfg!(holdfast_bug = "return_ticket_twice") {
            self.lease.escrow.give_back(&self.demand);
        }
    }
}

impl Reader {
    /// Asks memory for what [`Self::admit`] will look at. Worth calling as soon as a demand is known, where
    /// other work comes before its admission.
    #[inline]
    pub fn expect(&self, demand: &Demand) {
        let check_in = demand.stay().check_in;
        for &(room_type, _) in demand.rooms() {
            if let Some(slot) =
                self.shared.cells.row(room_type.0).and_then(|row| row.slot(check_in))
            {
                prefetch(slot);
            }
        }
        self.shared.escrow.prefetch(demand);
    }

    /// Asks for the demand at `now` by the leader's log clock. Wait-free: a load and a `fetch_add` a cell,
    /// and as many `fetch_sub` where a cell is short.
    #[must_use]
    pub fn admit(&self, hotel: HotelIx, demand: Demand, now: LogTimeMs) -> Admission {
        // What has no calendar can have nothing set aside, now or when the ticket is returned.
        if !demand.rooms().iter().all(|&(room_type, _)| self.has_calendar(room_type)) {
            return Admission::Contended;
        }
        self.expect(&demand);
        match self.shared.escrow.take(&self.shared.cells, &demand) {
            Ok(()) => Admission::Admitted(Ticket { lease: self.shared.leases.lease(), demand }),
            Err(_) if cfg!(holdfast_bug = "refuse_on_escrow") => Admission::Refused,
            Err(_) if self.is_short(hotel, &demand, now) => Admission::Refused,
            Err(_) => Admission::Contended,
        }
    }

    #[inline]
    fn has_calendar(&self, room_type: RoomTypeIx) -> bool {
        self.shared.escrow.has(room_type) && self.shared.cells.row(room_type.0).is_some()
    }

    /// Whether applied state alone has too few rooms on some night, and no hold of the hotel that is due at
    /// `now` may give rooms back.
    fn is_short(&self, hotel: HotelIx, demand: &Demand, now: LogTimeMs) -> bool {
        let stay = demand.stay();
        self.undue(hotel, now, || {
            demand.rooms().iter().any(|&(room_type, rooms)| {
                self.shared.cells.row(room_type.0).is_some_and(|row| {
                    let mut nights = row.parts(stay.check_in, stay.nights()).flatten();
                    // Acquire: pairs with the writer's Release, so that a night is seen whole.
                    nights.any(|slot| Cell(slot.load(Ordering::Acquire)).free() < rooms)
                })
            })
        })
        .unwrap_or(false)
    }

    /// Every night on which applied state alone has too few rooms; `None` where it has enough, or where
    /// holds of the hotel or blocks are due at `now` and may give rooms back.
    #[must_use]
    pub fn still_short(
        &self,
        hotel: HotelIx,
        demand: &Demand,
        now: LogTimeMs,
    ) -> Option<Vec<Blocker>> {
        let blockers = self.undue(hotel, now, || {
            let mut blockers = Vec::new();
            for &(room_type, rooms) in demand.rooms() {
                find_cell_blockers(&self.shared, room_type, demand.stay(), rooms, &mut blockers);
            }
            blockers.retain(|blocker| matches!(blocker.reason, Reason::Insufficient { .. }));
            blockers
        })?;
        (!blockers.is_empty()).then_some(blockers)
    }

    /// What `look` sees of a hotel's cells, where no hold that they count and no block is due at `now`.
    ///
    /// The earliest expiry is read before and after. Before, since the writer frees a due hold's rooms and
    /// only then names a later expiry; after, since it names a new hold's expiry and only then takes its
    /// rooms.
    fn undue<T>(&self, hotel: HotelIx, now: LogTimeMs, look: impl FnOnce() -> T) -> Option<T> {
        let undue = || {
            self.shared.earliest_expiry(hotel) > now && self.shared.next_block_release_ms() > now
        };
        if !undue() {
            return None;
        }
        let seen = look();
        undue().then_some(seen)
    }

    /// Rooms of a cell that are in escrow now: a hint, for tests and metrics.
    #[must_use]
    pub fn escrowed(&self, room_type: RoomTypeIx, night: crate::Night) -> Option<u16> {
        self.shared.escrow.at(room_type, night)
    }
}
