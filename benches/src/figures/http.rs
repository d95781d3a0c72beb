//! Holds and searches through the door, beside a bare handler of the same sizes.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use holdfast_engine::command::Hold;
use holdfast_engine::ids::{HotelId, RatePlanId, RoomTypeId};
use holdfast_replication::{Node, Options};
use holdfast_server::auth::{Keys, Role};
use holdfast_server::data_dir::DataDir;

use super::{Scale, durable, search};
use crate::child::Child;
use crate::dice::Dice;
use crate::http_load::{Done, Maker, Pace, Wire, load};
use crate::report::{Includes, Latencies, per_s, row, short, title};
use crate::stopwatch::rate;
use crate::world::{CITY, Requests, World};

pub const CONNECTIONS: usize = 64;
/// Holds of one guest before the next one comes: below the quota of ten.
const HOLDS_OF_A_GUEST: usize = 8;
const TOKEN_TTL_S: u64 = 86_400;
/// Tokens signed before the load begins, so that the client's core has less to do; past them, as they come.
const TOKENS_AHEAD: usize = 256;
/// Share of the highest rate at which latency is measured.
const OPEN_SHARE: f64 = 0.5;

/// A server with a world, and the clients' side of it.
pub struct Door {
    pub server: Child,
    pub world: World,
    keys: Arc<Keys>,
    _dir: tempfile::TempDir,
}

impl Door {
    /// Loads the world into a fresh data directory, then starts the server on it.
    pub fn open(scratch: &Path) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir_in(scratch)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (world, keys) = runtime.block_on(async {
            let data_dir = DataDir::open(dir.path())?;
            let node = Node::open(Options::alone(data_dir.log_dir())).await?;
            let world = search::world(durable::world_of(&node).first);
            durable::load(&node, world).await?;
            node.shutdown().await;
            let keys = Keys::new(&data_dir.identity().cluster_id, &data_dir.secrets().signing_seed);
            anyhow::Ok((world, Arc::new(keys)))
        })?;
        drop(runtime);
        Ok(Self { server: Child::server(dir.path())?, world, keys, _dir: dir })
    }

    /// One maker of hold requests per connection.
    pub fn holders(&self, address: SocketAddr, connections: usize) -> Vec<Maker> {
        let one = |nth| holder((self.world, &self.keys), address, nth);
        (0..connections).map(one).collect()
    }
}

/// Holds of guests who come one after the other.
pub fn holder((world, keys): (World, &Arc<Keys>), address: SocketAddr, nth: usize) -> Maker {
    let keys = Arc::clone(keys);
    let mut requests = Requests::new(world, 1_000 + nth as u64, 1);
    let mut dice = Dice::new(2_000 + nth as u64);
    let mint = move |keys: &Keys, guest: usize, salt: u64| {
        let guest = format!("guest-{nth}-{guest}-{salt}");
        keys.mint(Role::Guest, &guest, TOKEN_TTL_S).expect("a short name")
    };
    let salt = dice.next();
    let ready: Vec<String> = (0..TOKENS_AHEAD).map(|guest| mint(&keys, guest, salt)).collect();
    let (mut sent, mut token, mut body) = (0usize, String::new(), String::new());
    Box::new(move |out| {
        if sent.is_multiple_of(HOLDS_OF_A_GUEST) {
            let guest = sent / HOLDS_OF_A_GUEST;
            token = ready.get(guest).cloned().unwrap_or_else(|| mint(&keys, guest, salt));
        }
        sent += 1;
        body.clear();
        write_body(&mut body, &requests.draw());
        let head = format!(
            "POST /v1/holds HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             authorization: Bearer {token}\r\nidempotency-key: {:032x}\r\n\
             content-length: {}\r\n\r\n{body}",
            dice.wide(),
            body.len(),
        );
        out.extend_from_slice(head.as_bytes());
    })
}

/// One maker of searches of the city per connection; `age_max_ms` is how old a reply may be.
pub fn searchers(
    world: World,
    address: SocketAddr,
    connections: usize,
    age_max_ms: Option<u64>,
) -> Vec<Maker> {
    let age = age_max_ms.map_or(String::new(), |ms| format!("max-engine-age: {ms}\r\n"));
    let maker = |nth| -> Maker {
        let mut requests = Requests::new(world, 3_000 + nth as u64, 1);
        let age = age.clone();
        Box::new(move |out| {
            let stay = requests.draw().stay;
            let head = format!(
                "GET /v1/search?destination=prv_{CITY}&check_in={}&check_out={}&rooms=1&adults=2&limit=20 \
                 HTTP/1.1\r\nhost: {address}\r\n{age}\r\n",
                stay.check_in, stay.check_out,
            );
            out.extend_from_slice(head.as_bytes());
        })
    };
    (0..connections).map(maker).collect()
}

pub(super) fn write_body(out: &mut String, hold: &Hold) {
    let line = &hold.lines[0];
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        r#"{{"hotel_id":"{}","check_in":"{}","check_out":"{}","lines":[{{"room_type_id":"{}","rate_plan_id":"{}","quantity":1,"adults":2,"children_ages":[]}}]}}"#,
        HotelId(World::hotel_id(hold.hotel)),
        hold.stay.check_in,
        hold.stay.check_out,
        RoomTypeId(World::room_type_id(line.room_type)),
        RatePlanId(World::rate_plan_id(line.rate_plan)),
    );
}

