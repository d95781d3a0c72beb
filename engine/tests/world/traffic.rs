//! Random traffic: what guests, partners, admins and the proposer might send, sane mostly, mad sometimes.
//!
//! Every choice comes from dice that the caller rolled, so the same dice give the same log. It looks at
//! the state only as a door does, to name what exists and to make quotes; it never says what is right.

mod blocks;
mod changes;
mod money;
mod promos;
mod waiting;

use std::collections::BTreeMap;

use holdfast_engine::ari::{Available, Change, Line, OnConflict, Rules};
use holdfast_engine::booking::{Sealed, WrappedKey};
use holdfast_engine::catalogue::{
    Deposit, HotelStatus, MealPlan, Penalty, Policy, RatePlanDraft, StayRules, Tier,
};
use holdfast_engine::command::genesis::Quota;
use holdfast_engine::command::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, Allot, Archive, BeginPayment, Cancel,
    ChangeHotel, ChangeRatePlan, ChangeRoomType, CheckIn, CheckOut, Confirm, DeclinePayment,
    Extend, Genesis, Hold, HoldLine, NoShow, Release, SetHotelStatus, Sweep, Tick,
};
use holdfast_engine::command::{RemoveRatePlan, RemoveRoomType};
use holdfast_engine::hold::Status;
use holdfast_engine::ids::{
    BlockId, BookingId, HoldId, HotelId, HotelIx, PartnerId, RatePlanId, RatePlanIx, RoomTypeId,
    RoomTypeIx, WaitId,
};
use holdfast_engine::quote::{Discount, RoomQuote, Version};
use holdfast_engine::rates::{CutOff, OccupancyPrices};
use holdfast_engine::stay::{Asked, Stay, quote_room};
use holdfast_engine::{Command, Idempotency, Night, Principal, Reader, Verb, Weekdays};

use super::{ADMIN, DAY, HOUR, MINUTE, OWNER, PARTNER, RIVAL, START, drafts, payment};

/// Zones without summer time, at both ends of the day and in the middle, with their hours.
pub const ZONES: [(&str, i64); 3] =
    [("Asia/Bangkok", 7), ("Pacific/Kiritimati", 14), ("Pacific/Pago_Pago", -11)];
/// Nights of the random worlds' horizon.
pub const HORIZON: u16 = 40;
/// Tight, so that it is met.
pub const QUOTA: Quota = Quota { holds: 3, rooms: 9, room_nights: 24, cell_share: false };
/// Catalogue commands stop here, so that comparing every cell stays cheap.
const ROOM_TYPES: u32 = 9;

/// Rolled numbers, taken one after the other; zero when there are none left.
#[derive(Debug, Clone)]
pub struct Dice {
    rolls: Vec<u16>,
    at: usize,
}

impl Dice {
    pub const ROLLS: usize = 88;

    pub fn new(rolls: Vec<u16>) -> Self {
        Self { rolls, at: 0 }
    }

    fn below(&mut self, n: usize) -> usize {
        let roll = self.rolls.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(roll) % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn u16(&mut self, n: u16) -> u16 {
        self.below(usize::from(n)) as u16
    }
}

/// What one step of traffic is.
pub enum Step {
    Send(Box<Command>),
    /// What was sent so far goes as one entry, then so much time passes.
    Pass(u64),
    /// The next entry carries an earlier time than the last one did.
    Rewind(u64),
}

/// What a quote is of: plan, dates, adults and children.
type QuoteOf = (RatePlanIx, Night, Night, u8, Vec<u8>);

/// Who sends, and what was sent before.
#[derive(Debug, Default)]
pub struct Traffic {
    next: u128,
    holds: Vec<HoldId>,
    bookings: Vec<BookingId>,
    payments: Vec<(HoldId, u128, u128)>,
    sent: Vec<Command>,
    quotes: BTreeMap<QuoteOf, (Version, RoomQuote)>,
    seqs: BTreeMap<(PartnerId, usize), u64>,
    blocks: Vec<BlockId>,
    waiting: Vec<WaitId>,
    /// Whether one guest may hold no more than a share of each cell.
    pub cell_share: bool,
}

impl Traffic {
    const fn quota(&self) -> Quota {
        Quota { cell_share: self.cell_share, ..QUOTA }
    }

    fn mint(&mut self) -> u128 {
        self.next += 1;
        self.next
    }

