//! The form of a search: what is refused, with its place, and what a cursor is bound to.

use super::*;

fn params(query: serde_json::Value) -> SearchParams {
    let mut whole = serde_json::json!({"check_in": "2027-04-13", "check_out": "2027-04-15"});
    for (name, value) in query.as_object().unwrap() {
        whole[name] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn faults(query: serde_json::Value) -> Vec<(String, String)> {
    match params(query).check() {
        Ok(_) => Vec::new(),
        Err(problem) => {
            problem.errors.iter().map(|e| (e.pointer.clone(), e.code.clone())).collect()
        }
    }
}

#[test]
fn exactly_one_place_is_taken() {
    for query in [
        serde_json::json!({"destination": "prv_83"}),
        serde_json::json!({"bbox": "98.2,7.7,98.5,8.2"}),
        serde_json::json!({"near": "7.88, 98.39", "radius_km": 500.0}),
        serde_json::json!({"near": "7.88,98.39"}),
        serde_json::json!({"destination": HotelId(7).to_string()}),
    ] {
        assert!(faults(query.clone()).is_empty(), "{query}");
    }
    for (query, pointer, code) in [
        (serde_json::json!({}), "?destination", "search.place"),
        (
            serde_json::json!({"destination": "prv_83", "near": "7,98"}),
            "?destination",
            "search.place",
        ),
        (serde_json::json!({"destination": "prv_99"}), "?destination", "destination.unknown"),
        (serde_json::json!({"bbox": "98.5,7.7,98.2,8.2"}), "?bbox", "field.range"),
        (serde_json::json!({"bbox": "98.5,7.7,98.6"}), "?bbox", "field.invalid"),
        (serde_json::json!({"bbox": "98.5,7.7,98.6,91"}), "?bbox", "field.range"),
        (serde_json::json!({"near": "x,98"}), "?near", "field.invalid"),
        (serde_json::json!({"near": "NaN,98"}), "?near", "field.range"),
        (serde_json::json!({"near": "7,98", "radius_km": 500.1}), "?radius_km", "field.range"),
        (serde_json::json!({"near": "7,98", "radius_km": -1}), "?radius_km", "field.range"),
        (
            serde_json::json!({"destination": "prv_83", "radius_km": 1}),
            "?radius_km",
            "field.unexpected",
        ),
    ] {
        assert_eq!(faults(query.clone()), [(pointer.into(), code.into())], "{query}");
    }
}

#[test]
fn filters_are_read_and_unknown_words_refused() {
    let search = params(serde_json::json!({
        "destination": "prv_83", "stars": "4,5", "amenities": "pool,wifi",
        "property_type": "resort", "meal_plan": "breakfast", "free_cancellation": true,
        "min_price": 0, "max_price": 500_000, "sort": "price_desc"
    }))
    .check()
    .unwrap();
    assert_eq!(search.filters.stars, 0b11_0000);
    assert_eq!(search.filters.amenities.count_ones(), 2);
    assert_eq!(search.sort, Some(Sort::PriceDesc));
    for (name, value) in [
        ("stars", serde_json::json!("6")),
        ("stars", serde_json::json!("")),
        ("amenities", serde_json::json!("pool,helipad")),
        ("property_type", serde_json::json!("castle")),
        ("min_price", serde_json::json!(-1)),
    ] {
        let found = faults(serde_json::json!({"destination": "prv_83", name: value}));
        assert_eq!(found.len(), 1, "{name} {value}");
        assert_eq!(found[0].0, format!("?{name}"));
    }
}

#[test]
fn a_cursor_is_bound_to_its_question_but_not_to_page_size_or_language() {
    let asked = |more: serde_json::Value| {
        let mut query = serde_json::json!({"destination": "prv_83"});
        for (name, value) in more.as_object().unwrap() {
            query[name] = value.clone();
        }
        params(query)
    };
    let mut bytes = asked(serde_json::json!({})).digest().to_vec();
    bytes.extend_from_slice(&(-5i64).to_be_bytes());
    bytes.extend_from_slice(&77u128.to_be_bytes());
    let cursor = encode_cursor(&bytes);
    let same = asked(serde_json::json!({"cursor": cursor, "limit": 3, "lang": "th"}));
    assert_eq!(same.after().unwrap(), Some((-5, HotelId(77))));
    let other = asked(serde_json::json!({"cursor": cursor, "stars": "5"}));
    assert_eq!(other.after().unwrap_err().code, "cursor.invalid");
    assert!(asked(serde_json::json!({"cursor": "AAAA"})).after().is_err());
}
