//! Puts the file's hotels up for sale: hotel, room types, a rate plan each, submit, approve, rooms
//! and prices.
//!
//! Goes through the same doors as any partner and admin. Owns the shift of dates: the first arrival
//! is tomorrow by the server's clock, in the hotel's zone.
//! Invariant: when [`open`] returns, every night of the plan has its allotment and its price.

use anyhow::{Context, bail};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::plan::{HotelPlan, Plan, RoomTypePlan};
use crate::client::{Client, Reply, Request};
use crate::clock;

/// The file's `adr` is in euros and per guest mix, sometimes below zero: no price of ours. Each
/// room type gets one price for every night instead, in satang: this for the first, one step more
/// for each further.
const PRICE_FIRST: u64 = 180_000;
const PRICE_STEP: u64 = 20_000;
/// Nights one line of the stream covers.
const NIGHTS_PER_LINE: usize = 90;
/// Bangkok keeps UTC+7 all year, so no table of zones is needed to know its date.
const ZONE: &str = "Asia/Bangkok";
const ZONE_OFFSET: jiff::tz::Offset = jiff::tz::offset(7);

/// What the server calls the things of the plan.
#[derive(Debug)]
pub struct House {
    /// Ids, as in [`Plan::hotels`].
    pub hotels: Vec<String>,
    /// As in [`Plan::room_types`].
    pub room_types: Vec<OpenRoomType>,
    /// The night that stands for the plan's first.
    pub tomorrow: Date,
}

#[derive(Debug)]
pub struct OpenRoomType {
    pub room_type: String,
    pub rate_plan: String,
    /// Per night, in satang.
    pub price: u64,
}

impl House {
    /// The civil date of the plan's `night`.
    pub fn night(&self, night: usize) -> Date {
        self.tomorrow.saturating_add(i64::try_from(night).unwrap_or(i64::MAX).days())
    }
}

/// Creates and opens the hotels of `plan`.
pub async fn open(
    plan: &Plan,
    partner: &Client,
    admin: &Client,
    run: &str,
) -> anyhow::Result<House> {
    let keys = Keys { run };
    let mut house =
        House { hotels: vec![], room_types: vec![], tomorrow: Date::constant(1970, 1, 1) };
    for (at, hotel) in plan.hotels.iter().enumerate() {
        let key = keys.of("hotel", at);
        let reply = partner.post("/v1/hotels", key, &hotel_body(hotel)).await?;
        let id = created(&reply, &format!("hotel {}", hotel.name))?;
        if at == 0 {
            house.tomorrow = tomorrow(&reply)?;
        }
        house.hotels.push(id);
    }
    for (at, kind) in plan.room_types.iter().enumerate() {
        let opened = open_room_type(partner, &house.hotels[kind.hotel], kind, &keys, at).await?;
        house.room_types.push(opened);
    }
    for (at, id) in house.hotels.iter().enumerate() {
        let path = format!("/v1/hotels/{id}/submit");
        let reply = partner.post(path, keys.of("submit", at), &json!({})).await?;
        reply.ok::<Value>().context("submitting the hotel")?;
        let path = format!("/v1/admin/hotels/{id}/approve");
        let reply = admin.post(path, keys.of("approve", at), &json!({})).await?;
        reply.ok::<Value>().context("approving the hotel with --token-admin")?;
    }
    fill(plan, &house, partner, run).await?;
    Ok(house)
}

struct Keys<'a> {
    run: &'a str,
}

impl Keys<'_> {
    fn of(&self, what: &str, at: usize) -> String {
        format!("replay-{}-{what}-{at}", self.run)
    }
}

async fn open_room_type(
    partner: &Client,
    hotel: &str,
    kind: &RoomTypePlan,
    keys: &Keys<'_>,
    at: usize,
) -> anyhow::Result<OpenRoomType> {
    let path = format!("/v1/hotels/{hotel}/room-types");
    let reply = partner.post(path, keys.of("room-type", at), &room_type_body(kind)).await?;
    let room_type = created(&reply, &format!("room type {}", kind.code))?;
    let path = format!("/v1/room-types/{room_type}/rate-plans");
    let reply = partner.post(path, keys.of("rate-plan", at), &rate_plan_body()).await?;
    let rate_plan = created(&reply, &format!("the rate plan of room type {}", kind.code))?;
    let price = PRICE_FIRST + PRICE_STEP * u64::try_from(at)?;
    Ok(OpenRoomType { room_type, rate_plan, price })
}