    /// The commands every random world begins with: three live hotels in three zones.
    pub fn founding(&mut self) -> Vec<Command> {
        let mut verbs =
            vec![Verb::Genesis(Genesis { horizon_nights: HORIZON, quota: self.quota() })];
        for id in [PARTNER, RIVAL] {
            verbs.push(Verb::AddPartner(AddPartner { id, name: format!("Partner {}", id.0) }));
        }
        for (at, (zone, _)) in (0u32..).zip(ZONES) {
            let partner = if at == 2 { RIVAL } else { PARTNER };
            let draft = holdfast_engine::catalogue::HotelDraft {
                zone: zone.to_owned(),
                max_stay: 10,
                ..drafts::hotel()
            };
            verbs.push(Verb::AddHotel(AddHotel { id: HotelId(self.mint()), partner, draft }));
            for status in [HotelStatus::Pending, HotelStatus::Live] {
                let hotel = HotelIx(at);
                verbs.push(Verb::SetHotelStatus(SetHotelStatus {
                    hotel,
                    principal: ADMIN,
                    status,
                }));
            }
            for kind in 0..2u32 {
                let id = RoomTypeId(self.mint());
                let (hotel, draft) = (HotelIx(at), drafts::room_type());
                verbs.push(Verb::AddRoomType(AddRoomType { id, hotel, principal: ADMIN, draft }));
                let room_type = RoomTypeIx(at * 2 + kind);
                for plan in 0..=kind {
                    let id = RatePlanId(self.mint());
                    let draft = RatePlanDraft { tax_inclusive: plan == 1, ..drafts::rate_plan() };
                    let add = AddRatePlan { id, room_type, principal: ADMIN, draft };
                    verbs.push(Verb::AddRatePlan(add));
                    let rate_plan = RatePlanIx(at * 3 + kind + plan);
                    verbs.push(self.opening(partner, room_type, rate_plan, START));
                }
            }
        }
        self.first_promos(&mut verbs);
        verbs.into_iter().map(Command::plain).collect()
    }

    /// A product is opened for the next weeks, whatever was written before.
    fn opening(
        &mut self,
        partner: PartnerId,
        room_type: RoomTypeIx,
        rate_plan: RatePlanIx,
        now: u64,
    ) -> Verb {
        let today = Night((now / DAY) as u16);
        let plain = Change {
            allotment: Some(4),
            overbook: Some(1),
            closed: Some(false),
            ..Change::default()
        };
        let product = Change {
            price: Some(120_050),
            min_stay_arrival: Some(0),
            max_stay_arrival: Some(0),
            min_stay_through: Some(0),
            max_stay_through: Some(0),
            closed_to_arrival: Some(false),
            closed_to_departure: Some(false),
            min_advance: Some(None),
            max_advance: Some(None),
            cut_off: Some(None),
            closed: Some(false),
            ..Change::default()
        };
        let line = |seq, rate_plan, change| Line {
            seq,
            hotel: None,
            room_type,
            rate_plan,
            from: today.plus(1),
            to: today.plus(25),
            days: Weekdays::ALL,
            change,
            on_conflict: OnConflict::Accept,
        };
        let lines = vec![line(1, None, plain), line(2, Some(rate_plan), product)];
        let source = format!("opening {}", self.mint());
        Verb::Allot(Allot { principal: ADMIN, partner, source, lines })
    }

    fn reopening(&mut self, dice: &mut Dice, reader: &Reader, now: u64) -> Verb {
        let rate_plan = RatePlanIx(dice.u16(9).into());
        let found = reader.rate_plan(rate_plan).and_then(|plan| {
            let hotel = reader.hotel(reader.room_type(plan.room_type)?.hotel)?;
            Some((hotel.partner, plan.room_type))
        });
        let (partner, room_type) = found.unwrap_or((PARTNER, RoomTypeIx(0)));
        self.opening(partner, room_type, rate_plan, now)
    }

