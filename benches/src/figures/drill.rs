//! All nodes of a large cluster are lost, and it comes back from its backup: how long each step takes, and what
//! is lost.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use holdfast_engine::command::Hold;
use holdfast_engine::{Admission, Command, Verb};
use holdfast_replication::{Node, Options};
use holdfast_server::auth::{Keys, Role};
use holdfast_server::backup::archiver::{Archiver, Source};
use holdfast_server::backup::keeper::{Keeper, Told};
use holdfast_server::backup::place::Place;
use holdfast_server::backup::plan::At;
use holdfast_server::backup::restore::{Asked, Made, NewNode, restore};
use holdfast_server::client::{Client, Limits, Request};
use holdfast_server::config::{Backup, Config, Flags};
use holdfast_server::data_dir::peek_operator;
use holdfast_server::seal::key_name;
use holdfast_snapshot::backup::{Hash, Manifest};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Scale, durable, http};
use crate::child::Child;
use crate::engine_run::{confirm, entry};
use crate::report::{Includes, big, row, short, title};
use crate::stopwatch::{now, rate};
use crate::world::{self, Requests, World};

/// Bytes of both keys, and the same in hexadecimal digits.
const KEY: u8 = 0xAB;
const KEY_TEXT: &str = "ab";
const KEY_BYTES: usize = 32;
/// The lost cluster and the restored one.
const CLUSTERS: [u128; 2] = [0xC1, 0xC2];
const NODES: u64 = 3;
/// Commands of one `submit_many`.
const AT_ONCE: usize = 1_024;
const HOLD_S: u32 = 900;
const GUESTS: u32 = 4_000_000;
/// Guests who hold until the loss, each waiting for its answer.
const CALLERS: u64 = 64;
/// How often the log is written meanwhile, and for how long guests hold: no multiple of it.
const EVERY: Duration = Duration::from_secs(5);
const HOLDING: Duration = Duration::from_secs(8);
/// How long three nodes may take to serve.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(20);

pub async fn run(scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    let (hotels, bookings) = (u32::try_from(scale.of(7_000))?, scale.of(1_000_000));
    let dir = tempfile::tempdir_in(scratch)?;
    write_keys(dir.path())?;
    let lost = Lost::load(dir.path(), hotels, bookings).await?;
    title("drill", Includes::Quorum, &format!(
        "{} room-type-nights with one plan and {} bookings, in a node whose log is backed up to a directory on
         this disk every {EVERY:?}. It is lost with its disk while {CALLERS} callers hold; three nodes are restored at
         once from the backup, started in processes of their own, and take a guest's hold.",
        big(lost.cells() as f64), big(bookings as f64),
    ));
    let record = lost.lose(scale).await?;
    let begun = now();
    let (made, files) = restored(dir.path()).await?;
    row(
        "three directories made",
        &short(begun.elapsed()),
        &format!(
            "{}B read, the snapshot and {} entries after it",
            big(made.bytes as f64),
            made.entries,
        ),
    );
    let started = now();
    let mut nodes = Vec::new();
    for file in &files {
        nodes.push((Child::member(file)?, data_dir(file)?));
    }
    for (_, data_dir) in &nodes {
        serves(data_dir).await?;
    }
    row("three nodes started and ready", &short(started.elapsed()), "");
    let asked = now();
    held(&nodes, record.world).await?;
    row("a guest's hold answered", &short(asked.elapsed()), "the first, on any of them");
    row("from the loss to that answer", &short(begun.elapsed()), "nobody had to decide anything");
    record.show_loss(&made);
    Ok(())
}

/// The cluster that will be lost.
struct Lost {
    dir: PathBuf,
    node: Node,
    world: World,
    requests: Requests,
}

/// What guests were told before the loss.
struct Record {
    world: World,
    /// Indexes of the entries that hold what was acknowledged, and when it was.
    acknowledged: Vec<(u64, Instant)>,
    lost_at: Instant,
}

impl Lost {
    async fn load(dir: &Path, hotels: u32, bookings: usize) -> anyhow::Result<Self> {
        let node = Node::open(Options::alone(dir.join("lost"))).await?;
        let world = World { nights: 720, ..World::of(hotels, durable::world_of(&node).first) };
        durable::load(&node, world).await?;
        let requests = Requests::new(world, 7, GUESTS);
        let mut lost = Self { dir: dir.to_owned(), node, world, requests };
        lost.book(bookings).await?;
        Ok(lost)
    }

