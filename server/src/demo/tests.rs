//! Laws of the demo data: the same seed, the same market; names, prices and lines a partner could send.

use std::collections::{HashMap, HashSet};

use jiff::civil::date;
use unicode_normalization::is_nfc;
use unicode_segmentation::UnicodeSegmentation;

use super::body::RoomTypeBody;
use super::*;
use crate::gazetteer::Gazetteer;

/// Of the first hundred-hotel demo; another value means that existing demos cannot be continued:
/// raise the version that is kept beside the data.
const DIGEST: &str = "4289c489deffdfbf8aa5c03479d9cbb167981e3fb9f8d491a7c8a40f18a687e3";

fn settings(seed: u64, hotels: usize) -> Settings {
    Settings { seed, hotels, today: date(2026, 11, 22), nights: NIGHTS_DEFAULT }
}

fn ids(hotel: &Hotel<'_>) -> Vec<RoomIds> {
    let rooms = hotel.rooms.iter().enumerate();
    rooms
        .map(|(n, room)| RoomIds {
            room_type: format!("rt_{n}"),
            rate_plans: (0..room.plans.len()).map(|plan| format!("rp_{n}_{plan}")).collect(),
        })
        .collect()
}

fn bytes(demo: &Demo, at: usize) -> Vec<u8> {
    let hotel = demo.hotel(at).unwrap();
    let mut bytes = serde_json::to_vec(&hotel.body).unwrap();
    for room in &hotel.rooms {
        bytes.extend(serde_json::to_vec(&room.body).unwrap());
        for plan in &room.plans {
            bytes.extend(serde_json::to_vec(&plan.body).unwrap());
        }
    }
    for line in hotel.ari(&ids(&hotel), 1) {
        bytes.extend(serde_json::to_vec(&line).unwrap());
    }
    bytes
}

