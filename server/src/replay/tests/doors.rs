//! Just enough of the doors to replay against, with plain maps behind one lock and a fault if asked
//! for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Every third command is done but answered with 503 the first time.
    LosesReplies,
    ForgetsABooking,
    KeepsAHold,
    SellsTooMany,
    HidesANight,
    RefusesAFreeRoom,
    RefusesForAnotherReason,
    ShortHorizon,
}

#[derive(Clone, Default)]
struct Cell {
    allotment: u32,
    held: u32,
    sold: u32,
}

struct Stay {
    room_type: String,
    nights: Vec<Date>,
}

pub struct Doors {
    fault: Fault,
    made: u32,
    cells: BTreeMap<(Date, String), Cell>,
    stays: HashMap<String, Stay>,
    replies: HashMap<String, (StatusCode, Value)>,
}

type Shared = Arc<Mutex<Doors>>;

impl Doors {
    /// Serves on a loopback port until the test's runtime ends.
    pub async fn open(fault: Fault) -> String {
        let doors = Doors {
            fault,
            made: 0,
            cells: BTreeMap::new(),
            stays: HashMap::new(),
            replies: HashMap::new(),
        };
        let router = Router::new()
            .route("/v1/hotels", post(command))
            .route("/v1/hotels/{id}/room-types", post(command))
            .route("/v1/room-types/{id}/rate-plans", post(command))
            .route("/v1/hotels/{id}/submit", post(command))
            .route("/v1/admin/hotels/{id}/approve", post(command))
            .route("/v1/ari", post(ari))
            .route("/v1/holds", post(command))
            .route("/v1/bookings", post(command))
            .route("/v1/bookings/{id}", delete(command))
            .route("/v1/hotels/{id}/inventory", get(inventory))
            .with_state(Arc::new(Mutex::new(doors)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_{}", self.made)
    }

    fn once(&mut self, fault: Fault) -> bool {
        let due = self.fault == fault;
        if due {
            self.fault = Fault::None;
        }
        due
    }

    fn judge(&mut self, method: &Method, path: &str, body: &Value) -> (StatusCode, Value) {
        match path.trim_start_matches("/v1/") {
            "hotels" => (StatusCode::CREATED, json!({"id": self.id("htl")})),
            "holds" => self.hold(body),
            "bookings" => self.book(body["hold_id"].as_str().unwrap()),
            of_booking if *method == Method::DELETE => {
                let stay = self.stays.remove(of_booking.trim_start_matches("bookings/")).unwrap();
                self.each(&stay, |cell| cell.sold -= 1);
                (StatusCode::OK, json!({"status": "cancelled"}))
            }
            _ => (StatusCode::CREATED, json!({"id": self.id("thing")})),
        }
    }

    fn hold(&mut self, body: &Value) -> (StatusCode, Value) {
        let date = |name: &str| body[name].as_str().unwrap().parse::<Date>().unwrap();
        let line = &body["lines"][0];
        assert_eq!(line["quantity"], 1);
        let stay = Stay {
            room_type: line["room_type_id"].as_str().unwrap().to_owned(),
            nights: date("check_in")
                .series(1.day())
                .take_while(|day| *day < date("check_out"))
                .collect(),
        };
        if self.once(Fault::RefusesForAnotherReason) {
            return (StatusCode::CONFLICT, json!({"code": "stay.closed", "detail": "shut"}));
        }
        let full = self.once(Fault::RefusesAFreeRoom)
            || stay.nights.iter().any(|night| {
                let cell = &self.cells[&(*night, stay.room_type.clone())];
                cell.allotment <= cell.held + cell.sold
            });
        if full && !self.once(Fault::SellsTooMany) {
            return (StatusCode::CONFLICT, json!({"code": "inventory.insufficient"}));
        }
        self.each(&stay, |cell| cell.held += 1);
        let id = self.id("hold");
        self.stays.insert(id.clone(), stay);
        (StatusCode::CREATED, json!({"id": id}))
    }

    fn book(&mut self, hold: &str) -> (StatusCode, Value) {
        let stay = self.stays.remove(hold).unwrap();
        let (keeps, forgets) = (self.once(Fault::KeepsAHold), self.once(Fault::ForgetsABooking));
        self.each(&stay, |cell| {
            cell.held -= u32::from(!keeps);
            cell.sold += u32::from(!forgets);
        });
        let id = self.id("bkg");
        self.stays.insert(id.clone(), stay);
        (StatusCode::CREATED, json!({"id": id}))
    }

    fn each(&mut self, stay: &Stay, change: impl Fn(&mut Cell)) {
        for night in &stay.nights {
            change(self.cells.get_mut(&(*night, stay.room_type.clone())).unwrap());
        }
    }
}

async fn command(
    State(doors): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut doors = doors.lock().unwrap();
    let expected = if uri.path().contains("/admin/") { "Bearer admin" } else { "Bearer partner" };
    assert_eq!(headers["authorization"], expected);
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    if let Some((status, reply)) = doors.replies.get(&key) {
        return (*status, axum::Json(reply.clone())).into_response();
    }
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (status, reply) = doors.judge(&method, uri.path(), &body);
    doors.replies.insert(key, (status, reply.clone()));
    if doors.fault == Fault::LosesReplies && doors.replies.len() % 3 == 0 {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response();
    }
    (status, axum::Json(reply)).into_response()
}

async fn ari(State(doors): State<Shared>, body: String) -> String {
    let mut doors = doors.lock().unwrap();
    let mut replies = String::new();
    for line in body.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let date = |name: &str| line[name].as_str().unwrap().parse::<Date>().unwrap();
        let room_type = line["room_type"].as_str().unwrap();
        let allotment = u32::try_from(line["allotment"].as_u64().unwrap()).unwrap();
        for night in date("from").series(1.day()).take_while(|night| *night <= date("to")) {
            let cell = Cell { allotment, ..Cell::default() };
            doors.cells.insert((night, room_type.to_owned()), cell);
        }
        let reply = if doors.fault == Fault::ShortHorizon {
            json!({"seq": line["seq"], "status": "rejected", "code": "stay.beyond_horizon"})
        } else {
            json!({"seq": line["seq"], "status": "applied"})
        };
        replies.push_str(&format!("{reply}\n"));
    }
    replies + "{\"summary\":{}}\n"
}

async fn inventory(
    State(doors): State<Shared>,
    Path(_hotel): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> axum::Json<Value> {
    let mut doors = doors.lock().unwrap();
    let date = |name: &str| query[name].parse::<Date>().unwrap();
    let skip = usize::from(doors.once(Fault::HidesANight));
    let items: Vec<Value> = doors
        .cells
        .iter()
        .filter(|((night, _), _)| (date("from")..=date("to")).contains(night))
        .skip(skip)
        .map(|((night, room_type), cell)| {
            json!({
                "room_type_id": room_type,
                "night": night,
                "allotment": cell.allotment,
                "blocked": 0,
                "held": cell.held,
                "sold": cell.sold,
                "overbook": 0,
                "closed": false,
                "available": cell.allotment.saturating_sub(cell.held + cell.sold),
            })
        })
        .collect();
    axum::Json(json!({"items": items, "next_cursor": null}))
}
