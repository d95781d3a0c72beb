//! The bytes of the log: what was written once can be read for ever.
//!
//! `fixtures/verbs.hex` holds one encoded command of each verb. It is only ever added to: a line that
//! changes is a log that can no longer be read.

use std::collections::BTreeSet;

use holdfast_engine::ari::{Available, Change, Line, OnConflict, Rules};
use holdfast_engine::block::{BlockDraft, BlockLine};
use holdfast_engine::booking::{Payment, Sealed, WrappedKey};
use holdfast_engine::catalogue::{
    Adjustment, AgeBand, AgeBands, ChildCharge, Deposit, Derivation, HotelDraft, HotelStatus,
    MealPlan, Occupancies, Occupancy, OccupancyPrice, Penalty, Policy, RatePlanDraft,
    RoomTypeDraft, StayRules, TaxProfile, Text, Tier,
};
use holdfast_engine::command::genesis::Quota;
use holdfast_engine::command::{
    AddBlock, AddHotel, AddPartner, AddRatePlan, AddRoomType, Allot, Archive, BeginPayment, Cancel,
    ChangeBlock, ChangeHotel, ChangeRatePlan, ChangeRoomType, CheckIn, CheckOut, Confirm,
    DeclinePayment, Extend, Genesis, Hold, HoldLine, JoinWaitlist, LeaveWaitlist, Modify, NoShow,
    Release, ReleaseBlock, SetHotelStatus, SetTaxes, Sweep, Tick,
};
use holdfast_engine::command::{AddPromo, ChangePromo, RemovePromo};
use holdfast_engine::command::{RemoveRatePlan, RemoveRoomType};
use holdfast_engine::ids::{
    BlockId, BookingId, HoldId, HotelId, HotelIx, PartnerId, PromoId, RatePlanId, RatePlanIx,
    RoomTypeId, RoomTypeIx, WaitId,
};
use holdfast_engine::money::Currency;
use holdfast_engine::promo::{Asked, Period, PromoCode, PromoDraft};
use holdfast_engine::quote::Discount;
use holdfast_engine::quote::tax::{Rates, Scope, VatOn};
use holdfast_engine::quote::{RoomQuote, Version};
use holdfast_engine::rates::{CutOff, OccupancyPrices};
use holdfast_engine::stay::{Stay, Wanted};
use holdfast_engine::{Batch, Command, Idempotency, Night, Principal, Verb, Weekdays, codec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::world::traffic::{Dice, Step, Traffic};
use crate::world::{ADMIN, World};

const GOLDEN: &str = include_str!("fixtures/verbs.hex");

/// The name a verb has in the fixture. A new verb does not compile until it has one, and a sample.
fn name(verb: &Verb) -> &'static str {
    match verb {
        Verb::Genesis(_) => "genesis",
        Verb::Tick(_) => "tick",
        Verb::Sweep(_) => "sweep",
        Verb::AddPartner(_) => "add_partner",
        Verb::AddHotel(_) => "add_hotel",
        Verb::ChangeHotel(_) => "change_hotel",
        Verb::SetHotelStatus(_) => "set_hotel_status",
        Verb::AddRoomType(_) => "add_room_type",
        Verb::ChangeRoomType(_) => "change_room_type",
        Verb::AddRatePlan(_) => "add_rate_plan",
        Verb::ChangeRatePlan(_) => "change_rate_plan",
        Verb::Allot(_) => "allot",
        Verb::Hold(_) => "hold",
        Verb::Extend(_) => "extend",
        Verb::Release(_) => "release",
        Verb::BeginPayment(_) => "begin_payment",
        Verb::DeclinePayment(_) => "decline_payment",
        Verb::Confirm(_) => "confirm",
        Verb::Cancel(_) => "cancel",
        Verb::CheckIn(_) => "check_in",
        Verb::CheckOut(_) => "check_out",
        Verb::NoShow(_) => "no_show",
        Verb::Modify(_) => "modify",
        Verb::SetTaxes(_) => "set_taxes",
        Verb::AddBlock(_) => "add_block",
        Verb::ChangeBlock(_) => "change_block",
        Verb::ReleaseBlock(_) => "release_block",
        Verb::JoinWaitlist(_) => "join_waitlist",
        Verb::LeaveWaitlist(_) => "leave_waitlist",
        Verb::RemoveRoomType(_) => "remove_room_type",
        Verb::RemoveRatePlan(_) => "remove_rate_plan",
        Verb::Archive(_) => "archive",
        Verb::AddPromo(_) => "add_promo",
        Verb::ChangePromo(_) => "change_promo",
        Verb::RemovePromo(_) => "remove_promo",
    }
}

