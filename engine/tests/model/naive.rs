//! The rules once more, as plainly as they can be said: maps, loops and sums over everything.
//!
//! Nothing is counted ahead. What is held is the sum over the holds that have not ended by the clock,
//! what is sold the sum over the bookings; a hold ends exactly at its time, so no sweep is needed.

mod archive;
mod ari;
mod blocks;
mod bookings;
mod catalogue;
mod changes;
mod holds;
mod money;
mod promos;
mod quota;
mod removal;
mod rules;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_engine::ari::LineOutcome;
use holdfast_engine::booking;
use holdfast_engine::catalogue::{
    Deposit, HotelDraft, HotelStatus, Policy, RatePlanDraft, RoomTypeDraft,
};
use holdfast_engine::command::{Genesis, Hold as Wish, SetTaxes};
use holdfast_engine::hold::Status;
use holdfast_engine::ids::{
    BlockId, BookingId, HoldId, HotelId, PartnerId, RatePlanId, RoomTypeId, WaitId,
};
use holdfast_engine::{Code, Command, Night, Principal, Reader, Verb};

use self::rules::Rate;
use crate::world::answer::Answer;
use crate::world::{DAY, HOUR};

/// What is written of a room type's night; what is held and sold is summed up when asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given {
    pub allotment: i64,
    pub overbook: i64,
    pub closed: bool,
}

#[derive(Debug)]
pub struct Hotel {
    pub id: HotelId,
    pub partner: PartnerId,
    pub version: u32,
    pub status: HotelStatus,
    pub draft: HotelDraft,
}

#[derive(Debug)]
pub struct RoomType {
    pub id: RoomTypeId,
    pub hotel: u32,
    pub version: u32,
    pub draft: RoomTypeDraft,
    pub removed: bool,
}

#[derive(Debug)]
pub struct Plan {
    pub id: RatePlanId,
    pub room_type: u32,
    pub version: u32,
    pub draft: RatePlanDraft,
    pub removed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub room_type: u32,
    pub rate_plan: u32,
    pub rooms: i64,
    /// Of one room.
    pub party: (u8, Vec<u8>),
    pub price: Price,
    pub policy: Policy,
    pub deposit: Deposit,
}

/// What one room costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Each night as the plan lists it for the party.
    pub listed: Vec<i64>,
    /// What a promotion takes off each; empty where it takes nothing off.
    pub off: Vec<i64>,
    pub inclusive: bool,
    /// Room, service charge, VAT, fee.
    pub parts: [i64; 4],
    /// Each night with everything on top.
    pub nightly: Vec<i64>,
}

#[derive(Debug, Clone)]
pub struct Hold {
    pub id: HoldId,
    pub hotel: u32,
    pub principal: Principal,
    pub check_in: u16,
    pub check_out: u16,
    pub lines: Vec<Line>,
    /// What was asked for.
    pub wish: Wish,
    pub total: i64,
    pub reference: Option<String>,
    pub created: u64,
    pub status: Status,
    pub expires: u64,
    pub extensions: u8,
    /// When it was released or confirmed.
    pub ended: Option<u64>,
    /// It ran out so long ago that it may be forgotten, depending on when that was noticed.
    pub perhaps_forgotten: bool,
    /// The block its rooms come from.
    pub block: Option<BlockId>,
    /// How many entries the table of taxes had.
    pub taxes: usize,
    /// Who waited for it.
    pub waitlist: Option<WaitId>,
    pub promo: Option<promos::Taken>,
}

#[derive(Debug, Clone)]
pub struct Booking {
    pub hold: Hold,
    pub version: u32,
    pub paid: i64,
    pub status: booking::Status,
    /// What giving it up cost when it was last changed.
    pub fee_floor: i64,
}

