//! Groups and the waitlist: blocks set aside and picked up from, rooms waited for and offered.

use holdfast_server::client::Request;
use serde_json::json;

use crate::house::{House, booking};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_is_set_aside_picked_up_changed_and_given_back() {
    let house = House::open().await;
    let hotel = house.hotel("Wedding", (1, 3), |_| {}).await;
    let owner = house.partner("chain");
    let room_type = hotel.kinds[0].room_type.clone();
    let body = |rooms: u32, status: &str| {
        json!({
            "name": "Wedding", "from": "2027-01-20", "to": "2027-01-22", "status": status,
            "lines": [{"room_type_id": room_type, "rooms": rooms}],
        })
    };
    let path = format!("/v1/hotels/{}/blocks", hotel.id);
    owner
        .post(&path, "too many", &body(4, "definite"))
        .await
        .refuses(409, "inventory.insufficient");
    let block = owner.post(&path, "b", &body(3, "definite")).await.expect(201).id();
    let guest = house.guest("guest");
    let mut hold = hotel.hold("2027-01-20", "2027-01-22", 1);
    guest.post("/v1/holds", "none free", &hold).await.refuses(409, "inventory.insufficient");
    hold["block_id"] = json!(block);
    let held = guest.post("/v1/holds", "pickup", &hold).await.expect(201);
    assert_eq!(held.body["block_id"], json!(block));
    let booked = guest.post("/v1/bookings", "book", &booking(&held.id(), "tok_ok")).await;
    assert_eq!(booked.expect(201).body["block_id"], json!(block));
    let place = format!("/v1/blocks/{block}");
    let read = owner.get(&place).await.expect(200);
    let night = &read.body["lines"][0]["nights"][0];
    assert_eq!((&night["blocked"], &night["picked_up"]), (&json!(2), &json!(1)));
    guest.get(&place).await.expect(403);
    let patch = || Request::new(http::Method::PATCH, &place).json(&json!({"status": "tentative"}));
    owner.send(patch()).await.refuses(428, "precondition.required");
    owner.send(patch().if_match("\"9\"")).await.refuses(412, "precondition.failed");
    let changed = owner.send(patch().if_match("\"1\"")).await.expect(200);
    assert_eq!(changed.body["status"], "tentative");
    guest.post("/v1/holds", "tentative", &hold).await.refuses(409, "block.state");
    let released = owner.delete(&place).await.expect(200);
    assert_eq!(released.body["status"], "released");
    let listed = owner.get(&path).await.expect(200);
    assert_eq!(listed.body["items"][0]["id"], json!(block));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_may_lose_its_release_and_what_is_left_out_stays() {
    let house = House::open().await;
    let hotel = house.hotel("Fair", (1, 3), |_| {}).await;
    let owner = house.partner("chain");
    let body = json!({
        "name": "Fair", "from": "2027-01-20", "to": "2027-01-22", "status": "definite",
        "lines": [{"room_type_id": hotel.kinds[0].room_type, "rooms": 2}],
        "release_at": "2027-01-15",
    });
    let path = format!("/v1/hotels/{}/blocks", hotel.id);
    let place = format!("/v1/blocks/{}", owner.post(&path, "b", &body).await.expect(201).id());
    let patch = |version: u32, body: serde_json::Value| {
        let request = Request::new(http::Method::PATCH, &place).json(&body);
        owner.send(request.if_match(format!("\"{version}\"")))
    };
    let renamed = patch(1, json!({"name": "Book fair"})).await.expect(200);
    assert_eq!(renamed.body["release_at"], "2027-01-15");
    let kept = patch(2, json!({"release_at": null})).await.expect(200);
    assert_eq!(kept.body.get("release_at"), None);
    assert_eq!(kept.body["name"], "Book fair");
    let again = patch(3, json!({"release_at": "2027-01-16"})).await.expect(200);
    assert_eq!(again.body["release_at"], "2027-01-16");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_offered_what_is_given_back() {
    let house = House::open().await;
    let hotel = house.hotel("Full", (1, 1), |_| {}).await;
    let (first, second) = (house.guest("first"), house.guest("second"));
    let body = hotel.hold("2027-01-20", "2027-01-22", 1);
    second.post("/v1/waitlist", "early", &body).await.refuses(409, "waitlist.not_needed");
    let held = first.post("/v1/holds", "h", &body).await.expect(201).id();
    let entry = second.post("/v1/waitlist", "w", &body).await.expect(201);
    assert_eq!(entry.body["status"], "waiting");
    let line = &entry.body["lines"][0];
    assert_eq!(line["room_type_id"], json!(hotel.kinds[0].room_type));
    assert_eq!((&line["quantity"], &line["adults"]), (&json!(1), &json!(2)));
    assert_eq!(entry.body["ttl_s"], 7_200);
    let place = format!("/v1/waitlist/{}", entry.id());
    first.get(&place).await.expect(404);
    let extend = format!("/v1/holds/{held}/extend");
    first.post(&extend, "x", &json!({})).await.refuses(409, "hold.waitlist_waiting");
    first.delete(&format!("/v1/holds/{held}")).await.expect(200);
    let offered = second.get(&place).await.expect(200);
    assert_eq!(offered.body["status"], "offered");
    let hold = offered.body["hold_id"].as_str().unwrap();
    let booked = second.post("/v1/bookings", "b", &booking(hold, "tok_ok")).await.expect(201);
    let used = second.get(&place).await.expect(200);
    assert_eq!(
        (&used.body["status"], &used.body["booking_id"]),
        (&json!("used"), &booked.body["id"])
    );
    second.delete(&place).await.refuses(409, "waitlist.state");
    house.close().await;
}