    /// One step. `now` is the time of the entry that is being filled.
    pub fn step(&mut self, dice: &mut Dice, reader: &Reader, now: u64) -> Step {
        let verb = match dice.below(100) {
            0..25 => self.hold(dice, reader, now),
            25..28 => self.waiting(dice, reader, now),
            28..40 => return Step::Pass(self.pause(dice, reader, now)),
            40 if dice.one_in(4) => return Step::Rewind(dice.of(&[1, MINUTE, DAY])),
            40..46 => self.extend(dice, reader),
            46..51 => self.release(dice, reader),
            51..58 => self.begin(dice, reader),
            58..61 => self.decline(dice, reader),
            61..72 => self.confirm(dice, reader),
            72..74 => self.cancel(dice, reader),
            74..76 => self.arrival(dice, reader),
            76..79 => self.modify(dice, reader),
            79 => {
                let holds_max = dice.of(&[u32::MAX, 1, 0, 4_096, 2]);
                Verb::Sweep(Sweep { holds_max })
            }
            80 if dice.one_in(2) => {
                let days = dice.of(&[3, 3, 3, 4, 9, 2, 1_096]);
                Verb::Archive(Archive { bookings_max: dice.of(&[u32::MAX, 256, 1, 2, 0]), days })
            }
            80..83 => Verb::Tick(Tick),
            83..86 => self.reopening(dice, reader, now),
            86..92 => self.allot(dice, reader, now),
            92..94 => self.catalogue(dice, reader),
            94 => money::taxes(dice, now),
            95..97 => self.blocks(dice, reader, now),
            97 => self.promos(dice, now),
            _ => return Step::Send(Box::new(self.again(dice))),
        };
        let idempotency = self.key(dice);
        let command = Command { idempotency, verb };
        self.sent.push(command.clone());
        Step::Send(Box::new(command))
    }

    fn key(&mut self, dice: &mut Dice) -> Option<Idempotency> {
        if dice.one_in(2) {
            return None;
        }
        let id = self.mint();
        Some(Idempotency { key: id, fingerprint: id })
    }

    /// Something sent before, under the same key, with the same or another body.
    fn again(&mut self, dice: &mut Dice) -> Command {
        if self.sent.is_empty() {
            return Command::plain(Verb::Tick(Tick));
        }
        let recent = self.sent.len().min(30);
        let mut command = self.sent[self.sent.len() - 1 - dice.below(recent)].clone();
        if let Some(idempotency) = command.idempotency.as_mut().filter(|_| dice.one_in(4)) {
            idempotency.fingerprint ^= 1;
        }
        command
    }

    fn pause(&self, dice: &mut Dice, reader: &Reader, now: u64) -> u64 {
        match dice.below(24) {
            0..14 => 0,
            14 => 1,
            15 => 999,
            16 => 30_000,
            17 => 2 * MINUTE,
            18 => 10 * MINUTE,
            // Around the expiry of some hold: one before, at, one after.
            19..22 => {
                let ends: Vec<_> = self.holds.iter().rev().take(8).collect();
                if ends.is_empty() {
                    return 0;
                }
                let end = reader.hold(*dice.of(&ends)).map_or(now, |hold| hold.expires_ms);
                (end + dice.of(&[0, 1, 2])).saturating_sub(now + 1)
            }
            // To some hour of the next day, so past one midnight or another.
            22 => DAY - now % DAY + u64::from(dice.u16(24)) * HOUR,
            _ => dice.of(&[HOUR, DAY, 2 * DAY, 5 * DAY, 9 * DAY]),
        }
    }

    fn principal(dice: &mut Dice) -> Principal {
        let guest = |id| Principal::Guest(id);
        let all = [guest(1), guest(1), guest(1), guest(2), guest(2), OWNER, OWNER, ADMIN];
        if dice.one_in(14) { Principal::Partner(RIVAL.0) } else { dice.of(&all) }
    }

