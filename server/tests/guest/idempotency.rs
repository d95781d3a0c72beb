//! Keys: the same request is answered the same, another is refused, none is asked for.

use holdfast_server::client::Request;
use serde_json::{Value, json};

use crate::house::{Answer, Caller, House, booking};

/// Sends it once and again; the second answer is the first, marked.
async fn same_twice(caller: &Caller, path: &str, key: &str, body: &Value) -> Answer {
    let first = caller.post(path, key, body).await;
    assert!(!first.is_replayed(), "{}", first.body);
    let again = caller.post(path, key, body).await;
    assert_eq!(again.status, first.status, "{}", again.body);
    assert!(again.is_replayed(), "{path}: {}", again.body);
    let plain = |answer: &Answer| {
        let mut body = answer.body.clone();
        // Each request has a trace of its own.
        body.as_object_mut().unwrap().remove("trace_id");
        body
    };
    assert_eq!(plain(&again), plain(&first));
    first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_post_answers_a_repetition_with_its_first_answer() {
    let house = House::open().await;
    let hotel = house.hotel("Keyed", (1, 5), |_| {}).await;
    let guest = house.guest("ann");
    let body = hotel.hold("2027-01-20", "2027-01-22", 1);
    let hold = same_twice(&guest, "/v1/holds", "k", &body).await.expect(201).id();

    let extend = format!("/v1/holds/{hold}/extend");
    house.wait(60);
    same_twice(&guest, &extend, "k", &json!({"ttl_s": 900})).await.expect(200);

    let declined = booking(&hold, "tok_declined");
    same_twice(&guest, "/v1/bookings", "no", &declined).await.refuses(402, "payment.declined");
    let good = booking(&hold, "tok_ok");
    let booked = same_twice(&guest, "/v1/bookings", "k", &good).await.expect(201);

    // Whatever has happened since: the answer is of then.
    house.wait(3_600);
    let path = format!("/v1/bookings/{}", booked.id());
    guest.delete(&path).await.expect(200);
    let later = guest.post("/v1/bookings", "k", &good).await.expect(201);
    assert_eq!(later.body, booked.body);
    let later = guest.post("/v1/holds", "k", &body).await.expect(201);
    assert_eq!((later.id(), &later.body["status"]), (hold.clone(), &json!("active")));
    let later = guest.post(&extend, "k", &json!({"ttl_s": 900})).await.expect(200);
    assert_eq!(later.body["status"], "active");

    // A refusal that reached the log is an answer like any other.
    let other = booking(&hold, "tok_ok");
    let again = same_twice(&guest, "/v1/bookings", "late", &other).await;
    let again = again.refuses(409, "hold.already_confirmed");
    assert_eq!(again.body["booking_id"], booked.id());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_means_one_request_of_one_caller_at_one_door() {
    let house = House::open().await;
    let hotel = house.hotel("Scoped", (1, 9), |_| {}).await;
    let guest = house.guest("ann");
    let body = hotel.hold("2027-01-20", "2027-01-22", 1);
    let hold = guest.holds("k", &body).await;
    let extend = format!("/v1/holds/{hold}/extend");
    house.wait(60);
    guest.post(&extend, "k", &json!({"ttl_s": 900})).await.expect(200);
    guest.post("/v1/bookings", "k", &booking(&hold, "tok_ok")).await.expect(201);

    let reused = "idempotency.key_reused";
    let other = hotel.hold("2027-01-20", "2027-01-22", 2);
    guest.post("/v1/holds", "k", &other).await.refuses(422, reused);
    guest.post(&extend, "k", &json!({"ttl_s": 899})).await.refuses(422, reused);
    let other = booking(&hold, "tok_declined");
    guest.post("/v1/bookings", "k", &other).await.refuses(422, reused);

    // Spaces, order and defaults spelt out make no other request.
    let text = format!(
        r#"{{ "lines": [{{"adults":2, "quantity":1, "children_ages":[], "rate_plan_id":"{}",
            "room_type_id":"{}"}}], "check_out":"2027-01-22", "check_in":"2027-01-20",
            "hotel_id":"{}", "ttl_s": null }}"#,
        hotel.kinds[0].rate_plan, hotel.kinds[0].room_type, hotel.id
    );
    let request = Request::post("/v1/holds").key("k").bytes("application/json", text);
    let same = guest.send(request).await.expect(201);
    assert!(same.is_replayed() && same.id() == hold);

    // Another caller's key is another key.
    let bobs = house.guest("bob").post("/v1/holds", "k", &body).await.expect(201);
    assert!(!bobs.is_replayed() && bobs.id() != hold);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_post_asks_for_a_key() {
    let house = House::open().await;
    let hotel = house.hotel("Keyless", (1, 9), |_| {}).await;
    let guest = house.guest("ann");
    let body = hotel.hold("2027-01-20", "2027-01-22", 1);
    let hold = guest.holds("k", &body).await;
    for (path, body) in [
        ("/v1/holds".to_owned(), body),
        (format!("/v1/holds/{hold}/extend"), json!({})),
        ("/v1/bookings".to_owned(), booking(&hold, "tok_ok")),
    ] {
        let answer = guest.send(Request::post(&path).json(&body)).await;
        answer.refuses(400, "idempotency.missing");
    }
    house.close().await;
}
