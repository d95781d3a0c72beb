//! Every bound that can be reached cheaply, at the bound and one past it.
//!
//! Not here: bounds on memory of millions of records (keys, holds, bookings, hotels, sources).

use holdfast_engine::ari::{Change, Line, LineOutcome, LineRefusal};
use holdfast_engine::booking::WrappedKey;
use holdfast_engine::catalogue::{
    HotelDraft, Penalty, Policy, RatePlanDraft, RoomTypeDraft, Text, Tier,
};
use holdfast_engine::command::genesis::Quota;
use holdfast_engine::command::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, Allot, ChangeHotel, Confirm, DeclinePayment,
    Extend, Genesis, Hold, HoldLine, Release,
};
use holdfast_engine::ids::{HoldId, HotelId, PartnerId, RatePlanId, RoomTypeId};
use holdfast_engine::limits::*;
use holdfast_engine::{Code, Command, Idempotency, Outcome, Principal, Verb};

use crate::world::{
    ADMIN, DAY, GUEST, HORIZON, OWNER, PARTNER, Product, World, begin, drafts, hold_line, line,
    night, stay,
};

fn code(outcome: &Outcome) -> Option<Code> {
    outcome.refusal().map(|refusal| refusal.code)
}

fn code_of(world: &mut World, verb: Verb) -> Option<Code> {
    code(&world.run(verb))
}

fn one_line(world: &mut World, product: Product, change: Change) -> LineOutcome {
    world.allot(&[line(product, 5, 5, change)])[0]
}

fn a_text(bytes: usize) -> Text {
    Text { th: String::new(), en: "x".repeat(bytes) }
}

#[test]
fn horizon_is_from_30_to_1_100_nights() {
    for (horizon_nights, expected) in [
        (HORIZON_NIGHTS_MIN - 1, Some(Code::Malformed)),
        (HORIZON_NIGHTS_MIN, None),
        (HORIZON_NIGHTS_MAX, None),
        (HORIZON_NIGHTS_MAX + 1, Some(Code::Malformed)),
    ] {
        let mut world = World::unborn();
        let genesis = Genesis { horizon_nights, quota: Quota::default() };
        assert_eq!(code_of(&mut world, Verb::Genesis(genesis)), expected, "{horizon_nights}");
    }
}

#[test]
fn the_last_night_of_the_horizon_can_be_sold_and_the_next_cannot() {
    let (mut world, product) = World::open(3);
    world.hold(product, stay(HORIZON - 2, 2), 1);
    let beyond = world.wish(product, stay(HORIZON - 2, 3), 1);
    assert_eq!(code_of(&mut world, Verb::Hold(beyond)), Some(Code::StayBeyondHorizon));
    let far = line(product, HORIZON, HORIZON, Change { allotment: Some(1), ..Change::default() });
    assert_eq!(world.allot(&[far]), [LineOutcome::Rejected(LineRefusal::BeyondHorizon)]);
    // A day later it is the last night, and empty although its slot served another night before.
    world.now += DAY;
    world.tick();
    assert_eq!(world.cell(product.room_type, night(HORIZON)).0, 0);
    assert_eq!(world.allot(&[far]), [LineOutcome::Applied]);
}

#[test]
fn a_slot_that_comes_round_again_is_empty() {
    let (mut world, product) = World::open(7);
    let ring = HORIZON + SPARE_NIGHTS;
    for day in 1..=ring + 2 {
        world.now += DAY;
        world.tick();
        let last = world.cell(product.room_type, night(day + HORIZON - 1));
        assert_eq!(last.0, 0, "the new last night on day {day}");
    }
    let (first, end) = world.reader.window().unwrap();
    assert!(world.reader.cells(product.room_type, first, end).iter().all(|cell| cell.1.0 == 0));
    assert!(world.reader.rates(product.rate_plan, first, end).iter().all(|word| word.1.0 == 0));
}

