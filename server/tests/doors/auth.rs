//! Who may enter which door: each door × no token, damaged token, wrong role, another's hotel.

use holdfast_server::client::{Client, Request};
use http::Method;
use serde_json::{Value, json};

use crate::house::{Hotel, House, hotel_body, key, problem, rate_plan_body, room_type_body};

struct Door {
    method: Method,
    path: String,
    body: Option<Value>,
    roles: &'static [&'static str],
    /// Whether the path names a thing that belongs to somebody.
    owned: bool,
}

fn doors(hotel: &Hotel) -> Vec<Door> {
    let Hotel { id, room_type, rate_plan } = hotel;
    const MANAGERS: &[&str] = &["partner", "admin"];
    let door = |method: Method, path: String, body: Option<Value>, roles, owned| Door {
        method,
        path,
        body,
        roles,
        owned,
    };
    let inventory = format!("/v1/hotels/{id}/inventory?from=2027-01-01&to=2027-01-02");
    vec![
        door(Method::POST, "/v1/hotels".into(), Some(hotel_body()), &["partner"], false),
        door(Method::GET, "/v1/hotels".into(), None, &["partner"], false),
        door(Method::PUT, format!("/v1/hotels/{id}"), Some(hotel_body()), MANAGERS, true),
        door(Method::POST, format!("/v1/hotels/{id}/submit"), None, MANAGERS, true),
        door(
            Method::POST,
            format!("/v1/hotels/{id}/room-types"),
            Some(room_type_body()),
            MANAGERS,
            true,
        ),
        door(Method::GET, format!("/v1/hotels/{id}/room-types"), None, MANAGERS, true),
        door(Method::GET, format!("/v1/room-types/{room_type}"), None, MANAGERS, true),
        door(
            Method::PUT,
            format!("/v1/room-types/{room_type}"),
            Some(room_type_body()),
            MANAGERS,
            true,
        ),
        door(
            Method::POST,
            format!("/v1/room-types/{room_type}/rate-plans"),
            Some(rate_plan_body()),
            MANAGERS,
            true,
        ),
        door(Method::GET, format!("/v1/room-types/{room_type}/rate-plans"), None, MANAGERS, true),
        door(Method::GET, format!("/v1/rate-plans/{rate_plan}"), None, MANAGERS, true),
        door(
            Method::PUT,
            format!("/v1/rate-plans/{rate_plan}"),
            Some(rate_plan_body()),
            MANAGERS,
            true,
        ),
        door(Method::GET, inventory, None, MANAGERS, true),
        door(Method::POST, "/v1/ari".into(), None, &["partner"], false),
        door(Method::GET, "/v1/ari/sources/pms".into(), None, &["partner"], false),
        door(Method::GET, "/v1/admin/hotels".into(), None, &["admin"], false),
        door(Method::POST, format!("/v1/admin/hotels/{id}/approve"), None, &["admin"], false),
        door(Method::POST, format!("/v1/admin/hotels/{id}/suspend"), None, &["admin"], false),
    ]
}

fn request(door: &Door) -> Request {
    let mut request = Request::new(door.method.clone(), door.path.clone());
    match door.method {
        Method::POST => request = request.key(key()),
        Method::PUT => request = request.if_match("\"1\""),
        _ => {}
    }
    if door.path == "/v1/ari" {
        return request.bytes("application/x-ndjson", "");
    }
    match &door.body {
        Some(body) => request.json(body),
        None => request,
    }
}

#[tokio::test]
async fn every_door_refuses_whoever_it_is_not_for() {
    let house = House::open().await;
    let hotel = house.hotel(&house.partner("chain-a")).await;
    let damaged = format!("{}x", house.token(holdfast_server::auth::Role::Admin, "root"));
    let damaged = house.anyone().with_token(&damaged).unwrap();
    let callers: [(&str, Client); 3] = [
        ("guest", house.guest("g1")),
        ("partner", house.partner("chain-b")),
        ("admin", house.admin()),
    ];
    for door in doors(&hotel) {
        let name = format!("{} {}", door.method, door.path);
        let reply = house.anyone().send(&request(&door)).await.unwrap();
        problem(&reply, 401, "auth.missing");
        assert!(reply.header("www-authenticate").is_some(), "{name}");
        problem(&damaged.send(&request(&door)).await.unwrap(), 401, "auth.invalid");
        for (role, caller) in &callers {
            let reply = caller.send(&request(&door)).await.unwrap();
            if !door.roles.contains(role) {
                problem(&reply, 403, "auth.forbidden");
            } else if door.owned && *role == "partner" {
                // Another's looks exactly like nobody's.
                assert_eq!(reply.status, 404, "{name}");
                assert!(reply.code().ends_with(".not_found"), "{name}: {}", reply.code());
            } else {
                assert!(![401, 403].contains(&reply.status), "{name} {role}: {}", reply.status);
            }
        }
    }
    house.server.shutdown().await;
}

#[tokio::test]
async fn what_is_anothers_answers_like_what_is_not_there() {
    let house = House::open().await;
    let hotel = house.hotel(&house.partner("chain-a")).await;
    let other = house.partner("chain-b");
    let theirs = other.send(&Request::get(format!("/v1/hotels/{}", hotel.id))).await.unwrap();
    let nobodys = "htl_00000000000000000000000000";
    let none = other.send(&Request::get(format!("/v1/hotels/{nobodys}"))).await.unwrap();
    let without_trace = |mut document: Value| {
        document["trace_id"] = json!(null);
        document
    };
    assert_eq!(
        without_trace(problem(&theirs, 404, "hotel.not_found")),
        without_trace(problem(&none, 404, "hotel.not_found")),
    );
    house.server.shutdown().await;
}

#[tokio::test]
async fn the_published_key_is_the_one_that_signs() {
    let house = House::open().await;
    let reply = house.anyone().send(&Request::get("/.well-known/jwks.json")).await.unwrap();
    let keys: Value = reply.ok().unwrap();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    assert_eq!(keys["keys"][0]["alg"], "EdDSA");
    let token = house.token(holdfast_server::auth::Role::Guest, "g");
    let header = token.split('.').next().unwrap();
    use base64::Engine as _;
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["kid"], keys["keys"][0]["kid"]);
    house.server.shutdown().await;
}
