//! Promotion codes at the partners' doors: added, listed, changed, removed; nobody else's business.

use holdfast_server::client::{Client, Request};
use serde_json::{Value, json};

use crate::house::{House, create, hotel_body, key, problem, shown};

const PATH: &str = "/v1/promo-codes";

fn body(code: &str) -> Value {
    json!({
        "code": code, "discount": {"percent_bp": 1_500}, "min_nights": 2,
        "book_from": "2027-01-01", "book_until": "2027-02-28",
        "stay_from": "2027-04-01", "stay_until": "2027-04-30",
        "uses_max": 100, "money_max": {"amount": 5_000_000, "currency": "THB"},
    })
}

async fn read(client: &Client, path: &str) -> Value {
    client.send(&Request::get(path)).await.unwrap().ok().unwrap()
}

async fn refuses(client: &Client, request: Request, status: u16, code: &str) -> Value {
    problem(&client.send(&request).await.unwrap(), status, code)
}

#[tokio::test]
async fn a_code_is_added_and_read_in_either_case() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = create(&partner, "/v1/hotels", &hotel_body()).await;
    let mut said = body("songkran");
    said["hotel_ids"] = json!([hotel]);
    let name = key();
    let add = || Request::post(PATH).key(&name).json(&said);
    let added = partner.send(&add()).await.unwrap();
    assert_eq!(added.status, 201, "{}", shown(&added));
    assert_eq!(added.header("location"), Some("/v1/promo-codes/SONGKRAN"));
    assert_eq!(added.header("etag"), Some("\"1\""));
    let view: Value = added.json().unwrap();
    let nothing = json!({"uses": 0, "money": {"amount": 0, "currency": "THB"}});
    for (field, value) in [
        ("code", json!("SONGKRAN")),
        ("status", json!("active")),
        ("discount", json!({"percent_bp": 1_500})),
        ("currency", json!("THB")),
        ("book_until", json!("2027-02-28")),
        ("stay_from", json!("2027-04-01")),
        ("min_nights", json!(2)),
        ("hotel_ids", json!([hotel])),
        ("uses_max", json!(100)),
        ("reserved", nothing.clone()),
        ("committed", nothing),
    ] {
        assert_eq!(view[field], value, "{field}");
    }
    let again = partner.send(&add()).await.unwrap();
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    refuses(&partner, Request::post(PATH).key(key()).json(&said), 409, "promo.code_taken").await;
    assert_eq!(read(&partner, "/v1/promo-codes/Songkran").await, view);
    house.server.shutdown().await;
}

#[tokio::test]
async fn a_code_is_changed_with_its_etag_and_free_again_once_removed() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let place = "/v1/promo-codes/SONGKRAN";
    let add = || Request::post(PATH).key(key()).json(&body("SONGKRAN"));
    assert_eq!(partner.send(&add()).await.unwrap().status, 201);
    let mut other = body("SONGKRAN");
    other["discount"] = json!({"fixed": 50_000});
    let put = || Request::put(place).json(&other);
    refuses(&partner, put(), 428, "precondition.required").await;
    refuses(&partner, put().if_match("\"7\""), 412, "precondition.failed").await;
    let changed = partner.send(&put().if_match("\"1\"")).await.unwrap();
    let etag = changed.header("etag").map(str::to_owned);
    assert_eq!((changed.status, etag.as_deref()), (200, Some("\"2\"")), "{}", shown(&changed));
    assert_eq!(changed.json::<Value>().unwrap()["discount"], json!({"fixed": 50_000}));
    let renamed = Request::put(place).json(&body("OTHER")).if_match("*");
    let renamed = partner.send(&renamed).await.unwrap();
    assert_eq!(renamed.status, 422, "{}", shown(&renamed));

    let gone: Value = partner.send(&Request::delete(place)).await.unwrap().ok().unwrap();
    assert_eq!(gone["status"], "removed");
    refuses(&partner, Request::get(place), 404, "promo_code.not_found").await;
    refuses(&partner, Request::delete(place), 404, "promo_code.not_found").await;
    let anew = partner.send(&add()).await.unwrap();
    assert_eq!(anew.status, 201, "{}", shown(&anew));
    house.server.shutdown().await;
}

