//! A hotel whose rooms are booked, through a node, on a clock that a test drives.
//!
//! It owns the commands that make it. Bookings have the ids 1, 2, … and last a night each, so that every run
//! makes the same ones.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use holdfast_engine::ari::{Change, Line, OnConflict};
use holdfast_engine::booking::{Booking, Payment, Sealed};
use holdfast_engine::catalogue::{
    AgeBands, Deposit, HotelDraft, HotelStatus, MealPlan, Occupancies, Policy, RatePlanDraft,
    RoomTypeDraft, StayRules, TaxProfile, Text,
};
use holdfast_engine::civil::DAY_MS;
use holdfast_engine::command::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, Allot, Cancel, Confirm, Genesis, Hold,
    HoldLine, SetHotelStatus, Verb,
};
use holdfast_engine::ids::{
    BookingId, HoldId, HotelId, HotelIx, PartnerId, RatePlanId, RatePlanIx, RoomTypeId, RoomTypeIx,
};
use holdfast_engine::money::Currency;
use holdfast_engine::stay::Stay;
use holdfast_engine::{Command, Night, Outcome, Principal, Weekdays, archive};
use holdfast_replication::{DrivenTime, Node, Options};

pub const START_MS: u64 = 1_795_000_000_000;
/// Fewest days, so that little time need pass.
pub const DAYS: u16 = 3;
const PARTNER: PartnerId = PartnerId(1);
const ADMIN: Principal = Principal::Admin(1);
/// Calls of the clock after which what was to be archived must have been.
const TICKS_MAX: usize = 5_000;

fn tonight() -> Night {
    Night(u16::try_from(START_MS / DAY_MS).unwrap())
}

/// A node whose clock is driven, as it was left if it was.
pub fn options(dir: &Path, days_on: u64) -> (Options, Arc<DrivenTime>) {
    let time = Arc::new(DrivenTime::new(START_MS + days_on * DAY_MS));
    let options =
        Options { time: time.clone(), threads: Some(1), archive_days: DAYS, ..Options::alone(dir) };
    (options, time)
}

async fn run(node: &Node, verb: Verb) -> Outcome {
    let applied = node.submit(Command::plain(verb), None).await.expect("applied");
    assert!(applied.outcome.refusal().is_none(), "{:?}", applied.outcome);
    applied.outcome
}

fn text(en: &str) -> Text {
    Text { th: String::new(), en: en.into() }
}

fn hotel() -> HotelDraft {
    HotelDraft {
        name: text("Small"),
        description: text(""),
        province: 10,
        lat_e6: 13_750_000,
        lon_e6: 100_500_000,
        stars: 3,
        property_type: 0,
        amenities: 0,
        zone: "Asia/Bangkok".into(),
        currency: Currency::THB,
        max_stay: 30,
        check_in_minute: 14 * 60,
        check_out_minute: 12 * 60,
        tax_profile: TaxProfile::STANDARD,
        age_bands: AgeBands::default(),
    }
}

