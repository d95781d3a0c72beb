//! A small world to test in: a state with its clock, partners, live hotels, room types, plans, open nights.
//!
//! Everything in it is made by commands, as in production. It refuses to know what the right outcome is.

pub mod answer;
pub mod drafts;
pub mod traffic;

use holdfast_engine::ari::{Change, Line, LineOutcome, OnConflict};
use holdfast_engine::booking::{Payment, Sealed};
use holdfast_engine::catalogue::HotelStatus;
use holdfast_engine::command::genesis::Quota;
use holdfast_engine::command::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, Allot, BeginPayment, Cancel, Confirm, Genesis,
    Hold, HoldLine, SetHotelStatus, Sweep, Tick,
};
use holdfast_engine::ids::{
    BookingId, HoldId, HotelId, HotelIx, PartnerId, RatePlanId, RatePlanIx, RoomTypeId, RoomTypeIx,
};
use holdfast_engine::inventory::Cell;
use holdfast_engine::stay::Stay;
use holdfast_engine::{
    Batch, Bounds, Command, Event, Idempotency, Night, Outcome, Principal, Reader, State, Verb,
    Weekdays, Writer,
};

/// Milliseconds of one minute, hour and day.
pub const MINUTE: u64 = 60_000;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;
/// 2026-11-22, a Sunday.
pub const TODAY: Night = Night(20_779);
/// Ten in the morning of that day in Bangkok.
pub const START: u64 = TODAY.0 as u64 * DAY + 3 * HOUR;
/// A short horizon keeps worlds cheap.
pub const HORIZON: u16 = 60;

pub const ADMIN: Principal = Principal::Admin(1);
pub const GUEST: Principal = Principal::Guest(1);
pub const PARTNER: PartnerId = PartnerId(10);
pub const OWNER: Principal = Principal::Partner(10);
pub const RIVAL: PartnerId = PartnerId(20);

/// A state, its clock and its log so far.
pub struct World {
    pub writer: Writer,
    pub reader: Reader,
    pub now: u64,
    pub index: u64,
    pub events: Vec<Event>,
    next: u128,
}

/// One hotel with one room type on one plan.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    pub hotel: HotelIx,
    pub room_type: RoomTypeIx,
    pub rate_plan: RatePlanIx,
}

/// `days` after [`TODAY`].
pub const fn night(days: u16) -> Night {
    Night(TODAY.0 + days)
}

/// From `from` days after today, so many nights.
pub const fn stay(from: u16, nights: u16) -> Stay {
    Stay { check_in: night(from), check_out: night(from + nights) }
}

pub fn genesis() -> Genesis {
    Genesis { horizon_nights: HORIZON, quota: Quota::default() }
}

impl World {
    /// Before the first command.
    pub fn unborn() -> Self {
        Self::unborn_within(Bounds::default())
    }

    fn unborn_within(bounds: Bounds) -> Self {
        let (writer, reader) = State::within(bounds);
        Self { writer, reader, now: START, index: 0, events: Vec::new(), next: 1_000 }
    }

    /// With its rules and two partners.
    pub fn new() -> Self {
        Self::within(Bounds::default())
    }

    /// The same with tables that are soon full.
    pub fn within(bounds: Bounds) -> Self {
        let mut world = Self::unborn_within(bounds);
        world.run(Verb::Genesis(genesis()));
        for id in [PARTNER, RIVAL] {
            world.run(Verb::AddPartner(AddPartner { id, name: format!("Partner {}", id.0) }));
        }
        world
    }

    /// With one live hotel whose one product has `rooms` rooms at 1,000.00 on every night of the horizon.
    pub fn open(rooms: u16) -> (Self, Product) {
        Self::open_within(rooms, Bounds::default())
    }

    pub fn open_within(rooms: u16, bounds: Bounds) -> (Self, Product) {
        let mut world = Self::within(bounds);
        let product = world.product();
        world.offer(product, 0, HORIZON - 1, rooms, 100_000);
        (world, product)
    }

    /// Applies an entry at the world's time.
    pub fn apply(&mut self, commands: Vec<Command>) -> Vec<Outcome> {
        self.index += 1;
        let batch = Batch { at_ms: self.now, commands };
        let mut outcomes = Vec::new();
        self.writer.apply(self.index, &batch, &mut outcomes, &mut self.events);
        assert_eq!(outcomes.len(), batch.commands.len());
        outcomes
    }

    pub fn run(&mut self, verb: Verb) -> Outcome {
        self.apply(vec![Command::plain(verb)]).remove(0)
    }

    pub fn run_keyed(&mut self, key: u128, fingerprint: u128, verb: Verb) -> Outcome {
        let idempotency = Some(Idempotency { key, fingerprint });
        self.apply(vec![Command { idempotency, verb }]).remove(0)
    }

    /// Takes what happened since the last time.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// A number no one has yet.
    pub fn mint(&mut self) -> u128 {
        self.next += 1;
        self.next
    }

    pub fn tick(&mut self) -> Outcome {
        self.run(Verb::Tick(Tick))
    }

    pub fn sweep(&mut self) -> Outcome {
        self.run(Verb::Sweep(Sweep::default()))
    }

    /// A hotel of [`PARTNER`] in Bangkok, still a draft.
    pub fn draft_hotel(&mut self) -> HotelIx {
        let id = HotelId(self.mint());
        let add = AddHotel { id, partner: PARTNER, draft: drafts::hotel() };
        match self.run(Verb::AddHotel(add)) {
            Outcome::Hotel(hotel) => hotel.ix,
            other => panic!("{other:?}"),
        }
    }

    pub fn set_status(&mut self, hotel: HotelIx, status: HotelStatus) -> Outcome {
        self.run(Verb::SetHotelStatus(SetHotelStatus { hotel, principal: ADMIN, status }))
    }

