//! Lists of bookings, and what of them is kept where.

use serde_json::Value;

use crate::house::{Caller, House};

async fn walk(caller: &Caller, limit: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let mut path = format!("/v1/bookings?limit={limit}");
    loop {
        let page = caller.get(&path).await.expect(200);
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page.body["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/bookings?limit={limit}&cursor={cursor}"),
            None => return seen,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_bookings_neither_repeat_nor_skip_while_new_ones_come() {
    let house = House::open().await;
    let hotel = house.hotel("Listed", (1, 50), |_| {}).await;
    let guest = house.guest("ann");
    let stay = hotel.hold("2027-01-20", "2027-01-21", 1);
    let mut made = Vec::new();
    for at in 0..7 {
        made.push(guest.books(&format!("k{at}"), &stay).await.id());
    }
    made.reverse();
    for limit in [1, 2, 3, 7, 200] {
        assert_eq!(walk(&guest, limit).await, made, "{limit}");
    }

    let first = guest.get("/v1/bookings?limit=3").await.expect(200);
    let cursor = first.body["next_cursor"].as_str().unwrap().to_owned();
    guest.books("new", &stay).await;
    guest.delete(&format!("/v1/bookings/{}", made[4])).await.expect(200);
    let path = format!("/v1/bookings?limit=200&cursor={cursor}");
    let rest = guest.get(&path).await.expect(200);
    let ids: Vec<_> = rest.body["items"].as_array().unwrap().iter().map(|b| &b["id"]).collect();
    assert_eq!(ids, made[3..].iter().collect::<Vec<_>>());

    for (query, code) in [
        ("limit=0", "field.range"),
        ("limit=201", "field.range"),
        ("limit=many", "field.invalid"),
        ("cursor=x", "cursor.invalid"),
    ] {
        guest.get(&format!("/v1/bookings?{query}")).await.refuses(422, code);
    }
    guest.get("/v1/bookings?page=2").await.refuses(400, "field.unknown");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_names_a_guest_is_nowhere_in_the_state_in_plain() {
    let house = House::open().await;
    let hotel = house.hotel("Sealed", (1, 50), |_| {}).await;
    let guest = house.guest("ann");
    let stay = hotel.hold("2027-01-20", "2027-01-21", 1);
    let first = guest.books("k1", &stay).await;
    let second = guest.books("k2", &stay).await;
    let id = |answer: &crate::house::Answer| answer.id().parse().unwrap();
    let reader = house.state.reader();
    let (one, two) = (reader.booking(id(&first)).unwrap(), reader.booking(id(&second)).unwrap());
    for booking in [&one, &two] {
        let bytes = &booking.guest.bytes;
        for plain in ["สมชาย", "somchai", "high floor", "234"] {
            let found = bytes.windows(plain.len()).any(|window| window == plain.as_bytes());
            assert!(!found, "{plain}");
        }
    }
    // One person has one key, whatever the booking.
    assert_eq!((one.guest.guest, one.guest.key), (two.guest.guest, two.guest.key));
    assert_ne!(one.guest.bytes, two.guest.bytes);
    assert_eq!(first.body["guest"], second.body["guest"]);
    assert_ne!(first.body["guest"], Value::Null);
    house.close().await;
}
