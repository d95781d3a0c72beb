//! The calendar: a year of days in one call, each with its price, its rooms and what stands in the way.

use serde_json::{Value, json};

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_days_comes_in_one_call() {
    let house = House::open().await;
    let hotel = house.hotel("Dated", (2, 2), |_| {}).await;
    for (seq, night, field, value) in [
        (10, "2027-01-20", "closed_to_arrival", json!(true)),
        (11, "2027-01-21", "min_stay_arrival", json!(3)),
        (12, "2027-01-22", "closed", json!(true)),
    ] {
        for (at, kind) in hotel.kinds.iter().enumerate() {
            let mut line = json!({
                "seq": seq, "room_type": kind.room_type, "rate_plan": kind.rate_plan,
                "from": night, "to": night,
            });
            line[field] = value.clone();
            house.ari(&format!("{}-{at}", kind.room_type), &line).await;
        }
    }
    house.guest("ann").holds("k", &hotel.hold("2027-01-19", "2027-01-20", 2)).await;
    let nobody = house.nobody();
    let base = format!("/v1/hotels/{}/calendar", hotel.id);
    let found = nobody.get(&format!("{base}?from=2027-01-09&to=2028-01-08")).await.expect(200).body;
    let days: &Vec<Value> = found["days"].as_array().unwrap();
    assert_eq!((days.len(), &found["currency"], &found["adults"]), (365, &json!("THB"), &json!(2)));
    let day = |date: &str| days.iter().find(|day| day["date"] == date).unwrap();
    assert_eq!(day("2027-01-09")["reason"], "stay.in_past");
    let open = day("2027-01-18");
    assert_eq!(
        [&open["state"], &open["available"], &open["can_arrive"], &open["can_depart"]],
        [&json!("available"), &json!(4), &json!(true), &json!(true)]
    );
    assert_eq!([&open["min_stay"], &open["max_stay"]], [&json!(1), &json!(30)]);
    assert!(open["price"]["amount"].as_i64() > Some(0) && open["reason"].is_null());
    assert_eq!(day("2027-01-19")["available"], 2, "one of two room types is held out");
    let barred = day("2027-01-20");
    assert_eq!(
        (&barred["reason"], &barred["available"]),
        (&json!("stay.closed_to_arrival"), &json!(4))
    );
    assert!(barred["min_stay"].is_null());
    assert_eq!(day("2027-01-21")["min_stay"], 3);
    let shut = day("2027-01-22");
    assert_eq!((&shut["state"], &shut["reason"]), (&json!("closed"), &json!("stay.closed")));
    assert!(shut["price"].is_null());

    for (query, status, code) in [
        ("from=2027-01-10&to=2028-01-11", 422, "field.range"),
        ("from=2027-01-10&to=2027-01-09", 422, "date.order"),
        ("from=2027-02-29&to=2027-03-09", 422, "date.invalid"),
        ("from=2027-01-10&to=2027-01-10&adults=0", 422, "field.range"),
        ("from=2027-01-10&to=2027-01-10&colour=blue", 400, "field.unknown"),
        ("from=2027-01-10", 422, "field.missing"),
    ] {
        nobody.get(&format!("{base}?{query}")).await.refuses(status, code);
    }
    let big =
        nobody.get(&format!("{base}?from=2027-01-18&to=2027-01-18&adults=9")).await.expect(200);
    assert_eq!(big.body["days"][0]["reason"], "occupancy.too_many");
    house.close().await;
}
