//! The operators' listener and the end of a server.

use holdfast_server::client::{Client, Limits, Request};
use holdfast_server::data_dir;
use holdfast_server::serve;
use serde_json::Value;

use crate::house::{Dir, House, config, problem};

fn ops(house: &House) -> Client {
    Client::new(&format!("http://{}", house.server.ops()), Limits::default()).unwrap()
}

#[tokio::test]
async fn health_readiness_and_metrics_are_open_and_calls_need_the_operators_token() {
    let house = House::open().await;
    let client = ops(&house);
    assert_eq!(client.send(&Request::get("/healthz")).await.unwrap().status, 200);
    assert_eq!(client.send(&Request::get("/readyz")).await.unwrap().status, 200);
    house.anyone().send(&Request::get("/v1/nothing")).await.unwrap();
    let metrics = client.send(&Request::get("/metrics")).await.unwrap();
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(text.contains("holdfast_http_requests_total{"), "{text}");

    let status = Request::get("/v1/ops/status");
    problem(&client.send(&status).await.unwrap(), 401, "auth.invalid");
    let admin = client.with_token(&house.token(holdfast_server::auth::Role::Admin, "r")).unwrap();
    problem(&admin.send(&status).await.unwrap(), 401, "auth.invalid");
    let (addresses, token) = data_dir::peek_operator(house.dir.path()).unwrap();
    assert_eq!((addresses.http, addresses.ops), (house.server.http(), house.server.ops()));
    let operator = client.with_token(&token).unwrap();
    let found: Value = operator.send(&status).await.unwrap().ok().unwrap();
    assert_eq!((&found["phase"], &found["role"]), (&"serving".into(), &"leader".into()));
    // The public listener has none of it.
    let public = house.anyone().with_token(&token).unwrap();
    problem(&public.send(&status).await.unwrap(), 404, "route.not_found");
    house.server.shutdown().await;
}

#[tokio::test]
async fn a_demo_is_ready_only_once_its_data_is_there() {
    let dir = Dir::new();
    let demo = holdfast_server::config::Config { ready_after_load: true, ..config(&dir) };
    let server = serve::start(demo, None).await.unwrap();
    let house = House { server, dir };
    assert_eq!(ops(&house).send(&Request::get("/readyz")).await.unwrap().status, 503);
    house.server.state().readiness().set_loaded();
    assert_eq!(ops(&house).send(&Request::get("/readyz")).await.unwrap().status, 200);
    house.server.shutdown().await;
}

#[tokio::test]
async fn two_servers_cannot_share_a_directory_and_a_horizon_stays() {
    let house = House::open().await;
    let second = serve::start(config(&house.dir), None).await;
    assert!(matches!(second, Err(serve::Error::DataDir(data_dir::Error::Locked { .. }))));
    let House { server, dir } = house;
    server.shutdown().await;
    let other = holdfast_server::config::Config { horizon_nights: Some(400), ..config(&dir) };
    let refused = serve::start(other, None).await.err().unwrap().to_string();
    assert!(refused.contains("--horizon 730"), "{refused}");
}