#[test]
fn nights_are_retired_a_bounded_number_of_rows_a_step_and_none_is_served_uncleaned() {
    // More rows than one step zeroes, and one step a day.
    let (mut world, product) = World::open(7);
    let step = usize::try_from(RETIRE_WORDS_MAX / 9).unwrap();
    let mut last = product;
    for _ in 0..step / 2 + 300 {
        last = world.product();
    }
    world.offer(last, 0, HORIZON - 1, 5, 1_000);
    for day in 1..=2 * (HORIZON + SPARE_NIGHTS) {
        world.now += DAY;
        world.tick();
        if day == 2 {
            let before = world.writer.digest();
            world.tick();
            let after = world.writer.digest();
            assert_ne!(before.rates, after.rates, "one step does not reach the last plan");
            assert_ne!(before.clock, after.clock, "how far it has come is in the digest");
        }
        let (first, end) = world.reader.window().unwrap();
        assert_eq!((first, end), (night(day - 1), night(day + HORIZON)), "on day {day}");
        for product in [product, last] {
            assert_eq!(world.cell(product.room_type, night(day + HORIZON - 1)).0, 0, "day {day}");
            let rates = world.reader.rates(product.rate_plan, night(day + HORIZON - 1), end);
            assert!(rates.iter().all(|word| word.1.0 == 0), "day {day}");
        }
    }
    let digest = world.writer.digest();
    assert_eq!((digest.cells, digest.rates), (0, 0), "in the end all are zero");
}

#[test]
fn a_jump_over_more_than_the_horizon_leaves_nothing_behind() {
    let (mut world, product) = World::open(7);
    world.book(product, stay(3, 2), 1);
    world.now += 3 * 365 * DAY;
    let outcome = world.tick();
    assert!(matches!(outcome, Outcome::Ticked { retired_nights: 1_095, .. }), "{outcome:?}");
    let (first, end) = world.reader.window().unwrap();
    assert!(world.reader.cells(product.room_type, first, end).iter().all(|cell| cell.1.0 == 0));
    assert!(world.reader.rates(product.rate_plan, first, end).iter().all(|word| word.1.0 == 0));
}

#[test]
fn a_cell_counts_4_095_rooms_with_its_overbooking() {
    let (mut world, product) = World::open(1);
    let of = |allotment, overbook| Change {
        allotment: Some(allotment),
        overbook: Some(overbook),
        ..Change::default()
    };
    let too_large = LineOutcome::Rejected(LineRefusal::TooLarge);
    let most = u16::try_from(ROOMS_PER_CELL_MAX).unwrap();
    assert_eq!(one_line(&mut world, product, of(most, 0)), LineOutcome::Applied);
    assert_eq!(one_line(&mut world, product, of(most + 1, 0)), too_large);
    assert_eq!(one_line(&mut world, product, of(most, 1)), too_large);
    assert_eq!(one_line(&mut world, product, of(most - 255, 255)), LineOutcome::Applied);
    assert_eq!(u32::from(u8::MAX), OVERBOOK_MAX, "one past it cannot be said");
    let plus_one = Change { allotment_delta: Some(1), ..Change::default() };
    assert_eq!(one_line(&mut world, product, plus_one), too_large);
}

#[test]
fn a_full_cell_can_be_held_and_sold_to_the_last_room() {
    let (mut world, product) = World::open(1);
    let change = Change { allotment: Some(3_840), overbook: Some(255), ..Change::default() };
    assert_eq!(world.allot(&[line(product, 5, 6, change)]), [LineOutcome::Applied]);
    let mut wish = world.wish(product, stay(5, 2), 1);
    wish.principal = OWNER;
    wish.lines = [1_000, 1_000, 1_000, 1_000, 95].map(|rooms| hold_line(product, rooms)).to_vec();
    let mut one_more = Hold { id: HoldId(1), ..wish.clone() };
    one_more.lines[4].quantity = 96;
    assert_eq!(code_of(&mut world, Verb::Hold(one_more)), Some(Code::InventoryInsufficient));
    let hold = wish.id;
    assert_eq!(code_of(&mut world, Verb::Hold(wish)), None);
    assert_eq!(world.cell(product.room_type, night(5)).held(), ROOMS_PER_CELL_MAX);
    let confirm = Confirm { principal: OWNER, ..world.confirmation(hold) };
    assert_eq!(code_of(&mut world, Verb::Confirm(confirm)), None);
    assert_eq!(world.cell(product.room_type, night(6)).sold(), ROOMS_PER_CELL_MAX);
}

