//! Type-ahead over places and hotels.

use serde_json::{Value, json};

use crate::house::House;

fn ids(body: &Value) -> Vec<&str> {
    body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_and_live_hotels_are_suggested_in_both_languages() {
    let house = House::open().await;
    let hotel = house.hotel("Zanzibar Phuket", (1, 5), |_| {}).await;
    let draft = house.draft_hotel("Zanzibar Draft", (1, 5), |_| {}).await;
    let nobody = house.nobody();

    let found = nobody.get("/v1/destinations?q=phuke").await.expect(200);
    assert_eq!(found.body["items"][0]["id"], "prv_83");
    assert_eq!(found.body["items"][0]["kind"], "province");
    assert!(ids(&found.body).contains(&hotel.id.as_str()));

    let found = nobody.get("/v1/destinations?q=zanzi").await.expect(200);
    assert_eq!(ids(&found.body), [hotel.id.as_str()]);
    assert_eq!(found.body["items"][0]["kind"], "hotel");
    assert_eq!(found.body["items"][0]["display_name"], "Zanzibar Phuket, Phuket");

    // ภูเก็ต
    let thai = "%E0%B8%A0%E0%B8%B9%E0%B9%80%E0%B8%81%E0%B9%87%E0%B8%95";
    let found = nobody.get(&format!("/v1/destinations?q={thai}&lang=th")).await.expect(200);
    assert_eq!(found.body["items"][0]["display_name"], "ภูเก็ต");

    // A new name is found at once, a hotel that goes on sale too.
    let path = format!("/v1/hotels/{}/submit", draft.id);
    house.partner("chain").post(&path, "s", &json!({})).await.expect(200);
    let path = format!("/v1/admin/hotels/{}/approve", draft.id);
    house.admin().post(&path, "a", &json!({})).await.expect(200);
    let found = nobody.get("/v1/destinations?q=zanzi").await.expect(200);
    assert_eq!(ids(&found.body).len(), 2);

    let found = nobody.get("/v1/destinations?q=a&limit=3").await.expect(200);
    assert_eq!(ids(&found.body).len(), 3);
    let found = nobody.get("/v1/destinations?q=%20").await.expect(200);
    assert_eq!(found.body["items"], json!([]));

    let long = "a".repeat(101);
    nobody.get(&format!("/v1/destinations?q={long}")).await.refuses(422, "text.too_long");
    nobody.get("/v1/destinations?q=a&limit=51").await.refuses(422, "field.range");
    nobody.get("/v1/destinations").await.refuses(422, "field.missing");
    nobody.get("/v1/destinations?q=a&x=1").await.refuses(400, "field.unknown");
    nobody.get("/v1/destinations?q=a&lang=de").await.refuses(422, "field.invalid");
    house.close().await;
}
