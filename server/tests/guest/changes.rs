//! Changes of bookings: said before, done once, refused whole.

use holdfast_server::client::Request;
use http::Method;
use serde_json::{Value, json};

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_changes_in_one_step_and_a_dry_run_tells_it_before() {
    let house = House::open().await;
    let hotel = house.hotel("Changing", (2, 2), |_| {}).await;
    let guest = house.guest("ann");
    let booked = guest.books("k", &hotel.hold("2027-01-20", "2027-01-22", 1)).await;
    let path = format!("/v1/bookings/{}", booked.id());
    let patch = |path: &str, body: &Value| Request::new(Method::PATCH, path).json(body);
    let longer = json!({"check_out": "2027-01-23", "requests": "late"});
    guest.send(patch(&path, &longer)).await.refuses(428, "precondition.required");
    let stale = patch(&path, &longer).if_match("\"7\"");
    guest.send(stale).await.refuses(412, "precondition.failed");
    let stranger = house.guest("bob");
    stranger.send(patch(&path, &longer).if_match("*")).await.refuses(404, "booking.not_found");
    guest
        .send(patch(&path, &json!({"rooms": 1})).if_match("*"))
        .await
        .refuses(422, "field.unknown");

    let asked = format!("{path}?dry_run=true");
    let asked = guest.send(patch(&asked, &longer).if_match("\"1\"")).await.expect(200);
    assert_eq!((&asked.body["dry_run"], &asked.body["version"]), (&json!(true), &json!(1)));
    assert_eq!(asked.body["total"]["amount"], 450_000);
    assert_eq!(asked.body["balance"]["due"]["amount"], 150_000);
    assert_eq!(guest.get(&path).await.expect(200).body["check_out"], "2027-01-22");

    let keyed = || patch(&path, &longer).if_match("\"1\"").key("p");
    let done = guest.send(keyed()).await.expect(200);
    assert_eq!(
        (done.header("etag"), &done.body["check_out"]),
        (Some("\"2\""), &json!("2027-01-23"))
    );
    assert_eq!(done.body["requests"], "late");
    assert_eq!(done.body["guest"]["name"], "สมชาย ใจดี", "what is not said stays");
    let again = guest.send(keyed()).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));

    // The other room is taken on the 23rd: the booking stays as it was.
    guest.books("k2", &hotel.hold("2027-01-23", "2027-01-24", 2)).await;
    let further = json!({"check_out": "2027-01-24"});
    let refused = guest.send(patch(&path, &further).if_match("\"2\"")).await;
    let refused = refused.refuses(409, "inventory.insufficient");
    assert_eq!(refused.body["blockers"][0]["night"], "2027-01-23");
    let other = &hotel.kinds[1];
    let line = json!([{
        "room_type_id": other.room_type, "rate_plan_id": other.rate_plan,
        "quantity": 1, "adults": 2,
    }]);
    let agreed = |amount: i64| json!({"lines": line, "expected_total": {"amount": amount, "currency": "THB"}});
    let refused = guest.send(patch(&path, &agreed(1)).if_match("*")).await;
    let refused = refused.refuses(409, "price.changed");
    assert_eq!(refused.body["quote"]["total"]["amount"], 600_000);
    let moved = guest.send(patch(&path, &agreed(600_000)).if_match("*")).await.expect(200);
    assert_eq!(moved.body["lines"][0]["room_type_id"], json!(other.room_type));
    guest.delete(&path).await.expect(200);
    guest.send(patch(&path, &longer).if_match("*")).await.refuses(409, "booking.state");
    house.close().await;
}
