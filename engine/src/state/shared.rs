//! What readers see: calendars, catalogue and live tables, each readable while the writer writes.

use std::hash::RandomState;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use dashmap::DashMap;

use super::arrivals::Arrivals;
use super::aside::Marked;
use super::bounds::Bounds;
use super::keys::Keys;
use super::listing::Listing;
use super::marks::Marks;
use super::promos::Codes;
use super::table::Table;
use crate::admission::escrow::{Escrow, Leases};
use crate::block::Block;
use crate::booking::{Booking, WrappedKey};
use crate::catalogue::{Hotel, Partner, RatePlan, RoomType, Slots};
use crate::civil::{LogTimeMs, Night};
use crate::command::{Genesis, Principal};
use crate::hash::BuildFolded;
use crate::hold::Hold;
use crate::ids::{
    BlockId, BookingId, HoldId, HotelId, HotelIx, PartnerId, PromoId, RatePlanId, RatePlanIx,
    RoomTypeId, RoomTypeIx, WaitId,
};
use crate::inventory::Rows;
use crate::limits::{HOTELS_MAX, RATE_PLANS_MAX, ROOM_TYPES_MAX};
use crate::promo::Promo;
use crate::quote::Taxes;
use crate::quote::tax;
use crate::rates::Overlays;
use crate::search::Places;
use crate::sync::{AtomicU32, AtomicU64};
use crate::waitlist::Entry;

/// A small table that doors read while apply writes, and that follows from others.
pub type Live<K, V> = DashMap<K, V, BuildFolded>;

/// A table that every read of the catalogue goes through: looked up without a lock.
pub type Names<K, V> = papaya::HashMap<K, V, BuildFolded>;

/// The readable state. Its fields are written by the one [`super::Writer`] alone.
pub struct Shared {
    settings: OnceLock<Genesis>,
    applied_index: AtomicU64,
    log_time_ms: AtomicU64,
    next_expiry_ms: AtomicU64,
    next_block_release_ms: AtomicU64,
    /// [`NO_NIGHT`] where no booking is in memory.
    first_check_out: AtomicU32,
    /// First and one-past-last night that can be written, packed `first << 16 | end`.
    window: AtomicU64,
    pub(crate) cells: Rows<AtomicU64>,
    pub(crate) rates: Rows<AtomicU64>,
    pub(crate) overlays: Overlays,
    pub(crate) escrow: Arc<Escrow>,
    pub(crate) leases: Leases,
    quote_versions: Marks,
    promised_at: Marks,
    earliest_expiries: Marks,
    taxes: ArcSwap<tax::Table>,
    tax_version: AtomicU32,
    pub(crate) partners: Table<PartnerId, Arc<Partner>>,
    pub(crate) partner_hotels: Live<PartnerId, Arc<Vec<HotelIx>>>,
    pub(crate) hotels: Slots<Hotel>,
    pub(crate) room_types: Slots<RoomType>,
    pub(crate) rate_plans: Slots<RatePlan>,
    pub(crate) hotel_ids: Names<HotelId, HotelIx>,
    pub(crate) room_type_ids: Names<RoomTypeId, RoomTypeIx>,
    pub(crate) rate_plan_ids: Names<RatePlanId, RatePlanIx>,
    pub(crate) places: Places,
    pub(crate) holds: Table<HoldId, Hold>,
    pub(crate) bookings: Table<BookingId, Arc<Booking>>,
    pub(crate) bookings_of: Table<Principal, Listing>,
    pub(crate) arrivals: Arrivals,
    /// Bookings that were archived and are not in the archive yet, as far as anyone has said.
    pub(crate) leaving: Live<BookingId, Arc<Booking>>,
    pub(crate) keys: Keys,
    pub(crate) guest_keys: Table<u128, Vec<WrappedKey>>,
    /// Hashed with a secret: partners choose the names.
    pub(crate) sources: Table<(PartnerId, String), u64, RandomState>,
    pub(crate) blocks: Table<BlockId, Block>,
    pub(crate) blocks_of: Table<HotelIx, Vec<BlockId>>,
    pub(crate) waitlist: Table<WaitId, Arc<Entry>>,
    pub(crate) promos: Table<PromoId, Promo>,
    pub(crate) promo_codes: Live<PartnerId, Codes>,
}

/// What stands for no night at all.
const NO_NIGHT: u32 = u32::MAX;

