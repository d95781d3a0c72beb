//! Laws of the gazetteer: what a guest types finds the place that is meant, in Thai and in English.

use super::*;

#[test]
fn every_province_district_and_town_is_there() {
    let all = Gazetteer::get();
    let count = |kind| all.destinations().iter().filter(|place| place.kind == kind).count();
    assert_eq!(all.provinces().len(), 77);
    assert_eq!(count(Kind::Province), 77);
    assert_eq!(count(Kind::District), 928);
    assert!(count(Kind::City) > 900);
    assert!(count(Kind::Area) > 60);
    assert_eq!(all.by_id.len(), all.destinations().len(), "ids are unique");
    for code in 10..=96 {
        let known = all.province(code).is_some();
        assert_eq!(known, all.destination(&format!("prv_{code}")).is_some());
    }
}

#[test]
fn every_place_lies_in_thailand_and_near_its_province() {
    let all = Gazetteer::get();
    for place in all.destinations() {
        assert!((5.5..20.6).contains(&place.lat), "{place:?}");
        assert!((97.3..105.8).contains(&place.lon), "{place:?}");
        assert!((2.0..=150.0).contains(&place.radius_km), "{place:?}");
        let province = all.province(place.province).unwrap();
        let far = distance_km((place.lat, place.lon), (province.lat, province.lon));
        assert!(far < 260.0, "{far} km: {place:?}");
        for name in [place.name_th, place.name_en] {
            assert_eq!(name.trim(), name);
            assert!(!name.is_empty(), "{place:?}");
        }
        assert!(
            place.name_th.chars().all(|c| ('\u{e01}'..='\u{e5b}').contains(&c) || " -".contains(c))
        );
        assert!(
            place.name_en.chars().all(|c| c.is_ascii_alphabetic() || " -'".contains(c)),
            "{place:?}"
        );
    }
}

#[test]
fn aliases_point_at_places() {
    for [alias, id] in rows::rows(include_str!("../../assets/geo/aliases.csv")) {
        assert!(Gazetteer::get().destination(id).is_some(), "{alias} → {id}");
    }
}

#[test]
fn suggestions_in_both_languages() {
    // (typed, id that comes first)
    let cases = [
        ("Bangkok", "prv_10"),
        ("bang kok", "prv_10"),
        ("krung thep", "prv_10"),
        ("กรุงเทพ", "prv_10"),
        ("กรุงเทพฯ", "prv_10"),
        ("กทม.", "prv_10"),
        ("phuket", "prv_83"),
        ("PHUK", "prv_83"),
        ("puket", "prv_83"),
        ("ภูเก็ต", "prv_83"),
        ("จังหวัดภูเก็ต", "prv_83"),
        ("samui", "cty_1154689"),
        ("koh samui", "cty_1154689"),
        ("ko-samui", "cty_1154689"),
        ("สมุย", "cty_1154689"),
        ("เกาะสมุย", "cty_1154689"),
        ("pattaya", "cty_1614295"),
        ("พัทยา", "cty_1614295"),
        ("hua hin", "cty_1153269"),
        ("huahin", "cty_1153269"),
        ("หัวหิน", "cty_1153269"),
        ("phi phi", "cty_7280467"),
        ("พีพี", "cty_7280467"),
        ("khao lak", "cty_1157190"),
        ("เขาหลัก", "cty_1157190"),
        ("chonburi", "prv_20"),
        ("ayutthaya", "prv_14"),
        ("อยุธยา", "prv_14"),
        ("korat", "prv_30"),
        ("โคราช", "prv_30"),
        ("phangnga", "prv_82"),
        ("pitsanulok", "prv_65"),
        ("patong", "cty_6941772"),
        ("ป่าตอง", "cty_6941772"),
        ("chaweng", "are_chaweng"),
        ("เฉวง", "are_chaweng"),
        ("khao san", "are_khao-san"),
        ("chatuchak", "dst_1030"),
        ("จตุจักร", "dst_1030"),
        ("เขตบางรัก", "dst_1004"),
        ("hat yai", "cty_1610780"),
        ("haadyai", "cty_1610780"),
        ("หาดใหญ่", "cty_1610780"),
        ("ปาย", "cty_1151601"),
        ("chiang", "prv_50"),
        ("เชียง", "prv_50"),
        ("nan", "prv_55"),
        ("น่าน", "prv_55"),
        ("khao yai", "are_khao-yai"),
    ];
    for (typed, first) in cases {
        let found = Gazetteer::get().suggest(typed, 5);
        let ids: Vec<_> = found.iter().map(|place| place.id.as_str()).collect();
        assert_eq!(ids.first(), Some(&first), "{typed}: {ids:?}");
    }
}

#[test]
fn suggestions_are_bounded_and_name_no_place_twice() {
    let all = Gazetteer::get();
    assert!(all.suggest("", 10).is_empty());
    assert!(all.suggest(" - ", 10).is_empty());
    assert!(all.suggest("zzzz", 10).is_empty());
    assert_eq!(all.suggest("b", 7).len(), 7);
    let hat_yai = all.suggest("hat yai", 10);
    assert_eq!(hat_yai.iter().filter(|place| place.name_en == "Hat Yai").count(), 1);
    assert_eq!(all.suggest("mueang chiang mai", 3)[0].id, "dst_5001");
}

#[test]
fn hotels_merge_into_the_same_order() {
    let query = Query::new("pat");
    let hotel = Score::best(
        [&Key::new("Patong Tower"), &Key::new("ป่าตอง ทาวเวอร์")],
        &query,
        Kind::Hotel,
        80,
    );
    let places = Gazetteer::get().suggest_scored("pat", 3);
    assert!(places.iter().all(|(score, _)| *score < hotel.unwrap()));
    assert_eq!(Score::best([&Key::new("Samui")], &query, Kind::Hotel, 80), None);
}

#[test]
fn the_nearest_town_of_a_beach() {
    let (town, km) = Gazetteer::get().nearest_city(7.896, 98.297).unwrap();
    assert_eq!((town.name_en, km < 1.0), ("Patong", true));
    let phuket_to_bangkok = distance_km((7.89, 98.40), (13.75, 100.50));
    assert!((685.0..700.0).contains(&phuket_to_bangkok));
}
