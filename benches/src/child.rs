//! Processes beside this one: the server under load, the bare handler, and their end.
//!
//! The benchmark runs itself again in another role, so that server and client never share a process.
//! Invariant: a child ends with the value that stands for it.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use holdfast_replication::{Change, Node};
use holdfast_server::config::{self, Config, Flags, LOG_FILTER_DEFAULT, LogFormat};
use holdfast_server::serve::{self, StopSignal};
use holdfast_server::telemetry;

use crate::figures::{durable, search};
use crate::stopwatch::now;

const ROLE: &str = "HOLDFAST_BENCH_ROLE";
/// How long a cluster may take to have the world, and how often it is looked at.
const FILLED_WITHIN: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(20);

/// A process that serves HTTP.
pub struct Child {
    process: std::process::Child,
    pub address: SocketAddr,
}

impl Child {
    /// The product, over a data directory, just as `holdfast serve` starts it.
    pub fn server(data_dir: &Path) -> anyhow::Result<Self> {
        Self::spawn("server", &[&data_dir.display().to_string()])
    }

    /// One of a cluster, by its configuration file.
    pub fn member(file: &Path) -> anyhow::Result<Self> {
        Self::spawn("member", &[&file.display().to_string()])
    }

    /// Two axum handlers that read the body and answer with so many bytes: `POST` and `GET`.
    pub fn bare(post_bytes: usize, get_bytes: usize) -> anyhow::Result<Self> {
        Self::spawn("bare", &[&post_bytes.to_string(), &get_bytes.to_string()])
    }

    /// A node of a cluster, without certificates; keys lie in `keys` beside its directory. Where it is given a
    /// learner, by id and address, it takes the lead, brings the world of searches into the log, and is up once
    /// the learner has that too.
    pub fn node(
        data_dir: &Path,
        (node, listen): (u64, SocketAddr),
        voters: &[SocketAddr],
        learner: Option<(u64, SocketAddr)>,
    ) -> anyhow::Result<Self> {
        let mut words = vec![data_dir.display().to_string(), node.to_string(), listen.to_string()];
        words.push(voters.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(","));
        if let Some((learner, address)) = learner {
            words.extend([learner.to_string(), address.to_string()]);
        }
        Self::spawn("node", &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    fn spawn(role: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .env(ROLE, role)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().context("the child's output is piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("the {role} did not start"))?;
        Ok(Self { process, address })
    }

    /// Processor time it has used so far, user and system.
    pub fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.process.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // Fields 14 and 15, counted after the name in parentheses; in ticks of 10 ms.
        let after_name = text.rsplit(") ").next().unwrap_or_default();
        let ticks =
            after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the role this process was started for; `false` where it was started by a person.
pub fn run_role() -> anyhow::Result<bool> {
    let Ok(role) = std::env::var(ROLE) else { return Ok(false) };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match (role.as_str(), arguments.as_slice()) {
        ("server", [data_dir]) => runtime.block_on(server(data_dir))?,
        ("node", [data_dir, node, listen, voters, learner @ ..]) => {
            runtime.block_on(one_of(Path::new(data_dir), (node, listen), voters, learner))?;
        }
        ("member", [file]) => runtime.block_on(member(file))?,
        ("bare", [post, get]) => runtime.block_on(bare(post.parse()?, get.parse()?))?,
        (role, arguments) => anyhow::bail!("no role {role} with {arguments:?}"),
    }
    Ok(true)
}

async fn server(data_dir: &str) -> anyhow::Result<()> {
    telemetry::start_logs(LogFormat::Json, LOG_FILTER_DEFAULT);
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    serves(Config { data_dir: data_dir.into(), http: any, ops: any, ..Config::default() }).await
}

async fn member(file: &str) -> anyhow::Result<()> {
    telemetry::start_logs(LogFormat::Json, LOG_FILTER_DEFAULT);
    serves(Config::load(Some(Path::new(file)), &Flags::default())?).await
}

async fn serves(config: Config) -> anyhow::Result<()> {
    let mut stop = StopSignal::listen()?;
    let server = serve::start(config, None).await?;
    announce(server.http())?;
    server.run(&mut stop).await.map(drop)
}

async fn one_of(
    data_dir: &Path,
    (node, listen): (&str, &str),
    voters: &str,
    learner: &[String],
) -> anyhow::Result<()> {
    telemetry::start_logs(LogFormat::Json, LOG_FILTER_DEFAULT);
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let cluster = config::Cluster {
        id: 1,
        node: node.parse()?,
        listen: listen.parse()?,
        voters: (1..).zip(voters.split(',').map(str::to_owned)).collect(),
        keys: Some(data_dir.with_file_name("keys")),
        tls: None,
    };
    let cluster = Some(cluster);
    let config =
        Config { data_dir: data_dir.into(), http: any, ops: any, cluster, ..Config::default() };
    let mut stop = StopSignal::listen()?;
    let server = serve::start(config, None).await?;
    if let [learner, address] = learner {
        fill(server.state().node(), (learner.parse()?, address)).await?;
    }
    announce(server.http())?;
    server.run(&mut stop).await.map(drop)
}

/// Takes the lead, brings the world into the log, and gives all of it to a learner.
async fn fill(node: &Node, (learner, address): (u64, &str)) -> anyhow::Result<()> {
    let give_up = now() + FILLED_WITHIN;
    let wait = async |what: &str| {
        ensure!(now() < give_up, "never: {what}");
        tokio::time::sleep(LOOK).await;
        anyhow::Ok(())
    };
    let me = node.status().node;
    while !(node.leads() && node.reader().settings().is_some()) {
        wait("it leads").await?;
        if node.status().leader.is_some_and(|leader| leader != me) {
            // Refused while elections go on: asked again.
            let _ = node.change(Change::Lead { to: Some(me) }).await;
        }
    }
    let first = durable::tomorrow(node.now_ms());
    durable::load(node, search::world(first)).await?;
    let added = Change::AddLearner { node: learner, address: address.to_owned() };
    node.change(added).await?;
    let wanted = node.status().applied;
    let has =
        async || node.members().await.iter().any(|it| it.node == learner && it.matched >= wanted);
    while !has().await {
        wait("the learner has all").await?;
    }
    Ok(())
}

async fn bare(post_bytes: usize, get_bytes: usize) -> anyhow::Result<()> {
    let json = [(header::CONTENT_TYPE, "application/json")];
    let json_too = json.clone();
    let answer = |bytes: usize| Bytes::from(vec![b' '; bytes]);
    let (made, found) = (answer(post_bytes), answer(get_bytes));
    let router = Router::new()
        .route(
            "/v1/holds",
            post(async move |body: Bytes| {
                drop(body);
                (StatusCode::CREATED, json_too, made)
            }),
        )
        .route("/v1/search", get(async move || (json, found)));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    announce(socket.local_addr()?)?;
    let socket = axum::serve::ListenerExt::tap_io(socket, |stream| {
        // A connection that lost this early is the client's to notice.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(socket, router).await?)
}

fn announce(address: SocketAddr) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{address}")?;
    out.flush()
}
