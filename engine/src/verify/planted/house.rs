//! The small state that corruptions are planted into, built by commands alone.
//!
//! It owns two room types with a hold and a booking each, and the verifier that has followed them.

use std::sync::atomic::Ordering::Relaxed;

use super::super::Verifier;
use super::drafts;
use crate::ari::{Change, Line, OnConflict};
use crate::booking::{Payment, Sealed, WrappedKey};
use crate::catalogue::HotelStatus;
use crate::civil::DAY_MS;
use crate::command::genesis::Quota;
use crate::command::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, Allot, Archive, Confirm, Genesis, Hold,
    HoldLine, Release, SetHotelStatus, Sweep, Tick,
};
use crate::ids::{
    BookingId, HoldId, HotelId, HotelIx, PartnerId, RatePlanId, RatePlanIx, RoomTypeId, RoomTypeIx,
};
use crate::inventory::Cell;
use crate::state::Decoded;
use crate::stay::Stay;
use crate::{
    Batch, Command, Idempotency, Night, Outcome, Principal, State, Verb, Weekdays, Writer,
};

pub(super) const TODAY: Night = Night(20_779);
pub(super) const PARTNER: PartnerId = PartnerId(10);
pub(super) const OWNER: Principal = Principal::Partner(10);
pub(super) const GUEST: Principal = Principal::Guest(7);
pub(super) const NIGHT: Night = Night(20_781);
pub(super) const HELD: HoldId = HoldId(501);
pub(super) const SOLD: BookingId = BookingId(602);

/// A hotel with two room types of four rooms; on each the guest has a hold of two nights and a booking
/// of one, and has released a third.
pub(super) struct House {
    pub writer: Writer,
    pub verifier: Verifier,
    pub index: u64,
    day: Night,
    next: u128,
}

impl House {
    pub fn new() -> Self {
        let (writer, _) = State::new();
        let mut house = Self { writer, verifier: Verifier::new(0), index: 0, day: TODAY, next: 0 };
        house.run(Verb::Genesis(Genesis { horizon_nights: 40, quota: Quota::default() }));
        house.run(Verb::AddPartner(AddPartner { id: PARTNER, name: "A".into() }));
        let (partner, draft) = (PARTNER, drafts::hotel());
        house.run(Verb::AddHotel(AddHotel { id: HotelId(100), partner, draft }));
        for status in [HotelStatus::Pending, HotelStatus::Live] {
            let (hotel, principal) = (HotelIx(0), Principal::Admin(1));
            house.run(Verb::SetHotelStatus(SetHotelStatus { hotel, principal, status }));
        }
        for at in 0..2u32 {
            let (id, hotel) = (RoomTypeId(200 + u128::from(at)), HotelIx(0));
            let draft = drafts::room_type();
            house.run(Verb::AddRoomType(AddRoomType { id, hotel, principal: OWNER, draft }));
            let (id, room_type) = (RatePlanId(300 + u128::from(at)), RoomTypeIx(at));
            let draft = drafts::rate_plan();
            house.run(Verb::AddRatePlan(AddRatePlan { id, room_type, principal: OWNER, draft }));
            house.write(at, 4);
        }
        for (at, base) in [(0u32, 500u128), (1, 510)] {
            // The second room type has two rooms sold where the first has one.
            let rooms = if at == 0 { 1 } else { 2 };
            house.hold(at, base + 1, 2, 1);
            house.hold(at, base + 2, 1, rooms);
            house.confirm(base + 2);
            house.hold(at, base + 3, 1, 1);
            let (hold, principal) = (HoldId(base + 3), GUEST);
            house.run(Verb::Release(Release { hold, principal }));
        }
        house.verifier.check_all(&house.writer);
        assert_eq!(house.verifier.findings(), []);
        house
    }

    /// The same from a snapshot of itself, with a verifier that has seen nothing before it.
    pub fn begun_anew(mut self) -> Self {
        let mut loading = State::load();
        let capture = self.writer.capture().unwrap();
        let put = |part, record: &[u8]| loading.put(Decoded::of(part, record.to_vec())?);
        capture.write(put).unwrap();
        let (writer, _) = loading.finish().unwrap();
        let mut verifier = Verifier::new(0);
        verifier.begin(&writer);
        Self { writer, verifier, ..self }
    }

