//! Genesis, partners, hotels, room types, plans, ticks.

use std::collections::BTreeSet;

use holdfast_engine::catalogue::{
    HotelDraft, HotelStatus, Penalty, Policy, RatePlanDraft, RoomTypeDraft, Tier,
};
use holdfast_engine::command::genesis::Quota;
use holdfast_engine::command::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, ChangeHotel, ChangeRatePlan, ChangeRoomType,
    Genesis, SetHotelStatus, Sweep, Tick,
};
use holdfast_engine::ids::{
    HotelId, HotelIx, PartnerId, RatePlanId, RatePlanIx, RoomTypeId, RoomTypeIx,
};
use holdfast_engine::limits::{RATE_PLANS_PER_ROOM_TYPE_MAX, ROOM_TYPES_PER_HOTEL_MAX};
use holdfast_engine::money::Currency;
use holdfast_engine::{Code, Principal, Verb};

use super::{Is::*, play};
use crate::world::{ADMIN, DAY, GUEST, HOUR, OWNER, PARTNER, RIVAL, World, drafts, genesis};

const RIVALS: Principal = Principal::Partner(RIVAL.0);

pub fn tables() -> BTreeSet<&'static str> {
    let all = [birth(), partners_and_hotels(), statuses(), room_types(), rate_plans(), fullness()];
    all.into_iter().flatten().collect()
}

fn birth() -> BTreeSet<&'static str> {
    let other = Genesis { horizon_nights: 61, ..genesis() };
    let short = Genesis { horizon_nights: 29, quota: Quota::default() };
    let partner = || Verb::AddPartner(AddPartner { id: PARTNER, name: "P".to_owned() });
    play(
        &mut World::unborn(),
        vec![
            (0, Verb::Tick(Tick), No(Code::NotConfigured)),
            (0, Verb::Sweep(Sweep::default()), No(Code::NotConfigured)),
            (0, partner(), No(Code::NotConfigured)),
            (0, Verb::Genesis(short), No(Code::Malformed)),
            (0, partner(), No(Code::NotConfigured)),
            (0, Verb::Genesis(genesis()), Done),
            (0, Verb::Genesis(genesis()), Done),
            (0, Verb::Genesis(other), No(Code::StateConflict)),
            (0, Verb::Genesis(short), No(Code::Malformed)),
            (0, Verb::Sweep(Sweep::default()), Swept(0)),
            (0, Verb::Tick(Tick), Ticked(0)),
            // Three in the morning, in UTC: the day ends in twenty-one hours.
            (21 * HOUR - 1, Verb::Tick(Tick), Ticked(0)),
            (1, Verb::Tick(Tick), Ticked(1)),
            (0, Verb::Tick(Tick), Ticked(0)),
            (400 * DAY, Verb::Tick(Tick), Ticked(400)),
        ],
    )
}

