//! Deposits: what is paid at booking, and what is settled when the booking is given up.

use holdfast_server::client::Request;
use http::Method;
use serde_json::json;

use crate::house::{House, booking};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposit_is_shown_paid_and_settled() {
    let house = House::open().await;
    let hotel = house.hotel("Deposit", (1, 5), |_| {}).await;
    let (guest, partner) = (house.guest("ann"), house.partner("chain"));
    let path = format!("/v1/rate-plans/{}", hotel.kinds[0].rate_plan);
    let plan = partner.get(&path).await.expect(200);
    let mut body = json!({
        "name": plan.body["name"], "tax_inclusive": true, "deposit": {"percent_bp": 2_500},
        "cancellation": [{"until_days": 1, "until_time": "18:00", "penalty": {"nights": 1}}],
    });
    let put = |body: &serde_json::Value| Request::new(Method::PUT, &path).if_match("*").json(body);
    partner.send(put(&body)).await.expect(200);
    assert_eq!(partner.get(&path).await.expect(200).body["deposit"], json!({"percent_bp": 2_500}));
    let wish = hotel.hold("2027-01-20", "2027-01-22", 2);
    let held = guest.post("/v1/holds", "k", &wish).await.expect(201);
    assert_eq!(held.body["quote"]["total"]["amount"], 600_000);
    assert_eq!(held.body["quote"]["deposit"]["amount"], 150_000);
    let offers = format!(
        "/v1/hotels/{}/offers?check_in=2027-01-20&check_out=2027-01-22&rooms=2&adults=2",
        hotel.id
    );
    let offers = house.nobody().get(&offers).await.expect(200).body.to_string();
    assert!(offers.contains(r#""deposit":{"amount":150000"#), "{offers}");
    // What the plan says later is not this hold's.
    body["deposit"] = json!({"fixed": 1});
    partner.send(put(&body)).await.expect(200);
    let booked = guest.post("/v1/bookings", "k", &booking(&held.id(), "tok_ok")).await.expect(201);
    assert_eq!(booked.body["payment"]["amount"]["amount"], 150_000);
    let gone = guest.delete(&format!("/v1/bookings/{}", booked.id())).await.expect(200);
    let settled = &gone.body["cancellation"];
    assert_eq!(settled["fee"]["amount"], 300_000);
    assert_eq!(settled["refund"]["amount"], 0);
    assert_eq!(settled["owed"]["amount"], 150_000);
    house.close().await;
}
