//! Writers that never stop: each acknowledged write's moment, and the longest pause between two.
//!
//! Owns one task per client. A write without an answer is sent again with its key, at once.

use std::sync::Arc;
use std::time::Duration;

use holdfast_server::client::{Client, Request};
use holdfast_server::clock;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How soon a client that got no answer asks again.
const AGAIN_AFTER: Duration = Duration::from_millis(10);

pub struct Writes {
    tasks: JoinSet<()>,
    done: Arc<watch::Sender<Done>>,
}

#[derive(Clone, Copy)]
struct Done {
    writes: usize,
    last: std::time::Instant,
    longest: Duration,
}

impl Writes {
    /// Writes through every client at once; `run` makes its keys its own.
    pub fn start(clients: Vec<Client>, run: usize) -> Self {
        let begun = Done { writes: 0, last: clock::instant(), longest: Duration::ZERO };
        let done = Arc::new(watch::Sender::new(begun));
        let mut tasks = JoinSet::new();
        for (writer, client) in clients.into_iter().enumerate() {
            let done = done.clone();
            tasks.spawn(async move {
                for number in 0.. {
                    write(&client, &format!("w-{run}-{writer}-{number}")).await;
                    done.send_modify(|done| {
                        let now = clock::instant();
                        let pause = now.duration_since(done.last);
                        // Before the first write there was nothing to pause.
                        if done.writes > 0 {
                            done.longest = done.longest.max(pause);
                        }
                        (done.writes, done.last) = (done.writes + 1, now);
                    });
                }
            });
        }
        Self { tasks, done }
    }

    /// Waits for `count` more writes.
    pub async fn some(&self, count: usize) {
        let wanted = self.done.borrow().writes + count;
        let enough = async {
            let mut done = self.done.subscribe();
            done.wait_for(|done| done.writes >= wanted).await.unwrap();
        };
        tokio::time::timeout(Duration::from_secs(60), enough).await.expect("writes go on");
    }

    /// The longest time without an acknowledged write.
    pub async fn stop(mut self) -> Duration {
        self.tasks.shutdown().await;
        self.done.borrow().longest
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
