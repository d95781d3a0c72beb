//! The client against a small server of its own on a loopback port.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request as Incoming;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::*;

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn limits() -> Limits {
    Limits {
        connections_max: 4,
        connect: Duration::from_secs(2),
        request: Duration::from_secs(5),
        patience: Duration::from_secs(5),
        reply_bytes_max: 1_000,
        line_bytes_max: 100,
    }
}

#[test]
fn addresses_it_cannot_speak_to_are_refused_with_a_reason() {
    for (url, words) in [
        ("https://hotel.example", "plain HTTP only"),
        ("hotel.example:8080", "http://"),
        ("ftp://hotel.example", "http://"),
        ("", "not a URL"),
        ("http://hotel.example/?a=b", "query"),
    ] {
        let error = base_of(url).unwrap_err().to_string();
        assert!(error.contains(words), "{url}: {error}");
    }
    assert_eq!(base_of("http://127.0.0.1:8080/").unwrap(), "http://127.0.0.1:8080");
    assert_eq!(base_of("http://[::1]:8080/hotels/").unwrap(), "http://[::1]:8080/hotels");
}

#[tokio::test]
async fn token_key_and_body_arrive_and_the_reply_comes_back() {
    let echo = post(async |headers: HeaderMap, body: String| {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let said = [text("authorization"), text("idempotency-key"), text("content-length"), body];
        (StatusCode::CREATED, axum::Json(said))
    });
    let url = serve(Router::new().route("/v1/echo", echo)).await;
    let client = Client::new(&url, limits()).unwrap().with_token("secret\n").unwrap();
    let reply = client.post("/v1/echo", "k1", &json!({"a": 1})).await.unwrap();
    assert_eq!(reply.status, 201);
    assert_eq!(reply.json::<[String; 4]>().unwrap(), ["Bearer secret", "k1", "7", r#"{"a":1}"#]);
}

#[tokio::test]
async fn no_answer_yet_is_asked_again_with_the_same_key() {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&keys);
    let answer = post(async move |headers: HeaderMap| {
        let mut seen = seen.lock().unwrap();
        seen.push(headers["idempotency-key"].to_str().unwrap().to_owned());
        let after = [("retry-after", "0")];
        let running = json!({"code": "idempotency.in_progress"});
        match seen.len() {
            1 => (StatusCode::SERVICE_UNAVAILABLE, after, axum::Json(Value::Null)),
            2 => (StatusCode::CONFLICT, after, axum::Json(running)),
            3 => (StatusCode::TOO_MANY_REQUESTS, after, axum::Json(Value::Null)),
            _ => (StatusCode::CREATED, after, axum::Json(json!({"id": "hold_1"}))),
        }
    });
    let url = serve(Router::new().route("/v1/holds", answer)).await;
    let client = Client::new(&url, limits()).unwrap();
    let request = Request::post("/v1/holds").key("same").json(&json!({}));
    let settled = client.settle(&request).await.unwrap();
    assert_eq!((settled.reply.status, settled.attempts), (201, 4));
    assert_eq!(*keys.lock().unwrap(), ["same"; 4]);
}

#[tokio::test]
async fn a_refusal_is_an_answer_even_if_it_names_a_time() {
    let problem = |code: &str| axum::Json(json!({"code": code, "detail": "none left"}));
    let url = serve(
        Router::new()
            .route(
                "/short",
                post(async move || {
                    let after = [("retry-after", "1")];
                    (StatusCode::CONFLICT, after, problem("inventory.insufficient"))
                }),
            )
            .route(
                "/quota",
                post(async move || {
                    let after = [("retry-after", "1")];
                    (StatusCode::TOO_MANY_REQUESTS, after, problem("hold.quota_exceeded"))
                }),
            ),
    )
    .await;
    let client = Client::new(&url, limits()).unwrap();
    for (path, code) in [("/short", "inventory.insufficient"), ("/quota", "hold.quota_exceeded")] {
        let request = Request::post(path).key("k").json(&json!({}));
        let settled = client.settle(&request).await.unwrap();
        assert_eq!((settled.attempts, settled.reply.code().as_str()), (1, code));
    }
}

#[tokio::test]
async fn what_is_unsafe_to_repeat_is_sent_once() {
    let sent = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&sent);
    let answer = post(async move || {
        seen.fetch_add(1, SeqCst);
        StatusCode::SERVICE_UNAVAILABLE
    });
    let url = serve(Router::new().route("/once", answer)).await;
    let client = Client::new(&url, limits()).unwrap();
    let error = client.settle(&Request::post("/once")).await.unwrap_err();
    assert!(matches!(error, Error::Undecided { attempts: 1, .. }), "{error}");
    assert_eq!(sent.load(SeqCst), 1);
}

