//! Real nodes of one cluster on loopback, each a process, with certificates made by the binary itself.
//!
//! Owns their files and ports. Nothing here sleeps to let something happen: it looks until a state is
//! there, and gives up at a deadline.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use holdfast_server::client::{Client, Limits, Request};
use holdfast_server::clock;
use serde_json::Value;

use crate::server::{BINARY, Ended, Server};

/// How long a state may take to come about before the test calls it missing.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);

pub struct Nodes {
    dir: tempfile::TempDir,
    pub up: BTreeMap<u64, Server>,
    /// What a node's process finds in its environment.
    pub environment: BTreeMap<u64, Vec<(String, String)>>,
    /// A node's doors; the same each time it is started.
    doors: BTreeMap<u64, SocketAddr>,
    /// The network namespace a node runs in, where it has one.
    spaces: BTreeMap<u64, String>,
    /// The program that a node runs, where it is not the one under test.
    pub programs: BTreeMap<u64, PathBuf>,
}

impl Nodes {
    /// The files of a cluster of `voters` nodes, none of which runs yet.
    pub fn new(voters: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let addresses: Vec<String> = free_ports(voters).iter().map(ToString::to_string).collect();
        if voters > 0 {
            let made = admin(&["cluster", "new", "--nodes", &addresses.join(",")], &dir);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let doors = (1..).zip(free_ports(voters)).collect();
        let (up, environment, spaces, programs) = Default::default();
        Self { dir, up, environment, doors, spaces, programs }
    }

    /// The files of a cluster of nodes that each run in a namespace, at an address of its own.
    #[allow(dead_code, reason = "for tests that cut the network")]
    pub fn in_spaces(spaces: &[(String, IpAddr)]) -> Self {
        let mut nodes = Self::new(0);
        let addresses: Vec<String> = spaces.iter().map(|(_, at)| format!("{at}:7400")).collect();
        let made = admin(&["cluster", "new", "--nodes", &addresses.join(",")], &nodes.dir);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for (node, (name, at)) in (1..).zip(spaces) {
            nodes.doors.insert(node, SocketAddr::new(*at, 8080));
            nodes.spaces.insert(node, name.clone());
        }
        nodes
    }

    /// The files of a node that joins later, and its address for the others.
    pub fn extend(&mut self, node: u64) -> String {
        let address = free_ports(1)[0].to_string();
        self.doors.insert(node, free_ports(1)[0]);
        let (id, at) = (node.to_string(), address.as_str());
        let made = admin(&["cluster", "extend", "--node", &id, "--address", at], &self.dir);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        address
    }

    pub fn file(&self, node: u64) -> PathBuf {
        self.dir.path().join(format!("node-{node}.toml"))
    }

    pub fn data(&self, node: u64) -> PathBuf {
        self.dir.path().join(format!("node-{node}"))
    }

    /// Starts a node; it answers its operators when this returns.
    pub fn start(&mut self, node: u64) {
        let server = self.try_start(node).unwrap_or_else(|ended| panic!("{}", ended.said));
        self.up.insert(node, server);
    }

    pub fn try_start(&self, node: u64) -> Result<Server, Ended> {
        let program = self.programs.get(&node).map_or(Path::new(BINARY), PathBuf::as_path);
        let mut command = match self.spaces.get(&node) {
            None => Command::new(program),
            Some(space) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", space]).arg(program);
                command
            }
        };
        let door = self.doors[&node];
        let ops = SocketAddr::new(door.ip(), 0).to_string();
        command.args(["serve", "--http", &door.to_string(), "--ops", &ops, "--config"]);
        command.arg(self.file(node));
        command.envs(self.environment.get(&node).into_iter().flatten().cloned());
        Server::run(command, &self.data(node))
    }

    /// Where a node's doors are, whether it runs or not.
    pub fn url(&self, node: u64) -> String {
        format!("http://{}", self.doors[&node])
    }

    /// The files of a cluster whose nodes reach each other through `relays`; who is at which relay and
    /// where it listens itself. Without certificates: a relay reads who calls.
    #[allow(dead_code, reason = "for tests that cut the network")]
    pub fn behind_relays(voters: usize) -> (Self, Vec<(u64, SocketAddr, SocketAddr)>) {
        let nodes = Self::new(voters);
        let mut ways = Vec::new();
        for (node, listens) in (1..).zip(free_ports(voters)) {
            let text = std::fs::read_to_string(nodes.file(node)).unwrap();
            let at = text.find("listen = \"").unwrap() + "listen = \"".len();
            let end = at + text[at..].find('"').unwrap();
            ways.push((node, text[at..end].parse().unwrap(), listens));
            let tls = text.find("[cluster.tls]").unwrap();
            let voters = text.find("[cluster.voters]").unwrap();
            let plain = format!("{}{listens}{}{}", &text[..at], &text[end..tls], &text[voters..]);
            std::fs::write(nodes.file(node), plain).unwrap();
        }
        (nodes, ways)
    }

    /// Adds to the configuration file of each node there is by now.
    #[allow(dead_code, reason = "for tests that configure more than addresses")]
    pub fn configure(&self, text: &str) {
        for node in self.doors.keys() {
            let had = std::fs::read_to_string(self.file(*node)).unwrap();
            std::fs::write(self.file(*node), format!("{had}\n{text}")).unwrap();
        }
    }