/// Verbs that [`name`] knows.
const VERBS: usize = 35;

fn hotel() -> HotelDraft {
    HotelDraft {
        name: Text { th: "ก".to_owned(), en: "A".to_owned() },
        description: Text { th: String::new(), en: "B".to_owned() },
        province: 83,
        lat_e6: 7_880_000,
        lon_e6: -98_390_000,
        stars: 5,
        property_type: 2,
        amenities: 0x0102_0304_0506_0708,
        zone: "Asia/Bangkok".to_owned(),
        currency: Currency::THB,
        max_stay: 30,
        check_in_minute: 840,
        check_out_minute: 720,
        tax_profile: TaxProfile::STANDARD,
        age_bands: AgeBands(vec![
            AgeBand { up_to_age: 2, charge: ChildCharge::Free, counts: false },
            AgeBand { up_to_age: 5, charge: ChildCharge::Fixed(9), counts: true },
            AgeBand { up_to_age: 11, charge: ChildCharge::PercentBp(5_000), counts: true },
        ]),
    }
}

fn room_type() -> RoomTypeDraft {
    RoomTypeDraft {
        name: Text { th: "ข".to_owned(), en: "C".to_owned() },
        max_adults: 2,
        max_children: 1,
        max_occupancy: 3,
        beds: "1 king".to_owned(),
        size_m2: 0x0A0B,
        amenities: 9,
    }
}

fn full_rules() -> StayRules {
    StayRules {
        min_stay_arrival: Some(1),
        max_stay_arrival: Some(2),
        min_stay_through: Some(3),
        max_stay_through: Some(4),
        min_advance: Some(5),
        max_advance: Some(6),
        cut_off: Some(CutOff { days: 7, minute: 8 }),
    }
}

/// Each kind of penalty.
fn rate_plan(meal_plan: MealPlan) -> RatePlanDraft {
    let tier = |until_days, penalty| Tier { until_days, until_minute: 1_080, penalty };
    let tiers = vec![
        tier(7, Penalty::PercentBp(0)),
        tier(3, Penalty::Nights(1)),
        tier(1, Penalty::Fixed(0x0102_0304)),
    ];
    let name = Text { th: "ค".to_owned(), en: "D".to_owned() };
    RatePlanDraft {
        name,
        meal_plan,
        tax_inclusive: true,
        rules: full_rules(),
        price_min: Some(1),
        price_max: Some(2),
        policy: Policy { tiers }.into(),
        deposit: Deposit::Fixed(0x0A0B),
        occupancy: Occupancies {
            base: Some(2),
            prices: vec![
                Occupancy { adults: 1, price: OccupancyPrice::Fixed(0x0A0B) },
                Occupancy { adults: 3, price: OccupancyPrice::Changed(Adjustment::PercentBp(-5)) },
            ],
            extra_adult: Some(7),
        },
        derived_from: Some(Derivation { parent: RatePlanIx(4), by: Adjustment::Absolute(-0x0A0B) }),
    }
}