/// The whole world.
#[derive(Debug, Default)]
pub struct Model {
    pub now: u64,
    pub settings: Option<Genesis>,
    /// First night kept, first night beyond the horizon.
    pub window: (u16, u16),
    pub partners: BTreeSet<PartnerId>,
    pub hotels: Vec<Hotel>,
    pub room_types: Vec<RoomType>,
    pub plans: Vec<Plan>,
    pub given: BTreeMap<(u32, u16), Given>,
    /// Nights of hotels that are closed whole.
    pub closed: BTreeSet<(u32, u16)>,
    pub rates: BTreeMap<(u32, u16), Rate>,
    pub holds: BTreeMap<HoldId, Hold>,
    pub bookings: BTreeMap<BookingId, Booking>,
    /// As they were when they left memory.
    pub archived: BTreeMap<BookingId, Booking>,
    pub sources: BTreeMap<(PartnerId, String), u64>,
    pub taxes: Vec<SetTaxes>,
    pub blocks: BTreeMap<BlockId, blocks::Block>,
    /// Who waits, or did, in the order in which they came.
    pub waiting: Vec<waiting::Entry>,
    /// Hotels of which something changed in this command.
    touched: BTreeSet<u32>,
    pub promos: Vec<promos::Promo>,
    keys: BTreeMap<u128, (u128, Answer, u64)>,
}

impl Hold {
    /// Whether its rooms are set aside at an instant.
    pub fn holds_at(&self, now: u64) -> bool {
        matches!(self.status, Status::Active | Status::Confirming(_)) && now < self.expires
    }

    pub fn nights(&self) -> std::ops::Range<u16> {
        self.check_in..self.check_out
    }

    fn rooms_of(&self, room_type: u32, night: u16) -> i64 {
        if !self.nights().contains(&night) {
            return 0;
        }
        self.lines.iter().filter(|line| line.room_type == room_type).map(|line| line.rooms).sum()
    }
}

impl Model {
    /// A new entry: what its time alone brings about.
    pub fn begin(&mut self, now: u64) {
        let before = self.now;
        self.now = before.max(now);
        self.release_due_blocks();
        self.settle(before);
        self.serve();
    }

    /// Judges one command and holds the engine's answer against it.
    pub fn judge(&mut self, command: &Command, actual: &Answer) -> Result<(), String> {
        if self.settings.is_none() && !matches!(command.verb, Verb::Genesis(_)) {
            return same(&[Code::NotConfigured.into()], actual);
        }
        let Some(idempotency) = command.idempotency else {
            let expected = self.expect(&command.verb, actual);
            return self.check(command, &expected, actual);
        };
        if let Some((fingerprint, first, _)) = self.keys.get(&idempotency.key) {
            let expected = if *fingerprint == idempotency.fingerprint {
                Answer::Replayed(Box::new(first.clone()))
            } else {
                Code::KeyReused.into()
            };
            return same(&[expected], actual);
        }
        let expected = self.expect(&command.verb, actual);
        self.check(command, &expected, actual)?;
        if is_kept(&command.verb, actual) {
            let kept = (idempotency.fingerprint, actual.clone(), self.now);
            self.keys.insert(idempotency.key, kept);
        }
        Ok(())
    }

    /// What may be answered. An id whose hold ran out long ago is free where the engine says so.
    fn expect(&mut self, verb: &Verb, actual: &Answer) -> Vec<Answer> {
        if let Verb::Hold(wish) = verb
            && self.holds.get(&wish.id).is_some_and(|hold| hold.perhaps_forgotten)
            // Whether the id is free is asked second, after whether the request is well formed.
            && ![Code::Malformed.into(), Code::StateConflict.into()].contains(actual)
        {
            self.holds.remove(&wish.id);
        }
        if let Verb::JoinWaitlist(join) = verb
            && ![Code::Malformed.into(), Code::StateConflict.into()].contains(actual)
        {
            self.holds.retain(|id, hold| *id != join.wish.id || !hold.perhaps_forgotten);
            self.waiting.retain(|entry| entry.id != join.id || !entry.perhaps_forgotten);
        }
        // The same of a hold that ran out long ago and is to be revived.
        let revived = match verb {
            Verb::BeginPayment(verb) if verb.revive => Some(verb.hold),
            Verb::Confirm(verb) if verb.revive => Some(verb.hold),
            _ => None,
        };
        if let Some(hold) = revived.and_then(|id| self.holds.get(&id))
            && hold.perhaps_forgotten
            && *actual == Code::NotFound.into()
        {
            return vec![Code::NotFound.into()];
        }
        let versions = |model: &Self| {
            let hotels = model.hotels.iter().zip(0..).map(|(hotel, ix)| (ix, hotel.version));
            let kinds = model.room_types.iter().map(|kind| (kind.hotel, kind.version));
            let hotel_of = |plan: &Plan| model.room_types[plan.room_type as usize].hotel;
            let plans = model.plans.iter().map(|plan| (hotel_of(plan), plan.version));
            let mut all = BTreeMap::<u32, Vec<u32>>::new();
            for (hotel, version) in hotels.chain(kinds).chain(plans) {
                all.entry(hotel).or_default().push(version);
            }
            all
        };
        let before = versions(self);
        let answers = self.run(verb);
        for (hotel, _) in versions(self).iter().filter(|&(ix, now)| before.get(ix) != Some(now)) {
            self.touch(*hotel);
        }
        self.settle(self.now);
        self.serve();
        answers
    }

