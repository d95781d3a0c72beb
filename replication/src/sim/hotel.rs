//! The one hotel of a simulation: few rooms on few nights, so that everybody wants the same.
//!
//! It owns the commands that make it and those that clients send.

use holdfast_engine::ari::{Change, Line, OnConflict};
use holdfast_engine::booking::{Payment, Sealed};
use holdfast_engine::catalogue::{
    Deposit, HotelStatus, MealPlan, Occupancies, Policy, RatePlanDraft, StayRules,
};
use holdfast_engine::civil::DAY_MS;
use holdfast_engine::command::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, Allot, Cancel, Confirm, Genesis, Hold,
    HoldLine, Release, SetHotelStatus, Verb,
};
use holdfast_engine::ids::{
    BookingId, HoldId, HotelId, HotelIx, PartnerId, RatePlanId, RatePlanIx, RoomTypeId, RoomTypeIx,
};
use holdfast_engine::inventory::Cell;
use holdfast_engine::stay::Stay;
use holdfast_engine::{Command, Idempotency, Night, Principal, Reader, Weekdays};

use crate::fixture::{START_MS, hotel_draft, room_type_draft, text};

const PARTNER: PartnerId = PartnerId(1);
const ADMIN: Principal = Principal::Admin(1);
pub(crate) const HOTEL: HotelIx = HotelIx(0);
const ROOM_TYPE: RoomTypeIx = RoomTypeIx(0);
/// Nights that are on sale.
pub(crate) const NIGHTS: u16 = 3;
/// Longest life of a hold here, in seconds.
pub(crate) const TTL_S_MAX: u32 = 6;

/// Keys of bookings are those of their holds and this.
const BOOKING: u128 = 1 << 64;

fn first_night() -> Night {
    Night(u16::try_from(START_MS / DAY_MS).expect("a day of this age") + 10)
}

/// The nights that are on sale, as they are counted now.
pub(crate) fn cells(reader: &Reader) -> Vec<Cell> {
    let nights = reader.cells(ROOM_TYPE, first_night(), first_night().plus(NIGHTS - 1));
    nights.into_iter().map(|(_, cell)| cell).collect()
}

/// Which of [`cells`] a stay needs.
pub(crate) fn cells_of(stay: Stay) -> std::ops::Range<usize> {
    let first = usize::from(stay.check_in.0 - first_night().0);
    first..first + usize::from(stay.check_out.0 - stay.check_in.0)
}

fn keyed(key: u128, verb: Verb) -> Command {
    Command { idempotency: Some(Idempotency { key, fingerprint: key }), verb }
}

/// A hold of some rooms from the `nth` night on. Its id is its key.
pub(crate) fn hold(key: u128, (nth, nights): (u16, u16), quantity: u16, ttl_s: u32) -> Command {
    let check_in = first_night().plus(nth);
    let line = HoldLine {
        room_type: ROOM_TYPE,
        rate_plan: RatePlanIx(0),
        quantity,
        adults: 2,
        children: Vec::new(),
        quote: None,
    };
    let stay = Stay { check_in, check_out: check_in.plus(nights) };
    let hold = Hold {
        id: HoldId(key),
        hotel: HOTEL,
        principal: ADMIN,
        stay,
        lines: vec![line],
        ttl_s,
        expected_total: None,
        client_reference: None,
        block: None,
        promo: None,
    };
    keyed(key, Verb::Hold(hold))
}

pub(crate) fn booking_of(hold: u128) -> BookingId {
    BookingId(hold | BOOKING)
}

pub(crate) fn confirm(key: u128, hold: u128) -> Command {
    let payment =
        Payment { intent: 0, method: "mock".into(), provider_reference: String::new(), amount: 0 };
    let confirm = Confirm {
        hold: HoldId(hold),
        booking: booking_of(hold),
        principal: ADMIN,
        intent: None,
        guest: Sealed { guest: 7, key: 8, bytes: vec![1, 2, 3] },
        guest_key: None,
        payment,
        expected_total: None,
        revive: false,
    };
    keyed(key, Verb::Confirm(confirm))
}

pub(crate) fn release(key: u128, hold: u128) -> Command {
    keyed(key, Verb::Release(Release { hold: HoldId(hold), principal: ADMIN }))
}

pub(crate) fn cancel(key: u128, hold: u128) -> Command {
    let booking = booking_of(hold);
    keyed(key, Verb::Cancel(Cancel { booking, principal: ADMIN, version: None }))
}

fn rate_plan_draft() -> RatePlanDraft {
    RatePlanDraft {
        name: text("Flexible"),
        meal_plan: MealPlan::Breakfast,
        tax_inclusive: false,
        policy: Policy { tiers: Vec::new() }.into(),
        deposit: Deposit::Whole,
        rules: StayRules::default(),
        price_min: None,
        price_max: None,
        occupancy: Occupancies::default(),
        derived_from: None,
    }
}

/// The hotel with so many rooms a night, in one go; keyed, so that making it twice makes it once.
pub(crate) fn founding(rooms: u16) -> Vec<Command> {
    let line = Line {
        seq: 1,
        room_type: ROOM_TYPE,
        hotel: None,
        rate_plan: Some(RatePlanIx(0)),
        from: first_night(),
        to: first_night().plus(NIGHTS - 1),
        days: Weekdays::ALL,
        change: Change { allotment: Some(rooms), price: Some(100_000), ..Change::default() },
        on_conflict: OnConflict::Accept,
    };
    let status =
        |status| Verb::SetHotelStatus(SetHotelStatus { hotel: HOTEL, principal: ADMIN, status });
    let (id, hotel, principal) = (RoomTypeId(1), HOTEL, ADMIN);
    let verbs = [
        Verb::Genesis(Genesis { horizon_nights: 30, quota: <_>::default() }),
        Verb::AddPartner(AddPartner { id: PARTNER, name: "P".into() }),
        Verb::AddHotel(AddHotel { id: HotelId(1), partner: PARTNER, draft: hotel_draft() }),
        status(HotelStatus::Pending),
        status(HotelStatus::Live),
        Verb::AddRoomType(AddRoomType { id, hotel, principal, draft: room_type_draft() }),
        Verb::AddRatePlan(AddRatePlan {
            id: RatePlanId(1),
            room_type: ROOM_TYPE,
            principal,
            draft: rate_plan_draft(),
        }),
        Verb::Allot(Allot {
            principal,
            partner: PARTNER,
            source: "simulation".into(),
            lines: vec![line],
        }),
    ];
    (1u128..).zip(verbs).map(|(number, verb)| keyed(number << 100, verb)).collect()
}
