//! A server for one test, and the shortest way to a hotel in it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_server::auth::Role;
use holdfast_server::client::{Client, Limits, Reply, Request};
use holdfast_server::config::Config;
use holdfast_server::serve::{self, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

pub struct House {
    pub server: Server,
    // Dropped last: the directory outlives the server.
    pub dir: Dir,
}

/// A directory that stays where a test fails: the node still writes to it, and it is evidence.
pub struct Dir(TempDir);

impl Dir {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        self.0.disable_cleanup(std::thread::panicking());
    }
}

pub fn config(dir: &Dir) -> Config {
    Config {
        data_dir: dir.path().to_owned(),
        http: SocketAddr::from(([127, 0, 0, 1], 0)),
        ops: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..Config::default()
    }
}

/// A key nobody has used.
pub fn key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl House {
    pub async fn open() -> Self {
        let dir = Dir::new();
        let server = serve::start(config(&dir), None).await.unwrap();
        Self { server, dir }
    }

    /// Stops the server and starts it again on the same directory.
    pub async fn reopen(self) -> Self {
        let Self { server, dir } = self;
        server.shutdown().await;
        let server = serve::start(config(&dir), None).await.unwrap();
        Self { server, dir }
    }

    pub fn token(&self, role: Role, subject: &str) -> String {
        self.server.state().keys().mint(role, subject, 3_600).unwrap()
    }

    /// Without a token.
    pub fn anyone(&self) -> Client {
        Client::new(&format!("http://{}", self.server.http()), Limits::default()).unwrap()
    }

    pub fn partner(&self, subject: &str) -> Client {
        self.anyone().with_token(&self.token(Role::Partner, subject)).unwrap()
    }

    pub fn admin(&self) -> Client {
        self.anyone().with_token(&self.token(Role::Admin, "root")).unwrap()
    }

    pub fn guest(&self, subject: &str) -> Client {
        self.anyone().with_token(&self.token(Role::Guest, subject)).unwrap()
    }

    /// A hotel of `partner` with one room type and one rate plan.
    pub async fn hotel(&self, partner: &Client) -> Hotel {
        let id = create(partner, "/v1/hotels", &hotel_body()).await;
        let path = format!("/v1/hotels/{id}/room-types");
        let room_type = create(partner, &path, &room_type_body()).await;
        let path = format!("/v1/room-types/{room_type}/rate-plans");
        let rate_plan = create(partner, &path, &rate_plan_body()).await;
        Hotel { id, room_type, rate_plan }
    }
}

pub struct Hotel {
    pub id: String,
    pub room_type: String,
    pub rate_plan: String,
}

pub async fn create(client: &Client, path: &str, body: &Value) -> String {
    let reply = client.send(&Request::post(path).key(key()).json(body)).await.unwrap();
    assert_eq!(reply.status, 201, "{path}: {}", shown(&reply));
    reply.field("id").unwrap()
}

pub fn shown(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

/// Asserts a problem and returns its document.
pub fn problem(reply: &Reply, status: u16, code: &str) -> Value {
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", shown(reply));
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    reply.json().unwrap()
}

pub fn hotel_body() -> Value {
    json!({
        "name": {"th": "โรงแรมทดสอบ", "en": "Test Hotel"},
        "province": "83", "lat": 7.8804, "lon": 98.3923, "stars": 4,
        "property_type": "resort", "amenities": ["wifi", "pool"],
        "check_in_time": "14:00", "check_out_time": "12:00",
    })
}

pub fn room_type_body() -> Value {
    json!({
        "name": {"th": "ห้องดีลักซ์", "en": "Deluxe"}, "max_adults": 2, "max_children": 1,
        "max_occupancy": 3, "beds": [{"kind": "king", "count": 1}], "size_m2": 32,
        "amenities": ["sea_view"],
    })
}

pub fn rate_plan_body() -> Value {
    json!({
        "name": {"th": "ยืดหยุ่น", "en": "Flexible"}, "meal_plan": "breakfast",
        "tax_inclusive": false,
        "cancellation": [{"until_days": 1, "until_time": "18:00", "penalty": {"nights": 1}}],
    })
}