    fn check(&self, command: &Command, expected: &[Answer], actual: &Answer) -> Result<(), String> {
        match (actual, expected) {
            // How many were left to sweep, and to forget, depends on what was looked at before.
            (Answer::Swept { expired }, [Answer::Swept { expired: most }]) if expired <= most => {
                Ok(())
            }
            (
                Answer::Ticked { retired_nights, .. },
                [Answer::Ticked { retired_nights: expected, .. }],
            ) if retired_nights == expected => Ok(()),
            _ => same(expected, actual),
        }
        .map_err(|text| format!("at {}: {command:?}\n{text}", self.now))
    }

    /// What may be answered: one thing, but for holds that ran out long ago.
    fn run(&mut self, verb: &Verb) -> Vec<Answer> {
        match verb {
            Verb::Genesis(genesis) => vec![self.genesis(*genesis)],
            Verb::Tick(_) => vec![self.tick()],
            Verb::Sweep(sweep) => {
                let ran_out = |hold: &&Hold| {
                    matches!(hold.status, Status::Active | Status::Confirming(_))
                        && !hold.holds_at(self.now)
                };
                let due = self.holds.values().filter(ran_out).count() as u32;
                vec![Answer::Swept { expired: due.min(sweep.holds_max) }]
            }
            Verb::AddPartner(verb) => {
                self.partners.insert(verb.id);
                vec![Answer::Done]
            }
            Verb::AddHotel(verb) => vec![self.add_hotel(verb)],
            Verb::ChangeHotel(verb) => vec![self.change_hotel(verb)],
            Verb::SetHotelStatus(verb) => vec![self.set_hotel_status(verb)],
            Verb::AddRoomType(verb) => vec![self.add_room_type(verb)],
            Verb::ChangeRoomType(verb) => vec![self.change_room_type(verb)],
            Verb::AddRatePlan(verb) => vec![self.add_rate_plan(verb)],
            Verb::ChangeRatePlan(verb) => vec![self.change_rate_plan(verb)],
            Verb::Allot(verb) => vec![self.allot(verb)],
            Verb::Hold(verb) => vec![self.hold(verb)],
            Verb::Extend(verb) => self.extend(verb),
            Verb::Release(verb) => self.release(verb),
            Verb::BeginPayment(verb) => self.begin_payment(verb),
            Verb::DeclinePayment(verb) => self.decline_payment(verb),
            Verb::Confirm(verb) => self.confirm(verb),
            Verb::Cancel(verb) => vec![self.cancel(verb)],
            Verb::CheckIn(verb) => vec![self.check_in(verb)],
            Verb::CheckOut(verb) => vec![self.check_out(verb)],
            Verb::Modify(verb) => vec![self.modify(verb)],
            Verb::NoShow(verb) => vec![self.no_show(verb)],
            Verb::SetTaxes(verb) => vec![self.set_taxes(*verb)],
            Verb::AddBlock(verb) => vec![self.add_block(verb)],
            Verb::ChangeBlock(verb) => vec![self.change_block(verb)],
            Verb::ReleaseBlock(verb) => vec![self.release_block(verb)],
            Verb::JoinWaitlist(verb) => vec![self.join_waitlist(verb)],
            Verb::LeaveWaitlist(verb) => self.leave_waitlist(verb),
            Verb::RemoveRoomType(verb) => vec![self.remove_room_type(*verb)],
            Verb::RemoveRatePlan(verb) => vec![self.remove_rate_plan(*verb)],
            Verb::Archive(verb) => vec![self.archive(*verb)],
            Verb::AddPromo(verb) => vec![self.add_promo(verb)],
            Verb::ChangePromo(verb) => vec![self.change_promo(verb)],
            Verb::RemovePromo(verb) => vec![self.remove_promo(verb)],
        }
    }

