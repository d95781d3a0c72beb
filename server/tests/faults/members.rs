//! Nodes replaced under new ids while guests book, and strangers at the door.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::nodes::Nodes;
use crate::relay::Relays;
use crate::trial::{Trial, alone, rounds, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_replaced_under_new_ids_while_guests_book() {
    let _alone = alone().await;
    let mut trial = Trial::begin(Nodes::new(3), 3).await;
    trial.open().await;
    let mut next = 4;
    for _ in 0..rounds() {
        // Once with the old node still up, once with its disk gone.
        for lost in [false, true] {
            let old = trial.nodes.follower().await;
            trial.hurt();
            if lost {
                trial.nodes.up.remove(&old).unwrap().kill();
            }
            let (new, address) = (next.to_string(), trial.nodes.extend(next));
            trial.nodes.start(next);
            let by = trial.nodes.leader().await;
            trial.nodes.call_until_done(by, &["member", "add", &new, &address]).await;
            trial.nodes.ready(next).await;
            trial.nodes.call_until_done(by, &["member", "promote", &new]).await;
            trial.nodes.call_until_done(by, &["member", "remove", &old.to_string()]).await;
            let how = if lost { "lost node replaced" } else { "node replaced" };
            trial.goes_on(how).await;
            if let Some(server) = trial.nodes.up.remove(&old) {
                server.kill();
            }
            next += 1;
        }
        // Guests know the doors of the nodes that were there when they came.
        trial.close().await;
        trial.open().await;
    }
    trial.close().await;
}

/// The bytes of a hello as another version of the frames would send it.
fn hello_of_version(version: u8) -> Vec<u8> {
    let body = [7; 16 + 8 + 16 + 8 + 1];
    let mut frame = Vec::new();
    frame.extend((8 + body.len() as u32).to_le_bytes());
    frame.extend([version, 1, 0, 0, 0, 0, 0, 0]);
    frame.extend(body);
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_frame_version_is_refused_in_words() {
    let _alone = alone().await;
    let (nodes, ways) = Nodes::behind_relays(3);
    let _relays = Relays::start(&ways).await;
    let mut trial = Trial::begin(nodes, 3).await;
    trial.open().await;
    let (node, _, listens) = ways[0];
    for version in [0, 2, 255] {
        let mut stranger = TcpStream::connect(listens).unwrap();
        stranger.write_all(&hello_of_version(version)).unwrap();
        let mut answer = Vec::new();
        stranger.read_to_end(&mut answer).unwrap();
        let why = String::from_utf8_lossy(&answer).into_owned();
        let says = format!("a frame of version {version}; this build speaks 1");
        assert!(why.contains(&says), "{why:?}");
    }
    trial.close().await;
    let said = trial.nodes.up.get_mut(&node).unwrap().said();
    assert!(said.contains("a frame of version 2; this build speaks 1"), "{said}");
    say("nodes of another frame version are refused in words");
}
