//! A small hotel for tests: commands that make it, and tickets for its rooms.
//!
//! It owns nothing that runs in the product.

use std::sync::Arc;

use holdfast_engine::ari::{Change, Line, OnConflict};
use holdfast_engine::catalogue::{AgeBands, HotelDraft, RoomTypeDraft, TaxProfile, Text};
use holdfast_engine::civil::DAY_MS;
use holdfast_engine::command::{
    AddHotel, AddPartner, AddRoomType, Allot, Genesis, Principal, Verb,
};
use holdfast_engine::ids::{HotelId, HotelIx, PartnerId, RoomTypeId, RoomTypeIx};
use holdfast_engine::money::Currency;
use holdfast_engine::stay::Stay;
use holdfast_engine::{Admission, Command, Demand, Night, Reader, State, Ticket, Weekdays, Writer};

use crate::clock::DrivenTime;

pub(crate) const START_MS: u64 = 1_795_000_000_000;
const PARTNER: PartnerId = PartnerId(1);
const HOTEL: HotelIx = HotelIx(0);
const ROOM_TYPE: RoomTypeIx = RoomTypeIx(0);

pub(crate) fn time() -> Arc<DrivenTime> {
    Arc::new(DrivenTime::new(START_MS))
}

/// The night that ten days from the start begins with.
pub(crate) fn night() -> Night {
    Night(u16::try_from(START_MS / DAY_MS).expect("a day of this age") + 10)
}

/// A command that always succeeds and leaves a trace: partner `number` is known afterwards.
pub(crate) fn add_partner(number: u128) -> Command {
    let verb = Verb::AddPartner(AddPartner { id: PartnerId(number), name: format!("P{number}") });
    Command::plain(verb)
}

pub(crate) fn knows_partner(reader: &Reader, number: u128) -> bool {
    reader.partner(PartnerId(number)).is_some()
}

pub(crate) fn text(en: &str) -> Text {
    Text { th: String::new(), en: en.into() }
}

pub(crate) fn hotel_draft() -> HotelDraft {
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

pub(crate) fn room_type_draft() -> RoomTypeDraft {
    RoomTypeDraft {
        name: text("Double"),
        max_adults: 2,
        max_children: 1,
        max_occupancy: 3,
        beds: "1 king".into(),
        size_m2: 28,
        amenities: 0,
    }
}

/// One hotel with ten rooms of one type on every night of a month.
pub(crate) fn small_hotel() -> Vec<Command> {
    let principal = Principal::Partner(PARTNER.0);
    let line = Line {
        seq: 1,
        room_type: ROOM_TYPE,
        hotel: None,
        rate_plan: None,
        from: night(),
        to: Night(night().0 + 30),
        days: Weekdays::ALL,
        change: Change { allotment: Some(10), ..Change::default() },
        on_conflict: OnConflict::Accept,
    };
    let allot = Allot { principal, partner: PARTNER, source: "test".into(), lines: vec![line] };
    let verbs = [
        Verb::Genesis(Genesis { horizon_nights: 365, quota: <_>::default() }),
        Verb::AddPartner(AddPartner { id: PARTNER, name: "P".into() }),
        Verb::AddHotel(AddHotel { id: HotelId(1), partner: PARTNER, draft: hotel_draft() }),
        Verb::AddRoomType(AddRoomType {
            id: RoomTypeId(1),
            hotel: HOTEL,
            principal,
            draft: room_type_draft(),
        }),
        Verb::Allot(allot),
    ];
    verbs.map(Command::plain).into()
}

/// A state that has the small hotel.
pub(crate) fn state_with_hotel() -> (Writer, Reader) {
    let (mut writer, reader) = State::new();
    let batch = holdfast_engine::Batch { at_ms: START_MS, commands: small_hotel() };
    let mut outcomes = Vec::new();
    writer.apply(1, &batch, &mut outcomes, &mut Vec::new());
    assert!(outcomes.iter().all(|outcome| outcome.refusal().is_none()), "{outcomes:?}");
    (writer, reader)
}

/// Sets `rooms` rooms of the small hotel aside for one night.
pub(crate) fn ticket(reader: &Reader, rooms: u32) -> Ticket {
    let stay = Stay { check_in: night(), check_out: Night(night().0 + 1) };
    match reader.admit(HOTEL, Demand::of(stay, [(ROOM_TYPE, rooms)]), START_MS) {
        Admission::Admitted(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// Rooms of that night that are set aside.
pub(crate) fn escrowed(reader: &Reader) -> u16 {
    reader.escrowed(ROOM_TYPE, night()).expect("a night of the small hotel")
}