#[test]
fn a_price_fits_32_bits_and_a_stay_limit_six() {
    let (mut world, product) = World::open(1);
    let price = |amount| Change { price: Some(amount), ..Change::default() };
    let out = LineOutcome::Rejected(LineRefusal::PriceOutOfRange);
    assert_eq!(one_line(&mut world, product, price(PRICE_MAX)), LineOutcome::Applied);
    assert_eq!(one_line(&mut world, product, price(PRICE_MAX + 1)), out);
    assert_eq!(one_line(&mut world, product, price(0)), LineOutcome::Applied);
    assert_eq!(one_line(&mut world, product, price(-1)), out);
    let out = LineOutcome::Rejected(LineRefusal::StayLimitOutOfRange);
    let (most, past) = (Some(STAY_LIMIT_MAX), Some(STAY_LIMIT_MAX + 1));
    for (most, past) in [
        (
            Change { min_stay_arrival: most, ..Change::default() },
            Change { min_stay_arrival: past, ..Change::default() },
        ),
        (
            Change { max_stay_arrival: most, ..Change::default() },
            Change { max_stay_arrival: past, ..Change::default() },
        ),
        (
            Change { min_stay_through: most, ..Change::default() },
            Change { min_stay_through: past, ..Change::default() },
        ),
        (
            Change { max_stay_through: most, ..Change::default() },
            Change { max_stay_through: past, ..Change::default() },
        ),
    ] {
        assert_eq!(one_line(&mut world, product, most), LineOutcome::Applied);
        assert_eq!(one_line(&mut world, product, past), out);
    }
}

#[test]
fn a_stay_is_at_most_what_the_hotel_says_and_that_at_most_365_nights() {
    let (mut world, product) = World::open(1);
    let change = |max_stay| {
        let draft = HotelDraft { max_stay, ..drafts::hotel() };
        Verb::ChangeHotel(ChangeHotel {
            hotel: product.hotel,
            principal: ADMIN,
            version: None,
            draft,
        })
    };
    assert_eq!(code_of(&mut world, change(MAX_STAY_MAX)), None);
    assert_eq!(code_of(&mut world, change(MAX_STAY_MAX + 1)), Some(Code::Malformed));
    assert_eq!(code_of(&mut world, change(0)), Some(Code::Malformed));
    assert_eq!(code_of(&mut world, change(7)), None);
    let too_long = world.wish(product, stay(2, 8), 1);
    assert_eq!(code_of(&mut world, Verb::Hold(too_long)), Some(Code::StayTooLong));
    world.hold(product, stay(2, 7), 1);
}

#[test]
fn a_hold_keeps_the_bounds_of_its_parts() {
    let (mut world, product) = World::open(100);
    let base = Hold { principal: OWNER, ..world.wish(product, stay(3, 1), 1) };
    let lines = |count| vec![hold_line(product, 1); count];
    let quantity = |rooms| vec![hold_line(product, rooms)];
    let children = |count| vec![HoldLine { children: vec![5; count], ..hold_line(product, 1) }];
    let reference = |bytes| Some("x".repeat(bytes));
    let malformed = Some(Code::Malformed);
    for (wish, expected) in [
        (Hold { lines: lines(0), ..base.clone() }, malformed),
        (Hold { lines: lines(HOLD_LINES_MAX), ..base.clone() }, None),
        (Hold { lines: lines(HOLD_LINES_MAX + 1), ..base.clone() }, malformed),
        (Hold { lines: quantity(0), ..base.clone() }, malformed),
        (
            Hold { lines: quantity(LINE_QUANTITY_MAX), ..base.clone() },
            Some(Code::InventoryInsufficient),
        ),
        (Hold { lines: quantity(LINE_QUANTITY_MAX + 1), ..base.clone() }, malformed),
        (Hold { lines: children(CHILDREN_MAX), ..base.clone() }, Some(Code::OccupancyTooMany)),
        (Hold { lines: children(CHILDREN_MAX + 1), ..base.clone() }, malformed),
        (Hold { ttl_s: HOLD_TTL_S_MIN - 1, ..base.clone() }, malformed),
        (Hold { ttl_s: HOLD_TTL_S_MIN, ..base.clone() }, None),
        (Hold { ttl_s: HOLD_TTL_S_MAX, ..base.clone() }, None),
        (Hold { ttl_s: HOLD_TTL_S_MAX + 1, ..base.clone() }, malformed),
        (Hold { client_reference: reference(REFERENCE_BYTES_MAX), ..base.clone() }, None),
        (Hold { client_reference: reference(REFERENCE_BYTES_MAX + 1), ..base.clone() }, malformed),
    ] {
        let id = HoldId(world.mint());
        assert_eq!(
            code_of(&mut world, Verb::Hold(Hold { id, ..wish.clone() })),
            expected,
            "{wish:?}"
        );
    }
}