fn partners_and_hotels() -> BTreeSet<&'static str> {
    let add = |id, partner, draft| Verb::AddHotel(AddHotel { id: HotelId(id), partner, draft });
    let change = |hotel, principal, version, draft| {
        Verb::ChangeHotel(ChangeHotel { hotel: HotelIx(hotel), principal, version, draft })
    };
    let wrong = || {
        [
            HotelDraft { province: 9, ..drafts::hotel() },
            HotelDraft { province: 97, ..drafts::hotel() },
            HotelDraft { lat_e6: 90_000_001, ..drafts::hotel() },
            HotelDraft { lon_e6: -180_000_001, ..drafts::hotel() },
            HotelDraft { stars: 6, ..drafts::hotel() },
            HotelDraft { currency: Currency(*b"th\xff"), ..drafts::hotel() },
            HotelDraft { max_stay: 0, ..drafts::hotel() },
            HotelDraft { check_in_minute: 1_440, ..drafts::hotel() },
            HotelDraft { check_out_minute: 1_440, ..drafts::hotel() },
            HotelDraft { zone: "Asia/Atlantis".to_owned(), ..drafts::hotel() },
        ]
    };
    let malformed = No(Code::Malformed);
    let mut rows = vec![
        (0, Verb::AddPartner(AddPartner { id: PARTNER, name: "Again".to_owned() }), Done),
        (0, Verb::AddPartner(AddPartner { id: PARTNER, name: "x".repeat(16_385) }), malformed),
        (0, add(1, PARTNER, drafts::hotel()), Hotel),
        (0, add(1, PARTNER, drafts::hotel()), No(Code::StateConflict)),
        (0, add(2, PartnerId(99), drafts::hotel()), No(Code::NotFound)),
        // In order: malformed, unknown partner, the id is taken.
        (0, add(1, PartnerId(99), drafts::hotel()), No(Code::NotFound)),
        (0, add(1, PartnerId(99), HotelDraft { stars: 6, ..drafts::hotel() }), malformed),
        (0, change(0, OWNER, None, drafts::hotel()), Hotel),
        (0, change(0, OWNER, Some(2), drafts::hotel()), Hotel),
        (0, change(0, OWNER, Some(2), drafts::hotel()), No(Code::VersionMismatch)),
        (0, change(0, ADMIN, Some(3), drafts::hotel()), Hotel),
        (0, change(0, RIVALS, Some(1), drafts::hotel()), No(Code::NotFound)),
        (0, change(0, GUEST, Some(1), drafts::hotel()), No(Code::NotFound)),
        (0, change(9, ADMIN, Some(1), drafts::hotel()), No(Code::NotFound)),
        (0, change(9, ADMIN, None, HotelDraft { stars: 6, ..drafts::hotel() }), malformed),
    ];
    rows.extend(wrong().map(|draft| (0, add(3, PARTNER, draft), malformed)));
    rows.extend(wrong().map(|draft| (0, change(0, OWNER, None, draft), malformed)));
    play(&mut World::new(), rows)
}

fn statuses() -> BTreeSet<&'static str> {
    use HotelStatus::{Draft, Live, Pending, Suspended};
    let set = |principal, status| {
        Verb::SetHotelStatus(SetHotelStatus { hotel: HotelIx(0), principal, status })
    };
    let unknown = SetHotelStatus { hotel: HotelIx(7), principal: ADMIN, status: Live };
    let no = No(Code::StateConflict);
    let mut world = World::new();
    world.draft_hotel();
    play(
        &mut world,
        vec![
            (0, Verb::SetHotelStatus(unknown), No(Code::NotFound)),
            (0, set(RIVALS, Pending), No(Code::NotFound)),
            (0, set(GUEST, Pending), No(Code::NotFound)),
            (0, set(OWNER, Draft), Hotel),
            (0, set(ADMIN, Live), no),
            (0, set(ADMIN, Suspended), no),
            (0, set(OWNER, Pending), Hotel),
            (0, set(OWNER, Draft), no),
            (0, set(OWNER, Live), no),
            (0, set(ADMIN, Suspended), Hotel),
            (0, set(OWNER, Live), no),
            (0, set(ADMIN, Pending), no),
            (0, set(ADMIN, Live), Hotel),
            (0, set(ADMIN, Pending), no),
            (0, set(OWNER, Suspended), no),
            (0, set(OWNER, Live), Hotel),
            (0, set(ADMIN, Suspended), Hotel),
        ],
    )
}

