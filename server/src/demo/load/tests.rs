//! The loader against a small market of its own: doors that remember, and can be told to fail.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::Router;
use axum::body::Bytes as Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::civil::date;
use serde_json::json;

use super::*;
use crate::client::Limits;
use crate::demo::Settings;

#[derive(Default)]
struct Market {
    /// Idempotency key → id given.
    ids: Mutex<HashMap<String, String>>,
    live: AtomicUsize,
    last_seqs: Mutex<HashMap<String, u64>>,
    lines: AtomicUsize,
    /// Streams that are still taken; later ones fail half-way.
    streams_left: AtomicUsize,
}

type Shared = State<Arc<Market>>;

async fn create(State(market): Shared, headers: HeaderMap) -> (StatusCode, axum::Json<Value>) {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let mut ids = market.ids.lock().unwrap();
    let next = ids.len();
    let id = ids.entry(key).or_insert_with(|| format!("id_{next}"));
    (StatusCode::CREATED, axum::Json(json!({"id": id})))
}

async fn approve(State(market): Shared) -> axum::Json<Value> {
    market.live.fetch_add(1, SeqCst);
    axum::Json(json!({"id": "htl", "status": "live"}))
}

async fn source(State(market): Shared, Path(source): Path<String>) -> axum::Json<Value> {
    let last_seq = market.last_seqs.lock().unwrap().get(&source).copied().unwrap_or(0);
    axum::Json(json!({"source": source, "last_seq": last_seq}))
}

async fn ari(
    State(market): Shared,
    Query(query): Query<HashMap<String, String>>,
    body: Body,
) -> Response {
    let left = market.streams_left.load(SeqCst);
    let lines: Vec<Value> = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let taken = if left == 0 { lines.len() / 2 } else { lines.len() };
    market.streams_left.store(left.saturating_sub(1), SeqCst);
    let mut answer = String::new();
    let mut last_seqs = market.last_seqs.lock().unwrap();
    for line in &lines[..taken] {
        let seq = line["seq"].as_u64().unwrap();
        let last = last_seqs.entry(query["source"].clone()).or_default();
        assert!(seq > *last, "{seq} after {last}");
        *last = seq;
        market.lines.fetch_add(1, SeqCst);
        answer += &json!({"seq": seq, "status": "applied", "index": "1"}).to_string();
        answer += "\n";
    }
    if taken < lines.len() {
        let refused = json!({"seq": 0, "status": "rejected", "code": "night.past", "detail": "?"});
        answer += &refused.to_string();
    } else {
        answer += &json!({"summary": {"lines": taken}}).to_string();
    }
    answer.into_response()
}

async fn open(market: &Arc<Market>) -> Doors {
    let router = Router::new()
        .route("/v1/hotels", post(create))
        .route("/v1/hotels/{id}/room-types", post(create))
        .route("/v1/room-types/{id}/rate-plans", post(create))
        .route("/v1/hotels/{id}/submit", post(create))
        .route("/v1/admin/hotels/{id}/approve", post(approve))
        .route("/v1/ari/sources/{source}", get(source))
        .route("/v1/ari", post(ari))
        .with_state(Arc::clone(market));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = Client::new(&url, Limits::default()).unwrap();
    Doors { partners: vec![client.clone(), client.clone()], admin: client }
}

fn demo() -> Arc<Demo> {
    let today = date(2026, 11, 22);
    Arc::new(Demo::new(Settings { seed: 1, hotels: 20, today, nights: 365 }))
}

#[tokio::test]
async fn everything_is_loaded_once_and_a_second_run_loads_nothing() {
    let market = Arc::new(Market { streams_left: 1_000.into(), ..Market::default() });
    let (doors, demo) = (open(&market).await, demo());
    assert!(!is_complete(&demo, &doors).await.unwrap());
    let loaded = load(Arc::clone(&demo), &doors, true).await.unwrap();
    assert_eq!((loaded.found, loaded.added), (0, 20));
    assert_eq!(loaded.lines, market.lines.load(SeqCst) as u64);
    assert_eq!(market.live.load(SeqCst), 20);
    assert!(is_complete(&demo, &doors).await.unwrap());
    let again = load(Arc::clone(&demo), &doors, true).await.unwrap();
    assert_eq!(again, Loaded { found: 20, added: 0, lines: 0 });
    assert_eq!(market.live.load(SeqCst), 20);
}

