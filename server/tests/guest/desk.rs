//! The front desk's list: who comes, who goes, who is there, what changed; page by page.

use serde_json::{Value, json};

use crate::house::{Caller, Hotel, House};

const DAY_S: u64 = 86_400;

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn listed(desk: &Caller, hotel: &Hotel, query: &str) -> Vec<String> {
    let path = format!("/v1/hotels/{}/bookings?{query}", hotel.id);
    ids(&desk.get(&path).await.expect(200).body)
}

/// Every page, one after the other.
async fn walk(desk: &Caller, hotel: &Hotel, limit: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let first = format!("/v1/hotels/{}/bookings?limit={limit}", hotel.id);
    let mut path = first.clone();
    loop {
        let page = desk.get(&path).await.expect(200).body;
        let found = ids(&page);
        assert!(found.len() <= limit);
        seen.extend(found);
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{first}&cursor={cursor}"),
            None => return seen,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arrivals_departures_and_guests_in_the_house_are_listed_by_their_dates() {
    let house = House::open().await;
    let hotel = house.hotel("Desk", (1, 9), |_| {}).await;
    let (guest, desk) = (house.guest("ann"), house.partner("chain"));
    let mut made = Vec::new();
    for (at, (from, to)) in
        [("11", "13"), ("12", "13"), ("12", "15"), ("20", "21")].into_iter().enumerate()
    {
        let stay = hotel.hold(&format!("2027-01-{from}"), &format!("2027-01-{to}"), 1);
        made.push(guest.books(&format!("k{at}"), &stay).await.id());
    }
    let at = |places: &[usize]| -> Vec<_> { places.iter().map(|&at| made[at].clone()).collect() };
    for (query, expected) in [
        ("", &[0, 1, 2, 3][..]),
        ("on=arrival&from=2027-01-12&to=2027-01-12", &[1, 2]),
        ("from=2027-01-12&to=2027-01-20", &[1, 2, 3]),
        ("on=departure&from=2027-01-13&to=2027-01-13", &[0, 1]),
        ("on=departure&from=2027-01-14", &[2, 3]),
        ("on=stay&from=2027-01-12&to=2027-01-12", &[0, 1, 2]),
        ("on=stay&from=2027-01-13&to=2027-01-13", &[2]),
        ("on=stay&from=2027-01-16&to=2027-01-19", &[]),
        ("on=stay&to=2027-01-11", &[0]),
        ("status=checked_in", &[]),
    ] {
        assert_eq!(listed(&desk, &hotel, query).await, at(expected), "{query}");
    }

    // The first guest comes, the second gives up, the third moves to another week.
    house.wait(DAY_S);
    let place = |at: usize| format!("/v1/bookings/{}", made[at]);
    desk.post(&format!("{}/check-in", place(0)), "in", &json!({})).await.expect(200);
    guest.delete(&place(1)).await.expect(200);
    let patch = holdfast_server::client::Request::new(http::Method::PATCH, place(2))
        .if_match("\"1\"")
        .json(&json!({"check_in": "2027-01-18", "check_out": "2027-01-19"}));
    guest.send(patch).await.expect(200);
    for (query, expected) in [
        ("status=checked_in", &[0][..]),
        ("status=cancelled", &[1]),
        ("status=confirmed,checked_in", &[0, 2, 3]),
        ("on=stay&from=2027-01-14&to=2027-01-14", &[]),
        ("from=2027-01-18&to=2027-01-18", &[2]),
        ("changed_since=2027-01-11T00:00:00Z", &[0, 1, 2]),
        ("changed_since=2027-01-11T00:00:00%2B07:00", &[0, 1, 2]),
        ("changed_since=2027-01-12T00:00:00Z", &[]),
    ] {
        assert_eq!(listed(&desk, &hotel, query).await, at(expected), "{query}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_hotels_bookings_neither_repeat_nor_skip_what_did_not_change() {
    let house = House::open().await;
    let hotel = house.hotel("Pages", (1, 50), |_| {}).await;
    let (guest, desk) = (house.guest("ann"), house.partner("chain"));
    let mut made = Vec::new();
    for at in 0..9 {
        let (from, to) = (format!("2027-01-{}", 20 + at % 3), format!("2027-01-{}", 24 + at % 2));
        let booked = guest.books(&format!("k{at}"), &hotel.hold(&from, &to, 1)).await;
        made.push((from, booked.id()));
    }
    made.sort();
    let ids_of = |made: &[(String, String)]| made.iter().map(|it| it.1.clone()).collect::<Vec<_>>();
    for limit in [1, 2, 4, 9, 200] {
        assert_eq!(walk(&desk, &hotel, limit).await, ids_of(&made), "{limit}");
    }

    let path = format!("/v1/hotels/{}/bookings?limit=4", hotel.id);
    let first = desk.get(&path).await.expect(200);
    assert!(first.header("engine-index").is_some());
    let cursor = first.body["next_cursor"].as_str().unwrap();
    // One that was shown goes, others come before and behind.
    guest.delete(&format!("/v1/bookings/{}", made[2].1)).await.expect(200);
    guest.books("before", &hotel.hold("2027-01-19", "2027-01-20", 1)).await;
    let behind = guest.books("behind", &hotel.hold("2027-01-25", "2027-01-26", 1)).await.id();
    let rest = desk.get(&format!("{path}&limit=200&cursor={cursor}")).await;
    // A parameter given twice is refused like any other that cannot be read.
    assert_eq!(rest.status, 422);
    let path = format!("/v1/hotels/{}/bookings?limit=200&cursor={cursor}", hotel.id);
    let rest = ids(&desk.get(&path).await.expect(200).body);
    let mut expected = ids_of(&made[4..]);
    expected.push(behind);
    assert_eq!(rest, expected);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hotels_bookings_are_for_its_own_people_and_strange_questions_are_refused() {
    let house = House::open().await;
    let hotel = house.hotel("Closed", (1, 5), |_| {}).await;
    let guest = house.guest("ann");
    guest.books("k", &hotel.hold("2027-01-20", "2027-01-21", 1)).await;
    let path = format!("/v1/hotels/{}/bookings", hotel.id);
    house.nobody().get(&path).await.refuses(401, "auth.missing");
    guest.get(&path).await.refuses(403, "auth.forbidden");
    house.partner("rival").get(&path).await.refuses(404, "hotel.not_found");
    let all = house.admin().get(&path).await.expect(200).body;
    assert_eq!(all["items"][0]["guest"]["email"], "somchai@example.com");
    assert_eq!(all["next_cursor"], Value::Null);
    let desk = house.partner("chain");
    for (query, status, code) in [
        ("limit=201", 422, "field.range"),
        ("limit=0", 422, "field.range"),
        ("cursor=x", 422, "cursor.invalid"),
        ("on=checkout", 422, "field.invalid"),
        ("status=gone", 422, "field.invalid"),
        ("from=2027-02-29", 422, "date.invalid"),
        ("from=2027-02-02&to=2027-02-01", 422, "field.range"),
        ("changed_since=2027-01-11T00:00:00+07:00", 422, "instant.invalid"),
        ("page=2", 400, "field.unknown"),
    ] {
        desk.get(&format!("{path}?{query}")).await.refuses(status, code);
    }
    house.close().await;
}
