//! What finding the hotels of an area costs by itself: our lists by grid square beside an R-tree of the
//! same hotels (`rstar`, loaded in bulk), which has nothing but their ids.
//!
//! Ours is a whole search whose filters no hotel meets: each hotel in reach is looked at, no calendar is.

use std::hint::black_box;

use holdfast_engine::Reader;
use holdfast_engine::catalogue::Hotel;
use holdfast_engine::ids::HotelIx;
use holdfast_engine::search::{Area, Filters, Query, Sort};
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

use super::{CITY, Dice, Latencies, Scale, World, query, row, short, stay, timed};

/// A type of property that no hotel is.
const NOBODY: u8 = u8::MAX;
/// Micro-degrees each way of the areas that are asked for: about 2.2 km and 11 km.
const REACHES: [i32; 2] = [20_000, 100_000];

type Point = GeomWithData<[i32; 2], u32>;

pub fn measure(reader: &Reader, world: World, scale: Scale) {
    let hotels = (0..world.hotels).filter_map(|at| reader.hotel(HotelIx(at)));
    let tree: RTree<Point> = RTree::bulk_load(hotels.map(|hotel| point(&hotel)).collect());
    let mut dice = Dice::new(6);
    for reach in REACHES {
        let (mut own, mut theirs, mut found, mut asked) =
            (Latencies::new(), Latencies::new(), 0, 0);
        for _ in 0..scale.of(2_000) {
            let (lat, lon) = (13_750_000, 100_550_000);
            let (south, north) = (lat - reach, lat + reach);
            let (west, east) = (lon - reach, lon + reach);
            let area = Area::Box { west, south, east, north };
            let filters = Filters { property_type: Some(NOBODY), ..Filters::default() };
            let nobody =
                Query { area, filters, ..query(CITY, stay(world, &mut dice), Sort::Price) };
            let (time, page) = timed(|| reader.search(&nobody));
            assert!(page.items.is_empty(), "no hotel is one");
            own.record(time);
            let envelope = AABB::from_corners([west, south], [east, north]);
            let (time, count) = timed(|| {
                let within = tree.locate_in_envelope(envelope);
                within.inspect(|point| _ = black_box(point.data)).count()
            });
            theirs.record(time);
            (found, asked) = (found + count, asked + 1);
        }
        let hotels = found / asked.max(1);
        row(
            &format!("finding alone, a box of {hotels} hotels"),
            &short(own.at(0.5)),
            &own.summary(),
        );
        row("  an R-tree of ids", &short(theirs.at(0.5)), &theirs.summary());
    }
}

fn point(hotel: &Hotel) -> Point {
    GeomWithData::new([hotel.draft.lon_e6, hotel.draft.lat_e6], hotel.ix.0)
}