#[tokio::test]
async fn an_interrupted_run_goes_on_where_it_stopped() {
    let market = Arc::new(Market { streams_left: 7.into(), ..Market::default() });
    let (doors, demo) = (open(&market).await, demo());
    let error = load(Arc::clone(&demo), &doors, true).await.unwrap_err();
    assert!(error.to_string().contains("night.past"), "{error}");
    market.streams_left.store(1_000, SeqCst);
    let rest = load(Arc::clone(&demo), &doors, true).await.unwrap();
    assert_eq!(rest.found + rest.added, 20);
    assert!(rest.found > 0 && rest.added > 0, "{rest:?}");

    let whole = Arc::new(Market { streams_left: 1_000.into(), ..Market::default() });
    load(demo, &open(&whole).await, true).await.unwrap();
    assert_eq!(market.lines.load(SeqCst), whole.lines.load(SeqCst), "every line once");
    let made = |market: &Market| market.ids.lock().unwrap().len();
    assert_eq!(made(&market), made(&whole), "nothing made twice");
}

#[test]
fn one_hotel_fits_the_numbers_set_aside_for_it() {
    let demo =
        Demo::new(Settings { seed: 3, hotels: 2_000, today: date(2026, 11, 22), nights: 1_100 });
    for at in 0..demo.len() {
        let hotel = demo.hotel(at).unwrap();
        let ids: Vec<RoomIds> = hotel
            .rooms
            .iter()
            .map(|room| RoomIds {
                room_type: String::new(),
                rate_plans: vec![String::new(); room.plans.len()],
            })
            .collect();
        assert!((hotel.ari(&ids, 1).count() as u64) < SEQS_PER_HOTEL);
    }
}

/// A server with an empty log, and the doors of its loader.
async fn node(data_dir: &std::path::Path) -> (crate::serve::Server, Doors) {
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let config = crate::config::Config {
        data_dir: data_dir.to_owned(),
        http: any,
        ops: any,
        ..crate::config::Config::default()
    };
    let server = crate::serve::start(config, None).await.unwrap();
    let client = Client::new(&format!("http://{}", server.http()), Limits::default()).unwrap();
    let holder = |role, subject| {
        let token = server.state().keys().mint(role, subject, 3_600).unwrap();
        client.with_token(&token).unwrap()
    };
    use crate::auth::Role;
    let partners = vec![holder(Role::Partner, "north"), holder(Role::Partner, "south")];
    let admin = holder(Role::Admin, "admin");
    (server, Doors { partners, admin })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_node_takes_every_line_and_sells_the_rooms() {
    let data_dir = tempfile::tempdir().unwrap();
    let (server, doors) = node(data_dir.path()).await;
    let now = jiff::Timestamp::from_second(crate::clock::wall_s().try_into().unwrap()).unwrap();
    let today = now.to_zoned(jiff::tz::offset(7).to_time_zone()).date();
    let demo = Arc::new(Demo::new(Settings { seed: 1, hotels: 77, today, nights: 365 }));
    let loaded = load(Arc::clone(&demo), &doors, true).await.unwrap();
    assert_eq!((loaded.found, loaded.added), (0, 77));
    assert!(is_complete(&demo, &doors).await.unwrap());

    let live = doors.admin.get("/v1/admin/hotels?status=live&limit=200").await.unwrap();
    let live: Value = live.ok().unwrap();
    assert_eq!(live["items"].as_array().unwrap().len(), 77);
    let id = live["items"][0]["id"].as_str().unwrap();
    let last = today.saturating_add(jiff::ToSpan::days(364));
    let path = format!("/v1/hotels/{id}/inventory?from={last}&to={last}");
    let rooms: Value = doors.admin.get(path).await.unwrap().ok().unwrap();
    assert!(rooms["items"][0]["allotment"].as_u64().unwrap() >= 2, "{rooms}");
    server.shutdown().await;

    let (server, doors) = node(data_dir.path()).await;
    let again = load(demo, &doors, true).await.unwrap();
    assert_eq!(again, Loaded { found: 77, added: 0, lines: 0 });
    server.shutdown().await;
}
