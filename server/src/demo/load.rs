//! Loads the demo through the doors that partners and admins use, over a few connections at once.
//!
//! Owns the order of the calls, their idempotency keys, the numbering of lines and the progress
//! shown. Writes nothing past the doors. Hotels are dealt to [`LANES`] lanes; a lane loads its
//! hotels one after the other and is a bulk source of its own, whose `seq` tells after an
//! interruption which hotel comes next. **Invariant**: the `seq` of the last line of a lane's n-th
//! hotel is n × [`SEQS_PER_HOTEL`], and a hotel's lines are sent only once the hotel is on sale; so
//! a source's last `seq` counts the lane's finished hotels.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinSet;

use super::body::AriLine;
use super::progress::Progress;
use super::{Demo, Hotel, RoomIds};
use crate::client::{self, Client, Request};

/// How many hotels are loaded at once. Part of the numbering: another number is another demo.
pub const LANES: usize = 8;
/// Numbers set aside for the lines of one hotel.
pub const SEQS_PER_HOTEL: u64 = 1 << 14;

/// Who loads: partners own the hotels of the lanes in turn, the admin approves them.
#[derive(Clone, Debug)]
pub struct Doors {
    pub partners: Vec<Client>,
    pub admin: Client,
}

/// What a run has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Hotels that were there before.
    pub found: usize,
    /// Hotels added.
    pub added: usize,
    /// Lines of rooms and prices sent.
    pub lines: u64,
}

/// Why loading stopped. Starting again goes on where it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what}: {source}")]
    Door { what: String, source: client::Error },
    #[error("{what}: the reply names no id")]
    NoId { what: String },
    #[error("line {seq} of {hotel} was not taken: {code} {detail}")]
    Line { hotel: String, seq: u64, code: String, detail: String },
    #[error("the lines of {hotel} were not all answered")]
    Unanswered { hotel: String },
    #[error("there is no partner to load hotels for")]
    NoPartner,
    #[error("a loading task ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Loads what is missing of `demo`. `quiet` shows nothing.
pub async fn load(demo: Arc<Demo>, doors: &Doors, quiet: bool) -> Result<Loaded, Error> {
    let lanes = lanes(&demo, doors).await?;
    let found = lanes.iter().map(|lane| lane.done).sum();
    if found == demo.len() {
        return Ok(Loaded { found, ..Loaded::default() });
    }
    let progress = Progress::start(demo.len(), found, quiet);
    let mut running = JoinSet::new();
    for lane in lanes {
        running.spawn(lane.run(Arc::clone(&demo), progress.clone()));
    }
    let mut loaded = Loaded { found, ..Loaded::default() };
    while let Some(lane) = running.join_next().await {
        // The first failure drops the set, which stops the other lanes; a later run goes on.
        let lane = lane??;
        loaded.added += lane.added;
        loaded.lines += lane.lines;
    }
    progress.finish();
    Ok(loaded)
}

/// Whether `demo` is there to its last hotel.
pub async fn is_complete(demo: &Demo, doors: &Doors) -> Result<bool, Error> {
    let done: usize = lanes(demo, doors).await?.iter().map(|lane| lane.done).sum();
    Ok(done == demo.len())
}

/// The lanes, each where its source says that it stands.
async fn lanes(demo: &Demo, doors: &Doors) -> Result<Vec<Lane>, Error> {
    #[derive(Deserialize)]
    struct Source {
        last_seq: u64,
    }
    let mut lanes = Vec::with_capacity(LANES);
    for (number, partner) in (0..LANES).zip(doors.partners.iter().cycle()) {
        let source = format!("demo-{number}");
        let what = || format!("asking where source {source} stands");
        let reply = partner.get(format!("/v1/ari/sources/{source}")).await;
        let last_seq = match reply.map_err(door(what))? {
            reply if reply.status == 404 => 0,
            reply => reply.ok::<Source>().map_err(door(what))?.last_seq,
        };
        let hotels = (number..demo.len()).step_by(LANES).len();
        let done = usize::try_from(last_seq / SEQS_PER_HOTEL).unwrap_or(hotels).min(hotels);
        let (partner, admin) = (partner.clone(), doors.admin.clone());
        lanes.push(Lane { number, partner, admin, source, last_seq, done });
    }
    if lanes.is_empty() { Err(Error::NoPartner) } else { Ok(lanes) }
}

#[derive(Debug)]
struct Lane {
    number: usize,
    partner: Client,
    admin: Client,
    source: String,
    /// The last line that counts at the server.
    last_seq: u64,
    /// Hotels of this lane that are there whole.
    done: usize,
}

impl Lane {
    async fn run(mut self, demo: Arc<Demo>, progress: Progress) -> Result<Loaded, Error> {
        let mut loaded = Loaded::default();
        loop {
            let at = self.number + self.done * LANES;
            let Some(hotel) = demo.hotel(at) else { return Ok(loaded) };
            let keys = Keys { seed: demo.settings().seed, at };
            let ids = self.put_on_sale(&hotel, &keys).await?;
            loaded.lines += self.write_nights(&hotel, &ids, &keys).await?;
            loaded.added += 1;
            self.done += 1;
            progress.one_more();
        }
    }