fn hotel_body(hotel: &HotelPlan) -> Value {
    json!({
        "name": {
            "th": format!("{} (เล่นซ้ำ)", hotel.name),
            "en": format!("{} (replay)", hotel.name),
        },
        "description": {
            "th": "โรงแรมจากชุดข้อมูลการจองที่เผยแพร่แล้ว",
            "en": "The hotel of the published booking demand data.",
        },
        "province": "TH-83",
        "lat": 7.8804,
        "lon": 98.3923,
        "stars": 4,
        "property_type": "resort",
        "amenities": [],
        "zone": ZONE,
        "currency": "THB",
        "max_stay": hotel.longest_stay,
        "check_in_time": "14:00",
        "check_out_time": "12:00",
    })
}

fn room_type_body(kind: &RoomTypePlan) -> Value {
    json!({
        "name": {"th": format!("ห้องแบบ {}", kind.code), "en": format!("Room type {}", kind.code)},
        "max_adults": kind.adults_max,
        "max_children": kind.children_max,
        "max_occupancy": kind.people_max,
        "beds": [],
        "size_m2": 30,
        "amenities": [],
    })
}

fn rate_plan_body() -> Value {
    json!({
        "name": {"th": "ราคามาตรฐาน", "en": "Standard rate"},
        "meal_plan": "breakfast",
        "tax_inclusive": false,
    })
}

fn created(reply: &Reply, what: &str) -> anyhow::Result<String> {
    let body: Value = reply.ok().with_context(|| format!("creating {what}"))?;
    match body.get("id").and_then(Value::as_str) {
        Some(id) => Ok(id.to_owned()),
        None => bail!("creating {what}: the reply names no id: {body}"),
    }
}

/// The day after the hotel's today, by the clock that stamped `reply`; this machine's clock may
/// differ, and is used only where something between here and the server has taken the stamp out.
fn tomorrow(reply: &Reply) -> anyhow::Result<Date> {
    let now = match reply.header("date") {
        Some(date) => jiff::fmt::rfc2822::parse(date)
            .with_context(|| format!("the server's date is {date:?}"))?
            .timestamp(),
        None => Timestamp::from_millisecond(i64::try_from(clock::wall_ms())?)?,
    };
    Ok(now.to_zoned(ZONE_OFFSET.to_time_zone()).date().tomorrow()?)
}

/// Streams rooms and prices of every night.
async fn fill(plan: &Plan, house: &House, partner: &Client, run: &str) -> anyhow::Result<()> {
    let lines = ari_lines(plan, house);
    let request = Request::post(format!("/v1/ari?source=replay-{run}"))
        .key(format!("replay-{run}-ari"))
        .content_type("application/x-ndjson");
    let (upload, mut download) = partner.stream(request).await?;
    let sending = async {
        for line in &lines {
            // What stopped the server is in its reply, which the other side of the join reads.
            if upload.send(format!("{line}\n")).await.is_err() {
                break;
            }
        }
        upload.finish();
    };
    let receiving = async {
        let mut accepted = 0_usize;
        while let Some(result) = download.next_json::<Value>().await? {
            match result.get("status").and_then(Value::as_str) {
                Some("applied" | "unchanged") => accepted += 1,
                Some(_) => bail!("{}", rejection(plan, &result)),
                None if result.pointer("/summary/code").is_some_and(|code| !code.is_null()) => {
                    bail!("the stream ended early: {result}")
                }
                None => {}
            }
        }
        anyhow::Ok(accepted)
    };
    let ((), accepted) = tokio::join!(sending, receiving);
    let accepted = accepted.context("setting rooms and prices")?;
    if accepted != lines.len() {
        bail!("{} lines of rooms and prices were sent, {accepted} accepted", lines.len());
    }
    Ok(())
}

fn rejection(plan: &Plan, result: &Value) -> String {
    let hint = if result.to_string().contains("horizon") {
        format!(
            "; the file spans {} nights: start the server with a longer horizon, such as \
             `--horizon {}`",
            plan.nights,
            (plan.nights + 2).next_multiple_of(100)
        )
    } else {
        String::new()
    };
    format!("a line was not applied: {result}{hint}")
}

fn ari_lines(plan: &Plan, house: &House) -> Vec<Value> {
    let mut lines = Vec::new();
    for (kind, open) in plan.room_types.iter().zip(&house.room_types) {
        for from in (0..plan.nights).step_by(NIGHTS_PER_LINE) {
            let last = (from + NIGHTS_PER_LINE).min(plan.nights) - 1;
            lines.push(json!({
                "seq": lines.len() + 1,
                "room_type": open.room_type,
                "rate_plan": open.rate_plan,
                "from": house.night(from),
                "to": house.night(last),
                "allotment": kind.rooms,
                "price": open.price,
            }));
        }
    }
    lines
}