    fn genesis(&mut self, genesis: Genesis) -> Answer {
        if !(30..=1_100).contains(&genesis.horizon_nights) {
            return Code::Malformed.into();
        }
        if let Some(settings) = self.settings {
            return if settings == genesis { Answer::Done } else { Code::StateConflict.into() };
        }
        self.settings = Some(genesis);
        let today = (self.now / DAY) as u16;
        self.window = (today - 1, today + genesis.horizon_nights);
        Answer::Done
    }

    fn tick(&mut self) -> Answer {
        let before = self.window.0;
        let today = (self.now / DAY) as u16;
        let horizon = self.settings.map_or(0, |settings| settings.horizon_nights);
        self.window = (today - 1, today + horizon);
        self.given.retain(|&(_, night), _| night >= self.window.0);
        self.closed.retain(|&(_, night)| night >= self.window.0);
        self.rates.retain(|&(_, night), _| night >= self.window.0);
        self.keys.retain(|_, kept| self.now < kept.2 + 24 * HOUR);
        self.holds.retain(|_, hold| hold.ended.is_none_or(|ended| self.now < ended + 24 * HOUR));
        for hold in self.holds.values_mut() {
            hold.perhaps_forgotten |= hold.ended.is_none() && self.now >= hold.expires + 24 * HOUR;
        }
        self.forget_waiting();
        self.touch_all();
        Answer::Ticked { retired_nights: self.window.0 - before, forgotten: 0 }
    }

    pub fn held(&self, room_type: u32, night: u16) -> i64 {
        let live = self.holds.values().filter(|hold| hold.holds_at(self.now));
        live.map(|hold| hold.rooms_of(room_type, night)).sum()
    }

    pub fn sold(&self, room_type: u32, night: u16) -> i64 {
        let slept = self.bookings.values().filter(|booking| booking.is_sold(night));
        slept.map(|booking| booking.hold.rooms_of(room_type, night)).sum()
    }

    pub fn given(&self, room_type: u32, night: u16) -> Given {
        self.given.get(&(room_type, night)).copied().unwrap_or_default()
    }

    pub fn rate(&self, plan: u32, night: u16) -> Rate {
        let mut rate = self.rates.get(&(plan, night)).cloned().unwrap_or_default();
        let draft = self.plans.get(plan as usize).map(|plan| &plan.draft);
        if let Some(derivation) = draft.and_then(|draft| draft.derived_from) {
            let listed = self.rate(derivation.parent.0, night).price;
            rate.price = listed.and_then(|listed| money::adjusted(listed, derivation.by));
            let bounds = draft.map(|draft| (draft.price_min, draft.price_max));
            let (least, most) = bounds.unwrap_or_default();
            let fits = |price: &i64| {
                least.is_none_or(|least| *price >= least) && most.is_none_or(|most| *price <= most)
            };
            rate.price = rate.price.filter(fits);
        }
        rate
    }

    /// The date at a hotel.
    fn today_at(&self, hotel: &Hotel) -> u16 {
        let hours = crate::world::traffic::ZONES
            .iter()
            .find(|zone| zone.0 == hotel.draft.zone)
            .expect("a zone of the test's own")
            .1;
        ((self.now as i64 + hours * HOUR as i64) / DAY as i64) as u16
    }

