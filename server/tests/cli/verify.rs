//! `holdfast admin verify` and `digest`: beside a node, after one, and on a log that is damaged.

use std::path::{Path, PathBuf};
use std::process::Output;

use holdfast_server::client::{Client, Limits, Request};
use serde_json::{Value, json};

use super::hotel::Hotel;
use super::{Node, holdfast, text};

fn verify(dir: &Path, flags: &[&str]) -> Output {
    let dir = dir.to_str().unwrap();
    let mut arguments = vec!["admin", "verify", "--data-dir", dir];
    arguments.extend(flags);
    holdfast(&arguments)
}

fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{} {}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn client(dir: &Path, role: &str) -> Client {
    let path = dir.to_str().unwrap();
    let token = holdfast(&["token", "--data-dir", path, "--role", role, "--sub", role]);
    let addresses = std::fs::read(dir.join("addresses.json")).unwrap();
    let addresses: Value = serde_json::from_slice(&addresses).unwrap();
    let url = format!("http://{}", addresses["http"].as_str().unwrap());
    Client::new(&url, Limits::default()).unwrap().with_token(&text(&token.stdout)).unwrap()
}

/// Holds, bookings, a release and a cancellation; a cut below what is sold.
async fn traffic(dir: &Path) {
    let (partner, admin) = (client(dir, "partner"), client(dir, "admin"));
    let hotel = Hotel::open(&partner, &admin, &[5, 3], 20).await;
    for at in 0..8usize {
        let kind = &hotel.room_types[at % 2];
        let body = json!({
            "hotel_id": hotel.id, "check_in": hotel.night(at), "check_out": hotel.night(at + 3),
            "lines": [{
                "room_type_id": kind.id, "rate_plan_id": kind.rate_plan, "quantity": 1, "adults": 2,
            }],
        });
        let held = partner.post("/v1/holds", format!("hold-{at}"), &body).await.unwrap();
        let id: String = held.field("id").unwrap();
        if at % 4 == 3 {
            let gone = partner.send(&Request::delete(format!("/v1/holds/{id}"))).await.unwrap();
            assert!(gone.status < 300, "{}", gone.refusal());
            continue;
        }
        let body = json!({
            "hold_id": id, "guest": {"name": "Malee", "email": "malee@example.com"},
            "payment": {"method": "mock", "token": "tok_ok"},
        });
        let booked = partner.post("/v1/bookings", format!("book-{at}"), &body).await.unwrap();
        let id: String = booked.field("id").unwrap();
        if at % 4 == 2 {
            let gone = partner.send(&Request::delete(format!("/v1/bookings/{id}"))).await.unwrap();
            assert!(gone.status < 300, "{}", gone.refusal());
        }
    }
    let cut = json!({
        "seq": 1, "room_type": hotel.room_types[0].id, "from": hotel.night(0),
        "to": hotel.night(5), "allotment": 0,
    });
    let request =
        Request::post("/v1/ari?source=cut").bytes("application/x-ndjson", format!("{cut}\n"));
    let told = partner.send(&request).await.unwrap();
    assert!(text(&told.body).contains("\"applied\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_verified_beside_its_node_and_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    traffic(dir.path()).await;

    let beside = report(&verify(dir.path(), &["--json", "--compare"]));
    assert_eq!((&beside["found"], &beside["compared"]), (&json!(0), &json!(true)));
    assert!(beside["commands"].as_u64().unwrap() > 20, "{beside}");
    let digest =
        holdfast(&["admin", "digest", "--json", "--data-dir", dir.path().to_str().unwrap()]);
    let digest = report(&digest);
    for part in ["holds", "bookings", "cells", "rates", "catalogue"] {
        assert_eq!(digest["parts"][part], beside["digest"][part], "{part}");
    }
    let table = verify(dir.path(), &["--from", "3"]);
    assert_eq!(table.status.code(), Some(0));
    let told = text(&table.stdout);
    assert!(told.starts_with("nothing found: entries 0 to ") && told.contains("from 3"), "{told}");

    assert_eq!(node.terminate(), Some(0));
    let after = report(&verify(dir.path(), &["--json", "--full"]));
    assert_eq!((&after["found"], &after["compared"]), (&json!(0), &json!(false)));
    for part in ["holds", "bookings", "cells", "rates", "catalogue"] {
        assert_eq!(after["digest"][part], beside["digest"][part], "{part}");
    }
    let compared = verify(dir.path(), &["--compare"]);
    assert_eq!(compared.status.code(), Some(1));
    assert!(text(&compared.stderr).contains("nothing to compare with"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    traffic(dir.path()).await;
    assert_eq!(node.terminate(), Some(0));
    let table = largest_table(&dir.path().join("log/raft-log"));
    let mut bytes = std::fs::read(&table).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    std::fs::write(&table, &bytes).unwrap();

    let refused = verify(dir.path(), &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
    let told = text(&refused.stderr);
    assert!(told.contains("log") && told.contains("checksum"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(std::fs::read(&table).unwrap(), bytes);
}

#[test]
fn what_is_no_data_directory_has_nothing_to_verify() {
    let dir = tempfile::tempdir().unwrap();
    let refused = verify(dir.path(), &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("not the data directory"), "{}", text(&refused.stderr));
    assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "nothing was made there");
    assert_eq!(verify(dir.path(), &["--from", "x"]).status.code(), Some(2));
}

/// Where the entries of a stopped node lie.
fn largest_table(dir: &Path) -> PathBuf {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let tables = files.filter(|path| path.extension().is_some_and(|end| end == "sst"));
    tables.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
}
