//! A live hotel made through the doors, and its inventory read back.

use std::collections::HashMap;

use holdfast_server::client::{Client, Request};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

/// One room type with one rate plan.
#[derive(Clone, Debug)]
pub struct RoomType {
    pub id: String,
    pub rate_plan: String,
    pub rooms: u32,
}

#[derive(Clone, Debug)]
pub struct Hotel {
    pub id: String,
    pub room_types: Vec<RoomType>,
    /// Night 0.
    pub first: Date,
    pub nights: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Cell {
    pub room_type_id: String,
    pub night: Date,
    pub allotment: u32,
    pub held: u32,
    pub sold: u32,
}

impl Hotel {
    /// Creates a hotel with room types of `rooms` each, sellable on `nights` nights from tomorrow
    /// on.
    pub async fn open(partner: &Client, admin: &Client, rooms: &[u32], nights: usize) -> Self {
        let name = json!({"th": "โรงแรมทดสอบ", "en": "Test hotel"});
        let body = json!({
            "name": name, "province": "TH-83", "lat": 7.88, "lon": 98.39, "stars": 3,
            "property_type": "hotel", "zone": "Asia/Bangkok", "currency": "THB",
        });
        let created = partner.post("/v1/hotels", "hotel", &body).await.unwrap();
        let first = tomorrow(created.header("date").unwrap());
        let id = id_of(&created.ok().unwrap());
        let mut room_types = Vec::new();
        for (at, rooms) in rooms.iter().enumerate() {
            let body = json!({
                "name": {"th": format!("ห้อง {at}"), "en": format!("Room {at}")},
                "max_adults": 2, "max_children": 1, "max_occupancy": 3,
            });
            let path = format!("/v1/hotels/{id}/room-types");
            let reply = partner.post(path, format!("type-{at}"), &body).await.unwrap();
            let room_type = id_of(&reply.ok().unwrap());
            let body = json!({"name": {"th": "ราคา", "en": "Rate"}, "tax_inclusive": false});
            let path = format!("/v1/room-types/{room_type}/rate-plans");
            let reply = partner.post(path, format!("plan-{at}"), &body).await.unwrap();
            let rate_plan = id_of(&reply.ok().unwrap());
            room_types.push(RoomType { id: room_type, rate_plan, rooms: *rooms });
        }
        let submit = format!("/v1/hotels/{id}/submit");
        partner.post(submit, "submit", &json!({})).await.unwrap().ok::<Value>().unwrap();
        let approve = format!("/v1/admin/hotels/{id}/approve");
        admin.post(approve, "approve", &json!({})).await.unwrap().ok::<Value>().unwrap();
        let hotel = Self { id, room_types, first, nights };
        hotel.fill(partner).await;
        hotel
    }

    pub fn night(&self, night: usize) -> Date {
        self.first.saturating_add(i64::try_from(night).unwrap().days())
    }

    /// Books a room of the first type for two nights from `night` on, held and paid for under keys that end in
    /// `key`; the booking's id.
    pub async fn book(&self, partner: &Client, key: &str, night: usize) -> String {
        let kind = &self.room_types[0];
        let held = json!({
            "hotel_id": self.id, "check_in": self.night(night), "check_out": self.night(night + 2),
            "lines": [{
                "room_type_id": kind.id, "rate_plan_id": kind.rate_plan, "quantity": 1, "adults": 2,
                "children_ages": [],
            }],
        });
        let held = partner.post("/v1/holds", format!("hold-{key}"), &held).await.unwrap();
        let hold: String = held.field("id").unwrap();
        let body = json!({
            "hold_id": hold, "guest": {"name": "Test Guest", "email": "guest@test.invalid"},
            "payment": {"method": "mock", "token": "tok_ok"},
        });
        let booked = partner.post("/v1/bookings", format!("book-{key}"), &body).await.unwrap();
        booked.field("id").unwrap()
    }

    async fn fill(&self, partner: &Client) {
        let request = Request::post("/v1/ari?source=opening")
            .key("opening")
            .content_type("application/x-ndjson");
        let (upload, mut download) = partner.stream(request).await.unwrap();
        for (at, kind) in self.room_types.iter().enumerate() {
            let line = json!({
                "seq": at + 1, "room_type": kind.id, "rate_plan": kind.rate_plan,
                "from": self.night(0), "to": self.night(self.nights - 1),
                "allotment": kind.rooms, "price": 150_000,
            });
            upload.send(format!("{line}\n")).await.unwrap();
            let result: Value = download.next_json().await.unwrap().unwrap();
            assert!(result.to_string().contains("applied"), "{result}");
        }
        upload.finish();
        while download.next_line().await.unwrap().is_some() {}
    }

    /// Every cell, by room type (as in `room_types`) and night.
    pub async fn inventory(&self, partner: &Client) -> HashMap<(usize, usize), Cell> {
        #[derive(Deserialize)]
        struct Page {
            items: Vec<Cell>,
            next_cursor: Option<String>,
        }
        let (from, to) = (self.night(0), self.night(self.nights - 1));
        let first = format!("/v1/hotels/{}/inventory?from={from}&to={to}", self.id);
        let mut path = first.clone();
        let mut cells = HashMap::new();
        loop {
            let page: Page = partner.get(path).await.unwrap().ok().unwrap();
            for cell in page.items {
                let kind =
                    self.room_types.iter().position(|kind| kind.id == cell.room_type_id).unwrap();
                let days = self.first.duration_until(cell.night).as_hours() / 24;
                cells.insert((kind, usize::try_from(days).unwrap()), cell);
            }
            match page.next_cursor {
                Some(cursor) => path = format!("{first}&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(cells.len(), self.room_types.len() * self.nights, "the inventory has holes");
        cells
    }
}

fn id_of(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

/// Bangkok's tomorrow by the server's clock; Bangkok is at UTC+7 all year.
fn tomorrow(date: &str) -> Date {
    let now = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    now.to_zoned(jiff::tz::offset(7).to_time_zone()).date().tomorrow().unwrap()
}
