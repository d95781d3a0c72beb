//! A partner's stream of lines, each overwriting the same night, cut off with the server.
//!
//! Invariant: each line writes an allotment that says which line it was, so that the night tells
//! how far it came.

use holdfast_server::client::{Client, Request};
use serde_json::{Value, json};

use super::hotel::Hotel;

/// Allotments written are `1 + seq % this`.
const CYCLE: u64 = 4_000;
/// Lines sent but not answered yet, at most.
const AHEAD: u64 = 64;

/// How far a source has come: answered with `applied`, and sent.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub applied: u64,
    pub sent: u64,
}

pub fn allotment(seq: u64) -> u32 {
    u32::try_from(1 + seq % CYCLE).unwrap()
}

/// Writes lines after `from` until the server is gone. `room_type` is the one written.
pub async fn write(
    client: Client,
    hotel: std::sync::Arc<Hotel>,
    room_type: usize,
    from: u64,
) -> Written {
    let mut written = Written { applied: from, sent: from };
    let request = Request::post("/v1/ari?source=crash").content_type("application/x-ndjson");
    let Ok((upload, mut download)) = client.stream(request).await else { return written };
    loop {
        while written.sent < written.applied + AHEAD {
            let seq = written.sent + 1;
            let line = json!({
                "seq": seq, "room_type": hotel.room_types[room_type].id,
                "from": hotel.night(0), "to": hotel.night(0), "allotment": allotment(seq),
            });
            written.sent = seq;
            if upload.send(format!("{line}\n")).await.is_err() {
                return written;
            }
        }
        let Ok(Some(result)) = download.next_json::<Value>().await else { return written };
        // Lines that came together are one command, in which the last write of a night counts.
        let done = matches!(result["status"].as_str(), Some("applied" | "superseded"));
        assert!(done, "{result}");
        written.applied = result["seq"].as_u64().unwrap();
    }
}

/// The server has all that was answered, nothing that was not sent, and its source and its cell
/// agree.
pub async fn check(client: &Client, hotel: &Hotel, room_type: usize, written: Written) -> u64 {
    let source: Value = client.get("/v1/ari/sources/crash").await.unwrap().ok().unwrap();
    let last = source["last_seq"].as_u64().unwrap();
    assert!((written.applied..=written.sent).contains(&last), "{written:?}, server: {last}");
    let cell = &hotel.inventory(client).await[&(room_type, 0)];
    assert_eq!(cell.allotment, if last == 0 { STARTING } else { allotment(last) }, "{cell:?}");
    last
}

/// The allotment before the first line.
pub const STARTING: u32 = 4_000;