    pub fn client(&self, node: u64, role: &str) -> Client {
        self.client_as(node, role, role)
    }

    /// As one of several with a role.
    pub fn client_as(&self, node: u64, role: &str, name: &str) -> Client {
        let limits = Limits { patience: Duration::from_secs(60), ..Limits::default() };
        let anyone = Client::new(&self.url(node), limits).unwrap();
        anyone.with_token(&self.up[&node].token(role, name)).unwrap()
    }

    /// What `/readyz` of a node says, with its status.
    pub async fn readyz(&self, node: u64) -> (u16, String) {
        self.try_readyz(node).await.unwrap()
    }

    /// Nothing where the node is between two starts.
    async fn try_readyz(&self, node: u64) -> Option<(u16, String)> {
        let text = std::fs::read_to_string(self.data(node).join("addresses.json")).ok()?;
        let addresses: Value = serde_json::from_str(&text).unwrap();
        let url = format!("http://{}", addresses["ops"].as_str().unwrap());
        let client = Client::new(&url, Limits::default()).unwrap();
        let reply = client.send(&Request::get("/readyz")).await.ok()?;
        Some((reply.status, String::from_utf8_lossy(&reply.body).trim().to_owned()))
    }

    pub async fn ready(&self, node: u64) {
        let serving = Some((200, "serving".to_owned()));
        until("a node is ready", async || self.try_readyz(node).await == serving).await;
    }

    pub async fn all_ready(&self) {
        for node in self.up.keys() {
            self.ready(*node).await;
        }
    }

    /// An operator's call to a node; its JSON, or what it said where it was refused.
    pub fn call(&self, node: u64, words: &[&str]) -> Result<Value, String> {
        let data = self.data(node);
        let mut command = Command::new(BINARY);
        let done = command.arg("admin").args(words).args(["--json", "--data-dir"]).arg(data);
        let done = done.output().unwrap();
        match done.status.success() {
            true => Ok(serde_json::from_slice(&done.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
        }
    }

    /// Begins an operator's call to a node and does not wait for its end.
    #[allow(dead_code, reason = "for tests that go on meanwhile")]
    pub fn begin(&self, node: u64, words: &[&str]) -> Child {
        let mut command = Command::new(BINARY);
        command.arg("admin").args(words).arg("--data-dir").arg(self.data(node));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// A call that is refused until what the leader knows of others allows it.
    pub async fn call_until_done(&self, node: u64, words: &[&str]) {
        until("an operator's call is taken", async || match self.call(node, words) {
            Ok(_) => true,
            // "Faster": an election came between, and another node than the one that was asked for leads.
            Err(why) => {
                let passes = ["behind", "answer", "no_leader", "faster"];
                assert!(passes.iter().any(|word| why.contains(word)), "{words:?}: {why}");
                false
            }
        })
        .await;
    }

    /// Who leads, by the word of a node that runs.
    pub async fn leader(&self) -> u64 {
        let mut found = 0;
        until("a node leads", async || {
            let leads = |node: &u64| {
                let status = self.call(*node, &["status"]).ok()?;
                (status["role"] == "leader" && status["stuck"].is_null()).then_some(*node)
            };
            found = self.up.keys().find_map(leads).unwrap_or(0);
            found != 0
        })
        .await;
        found
    }

    /// Who leads by the word of `node`, which need not be that node; none where it knows none.
    #[allow(dead_code, reason = "for tests where nodes disagree")]
    pub fn leader_of(&self, node: u64) -> Option<u64> {
        self.call(node, &["status"]).ok()?["leader"].as_u64()
    }

    pub async fn follower(&self) -> u64 {
        let leader = self.leader().await;
        *self.up.keys().find(|node| **node != leader).unwrap()
    }

    /// The digest that all running nodes agree on, taken at one index.
    pub async fn digests_agree(&self) {
        until("all nodes are at one index", async || {
            let digests: Vec<Value> =
                self.up.keys().map(|node| self.call(*node, &["digest"]).unwrap()).collect();
            if digests.iter().any(|digest| digest["index"] != digests[0]["index"]) {
                return false;
            }
            assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
            true
        })
        .await;
    }
}

/// Looks until `state` holds.
pub async fn until(what: &str, mut state: impl AsyncFnMut() -> bool) {
    let give_up = clock::instant() + PATIENCE;
    while !state().await {
        assert!(clock::instant() < give_up, "never: {what}");
        tokio::time::sleep(LOOK).await;
    }
}

fn admin(words: &[&str], dir: &tempfile::TempDir) -> Output {
    let mut command = Command::new(BINARY);
    command.arg("admin").args(words).arg("--dir").arg(dir.path()).output().unwrap()
}

/// Ports that are free, and that the system gives to nobody by itself: a node that is down for a while
/// finds its own free again.
pub fn free_ports(count: usize) -> Vec<SocketAddr> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 12_000).unwrap();
    // Relaxed: each number is given once, which is all.
    let numbers = std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed));
    let ports = numbers.map(|number| 20_000 + (first + number) % 12_000);
    let addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    addresses.filter(|address| TcpListener::bind(address).is_ok()).take(count).collect()
}
