//! A guest's whole way, and who else may look at it.

use serde_json::json;

use crate::house::{House, booking};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stay_is_found_held_extended_booked_read_and_cancelled() {
    let house = House::open().await;
    let hotel = house.hotel("Coral Bay", (2, 5), |_| {}).await;
    let (nobody, guest) = (house.nobody(), house.guest("ann"));

    let path = "/v1/search?destination=prv_83&check_in=2027-01-20&check_out=2027-01-22&adults=2";
    let found = nobody.get(path).await.expect(200);
    assert_eq!(found.body["total"], 1);
    let item = &found.body["items"][0];
    assert_eq!(item["hotel"]["id"], hotel.id);
    assert_eq!(item["hotel"]["name"]["en"], "Coral Bay");
    let offer = &item["offer"];
    assert_eq!(offer["room_type_id"], hotel.kinds[0].room_type);
    assert_eq!(offer["nights"], 2);
    assert_eq!(offer["available"], 5);
    assert_eq!(offer["total"], json!({"amount": 300_000, "currency": "THB"}));
    assert_eq!(offer["average_night"], json!({"amount": 150_000, "currency": "THB"}));
    assert_eq!(offer["free_cancellation_until"], "2027-01-13T18:00:00+07:00");

    let page = nobody.get(&format!("/v1/hotels/{}?lang=th", hotel.id)).await.expect(200);
    assert_eq!(page.body["display_name"], "Coral Bay ไทย");
    assert_eq!(page.body["room_types"][1]["id"], hotel.kinds[1].room_type);
    assert_eq!(page.body["room_types"][1]["rate_plans"][0]["id"], hotel.kinds[1].rate_plan);
    assert!(page.body.get("version").is_none() && page.header("etag").is_none());
    assert_eq!(page.header("content-language"), Some("th"));

    let path = format!("/v1/hotels/{}/offers?check_in=2027-01-20&check_out=2027-01-22", hotel.id);
    let offers = nobody.get(&path).await.expect(200);
    let quote = offers.body["items"][0]["quote"].clone();
    assert_eq!(offers.body["items"][0]["state"], "available");
    assert_eq!(quote["total"]["amount"], 300_000);

    let mut body = hotel.hold("2027-01-20", "2027-01-22", 2);
    body["expected_total"] = json!({"amount": 600_000, "currency": "THB"});
    body["client_reference"] = "trip-1".into();
    let held = guest.post("/v1/holds", "k1", &body).await.expect(201);
    assert_eq!(held.body["status"], "active");
    assert_eq!(held.body["expires_at"], "2027-01-10T10:15:00+07:00");
    assert_eq!(held.body["quote"]["total"]["amount"], 600_000);
    let parts = ["room", "service_charge", "vat", "provincial_fee"];
    let sum: i64 =
        parts.iter().map(|part| held.body["quote"][part]["amount"].as_i64().unwrap()).sum();
    assert_eq!(sum, 600_000);
    let nights = held.body["quote"]["lines"][0]["nights"].as_array().unwrap();
    assert_eq!(nights.len(), 2);
    assert_eq!(nights[0]["night"], "2027-01-20");
    assert_eq!(held.header("location"), Some(format!("/v1/holds/{}", held.id()).as_str()));
    assert!(held.header("engine-index").is_some() && held.header("traceparent").is_some());
    let hold = held.id();

    house.wait(600);
    let path = format!("/v1/holds/{hold}/extend");
    let extended = guest.post(&path, "k2", &json!({"ttl_s": 900})).await.expect(200);
    assert_eq!(extended.body["expires_at"], "2027-01-10T10:25:00+07:00");
    assert_eq!(extended.body["extensions_left"], 1);

    let booked = guest.post("/v1/bookings", "k3", &booking(&hold, "tok_ok")).await.expect(201);
    assert_eq!(booked.body["status"], "confirmed");
    assert_eq!(booked.body["total"]["amount"], 600_000);
    assert_eq!(booked.body["payment"]["amount"]["amount"], 600_000);
    assert_eq!(booked.body["guest"]["name"], "สมชาย ใจดี");
    assert_eq!(booked.body["requests"], "ชั้นสูง / high floor");
    assert_eq!(booked.body["reference"].as_str().unwrap().len(), 10);
    assert_eq!(booked.body["policy"]["tiers"][1]["until"], "2027-01-19T18:00:00+07:00");
    assert_eq!(booked.body["policy"]["tiers"][1]["fee"]["amount"], 300_000);
    assert_eq!(booked.body["policy"]["fee_after"]["amount"], 600_000);
    assert_eq!(booked.header("etag"), Some("\"1\""));
    let id = booked.id();

    let path = format!("/v1/bookings/{id}");
    assert_eq!(guest.get(&path).await.expect(200).body, booked.body);
    let after = guest.get(&format!("/v1/holds/{hold}")).await.expect(200);
    assert_eq!(after.body["status"], "confirmed");
    assert_eq!(after.body["booking_id"], id);
    let list = guest.get("/v1/bookings").await.expect(200);
    assert_eq!(list.body["items"][0]["id"], id);

    let cancelled = guest.delete(&path).await.expect(200);
    assert_eq!(cancelled.body["status"], "cancelled");
    assert_eq!(cancelled.body["cancellation"]["fee"]["amount"], 0);
    assert_eq!(cancelled.body["cancellation"]["refund"]["amount"], 600_000);
    let path = format!("/v1/hotels/{}/inventory?from=2027-01-20&to=2027-01-21", hotel.id);
    let cells = house.partner("chain").get(&path).await.expect(200);
    for cell in cells.body["items"].as_array().unwrap() {
        assert_eq!((&cell["sold"], &cell["held"]), (&json!(0), &json!(0)));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_anothers_answers_like_what_does_not_exist() {
    let house = House::open().await;
    let hotel = house.hotel("Coral Bay", (1, 5), |_| {}).await;
    let draft = house.draft_hotel("Not Yet", (1, 5), |_| {}).await;
    let (ann, bob) = (house.guest("ann"), house.guest("bob"));
    let (own, other) = (house.partner("chain"), house.partner("rival"));
    let hold = ann.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let booked = ann.books("b", &hotel.hold("2027-01-20", "2027-01-21", 1)).await.id();

    let hold_path = format!("/v1/holds/{hold}");
    let booking_path = format!("/v1/bookings/{booked}");
    for stranger in [&bob, &other] {
        stranger.get(&hold_path).await.refuses(404, "hold.not_found");
        stranger.delete(&hold_path).await.refuses(404, "hold.not_found");
        let path = format!("{hold_path}/extend");
        stranger.post(&path, "x", &json!({})).await.refuses(404, "hold.not_found");
        let body = booking(&hold, "tok_ok");
        stranger.post("/v1/bookings", "x", &body).await.refuses(404, "hold.not_found");
        stranger.get(&booking_path).await.refuses(404, "booking.not_found");
        stranger.delete(&booking_path).await.refuses(404, "booking.not_found");
        let list = stranger.get("/v1/bookings").await.expect(200);
        assert_eq!(list.body["items"], json!([]));
    }
    for own in [&own, &house.admin()] {
        own.get(&hold_path).await.expect(200);
        assert_eq!(
            own.get(&booking_path).await.expect(200).body["guest"]["email"],
            "somchai@example.com"
        );
    }

    // A partner holds in its own hotels, on sale or not, and in no other.
    let body = hotel.hold("2027-01-20", "2027-01-21", 1);
    own.holds("p", &body).await;
    other.post("/v1/holds", "p", &body).await.refuses(404, "hotel.not_found");

    // A draft is its partner's and the admins' alone.
    let path = format!("/v1/hotels/{}", draft.id);
    let offers = format!("{path}/offers?check_in=2027-01-20&check_out=2027-01-21");
    for stranger in [&house.nobody(), &bob, &other] {
        stranger.get(&path).await.refuses(404, "hotel.not_found");
        stranger.get(&offers).await.refuses(404, "hotel.not_found");
    }
    let body = draft.hold("2027-01-20", "2027-01-21", 1);
    bob.post("/v1/holds", "d", &body).await.refuses(404, "hotel.not_found");
    for own in [&own, &house.admin()] {
        let page = own.get(&path).await.expect(200);
        assert_eq!(page.body["status"], "draft");
        assert!(page.header("etag").is_some());
        let offers = own.get(&offers).await.expect(200);
        let codes: Vec<_> = offers.body["items"][0]["blockers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|blocker| blocker["code"].clone())
            .collect();
        assert_eq!(codes, ["hotel.not_live"]);
    }

    // Without a token there is nothing to hold or to read.
    let nobody = house.nobody();
    nobody.post("/v1/holds", "n", &body).await.refuses(401, "auth.missing");
    nobody.get(&hold_path).await.refuses(401, "auth.missing");
    nobody.get("/v1/bookings").await.refuses(401, "auth.missing");
    house.close().await;
}