fn lines() -> Vec<Line> {
    let full = Line {
        seq: 0x0102_0304_0506_0708,
        hotel: None,
        room_type: RoomTypeIx(4),
        rate_plan: Some(RatePlanIx(5)),
        from: Night(20_779),
        to: Night(20_780),
        days: Weekdays::ALL,
        change: Change {
            allotment: Some(10),
            allotment_delta: Some(-2),
            available: Some(Available { rooms: 6, as_of: 7 }),
            overbook: Some(3),
            price: Some(150_000),
            min_stay_arrival: Some(1),
            max_stay_arrival: Some(2),
            min_stay_through: Some(3),
            max_stay_through: Some(4),
            closed_to_arrival: Some(true),
            closed_to_departure: Some(false),
            min_advance: Some(Some(5)),
            max_advance: Some(None),
            cut_off: Some(Some(CutOff { days: 6, minute: 7 })),
            occupancy: OccupancyPrices::new([(1, 8), (2, 9)]),
            clear: Rules::MIN_ADVANCE,
            closed: Some(true),
        },
        on_conflict: OnConflict::Clamp,
    };
    let change = Change { closed: Some(false), ..Change::default() };
    let hotel = Some(HotelIx(3));
    vec![full, Line { hotel, rate_plan: None, change, on_conflict: OnConflict::Reject, ..full }]
}

fn hold() -> Hold {
    let quote = RoomQuote {
        prices: vec![100_000, 200_000].into(),
        extras: vec![0, 5_000].into(),
        inclusive: false,
        discount: 4_999,
        discounts: vec![4_998, 1].into(),
        room: 300_001,
        service: 30_000,
        vat: 23_100,
        fee: 1,
        total: 353_102,
    };
    Hold {
        id: HoldId(0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10),
        hotel: HotelIx(3),
        principal: Principal::Guest(17),
        stay: Stay { check_in: Night(20_779), check_out: Night(20_781) },
        lines: vec![
            HoldLine {
                room_type: RoomTypeIx(4),
                rate_plan: RatePlanIx(5),
                quantity: 2,
                adults: 2,
                children: vec![3, 11],
                quote: Some((Version { rates: 6, taxes: 1 }, quote)),
            },
            HoldLine {
                room_type: RoomTypeIx(7),
                rate_plan: RatePlanIx(8),
                quantity: 1,
                adults: 1,
                children: Vec::new(),
                quote: None,
            },
        ],
        ttl_s: 900,
        expected_total: Some(353_101),
        client_reference: Some("my-1".to_owned()),
        block: Some(BlockId(6)),
        promo: Some(Box::new(Asked { code: promo_code(), quoted: Some((PromoId(8), 9)) })),
    }
}

fn promo_code() -> PromoCode {
    PromoCode::new("SONGKRAN-27").unwrap()
}

fn promo(discount: Discount) -> PromoDraft {
    PromoDraft {
        discount,
        currency: Currency::THB,
        booking: Period { first: Some(Night(20_770)), last: None },
        stay: Period { first: None, last: Some(Night(20_790)) },
        min_nights: 2,
        hotels: vec![HotelIx(3), HotelIx(4)],
        uses_max: Some(0x0A0B),
        money_max: Some(0x0102_0304),
    }
}

fn block() -> BlockDraft {
    BlockDraft {
        name: "ฉ".to_owned(),
        stay: Stay { check_in: Night(20_779), check_out: Night(20_781) },
        lines: vec![BlockLine { room_type: RoomTypeIx(4), rooms: 12 }],
        definite: true,
        release_on: Some(Night(20_770)),
    }
}

fn confirm() -> Confirm {
    Confirm {
        hold: HoldId(1),
        booking: BookingId(2),
        principal: Principal::Partner(18),
        intent: Some(3),
        guest: Sealed { guest: 4, key: 5, bytes: vec![1, 2, 3] },
        guest_key: Some(WrappedKey { key: 5, bytes: vec![4, 5] }),
        payment: Payment {
            intent: 3,
            method: "mock".to_owned(),
            provider_reference: "p-1".to_owned(),
            amount: -1,
        },
        expected_total: Some(6),
        revive: true,
    }
}

