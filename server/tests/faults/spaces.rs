//! Network namespaces, one for each node, joined by a bridge: a network that can be cut for real.
//!
//! Owns their names and takes them away again. A cut is the kernel's: a link that is down, or a route that
//! leads nowhere, so that one side's packets are lost and the other's arrive.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use crate::trial::say;

pub struct Spaces {
    bridge: String,
    nodes: Vec<Space>,
}

struct Space {
    name: String,
    /// The host's end of the cable.
    cable: String,
    at: Ipv4Addr,
}

impl Spaces {
    /// So many namespaces; `None`, and a word, where this machine makes none.
    pub fn make(count: u8) -> Option<Self> {
        let id = std::process::id();
        let net = [10, 213, u8::try_from(id % 250).unwrap()];
        let mut made = Self { bridge: format!("hfb{}", id % 100_000), nodes: Vec::new() };
        let done = made.build(net, count);
        if let Err(why) = done {
            say(&format!("SKIPPED: network namespaces cannot be made here: {why}"));
            return None;
        }
        Some(made)
    }

    fn build(&mut self, [a, b, c]: [u8; 3], count: u8) -> Result<(), String> {
        let (id, bridge) = (std::process::id() % 100_000, self.bridge.clone());
        ip(&format!("link add {bridge} type bridge"))?;
        ip(&format!("addr add {a}.{b}.{c}.254/24 dev {bridge}"))?;
        ip(&format!("link set {bridge} up"))?;
        for node in 1..=count {
            let (name, cable) = (format!("hf-{id}-{node}"), format!("hfc{id}n{node}"));
            let at = Ipv4Addr::new(a, b, c, node);
            self.nodes.push(Space { name: name.clone(), cable: cable.clone(), at });
            ip(&format!("netns add {name}"))?;
            ip(&format!("link add {cable} type veth peer name eth0 netns {name}"))?;
            ip(&format!("link set {cable} master {bridge} up"))?;
            ip(&format!("-n {name} addr add {at}/24 dev eth0"))?;
            ip(&format!("-n {name} link set eth0 up"))?;
            ip(&format!("-n {name} link set lo up"))?;
        }
        Ok(())
    }

    pub fn addresses(&self) -> Vec<(String, IpAddr)> {
        self.nodes.iter().map(|node| (node.name.clone(), node.at.into())).collect()
    }

    fn node(&self, node: u64) -> &Space {
        &self.nodes[usize::try_from(node - 1).unwrap()]
    }

    /// Pulls a node's cable, or puts it back.
    pub fn cable(&self, node: u64, is_in: bool) {
        let state = if is_in { "up" } else { "down" };
        ip(&format!("link set {} {state}", self.node(node).cable)).unwrap();
    }

    /// What `from` sends to `to` is lost, or arrives again; what `to` sends arrives.
    pub fn way(&self, from: u64, to: u64, is_open: bool) {
        let verb = if is_open { "del" } else { "add" };
        let (name, at) = (&self.node(from).name, self.node(to).at);
        ip(&format!("-n {name} route {verb} blackhole {at}/32")).unwrap();
    }
}

impl Drop for Spaces {
    fn drop(&mut self) {
        for node in &self.nodes {
            // With a namespace its end of the cable goes, and with that the other.
            let _ = ip(&format!("netns del {}", node.name));
        }
        let _ = ip(&format!("link del {}", self.bridge));
    }
}

fn ip(words: &str) -> Result<(), String> {
    let done = Command::new("ip").args(words.split(' ')).output();
    let done = done.map_err(|error| format!("ip: {error}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    done.status.success().then_some(()).ok_or_else(|| format!("ip {words}: {}", said.trim()))
}
