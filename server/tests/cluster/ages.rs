//! A node says how old its state may be, and looks whether it is where a read asks for less.

use http::HeaderName;
use serde_json::Value;

use super::nodes::until;
use super::{Client, Hotel, Request, hold, three};
use holdfast_server::client::Reply;
use holdfast_server::clock;

/// A read that takes what is `most` milliseconds old, or anything.
async fn read(client: &Client, hotel: &Hotel, most: Option<u64>) -> Reply {
    let night = hotel.night(0);
    let path = format!("/v1/hotels/{}/inventory?from={night}&to={night}", hotel.id);
    let mut request = Request::get(path);
    if let Some(most) = most {
        let name = HeaderName::from_static("max-engine-age");
        request = request.header(name, most.to_string());
    }
    client.send(&request).await.unwrap()
}

fn held(reply: &Reply) -> u64 {
    let body: Value = reply.ok().unwrap();
    body["items"][0]["held"].as_u64().unwrap()
}

fn age_ms(reply: &Reply) -> Option<u128> {
    reply.header("engine-age").map(|age| age.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_never_shows_what_is_older_than_it_says_or_was_asked_for() {
    let mut nodes = three().await;
    let leader = nodes.leader().await;
    let writer = nodes.client(leader, "partner");
    let hotel = Hotel::open(&writer, &nodes.client(leader, "admin"), &[9], 5).await;
    let follower = nodes.follower().await;
    let reader = nodes.client(follower, "partner");
    for round in 1..=6 {
        // It stands still while others write; what it has missed is still to come when it goes on.
        nodes.up[&follower].signal("STOP");
        let key = format!("missed {round}");
        writer.send(&hold(&hotel, &key)).await.unwrap().ok::<Value>().unwrap();
        let told = clock::instant();
        nodes.up[&follower].signal("CONT");
        if round % 2 == 0 {
            assert_eq!(held(&read(&reader, &hotel, Some(0)).await), round);
        }
        loop {
            let asked = told.elapsed().as_millis();
            let reply = read(&reader, &hotel, None).await;
            let age = age_ms(&reply).unwrap();
            if held(&reply) == round {
                break;
            }
            assert!(age >= asked, "{age} ms old, and lacks what was told {asked} ms before");
        }
    }

    // Whoever is left alone tells of an age that grows, and refuses what it cannot promise.
    for other in [leader, *nodes.up.keys().find(|id| ![leader, follower].contains(*id)).unwrap()] {
        nodes.up.remove(&other).unwrap().kill();
    }
    until("a node alone says so", async || nodes.readyz(follower).await.0 == 503).await;
    let reply = read(&reader, &hotel, None).await;
    assert!(held(&reply) == 6 && age_ms(&reply).unwrap() >= 1_000, "{reply:?}");
    let refused = read(&reader, &hotel, Some(500)).await;
    assert_eq!((refused.status, refused.code()), (503, "engine.behind".into()));
    assert_eq!(held(&read(&reader, &hotel, Some(3_600_000)).await), 6);

    // Started again it knows of no age, answers who does not ask for one, and wants no traffic.
    nodes.up.remove(&follower).unwrap().kill();
    nodes.start(follower);
    let reader = nodes.client(follower, "partner");
    let reply = read(&reader, &hotel, None).await;
    assert_eq!((held(&reply), age_ms(&reply)), (6, None));
    let refused = read(&reader, &hotel, Some(3_600_000)).await;
    assert_eq!((refused.status, refused.code()), (503, "engine.behind".into()));
    let (status, says) = nodes.readyz(follower).await;
    assert!(status == 503 && says.starts_with("starting"), "{status} {says}");
    nodes.start(leader);
    nodes.ready(follower).await;
    assert!(age_ms(&read(&reader, &hotel, Some(0)).await).is_some());
}
