//! The served description of the guests' doors is whole.

use serde_json::Value;

use crate::house::House;

/// Every `$ref` beneath `value`.
fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(target) if name == "$ref" => found.push(target),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_guests_door_is_described_and_every_reference_resolves() {
    let house = House::open().await;
    let document = house.nobody().get("/openapi.json").await.expect(200).body;
    for (path, methods) in [
        ("/v1/destinations", vec!["get"]),
        ("/v1/search", vec!["get"]),
        ("/v1/hotels/{id}", vec!["get"]),
        ("/v1/hotels/{id}/offers", vec!["get"]),
        ("/v1/holds", vec!["post"]),
        ("/v1/holds/{id}", vec!["get", "delete"]),
        ("/v1/holds/{id}/extend", vec!["post"]),
        ("/v1/bookings", vec!["post", "get"]),
        ("/v1/bookings/{id}", vec!["get", "delete"]),
    ] {
        for method in methods {
            let operation = &document["paths"][path][method];
            let answers = operation["responses"].as_object().unwrap();
            let good = answers.iter().find(|(status, _)| status.starts_with('2')).unwrap().1;
            let schema = &good["content"]["application/json"]["schema"];
            assert!(schema.is_object(), "{method} {path}: {operation}");
        }
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for target in found {
        let place = target.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{target}");
    }
    house.close().await;
}