fn samples() -> Vec<Verb> {
    let principal = ADMIN;
    let version = Some(7);
    vec![
        Verb::Genesis(Genesis {
            horizon_nights: 730,
            quota: Quota { holds: 1, rooms: 2, room_nights: 3, cell_share: true },
        }),
        Verb::Tick(Tick),
        Verb::Sweep(Sweep { holds_max: 4_096 }),
        Verb::AddPartner(AddPartner { id: PartnerId(1), name: "Ü".to_owned() }),
        Verb::AddHotel(AddHotel { id: HotelId(2), partner: PartnerId(1), draft: hotel() }),
        Verb::ChangeHotel(ChangeHotel { hotel: HotelIx(3), principal, version, draft: hotel() }),
        Verb::SetHotelStatus(SetHotelStatus {
            hotel: HotelIx(3),
            principal,
            status: HotelStatus::Suspended,
        }),
        Verb::AddRoomType(AddRoomType {
            id: RoomTypeId(4),
            hotel: HotelIx(3),
            principal,
            draft: room_type(),
        }),
        Verb::ChangeRoomType(ChangeRoomType {
            room_type: RoomTypeIx(4),
            principal,
            version: None,
            draft: room_type(),
        }),
        Verb::AddRatePlan(AddRatePlan {
            id: RatePlanId(5),
            room_type: RoomTypeIx(4),
            principal,
            draft: rate_plan(MealPlan::RoomOnly),
        }),
        Verb::ChangeRatePlan(ChangeRatePlan {
            rate_plan: RatePlanIx(5),
            principal,
            version,
            draft: rate_plan(MealPlan::AllInclusive),
        }),
        Verb::Allot(Allot {
            principal: Principal::Partner(1),
            partner: PartnerId(1),
            source: "pms".to_owned(),
            lines: lines(),
        }),
        Verb::Hold(hold()),
        Verb::Extend(Extend { hold: HoldId(1), principal, ttl_s: 600 }),
        Verb::Release(Release { hold: HoldId(1), principal }),
        Verb::BeginPayment(BeginPayment {
            hold: HoldId(1),
            principal,
            intent: 3,
            key: 9,
            expected_total: None,
            revive: true,
        }),
        Verb::DeclinePayment(DeclinePayment { hold: HoldId(1), principal, intent: 3 }),
        Verb::Confirm(confirm()),
        Verb::Cancel(Cancel { booking: BookingId(2), principal, version }),
        Verb::CheckIn(CheckIn { booking: BookingId(2), principal, version: None }),
        Verb::CheckOut(CheckOut { booking: BookingId(2), principal, version }),
        Verb::NoShow(NoShow { booking: BookingId(2), principal, version: None }),
        Verb::SetTaxes(SetTaxes {
            principal,
            scope: Scope::Province(83),
            from: Night(20_779),
            rates: Rates {
                service_bp: None,
                vat_bp: Some(1_000),
                fee_bp: Some(300),
                vat_on: Some(VatOn::USUAL),
            },
        }),
        Verb::AddBlock(AddBlock { id: BlockId(6), hotel: HotelIx(3), principal, draft: block() }),
        Verb::ChangeBlock(ChangeBlock { block: BlockId(6), principal, version, draft: block() }),
        Verb::ReleaseBlock(ReleaseBlock { block: BlockId(6), principal, version: None }),
        Verb::Modify(Modify {
            booking: BookingId(2),
            principal,
            version,
            wanted: Wanted {
                check_in: Some(Night(20_779)),
                check_out: None,
                lines: Some(hold().lines),
            },
            guest: Some(confirm().guest),
            guest_key: confirm().guest_key,
            expected_total: Some(9),
        }),
        Verb::JoinWaitlist(JoinWaitlist { id: WaitId(7), wish: hold() }),
        Verb::LeaveWaitlist(LeaveWaitlist { id: WaitId(7), principal }),
        Verb::RemoveRoomType(RemoveRoomType { room_type: RoomTypeIx(4), principal }),
        Verb::RemoveRatePlan(RemoveRatePlan { rate_plan: RatePlanIx(5), principal }),
        Verb::Archive(Archive { bookings_max: 256, days: 30 }),
        Verb::AddPromo(AddPromo {
            id: PromoId(8),
            partner: PartnerId(1),
            principal,
            code: promo_code(),
            draft: promo(Discount::PercentBp(1_500)),
        }),
        Verb::ChangePromo(ChangePromo {
            partner: PartnerId(1),
            code: promo_code(),
            principal,
            version,
            draft: promo(Discount::Fixed(0x0A0B)),
        }),
        Verb::RemovePromo(RemovePromo {
            partner: PartnerId(1),
            code: promo_code(),
            principal,
            version: None,
        }),
    ]
}

