//! What prices are made of, as partners and admins write it: derived plans, numbers of adults, age
//! bands, taxes.

use holdfast_server::client::Request;
use serde_json::{Value, json};

use crate::house::{House, create, hotel_body, problem, rate_plan_body};

#[tokio::test]
async fn plans_say_where_their_prices_come_from_and_what_numbers_of_adults_cost() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let path = format!("/v1/room-types/{}/rate-plans", hotel.room_type);
    let mut body = rate_plan_body();
    body["derived_from"] = json!({"rate_plan": hotel.rate_plan, "percent_bp": -1_000});
    body["occupancy"] = json!([{"adults": 1, "absolute": -20_000}, {"adults": 3, "fixed": 9}]);
    body["base_occupancy"] = json!(2);
    body["extra_adult"] = json!(40_000);
    let id = create(&partner, &path, &body).await;
    let read: Value =
        partner.send(&Request::get(format!("/v1/rate-plans/{id}"))).await.unwrap().ok().unwrap();
    for field in ["derived_from", "occupancy", "base_occupancy", "extra_adult"] {
        assert_eq!(read[field], body[field], "{field}");
    }
    // Its parent cannot come from it.
    let mut circle = rate_plan_body();
    circle["derived_from"] = json!({"rate_plan": id, "absolute": 1});
    let put = Request::put(format!("/v1/rate-plans/{}", hotel.rate_plan));
    let refused = partner.send(&put.if_match("\"1\"").json(&circle)).await.unwrap();
    problem(&refused, 422, "rate_plan.cycle");
    house.server.shutdown().await;
}

#[tokio::test]
async fn a_hotel_names_its_age_bands_and_what_it_charges_on_top() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let mut body = hotel_body();
    body["age_bands"] = json!([
        {"up_to_age": 2, "charge": "free", "counts_toward_capacity": false},
        {"up_to_age": 11, "charge": {"percent_bp": 5_000}, "counts_toward_capacity": true},
    ]);
    body["tax_profile"] = json!("no_service_charge");
    let id = create(&partner, "/v1/hotels", &body).await;
    let path = format!("/v1/hotels/{id}");
    let read: Value = partner.send(&Request::get(&path)).await.unwrap().ok().unwrap();
    assert_eq!(
        [&read["age_bands"], &read["tax_profile"]],
        [&body["age_bands"], &body["tax_profile"]]
    );
    house.server.shutdown().await;
}

#[tokio::test]
async fn taxes_are_set_by_admins_and_seen_by_nobody_else() {
    let house = House::open().await;
    let admin = house.admin();
    let put = |path: &str, body: &Value| Request::put(format!("/v1/admin/taxes/{path}")).json(body);
    let body = json!({"from": "2026-01-01", "fee_bp": 100, "vat_covers": ["room"]});
    let set: Value = admin.send(&put("TH-83", &body)).await.unwrap().ok().unwrap();
    assert_eq!([&set["version"], &set["fee_bp"], &set["vat_bp"]], [2, 100, 700]);
    assert_eq!(set["vat_covers"], json!(["room"]));
    let read: Value =
        admin.send(&Request::get("/v1/admin/taxes/Phuket")).await.unwrap().ok().unwrap();
    assert_eq!(read, set);
    let other: Value =
        admin.send(&Request::get("/v1/admin/taxes/country")).await.unwrap().ok().unwrap();
    assert_eq!([&other["version"], &other["fee_bp"]], [2, 0]);
    let steep = json!({"from": "2026-01-01", "fee_bp": 301});
    assert_eq!(admin.send(&put("TH-83", &steep)).await.unwrap().status, 422);
    assert_eq!(
        admin.send(&put("TH-83", &json!({"from": "2026-01-01"}))).await.unwrap().status,
        422
    );
    problem(&admin.send(&put("Atlantis", &body)).await.unwrap(), 404, "province.not_found");
    let partner = house.partner("chain-a");
    assert_eq!(partner.send(&put("TH-83", &body)).await.unwrap().status, 403);
    house.server.shutdown().await;
}
