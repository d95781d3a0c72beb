//! The writer's books: quotas per guest, references per principal; and the verbs that move rooms between
//! held, sold and free. Every caller has validated.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Writer;
use super::blocks::Returned;
use super::references::Reference;
use super::table::Table;
use crate::admission::Demand;
use crate::booking::{Booking, WrappedKey};
use crate::codec::{Decode, Encode};
use crate::command::{self, Principal};
use crate::event::Event;
use crate::few::Few;
use crate::hold::{Hold, Line, Status, Terms};
use crate::ids::{HoldId, RoomTypeIx};
use crate::inventory::Cell;
use crate::limits::ROOMS_PER_CELL_MAX;
use crate::outcome::Outcome;
use crate::refusal::{Cap, Code, Refusal};
use crate::stay::Stay;

/// What one guest has in live holds.
#[derive(Debug, Clone, Default, Encode, Decode)]
pub(crate) struct Usage {
    pub(crate) holds: Few<HoldId, 2>,
    pub(crate) rooms: u64,
    pub(crate) room_nights: u64,
}

impl Writer {
    /// The hold, where the principal may touch it.
    pub(crate) fn hold_for(&self, id: HoldId, principal: Principal) -> Option<Hold> {
        let hold = self.shared.holds.get(&id)?;
        let partner = self.shared.hotels.get(hold.terms.hotel.0)?.as_ref()?.partner;
        principal.may_touch(hold.terms.principal, partner).then_some(hold)
    }

    /// The refusal for a hold that is not active.
    pub(crate) fn ended_hold(&self, status: Status) -> Outcome {
        match status {
            Status::Expired => Code::HoldExpired.into(),
            Status::Released => Code::HoldReleased.into(),
            Status::Confirming(_) => Code::HoldConfirming.into(),
            Status::Confirmed(booking) => {
                Refusal { booking: Some(booking), ..Code::HoldAlreadyConfirmed.into() }.into()
            }
            Status::Active => Code::Invariant.into(),
        }
    }

    /// Rewrites the cells of a room type over the nights of a stay that are still kept.
    pub(super) fn rewrite(&self, room_type: RoomTypeIx, stay: Stay, change: impl Fn(Cell) -> Cell) {
        let (Some(row), Some((first, _))) =
            (self.shared.cells.row(room_type.0), self.shared.window())
        else {
            return;
        };
        let from = stay.check_in.max(first);
        let count = stay.check_out.0.saturating_sub(from.0);
        self.shared.cells.keep(room_type.0, from, count);
        for slot in row.nights(from, count) {
            // Relaxed load: the writer alone stores. Release store: readers see the night whole.
            slot.store(change(Cell(slot.load(Ordering::Relaxed))).0, Ordering::Release);
        }
        self.shared.mark_promised(room_type, self.index);
    }

    /// Whether every cell of a stay that is still kept can give so many rooms back, over all lines. It
    /// always can; where it cannot, the command is refused before it makes things worse.
    pub(super) fn cells_carry(
        &self,
        stay: Stay,
        lines: &[Line],
        can_give: impl Fn(Cell, u32) -> bool,
    ) -> bool {
        let Some((first, _)) = self.shared.window() else { return false };
        let lines = lines.iter().map(|line| (line.room_type, u32::from(line.quantity)));
        let from = stay.check_in.max(first);
        let count = stay.check_out.0.saturating_sub(from.0);
        Demand::of(stay, lines).rooms().iter().all(|&(room_type, rooms)| {
            self.shared.cells.row(room_type.0).is_some_and(|row| {
                // Relaxed: the writer alone stores.
                row.nights(from, count)
                    .all(|slot| can_give(Cell(slot.load(Ordering::Relaxed)), rooms))
            })
        })
    }

    /// Whether a live hold's rooms are in its cells, as held, and would fit there as sold.
    pub(crate) fn cells_hold(&self, terms: &Terms) -> bool {
        self.cells_carry(terms.stay(), &terms.lines, |cell, rooms| {
            cell.held() >= rooms && cell.sold() + rooms <= ROOMS_PER_CELL_MAX
        })
    }

