//! Search: the answer of a walk over every hotel that asks its offers one by one.

use holdfast_engine::ari::Change;
use holdfast_engine::catalogue::{HotelDraft, HotelStatus, RatePlanDraft};
use holdfast_engine::command::{AddHotel, AddRatePlan, ChangeHotel};
use holdfast_engine::explain::Ask;
use holdfast_engine::ids::{HotelId, HotelIx, RatePlanId};
use holdfast_engine::search::places::distance_m;
use holdfast_engine::search::{Area, Filters, Query, Sort};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Outcome, Verb};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::world::{HORIZON, OWNER, PARTNER, Product, World, drafts, line, stay};

const CENTRE: (i32, i32) = (13_750_000, 100_500_000);

#[derive(Debug, Clone)]
struct Plot {
    province: u8,
    east_e6: i32,
    stars: u8,
    live: bool,
    price: i64,
    rooms: u16,
    closed: u16,
    inclusive: bool,
    moved: Option<(u8, i32)>,
}

fn plot() -> impl Strategy<Value = Plot> {
    let place = || (10u8..12, 0i32..900_000);
    let product = (50_000i64..90_000, 0u16..4, 0u16..14, any::<bool>());
    (place(), 0u8..6, 0u8..9, product, proptest::option::of(place())).prop_map(
        |((province, east_e6), stars, live, (price, rooms, closed, inclusive), moved)| Plot {
            province,
            east_e6,
            stars,
            live: live > 0,
            price,
            rooms,
            closed,
            inclusive,
            moved,
        },
    )
}

fn draft(plot: &Plot, (province, east_e6): (u8, i32)) -> HotelDraft {
    let lon_e6 = CENTRE.1 + east_e6;
    HotelDraft { province, lat_e6: CENTRE.0, lon_e6, stars: plot.stars, ..drafts::hotel() }
}

/// A hotel with two room types, the first on two plans, one night of its own closed.
fn build(world: &mut World, plot: &Plot) {
    let id = HotelId(world.mint());
    let before = draft(plot, (plot.province, plot.east_e6));
    let add = Verb::AddHotel(AddHotel { id, partner: PARTNER, draft: before });
    let Outcome::Hotel(hotel) = world.run(add) else { panic!("no hotel") };
    let hotel = hotel.ix;
    world.set_status(hotel, HotelStatus::Pending);
    let first = world.product_in(hotel);
    let second = {
        let id = RatePlanId(world.mint());
        let draft = RatePlanDraft { tax_inclusive: plot.inclusive, ..drafts::rate_plan() };
        let (room_type, principal) = (first.room_type, OWNER);
        let add = AddRatePlan { id, room_type, principal, draft };
        let Outcome::RatePlan(plan) = world.run(Verb::AddRatePlan(add)) else { panic!("no plan") };
        Product { rate_plan: plan.ix, ..first }
    };
    let third = world.product_in(hotel);
    world.offer(first, 0, HORIZON - 1, plot.rooms, plot.price);
    world.offer(second, 0, HORIZON - 1, plot.rooms, plot.price + 9_000);
    world.offer(third, 0, HORIZON - 1, 1, plot.price + 20_000);
    let shut = Change { closed_to_departure: Some(true), ..Change::default() };
    world.allot(&[
        line(third, plot.closed, plot.closed, shut),
        line(first, plot.closed, plot.closed, shut),
    ]);
    if plot.live {
        world.set_status(hotel, HotelStatus::Live);
    }
    if let Some(place) = plot.moved {
        let (version, draft) = (None, draft(plot, place));
        world.run(Verb::ChangeHotel(ChangeHotel { hotel, principal: OWNER, version, draft }));
    }
}

/// Key and id of every hotel that is in the answer, in order, by asking each hotel.
fn naive(world: &World, query: &Query, hotels: usize) -> Vec<(i64, HotelId)> {
    let mut found = Vec::new();
    for hotel in (0u32..).map(HotelIx).take(hotels) {
        let hotel = world.reader.hotel(hotel).unwrap();
        let draft = &hotel.draft;
        let distance = distance_m(CENTRE, (draft.lat_e6, draft.lon_e6));
        let within = match query.area {
            Area::Province(code) => draft.province == code,
            Area::Box { west, east, .. } => (west..=east).contains(&draft.lon_e6),
            Area::Circle { radius_m, .. } => distance <= radius_m,
        };
        let ask = Ask {
            hotel: hotel.ix,
            stay: query.stay,
            rooms: query.rooms,
            adults: query.adults,
            children: &[],
            room_type: None,
            rate_plan: None,
            promo: None,
        };
        let explained = world.reader.explain(&ask, world.now).unwrap();
        let same = explained.nearest.iter().find(|one| one.distance == 0);
        let Some(best) = same.filter(|_| within) else { continue };
        let stars = i64::from(draft.stars);
        let key = match query.sort {
            Sort::Recommended => best.total * 10 / (10 + 3 * stars),
            Sort::Price => best.total,
            Sort::PriceDesc => -best.total,
            Sort::Stars => -stars,
            Sort::Distance => i64::from(distance),
        };
        let stars_fit = query.filters.stars == 0 || query.filters.stars & (1 << draft.stars) != 0;
        if stars_fit && query.filters.max_price.is_none_or(|most| best.total <= most) {
            found.push((key, hotel.id));
        }
    }
    found.sort_unstable();
    found
}

fn query(area: Area, stay: Stay, rooms: u16, sort: Sort) -> Query {
    let filters = Filters::default();
    Query {
        area,
        stay,
        rooms,
        adults: 2,
        children: Vec::new(),
        filters,
        sort,
        after: None,
        limit: 200,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_asking_every_hotel_finds_page_by_page(
        plots in vec(plot(), 1..12), from in 0u16..12, nights in 1u16..5, rooms in 1u16..3,
        stars in prop_oneof![Just(0u8), any::<u8>()], most in proptest::option::of(100_000i64..500_000),
        limit in 1usize..5, radius_m in 1_000u32..90_000,
    ) {
        let mut world = World::new();
        for plot in &plots {
            build(&mut world, plot);
        }
        let circle = Area::Circle { lat_e6: CENTRE.0, lon_e6: CENTRE.1, radius_m };
        let (west, east) = (CENTRE.1 + 100_000, CENTRE.1 + 500_000);
        let around = Area::Box { west, south: CENTRE.0 - 10, east, north: CENTRE.0 + 10 };
        let world_wide = Area::Box { west, south: -90_000_000, east: 179_000_000, north: 90_000_000 };
        for (area, sort) in [
            (Area::Province(10), Sort::Price),
            (Area::Province(11), Sort::Recommended),
            (around, Sort::PriceDesc),
            (world_wide, Sort::Stars),
            (circle, Sort::Distance),
        ] {
            let mut query = query(area, stay(from, nights), rooms, sort);
            query.filters.stars = stars & 0b11_1111;
            query.filters.max_price = most;
            let expected = naive(&world, &query, plots.len());
            let whole = world.reader.search(&query);
            let keys: Vec<_> = whole.items.iter().map(|item| (item.key, item.id)).collect();
            prop_assert_eq!(&keys, &expected, "{:?}", area);
            prop_assert_eq!((whole.total, whole.more), (expected.len(), false));
            query.limit = limit;
            let mut pages = Vec::new();
            loop {
                let page = world.reader.search(&query);
                pages.extend(page.items.iter().map(|item| (item.key, item.id)));
                query.after = pages.last().copied();
                if !page.more {
                    break;
                }
            }
            prop_assert_eq!(pages, expected, "in pages");
        }
    }
}
