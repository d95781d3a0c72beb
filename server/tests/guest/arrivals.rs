//! The front desk: check-in, check-out, no-show.

use serde_json::json;

use crate::house::House;

const DAY_S: u64 = 86_400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_arrives_and_leaves_early() {
    let house = House::open().await;
    let hotel = house.hotel("Desk", (1, 5), |_| {}).await;
    let (guest, desk) = (house.guest("ann"), house.partner("chain"));
    let id = guest.books("k", &hotel.hold("2027-01-11", "2027-01-14", 2)).await.id();
    let at = |verb: &str| format!("/v1/bookings/{id}/{verb}");
    let none = json!({});
    desk.post(&at("check-in"), "early", &none).await.refuses(409, "booking.state");
    house.wait(14 * 3_600);
    guest.post(&at("check-in"), "a", &none).await.refuses(403, "auth.forbidden");
    let rival = house.partner("rival");
    rival.post(&at("check-in"), "a", &none).await.refuses(404, "booking.not_found");
    desk.post(&at("check-out"), "a", &none).await.refuses(409, "booking.state");
    let arrived = desk.post(&at("check-in"), "a", &none).await.expect(200);
    assert_eq!(
        (&arrived.body["status"], &arrived.body["version"]),
        (&json!("checked_in"), &json!(2))
    );
    let again = desk.post(&at("check-in"), "a", &none).await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    desk.post(&at("check-in"), "b", &none).await.refuses(409, "booking.state");
    guest.delete(&format!("/v1/bookings/{id}")).await.refuses(409, "booking.state");
    house.wait(DAY_S);
    let left = house.admin().post(&at("check-out"), "c", &none).await.expect(200);
    assert_eq!(left.body["status"], "checked_out");
    assert_eq!(left.body["departed_at"], "2027-01-12T00:00:00+07:00");
    let path = format!("/v1/hotels/{}/inventory?from=2027-01-11&to=2027-01-13", hotel.id);
    let sold = desk.get(&path).await.expect(200).body["items"].clone();
    let sold: Vec<_> =
        sold.as_array().unwrap().iter().map(|cell| cell["sold"].as_u64().unwrap()).collect();
    assert_eq!(sold, [2, 0, 0]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_does_not_come_and_the_first_night_stays_sold() {
    let house = House::open().await;
    let hotel = house.hotel("Empty", (1, 5), |_| {}).await;
    let (guest, desk) = (house.guest("ann"), house.partner("chain"));
    let id = guest.books("k", &hotel.hold("2027-01-11", "2027-01-13", 1)).await.id();
    let path = format!("/v1/bookings/{id}/no-show");
    desk.post(&path, "early", &json!({})).await.refuses(409, "booking.state");
    house.wait(DAY_S);
    let missed = desk.post(&path, "now", &json!({})).await.expect(200);
    assert_eq!(missed.body["status"], "no_show");
    let settled = &missed.body["no_show"];
    assert_eq!(settled["fee"]["amount"], 300_000);
    assert_eq!((&settled["refund"]["amount"], &settled["owed"]["amount"]), (&json!(0), &json!(0)));
    desk.post(&path, "again", &json!({})).await.refuses(409, "booking.state");
    house.close().await;
}