    /// Every night of the window, of every room type and plan.
    pub fn compare(&self, reader: &Reader) -> Result<(), String> {
        let (first, end) = self.window;
        let (from, to) = (Night(first), Night(end - 1));
        if reader.window() != Some((from, Night(end))) {
            return Err(format!("window {:?}, expected {:?}", reader.window(), self.window));
        }
        for (room_type, kind) in (0..).zip(&self.room_types) {
            let hotel = kind.hotel;
            let cells = reader.cells(holdfast_engine::ids::RoomTypeIx(room_type), from, to);
            if cells.len() != usize::from(end - first) {
                return Err(format!("{} cells of room type {room_type}", cells.len()));
            }
            for (Night(night), cell) in cells {
                let given = self.given(room_type, night);
                let unswept = self.unswept(reader, room_type, night);
                let seen = (
                    i64::from(cell.allotment()),
                    i64::from(cell.overbook()),
                    (cell.room_type_closed(), cell.hotel_closed()),
                    i64::from(cell.blocked()),
                    i64::from(cell.held()) - unswept,
                    i64::from(cell.sold()),
                );
                let expected = (
                    given.allotment,
                    given.overbook,
                    (given.closed, self.closed.contains(&(hotel, night))),
                    self.blocked_unswept(reader, room_type, night),
                    self.held(room_type, night),
                    self.sold(room_type, night),
                );
                if seen != expected {
                    return Err(format!(
                        "room type {room_type} on {}: (allotment, overbook, closed, blocked, held, \
                         sold) is {seen:?}, expected {expected:?}",
                        Night(night)
                    ));
                }
            }
        }
        self.compare_waiting(reader)?;
        self.compare_bookings(reader)?;
        self.compare_promos(reader)?;
        self.compare_rates(reader)
    }

    fn compare_rates(&self, reader: &Reader) -> Result<(), String> {
        let (first, end) = self.window;
        for plan in 0..self.plans.len() as u32 {
            let ix = holdfast_engine::ids::RatePlanIx(plan);
            for (Night(night), word) in reader.rates(ix, Night(first), Night(end - 1)) {
                let dated = reader.dated_rules(ix, Night(night));
                let seen = Rate::seen(word, &dated);
                if word.overlaid() == dated.is_empty() {
                    return Err(format!("plan {plan} on {}: {dated:?} and its flag", Night(night)));
                }
                let expected = self.rate(plan, night);
                if seen != expected {
                    let night = Night(night);
                    return Err(format!("plan {plan} on {night}: {seen:?}, expected {expected:?}"));
                }
            }
        }
        Ok(())
    }

    /// Rooms that holds which have run out still take up in the engine, until someone looks.
    fn unswept(&self, reader: &Reader, room_type: u32, night: u16) -> i64 {
        let ran_out = self.holds.values().filter(|hold| self.is_unswept(reader, hold));
        ran_out.map(|hold| hold.rooms_of(room_type, night)).sum()
    }

    fn is_unswept(&self, reader: &Reader, hold: &Hold) -> bool {
        hold.ended.is_none()
            && !hold.holds_at(self.now)
            && reader.hold(hold.id).is_some_and(|hold| hold.is_live())
    }
}

fn same(expected: &[Answer], actual: &Answer) -> Result<(), String> {
    if expected.contains(actual) {
        return Ok(());
    }
    Err(format!("answered {actual:#?}\nexpected {expected:#?}"))
}

/// Not kept: what never had an effect a client could not ask for again (400, 404, 422, 429, 5xx), missing
/// rooms unless a hold was to be revived or a booking changed, and the begin of a payment, which is not the
/// end of its request.
fn is_kept(verb: &Verb, answer: &Answer) -> bool {
    match answer {
        Answer::Refused(no) => match no.code.status() {
            400 | 401 | 403 | 404 | 413 | 415 | 422 | 429 | 500.. => false,
            _ if no.code == Code::InventoryInsufficient => gives_up_without_rooms(verb),
            _ => no.code != Code::HoldConfirming,
        },
        _ => !matches!(verb, Verb::BeginPayment(_)),
    }
}

/// Whether missing rooms are the end of the request.
fn gives_up_without_rooms(verb: &Verb) -> bool {
    match verb {
        Verb::Modify(_) => true,
        Verb::BeginPayment(verb) => verb.revive,
        Verb::Confirm(verb) => verb.revive,
        _ => false,
    }
}

/// Whether a line was taken.
pub fn taken(outcome: LineOutcome) -> bool {
    matches!(outcome, LineOutcome::Applied | LineOutcome::Unchanged)
}
