//! Writers that never stop: each acknowledged write's moment, and the longest pause between two.
//!
//! Owns one task per client. A write without an answer is sent again with its key, at once.

use std::sync::Arc;
use std::time::Duration;

use holdfast_server::client::{Client, Request};
use serde_json::json;
use tokio::task::JoinSet;

use crate::beat::Beat;

/// How soon a client that got no answer asks again.
const AGAIN_AFTER: Duration = Duration::from_millis(10);

pub struct Writes {
    tasks: JoinSet<()>,
    beat: Arc<Beat>,
}

impl Writes {
    /// Writes through every client at once; `run` makes its keys its own.
    pub fn start(clients: Vec<Client>, run: usize) -> Self {
        let beat = Arc::new(Beat::new());
        let mut tasks = JoinSet::new();
        for (writer, client) in clients.into_iter().enumerate() {
            let beat = beat.clone();
            tasks.spawn(async move {
                for number in 0.. {
                    write(&client, &format!("w-{run}-{writer}-{number}")).await;
                    beat.acknowledged();
                }
            });
        }
        Self { tasks, beat }
    }

    /// Waits for `count` more writes.
    pub async fn some(&self, count: usize) {
        self.beat.some(count).await;
    }

    /// The longest time without an acknowledged write.
    pub async fn stop(mut self) -> Duration {
        let longest = self.beat.longest();
        self.tasks.shutdown().await;
        longest
    }
}

async fn write(client: &Client, key: &str) {
    let name = json!({"th": "โรงแรม", "en": "Hotel"});
    let request = Request::post("/v1/hotels").key(key).json(&json!({
        "name": name, "province": "TH-83", "lat": 7.88, "lon": 98.39, "stars": 3,
        "property_type": "hotel", "zone": "Asia/Bangkok", "currency": "THB",
    }));
    loop {
        match client.send(&request).await {
            Ok(reply) if reply.is_success() => return,
            Ok(reply) => assert!(reply.status >= 500 || reply.status == 409, "{reply:?}"),
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}
