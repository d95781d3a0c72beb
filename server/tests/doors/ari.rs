//! The bulk stream: results while the request is still being sent, in order, whatever goes wrong.

use std::io::Write as _;

use holdfast_server::auth::Role;
use holdfast_server::client::{Client, Request};
use holdfast_server::limits::ARI_LINE_BYTES_MAX;
use http::HeaderName;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::house::{Hotel, House, problem};

const NDJSON: &str = "application/x-ndjson";

/// A night so many days from the hotel's today.
fn night(days: i64) -> String {
    let zone = TimeZone::get("Asia/Bangkok").unwrap();
    let now = i64::try_from(holdfast_server::clock::wall_ms()).unwrap();
    let now = Timestamp::from_millisecond(now).unwrap();
    now.to_zoned(zone).date().checked_add(days.days()).unwrap().to_string()
}

fn line(seq: u64, hotel: &Hotel, fields: &Value) -> Value {
    let mut line = json!({
        "seq": seq, "room_type": hotel.room_type, "rate_plan": hotel.rate_plan,
        "from": night(1), "to": night(3),
    });
    for (field, value) in fields.as_object().unwrap() {
        line[field] = value.clone();
    }
    line
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Sends a whole stream; its results and its summary.
async fn send(partner: &Client, path: &str, body: impl Into<bytes::Bytes>) -> (Vec<Value>, Value) {
    let reply = partner.send(&Request::post(path).bytes(NDJSON, body.into())).await.unwrap();
    results(&reply.body)
}

fn results(body: &[u8]) -> (Vec<Value>, Value) {
    let text = std::str::from_utf8(body).unwrap();
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut last = lines.pop().unwrap();
    (lines, last["summary"].take())
}

async fn inventory(partner: &Client, hotel: &Hotel, from: i64, to: i64) -> Vec<Value> {
    let (from, to) = (night(from), night(to));
    let path = format!("/v1/hotels/{}/inventory?from={from}&to={to}", hotel.id);
    let reply: Value = partner.send(&Request::get(path)).await.unwrap().ok().unwrap();
    reply["items"].as_array().unwrap().clone()
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_first_result_is_there_before_the_second_line_is_sent() {
    let house = House::open().await;
    let hotel = house.hotel(&house.partner("chain-a")).await;
    let token = house.token(Role::Partner, "chain-a");
    let socket = TcpStream::connect(house.server.http()).await.unwrap();
    let (read, mut write) = socket.into_split();
    let mut read = BufReader::new(read).lines();
    let head = format!(
        "POST /v1/ari?source=pms HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: {NDJSON}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    write.write_all(head.as_bytes()).await.unwrap();
    for seq in 1..=3 {
        let line = format!("{}\n", line(seq, &hotel, &json!({"allotment": seq})));
        let chunk = format!("{:x}\r\n{line}\r\n", line.len());
        write.write_all(chunk.as_bytes()).await.unwrap();
        // Nothing more is sent until this line's result has come.
        let result = loop {
            let text = read.next_line().await.unwrap().expect("the reply ended early");
            if text.starts_with('{') {
                break serde_json::from_str::<Value>(&text).unwrap();
            }
        };
        assert_eq!((&result["seq"], &result["status"]), (&json!(seq), &json!("applied")));
        assert!(result["index"].is_string());
        // What was answered is there for all to see.
        let cells = inventory(&house.partner("chain-a"), &hotel, 1, 3).await;
        assert!(cells.iter().all(|cell| cell["allotment"] == seq), "{cells:?}");
    }
    write.write_all(b"0\r\n\r\n").await.unwrap();
    let summary = loop {
        let text = read.next_line().await.unwrap().expect("no summary");
        if text.starts_with("{\"summary\"") {
            break serde_json::from_str::<Value>(&text).unwrap()["summary"].take();
        }
    };
    assert_eq!((&summary["applied"], &summary["complete"]), (&json!(3), &json!(true)));
    assert_eq!(summary["last_seq"], 3);
    house.server.shutdown().await;
}

#[tokio::test]
async fn each_line_gets_its_own_answer_and_a_bad_one_stops_nobody() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let other = house.hotel(&house.partner("chain-b")).await;
    let bad = |fields: Value| line(9, &hotel, &fields);
    let cases = [
        (bad(json!({"room_type": other.room_type})), "room_type.not_found", "/room_type"),
        (bad(json!({"room_type": "x", "price": 1})), "room_type.not_found", "/room_type"),
        (
            bad(json!({"rate_plan": other.rate_plan, "price": 1})),
            "rate_plan.not_found",
            "/rate_plan",
        ),
        (bad(json!({"hotel": other.id, "price": 1})), "hotel.not_found", "/hotel"),
        (bad(json!({"colour": 1})), "field.unknown", "/colour"),
        (bad(json!({"currency": "USD", "price": 1})), "currency.mismatch", "/currency"),
        (bad(json!({"days": [], "price": 1})), "ari.no_weekday", "/days"),
        (bad(json!({"from": night(-2), "price": 1})), "stay.in_past", "/from"),
        (bad(json!({"to": night(800), "price": 1})), "stay.beyond_horizon", "/to"),
        (bad(json!({"to": night(0), "price": 1})), "ari.empty_range", "/to"),
        (bad(json!({"from": "2027-02-29", "price": 1})), "date.invalid", "/from"),
        (bad(json!({"allotment": 4096})), "inventory.too_large", "/allotment"),
        (bad(json!({"allotment": 70_000})), "inventory.too_large", "/allotment"),
        (bad(json!({"allotment_delta": -1})), "inventory.below_zero", "/allotment_delta"),
        (bad(json!({"price": -1})), "price.out_of_range", "/price"),
        (bad(json!({"min_stay_arrival": 64})), "ari.stay_limit_out_of_range", ""),
        (bad(json!({"min_stay_arrival": 5, "max_stay_arrival": 4})), "ari.max_below_min", ""),
        (bad(json!({})), "ari.empty", ""),
    ];
    let mut lines: Vec<Value> = cases.iter().map(|(line, ..)| line.clone()).collect();
    lines.push(line(10, &hotel, &json!({"price": 150_000, "allotment": 7})));
    let (results, summary) = send(&partner, "/v1/ari", text(&lines)).await;
    assert_eq!(results.len(), lines.len());
    for (result, (line, code, pointer)) in results.iter().zip(&cases) {
        assert_eq!(result["status"], "rejected", "{line}");
        assert_eq!(
            (&result["code"], &result["pointer"]),
            (&json!(code), &json!(pointer)),
            "{line}"
        );
        assert_eq!(result["seq"], 9, "{line}");
    }
    assert_eq!(results.last().unwrap()["status"], "applied");
    assert_eq!((&summary["rejected"], &summary["applied"]), (&json!(cases.len()), &json!(1)));
    let cells = inventory(&partner, &hotel, 1, 3).await;
    assert!(cells.iter().all(|cell| cell["allotment"] == 7 && cell["available"] == 7));
    house.server.shutdown().await;
}

#[tokio::test]
async fn unreadable_lines_are_named_and_the_rest_is_applied() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let good = |seq| format!("{}\n", line(seq, &hotel, &json!({"allotment": seq})));
    let mut body = Vec::new();
    body.extend_from_slice(b"{\"seq\":1,\n");
    body.extend_from_slice(good(2).as_bytes());
    body.extend_from_slice(b"{\"seq\":3,\"x\":\"\xa1\xd2\xc3\"}\n");
    body.extend(std::iter::repeat_n(b'x', ARI_LINE_BYTES_MAX + 1));
    body.push(b'\n');
    body.extend_from_slice(good(4).as_bytes());
    body.extend_from_slice(b"{\"seq\":5,\"room_type\":");
    let (results, summary) = send(&partner, "/v1/ari", body).await;
    let codes: Vec<_> =
        results.iter().map(|result| result["code"].as_str().unwrap_or("")).collect();
    assert_eq!(
        codes,
        ["request.malformed", "", "text.not_utf8", "ari.line_too_long", "", "ari.partial_line"]
    );
    assert!(results[2]["detail"].as_str().unwrap().contains("TIS-620"));
    assert_eq!(summary["last_seq"], 4);
    let numbers: Vec<_> = results.iter().map(|result| result["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    house.server.shutdown().await;
}

#[tokio::test]
async fn lines_are_superseded_stale_or_unchanged_and_a_source_says_where_it_stands() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let set = |seq, rooms| line(seq, &hotel, &json!({"allotment": rooms}));
    let source = || async {
        let reply = partner.send(&Request::get("/v1/ari/sources/pms")).await.unwrap();
        reply.ok::<Value>().unwrap()["last_seq"].as_u64().unwrap()
    };
    assert_eq!(source().await, 0);
    let lines = text(&[set(1, 5), set(2, 6)]);
    let (results, _) = send(&partner, "/v1/ari?source=pms", lines.clone()).await;
    // Both may also come in two commands, where nothing is superseded.
    assert!(["superseded", "applied"].contains(&statuses(&results)[0]));
    assert_eq!(statuses(&results)[1], "applied");
    assert_eq!(source().await, 2);
    let (results, _) = send(&partner, "/v1/ari?source=pms", lines).await;
    assert_eq!(statuses(&results), ["stale", "stale"]);
    let (results, _) = send(&partner, "/v1/ari?source=pms", text(&[set(3, 6)])).await;
    assert_eq!(statuses(&results), ["unchanged"]);
    // Another source, and another partner's source of the same name, count for themselves.
    let (results, _) = send(&partner, "/v1/ari?source=crs", text(&[set(1, 9)])).await;
    assert_eq!(statuses(&results), ["applied"]);
    let other = house.partner("chain-b").send(&Request::get("/v1/ari/sources/pms")).await.unwrap();
    assert_eq!(other.ok::<Value>().unwrap()["last_seq"], 0);
    house.server.shutdown().await;
}

#[tokio::test]
async fn stop_on_error_applies_nothing_after_the_first_refused_line() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let set = |seq, rooms| line(seq, &hotel, &json!({"allotment": rooms}));
    let lines = [set(1, 5), set(2, 4096), set(3, 7)];
    let (results, summary) = send(&partner, "/v1/ari?stop_on_error=true", text(&lines)).await;
    assert_eq!(statuses(&results), ["applied", "rejected"]);
    assert_eq!((&summary["complete"], &summary["code"]), (&json!(false), &json!("ari.stopped")));
    assert_eq!(summary["last_seq"], 1);
    assert!(inventory(&partner, &hotel, 1, 3).await.iter().all(|cell| cell["allotment"] == 5));
    house.server.shutdown().await;
}

#[tokio::test]
async fn gzip_is_taken_and_other_encodings_and_types_are_refused() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let lines: Vec<Value> =
        (1..=2_000).map(|seq| line(seq, &hotel, &json!({"price": 100_000 + seq}))).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text(&lines).as_bytes()).unwrap();
    let sent = encoder.finish().unwrap();
    let encoding = HeaderName::from_static("content-encoding");
    let post = |bytes: Vec<u8>, how: &str| {
        Request::post("/v1/ari").bytes(NDJSON, bytes).header(encoding.clone(), how)
    };
    let reply = partner.send(&post(sent.clone(), "gzip")).await.unwrap();
    let (results, summary) = results(&reply.body);
    assert_eq!((results.len(), &summary["last_seq"]), (2_000, &json!(2_000)));
    assert_eq!(summary["rejected"], 0);

    let cut = partner.send(&post(sent[..sent.len() / 2].to_vec(), "gzip")).await.unwrap();
    let (_, summary) = self::results(&cut.body);
    assert_eq!((&summary["complete"], &summary["code"]), (&json!(false), &json!("ari.gzip")));
    let reply = partner.send(&post(sent, "br")).await.unwrap();
    problem(&reply, 415, "request.content_encoding");
    let csv = partner.send(&Request::post("/v1/ari").bytes("text/csv", "a,b\n")).await.unwrap();
    let document = problem(&csv, 415, "request.media_type");
    assert!(document["detail"].as_str().unwrap().contains("application/x-ndjson"));
    let reply =
        partner.send(&Request::post("/v1/ari?source=a%20b").bytes(NDJSON, "")).await.unwrap();
    problem(&reply, 422, "field.invalid");
    house.server.shutdown().await;
}