fn digest(settings: Settings) -> String {
    let demo = Demo::new(settings);
    let mut hasher = blake3::Hasher::new();
    for at in 0..demo.len() {
        hasher.update(&bytes(&demo, at));
    }
    hasher.finalize().to_hex().to_string()
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_ever() {
    let first = digest(settings(1, 100));
    assert_eq!(first, digest(settings(1, 100)));
    assert_eq!(first, DIGEST);
    assert_ne!(first, digest(settings(2, 100)));
}

#[test]
fn a_hotel_is_the_same_in_whatever_order_it_is_asked_for() {
    let (one, other) = (Demo::new(settings(7, 50)), Demo::new(settings(7, 50)));
    let forward: Vec<_> = (0..50).map(|at| bytes(&one, at)).collect();
    let backward: Vec<_> = (0..50).rev().map(|at| bytes(&other, at)).collect();
    assert!(forward.iter().eq(backward.iter().rev()));
    assert!(one.hotel(50).is_none());
}

#[test]
fn every_province_has_hotels_and_the_famous_ones_many() {
    let demo = Demo::new(settings(1, 2_000));
    let mut by_province: HashMap<String, usize> = HashMap::new();
    for at in 0..demo.len() {
        *by_province.entry(demo.hotel(at).unwrap().body.province).or_default() += 1;
    }
    assert_eq!(by_province.len(), 77);
    assert_eq!(by_province.values().sum::<usize>(), 2_000);
    for (code, least) in
        [("10", 250), ("83", 180), ("20", 120), ("84", 120), ("81", 80), ("50", 90)]
    {
        assert!(by_province[code] >= least, "{code}: {}", by_province[code]);
    }
    let small = Demo::new(settings(1, 77));
    let provinces: HashSet<_> = (0..77).map(|at| small.hotel(at).unwrap().body.province).collect();
    assert_eq!(provinces.len(), 77);
}

#[test]
fn the_number_of_hotels_is_bounded() {
    assert_eq!(Demo::new(settings(1, 0)).len(), HOTELS_MIN);
    assert_eq!(Demo::new(settings(1, HOTELS_MAX + 1)).len(), HOTELS_MAX);
}

fn is_thai(text: &str) -> bool {
    text.chars().any(|c| ('\u{e01}'..='\u{e5b}').contains(&c))
}

#[test]
fn names_are_distinct_well_formed_and_in_two_languages() {
    let demo = Demo::new(settings(3, 5_000));
    let mut seen = HashSet::new();
    for at in 0..demo.len() {
        let hotel = demo.hotel(at).unwrap();
        let HotelBody { name, description, province, .. } = &hotel.body;
        assert!(seen.insert((province.clone(), name.en.clone())), "{}", name.en);
        assert!(seen.insert((province.clone(), name.th.clone())), "{}", name.th);
        assert!(is_thai(&name.th), "{}", name.th);
        assert!(!is_thai(&name.en), "{}", name.en);
        let rooms = hotel.rooms.iter().map(|room| &room.body.name);
        let plans = hotel.rooms.iter().flat_map(|room| &room.plans).map(|plan| &plan.body.name);
        for text in [name, description].into_iter().chain(rooms).chain(plans) {
            for said in [&text.th, &text.en] {
                assert!(is_nfc(said) && said.trim() == said, "{said}");
                assert!(!said.contains("  ") && !said.contains(['{', '}']), "{said}");
                assert!(!said.chars().any(char::is_control), "{said}");
            }
            assert!(is_thai(&text.th) && !is_thai(&text.en), "{text:?}");
        }
        for said in [&name.th, &name.en] {
            assert!((1..=200).contains(&said.graphemes(true).count()), "{said}");
        }
    }
}

#[test]
fn houses_have_rooms_and_rooms_have_plans() {
    let demo = Demo::new(settings(4, 1_000));
    let (mut rooms, mut hotels) = (0, 0);
    for at in 0..demo.len() {
        let hotel = demo.hotel(at).unwrap();
        assert!((2..=8).contains(&hotel.rooms.len()), "{:?}", hotel.body.name);
        assert!(hotel.body.stars <= 5);
        let names: HashSet<_> = hotel.rooms.iter().map(|room| &room.body.name.en).collect();
        assert_eq!(names.len(), hotel.rooms.len());
        for room in &hotel.rooms {
            assert!((2..=40).contains(&room.allotment));
            assert!((1..=3).contains(&room.plans.len()));
            let RoomTypeBody { max_adults, max_children, max_occupancy, beds, size_m2, .. } =
                &room.body;
            assert!(*max_adults >= 1 && max_adults <= max_occupancy);
            assert!(max_children < max_occupancy);
            assert!(!beds.is_empty() && *size_m2 >= 10);
        }
        rooms += hotel.rooms.len();
        hotels += 1;
    }
    assert!((4 * hotels..=6 * hotels).contains(&rooms), "{rooms} in {hotels}");
}

#[test]
fn hotels_stand_near_their_place_and_apart() {
    let demo = Demo::new(settings(5, 3_000));
    let mut points = HashSet::new();
    for (at, site) in demo.sites.iter().enumerate() {
        let place = demo.spots[site.spot].place;
        let far = crate::gazetteer::distance_km((site.lat, site.lon), (place.lat, place.lon));
        assert!(far < 9.0, "{far} km: {place:?}");
        points.insert((site.lat.to_bits(), site.lon.to_bits()));
        let body = demo.hotel(at).unwrap().body;
        assert!(Gazetteer::get().province(body.province.parse().unwrap()).is_some());
    }
    assert!(points.len() > 2_990, "{} of 3000 points are distinct", points.len());
}

#[test]
fn every_line_is_valid_and_every_night_of_every_plan_has_a_price() {
    let demo = Demo::new(settings(6, 300));
    let (first, last) = (date(2026, 11, 22), date(2027, 11, 21));
    let (mut lines, mut plans, mut closures, mut stays) = (0, 0, 0, 0);
    for at in 0..demo.len() {
        let hotel = demo.hotel(at).unwrap();
        let ids = ids(&hotel);
        let mut priced: HashMap<(String, Date), u32> = HashMap::new();
        for (seq, line) in (501..).zip(hotel.ari(&ids, 501)) {
            assert_eq!(line.seq, seq);
            let (from, to): (Date, Date) = (line.from.parse().unwrap(), line.to.parse().unwrap());
            assert!(first <= from && from <= to && to <= last, "{line:?}");
            assert!(line.days.as_ref().is_none_or(|days| !days.is_empty() && days.len() < 7));
            assert!(line.min_stay_arrival.is_none_or(|nights| (2..=3).contains(&nights)));
            closures += u32::from(line.closed.is_some());
            stays += u32::from(line.min_stay_arrival.is_some());
            lines += 1;
            let Some(plan) = line.rate_plan else {
                assert!(line.price.is_none());
                assert!(line.allotment.is_some() || line.closed == Some(true));
                continue;
            };
            assert!((PRICE_MIN..=PRICE_MAX).contains(&line.price.unwrap()), "{line:?}");
            for day in from.series(jiff::ToSpan::day(1)).take_while(|day| *day <= to) {
                let word = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
                    [usize::try_from(day.weekday().to_monday_zero_offset()).unwrap()];
                if line.days.as_ref().is_none_or(|days| days.contains(&word)) {
                    *priced.entry((plan.to_owned(), day)).or_default() += 1;
                }
            }
        }
        let count: usize = ids.iter().map(|room| room.rate_plans.len()).sum();
        assert_eq!(priced.len(), count * 365);
        assert!(priced.values().all(|times| (1..=2).contains(times)));
        plans += count;
    }
    assert!(closures > 0 && stays > 0);
    let per_plan = lines / plans;
    assert!((20..=45).contains(&per_plan), "{per_plan} lines a plan");
}

#[test]
fn high_season_is_dearer_than_rain_and_stars_cost() {
    let demo = Demo::new(settings(8, 2_000));
    let mut by_stars: HashMap<u8, Vec<i64>> = HashMap::new();
    for at in 0..demo.len() {
        let hotel = demo.hotel(at).unwrap();
        let ids = ids(&hotel);
        let prices: Vec<_> = hotel
            .ari(&ids, 1)
            .filter(|line| line.rate_plan == Some("rp_0_0"))
            .filter_map(|line| Some((line.from, line.to, line.price?)))
            .collect();
        let on = |night: &str| {
            let covers =
                |(from, to, _): &&(String, String, _)| (from.as_str()..=to).contains(&night);
            prices.iter().rfind(covers).unwrap().2
        };
        if hotel.climate == Climate::Andaman {
            assert!(on("2026-12-31") > on("2027-09-14"), "{:?}", hotel.body.name);
        }
        if hotel.body.property_type == "hotel" {
            by_stars.entry(hotel.body.stars).or_default().push(on("2027-06-15"));
        }
    }
    let mean = |stars: u8| by_stars[&stars].iter().sum::<i64>() / by_stars[&stars].len() as i64;
    assert!(mean(5) > mean(4) && mean(4) > mean(3) && mean(3) > mean(2));
}

#[test]
fn words_are_those_the_doors_know() {
    let labelled: Vec<&str> = all_amenities().iter().map(|amenity| amenity.id).collect();
    assert_eq!(labelled, crate::wire::words::AMENITIES);
    let demo = Demo::new(settings(2, 2_000));
    let types: HashSet<&str> = demo.sites.iter().map(|site| site.property_type).collect();
    assert!(types.len() >= 8);
    assert!(
        types.iter().all(|word| crate::wire::words::PROPERTY_TYPES.contains(word)),
        "{types:?}"
    );
}

#[test]
fn amenities_are_words_of_the_vocabulary() {
    let known: HashSet<&str> = all_amenities().iter().map(|amenity| amenity.id).collect();
    assert!(known.len() >= 40);
    assert!(all_amenities().iter().all(|amenity| is_thai(amenity.th) && !is_thai(amenity.en)));
    let demo = Demo::new(settings(9, 300));
    for at in 0..demo.len() {
        let hotel = demo.hotel(at).unwrap();
        let rooms = hotel.rooms.iter().flat_map(|room| &room.body.amenities);
        assert!(hotel.body.amenities.iter().chain(rooms).all(|word| known.contains(word)));
        assert!(hotel.body.amenities.len() >= 2);
    }
}