    fn cells(&self) -> u64 {
        u64::from(self.world.room_types_count()) * u64::from(self.world.horizon)
    }

    async fn book(&mut self, bookings: usize) -> anyhow::Result<()> {
        let mut left = bookings;
        while left > 0 {
            let count = left.min(AT_ONCE);
            left -= count;
            let drawn = (0..count).map(|_| self.draw()).collect();
            let (holds, living) = entry(&mut self.requests, drawn);
            self.submit(holds).await?;
            let confirms = living.into_iter().map(|hold| confirm(&mut self.requests, hold));
            let confirms = confirms.collect();
            self.submit(confirms).await?;
        }
        Ok(())
    }

    fn draw(&mut self) -> Hold {
        let mut hold = Hold { ttl_s: HOLD_S, ..self.requests.draw() };
        world::quote(self.node.reader(), &mut hold);
        hold
    }

    async fn submit(&self, commands: Vec<Command>) -> anyhow::Result<()> {
        let applied = self.node.submit_many(commands).await?.await?;
        let refused = applied.outcomes.iter().find_map(|outcome| outcome.refusal().cloned());
        ensure!(refused.is_none(), "refused: {refused:?}");
        Ok(())
    }

    /// Backs it up, lets guests hold while the backup goes on, and removes it.
    async fn lose(mut self, scale: Scale) -> anyhow::Result<Record> {
        let source = Source {
            place: Place::open(&place(&self.dir), true)?,
            node: self.node.clone(),
            cluster: CLUSTERS[0],
            keys: Hash(key_name(&[KEY; KEY_BYTES])),
        };
        let begun = now();
        let (_, Manifest { bytes, .. }) = Archiver::once(source.clone()).whole().await?;
        let time = begun.elapsed();
        let speed = format!("{}B, {}B/s", big(bytes as f64), big(rate(bytes, time)));
        row("a snapshot taken and put into the backup", &short(time), &speed);
        let settings =
            Backup { to: String::new(), every: EVERY, snapshot_every: PATIENCE, keep: PATIENCE };
        let told = Arc::new(Told::default());
        let (_stop, stopping) = watch::channel(false);
        let keeping = tokio::spawn(Keeper::new(source, settings, Arc::clone(&told)).run(stopping));
        self.book(scale.of(50_000)).await?;
        let acknowledged = self.guests_hold().await?;
        // It gets no last round.
        keeping.abort();
        let _ = keeping.await;
        let report = told.report();
        let remark = format!("up to entry {}", report.last_index.unwrap_or(0));
        row("the log since, in the backup", &format!("{}B", big(report.bytes as f64)), &remark);
        let (world, lost_at) = (self.world, now());
        self.node.shutdown().await;
        std::fs::remove_dir_all(self.dir.join("lost"))?;
        Ok(Record { world, acknowledged, lost_at })
    }

    async fn guests_hold(&self) -> anyhow::Result<Vec<(u64, Instant)>> {
        let until = now() + HOLDING;
        let mut callers = JoinSet::new();
        for seed in 0..CALLERS {
            let (node, world) = (self.node.clone(), self.world);
            callers.spawn(async move {
                let mut requests = Requests::new(world, 50 + seed, 1 << 30);
                let mut told = Vec::new();
                while now() < until {
                    let mut hold = requests.draw();
                    let admitted = node.reader().admit(hold.hotel, hold.demand(), node.now_ms());
                    let Admission::Admitted(ticket) = admitted else { continue };
                    world::quote(node.reader(), &mut hold);
                    let hold = requests.keyed(Verb::Hold(hold));
                    told.push((node.submit(hold, Some(ticket)).await?.index, now()));
                }
                anyhow::Ok(told)
            });
        }
        let mut all = Vec::new();
        while let Some(told) = callers.join_next().await {
            all.extend(told??);
        }
        Ok(all)
    }
}