    pub fn run(&mut self, verb: Verb) -> Outcome {
        self.run_at(u64::from(self.day.0) * DAY_MS + 3 * 3_600_000, verb)
    }

    /// The log's clock says so, and what is due ends.
    pub fn pass(&mut self, at_ms: u64) {
        self.run_at(at_ms, Verb::Sweep(Sweep::default()));
    }

    fn run_at(&mut self, at_ms: u64, verb: Verb) -> Outcome {
        self.index += 1;
        self.next += 1;
        let idempotency = Some(Idempotency { key: self.next, fingerprint: 0 });
        let batch = Batch { at_ms, commands: vec![Command { idempotency, verb }] };
        let (mut outcomes, mut events) = (Vec::new(), Vec::new());
        self.writer.apply(self.index, &batch, &mut outcomes, &mut events);
        self.verifier.after(&self.writer, &events);
        let outcome = outcomes.remove(0);
        assert!(outcome.refusal().is_none(), "{outcome:?}");
        outcome
    }

    /// Both bookings are over for long.
    pub fn archive_all(&mut self) {
        self.day = TODAY.plus(10);
        self.run(Verb::Tick(Tick));
        self.run(Verb::Archive(Archive::after(3)));
    }

    pub fn write(&mut self, at: u32, rooms: u16) {
        let change = Change { allotment: Some(rooms), price: Some(100_000), ..Change::default() };
        let line = Line {
            seq: u64::from(at) + 1 + u64::from(rooms) * 10,
            hotel: None,
            room_type: RoomTypeIx(at),
            rate_plan: Some(RatePlanIx(at)),
            from: TODAY,
            to: TODAY.plus(30),
            days: Weekdays::ALL,
            change,
            on_conflict: OnConflict::Accept,
        };
        let (principal, partner, source) = (OWNER, PARTNER, format!("s{}", self.next));
        self.run(Verb::Allot(Allot { principal, partner, source, lines: vec![line] }));
    }

    pub fn hold(&mut self, at: u32, id: u128, nights: u16, quantity: u16) {
        self.hold_as(self.wish(at, id, nights, quantity));
    }

    pub fn hold_as(&mut self, wish: Hold) {
        self.run(Verb::Hold(wish));
    }

    /// A hold that is not sent yet.
    pub fn wish(&self, at: u32, id: u128, nights: u16, quantity: u16) -> Hold {
        let line = HoldLine {
            room_type: RoomTypeIx(at),
            rate_plan: RatePlanIx(at),
            quantity,
            adults: 2,
            children: Vec::new(),
            quote: None,
        };
        Hold {
            id: HoldId(id),
            hotel: HotelIx(0),
            principal: GUEST,
            stay: Stay { check_in: NIGHT, check_out: NIGHT.plus(nights) },
            lines: vec![line],
            ttl_s: 900,
            expected_total: None,
            client_reference: Some(format!("ref {id}")),
            block: None,
            promo: None,
        }
    }

    pub fn confirm(&mut self, hold: u128) {
        let payment = Payment {
            intent: 0,
            method: "mock".into(),
            provider_reference: String::new(),
            amount: 0,
        };
        self.run(Verb::Confirm(Confirm {
            hold: HoldId(hold),
            booking: BookingId(hold + 100),
            principal: GUEST,
            intent: None,
            guest: Sealed { guest: 7, key: 8, bytes: vec![1] },
            guest_key: Some(WrappedKey { key: 8, bytes: vec![2] }),
            payment,
            expected_total: None,
            revive: false,
        }));
    }

    pub fn change_cell(&self, at: u32, night: Night, change: impl FnOnce(Cell) -> Cell) {
        let slot = self.writer.shared.cells.row(at).unwrap().slot(night).unwrap();
        slot.store(change(Cell(slot.load(Relaxed))).0, Relaxed);
    }

    pub fn cell(&self, at: u32) -> Cell {
        Cell(self.writer.shared.cells.row(at).unwrap().slot(NIGHT).unwrap().load(Relaxed))
    }
}