    pub fn live_hotel(&mut self) -> HotelIx {
        let hotel = self.draft_hotel();
        self.set_status(hotel, HotelStatus::Pending);
        self.set_status(hotel, HotelStatus::Live);
        hotel
    }

    pub fn room_type(&mut self, hotel: HotelIx) -> RoomTypeIx {
        let id = RoomTypeId(self.mint());
        let add = AddRoomType { id, hotel, principal: OWNER, draft: drafts::room_type() };
        match self.run(Verb::AddRoomType(add)) {
            Outcome::RoomType(room_type) => room_type.ix,
            other => panic!("{other:?}"),
        }
    }

    pub fn rate_plan(&mut self, room_type: RoomTypeIx) -> RatePlanIx {
        let id = RatePlanId(self.mint());
        let add = AddRatePlan { id, room_type, principal: OWNER, draft: drafts::rate_plan() };
        match self.run(Verb::AddRatePlan(add)) {
            Outcome::RatePlan(rate_plan) => rate_plan.ix,
            other => panic!("{other:?}"),
        }
    }

    /// A live hotel with one product that sells nothing yet.
    pub fn product(&mut self) -> Product {
        let hotel = self.live_hotel();
        self.product_in(hotel)
    }

    pub fn product_in(&mut self, hotel: HotelIx) -> Product {
        let room_type = self.room_type(hotel);
        let rate_plan = self.rate_plan(room_type);
        Product { hotel, room_type, rate_plan }
    }

    /// Writes ARI lines of [`PARTNER`], each with the next `seq` of a source of its own.
    pub fn allot(&mut self, lines: &[Line]) -> Vec<LineOutcome> {
        let source = format!("source {}", self.mint());
        let seqs = 1u64..;
        let lines = lines.iter().zip(seqs).map(|(line, seq)| Line { seq, ..*line }).collect();
        let allot = Allot { principal: OWNER, partner: PARTNER, source, lines };
        match self.run(Verb::Allot(allot)) {
            Outcome::Allotted(outcomes) => outcomes.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    /// Opens nights `from..=to` (days after today) with so many rooms at a price.
    pub fn offer(&mut self, product: Product, from: u16, to: u16, rooms: u16, price: i64) {
        let change = Change { allotment: Some(rooms), price: Some(price), ..Change::default() };
        assert_eq!(self.allot(&[line(product, from, to, change)]), [LineOutcome::Applied]);
    }

    /// A hold of [`GUEST`] that is not sent yet.
    pub fn wish(&mut self, product: Product, stay: Stay, quantity: u16) -> Hold {
        Hold {
            id: HoldId(self.mint()),
            hotel: product.hotel,
            principal: GUEST,
            stay,
            lines: vec![hold_line(product, quantity)],
            ttl_s: 900,
            expected_total: None,
            client_reference: None,
            block: None,
            promo: None,
        }
    }

    /// A hold of [`GUEST`] that must succeed.
    pub fn hold(&mut self, product: Product, stay: Stay, quantity: u16) -> HoldId {
        let wish = self.wish(product, stay, quantity);
        let id = wish.id;
        match self.run(Verb::Hold(wish)) {
            Outcome::Held { .. } => id,
            other => panic!("{other:?}"),
        }
    }

    /// A confirmation without payment that is not sent yet.
    pub fn confirmation(&mut self, hold: HoldId) -> Confirm {
        let total = self.reader.hold(hold).map_or(0, |hold| hold.terms.total);
        Confirm {
            hold,
            booking: BookingId(self.mint()),
            principal: GUEST,
            intent: None,
            guest: Sealed { guest: 7, key: 8, bytes: vec![1, 2, 3] },
            guest_key: None,
            payment: payment(total),
            expected_total: None,
            revive: false,
        }
    }

    /// A booking that must succeed.
    pub fn book(&mut self, product: Product, stay: Stay, quantity: u16) -> BookingId {
        let hold = self.hold(product, stay, quantity);
        let confirm = self.confirmation(hold);
        match self.run(Verb::Confirm(confirm)) {
            Outcome::Booked(booking) => booking.id,
            other => panic!("{other:?}"),
        }
    }

    pub fn cell(&self, room_type: RoomTypeIx, night: Night) -> Cell {
        self.reader.cells(room_type, night, night).first().map(|found| found.1).unwrap()
    }
}

pub fn hold_line(product: Product, quantity: u16) -> HoldLine {
    HoldLine {
        room_type: product.room_type,
        rate_plan: product.rate_plan,
        quantity,
        adults: 2,
        children: Vec::new(),
        quote: None,
    }
}

pub fn payment(amount: i64) -> Payment {
    Payment { intent: 0, method: "mock".to_owned(), provider_reference: "ref".to_owned(), amount }
}

/// A line for nights `from..=to`, days after today, on every weekday.
pub fn line(product: Product, from: u16, to: u16, change: Change) -> Line {
    let needs_plan = change.needs_plan();
    Line {
        seq: 1,
        hotel: None,
        room_type: product.room_type,
        rate_plan: needs_plan.then_some(product.rate_plan),
        from: night(from),
        to: night(to),
        days: Weekdays::ALL,
        change,
        on_conflict: OnConflict::Accept,
    }
}

pub fn begin(hold: HoldId, intent: u128, key: u128) -> Verb {
    Verb::BeginPayment(BeginPayment {
        hold,
        principal: GUEST,
        intent,
        key,
        expected_total: None,
        revive: false,
    })
}

pub fn cancel(booking: BookingId) -> Verb {
    Verb::Cancel(Cancel { booking, principal: GUEST, version: None })
}
