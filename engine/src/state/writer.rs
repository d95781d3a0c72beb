//! The writer: applies commands in log order. The authority on everything.
//!
//! **Invariant**: what it does depends on the log alone: no clock, no randomness, no escrow, no order of a
//! hash map.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::Arc;

use super::Shared;
use super::blocks::Releases;
use super::bounds::Bounds;
use super::capture::Captures;
use super::check_outs::CheckOuts;
use super::closures::Closures;
use super::damage::Damage;
use super::expiry::Expiry;
use super::hotel_holds::HotelHolds;
use super::keys::{Forgetting, Stored};
use super::ledger::Usage;
use super::look_ahead::COMMANDS_AHEAD;
use super::queue::Queue;
use super::references::Reference;
use super::retirement::Pass;
use super::table::Table;
use super::waitlist::Waiting;
use crate::archive::Archived;
use crate::catalogue::{Hotel, Offering, RoomType};
use crate::civil::{LogTimeMs, Night};
use crate::command::{Batch, Command, Principal, Verb};
use crate::event::Event;
use crate::ids::{HoldId, HotelIx, PartnerId, RoomTypeIx};
use crate::limits::{ENDED_HOLD_MS_KEPT, ENDED_HOLD_MS_SURE, FORGET_MAX, LOG_TIME_MS_MAX};
use crate::outcome::Outcome;
use crate::refusal::Code;

