//! A node in this process behind its doors, with a clock that stands still until it is moved, and
//! hotels made through the partner's doors.
//!
//! Owns the set-up of every test here and nothing that is asserted.

use std::sync::Arc;
use std::time::Duration;

use holdfast_engine::command::{Genesis, genesis::Quota};
use holdfast_engine::limits::HORIZON_NIGHTS_DEFAULT;
use holdfast_engine::{Command, Verb};
use holdfast_replication::{DrivenTime, Node, Options};
use holdfast_server::auth::Role;
use holdfast_server::client::{Client, Limits, Reply, Request};
use holdfast_server::config::Config;
use holdfast_server::data_dir::DataDir;
use holdfast_server::http::api;
use holdfast_server::http::listen::Listener;
use holdfast_server::payment::Payments;
use holdfast_server::payment::lapsed::Lapsed;
use holdfast_server::state::AppState;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// 2027-01-10, ten in the morning in Bangkok.
pub const NOW_MS: u64 = 1_799_550_000_000;

pub struct House {
    pub state: AppState,
    pub time: Arc<DrivenTime>,
    client: Client,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    dir: Option<TempDir>,
}

/// Somebody with a token, or nobody.
#[derive(Clone)]
pub struct Caller(Client);

/// A whole reply.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    reply: Reply,
}

/// One room type with one rate plan.
#[derive(Debug, Clone)]
pub struct Kind {
    pub room_type: String,
    pub rate_plan: String,
}

#[derive(Debug, Clone)]
pub struct Hotel {
    pub id: String,
    pub kinds: Vec<Kind>,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(|_| Payments::mock()).await
    }

    /// With payment providers made for this house's clock.
    pub async fn open_with(payments: impl FnOnce(&Arc<DrivenTime>) -> Payments) -> Self {
        Self::open_under(Quota::default(), payments).await
    }

    /// Where guests may hold so much.
    pub async fn open_capped(quota: Quota) -> Self {
        Self::open_under(quota, |_| Payments::mock()).await
    }

    async fn open_under(quota: Quota, payments: impl FnOnce(&Arc<DrivenTime>) -> Payments) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(dir.path()).unwrap();
        let time = Arc::new(DrivenTime::new(NOW_MS));
        let lapsed = Lapsed::default();
        let options = Options {
            time: time.clone(),
            follower: Some(lapsed.follower()),
            ..Options::alone(data_dir.log_dir())
        };
        let node = Node::open(options).await.unwrap();
        let genesis = Genesis { horizon_nights: HORIZON_NIGHTS_DEFAULT, quota };
        node.submit(Command::plain(Verb::Genesis(genesis)), None).await.unwrap();
        let cluster = data_dir.identity().cluster_id.clone();
        let state = AppState::new(node, Config::default(), &cluster, data_dir.secrets())
            .with_payments(payments(&time));
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), 1_000).await.unwrap();
        let url = format!("http://{}", listener.address());
        let client = Client::new(&url, Limits::default()).unwrap();
        let (stop, stopping) = watch::channel(false);
        let listener = tokio::spawn({
            let state = state.clone();
            async move {
                let doors = listener.run(api::router(state.clone()), stopping.clone());
                tokio::join!(doors, lapsed.run(state.payments(), stopping));
            }
        });
        Self { state, time, client, stop, listener, dir: Some(dir) }
    }

    /// Ends in order. A test that panics before leaves its directory behind, since the node still
    /// writes there.
    pub async fn close(mut self) {
        let dir = self.dir.take();
        self.stop.send(true).unwrap();
        (&mut self.listener).await.unwrap();
        self.state.node().shutdown().await;
        drop(dir);
    }

    /// Moves the log's clock on, and puts an entry into the log so that readers see it.
    pub fn wait(&self, seconds: u64) {
        self.time.advance(Duration::from_secs(seconds));
    }

    pub fn nobody(&self) -> Caller {
        Caller(self.client.clone())
    }

    pub fn guest(&self, subject: &str) -> Caller {
        self.caller(Role::Guest, subject)
    }

    pub fn partner(&self, subject: &str) -> Caller {
        self.caller(Role::Partner, subject)
    }

    pub fn admin(&self) -> Caller {
        self.caller(Role::Admin, "root")
    }

    fn caller(&self, role: Role, subject: &str) -> Caller {
        let token = self.state.keys().mint(role, subject, 3_600).unwrap();
        Caller(self.client.with_token(&token).unwrap())
    }

    /// A live hotel of partner `chain` with `kinds` room types of `rooms` rooms at 1,500.00 a night
    /// (and 500.00 more for each further type), from today for 60 nights. `change` edits what the
    /// partner says of the hotel.
    pub async fn hotel(
        &self,
        name: &str,
        (kinds, rooms): (usize, u32),
        change: impl FnOnce(&mut Value),
    ) -> Hotel {
        let partner = self.partner("chain");
        let hotel = self.draft_hotel(name, (kinds, rooms), change).await;
        let path = format!("/v1/hotels/{}", hotel.id);
        partner.post(&format!("{path}/submit"), "submit", &json!({})).await.expect(200);
        let path = format!("/v1/admin/hotels/{}/approve", hotel.id);
        self.admin().post(&path, "approve", &json!({})).await.expect(200);
        hotel
    }

    /// As [`House::hotel`], not yet submitted.
    pub async fn draft_hotel(
        &self,
        name: &str,
        (kinds, rooms): (usize, u32),
        change: impl FnOnce(&mut Value),
    ) -> Hotel {
        let partner = self.partner("chain");
        let mut body = json!({
            "name": {"th": format!("{name} ไทย"), "en": name}, "province": "TH-83",
            "lat": 7.88, "lon": 98.39, "stars": 3, "check_in_time": "14:00",
        });
        change(&mut body);
        let id = partner.post("/v1/hotels", name, &body).await.expect(201).id();
        let mut hotel = Hotel { id, kinds: Vec::new() };
        for at in 0..kinds {
            let body = json!({
                "name": {"th": format!("ห้อง {at}"), "en": format!("Room {at}")},
                "max_adults": 2, "max_children": 1, "max_occupancy": 3,
            });
            let path = format!("/v1/hotels/{}/room-types", hotel.id);
            let key = format!("type-{at}");
            let room_type = partner.post(&path, &key, &body).await.expect(201).id();
            let body = json!({
                "name": {"th": "ราคา", "en": "Rate"}, "tax_inclusive": true,
                "cancellation": [
                    {"until_days": 7, "until_time": "18:00", "penalty": {"percent_bp": 0}},
                    {"until_days": 1, "until_time": "18:00", "penalty": {"percent_bp": 5000}},
                ],
            });
            let path = format!("/v1/room-types/{room_type}/rate-plans");
            let rate_plan = partner.post(&path, &key, &body).await.expect(201).id();
            hotel.kinds.push(Kind { room_type, rate_plan });
        }
        for (at, kind) in hotel.kinds.iter().enumerate() {
            let line = json!({
                "seq": 1, "room_type": kind.room_type, "rate_plan": kind.rate_plan,
                "from": "2027-01-10", "to": "2027-03-10", "allotment": rooms,
                "price": 150_000 + 50_000 * at,
            });
            self.ari(&kind.room_type, &line).await;
        }
        hotel
    }

    /// Writes one line of availability or rates; `source` names its stream.
    pub async fn ari(&self, source: &str, line: &Value) {
        let request = Request::post(format!("/v1/ari?source={source}"))
            .bytes("application/x-ndjson", format!("{line}\n"));
        let answer = self.partner("chain").send(request).await;
        let text = String::from_utf8_lossy(&answer.reply.body).into_owned();
        assert!(answer.status == 200 && text.contains("\"applied\""), "{text}");
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take() {
            let _ = dir.keep();
        }
    }
}

