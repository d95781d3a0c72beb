//! The reader: the state as doors see it, from any thread, while the writer goes on.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Shared;
use super::arrivals::Dates;
use super::keys::Stored;
use crate::block::Block;
use crate::booking::{Booking, WrappedKey};
use crate::catalogue::{Hotel, Partner, RatePlan, RoomType};
use crate::civil::Night;
use crate::hold::Hold;
use crate::ids::{
    BlockId, BookingId, HoldId, HotelId, HotelIx, PartnerId, PromoId, RatePlanId, RatePlanIx,
    RoomTypeId, RoomTypeIx, WaitId,
};
use crate::inventory::Cell;
use crate::promo::{Promo, PromoCode};
use crate::rates::{DatedRules, RateWord};
use crate::waitlist::Entry;

/// A handle on the readable state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) shared: Arc<Shared>,
}

impl std::ops::Deref for Reader {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Reader {
    #[must_use]
    pub fn partner(&self, id: PartnerId) -> Option<Arc<Partner>> {
        self.shared.partners.get(&id)
    }

    /// The hotels of a partner, in the order they were added.
    #[must_use]
    pub fn hotels_of(&self, partner: PartnerId) -> Arc<Vec<HotelIx>> {
        self.shared.partner_hotels.get(&partner).map(|list| Arc::clone(&list)).unwrap_or_default()
    }

    /// Hotels so far; positions `0..count` exist.
    #[must_use]
    pub fn hotels_count(&self) -> u32 {
        self.shared.hotels.len()
    }

    #[must_use]
    pub fn hotel(&self, ix: HotelIx) -> Option<Arc<Hotel>> {
        self.shared.hotels.get_full(ix.0)
    }

    #[must_use]
    pub fn hotel_by_id(&self, id: HotelId) -> Option<Arc<Hotel>> {
        let ix = self.shared.hotel_ids.pin().get(&id).copied()?;
        self.hotel(ix)
    }

    #[must_use]
    pub fn room_type(&self, ix: RoomTypeIx) -> Option<Arc<RoomType>> {
        self.shared.room_types.get_full(ix.0)
    }

    #[must_use]
    pub fn room_type_by_id(&self, id: RoomTypeId) -> Option<Arc<RoomType>> {
        let ix = self.shared.room_type_ids.pin().get(&id).copied()?;
        self.room_type(ix)
    }

    #[must_use]
    pub fn rate_plan(&self, ix: RatePlanIx) -> Option<Arc<RatePlan>> {
        self.shared.rate_plans.get_full(ix.0)
    }

    #[must_use]
    pub fn rate_plan_by_id(&self, id: RatePlanId) -> Option<Arc<RatePlan>> {
        let ix = self.shared.rate_plan_ids.pin().get(&id).copied()?;
        self.rate_plan(ix)
    }

    #[must_use]
    pub fn block(&self, id: BlockId) -> Option<Block> {
        self.shared.blocks.get(&id)
    }

    /// The blocks of a hotel, in the order they were added.
    #[must_use]
    pub fn blocks_of(&self, hotel: HotelIx) -> Vec<BlockId> {
        self.shared.blocks_of.get(&hotel).unwrap_or_default()
    }

    #[must_use]
    pub fn waitlist_entry(&self, id: WaitId) -> Option<Arc<Entry>> {
        self.shared.waitlist.get(&id)
    }

    /// A promotion, removed ones included.
    #[must_use]
    pub fn promo(&self, id: PromoId) -> Option<Promo> {
        self.shared.promos.get(&id)
    }

    /// A page of a partner's promotions that are not removed, by code: `limit` of those after `after`.
    #[must_use]
    pub fn promos_of(
        &self,
        partner: PartnerId,
        after: Option<&PromoCode>,
        limit: usize,
    ) -> Vec<Promo> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = self.shared.promo_codes.get(&partner).map(|codes| {
            let codes = codes.named.range::<PromoCode, _>((from, Bound::Unbounded));
            codes.take(limit).map(|code| *code.1).collect::<Vec<_>>()
        });
        page.unwrap_or_default().iter().filter_map(|id| self.shared.promos.get(id)).collect()
    }