fn rate_plan() -> RatePlanDraft {
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

/// A hotel with many rooms on every night of a month.
pub async fn open_hotel(node: &Node) {
    run(node, Verb::Genesis(Genesis { horizon_nights: 365, quota: <_>::default() })).await;
    run(node, Verb::AddPartner(AddPartner { id: PARTNER, name: "P".into() })).await;
    run(node, Verb::AddHotel(AddHotel { id: HotelId(1), partner: PARTNER, draft: hotel() })).await;
    for status in [HotelStatus::Pending, HotelStatus::Live] {
        let (hotel, principal) = (HotelIx(0), ADMIN);
        run(node, Verb::SetHotelStatus(SetHotelStatus { hotel, principal, status })).await;
    }
    let draft = RoomTypeDraft {
        name: text("Double"),
        max_adults: 2,
        max_children: 1,
        max_occupancy: 3,
        beds: "1 king".into(),
        size_m2: 28,
        amenities: 0,
    };
    let (id, hotel, principal) = (RoomTypeId(1), HotelIx(0), ADMIN);
    run(node, Verb::AddRoomType(AddRoomType { id, hotel, principal, draft })).await;
    let (id, room_type, draft) = (RatePlanId(1), RoomTypeIx(0), rate_plan());
    run(node, Verb::AddRatePlan(AddRatePlan { id, room_type, principal, draft })).await;
    let line = Line {
        seq: 1,
        room_type,
        hotel: None,
        rate_plan: Some(RatePlanIx(0)),
        from: tonight(),
        to: tonight().plus(60),
        days: Weekdays::ALL,
        change: Change { allotment: Some(900), price: Some(100_000), ..Change::default() },
        on_conflict: OnConflict::Accept,
    };
    let (partner, source) = (PARTNER, "test".to_owned());
    run(node, Verb::Allot(Allot { principal, partner, source, lines: vec![line] })).await;
}

/// Books one night, `days_ahead` of the start; every third booking is cancelled.
pub async fn book(node: &Node, number: u128, days_ahead: u16) {
    let check_in = tonight().plus(days_ahead);
    let line = HoldLine {
        room_type: RoomTypeIx(0),
        rate_plan: RatePlanIx(0),
        quantity: 1,
        adults: 2,
        children: Vec::new(),
        quote: None,
    };
    let hold = Hold {
        id: HoldId(number),
        hotel: HotelIx(0),
        principal: ADMIN,
        stay: Stay { check_in, check_out: check_in.plus(1) },
        lines: vec![line],
        ttl_s: 900,
        expected_total: None,
        client_reference: Some(format!("mine {number}")),
        block: None,
        promo: None,
    };
    run(node, Verb::Hold(hold)).await;
    let payment =
        Payment { intent: 0, method: "mock".into(), provider_reference: String::new(), amount: 0 };
    let confirm = Confirm {
        hold: HoldId(number),
        booking: BookingId(number),
        principal: ADMIN,
        intent: None,
        guest: Sealed { guest: 7, key: 8, bytes: vec![1, 2, 3] },
        guest_key: None,
        payment,
        expected_total: None,
        revive: false,
    };
    run(node, Verb::Confirm(confirm)).await;
    if number.is_multiple_of(3) {
        let booking = BookingId(number);
        run(node, Verb::Cancel(Cancel { booking, principal: ADMIN, version: None })).await;
    }
}

/// The booking, wherever it is, and whether it has left memory.
pub async fn find(node: &Node, number: u128) -> Option<(Arc<Booking>, bool)> {
    let id = BookingId(number);
    if let Some(booking) = node.reader().booking(id) {
        return Some((booking, false));
    }
    let archived = node.archived(id).await.expect("readable");
    archived.map(|booking| (booking, true))
}

/// The bytes by which it is kept, wherever it is.
pub async fn bytes(node: &Node, number: u128) -> Option<Vec<u8>> {
    find(node, number).await.map(|(booking, _)| archive::record(&booking))
}

/// Time passes; returns once all that is over by then has left memory.
pub async fn pass(node: &Node, time: &DrivenTime, days: u64) {
    time.advance(Duration::from_millis(days * DAY_MS));
    for _ in 0..TICKS_MAX {
        time.advance(Duration::from_secs(1));
        // An entry of our own: the tick that is due by now rides with it or came before.
        let verb = Verb::AddPartner(AddPartner { id: PARTNER, name: "P".into() });
        node.submit(Command::plain(verb), None).await.expect("applied");
        let (first, _) = node.reader().window().expect("configured");
        let today = Night(u16::try_from(node.now_ms() / DAY_MS).unwrap());
        if first.plus(1) == today && !node.reader().archive_is_due(DAYS) {
            return;
        }
    }
    panic!("nothing more is archived, though something is due");
}