    fn hold(&mut self, dice: &mut Dice, reader: &Reader, now: u64) -> Verb {
        let hotel = if dice.one_in(40) { HotelIx(77) } else { HotelIx(dice.u16(3).into()) };
        let today = Night((now / DAY) as u16);
        let check_in = match dice.below(40) {
            0 => today.minus(1),
            1 => today.plus(HORIZON - 2 + dice.u16(4)),
            2 => today,
            _ => today.plus(1 + dice.u16(6)),
        };
        let nights = match dice.below(40) {
            0 => 0,
            1 => 11,
            2 => 10,
            _ => 1 + dice.u16(4),
        };
        let stay = Stay { check_in, check_out: check_in.plus(nights) };
        let id = match self.holds.last() {
            Some(&id) if dice.one_in(25) => id,
            _ => HoldId(self.mint()),
        };
        self.holds.push(id);
        let promo = Self::some_promo(dice, reader, hotel);
        let with = promos::quoted(reader, promo.as_deref());
        let lines: Vec<_> = (0..dice.of(&[1, 1, 1, 2, 2, 3]))
            .map(|_| self.hold_line(dice, reader, (hotel, with), stay))
            .collect();
        let off = promos::named(reader, hotel, promo.as_deref());
        let quoted = self.total(reader, (hotel, off), stay, &lines);
        let expected_total = match dice.below(16) {
            0 => quoted.map(|total| total + 1),
            1..4 => quoted,
            _ => None,
        };
        let references = ["a", "b", "c"];
        Verb::Hold(Hold {
            id,
            hotel,
            principal: Self::principal(dice),
            stay,
            lines,
            ttl_s: if dice.one_in(30) {
                dice.of(&[0, 901])
            } else {
                dice.of(&[900, 900, 600, 60, 1, 120])
            },
            expected_total,
            client_reference: dice.one_in(4).then(|| dice.of(&references).to_owned()),
            block: self.some_block_of(dice, reader, hotel),
            promo,
        })
    }

    fn hold_line(
        &mut self,
        dice: &mut Dice,
        reader: &Reader,
        (hotel, with): (HotelIx, Option<Discount>),
        stay: Stay,
    ) -> HoldLine {
        let known = reader.hotel(hotel).map(|hotel| hotel.room_types.clone()).unwrap_or_default();
        let room_type = match dice.below(90) {
            0 => RoomTypeIx(999),
            1 => RoomTypeIx(0),
            _ if known.is_empty() => RoomTypeIx(0),
            _ => dice.of(&known),
        };
        let plans =
            reader.room_type(room_type).map(|kind| kind.rate_plans.clone()).unwrap_or_default();
        let rate_plan = match dice.below(90) {
            0 => RatePlanIx(999),
            1 => RatePlanIx(0),
            _ if plans.is_empty() => RatePlanIx(0),
            _ => dice.of(&plans),
        };
        let children = match dice.below(30) {
            0..4 => vec![8],
            4 => vec![3, 4],
            _ => Vec::new(),
        };
        let mut line = HoldLine {
            room_type,
            rate_plan,
            quantity: if dice.one_in(60) {
                dice.of(&[0, 1_001])
            } else {
                dice.of(&[1, 1, 1, 2, 2, 3])
            },
            adults: if dice.one_in(40) { dice.of(&[0, 3]) } else { dice.of(&[1, 2]) },
            children,
            quote: None,
        };
        line.quote = match with {
            None => self.quote(dice, reader, (hotel, stay), &line),
            Some(_) => quote_now(reader, (hotel, stay), &line, with),
        };
        line
    }

    /// A door's quote: none, one made now, or the first one ever made of this stay, by now perhaps old.
    fn quote(
        &mut self,
        dice: &mut Dice,
        reader: &Reader,
        (hotel, stay): (HotelIx, Stay),
        line: &HoldLine,
    ) -> Option<(Version, RoomQuote)> {
        if dice.one_in(3) || stay.nights() == 0 {
            return None;
        }
        let fresh = quote_now(reader, (hotel, stay), line, None)?;
        let (dates, children) = ((stay.check_in, stay.check_out), line.children.clone());
        let first = self.quotes.entry((line.rate_plan, dates.0, dates.1, line.adults, children));
        let first = first.or_insert_with(|| fresh.clone());
        Some(if dice.one_in(2) { first.clone() } else { fresh })
    }

    fn total(
        &self,
        reader: &Reader,
        (hotel, off): (HotelIx, Option<Discount>),
        stay: Stay,
        lines: &[HoldLine],
    ) -> Option<i64> {
        let hotel = reader.hotel(hotel)?;
        let amounts = lines.iter().map(|line| {
            let plan = reader.rate_plan(line.rate_plan)?;
            let quote = quote_room(reader, &hotel, &plan, Asked::of(stay, line).with(off))?.1;
            Some(quote.total * i64::from(line.quantity))
        });
        amounts.sum()
    }

