//! Why not: obstacles with night and layer, and the nearest stays that can indeed be held.

use serde_json::{Value, json};

use crate::house::{Hotel, House};

async fn write(house: &House, hotel: &Hotel, lines: &[(u32, &str, &str, Value)]) {
    let kind = &hotel.kinds[0];
    for (seq, night, field, value) in lines {
        let mut line = json!({"seq": seq, "room_type": kind.room_type, "from": night, "to": night});
        if *field != "allotment" {
            line["rate_plan"] = json!(kind.rate_plan);
        }
        line[*field] = value.clone();
        house.ari(&kind.room_type, &line).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_stay_is_explained_and_every_stay_named_can_be_held() {
    let house = House::open().await;
    let hotel = house.hotel("Explained", (1, 2), |_| {}).await;
    write(
        &house,
        &hotel,
        &[
            (10, "2027-01-20", "closed_to_arrival", json!(true)),
            (11, "2027-01-21", "min_stay_through", json!(3)),
            (12, "2027-01-21", "allotment", json!(0)),
        ],
    )
    .await;
    let base = format!("/v1/hotels/{}/explain", hotel.id);
    let nobody = house.nobody();
    let path = format!("{base}?check_in=2027-01-20&check_out=2027-01-22");
    let found = nobody.get(&path).await.expect(200).body;
    assert_eq!((&found["available"], &found["nights"]), (&json!(false), &json!(2)));
    let offer = &found["offers"][0];
    assert_eq!(offer["available"], false);
    let layer = |name: &str, id: &str| json!(format!("{name}:{id}"));
    let kind = &hotel.kinds[0];
    let (room_type, rate_plan) =
        (layer("room_type", &kind.room_type), layer("rate_plan", &kind.rate_plan));
    let named: Vec<_> = offer["blockers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["code"].as_str().unwrap(), one["night"].as_str().unwrap(), &one["layer"]))
        .collect();
    assert_eq!(
        named,
        [
            ("stay.closed_to_arrival", "2027-01-20", &rate_plan),
            ("stay.min_stay_through", "2027-01-21", &rate_plan),
            ("inventory.insufficient", "2027-01-21", &room_type),
        ]
    );

    // Every night of them is free again: what is named can be held.
    let nearest = found["nearest"].as_array().unwrap();
    assert_eq!(nearest.len(), 5);
    let distances: Vec<_> = nearest.iter().map(|one| one["distance_nights"].as_u64()).collect();
    assert!(distances.is_sorted(), "{distances:?}");
    for (at, one) in nearest.iter().enumerate() {
        let dates = [&one["check_in"], &one["check_out"]].map(|date| date.as_str().unwrap());
        let mut body = hotel.hold(dates[0], dates[1], 1);
        body["expected_total"] = one["total"].clone();
        let hold = house.guest("ann").holds(&format!("hold-{at}"), &body).await;
        house.guest("ann").delete(&format!("/v1/holds/{hold}")).await.expect(200);
    }

    // The refusal of the hold and offers without anything to have name them as well.
    let wish = hotel.hold("2027-01-20", "2027-01-22", 1);
    let refused = house.guest("ann").post("/v1/holds", "no", &wish).await;
    let refused = refused.refuses(409, "stay.restricted");
    assert_eq!(refused.body["nearest"], found["nearest"]);
    let path = format!("/v1/hotels/{}/offers?check_in=2027-01-20&check_out=2027-01-22", hotel.id);
    let offers = nobody.get(&path).await.expect(200);
    assert_eq!(offers.body["nearest"], found["nearest"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_room_type_or_plan_narrows_the_question() {
    let house = House::open().await;
    let hotel = house.hotel("Named", (2, 2), |_| {}).await;
    let other = house.hotel("Other", (1, 2), |_| {}).await;
    write(&house, &hotel, &[(10, "2027-01-20", "closed", json!(true))]).await;
    let nobody = house.nobody();
    let base = format!("/v1/hotels/{}/explain?check_in=2027-01-20&check_out=2027-01-21", hotel.id);
    let all = nobody.get(&base).await.expect(200);
    assert_eq!(all.body["offers"].as_array().unwrap().len(), 2);
    assert_eq!(all.body["available"], true);
    for (name, id) in
        [("room_type_id", &hotel.kinds[0].room_type), ("rate_plan_id", &hotel.kinds[0].rate_plan)]
    {
        let found = nobody.get(&format!("{base}&{name}={id}")).await.expect(200);
        assert_eq!(found.body["offers"].as_array().unwrap().len(), 1);
        assert_eq!(found.body["available"], false);
        // The other room type on the same dates is the nearest.
        let first = &found.body["nearest"][0];
        assert_eq!(first["distance_nights"], 0);
        assert_eq!(first["room_type_id"], hotel.kinds[1].room_type.as_str());
    }
    for (query, status, code) in [
        (format!("room_type_id={}", other.kinds[0].room_type), 404, "room_type.not_found"),
        (format!("rate_plan_id={}", other.kinds[0].rate_plan), 404, "rate_plan.not_found"),
        ("room_type_id=nonsense".to_owned(), 404, "room_type.not_found"),
        ("colour=blue".to_owned(), 400, "field.unknown"),
        ("rooms=0".to_owned(), 422, "field.range"),
    ] {
        nobody.get(&format!("{base}&{query}")).await.refuses(status, code);
    }
    let path = format!("/v1/hotels/{}/explain?check_in=2027-01-20&check_out=2027-01-20", hotel.id);
    nobody.get(&path).await.refuses(422, "stay.too_short");
    // Rooms too small for the party say so.
    let found = nobody.get(&format!("{base}&adults=5")).await.expect(200);
    assert_eq!(found.body["offers"][1]["blockers"][0]["code"], "occupancy.too_many");
    house.close().await;
}