#[test]
fn a_hold_is_extended_twice_and_never_past_45_minutes() {
    let (mut world, product) = World::open(9);
    let hold = world.hold(product, stay(3, 1), 1);
    let made = world.now;
    let extend = |ttl_s| Verb::Extend(Extend { hold, principal: GUEST, ttl_s });
    assert_eq!(code_of(&mut world, extend(HOLD_TTL_S_MAX + 1)), Some(Code::Malformed));
    assert_eq!(code_of(&mut world, extend(HOLD_TTL_S_MIN - 1)), Some(Code::Malformed));
    world.now = made + 899_999;
    assert_eq!(code_of(&mut world, extend(900)), None);
    world.now = made + 1_799_998;
    assert_eq!(code_of(&mut world, extend(900)), None);
    assert_eq!(world.reader.hold(hold).unwrap().extensions, HOLD_EXTENSIONS_MAX);
    world.now = made + 1_800_000;
    assert_eq!(code_of(&mut world, extend(900)), Some(Code::HoldExtensionLimit), "two at most");

    // A payment that made the expiry stand still leaves the second extension less than it asks for.
    let hold = world.hold(product, stay(3, 1), 1);
    let made = world.now;
    let extend = || Verb::Extend(Extend { hold, principal: GUEST, ttl_s: 900 });
    world.run(begin(hold, 1, 1));
    world.now += PAYMENT_MS_MAX - 1;
    world.run(Verb::DeclinePayment(DeclinePayment { hold, principal: GUEST, intent: 1 }));
    for _ in 0..2 {
        world.now = world.reader.hold(hold).unwrap().expires_ms - 1;
        assert_eq!(code_of(&mut world, extend()), None);
    }
    let ends = world.reader.hold(hold).unwrap().expires_ms;
    assert_eq!(ends, made + u64::from(HOLD_LIFE_S_MAX) * 1_000);
}