    /// Mostly one of the newest that there are.
    fn some_hold(&self, dice: &mut Dice, reader: &Reader) -> HoldId {
        if dice.one_in(12)
            && let Some(offer) = self.some_offer(dice, reader)
        {
            return offer;
        }
        let mut known = self.holds.iter().rev().filter(|&&id| reader.hold(id).is_some());
        let far = if dice.one_in(6) { dice.below(40) } else { dice.below(5) };
        let hold = known.clone().nth(far).or_else(|| known.next()).copied();
        hold.filter(|_| !dice.one_in(40)).unwrap_or(HoldId(u128::MAX))
    }

    fn extend(&self, dice: &mut Dice, reader: &Reader) -> Verb {
        let ttl_s =
            if dice.one_in(20) { dice.of(&[0, 901]) } else { dice.of(&[900, 900, 600, 300, 1]) };
        let hold = self.some_hold(dice, reader);
        Verb::Extend(Extend { hold, principal: Self::asker(dice), ttl_s })
    }

    fn release(&self, dice: &mut Dice, reader: &Reader) -> Verb {
        let hold = self.some_hold(dice, reader);
        Verb::Release(Release { hold, principal: Self::asker(dice) })
    }

    /// Mostly someone who may.
    fn asker(dice: &mut Dice) -> Principal {
        if dice.one_in(6) { Self::principal(dice) } else { ADMIN }
    }

    fn begin(&mut self, dice: &mut Dice, reader: &Reader) -> Verb {
        let hold = self.some_hold(dice, reader);
        let (intent, key) = match self.payments.last() {
            Some(&(_, intent, key)) if dice.one_in(5) => (intent, key),
            _ => (self.mint(), self.mint()),
        };
        self.payments.push((hold, intent, key));
        let (expected_total, revive) = self.agreed(dice, reader, hold);
        Verb::BeginPayment(BeginPayment {
            hold,
            principal: Self::asker(dice),
            intent,
            key,
            expected_total,
            revive,
        })
    }

    /// What the guest agreed to pay, and whether an expired hold is to be revived for it.
    fn agreed(&self, dice: &mut Dice, reader: &Reader, hold: HoldId) -> (Option<i64>, bool) {
        if !dice.one_in(3) {
            return (self.known_total(dice, reader, hold), false);
        }
        let total = reader.hold(hold).map_or(0, |hold| hold.terms.total);
        (dice.of(&[Some(total), Some(i64::MAX), Some(total), Some(total - 1), None]), true)
    }

    fn known_total(&self, dice: &mut Dice, reader: &Reader, hold: HoldId) -> Option<i64> {
        let total = reader.hold(hold).map_or(0, |hold| hold.terms.total);
        dice.of(&[None, None, None, None, None, Some(total), Some(total), Some(total + 1)])
    }

    fn decline(&self, dice: &mut Dice, reader: &Reader) -> Verb {
        let (hold, intent) = self.some_payment(dice, reader);
        Verb::DeclinePayment(DeclinePayment { hold, principal: Self::asker(dice), intent })
    }

    fn some_payment(&self, dice: &mut Dice, reader: &Reader) -> (HoldId, u128) {
        if self.payments.is_empty() || dice.one_in(8) {
            return (self.some_hold(dice, reader), 1);
        }
        let under_way = |payment: &&(HoldId, u128, u128)| {
            let hold = reader.hold(payment.0);
            hold.is_some_and(|hold| matches!(hold.status, Status::Confirming(_)))
        };
        let known = self.payments.iter().rev();
        let payment = known.clone().filter(under_way).nth(dice.below(2));
        let (hold, intent, _) = *payment.or_else(|| known.clone().next()).expect("there is one");
        (hold, intent)
    }

    fn confirm(&mut self, dice: &mut Dice, reader: &Reader) -> Verb {
        let (hold, intent) = match dice.below(2) {
            0 => (self.some_hold(dice, reader), None),
            _ => {
                let (hold, intent) = self.some_payment(dice, reader);
                (hold, Some(intent))
            }
        };
        let booking = match self.bookings.last() {
            Some(&id) if dice.one_in(20) => id,
            _ => BookingId(self.mint()),
        };
        self.bookings.push(booking);
        let total = reader.hold(hold).map_or(0, |hold| hold.terms.total);
        let bytes = if dice.one_in(40) { vec![0; 20_000] } else { vec![dice.u16(200) as u8; 9] };
        let guest = u128::from(dice.u16(5));
        let (expected_total, revive) = self.agreed(dice, reader, hold);
        Verb::Confirm(Confirm {
            hold,
            booking,
            principal: Self::asker(dice),
            intent,
            guest: Sealed { guest, key: guest, bytes },
            guest_key: dice.one_in(2).then(|| WrappedKey { key: guest, bytes: vec![7; 40] }),
            payment: payment(dice.of(&[total, total, total / 2])),
            expected_total,
            revive,
        })
    }