impl Record {
    fn show_loss(&self, made: &Made) {
        let is_lost = |told: &&(u64, Instant)| told.0 > made.index;
        let lost = self.acknowledged.iter().filter(is_lost);
        let ages = lost.clone().map(|told| self.lost_at.saturating_duration_since(told.1));
        let oldest = ages.max().unwrap_or_default();
        row(
            "acknowledged holds lost",
            &big(lost.count() as f64),
            &format!(
                "of {}; the oldest told {} before the loss, with a round every {EVERY:?}",
                big(self.acknowledged.len() as f64),
                short(oldest),
            ),
        );
    }
}

fn place(dir: &Path) -> String {
    dir.join("backup").display().to_string()
}

fn write_keys(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir(dir.join("keys"))?;
    for name in ["signing.key", "deployment.key"] {
        std::fs::write(dir.join("keys").join(name), KEY_TEXT.repeat(KEY_BYTES))?;
    }
    Ok(())
}

/// The new cluster's directories, made from the backup, and its configuration files.
async fn restored(dir: &Path) -> anyhow::Result<(Made, Vec<PathBuf>)> {
    let files = configured(dir)?;
    let mut nodes = Vec::new();
    for file in &files {
        let Config { data_dir, cluster, .. } = Config::load(Some(file), &Flags::default())?;
        nodes.push(NewNode { data_dir, cluster });
    }
    let (from, keys) = (Place::open(&place(dir), false)?, dir.join("keys"));
    let made = restore(&Asked { from, at: At::Latest, nodes, keys }, |_| {}).await?;
    Ok((made, files))
}

fn configured(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    // All are taken before the first is given back.
    let bound = (0..NODES).map(|_| TcpListener::bind("127.0.0.1:0"));
    let bound = bound.collect::<Result<Vec<_>, _>>()?;
    let at = bound.iter().map(TcpListener::local_addr).collect::<Result<Vec<SocketAddr>, _>>()?;
    let mut voters = String::new();
    for (node, at) in (1..=NODES).zip(&at) {
        writeln!(voters, "{node} = \"{at}\"")?;
    }
    let mut files = Vec::new();
    for (node, listen) in (1..=NODES).zip(&at) {
        let (data, keys) = (dir.join(format!("node-{node}")), dir.join("keys"));
        let text = format!(
            "data_dir = \"{}\"\nhttp = \"127.0.0.1:0\"\nops = \"127.0.0.1:0\"\n\n[cluster]\nid = \"{:032x}\"\n\
             node = {node}\nlisten = \"{listen}\"\nkeys = \"{}\"\n\n[cluster.voters]\n{voters}",
            data.display(),
            CLUSTERS[1],
            keys.display(),
        );
        let file = dir.join(format!("node-{node}.toml"));
        std::fs::write(&file, text)?;
        files.push(file);
    }
    Ok(files)
}

fn data_dir(file: &Path) -> anyhow::Result<PathBuf> {
    Ok(Config::load(Some(file), &Flags::default())?.data_dir)
}

/// Waits until a node says that it serves.
async fn serves(data_dir: &Path) -> anyhow::Result<()> {
    let (addresses, _) = peek_operator(data_dir)?;
    let client = Client::new(&format!("http://{}", addresses.ops), Limits::default())?;
    let give_up = now() + PATIENCE;
    loop {
        let reply = client.send(&Request::get("/readyz")).await?;
        if reply.status == 200 {
            return Ok(());
        }
        ensure!(now() < give_up, "{}", String::from_utf8_lossy(&reply.body));
        tokio::time::sleep(LOOK).await;
    }
}

/// A guest holds a room, through the door of the last node.
async fn held(nodes: &[(Child, PathBuf)], world: World) -> anyhow::Result<()> {
    let (last, _) = nodes.last().context("three of them")?;
    let keys = Keys::new(&format!("{:032x}", CLUSTERS[1]), &[KEY; KEY_BYTES]);
    let token = keys.mint(Role::Guest, "drill", 3_600)?;
    let client = Client::new(&format!("http://{}", last.address), Limits::default())?;
    let client = client.with_token(&token)?;
    let mut body = String::new();
    http::write_body(&mut body, &Requests::new(world, 99, 1).draw());
    let hold = Request::post("/v1/holds").key("drill").bytes("application/json", body);
    let reply = client.send(&hold).await?;
    ensure!(reply.status == 201, "{}", String::from_utf8_lossy(&reply.body));
    Ok(())
}