#[test]
fn quotas_are_met_and_not_passed() {
    for (quota, rooms, nights, holds) in [
        (Quota { holds: 3, rooms: 100, room_nights: 1_000, cell_share: false }, 1, 1, 3),
        (Quota { holds: 100, rooms: 6, room_nights: 1_000, cell_share: false }, 2, 1, 3),
        (Quota { holds: 100, rooms: 100, room_nights: 18, cell_share: false }, 2, 3, 3),
        (Quota { holds: 0, rooms: 100, room_nights: 18, cell_share: false }, 1, 1, 0),
        (
            Quota { holds: u32::MAX, rooms: u32::MAX, room_nights: u32::MAX, cell_share: false },
            9,
            9,
            4,
        ),
    ] {
        let mut world = World::unborn();
        world.run(Verb::Genesis(Genesis { horizon_nights: HORIZON, quota }));
        world.run(Verb::AddPartner(AddPartner { id: PARTNER, name: String::new() }));
        let product = world.product();
        world.offer(product, 0, HORIZON - 1, 40, 1_000);
        for _ in 0..holds {
            world.hold(product, stay(3, nights), rooms);
        }
        let over = world.wish(product, stay(3, nights), if holds == 4 { 5 } else { rooms });
        let expected = if holds == 4 { Code::InventoryInsufficient } else { Code::QuotaExceeded };
        assert_eq!(code_of(&mut world, Verb::Hold(over.clone())), Some(expected), "{quota:?}");
        if holds < 4 {
            let by_owner = Hold { principal: OWNER, ..over.clone() };
            assert_eq!(code_of(&mut world, Verb::Hold(by_owner)), None, "partners are exempt");
            let id = HoldId(world.mint());
            let other = Hold { principal: Principal::Guest(2), id, ..over };
            let expected = (holds == 0).then_some(Code::QuotaExceeded);
            assert_eq!(code_of(&mut world, Verb::Hold(other)), expected, "each guest for itself");
        }
    }
    assert_eq!((QUOTA_HOLDS, QUOTA_ROOMS, QUOTA_ROOM_NIGHTS), (10, 20, 300));
}

#[test]
fn a_sweep_ends_4_096_holds_and_leaves_the_rest_to_the_next() {
    let (mut world, product) = World::open(1);
    let many = Change { allotment: Some(4_095), overbook: Some(0), ..Change::default() };
    assert_eq!(world.allot(&[line(product, 3, 4, many)]), [LineOutcome::Applied]);
    let count = SWEEP_MAX + 1;
    let wishes = (0..count).map(|at| {
        let mut wish = world.wish(product, stay(if at == 0 { 4 } else { 3 }, 1), 1);
        wish.principal = OWNER;
        wish.lines[0].quantity = 1;
        Command::plain(Verb::Hold(wish))
    });
    let wishes: Vec<_> = wishes.collect();
    // One more than a cell holds: the first is for the next night.
    let held = world.apply(wishes).iter().filter(|outcome| code(outcome).is_none()).count();
    let extra = world.wish(product, stay(4, 1), 1);
    world.run(Verb::Hold(extra));
    assert_eq!(held + 1, count as usize);
    world.now += 900_000;
    assert!(matches!(world.sweep(), Outcome::Swept { expired: SWEEP_MAX }));
    assert!(matches!(world.sweep(), Outcome::Swept { expired: 1 }));
    assert!(matches!(world.sweep(), Outcome::Swept { expired: 0 }));
}

#[test]
fn an_answer_is_kept_for_24_hours() {
    let (mut world, product) = World::open(5);
    let wish = Verb::Hold(world.wish(product, stay(3, 1), 1));
    assert!(matches!(world.run_keyed(1, 1, wish.clone()), Outcome::Held { .. }));
    world.now += KEY_MS_KEPT - 1;
    world.tick();
    assert!(matches!(world.run_keyed(1, 1, wish.clone()), Outcome::Replayed(_)));
    assert_eq!(code(&world.run_keyed(1, 2, wish.clone())), Some(Code::KeyReused));
    world.now += 1;
    world.tick();
    // The key is free; the hold itself ended just now, when the tick's day was over.
    assert!(!matches!(world.run_keyed(1, 2, wish), Outcome::Replayed(_)));
}

#[test]
fn a_tick_forgets_16_384_answers_and_the_next_the_rest() {
    let mut world = World::new();
    let count = FORGET_MAX + 1;
    let commands = (0..u128::from(count)).map(|key| Command {
        idempotency: Some(Idempotency { key, fingerprint: 0 }),
        verb: Verb::AddPartner(AddPartner { id: PartnerId(PARTNER.0), name: String::new() }),
    });
    let commands = commands.collect();
    world.apply(commands);
    world.now += KEY_MS_KEPT;
    assert!(matches!(world.tick(), Outcome::Ticked { forgotten: FORGET_MAX, .. }));
    assert!(matches!(world.tick(), Outcome::Ticked { forgotten: 1, .. }));
}