    fn some_booking(&self, dice: &mut Dice, reader: &Reader) -> BookingId {
        // Of late ones, of whatever became of them.
        if dice.one_in(16) && !self.bookings.is_empty() {
            return dice.of(&self.bookings);
        }
        let mut known = self.bookings.iter().rev().filter(|&&id| reader.booking(id).is_some());
        known.nth(dice.below(8)).copied().unwrap_or(BookingId(u128::MAX))
    }

    fn arrival(&self, dice: &mut Dice, reader: &Reader) -> Verb {
        let (booking, principal) = (self.some_booking(dice, reader), Self::asker(dice));
        let version = dice.of(&[None, None, None, Some(1), Some(2)]);
        match dice.below(7) {
            0..3 => Verb::CheckIn(CheckIn { booking, principal, version }),
            3..5 => Verb::CheckOut(CheckOut { booking, principal, version }),
            _ => Verb::NoShow(NoShow { booking, principal, version }),
        }
    }

    fn cancel(&self, dice: &mut Dice, reader: &Reader) -> Verb {
        let booking = self.some_booking(dice, reader);
        let version = dice.of(&[None, None, None, Some(1), Some(2), Some(7)]);
        Verb::Cancel(Cancel { booking, principal: Self::asker(dice), version })
    }

    fn allot(&mut self, dice: &mut Dice, reader: &Reader, now: u64) -> Verb {
        let partner = dice.of(&[PARTNER, PARTNER, PARTNER, RIVAL]);
        let source = dice.below(2);
        let seq = self.seqs.entry((partner, source)).or_insert(0);
        let mut lines: Vec<Line> = Vec::new();
        for _ in 0..dice.of(&[1, 2, 2, 3, 4]) {
            if dice.one_in(8) {
                *seq = seq.saturating_sub(1);
            } else {
                *seq += 1;
            }
            let line = match lines.last() {
                // The same nights again, or wider, with other words.
                Some(&last) if dice.one_in(2) => {
                    let change = if dice.one_in(3) { last.change } else { some_change(dice) };
                    Line { seq: *seq, to: last.to.plus(dice.u16(2)), change, ..last }
                }
                _ => some_line(dice, reader, partner, now, *seq),
            };
            lines.push(line);
        }
        let principal = dice.of(&[ADMIN, ADMIN, Principal::Partner(partner.0), OWNER]);
        Verb::Allot(Allot { principal, partner, source: format!("source {source}"), lines })
    }