    pub(super) fn rewrite_lines(
        &self,
        stay: Stay,
        lines: &[Line],
        change: impl Fn(Cell, u32) -> Cell,
    ) {
        for line in lines {
            let rooms = u32::from(line.quantity);
            self.rewrite(line.room_type, stay, |cell| change(cell, rooms));
        }
    }

    /// Rooms of all lines come back on these nights, to their block where they have one that stands.
    pub(super) fn give_lines_back(
        &self,
        terms: &Terms,
        stay: Stay,
        change: impl Fn(Cell, u32) -> Cell,
    ) {
        for line in &terms.lines {
            let (block, room_type) = (terms.block, line.room_type);
            let rooms = u32::from(line.quantity);
            self.give_back(Returned { block, room_type, stay, rooms }, |cell| change(cell, rooms));
        }
    }

    /// Free rooms become held, after [`Self::add_hold`] has named their expiry.
    pub(crate) fn hold_rooms(&self, demand: &Demand) {
        for &(room_type, rooms) in demand.rooms() {
            self.rewrite(room_type, demand.stay(), |cell| cell.with_held(cell.held() + rooms));
        }
    }

    /// Books a new hold whose rooms are about to be held.
    pub(crate) fn add_hold(&mut self, hold: Hold) {
        let terms = Arc::clone(&hold.terms);
        self.track(terms.hotel, hold.expires_ms, terms.id);
        if let Principal::Guest(guest) = terms.principal {
            self.add_usage(guest, &terms);
        }
        if let Some(reference) = &terms.client_reference {
            let known = Reference { hold: terms.id, booking: None, until: None };
            self.references.insert((terms.principal, reference.clone()), known);
        }
        self.reserve_promo(&terms);
        // One that is revived has a record already.
        if self.shared.holds.insert(terms.id, hold).is_none() {
            self.holds_count += 1;
        }
    }

    fn add_usage(&self, guest: u128, terms: &Terms) {
        let (rooms, nights) = (u64::from(terms.rooms()), u64::from(terms.nights()));
        let add = |usage: &mut Usage| {
            usage.holds.push(terms.id);
            usage.rooms += rooms;
            usage.room_nights += rooms * nights;
        };
        if self.usage.change(&guest, add).is_none() {
            let mut usage = Usage::default();
            add(&mut usage);
            self.usage.add(guest, usage);
        }
    }

    fn subtract_usage(&self, guest: u128, terms: &Terms) {
        let (rooms, nights) = (u64::from(terms.rooms()), u64::from(terms.nights()));
        let is_left = self.usage.change(&guest, |usage| {
            usage.holds.retain(|id| *id != terms.id);
            usage.rooms = self.less_usage(usage.rooms, rooms);
            usage.room_nights = self.less_usage(usage.room_nights, rooms * nights);
            !usage.holds.is_empty()
        });
        if is_left == Some(false) {
            self.usage.remove(&guest);
        }
    }

    /// A live hold has a new status or expiry and stays live.
    pub(crate) fn put_live_hold(&mut self, hold: &Hold) {
        self.shared.holds.insert(hold.terms.id, hold.clone());
        // The new entry stands, the one before no longer does; in this order the earliest expiry is
        // never shown later than it is.
        self.track(hold.terms.hotel, hold.expires_ms, hold.terms.id);
        self.untrack(hold.terms.hotel);
    }

    /// A live hold ends without a booking: its rooms are free again.
    pub(crate) fn end_hold(&mut self, mut hold: Hold, status: Status) -> Arc<Hold> {
        let terms = Arc::clone(&hold.terms);
        self.give_lines_back(&terms, terms.stay(), |cell, rooms| {
            cell.with_held(self.less(cell.held(), rooms))
        });
        if let Some(reference) = &hold.terms.client_reference {
            self.references.remove(&(hold.terms.principal, reference.clone()));
        }
        self.return_reserved_promo(&terms);
        let lapsed = match hold.status {
            Status::Confirming(payment) => Some(payment.intent),
            _ => None,
        };
        hold.status = status;
        self.close_hold(&mut hold);
        let hold = Arc::new(hold);
        if let Some(intent) = lapsed {
            self.events.push(Event::PaymentLapsed { hold: hold.terms.id, intent });
        }
        self.events.push(Event::HoldChanged(Arc::clone(&hold)));
        hold
    }