#[test]
fn an_ended_hold_can_be_read_for_24_hours() {
    let (mut world, product) = World::open(5);
    let hold = world.hold(product, stay(3, 1), 1);
    world.run(Verb::Release(Release { hold, principal: GUEST }));
    world.now += ENDED_HOLD_MS_KEPT - 1;
    world.tick();
    assert!(world.reader.hold(hold).is_some());
    world.now += 1;
    world.tick();
    assert!(world.reader.hold(hold).is_none());
}

#[test]
fn a_reference_is_taken_until_400_days_after_check_out() {
    let (mut world, product) = World::open(5);
    let named = |world: &mut World, days: u16| {
        let today = u16::try_from(world.now / DAY).unwrap() - night(0).0;
        let mut wish = world.wish(product, stay(today + days, 1), 1);
        wish.client_reference = Some("mine".to_owned());
        wish
    };
    let wish = named(&mut world, 3);
    let hold = wish.id;
    assert_eq!(code_of(&mut world, Verb::Hold(wish)), None);
    let confirm = world.confirmation(hold);
    assert_eq!(code_of(&mut world, Verb::Confirm(confirm)), None);
    // Check-out is four days from now.
    let again = |world: &mut World| {
        world.tick();
        let change = Change { allotment: Some(5), price: Some(1), ..Change::default() };
        let today = u16::try_from(world.now / DAY).unwrap() - night(0).0;
        world.allot(&[line(product, today + 2, today + 4, change)]);
        let wish = named(world, 2);
        code_of(world, Verb::Hold(wish))
    };
    world.now += u64::from(4 + REFERENCE_DAYS_KEPT) * DAY;
    assert_eq!(again(&mut world), Some(Code::ReferenceDuplicate));
    world.now += DAY;
    assert_eq!(again(&mut world), None);
}

/// Fills a part of a confirmation with so many bytes.
type Fill = fn(&mut Confirm, usize);

#[test]
fn a_booking_keeps_the_bounds_of_what_it_carries() {
    let (mut world, product) = World::open(9);
    let changes: [(Fill, usize); 4] = [
        (|confirm, count| confirm.guest.bytes = vec![0; count], SEALED_BYTES_MAX),
        (
            |confirm, count| {
                confirm.guest_key = Some(WrappedKey { key: 8, bytes: vec![0; count] });
            },
            WRAPPED_KEY_BYTES_MAX,
        ),
        (|confirm, count| confirm.payment.method = "x".repeat(count), PAYMENT_METHOD_BYTES_MAX),
        (
            |confirm, count| confirm.payment.provider_reference = "x".repeat(count),
            PROVIDER_REFERENCE_BYTES_MAX,
        ),
    ];
    for (at, (change, most)) in changes.into_iter().enumerate() {
        let hold = world.hold(product, stay(3, 1), 1);
        let mut confirm = world.confirmation(hold);
        change(&mut confirm, most + 1);
        let refused = code_of(&mut world, Verb::Confirm(confirm.clone()));
        assert_eq!(refused, Some(Code::Malformed), "{at}");
        change(&mut confirm, most);
        assert_eq!(code_of(&mut world, Verb::Confirm(confirm)), None, "{at}");
    }
}

#[test]
fn a_catalogue_text_has_its_bytes() {
    let mut world = World::new();
    for (bytes, expected) in [(TEXT_BYTES_MAX, None), (TEXT_BYTES_MAX + 1, Some(Code::Malformed))] {
        let id = PartnerId(world.mint());
        let add = AddPartner { id, name: "x".repeat(bytes) };
        assert_eq!(code_of(&mut world, Verb::AddPartner(add)), expected);
        for draft in [
            HotelDraft { name: a_text(bytes), ..drafts::hotel() },
            HotelDraft { description: a_text(bytes), ..drafts::hotel() },
        ] {
            let id = HotelId(world.mint());
            let add = AddHotel { id, partner: PARTNER, draft };
            assert_eq!(code_of(&mut world, Verb::AddHotel(add)), expected);
        }
        let hotel = world.draft_hotel();
        for draft in [
            RoomTypeDraft { name: a_text(bytes), ..drafts::room_type() },
            RoomTypeDraft { beds: "x".repeat(bytes), ..drafts::room_type() },
        ] {
            let id = RoomTypeId(world.mint());
            let add = AddRoomType { id, hotel, principal: OWNER, draft };
            assert_eq!(code_of(&mut world, Verb::AddRoomType(add)), expected);
        }
        let room_type = world.room_type(hotel);
        let draft = RatePlanDraft { name: a_text(bytes), ..drafts::rate_plan() };
        let id = RatePlanId(world.mint());
        let add = AddRatePlan { id, room_type, principal: OWNER, draft };
        assert_eq!(code_of(&mut world, Verb::AddRatePlan(add)), expected);
    }
}