impl Hotel {
    /// A hold of `quantity` rooms of the first type for two adults.
    pub fn hold(&self, check_in: &str, check_out: &str, quantity: u32) -> Value {
        let Kind { room_type, rate_plan } = &self.kinds[0];
        json!({
            "hotel_id": self.id, "check_in": check_in, "check_out": check_out,
            "lines": [{
                "room_type_id": room_type, "rate_plan_id": rate_plan,
                "quantity": quantity, "adults": 2,
            }],
        })
    }
}

/// A booking of a hold with the mock provider's `token`.
pub fn booking(hold: &str, token: &str) -> Value {
    json!({
        "hold_id": hold,
        "guest": {"name": "สมชาย ใจดี", "email": "somchai@example.com", "phone": "+66 81 234 5678"},
        "payment": {"method": "mock", "token": token},
        "requests": "ชั้นสูง / high floor",
    })
}

impl Caller {
    pub async fn send(&self, request: Request) -> Answer {
        let reply = self.0.send(&request).await.unwrap();
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        Answer { status: reply.status, body, reply }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path)).await
    }

    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send(Request::post(path).key(key).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path)).await
    }

    /// A hold that must succeed; its id.
    pub async fn holds(&self, key: &str, body: &Value) -> String {
        self.post("/v1/holds", key, body).await.expect(201).id()
    }

    /// Holds and books; the booking.
    pub async fn books(&self, key: &str, hold: &Value) -> Answer {
        let hold = self.holds(key, hold).await;
        self.post("/v1/bookings", key, &booking(&hold, "tok_ok")).await.expect(201)
    }
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// A problem with this status and code, in the one shape of all problems.
    #[track_caller]
    pub fn refuses(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.body["code"], code, "{}", answer.body);
        assert_eq!(answer.body["status"], status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        for field in ["type", "title", "detail", "trace_id"] {
            let text = answer.body[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{field} in {}", answer.body);
        }
        answer
    }

    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.reply.header(name)
    }

    pub fn is_replayed(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }

    /// The codes and pointers of all wrong fields.
    pub fn fields(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    }

    /// The nights that a refusal names, with their codes.
    pub fn nights(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let blockers = self.body["blockers"].as_array().cloned().unwrap_or_default();
        blockers.iter().map(|one| (text(&one["night"]), text(&one["code"]))).collect()
    }
}
