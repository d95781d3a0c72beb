//! Search: where, what, in which order, page by page.

use serde_json::{Value, json};

use crate::house::{Caller, Hotel, House};

const STAY: &str = "check_in=2027-01-20&check_out=2027-01-22";

async fn ids(caller: &Caller, query: &str) -> Vec<String> {
    let found = caller.get(&format!("/v1/search?{STAY}&{query}")).await.expect(200);
    let items = found.body["items"].as_array().unwrap();
    assert_eq!(found.body["total"], items.len(), "one page: {query}");
    items.iter().map(|item| item["hotel"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Three hotels: two in Phuket town, one in Chiang Mai.
async fn three(house: &House) -> [Hotel; 3] {
    let near = house.hotel("Near", (1, 5), |_| {}).await;
    let far = house
        .hotel("Far", (1, 5), |body| {
            body["lat"] = 7.92.into();
            body["stars"] = 5.into();
            body["amenities"] = json!(["pool", "wifi"]);
            body["property_type"] = "resort".into();
        })
        .await;
    let north = house
        .hotel("North", (1, 5), |body| {
            body["province"] = "TH-50".into();
            (body["lat"], body["lon"]) = (18.79.into(), 98.99.into());
        })
        .await;
    let dearer = json!({
        "seq": 2, "room_type": far.kinds[0].room_type, "rate_plan": far.kinds[0].rate_plan,
        "from": "2027-01-10", "to": "2027-03-10", "price": 300_000,
    });
    house.ari(&far.kinds[0].room_type, &dearer).await;
    [near, far, north]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn areas_filters_and_orders_narrow_and_sort() {
    let house = House::open().await;
    let [near, far, north] = three(&house).await;
    let nobody = house.nobody();
    let (near, far, north) = (&near.id, &far.id, &north.id);
    for (query, expected) in [
        ("destination=prv_83&sort=price", vec![near, far]),
        ("destination=prv_83&sort=price_desc", vec![far, near]),
        ("destination=prv_83&sort=stars", vec![far, near]),
        ("destination=prv_50", vec![north]),
        ("near=7.92,98.39&radius_km=20&sort=distance", vec![far, near]),
        ("near=7.88,98.39&radius_km=1", vec![near]),
        ("bbox=98,7,99,8&sort=price", vec![near, far]),
        ("bbox=98,7,99,19&sort=price&stars=3&limit=200", {
            let mut both = vec![near, north];
            both.sort();
            both
        }),
        ("destination=prv_83&stars=4,5", vec![far]),
        ("destination=prv_83&amenities=pool,wifi", vec![far]),
        ("destination=prv_83&amenities=pool,spa", vec![]),
        ("destination=prv_83&property_type=resort", vec![far]),
        ("destination=prv_83&max_price=300000", vec![near]),
        ("destination=prv_83&min_price=300001", vec![far]),
        ("destination=prv_83&meal_plan=breakfast", vec![]),
        ("destination=prv_83&free_cancellation=true&sort=price", vec![near, far]),
        ("destination=prv_83&rooms=6", vec![]),
        ("destination=prv_83&adults=3", vec![]),
        ("destination=prv_83&rooms=2&adults=3&children_ages=5,8&sort=price", vec![near, far]),
    ] {
        assert_eq!(
            ids(&nobody, query).await,
            expected.into_iter().cloned().collect::<Vec<_>>(),
            "{query}"
        );
    }
    // A hotel as the destination: itself first, then what is around it.
    for (hotel, other) in [(near, far), (far, near)] {
        let around = ids(&nobody, &format!("destination={hotel}")).await;
        assert_eq!(around.iter().collect::<Vec<_>>(), [hotel, other]);
    }
    let found = nobody.get(&format!("/v1/search?{STAY}&near=7.88,98.39")).await.expect(200);
    assert_eq!(found.body["items"][0]["distance_km"], 0.0);
    let found = nobody.get(&format!("/v1/search?{STAY}&destination=prv_83")).await.expect(200);
    assert_eq!(found.body["items"][0]["distance_km"], Value::Null);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_questions_are_refused_with_their_place() {
    let house = House::open().await;
    let nobody = house.nobody();
    let area = "destination=prv_83";
    for (query, status, code, pointer) in [
        (STAY.to_owned(), 422, "search.place", "?destination"),
        (format!("{STAY}&{area}&bbox=1,1,2,2"), 422, "search.place", "?destination"),
        (format!("{STAY}&destination=prv_99"), 422, "destination.unknown", "?destination"),
        (format!("{STAY}&{area}&stars=9"), 422, "field.range", "?stars"),
        (format!("{STAY}&{area}&sort=best"), 422, "field.invalid", "?sort"),
        (format!("{STAY}&{area}&sort=distance"), 400, "search.no_centre", "?sort"),
        (format!("{STAY}&bbox=98,7,99,8&sort=distance"), 400, "search.no_centre", "?sort"),
        (format!("{STAY}&{area}&rooms=-1"), 422, "field.invalid", "?rooms"),
        (format!("{STAY}&{area}&rooms=0"), 422, "field.range", "?rooms"),
        (format!("{STAY}&{area}&limit=201"), 422, "field.range", "?limit"),
        (format!("{STAY}&{area}&cursor=abc"), 422, "cursor.invalid", "?cursor"),
        (format!("{STAY}&{area}&colour=blue"), 400, "field.unknown", "?colour"),
        (format!("{area}&check_in=2027-01-20"), 422, "field.missing", "?check_out"),
        (
            format!("{area}&check_in=2027-01-32&check_out=2027-02-01"),
            422,
            "date.invalid",
            "?check_in",
        ),
    ] {
        let answer = nobody.get(&format!("/v1/search?{query}")).await.refuses(status, code);
        assert_eq!(answer.fields(), [(pointer.into(), code.into())], "{query}");
    }
    for (check_in, check_out, code) in [
        ("2027-01-09", "2027-01-11", "stay.in_past"),
        ("2027-01-20", "2027-01-20", "stay.too_short"),
        ("2027-01-20", "2028-01-21", "stay.too_long"),
        ("2029-01-20", "2029-01-21", "stay.beyond_horizon"),
    ] {
        let query = format!("{area}&check_in={check_in}&check_out={check_out}");
        nobody.get(&format!("/v1/search?{query}")).await.refuses(422, code);
    }
    let unknown = "destination=htl_00000000000000000000000000";
    nobody.get(&format!("/v1/search?{STAY}&{unknown}")).await.refuses(404, "hotel.not_found");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_a_search_neither_repeat_nor_skip_what_did_not_change() {
    let house = House::open().await;
    let mut hotels = Vec::new();
    for at in 0..7 {
        let (name, stars) = (format!("Hotel {at}"), at % 3 + 1);
        hotels.push(house.hotel(&name, (1, 5), |body| body["stars"] = stars.into()).await);
    }
    let nobody = house.nobody();
    for sort in ["recommended", "price", "price_desc", "stars"] {
        let query = format!("{STAY}&destination=prv_83&sort={sort}");
        let whole = nobody.get(&format!("/v1/search?{query}")).await.expect(200);
        let order: Vec<Value> = whole.body["items"].as_array().unwrap().clone();
        assert_eq!(order.len(), 7);
        for limit in [1, 2, 3] {
            let mut seen = Vec::new();
            let mut path = format!("/v1/search?{query}&limit={limit}");
            loop {
                let page = nobody.get(&path).await.expect(200);
                assert_eq!(page.body["total"], 7);
                seen.extend(page.body["items"].as_array().unwrap().clone());
                let Some(cursor) = page.body["next_cursor"].as_str() else { break };
                path = format!("/v1/search?{query}&limit={limit}&cursor={cursor}");
            }
            assert_eq!(seen, order, "{sort} by {limit}");
        }
    }

    // Between two pages a hotel sells out: the others are where they were.
    let query = format!("{STAY}&destination=prv_83&sort=price&limit=3");
    let first = nobody.get(&format!("/v1/search?{query}")).await.expect(200);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let shown: Vec<&str> = first.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["hotel"]["id"].as_str().unwrap())
        .collect();
    let gone = hotels.iter().find(|hotel| shown.contains(&hotel.id.as_str())).unwrap();
    house.guest("ann").holds("k", &gone.hold("2027-01-20", "2027-01-22", 5)).await;
    let rest = nobody.get(&format!("/v1/search?{query}&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.body["total"], 6);
    let mut all: Vec<&str> = shown.clone();
    all.extend(
        rest.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["hotel"]["id"].as_str().unwrap()),
    );
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);

    // A cursor of one question is none of another's.
    let other = format!("{STAY}&destination=prv_83&sort=stars&cursor={cursor}");
    nobody.get(&format!("/v1/search?{other}")).await.refuses(422, "cursor.invalid");
    house.close().await;
}