    /// The hotel with its room types and plans, submitted and approved.
    async fn put_on_sale(&self, hotel: &Hotel<'_>, keys: &Keys) -> Result<Vec<RoomIds>, Error> {
        let name = &hotel.body.name.en;
        let id =
            self.create("/v1/hotels".to_owned(), keys.of("hotel"), (&hotel.body, name)).await?;
        let mut ids = Vec::with_capacity(hotel.rooms.len());
        for (at, room) in hotel.rooms.iter().enumerate() {
            let path = format!("/v1/hotels/{id}/room-types");
            let key = keys.of(&format!("room-{at}"));
            let room_type = self.create(path, key, (&room.body, name)).await?;
            let mut rate_plans = Vec::with_capacity(room.plans.len());
            for (plan_at, plan) in room.plans.iter().enumerate() {
                let path = format!("/v1/room-types/{room_type}/rate-plans");
                let key = keys.of(&format!("room-{at}-plan-{plan_at}"));
                rate_plans.push(self.create(path, key, (&plan.body, name)).await?);
            }
            ids.push(RoomIds { room_type, rate_plans });
        }
        let submit = format!("/v1/hotels/{id}/submit");
        call(&self.partner, submit, keys.of("submit"), (&Empty {}, name)).await?;
        let approve = format!("/v1/admin/hotels/{id}/approve");
        call(&self.admin, approve, keys.of("approve"), (&Empty {}, name)).await?;
        Ok(ids)
    }

    async fn create<T: Serialize>(
        &self,
        path: String,
        key: String,
        (body, hotel): (&T, &str),
    ) -> Result<String, Error> {
        let reply = call(&self.partner, path, key, (body, hotel)).await?;
        let id = reply.get("id").and_then(Value::as_str).map(str::to_owned);
        id.ok_or_else(|| Error::NoId { what: format!("adding {hotel}") })
    }

    /// Sends the lines that the server does not have yet; returns how many.
    async fn write_nights(
        &mut self,
        hotel: &Hotel<'_>,
        ids: &[RoomIds],
        keys: &Keys,
    ) -> Result<u64, Error> {
        let name = &hotel.body.name.en;
        let (body, sent, last) = self.lines(hotel, ids);
        let request = Request::post(format!("/v1/ari?source={}", self.source))
            .key(keys.of(&format!("nights-{}", self.last_seq)))
            .bytes("application/x-ndjson", body);
        let what = || format!("writing the nights of {name}");
        let settled = self.partner.settle(&request).await.map_err(door(what))?;
        if !settled.reply.is_success() {
            return Err(door(what)(settled.reply.refusal()));
        }
        // A line sent twice is stale the second time.
        let stale_is_well = settled.attempts > 1;
        let answered = check_lines(&settled.reply.body, stale_is_well, name)?;
        if answered < sent {
            return Err(Error::Unanswered { hotel: name.clone() });
        }
        self.last_seq = last;
        Ok(sent)
    }

    /// One body of all lines above `last_seq`, their number, and the last line's `seq`.
    fn lines(&self, hotel: &Hotel<'_>, ids: &[RoomIds]) -> (Bytes, u64, u64) {
        let before = self.done as u64 * SEQS_PER_HOTEL;
        let last = before + SEQS_PER_HOTEL;
        let mut body = BytesMut::new();
        let mut sent = 0;
        let mut push = |line: &AriLine<'_>| {
            if line.seq <= self.last_seq {
                return;
            }
            sent += 1;
            // Lines are plain structs of strings and numbers; writing to memory does not fail.
            let _ = serde_json::to_writer((&mut body).writer(), line);
            body.put_u8(b'\n');
        };
        let mut lines = hotel.ari(ids, before + 1).peekable();
        while let Some(line) = lines.next() {
            match lines.peek() {
                Some(_) => push(&line),
                None => push(&AriLine { seq: last, ..line }),
            }
        }
        drop(lines);
        (body.freeze(), sent, last)
    }
}

/// Idempotency keys: the same for the same hotel of the same demo, whoever sends it and when.
struct Keys {
    seed: u64,
    at: usize,
}

impl Keys {
    fn of(&self, what: &str) -> String {
        format!("demo-{:x}-{}-{what}", self.seed, self.at)
    }
}

#[derive(Serialize)]
struct Empty {}

async fn call<T: Serialize>(
    client: &Client,
    path: String,
    key: String,
    (body, hotel): (&T, &str),
) -> Result<Value, Error> {
    let what = || format!("adding {hotel} ({path})");
    let bytes = serde_json::to_vec(body)
        .map_err(|error| door(what)(client::Error::Json(error.to_string())))?;
    let request = Request::post(path.as_str()).key(key).bytes("application/json", bytes);
    let settled = client.settle(&request).await.map_err(door(what))?;
    settled.reply.ok().map_err(door(what))
}

fn door(what: impl Fn() -> String) -> impl Fn(client::Error) -> Error {
    move |source| Error::Door { what: what(), source }
}

/// Counts the lines of an answer; an error at the first that was not taken.
fn check_lines(answer: &Bytes, stale_is_well: bool, hotel: &str) -> Result<u64, Error> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        seq: Option<u64>,
        status: Option<&'a str>,
        code: Option<String>,
        detail: Option<String>,
    }
    let mut taken = 0;
    for line in answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let answer: Answer<'_> = serde_json::from_slice(line).map_err(|error| {
            door(|| format!("the nights of {hotel}"))(client::Error::Json(error.to_string()))
        })?;
        match answer.status {
            // The summary at the end.
            None => {}
            Some("applied" | "unchanged" | "superseded") => taken += 1,
            Some("stale") if stale_is_well => taken += 1,
            Some(status) => {
                return Err(Error::Line {
                    hotel: hotel.to_owned(),
                    seq: answer.seq.unwrap_or_default(),
                    code: answer.code.unwrap_or_else(|| status.to_owned()),
                    detail: answer.detail.unwrap_or_default(),
                });
            }
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests;
