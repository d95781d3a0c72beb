//! A partner describes its house: create, read, change, submit, approve, suspend.

use holdfast_server::client::Request;
use serde_json::{Value, json};

use crate::house::{House, create, hotel_body, key, problem, rate_plan_body, room_type_body};

#[tokio::test]
async fn a_hotel_goes_from_draft_to_live_and_off_again() {
    let house = House::open().await;
    let (partner, admin) = (house.partner("chain-a"), house.admin());
    let hotel = house.hotel(&partner).await;
    let read = || async {
        let reply = partner.send(&Request::get(format!("/v1/hotels/{}", hotel.id))).await.unwrap();
        reply.ok::<Value>().unwrap()
    };
    assert_eq!(read().await["status"], "draft");
    let approve = format!("/v1/admin/hotels/{}/approve", hotel.id);
    let early = admin.send(&Request::post(&approve).key(key())).await.unwrap();
    problem(&early, 409, "state.conflict");

    let submit = format!("/v1/hotels/{}/submit", hotel.id);
    let reply = partner.send(&Request::post(&submit).key(key()).json(&json!({}))).await.unwrap();
    assert_eq!(reply.ok::<Value>().unwrap()["status"], "pending");
    let pending = admin.send(&Request::get("/v1/admin/hotels?status=pending")).await.unwrap();
    assert_eq!(pending.ok::<Value>().unwrap()["items"][0]["id"], hotel.id.as_str());

    let reply = admin.send(&Request::post(&approve).key(key())).await.unwrap();
    assert_eq!(reply.ok::<Value>().unwrap()["status"], "live");
    let suspend = format!("/v1/admin/hotels/{}/suspend", hotel.id);
    let reply = admin.send(&Request::post(&suspend).key(key())).await.unwrap();
    assert_eq!(reply.ok::<Value>().unwrap()["status"], "suspended");
    let none = admin.send(&Request::get("/v1/admin/hotels?status=pending")).await.unwrap();
    assert_eq!(none.ok::<Value>().unwrap()["items"], json!([]));
    house.server.shutdown().await;
}

#[tokio::test]
async fn what_was_written_is_read_back_and_survives_a_restart() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let paths = [
        (format!("/v1/hotels/{}", hotel.id), hotel_body()),
        (format!("/v1/room-types/{}", hotel.room_type), room_type_body()),
        (format!("/v1/rate-plans/{}", hotel.rate_plan), rate_plan_body()),
    ];
    let mut before = Vec::new();
    for (path, written) in &paths {
        let read: Value = partner.send(&Request::get(path)).await.unwrap().ok().unwrap();
        for (field, value) in written.as_object().unwrap() {
            let known_otherwise = (field == "province").then(|| json!("TH-83"));
            assert_eq!(read[field], known_otherwise.unwrap_or(value.clone()), "{path} {field}");
        }
        before.push(read);
    }
    assert_eq!(before[0]["room_types"][0]["id"], json!(hotel.room_type));
    assert_eq!(before[0]["room_types"][0]["rate_plans"][0]["id"], json!(hotel.rate_plan));
    assert_eq!(before[1]["rate_plans"], json!([hotel.rate_plan]));
    drop(partner);

    let house = house.reopen().await;
    let partner = house.partner("chain-a");
    for ((path, _), before) in paths.iter().zip(before) {
        let read: Value = partner.send(&Request::get(path)).await.unwrap().ok().unwrap();
        assert_eq!(read, before, "{path}");
    }
    house.server.shutdown().await;
}

#[tokio::test]
async fn a_change_needs_the_version_it_saw() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    for (path, body) in [
        (format!("/v1/hotels/{}", hotel.id), hotel_body()),
        (format!("/v1/room-types/{}", hotel.room_type), room_type_body()),
        (format!("/v1/rate-plans/{}", hotel.rate_plan), rate_plan_body()),
    ] {
        let mut body = body;
        body["name"]["en"] = json!("Changed");
        let put = || Request::put(&path).json(&body);
        problem(&partner.send(&put()).await.unwrap(), 428, "precondition.required");
        let stale = partner.send(&put().if_match("\"99\"")).await.unwrap();
        problem(&stale, 412, "precondition.failed");
        let weak = partner.send(&put().if_match("W/\"1\"")).await.unwrap();
        problem(&weak, 412, "precondition.failed");

        let read = partner.send(&Request::get(&path)).await.unwrap();
        let etag = read.header("etag").unwrap().to_owned();
        let changed = partner.send(&put().if_match(&etag)).await.unwrap();
        assert_eq!(changed.ok::<Value>().unwrap()["name"]["en"], "Changed");
        assert_ne!(changed.header("etag").unwrap(), etag);
        let again = partner.send(&put().if_match(&etag)).await.unwrap();
        problem(&again, 412, "precondition.failed");
    }
    house.server.shutdown().await;
}

#[tokio::test]
async fn the_same_key_makes_one_hotel_and_gives_the_first_answer() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let post = |key: &str, body: &Value| Request::post("/v1/hotels").key(key).json(body);
    let first = partner.send(&post("k1", &hotel_body())).await.unwrap();
    assert_eq!(first.status, 201);
    assert_eq!(first.header("idempotent-replayed"), None);
    // The same meaning in other bytes.
    let mut same = hotel_body();
    same["zone"] = json!("Asia/Bangkok");
    same["currency"] = json!("THB");
    let again = partner.send(&post("k1", &same)).await.unwrap();
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));

    let mut other = hotel_body();
    other["stars"] = json!(5);
    let reused = partner.send(&post("k1", &other)).await.unwrap();
    problem(&reused, 422, "idempotency.key_reused");
    // Another principal's key is another key.
    let elsewhere = house.partner("chain-b").send(&post("k1", &hotel_body())).await.unwrap();
    assert_eq!(elsewhere.status, 201);
    assert_ne!(elsewhere.field("id"), first.field("id"));
    let list = partner.send(&Request::get("/v1/hotels")).await.unwrap();
    assert_eq!(list.ok::<Value>().unwrap()["items"].as_array().unwrap().len(), 1);

    drop(partner);
    let house = house.reopen().await;
    let after = house.partner("chain-a").send(&post("k1", &hotel_body())).await.unwrap();
    assert_eq!((after.status, &after.body), (201, &first.body));
    assert_eq!(after.header("idempotent-replayed"), Some("true"));
    house.server.shutdown().await;
}

#[tokio::test]
async fn lists_page_without_gap_or_repeat() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(create(&partner, "/v1/hotels", &hotel_body()).await);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/hotels?limit=2{cursor}");
        let page: Value = partner.send(&Request::get(path)).await.unwrap().ok().unwrap();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, made);
    for path in ["/v1/hotels?limit=0", "/v1/hotels?limit=201"] {
        problem(&partner.send(&Request::get(path)).await.unwrap(), 422, "field.range");
    }
    house.server.shutdown().await;
}