    #[must_use]
    pub fn hold(&self, id: HoldId) -> Option<Hold> {
        self.shared.holds.get(&id)
    }

    #[must_use]
    pub fn booking(&self, id: BookingId) -> Option<Arc<Booking>> {
        self.shared.bookings.get(&id)
    }

    /// A booking that was archived, while nobody has said that the archive has it. Whoever looks here, and
    /// then in the archive, after [`Self::booking`] had none, misses nothing that was ever booked.
    #[must_use]
    pub fn leaving(&self, id: BookingId) -> Option<Arc<Booking>> {
        self.shared.leaving.get(&id).map(|booking| Arc::clone(&booking))
    }

    /// Archived bookings that [`Self::leaving`] still has.
    #[must_use]
    pub fn leaving_count(&self) -> usize {
        self.shared.leaving.len()
    }

    /// Whoever keeps the archive can show the booking from now on. To be said of every booking that an event
    /// tells of: what is not said stays in memory.
    pub fn has_left(&self, id: BookingId) {
        self.shared.leaving.remove(&id);
    }

    /// A hotel's bookings by (check-in, id), those after `after`, whatever their status. An entry may be
    /// older than what the booking says of itself by now.
    pub fn bookings_of_hotel(
        &self,
        hotel: HotelIx,
        dates: Dates,
        after: Option<(Night, BookingId)>,
    ) -> impl Iterator<Item = (Night, BookingId)> {
        self.shared.arrivals.list(hotel, dates, after)
    }

    /// The answer a key was given.
    #[must_use]
    pub fn stored(&self, key: u128) -> Option<Stored> {
        self.shared.keys.get(&key)
    }

    /// The wrapped key of a guest.
    #[must_use]
    pub fn guest_key(&self, guest: u128, key: u128) -> Option<WrappedKey> {
        let known = |keys: &Vec<WrappedKey>| keys.iter().find(|known| known.key == key).cloned();
        self.shared.guest_keys.look(&guest, known)?
    }

    /// The newest wrapped key of a guest, to seal with.
    #[must_use]
    pub fn guest_key_newest(&self, guest: u128) -> Option<WrappedKey> {
        self.shared.guest_keys.look(&guest, |keys| keys.last().cloned())?
    }

    /// The last `seq` applied for a partner's source.
    #[must_use]
    pub fn source_seq(&self, partner: PartnerId, source: &str) -> Option<u64> {
        self.shared.sources.get(&(partner, source.to_owned()))
    }

    /// The cells of nights `from..=to` within the window.
    #[must_use]
    pub fn cells(&self, room_type: RoomTypeIx, from: Night, to: Night) -> Vec<(Night, Cell)> {
        let (Some(row), Some((first, end))) = (self.shared.cells.row(room_type.0), self.window())
        else {
            return Vec::new();
        };
        let (from, end) = (from.max(first), to.plus(1).min(end));
        let count = end.0.saturating_sub(from.0);
        row.nights(from, count)
            .zip(from.until(end))
            // Acquire: pairs with the writer's Release, so that a night is seen whole.
            .map(|(slot, night)| (night, Cell(slot.load(Ordering::Acquire))))
            .collect()
    }

    /// What a plan says on a night beyond its rate word.
    #[must_use]
    pub fn dated_rules(&self, rate_plan: RatePlanIx, night: Night) -> DatedRules {
        self.shared.overlays.at(rate_plan.0, night)
    }

    /// The rate words of nights `from..=to` within the window.
    #[must_use]
    pub fn rates(&self, rate_plan: RatePlanIx, from: Night, to: Night) -> Vec<(Night, RateWord)> {
        let (Some(row), Some((first, end))) = (self.shared.rates.row(rate_plan.0), self.window())
        else {
            return Vec::new();
        };
        let (from, end) = (from.max(first), to.plus(1).min(end));
        let count = end.0.saturating_sub(from.0);
        row.nights(from, count)
            .zip(from.until(end))
            // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
            .map(|(slot, night)| (night, RateWord(slot.load(Ordering::Acquire))))
            .collect()
    }
}