#[tokio::test]
async fn a_connection_cut_within_a_line_applies_only_what_was_whole() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let token = house.token(Role::Partner, "chain-a");
    let mut socket = TcpStream::connect(house.server.http()).await.unwrap();
    let head = format!(
        "POST /v1/ari?source=cut HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: {NDJSON}\r\ncontent-length: 100000\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let whole = text(&[line(1, &hotel, &json!({"allotment": 5}))]);
    let cut = line(2, &hotel, &json!({"allotment": 6})).to_string();
    socket.write_all(whole.as_bytes()).await.unwrap();
    socket.write_all(cut.as_bytes()).await.unwrap();
    let (read, write) = socket.into_split();
    let mut read = BufReader::new(read).lines();
    while let Some(text) = read.next_line().await.unwrap() {
        if text.starts_with('{') {
            break;
        }
    }
    drop((read, write));
    let (results, _) = send(&partner, "/v1/ari?source=cut", whole).await;
    assert_eq!(statuses(&results), ["stale"]);
    assert!(inventory(&partner, &hotel, 1, 3).await.iter().all(|cell| cell["allotment"] == 5));
    house.server.shutdown().await;
}

#[tokio::test]
async fn a_client_that_reads_only_after_it_has_sent_everything_gets_all_its_results() {
    let house = House::open().await;
    let partner = house.partner("chain-a");
    let hotel = house.hotel(&partner).await;
    let token = house.token(Role::Partner, "chain-a");
    let mut socket = TcpStream::connect(house.server.http()).await.unwrap();
    // More results than the sockets' own buffers hold.
    let lines = 60_000;
    let body: String = (1..=lines)
        .map(|seq| format!("{}\n", line(seq, &hotel, &json!({"price": -1, "to": night(1)}))))
        .collect();
    let head = format!(
        "POST /v1/ari HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         connection: close\r\ncontent-type: {NDJSON}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(body.as_bytes()).await.unwrap();
    let mut read = BufReader::new(socket).lines();
    let mut results = 0;
    while let Some(text) = read.next_line().await.unwrap() {
        results += u64::from(text.starts_with("{\"seq\""));
    }
    assert_eq!(results, lines);
    house.server.shutdown().await;
}