fn room_types() -> BTreeSet<&'static str> {
    let add = |id, hotel, principal, draft| {
        let (id, hotel) = (RoomTypeId(id), HotelIx(hotel));
        Verb::AddRoomType(AddRoomType { id, hotel, principal, draft })
    };
    let change = |room_type, principal, version, draft| {
        let room_type = RoomTypeIx(room_type);
        Verb::ChangeRoomType(ChangeRoomType { room_type, principal, version, draft })
    };
    let good = drafts::room_type;
    let wrong = || {
        [
            RoomTypeDraft { max_adults: 0, ..good() },
            RoomTypeDraft { max_adults: 4, ..good() },
            RoomTypeDraft { max_occupancy: 0, ..good() },
            RoomTypeDraft { max_children: 3, ..good() },
        ]
    };
    let mut world = World::new();
    world.draft_hotel();
    let mut rows = vec![
        (0, add(1, 0, OWNER, good()), RoomType),
        (0, add(1, 0, OWNER, good()), No(Code::StateConflict)),
        (0, add(1, 0, RIVALS, good()), No(Code::NotFound)),
        (0, add(2, 8, ADMIN, good()), No(Code::NotFound)),
        (0, change(0, OWNER, Some(1), good()), RoomType),
        (0, change(0, OWNER, Some(1), good()), No(Code::VersionMismatch)),
        (0, change(0, RIVALS, Some(1), good()), No(Code::NotFound)),
        (0, change(5, ADMIN, None, good()), No(Code::NotFound)),
    ];
    rows.extend(wrong().map(|draft| (0, add(1, 8, GUEST, draft), No(Code::Malformed))));
    rows.extend(wrong().map(|draft| (0, change(9, GUEST, None, draft), No(Code::Malformed))));
    play(&mut world, rows)
}

fn rate_plans() -> BTreeSet<&'static str> {
    let add = |id, room_type, principal, draft| {
        let (id, room_type) = (RatePlanId(id), RoomTypeIx(room_type));
        Verb::AddRatePlan(AddRatePlan { id, room_type, principal, draft })
    };
    let change = |rate_plan, principal, version, draft| {
        let rate_plan = RatePlanIx(rate_plan);
        Verb::ChangeRatePlan(ChangeRatePlan { rate_plan, principal, version, draft })
    };
    let good = drafts::rate_plan;
    let wrong = || {
        let tier = Tier { until_days: 1, until_minute: 0, penalty: Penalty::PercentBp(10_001) };
        RatePlanDraft { policy: Policy { tiers: vec![tier] }.into(), ..good() }
    };
    let mut world = World::new();
    let hotel = world.draft_hotel();
    world.room_type(hotel);
    play(
        &mut world,
        vec![
            (0, add(1, 0, OWNER, good()), RatePlan),
            (0, add(1, 0, OWNER, good()), No(Code::StateConflict)),
            (0, add(1, 0, RIVALS, good()), No(Code::NotFound)),
            (0, add(1, 4, ADMIN, good()), No(Code::NotFound)),
            (0, add(1, 4, ADMIN, wrong()), No(Code::Malformed)),
            (0, change(0, OWNER, Some(1), good()), RatePlan),
            (0, change(0, OWNER, Some(1), good()), No(Code::VersionMismatch)),
            (0, change(0, RIVALS, Some(1), good()), No(Code::NotFound)),
            (0, change(6, ADMIN, None, good()), No(Code::NotFound)),
            (0, change(6, ADMIN, None, wrong()), No(Code::Malformed)),
        ],
    )
}

fn fullness() -> BTreeSet<&'static str> {
    let mut world = World::new();
    let hotel = world.draft_hotel();
    for _ in 0..ROOM_TYPES_PER_HOTEL_MAX {
        world.room_type(hotel);
    }
    for _ in 0..RATE_PLANS_PER_ROOM_TYPE_MAX {
        world.rate_plan(RoomTypeIx(3));
    }
    let room_type =
        AddRoomType { id: RoomTypeId(1), hotel, principal: OWNER, draft: drafts::room_type() };
    let rate_plan = AddRatePlan {
        id: RatePlanId(1),
        room_type: RoomTypeIx(3),
        principal: OWNER,
        draft: drafts::rate_plan(),
    };
    play(
        &mut world,
        vec![
            (0, Verb::AddRoomType(room_type), No(Code::CapacityReached)),
            (0, Verb::AddRatePlan(rate_plan), No(Code::CapacityReached)),
        ],
    )
}

#[test]
fn genesis_and_ticks() {
    birth();
}

#[test]
fn partners_and_hotels_come_and_change() {
    partners_and_hotels();
}

#[test]
fn a_hotel_goes_from_draft_to_live_and_back() {
    statuses();
}

#[test]
fn room_types_come_and_change() {
    room_types();
}

#[test]
fn rate_plans_come_and_change() {
    rate_plans();
}