pub fn run(scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    title("http", Includes::Http, &format!(
        "The real server in a process of its own, {CONNECTIONS} keep-alive HTTP/1.1 connections, POST /v1/holds: token,
         idempotency key, validation, quote, admission, log entry synced to disk, JSON reply. Every
         {HOLDS_OF_A_GUEST} holds a new guest comes, whose token the server has not seen. Floor: a bare axum POST handler
         that reads the body and answers as many bytes, same client, interleaved rounds. Server and client
         share this machine's cores. Open loop: arrivals at {OPEN_SHARE} of the round's highest rate.",
    ));
    let door = Door::open(scratch)?;
    let server = door.server.address;
    let (hold_bytes, search_bytes) = reply_sizes(&door)?;
    let bare = Child::bare(hold_bytes, search_bytes)?;
    let time = Duration::from_secs(if scale.quick { 2 } else { 5 });
    let mut makers = door.holders(server, CONNECTIONS);
    let mut bare_makers = door.holders(bare.address, CONNECTIONS);
    for round in 1..=if scale.quick { 1 } else { 3 } {
        let mut rates = [0.0; 2];
        for (nth, (name, child, makers)) in
            [("holds", &door.server, &mut makers), ("floor: bare handler", &bare, &mut bare_makers)]
                .into_iter()
                .enumerate()
        {
            let done = one(child, makers, Pace::Closed, time)?;
            row(
                &format!("round {round}: {name}, closed loop"),
                &per_s(done.0.rate()),
                &describe(&done),
            );
            rates[nth] = done.0.rate();
        }
        row("  of the bare handler's rate", &format!("{:.2}", rates[0] / rates[1]), "");
        let pace = Pace::Open(rates[0] * OPEN_SHARE);
        for (name, child, makers) in
            [("holds", &door.server, &mut makers), ("floor: bare handler", &bare, &mut bare_makers)]
        {
            let done = one(child, makers, pace, time)?;
            row(
                &format!("round {round}: {name}, open loop"),
                &per_s(done.0.rate()),
                &describe(&done),
            );
        }
    }
    searches(&door, &bare, scale)
}

fn one(
    child: &Child,
    makers: &mut Vec<Maker>,
    pace: Pace,
    time: Duration,
) -> anyhow::Result<(Done, Duration)> {
    let before = child.cpu();
    let (done, returned) = load(child.address, std::mem::take(makers), pace, time)?;
    *makers = returned;
    ensure!(done.failed.is_empty(), "replies that were no success, by status: {:?}", done.failed);
    Ok((done, child.cpu().saturating_sub(before)))
}

fn describe((done, cpu): &(Done, Duration)) -> String {
    let each = *cpu / u32::try_from(done.latencies.count().max(1)).unwrap_or(u32::MAX);
    format!("{}; server {} of processor a request", done.latencies.summary(), short(each))
}

fn reply_sizes(door: &Door) -> anyhow::Result<(usize, usize)> {
    let address = door.server.address;
    let mut sizes = [0; 2];
    for (size, mut makers) in
        sizes.iter_mut().zip([door.holders(address, 1), searchers(door.world, address, 1, None)])
    {
        let mut request = Vec::new();
        makers[0](&mut request);
        let (status, body) = Wire::once(address, &request)?;
        ensure!((200..300).contains(&status), "{status}: {body}");
        *size = body.len();
    }
    Ok((sizes[0], sizes[1]))
}

/// City searches at a load that leaves the machine idle most of the time: what one search takes.
fn searches(door: &Door, bare: &Child, scale: Scale) -> anyhow::Result<()> {
    title("http search", Includes::Http, &format!(
        "GET /v1/search of the city with {} hotels, first page of 20 dressed as JSON, one connection, closed loop,
         beside a bare axum GET handler that answers as many bytes. The door's own time is the difference.",
        search::HOTELS,
    ));
    let time = Duration::from_secs(1);
    let (mut own, mut floor) = (Latencies::new(), Latencies::new());
    let mut own_makers = searchers(door.world, door.server.address, 1, None);
    let mut bare_makers = searchers(door.world, bare.address, 1, None);
    let rounds: u32 = if scale.quick { 2 } else { 5 };
    for _ in 0..rounds {
        own.add(&one(&door.server, &mut own_makers, Pace::Closed, time)?.0.latencies);
        floor.add(&one(bare, &mut bare_makers, Pace::Closed, time)?.0.latencies);
    }
    row("city search", &short(own.at(0.5)), &own.summary());
    row("  floor: bare handler", &short(floor.at(0.5)), &floor.summary());
    let difference = |quantile| own.at(quantile).saturating_sub(floor.at(quantile));
    row(
        "  the door's own time",
        &short(difference(0.5)),
        &format!("p99 {}", short(difference(0.99))),
    );
    row("  searches on one connection", &per_s(rate(own.count(), time * rounds)), "");
    Ok(())
}
