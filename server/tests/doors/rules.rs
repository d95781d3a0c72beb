//! Restrictions, closures of whole hotels and removals over the doors.

use holdfast_server::client::{Client, Request};
use serde_json::{Value, json};

use crate::house::{Hotel, House, create, key, problem, rate_plan_body};

const NDJSON: &str = "application/x-ndjson";

/// Results of lines, each with the next `seq` of a source of its own.
async fn send(partner: &Client, lines: &[Value]) -> Vec<Value> {
    let path = format!("/v1/ari?source={}", key());
    let text: String = (1..)
        .zip(lines)
        .map(|(seq, line)| {
            let mut line = line.clone();
            line["seq"] = json!(seq);
            format!("{line}\n")
        })
        .collect();
    let reply = partner.send(&Request::post(path).bytes(NDJSON, text)).await.unwrap();
    let text = std::str::from_utf8(&reply.body).unwrap();
    let mut results: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    results.pop();
    results
}

async fn cells(partner: &Client, hotel: &Hotel) -> Vec<Value> {
    let path = format!("/v1/hotels/{}/inventory?from=2027-04-01&to=2027-04-02", hotel.id);
    let reply: Value = partner.send(&Request::get(path)).await.unwrap().ok().unwrap();
    reply["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_hotel_closes_whole_and_what_is_left_is_written_as_of_a_version() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let nights = json!({"from": "2027-04-01", "to": "2027-04-02"});
    let with = |fields: Value| {
        let mut line = nights.clone();
        line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        line
    };
    let rooms = &hotel.room_type;
    let results = send(
        &partner,
        &[
            with(json!({"room_type": rooms, "allotment": 4})),
            with(json!({"hotel": hotel.id, "closed": true})),
            with(json!({"hotel": hotel.id, "allotment": 4})),
            with(json!({"closed": true})),
            with(json!({"room_type": rooms, "available": 3})),
        ],
    )
    .await;
    let found: Vec<_> = results.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(found, ["applied", "applied", "rejected", "rejected", "rejected"], "{results:?}");
    assert_eq!(results[2]["code"], "ari.room_type_required");
    assert_eq!(results[3]["code"], "ari.room_type_required");
    assert_eq!(results[4]["code"], "ari.version_required");
    let before = cells(&partner, &hotel).await;
    assert!(before.iter().all(|cell| cell["closed"] == true && cell["available"] == 0));
    let version = before[0]["version"].clone();
    let results = send(
        &partner,
        &[
            with(json!({"hotel": hotel.id, "closed": false})),
            with(json!({"room_type": rooms, "available": 3, "as_of_version": version})),
            with(json!({"room_type": rooms, "rate_plan": hotel.rate_plan, "price": 100_000,
            "min_advance": 2, "max_advance": null, "release_days": 1, "release_time": "18:00",
            "occupancy_prices": [{"adults": 1, "price": 90_000}], "clear": ["min_stay_arrival"]})),
            with(
                json!({"room_type": rooms, "rate_plan": hotel.rate_plan, "release_time": "18:00"}),
            ),
        ],
    )
    .await;
    let found: Vec<_> = results.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(found, ["applied", "applied", "applied", "rejected"], "{results:?}");
    assert!(cells(&partner, &hotel).await.iter().all(|cell| cell["available"] == 3));
    house.server.shutdown().await;
}

#[tokio::test]
async fn a_plan_keeps_its_default_rules_and_goes_when_it_is_removed() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let mut body = rate_plan_body();
    let rules = json!({"min_stay_arrival": 2, "max_stay_through": 9, "min_advance": 0,
        "release_days": 3, "release_time": "18:30", "price_min": 100, "price_max": 900_000});
    body.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    let plans = format!("/v1/room-types/{}/rate-plans", hotel.room_type);
    let path = format!("/v1/rate-plans/{}", create(&partner, &plans, &body).await);
    let read: Value = partner.send(&Request::get(&path)).await.unwrap().ok().unwrap();
    for (field, value) in rules.as_object().unwrap() {
        assert_eq!(&read[field], value, "{field}");
    }
    body["max_stay_arrival"] = json!(1);
    let refused = partner.send(&Request::post(&plans).key(key()).json(&body)).await.unwrap();
    assert_eq!(refused.status, 422, "{:?}", refused.body);

    let gone = partner.send(&Request::delete(&path)).await.unwrap();
    assert_eq!(gone.status, 200);
    problem(&partner.send(&Request::get(&path)).await.unwrap(), 404, "rate_plan.not_found");
    let rooms = format!("/v1/room-types/{}", hotel.room_type);
    let stranger = house.partner("chain-b").send(&Request::delete(&rooms)).await.unwrap();
    problem(&stranger, 404, "room_type.not_found");
    assert_eq!(partner.send(&Request::delete(&rooms)).await.unwrap().status, 200);
    let list = format!("/v1/hotels/{}/room-types", hotel.id);
    let left: Value = partner.send(&Request::get(list)).await.unwrap().ok().unwrap();
    assert_eq!(left["items"], json!([]));
    house.server.shutdown().await;
}