#[tokio::test]
async fn patience_ends() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let limits = Limits { patience: Duration::from_millis(100), ..limits() };
    let client = Client::new(&url, limits).unwrap();
    let error = client.get("/").await.unwrap_err();
    assert!(error.to_string().contains("no connection to http://127.0.0.1"), "{error}");
}

#[tokio::test]
async fn a_reply_beyond_the_bound_is_not_read() {
    let url = serve(
        Router::new()
            .route("/at", get(async || "x".repeat(1_000)))
            .route("/past", get(async || "x".repeat(1_001))),
    )
    .await;
    let client = Client::new(&url, limits()).unwrap();
    assert_eq!(client.get("/at").await.unwrap().body.len(), 1_000);
    assert!(matches!(client.get("/past").await, Err(Error::TooLong(1_000))));
}

fn echoing() -> Router {
    let echo = post(async |incoming: Incoming| {
        axum::body::Body::from_stream(incoming.into_body().into_data_stream())
    });
    Router::new().route("/echo", echo)
}

#[tokio::test]
async fn the_first_line_comes_back_before_the_second_is_sent() {
    let client = Client::new(&serve(echoing()).await, limits()).unwrap();
    let (upload, mut download) = client.stream(Request::post("/echo")).await.unwrap();
    upload.send("{\"seq\":1}\n").await.unwrap();
    assert_eq!(download.next_json::<Value>().await.unwrap(), Some(json!({"seq": 1})));
    upload.send("{\"seq\"").await.unwrap();
    upload.send(":2}\r\n\n{\"seq\":3}").await.unwrap();
    upload.finish();
    assert_eq!(download.next_line().await.unwrap().unwrap(), &b"{\"seq\":2}"[..]);
    assert_eq!(download.next_line().await.unwrap().unwrap(), &b""[..]);
    assert_eq!(download.next_line().await.unwrap().unwrap(), &b"{\"seq\":3}"[..]);
    assert_eq!(download.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn a_line_beyond_the_bound_ends_the_stream() {
    let client = Client::new(&serve(echoing()).await, limits()).unwrap();
    let (upload, mut download) = client.stream(Request::post("/echo")).await.unwrap();
    upload.send("x".repeat(101)).await.unwrap();
    assert!(matches!(download.next_line().await, Err(Error::TooLong(100))));
}

#[tokio::test]
async fn a_refused_stream_says_why() {
    let refuse = post(async || {
        (StatusCode::FORBIDDEN, axum::Json(json!({"code": "auth.forbidden", "detail": "no"})))
    });
    let url = serve(Router::new().route("/ari", refuse)).await;
    let client = Client::new(&url, limits()).unwrap();
    let (upload, mut download) = client.stream(Request::post("/ari")).await.unwrap();
    upload.finish();
    let error = download.next_line().await.unwrap_err();
    assert_eq!(error.to_string(), "refused with 403 auth.forbidden: no");
}

#[tokio::test]
async fn connections_are_bounded() {
    let under_way = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (counted, seen) = (Arc::clone(&under_way), Arc::clone(&most));
    let answer = get(async move || {
        seen.fetch_max(counted.fetch_add(1, SeqCst) + 1, SeqCst);
        tokio::task::yield_now().await;
        counted.fetch_sub(1, SeqCst);
    });
    let url = serve(Router::new().route("/", answer)).await;
    let client = Client::new(&url, limits()).unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let client = client.clone();
        calls.spawn(async move { client.get("/").await.unwrap().status });
    }
    assert!(calls.join_all().await.iter().all(|status| *status == 200));
    assert!(most.load(SeqCst) <= 4);
}