#[test]
fn a_policy_has_8_tiers() {
    let (mut world, product) = World::open(1);
    let tiers = |count: u16| {
        let tier =
            |until_days| Tier { until_days, until_minute: 0, penalty: Penalty::PercentBp(0) };
        (0..count).rev().map(tier).collect()
    };
    let most = u16::try_from(POLICY_TIERS_MAX).unwrap();
    for (count, expected) in [(most, None), (most + 1, Some(Code::Malformed))] {
        let draft =
            RatePlanDraft { policy: Policy { tiers: tiers(count) }.into(), ..drafts::rate_plan() };
        let id = RatePlanId(world.mint());
        let room_type = product.room_type;
        let add = AddRatePlan { id, room_type, principal: OWNER, draft };
        assert_eq!(code_of(&mut world, Verb::AddRatePlan(add)), expected);
    }
}

#[test]
fn a_hotel_has_256_room_types_and_a_room_type_64_plans() {
    let mut world = World::new();
    let hotel = world.draft_hotel();
    for _ in 0..ROOM_TYPES_PER_HOTEL_MAX {
        world.room_type(hotel);
    }
    let id = RoomTypeId(world.mint());
    let add = AddRoomType { id, hotel, principal: OWNER, draft: drafts::room_type() };
    assert_eq!(code_of(&mut world, Verb::AddRoomType(add)), Some(Code::CapacityReached));
    let room_type = world.reader.hotel(hotel).unwrap().room_types[255];
    for _ in 0..RATE_PLANS_PER_ROOM_TYPE_MAX {
        world.rate_plan(room_type);
    }
    let id = RatePlanId(world.mint());
    let add = AddRatePlan { id, room_type, principal: OWNER, draft: drafts::rate_plan() };
    assert_eq!(code_of(&mut world, Verb::AddRatePlan(add)), Some(Code::CapacityReached));
}

#[test]
fn an_ari_command_has_4_096_lines_a_million_nights_and_a_source_of_64_bytes() {
    let (mut world, product) = World::open(1);
    let change = Change { allotment: Some(2), ..Change::default() };
    let one = line(product, 3, 3, change);
    let command = |source: usize, lines: Vec<Line>| {
        let source = "s".repeat(source);
        Verb::Allot(Allot { principal: OWNER, partner: PARTNER, source, lines })
    };
    let malformed = Some(Code::Malformed);
    assert_eq!(code_of(&mut world, command(SOURCE_BYTES_MAX, vec![one])), None);
    assert_eq!(code_of(&mut world, command(SOURCE_BYTES_MAX + 1, vec![one])), malformed);
    assert_eq!(code_of(&mut world, command(1, vec![one; ARI_LINES_MAX])), None);
    assert_eq!(code_of(&mut world, command(1, vec![one; ARI_LINES_MAX + 1])), malformed);
    // As many nights as there may be, whether or not the horizon has them.
    let span = u16::try_from(ARI_NIGHTS_MAX / ARI_LINES_MAX).unwrap();
    let wide = Line { to: one.from.plus(span - 1), ..one };
    assert_eq!(code_of(&mut world, command(2, vec![wide; ARI_LINES_MAX])), None);
    let mut lines = vec![wide; ARI_LINES_MAX];
    lines[0].to = lines[0].to.plus(1);
    assert_eq!(code_of(&mut world, command(2, lines)), malformed);
}