/// What a sample stands in the log as: one command of an entry, every other one with a key.
fn entry(at: usize, verb: Verb) -> Batch {
    let idempotency = at.is_multiple_of(2).then_some(Idempotency { key: 0xAB, fingerprint: 0xCD });
    Batch { at_ms: 1_795_315_200_000, commands: vec![Command { idempotency, verb }] }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[test]
fn entries_are_encoded_as_they_always_were() {
    let now: Vec<_> = samples()
        .into_iter()
        .enumerate()
        .map(|(at, verb)| format!("{} {}", name(&verb), hex(&codec::encode(&entry(at, verb)))))
        .collect();
    let golden: Vec<_> = GOLDEN.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(now, golden, "the file as this build would write it:\n{}", now.join("\n"));
}

#[test]
fn entries_written_long_ago_are_read_as_what_they_were() {
    let lines: Vec<_> = GOLDEN.lines().filter(|line| !line.starts_with('#')).collect();
    let samples = samples();
    assert_eq!(lines.len(), samples.len());
    for ((at, sample), line) in samples.into_iter().enumerate().zip(lines) {
        let (verb, bytes) = line.split_once(' ').unwrap();
        assert_eq!(verb, name(&sample));
        assert_eq!(codec::decode::<Batch>(&unhex(bytes)).unwrap(), entry(at, sample));
    }
}

#[test]
fn every_verb_has_its_fixture() {
    let names: BTreeSet<_> = samples().iter().map(name).collect();
    assert_eq!(names.len(), VERBS);
}

/// An entry of random traffic in a world that has just been founded.
fn random_entry() -> impl Strategy<Value = Batch> {
    let rolls = vec(any::<u16>(), Dice::ROLLS).prop_map(Dice::new);
    vec(rolls, 1..40).prop_map(|all| {
        let mut traffic = Traffic::default();
        let mut world = World::unborn();
        world.apply(traffic.founding());
        let mut commands = Vec::new();
        for mut dice in all {
            if let Step::Send(command) = traffic.step(&mut dice, &world.reader, world.now) {
                commands.push(*command);
            }
        }
        Batch { at_ms: world.now, commands }
    })
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn entries_round_trip(entry in random_entry()) {
        prop_assert_eq!(codec::decode::<Batch>(&codec::encode(&entry)).unwrap(), entry);
    }

    #[test]
    fn a_damaged_entry_is_an_error_or_another_entry_but_never_a_panic(
        entry in random_entry(), at: prop::sample::Index, bit in 0u8..8, cut: prop::sample::Index,
    ) {
        let mut bytes = codec::encode(&entry);
        let short = &bytes[..cut.index(bytes.len())];
        prop_assert!(codec::decode::<Batch>(short).is_err(), "a torn entry is not read");
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(other) = codec::decode::<Batch>(&bytes) {
            prop_assert_ne!(other, entry);
        }
    }
}