/// The one who applies.
#[derive(Debug)]
pub struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) now_ms: LogTimeMs,
    pub(crate) index: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) bounds: Bounds,
    pub(crate) expiry: Expiry,
    /// A sweep has ended every hold that was due before this instant; what comes later is due later.
    pub(crate) swept_ms: LogTimeMs,
    pub(crate) holds_count: usize,
    pub(crate) bookings_count: usize,
    pub(crate) archived: Archived,
    pub(crate) check_outs: CheckOuts,
    pub(crate) closures: Closures,
    pub(super) keys: Forgetting,
    pub(super) hotel_holds: Vec<HotelHolds>,
    pub(super) usage: Arc<Table<u128, Usage>>,
    /// Hashed with a secret: clients choose the names.
    pub(super) references: Arc<Table<(Principal, String), Reference, RandomState>>,
    pub(super) references_until: BTreeMap<Night, Queue<(Principal, String)>>,
    /// Nights that fell out of the window and are still being zeroed.
    pub(super) retiring: Option<Pass>,
    pub(super) ended: Queue<(LogTimeMs, HoldId)>,
    pub(super) block_releases: Releases,
    pub(super) waiting: Waiting,
    pub(super) captures: Captures,
    pub(super) damage: Damage,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, bounds: Bounds) -> Self {
        Self {
            shared,
            now_ms: 0,
            index: 0,
            events: Vec::new(),
            bounds,
            expiry: Expiry::default(),
            swept_ms: 0,
            holds_count: 0,
            bookings_count: 0,
            archived: Archived::default(),
            check_outs: CheckOuts::default(),
            closures: Closures::default(),
            keys: Forgetting::default(),
            hotel_holds: Vec::new(),
            usage: Arc::default(),
            references: Arc::default(),
            references_until: BTreeMap::new(),
            retiring: None,
            ended: Queue::default(),
            block_releases: Releases::default(),
            waiting: Waiting::default(),
            captures: Captures::default(),
            damage: Damage::default(),
        }
    }

    /// Applies the entry at `index`: one outcome per command into `out`, in order, and what happened
    /// into `events`. Time never goes back: an earlier `at_ms` than the last counts as the last.
    pub fn apply(
        &mut self,
        index: u64,
        batch: &Batch,
        out: &mut Vec<Outcome>,
        events: &mut Vec<Event>,
    ) {
        self.now_ms = self.now_ms.max(batch.at_ms.min(LOG_TIME_MS_MAX));
        self.index = index;
        std::mem::swap(&mut self.events, events);
        let first = self.events.len();
        self.release_due_blocks();
        self.expire_where_waited_for();
        self.offer_what_came_free(first);
        for commands in batch.commands.chunks(COMMANDS_AHEAD) {
            self.look_ahead(commands);
            out.extend(commands.iter().map(|command| self.judge(command)));
        }
        std::mem::swap(&mut self.events, events);
        self.publish(index);
    }

    /// An entry that carries no commands (a leader's first, a change of members) moves the index.
    pub fn skip(&mut self, index: u64) {
        self.index = index;
        self.publish(index);
    }

    fn publish(&self, index: u64) {
        self.shared.publish(index, self.now_ms, self.expiry.earliest());
        self.shared.publish_block_release(self.block_releases.earliest());
        self.shared.publish_check_out(self.check_outs.first());
    }

    fn judge(&mut self, command: &Command) -> Outcome {
        if self.shared.settings().is_none() && !matches!(command.verb, Verb::Genesis(_)) {
            return Code::NotConfigured.into();
        }
        let Some(idempotency) = command.idempotency else {
            return self.run(&command.verb);
        };
        let replay = |stored: &Stored| {
            if stored.fingerprint == idempotency.fingerprint {
                Outcome::Replayed(Arc::new(stored.outcome.clone()))
            } else {
                Code::KeyReused.into()
            }
        };
        if let Some(outcome) = self.shared.keys.look(&idempotency.key, replay) {
            return outcome;
        }
        if !self.keys.make_room(&self.shared.keys, self.now_ms, self.bounds.keys) {
            return Code::KeysFull.into();
        }
        let outcome = self.run(&command.verb);
        if is_stored(&command.verb, &outcome) {
            let (fingerprint, at_ms) = (idempotency.fingerprint, self.now_ms);
            let stored = Stored { fingerprint, outcome: outcome.clone(), at_ms };
            self.keys.store(&self.shared.keys, idempotency.key, stored);
        }
        outcome
    }

    fn run(&mut self, verb: &Verb) -> Outcome {
        let first = self.events.len();
        let outcome = self.obey(verb);
        self.offer_what_came_free(first);
        outcome
    }

    fn obey(&mut self, verb: &Verb) -> Outcome {
        match verb {
            Verb::Genesis(verb) => verb.apply(self),
            Verb::Tick(verb) => verb.apply(self),
            Verb::Sweep(verb) => verb.apply(self),
            Verb::AddPartner(verb) => verb.apply(self),
            Verb::AddHotel(verb) => verb.apply(self),
            Verb::ChangeHotel(verb) => verb.apply(self),
            Verb::SetHotelStatus(verb) => verb.apply(self),
            Verb::AddRoomType(verb) => verb.apply(self),
            Verb::ChangeRoomType(verb) => verb.apply(self),
            Verb::AddRatePlan(verb) => verb.apply(self),
            Verb::ChangeRatePlan(verb) => verb.apply(self),
            Verb::Allot(verb) => verb.apply(self),
            Verb::Hold(verb) => verb.apply(self),
            Verb::Extend(verb) => verb.apply(self),
            Verb::Release(verb) => verb.apply(self),
            Verb::BeginPayment(verb) => verb.apply(self),
            Verb::DeclinePayment(verb) => verb.apply(self),
            Verb::Confirm(verb) => verb.apply(self),
            Verb::Cancel(verb) => verb.apply(self),
            Verb::CheckIn(verb) => verb.apply(self),
            Verb::CheckOut(verb) => verb.apply(self),
            Verb::NoShow(verb) => verb.apply(self),
            Verb::Modify(verb) => verb.apply(self),
            Verb::SetTaxes(verb) => verb.apply(self),
            Verb::AddBlock(verb) => verb.apply(self),
            Verb::ChangeBlock(verb) => verb.apply(self),
            Verb::ReleaseBlock(verb) => verb.apply(self),
            Verb::JoinWaitlist(verb) => verb.apply(self),
            Verb::LeaveWaitlist(verb) => verb.apply(self),
            Verb::RemoveRoomType(verb) => verb.apply(self),
            Verb::RemoveRatePlan(verb) => verb.apply(self),
            Verb::Archive(verb) => verb.apply(self),
            Verb::AddPromo(verb) => verb.apply(self),
            Verb::ChangePromo(verb) => verb.apply(self),
            Verb::RemovePromo(verb) => verb.apply(self),
        }
    }

    /// Forgets what is old enough: keys, ended holds, references. Bounded per call.
    pub(crate) fn forget_old(&mut self) -> u32 {
        let keys = self.keys.forget(&self.shared.keys, self.now_ms, FORGET_MAX);
        let holds = self.forget_holds(ENDED_HOLD_MS_KEPT, FORGET_MAX);
        keys + holds + self.forget_references(FORGET_MAX) + self.forget_waitlist()
    }

    /// Makes room for one more hold where all places are taken; false where every ended hold is too young.
    pub(crate) fn make_room_for_hold(&mut self) -> bool {
        self.holds_count < self.bounds.holds || self.forget_holds(ENDED_HOLD_MS_SURE, 1) == 1
    }

    /// Forgets at most `max` holds that ended `kept_ms` ago or longer; how many.
    fn forget_holds(&mut self, kept_ms: u64, max: u32) -> u32 {
        let mut forgotten = 0;
        while let Some(&(at, hold)) = self.ended.first() {
            if forgotten >= max || self.now_ms < at + kept_ms {
                break;
            }
            if max > 1 && (forgotten as usize).is_multiple_of(COMMANDS_AHEAD) {
                self.look_ahead_forgotten();
            }
            self.ended.pop();
            // One that was revived meanwhile is not this end's to forget.
            let ended = self.shared.holds.get(&hold).is_some_and(|hold| hold.ended_ms == Some(at));
            if ended {
                self.shared.holds.remove(&hold);
                self.holds_count -= 1;
                forgotten += 1;
            }
        }
        forgotten
    }

    pub(crate) fn partner_hotels(&self, partner: PartnerId, hotel: HotelIx) {
        let mut list = self.shared.partner_hotels.entry(partner).or_default();
        Arc::make_mut(&mut list).push(hotel);
    }

    /// The hotel, where the principal acts for its partner.
    pub(crate) fn hotel_for(&self, hotel: HotelIx, principal: Principal) -> Option<Arc<Hotel>> {
        self.shared.hotels.get_full(hotel.0).filter(|hotel| principal.acts_for(hotel.partner))
    }

    /// The room type and its hotel, where the principal acts for its partner.
    pub(crate) fn room_type_for(
        &self,
        room_type: RoomTypeIx,
        principal: Principal,
    ) -> Option<(Arc<RoomType>, Arc<Hotel>)> {
        let found = self.shared.room_types.get_full(room_type.0);
        let room_type = found.filter(|room_type| !room_type.removed)?;
        let hotel = self.hotel_for(room_type.hotel, principal)?;
        Some((room_type, hotel))
    }

    /// Publishes a new version of a hotel.
    pub(crate) fn publish_hotel(&mut self, hotel: Hotel) -> Arc<Hotel> {
        let hotel = Arc::new(hotel);
        let before = self.shared.hotels.get_full(hotel.ix.0);
        self.shared.hotels.replace(hotel.ix.0, Arc::clone(&hotel));
        self.shared.places.place(&hotel, before.as_deref());
        self.events.push(Event::HotelChanged(Arc::clone(&hotel)));
        hotel
    }

    /// Publishes the hotel's flat list of what can be sold, after a room type or plan of it changed.
    pub(crate) fn republish_offerings(&mut self, hotel: &Hotel) {
        let mut offerings = Vec::new();
        for &room_type in &hotel.room_types {
            let Some(room_type) = self.shared.room_types.get_full(room_type.0) else { continue };
            if room_type.removed {
                continue;
            }
            for &rate_plan in &room_type.rate_plans {
                let found = self.shared.rate_plans.get_full(rate_plan.0);
                let Some(rate_plan) = found.filter(|plan| !plan.removed) else { continue };
                offerings.push(Offering {
                    room_type: room_type.ix,
                    rate_plan: rate_plan.ix,
                    max_adults: room_type.draft.max_adults,
                    max_children: room_type.draft.max_children,
                    max_occupancy: room_type.draft.max_occupancy,
                    meal_plan: rate_plan.draft.meal_plan,
                    tax_inclusive: rate_plan.draft.tax_inclusive,
                    free_cancellation: rate_plan.draft.policy.is_free_at_first(),
                    limits: rate_plan.draft.rules.limits(),
                    watches_clock: rate_plan.draft.rules.watches_clock(),
                    flat: rate_plan.draft.occupancy.is_flat(room_type.draft.max_adults),
                });
            }
        }
        self.publish_hotel(Hotel { offerings: offerings.into(), ..Hotel::clone(hotel) });
    }

    /// Quotes of these products were made from something that has changed.
    pub(crate) fn touch_quotes(&self, offerings: &[Offering]) {
        for offering in offerings {
            self.shared.bump_quote_version(offering.rate_plan);
        }
    }
}

/// What is judged anew on a retry is not stored: see [`Code::is_stored`]. The begin of a payment that
/// succeeded is not the end of its request.
fn is_stored(verb: &Verb, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(refusal) => {
            // What refuses a revival or a change is its request's end, missing rooms included.
            let ends = refusal.code == Code::InventoryInsufficient
                && match verb {
                    Verb::BeginPayment(begin) => begin.revive,
                    Verb::Confirm(confirm) => confirm.revive,
                    Verb::Modify(_) => true,
                    _ => false,
                };
            ends || refusal.code.is_stored()
        }
        _ => !matches!(verb, Verb::BeginPayment(_)),
    }
}