    fn catalogue(&mut self, dice: &mut Dice, reader: &Reader) -> Verb {
        let hotel = HotelIx(dice.u16(4).into());
        let principal = Self::asker(dice);
        let version = dice.of(&[None, None, Some(1), Some(2), Some(3)]);
        let can_grow = reader.room_type(RoomTypeIx(ROOM_TYPES - 1)).is_none();
        let room_type = RoomTypeIx(dice.u16(7).into());
        let status = dice.of(&[
            HotelStatus::Live,
            HotelStatus::Live,
            HotelStatus::Suspended,
            HotelStatus::Pending,
        ]);
        match dice.below(12) {
            10 => Verb::RemoveRoomType(RemoveRoomType {
                room_type: RoomTypeIx(dice.of(&[0, 5, 6, 7, 8, 99])),
                principal,
            }),
            11 => Verb::RemoveRatePlan(RemoveRatePlan {
                rate_plan: RatePlanIx(dice.of(&[2, 5, 8, 9, 10, 99])),
                principal,
            }),
            0 if can_grow => {
                let partner = dice.of(&[PARTNER, RIVAL, PartnerId(999)]);
                let province = dice.of(&[50, 50, 9]);
                let draft = holdfast_engine::catalogue::HotelDraft { province, ..drafts::hotel() };
                let id = HotelId(if dice.one_in(4) { 1 } else { self.mint() });
                Verb::AddHotel(AddHotel { id, partner, draft })
            }
            1 if can_grow => {
                let id = RoomTypeId(if dice.one_in(4) { 2 } else { self.mint() });
                Verb::AddRoomType(AddRoomType { id, hotel, principal, draft: drafts::room_type() })
            }
            2 if can_grow => {
                let id = RatePlanId(if dice.one_in(4) { 3 } else { self.mint() });
                let derived_from = money::derivation(dice);
                let draft = RatePlanDraft { derived_from, ..drafts::rate_plan() };
                Verb::AddRatePlan(AddRatePlan { id, room_type, principal, draft })
            }
            3 => {
                let max_stay = dice.of(&[10, 10, 9, 0]);
                let zone = ZONES[dice.below(3)].0.to_owned();
                let draft = holdfast_engine::catalogue::HotelDraft {
                    max_stay,
                    zone,
                    age_bands: money::age_bands(dice),
                    tax_profile: money::tax_profile(dice),
                    ..drafts::hotel()
                };
                Verb::ChangeHotel(ChangeHotel { hotel, principal, version, draft })
            }
            4 | 5 => Verb::SetHotelStatus(SetHotelStatus { hotel, principal, status }),
            6 => {
                let draft = holdfast_engine::catalogue::RoomTypeDraft {
                    max_adults: dice.of(&[2, 2, 1, 0]),
                    ..drafts::room_type()
                };
                Verb::ChangeRoomType(ChangeRoomType { room_type, principal, version, draft })
            }
            7 | 8 => {
                let rate_plan = RatePlanIx(dice.u16(10).into());
                let policy = Policy { tiers: some_tiers(dice) }.into();
                let deposit = dice.of(&[
                    Deposit::Whole,
                    Deposit::PercentBp(3_333),
                    Deposit::Nights(1),
                    Deposit::Fixed(77_777),
                    Deposit::PercentBp(10_001),
                ]);
                let draft = RatePlanDraft {
                    tax_inclusive: dice.one_in(2),
                    meal_plan: MealPlan::RoomOnly,
                    policy,
                    rules: some_rules(dice),
                    price_max: dice.of(&[None, None, None, Some(110_000)]),
                    deposit,
                    occupancy: money::occupancy(dice),
                    derived_from: money::derivation(dice),
                    ..drafts::rate_plan()
                };
                Verb::ChangeRatePlan(ChangeRatePlan { rate_plan, principal, version, draft })
            }
            _ => {
                let horizon_nights = dice.of(&[HORIZON, HORIZON + 1, 29]);
                Verb::Genesis(Genesis { horizon_nights, quota: self.quota() })
            }
        }
    }
}

/// What a door quotes now: only what is the hotel's.
fn quote_now(
    reader: &Reader,
    (hotel, stay): (HotelIx, Stay),
    line: &HoldLine,
    off: Option<Discount>,
) -> Option<(Version, RoomQuote)> {
    let (found, plan) = (reader.hotel(hotel)?, reader.rate_plan(line.rate_plan)?);
    reader.room_type(plan.room_type).filter(|kind| kind.hotel == hotel)?;
    quote_room(reader, &found, &plan, Asked::of(stay, line).with(off))
}

fn some_rules(dice: &mut Dice) -> StayRules {
    let stay =
        |dice: &mut Dice| dice.of(&[None, None, None, None, None, Some(1), Some(2), Some(0)]);
    StayRules {
        min_stay_arrival: stay(dice),
        max_stay_arrival: stay(dice),
        min_stay_through: stay(dice),
        max_stay_through: stay(dice),
        min_advance: dice.of(&[None, None, None, Some(1), Some(3)]),
        max_advance: dice.of(&[None, None, None, Some(2), Some(5)]),
        cut_off: dice.of(&[None, None, None, Some(CutOff { days: 1, minute: 720 })]),
    }
}

fn some_tiers(dice: &mut Dice) -> Vec<Tier> {
    let penalties = [
        Penalty::PercentBp(0),
        Penalty::PercentBp(3_333),
        Penalty::Nights(1),
        Penalty::Nights(9),
        Penalty::Fixed(77_777),
        Penalty::PercentBp(10_001),
    ];
    (0..dice.u16(3))
        .map(|at| {
            let penalty = penalties[dice.below(if at == 2 { 6 } else { 5 })];
            Tier { until_days: 6 - 2 * at, until_minute: dice.of(&[0, 1_080, 1_439]), penalty }
        })
        .collect()
}

fn some_line(dice: &mut Dice, reader: &Reader, partner: PartnerId, now: u64, seq: u64) -> Line {
    let today = Night((now / DAY) as u16);
    let room_type = RoomTypeIx(match dice.below(30) {
        0 => 99,
        1 => dice.u16(7).into(),
        _ if partner == RIVAL => 4 + u32::from(dice.u16(2)),
        _ => dice.u16(4).into(),
    });
    let change = some_change(dice);
    let plans = reader.room_type(room_type).map(|kind| kind.rate_plans.clone()).unwrap_or_default();
    let rate_plan = match dice.below(20) {
        0 => Some(RatePlanIx(dice.u16(12).into())),
        1 => None,
        2..8 if !change.needs_plan() => None,
        _ if plans.is_empty() => None,
        _ => Some(dice.of(&plans)),
    };
    let from = match dice.below(30) {
        0 => today.minus(1),
        1 => today.plus(HORIZON - 3),
        2 => today,
        _ => today.plus(1 + dice.u16(5)),
    };
    let length = dice.of(&[0, 0, 1, 2, 4, 6, 13]);
    let to = if dice.one_in(30) { from.minus(1) } else { from.plus(length) };
    let days = Weekdays(if dice.one_in(30) { 0 } else { dice.of(&[0x7F, 0x7F, 0x7F, 0x60, 0x1F]) });
    let on_conflict =
        dice.of(&[OnConflict::Accept, OnConflict::Accept, OnConflict::Reject, OnConflict::Clamp]);
    let line = Line { seq, hotel: None, room_type, rate_plan, from, to, days, change, on_conflict };
    if !dice.one_in(8) {
        return line;
    }
    let closed = dice.of(&[Some(true), Some(false), Some(false), None]);
    let hotel = Some(HotelIx(dice.of(&[0, 0, 1, 2, 77])));
    let change = Change { closed, ..Change::default() };
    Line { hotel, change: if dice.one_in(8) { line.change } else { change }, ..line }
}

fn some_change(dice: &mut Dice) -> Change {
    let mut change = Change::default();
    for _ in 0..if dice.one_in(30) { 0 } else { dice.of(&[1, 1, 2, 3]) } {
        match dice.below(20) {
            19 => {
                let rooms = dice.of(&[0, 1, 3, 5]);
                change.available = Some(Available { rooms, as_of: u64::MAX });
            }
            14 => {
                change.min_advance = Some(dice.of(&[None, Some(0), Some(2), Some(3), Some(1_101)]));
            }
            15 => {
                change.max_advance = Some(dice.of(&[None, Some(0), Some(3), Some(5), Some(1_101)]));
            }
            16 => {
                let at = |days, minute| Some(CutOff { days, minute });
                let choices = [None, at(0, 600), at(1, 0), at(2, 1_439), at(0, 1_440), at(3, 0)];
                change.cut_off = Some(dice.of(&choices));
            }
            17 => {
                let pairs = [vec![], vec![(1, 100_000)], vec![(1, 90_000), (2, 1)]];
                change.occupancy = OccupancyPrices::new(dice.of(&pairs));
            }
            18 => change.clear = change.clear.with(Rules(1 << dice.u16(7))),
            0..3 => change.allotment = Some(dice.of(&[0, 1, 2, 3, 4, 5, 6, 8, 4_094, 4_096])),
            3 => change.allotment_delta = Some(dice.of(&[1, -1, 2, -2, -9, 4_095, -32_768])),
            4 => change.overbook = Some(dice.of(&[0, 0, 1, 2, 255])),
            5..7 => change.price = Some(dice.of(&[100_000, 120_050, 99_990, 0, 1, -1, 1 << 32])),
            7 => change.min_stay_arrival = Some(dice.of(&[0, 1, 1, 2, 2, 3, 63, 64])),
            8 => change.max_stay_arrival = Some(dice.of(&[0, 1, 1, 2, 2, 3, 63, 64])),
            9 => change.min_stay_through = Some(dice.of(&[0, 0, 1, 2, 3])),
            10 => change.max_stay_through = Some(dice.of(&[0, 0, 1, 2, 3])),
            11 => change.closed_to_arrival = Some(dice.of(&[false, false, true])),
            12 => change.closed_to_departure = Some(dice.of(&[false, false, true])),
            _ => change.closed = Some(dice.of(&[false, false, true])),
        }
    }
    change
}
