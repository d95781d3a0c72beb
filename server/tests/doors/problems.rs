//! The shape of every refusal, and the bounds of requests: at the bound and one past it.

use holdfast_server::client::{Reply, Request};
use holdfast_server::limits::{BODY_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX};
use http::{HeaderName, Method};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, hotel_body, key, problem};

/// What every problem document has.
fn well_formed(reply: &Reply, status: u16, code: &str) -> Value {
    let document = problem(reply, status, code);
    for field in ["type", "title", "detail", "trace_id"] {
        assert!(!document[field].as_str().unwrap().is_empty(), "{field}: {document}");
    }
    assert_eq!(document["status"], status);
    let trace = reply.header("traceparent").unwrap();
    assert_eq!(trace.split('-').nth(1), document["trace_id"].as_str());
    assert!(reply.header("engine-index").is_some());
    document
}

fn header(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

#[tokio::test]
async fn each_kind_of_bad_request_has_its_problem() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let post = || Request::post("/v1/hotels").key(key());
    let bytes = |text: &str| post().bytes("application/json", text.to_owned());

    let reply = partner.send(&Request::get("/v1/nothing")).await.unwrap();
    well_formed(&reply, 404, "route.not_found");
    let reply = partner.send(&Request::new(Method::PATCH, "/v1/hotels")).await.unwrap();
    well_formed(&reply, 405, "route.method_not_allowed");
    assert!(reply.header("allow").unwrap().contains("POST"));
    let reply = partner.send(&post().bytes("text/plain", "{}")).await.unwrap();
    well_formed(&reply, 415, "request.media_type");
    let reply = partner.send(&bytes("{\"name\":")).await.unwrap();
    well_formed(&reply, 400, "request.malformed");
    let mut body = hotel_body();
    body["colour"] = json!("red");
    let reply = partner.send(&post().json(&body)).await.unwrap();
    let document = well_formed(&reply, 422, "field.unknown");
    assert_eq!(document["errors"][0]["pointer"], "/colour");
    let mut body = hotel_body();
    body["stars"] = json!("four");
    let reply = partner.send(&post().json(&body)).await.unwrap();
    let document = well_formed(&reply, 422, "field.invalid");
    assert_eq!(document["errors"][0]["pointer"], "/stars");
    let mut body = hotel_body();
    body["name"]["en"] = json!("a\u{202E}b");
    body["lat"] = json!(90.1);
    let reply = partner.send(&post().json(&body)).await.unwrap();
    let document = well_formed(&reply, 422, "request.invalid");
    assert_eq!(document["errors"].as_array().unwrap().len(), 2);
    let reply = partner.send(&Request::get("/v1/hotels?colour=red")).await.unwrap();
    let document = well_formed(&reply, 400, "field.unknown");
    assert_eq!(document["errors"][0]["pointer"], "?colour");
    house.server.shutdown().await;
}

#[tokio::test]
async fn bodies_and_keys_are_taken_at_their_bound_and_refused_one_past_it() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let padded = |length: usize| {
        let mut text = hotel_body().to_string();
        text.push_str(&" ".repeat(length - text.len()));
        Request::post("/v1/hotels").key(key()).bytes("application/json", text)
    };
    let reply = partner.send(&padded(BODY_BYTES_MAX)).await.unwrap();
    assert_eq!(reply.status, 201);
    let reply = partner.send(&padded(BODY_BYTES_MAX + 1)).await.unwrap();
    well_formed(&reply, 413, "request.too_large");

    let keyed = |key: String| Request::post("/v1/hotels").key(key).json(&hotel_body());
    let reply = partner.send(&keyed("k".repeat(IDEMPOTENCY_KEY_CHARS_MAX))).await.unwrap();
    assert_eq!(reply.status, 201);
    let reply = partner.send(&keyed("k".repeat(IDEMPOTENCY_KEY_CHARS_MAX + 1))).await.unwrap();
    well_formed(&reply, 400, "idempotency.invalid");
    let reply = partner.send(&Request::post("/v1/hotels").json(&hotel_body())).await.unwrap();
    well_formed(&reply, 400, "idempotency.missing");
    house.server.shutdown().await;
}

#[tokio::test]
async fn a_trace_goes_on_and_a_position_is_waited_for() {
    let house = House::open().await;
    let client = house.anyone();
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = Request::get("/.well-known/jwks.json").header(header("traceparent"), given);
    let reply = client.send(&request).await.unwrap();
    let trace = reply.header("traceparent").unwrap();
    assert!(trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{trace}");

    let made = house
        .partner("chain-a")
        .send(&Request::post("/v1/hotels").key(key()).json(&hotel_body()))
        .await
        .unwrap();
    let seen = made.header("engine-index").unwrap();
    let at = |index: &str| {
        Request::get("/.well-known/jwks.json").header(header("min-engine-index"), index)
    };
    assert_eq!(client.send(&at(seen)).await.unwrap().status, 200);
    well_formed(&client.send(&at("0.999999999")).await.unwrap(), 503, "engine.behind");
    well_formed(&client.send(&at("soon")).await.unwrap(), 400, "engine.position");
    house.server.shutdown().await;
}

#[tokio::test]
async fn heads_past_their_bound_are_refused_and_the_server_goes_on() {
    let house = House::open().await;
    let mut socket = TcpStream::connect(house.server.http()).await.unwrap();
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(64 * 1024));
    // The server may close before all of it is written.
    let _ = socket.write_all(long.as_bytes()).await;
    let mut reply = Vec::new();
    let _ = socket.read_to_end(&mut reply).await;
    let reply = String::from_utf8_lossy(&reply);
    assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 431"), "{reply}");
    let after = house.anyone().send(&Request::get("/openapi.json")).await.unwrap();
    assert_eq!(after.status, 200);
    house.server.shutdown().await;
}

#[tokio::test]
async fn the_description_and_its_page_are_served_and_load_nothing_from_elsewhere() {
    let house = House::open().await;
    let client = house.anyone();
    let document: Value = client.send(&Request::get("/openapi.json")).await.unwrap().ok().unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let page = client.send(&Request::get("/docs")).await.unwrap();
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(page.contains("/openapi.json"));
    assert!(!page.contains("https://") && !page.contains("http://"), "loads from elsewhere");
    house.server.shutdown().await;
}
