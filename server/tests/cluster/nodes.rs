//! Real nodes of one cluster on loopback, each a process, with certificates made by the binary itself.
//!
//! Owns their files and ports. Nothing here sleeps to let something happen: it looks until a state is
//! there, and gives up at a deadline.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output};
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
}

impl Nodes {
    /// The files of a cluster of `voters` nodes, none of which runs yet.
    pub fn new(voters: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let addresses: Vec<String> = free_ports(voters).iter().map(ToString::to_string).collect();
        let made = admin(&["cluster", "new", "--nodes", &addresses.join(",")], &dir);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { dir, up: BTreeMap::new() }
    }

    /// The files of a node that joins later, and its address for the others.
    pub fn extend(&self, node: u64) -> String {
        let address = free_ports(1)[0].to_string();
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
        let file = self.file(node);
        Server::try_start(&self.data(node), &["--config", file.to_str().unwrap()])
    }

    pub fn client(&self, node: u64, role: &str) -> Client {
        let patience = Duration::from_secs(60);
        self.up[&node].client(role, role, Limits { patience, ..Limits::default() })
    }

    /// What `/readyz` of a node says, with its status.
    pub async fn readyz(&self, node: u64) -> (u16, String) {
        let text = std::fs::read_to_string(self.data(node).join("addresses.json")).unwrap();
        let addresses: Value = serde_json::from_str(&text).unwrap();
        let url = format!("http://{}", addresses["ops"].as_str().unwrap());
        let client = Client::new(&url, Limits::default()).unwrap();
        let reply = client.send(&Request::get("/readyz")).await.unwrap();
        (reply.status, String::from_utf8_lossy(&reply.body).trim().to_owned())
    }

    pub async fn ready(&self, node: u64) {
        until("a node is ready", async || self.readyz(node).await == (200, "serving".into())).await;
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

    /// A call that is refused until what the leader knows of others allows it.
    pub async fn call_until_done(&self, node: u64, words: &[&str]) {
        until("an operator's call is taken", async || match self.call(node, words) {
            Ok(_) => true,
            Err(why) if ["behind", "answer", "no_leader"].iter().any(|word| why.contains(word)) => {
                false
            }
            Err(why) => panic!("{words:?}: {why}"),
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

/// Ports that were free a moment ago; all are taken before the first is given back.
fn free_ports(count: usize) -> Vec<SocketAddr> {
    let bound: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    bound.iter().map(|port| port.local_addr().unwrap()).collect()
}