impl Shared {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let escrow = Arc::new(Escrow::new(ROOM_TYPES_MAX));
        Self {
            settings: OnceLock::new(),
            applied_index: AtomicU64::new(0),
            log_time_ms: AtomicU64::new(0),
            next_expiry_ms: AtomicU64::new(u64::MAX),
            next_block_release_ms: AtomicU64::new(u64::MAX),
            first_check_out: AtomicU32::new(NO_NIGHT),
            window: AtomicU64::new(0),
            cells: Rows::new(ROOM_TYPES_MAX),
            rates: Rows::new(RATE_PLANS_MAX),
            overlays: Overlays::new(RATE_PLANS_MAX, bounds.overlay_nights),
            leases: Leases::of(&escrow),
            escrow,
            quote_versions: Marks::new(RATE_PLANS_MAX),
            promised_at: Marks::new(ROOM_TYPES_MAX),
            earliest_expiries: Marks::new(HOTELS_MAX),
            taxes: ArcSwap::default(),
            tax_version: AtomicU32::new(tax::Table::default().version()),
            partners: Table::default(),
            partner_hotels: Live::default(),
            hotels: Slots::new(HOTELS_MAX),
            room_types: Slots::new(ROOM_TYPES_MAX),
            rate_plans: Slots::new(RATE_PLANS_MAX),
            hotel_ids: Names::default(),
            room_type_ids: Names::default(),
            rate_plan_ids: Names::default(),
            places: Places::default(),
            holds: Table::default(),
            bookings: Table::default(),
            bookings_of: Table::default(),
            arrivals: Arrivals::default(),
            leaving: Live::default(),
            keys: Keys::default(),
            guest_keys: Table::default(),
            sources: Table::default(),
            blocks: Table::default(),
            blocks_of: Table::default(),
            waitlist: Table::default(),
            promos: Table::default(),
            promo_codes: Live::default(),
        }
    }

    /// The rules of the deployment, once its first command is applied.
    #[must_use]
    pub fn settings(&self) -> Option<Genesis> {
        self.settings.get().copied()
    }

    pub(crate) fn configure(&self, settings: Genesis) {
        self.cells.set_horizon(settings.horizon_nights);
        self.rates.set_horizon(settings.horizon_nights);
        self.escrow.set_horizon(settings.horizon_nights);
        self.settings.get_or_init(|| settings);
    }

    /// First night kept and first night beyond the horizon; `None` before the first command.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Two packed 16-bit halves.
    pub fn window(&self) -> Option<(Night, Night)> {
        // Acquire: pairs with the Release in `set_window`; the slots of all nights in it are this window's by then.
        match self.window.load(Ordering::Acquire) {
            0 => None,
            packed => Some((Night((packed >> 16) as u16), Night(packed as u16))),
        }
    }

    pub(crate) fn set_window(&self, first: Night, end: Night) {
        // Release: pairs with the Acquire in `window`.
        self.window.store(u64::from(first.0) << 16 | u64::from(end.0), Ordering::Release);
    }

    /// Log index of the last entry that was applied; 0 before any.
    #[must_use]
    pub fn applied_index(&self) -> u64 {
        // Acquire: pairs with the Release in `publish`: the state is at least that of the index.
        self.applied_index.load(Ordering::Acquire)
    }

    /// The log's clock as of the last entry, milliseconds; 0 before any.
    #[must_use]
    pub fn log_time_ms(&self) -> LogTimeMs {
        // Acquire: as in `applied_index`.
        self.log_time_ms.load(Ordering::Acquire)
    }

    /// Nothing ends by itself before this instant, neither a hold nor a block; `u64::MAX` where there is
    /// nothing that would.
    #[must_use]
    pub fn next_expiry_ms(&self) -> LogTimeMs {
        // Relaxed: a hint for the proposer.
        self.next_expiry_ms.load(Ordering::Relaxed).min(self.next_block_release_ms())
    }

    /// No block is released by itself before this instant; `u64::MAX` where none will be.
    #[must_use]
    pub fn next_block_release_ms(&self) -> LogTimeMs {
        // Relaxed: a hint for the proposer and for admission.
        self.next_block_release_ms.load(Ordering::Relaxed)
    }

    pub(super) fn publish_block_release(&self, at: Option<LogTimeMs>) {
        // Relaxed: a hint.
        self.next_block_release_ms.store(at.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether a booking in memory checked out `days` before the first night that is kept, or earlier: an
    /// [`crate::command::Archive`] would find it.
    #[must_use]
    pub fn archive_is_due(&self, days: u16) -> bool {
        // Relaxed: a hint for the proposer.
        let first = self.first_check_out.load(Ordering::Relaxed);
        first != NO_NIGHT
            && self.window().is_some_and(|(kept, _)| first + u32::from(days) <= u32::from(kept.0))
    }

    pub(super) fn publish_check_out(&self, first: Option<Night>) {
        let first = first.map_or(NO_NIGHT, |night| u32::from(night.0));
        // Relaxed: a hint.
        self.first_check_out.store(first, Ordering::Relaxed);
    }

    pub(super) fn publish(&self, index: u64, now: LogTimeMs, next_expiry: Option<LogTimeMs>) {
        // Relaxed: a hint.
        self.next_expiry_ms.store(next_expiry.unwrap_or(u64::MAX), Ordering::Relaxed);
        // Release: pairs with the Acquires above.
        self.log_time_ms.store(now, Ordering::Release);
        self.applied_index.store(index, Ordering::Release);
    }

    /// The version of all that a plan's quotes are made from.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Compared for equality only; wrapping takes 2³² writes.
    pub fn quote_version(&self, rate_plan: RatePlanIx) -> u32 {
        self.quote_versions.get(rate_plan.0) as u32
    }

    pub(crate) fn bump_quote_version(&self, rate_plan: RatePlanIx) {
        self.quote_versions.set(rate_plan.0, self.quote_versions.get(rate_plan.0) + 1);
    }

    /// The table of taxes as it stands.
    #[must_use]
    pub fn taxes(&self) -> Arc<tax::Table> {
        self.taxes.load_full()
    }

    /// Version of the table of taxes that a quote is made with now.
    #[must_use]
    pub fn tax_version(&self) -> u32 {
        // Acquire: pairs with the Release in `set_taxes`: the table is at least that of the version.
        self.tax_version.load(Ordering::Acquire)
    }

    pub(crate) fn set_taxes(&self, table: Arc<tax::Table>) {
        let version = table.version();
        self.taxes.store(table);
        // Release, after the table: whoever quotes in between carries the old version and is quoted
        // again.
        self.tax_version.store(version, Ordering::Release);
    }

    /// What a hotel charges on top for a supply on a night, as the table stands.
    #[must_use]
    pub fn taxes_of(&self, hotel: &Hotel, supply: Night) -> Taxes {
        let draft = &hotel.draft;
        self.taxes.load().now(draft.province, supply).under(draft.tax_profile)
    }

    /// The same as the table was under a version: what a hold of that version was priced with.
    #[must_use]
    pub fn taxes_at(&self, version: u32, hotel: &Hotel, supply: Night) -> Taxes {
        let draft = &hotel.draft;
        self.taxes.load().at(version, draft.province, supply).under(draft.tax_profile)
    }

    /// Log index at which rooms of the type were last held, sold, blocked or given back; 0 before that.
    #[must_use]
    pub fn promised_at(&self, room_type: RoomTypeIx) -> u64 {
        self.promised_at.get(room_type.0)
    }

    pub(crate) fn mark_promised(&self, room_type: RoomTypeIx, index: u64) {
        self.promised_at.set(room_type.0, index);
    }

    /// No hold of the hotel is due before this instant; `u64::MAX` where it has none.
    #[must_use]
    pub fn earliest_expiry(&self, hotel: HotelIx) -> LogTimeMs {
        match self.earliest_expiries.get(hotel.0) {
            0 => u64::MAX,
            at => at,
        }
    }

    pub(crate) fn set_earliest_expiry(&self, hotel: HotelIx, at: Option<LogTimeMs>) {
        self.earliest_expiries.set(hotel.0, at.unwrap_or(0));
    }

    /// Whether a hold is live and has this expiry.
    pub(crate) fn stands(&self, hold: HoldId, at: LogTimeMs) -> bool {
        let is_so = |hold: &Hold| hold.is_live() && hold.expires_ms == at;
        self.holds.look(&hold, is_so) == Some(true)
    }

    /// What a capture marks. Without `..`: a table that is added is named here, or this does not compile.
    pub(super) fn marked(&self) -> Vec<&dyn Marked> {
        let Self {
            // The capture's head.
            settings: _,
            applied_index: _,
            log_time_ms: _,
            window: _,
            taxes: _,
            tax_version: _,
            // Copied at the mark.
            quote_versions: _,
            promised_at: _,
            // Follow from the records.
            next_expiry_ms: _,
            next_block_release_ms: _,
            earliest_expiries: _,
            partner_hotels: _,
            promo_codes: _,
            arrivals: _,
            first_check_out: _,
            hotel_ids: _,
            room_type_ids: _,
            rate_plan_ids: _,
            places: _,
            // No part of the state: whoever keeps the archive has it, or will.
            leaving: _,
            // No part of the state.
            escrow: _,
            leases: _,
            cells,
            rates,
            overlays,
            partners,
            hotels,
            room_types,
            rate_plans,
            holds,
            bookings,
            bookings_of,
            keys,
            guest_keys,
            sources,
            blocks,
            blocks_of,
            waitlist,
            promos,
        } = self;
        let catalogue: [&dyn Marked; 7] =
            [cells, rates, overlays, partners, hotels, room_types, rate_plans];
        let stays: [&dyn Marked; 10] = [
            holds,
            bookings,
            bookings_of,
            keys,
            guest_keys,
            sources,
            blocks,
            blocks_of,
            waitlist,
            promos,
        ];
        catalogue.into_iter().chain(stays).collect()
    }

    /// The versions of all plans' quotes, by position.
    pub(super) fn quote_versions_now(&self) -> Vec<u64> {
        (0..self.rate_plans.len()).map(|at| self.quote_versions.get(at)).collect()
    }

    pub(super) fn set_quote_version(&self, rate_plan: RatePlanIx, version: u64) {
        self.quote_versions.set(rate_plan.0, version);
    }

    /// [`Self::promised_at`] of all room types, by position.
    pub(super) fn promised_at_now(&self) -> Vec<u64> {
        (0..self.room_types.len()).map(|at| self.promised_at.get(at)).collect()
    }

    pub(crate) fn grow_room_type(&self, at: u32) -> bool {
        self.cells.grow(at) && self.escrow.grow(at)
    }

    pub(crate) fn grow_rate_plan(&self, at: u32) -> bool {
        self.rates.grow(at)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("applied_index", &self.applied_index())
            .field("hotels", &self.hotels)
            .finish_non_exhaustive()
    }
}
