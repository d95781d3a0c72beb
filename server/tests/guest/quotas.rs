//! What one guest may hold: which cap it is, how much it is, and for whom it is none.

use holdfast_engine::command::genesis::Quota;
use serde_json::{Value, json};

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_names_the_cap_and_its_limit() {
    let quota = Quota { holds: 2, rooms: 4, room_nights: 6, cell_share: false };
    let house = House::open_capped(quota).await;
    let hotel = house.hotel("Capped", (1, 50), |_| {}).await;
    let guest = house.guest("ann");
    let hold = |nights: u32, rooms: u32| {
        hotel.hold("2027-01-20", &format!("2027-01-{}", 20 + nights), rooms)
    };
    for (key, body, cap, limit) in
        [("rooms", hold(1, 5), "rooms", 4), ("nights", hold(2, 4), "room_nights", 6)]
    {
        let refused = guest.post("/v1/holds", key, &body).await;
        let refused = refused.refuses(429, "hold.quota_exceeded");
        assert_eq!((&refused.body["cap"], &refused.body["limit"]), (&json!(cap), &json!(limit)));
        assert!(refused.header("retry-after").is_some());
    }
    guest.holds("one", &hold(1, 1)).await;
    guest.holds("two", &hold(1, 1)).await;
    let refused = guest.post("/v1/holds", "three", &hold(1, 1)).await;
    let refused = refused.refuses(429, "hold.quota_exceeded");
    assert_eq!((&refused.body["cap"], &refused.body["limit"]), (&json!("holds"), &json!(2)));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_of_what_is_free_is_capped_for_guests_alone() {
    let house = House::open_capped(Quota { cell_share: true, ..Quota::default() }).await;
    let hotel = house.hotel("Shared", (1, 8), |_| {}).await;
    let guest = house.guest("ann");
    let body = hotel.hold("2027-01-20", "2027-01-22", 3);
    let refused = guest.post("/v1/holds", "three", &body).await;
    let refused = refused.refuses(429, "hold.quota_exceeded");
    assert_eq!(
        (&refused.body["cap"], &refused.body["limit"]),
        (&json!("cell_share"), &Value::Null)
    );
    let night = |day: u32| (format!("2027-01-{day}"), "hold.share_exceeded".to_owned());
    assert_eq!(refused.nights(), [night(20), night(21)]);
    guest.holds("two", &hotel.hold("2027-01-20", "2027-01-22", 2)).await;
    house.guest("bob").holds("one", &hotel.hold("2027-01-20", "2027-01-22", 1)).await;
    house.partner("chain").holds("all", &hotel.hold("2027-01-20", "2027-01-22", 5)).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_lasts_long_enough_is_not_extended_and_loses_nothing() {
    let house = House::open().await;
    let hotel = house.hotel("Longer", (1, 8), |_| {}).await;
    let guest = house.guest("ann");
    let made = guest.post("/v1/holds", "h", &hotel.hold("2027-01-20", "2027-01-22", 1)).await;
    let made = made.expect(201);
    let path = format!("/v1/holds/{}/extend", made.id());
    let same = guest.post(&path, "shorter", &json!({"ttl_s": 60})).await.expect(200);
    assert_eq!(same.body["expires_at"], made.body["expires_at"]);
    assert_eq!(same.body["extensions_left"], 2);
    for left in [1, 0] {
        house.wait(60);
        let longer = guest.post(&path, &format!("{left}"), &json!({})).await.expect(200);
        assert_eq!(longer.body["extensions_left"], left);
    }
    house.wait(60);
    guest.post(&path, "shorter still", &json!({"ttl_s": 60})).await.expect(200);
    guest.post(&path, "third", &json!({})).await.refuses(409, "hold.extension_limit");
    house.close().await;
}