    fn close_hold(&mut self, hold: &mut Hold) {
        hold.ended_ms = Some(self.now_ms);
        let terms = &hold.terms;
        self.shared.holds.insert(terms.id, hold.clone());
        self.ended.push((self.now_ms, terms.id));
        self.untrack(terms.hotel);
        if let Principal::Guest(guest) = terms.principal {
            self.subtract_usage(guest, terms);
        }
    }

    /// A live hold becomes a booking: its rooms are sold.
    pub(crate) fn sell(&mut self, mut hold: Hold, booking: &Arc<Booking>) {
        self.rewrite_lines(hold.terms.stay(), &hold.terms.lines, |cell, rooms| {
            cell.with_held(self.less(cell.held(), rooms)).with_sold(cell.sold() + rooms)
        });
        self.commit_promo(&hold.terms);
        hold.status = Status::Confirmed(booking.id);
        self.close_hold(&mut hold);
        let terms = &booking.terms;
        if let Some(reference) = &terms.client_reference {
            self.keep_reference((terms.principal, reference.clone()), booking);
        }
        self.bookings_count += 1;
        self.shared.arrivals.add(terms.hotel, terms.stay(), booking.id);
        self.check_outs.add(terms.check_out, booking.id);
        self.shared.list_booking(booking.principal, booking.id);
        self.shared.bookings.add(booking.id, Arc::clone(booking));
    }

    /// Keeps a guest's wrapped key where it is not known yet.
    pub(crate) fn keep_guest_key(&self, guest: u128, key: Option<&WrappedKey>) {
        if let Some(key) = key {
            let keep = |keys: &mut Vec<WrappedKey>| {
                if keys.iter().all(|known| known.key != key.key) {
                    keys.push(key.clone());
                }
            };
            if self.shared.guest_keys.change(&guest, keep).is_none() {
                self.shared.guest_keys.add(guest, vec![key.clone()]);
            }
        }
    }

    /// Whether a guest may hold so much more: holds, rooms and room-nights, then the share of each cell
    /// where that is capped. What is due counts no longer. Partners and admins may.
    pub(crate) fn check_quota(&mut self, wish: &command::Hold) -> Result<(), Refusal> {
        let (Principal::Guest(guest), Some(settings)) = (wish.principal, self.shared.settings())
        else {
            return Ok(());
        };
        let rooms = wish.lines.iter().map(|line| u64::from(line.quantity)).sum::<u64>();
        let room_nights = rooms * u64::from(wish.stay.nights());
        let quota = settings.quota;
        let passed = |usage: &Usage| {
            if usage.holds.len() >= quota.holds as usize {
                Some(Cap::Holds)
            } else if usage.rooms + rooms > u64::from(quota.rooms) {
                Some(Cap::Rooms)
            } else {
                let sum = usage.room_nights + room_nights;
                (sum > u64::from(quota.room_nights)).then_some(Cap::RoomNights)
            }
        };
        let cap_passed = |usage: &Table<u128, Usage>| {
            usage.look(&guest, passed).unwrap_or_else(|| passed(&Usage::default()))
        };
        if cap_passed(&self.usage).is_some() {
            let holds = self.usage.look(&guest, |usage| usage.holds.clone()).unwrap_or_default();
            for hold in holds {
                self.expire_if_due(hold);
            }
            if let Some(cap) = cap_passed(&self.usage) {
                return Err(Refusal { cap: Some(cap), ..Code::QuotaExceeded.into() });
            }
        }
        if quota.cell_share { self.check_share(guest, wish) } else { Ok(()) }
    }
}