#[tokio::test]
async fn what_no_promotion_can_be_is_refused_at_its_place() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    for (field, value, status, pointer) in [
        ("discount", json!({"percent_bp": 0}), 422, "/discount/percent_bp"),
        ("code", json!("two words"), 422, "/code"),
        ("code", Value::Null, 422, "/code"),
        ("stay_until", json!("2027-03-31"), 422, "/stay_until"),
    ] {
        let mut said = body("A");
        said[field] = value;
        let reply = partner.send(&Request::post(PATH).key(key()).json(&said)).await.unwrap();
        assert_eq!(reply.status, status, "{}", shown(&reply));
        assert_eq!(reply.json::<Value>().unwrap()["errors"][0]["pointer"], pointer);
    }
    let mut said = body("A");
    said["colour"] = json!("red");
    let reply = partner.send(&Request::post(PATH).key(key()).json(&said)).await.unwrap();
    assert!(matches!(reply.status, 400 | 422), "{}", shown(&reply));
    let mut said = body("A");
    said["hotel_ids"] = json!(["htl_x"]);
    refuses(&partner, Request::post(PATH).key(key()).json(&said), 404, "hotel.not_found").await;
    let missing = partner.send(&Request::post(PATH).json(&body("A"))).await.unwrap();
    assert_eq!(missing.status, 400, "{}", shown(&missing));
    house.server.shutdown().await;
}

#[tokio::test]
async fn codes_are_their_partners_own_and_an_admin_says_whose() {
    let house = House::open().await;
    let (partner, rival) = (house.partner("chain-a"), house.partner("chain-b"));
    let (guest, admin) = (house.guest("g"), house.admin());
    let hotel = create(&partner, "/v1/hotels", &hotel_body()).await;
    let page = read(&partner, &format!("/v1/hotels/{hotel}")).await;
    let whose = page["partner_id"].as_str().unwrap();
    let add = |code: &str| Request::post(PATH).key(key()).json(&body(code));
    assert_eq!(partner.send(&add("A")).await.unwrap().status, 201);
    // The same code, and nothing of the other's.
    let own = "/v1/promo-codes/A";
    refuses(&rival, Request::get(own), 404, "promo_code.not_found").await;
    assert_eq!(rival.send(&add("A")).await.unwrap().status, 201);
    let named = format!("/v1/promo-codes/A?partner_id={whose}");
    refuses(&rival, Request::get(&named), 404, "partner.not_found").await;
    refuses(&rival, Request::delete(&named), 404, "partner.not_found").await;
    let mut foreign = body("B");
    foreign["hotel_ids"] = json!([hotel]);
    refuses(&rival, Request::post(PATH).key(key()).json(&foreign), 404, "hotel.not_found").await;
    refuses(&guest, add("B"), 403, "auth.forbidden").await;
    refuses(&guest, Request::get(PATH), 403, "auth.forbidden").await;
    // An admin acts for whom it names.
    assert_eq!(admin.send(&Request::get(own)).await.unwrap().status, 422);
    assert_eq!(admin.send(&add("B")).await.unwrap().status, 422);
    let mut said = body("B");
    said["partner_id"] = json!(whose);
    let added = admin.send(&Request::post(PATH).key(key()).json(&said)).await.unwrap();
    assert_eq!(added.status, 201, "{}", shown(&added));
    let listed = read(&admin, &format!("{PATH}?partner_id={whose}")).await;
    assert_eq!(codes(&listed), ["A", "B"]);
    assert_eq!(codes(&read(&rival, PATH).await), ["A"]);
    house.server.shutdown().await;
}

fn codes(listed: &Value) -> Vec<String> {
    let items = listed["items"].as_array().unwrap().iter();
    items.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_list_goes_by_code_a_page_at_a_time() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    for code in ["C", "a", "E", "b", "D"] {
        let add = Request::post(PATH).key(key()).json(&body(code));
        assert_eq!(partner.send(&add).await.unwrap().status, 201);
    }
    let (mut seen, mut path) = (Vec::new(), format!("{PATH}?limit=2"));
    loop {
        let page = read(&partner, &path).await;
        let shown = codes(&page);
        assert!(shown.len() <= 2);
        seen.extend(shown);
        // What is removed before the cursor moves nothing.
        if seen.len() == 2 {
            let gone = partner.send(&Request::delete("/v1/promo-codes/A")).await.unwrap();
            assert_eq!(gone.status, 200);
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{PATH}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["A", "B", "C", "D", "E"]);
    for wrong in ["limit=0", "limit=201", "cursor=!", "page=2"] {
        let reply = partner.send(&Request::get(format!("{PATH}?{wrong}"))).await.unwrap();
        assert!(matches!(reply.status, 400 | 422), "{wrong}: {}", shown(&reply));
    }
    house.server.shutdown().await;
}
