//! Offers: the four states, with a price or everything in the way.

use serde_json::{Value, json};

use crate::house::{Hotel, House};

async fn offers(house: &House, hotel: &Hotel, query: &str) -> Vec<Value> {
    let path = format!("/v1/hotels/{}/offers?{query}", hotel.id);
    let answer = house.nobody().get(&path).await.expect(200);
    answer.body["items"].as_array().unwrap().clone()
}

fn codes(offer: &Value) -> Vec<(&str, &str)> {
    let blockers = offer["blockers"].as_array().unwrap().iter();
    blockers.map(|one| (one["code"].as_str().unwrap(), one["night"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_state_is_told_with_a_price_or_every_blocker() {
    let house = House::open().await;
    let hotel = house.hotel("Stated", (2, 2), |_| {}).await;
    let guest = house.guest("ann");
    let stay = "check_in=2027-01-20&check_out=2027-01-22";

    let found = offers(&house, &hotel, &format!("{stay}&rooms=2&adults=3")).await;
    assert_eq!(found.len(), 2);
    assert_eq!((&found[0]["state"], &found[0]["available"]), (&json!("available"), &json!(2)));
    let quote = &found[0]["quote"];
    assert_eq!(quote["total"]["amount"], 600_000, "two rooms cost twice one");
    assert_eq!(quote["nights"].as_array().unwrap().len(), 2);
    assert_eq!(quote["cancellation"][0]["until"], "2027-01-13T18:00:00+07:00");
    assert_eq!(quote["cancellation"][0]["fee"]["amount"], 0);
    assert_eq!(quote["cancellation"][1]["fee"]["amount"], 300_000);
    assert_eq!(found[0]["free_cancellation_until"], "2027-01-13T18:00:00+07:00");
    assert!(found[0].get("blockers").is_none());

    // Held: it may come back. Booked: it will not.
    let hold = guest.holds("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let found = offers(&house, &hotel, &format!("{stay}&rooms=2")).await;
    assert_eq!(found[0]["state"], "held_out");
    assert_eq!(found[0]["available"], 1);
    assert_eq!(found[0]["earliest_expiry"], "2027-01-10T10:15:00+07:00");
    assert_eq!(codes(&found[0]), [("inventory.insufficient", "2027-01-20")]);
    assert!(found[0].get("quote").is_none());
    assert_eq!(found[1]["state"], "available");
    let body = crate::house::booking(&hold, "tok_ok");
    guest.post("/v1/bookings", "k", &body).await.expect(201);
    let found = offers(&house, &hotel, &format!("{stay}&rooms=2")).await;
    assert_eq!(found[0]["state"], "sold_out");

    // Closed and against the rules: all of it is named, night by night.
    let kind = &hotel.kinds[0];
    for (seq, night, field, value) in [
        (2, "2027-01-25", "min_stay_through", json!(3)),
        (3, "2027-01-26", "closed", json!(true)),
        (4, "2027-01-27", "closed_to_departure", json!(true)),
    ] {
        let mut line = json!({
            "seq": seq, "room_type": kind.room_type, "rate_plan": kind.rate_plan,
            "from": night, "to": night,
        });
        line[field] = value;
        house.ari(&kind.room_type, &line).await;
    }
    let found = offers(&house, &hotel, "check_in=2027-01-25&check_out=2027-01-27").await;
    assert_eq!((&found[0]["state"], &found[0]["available"]), (&json!("closed"), &json!(0)));
    let named = codes(&found[0]);
    for expected in [
        ("stay.min_stay_through", "2027-01-25"),
        ("stay.closed", "2027-01-26"),
        ("stay.closed_to_departure", "2027-01-27"),
    ] {
        assert!(named.contains(&expected), "{named:?}");
    }

    // More people than the rooms take.
    let found = offers(&house, &hotel, &format!("{stay}&adults=2&children_ages=5,8")).await;
    assert_eq!(codes(&found[1]), [("occupancy.too_many", "2027-01-20")]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dates_are_judged_by_the_hotels_own_rules() {
    let house = House::open().await;
    let hotel = house.hotel("Dated", (1, 2), |body| body["max_stay"] = 3.into()).await;
    let nobody = house.nobody();
    for (check_in, check_out, status, code) in [
        ("2027-01-20", "2027-01-23", 200, ""),
        ("2027-01-10", "2027-01-11", 200, ""),
        ("2027-01-20", "2027-01-24", 422, "stay.too_long"),
        ("2027-01-20", "2027-01-20", 422, "stay.too_short"),
        ("2027-01-09", "2027-01-11", 422, "stay.in_past"),
        ("2029-01-09", "2029-01-11", 422, "stay.beyond_horizon"),
        ("2027-02-29", "2027-03-01", 422, "date.invalid"),
    ] {
        let path =
            format!("/v1/hotels/{}/offers?check_in={check_in}&check_out={check_out}", hotel.id);
        let answer = nobody.get(&path).await;
        if status == 200 {
            answer.expect(200);
        } else {
            answer.refuses(status, code);
        }
    }
    // Past midnight in Bangkok, yesterday is over.
    house.wait(14 * 3_600);
    let path = format!("/v1/hotels/{}/offers?check_in=2027-01-10&check_out=2027-01-11", hotel.id);
    nobody.get(&path).await.refuses(422, "stay.in_past");
    nobody.get(&format!("{path}&colour=blue")).await.refuses(400, "field.unknown");
    house.close().await;
}
