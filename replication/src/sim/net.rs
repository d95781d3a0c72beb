//! The network between nodes: listeners, and streams of bytes that are late, held up, cut and reset.
//!
//! It owns the twins of tokio's TCP types. A stream keeps its bytes in order, as TCP does: what is lost is
//! a connection, what comes twice or out of order does so on two connections. Bytes of a connection that
//! one end has given up still arrive at the other.
//!
//! **Invariant**: a byte is delivered after the delay that was drawn for it, and not while the way is cut.

mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;

pub(crate) use stream::TcpStream;
use stream::{Pipe, Way};

use super::dice::Dice;
use super::runtime::{self, Life};
use super::world::world;

/// How often a connection that is being made looks whether the way is open again.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PORT: u16 = 7_000;

/// The address of a node; nothing else has one.
pub(crate) fn address_of(node: u64) -> SocketAddr {
    let last = u8::try_from(node).expect("few nodes");
    SocketAddr::from(([10, 0, 0, last], PORT))
}

fn node_at(address: SocketAddr) -> u64 {
    match address {
        SocketAddr::V4(address) => u64::from(address.ip().octets()[3]),
        SocketAddr::V6(_) => 0,
    }
}

pub(crate) struct Net {
    dice: Mutex<Dice>,
    state: Mutex<State>,
}

struct State {
    listening: BTreeMap<u64, mpsc::UnboundedSender<(TcpStream, SocketAddr)>>,
    /// From whom to whom nothing gets through.
    cut: BTreeSet<(u64, u64)>,
    pipes: Vec<Weak<Pipe>>,
    /// The longest delay of an ordinary packet, in microseconds.
    delay_us_max: u64,
    /// One packet in so many is late by up to [`LATE_US_MAX`]; zero: none.
    late_one_in: u64,
}

const LATE_US_MAX: u64 = 400_000;

impl Net {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 2);
        let state = State {
            listening: BTreeMap::new(),
            cut: BTreeSet::new(),
            pipes: Vec::new(),
            delay_us_max: dice.of(&[400, 2_000, 10_000, 30_000]),
            late_one_in: dice.of(&[0, 2_000, 200, 50]),
        };
        Self { dice: Mutex::new(dice), state: Mutex::new(state) }
    }

    /// From now on the network is as good as it gets.
    pub fn calm(&self) {
        let mut state = self.state.lock();
        state.late_one_in = 0;
        state.delay_us_max = state.delay_us_max.min(2_000);
    }

    pub fn cut(&self, from: u64, to: u64) {
        self.state.lock().cut.insert((from, to));
    }

    /// Everything gets through again, what was held up first.
    pub fn heal(&self) {
        self.state.lock().cut.clear();
        self.wake_all();
    }

    pub fn is_cut(&self, from: u64, to: u64) -> bool {
        self.state.lock().cut.contains(&(from, to))
    }

    fn is_up(&self, node: u64) -> bool {
        self.state.lock().listening.contains_key(&node)
    }

    fn delay(&self) -> Duration {
        let (most, late) = {
            let state = self.state.lock();
            (state.delay_us_max, state.late_one_in)
        };
        let mut dice = self.dice.lock();
        let delay_us = dice.between(most / 10, most);
        let late_us = if late > 0 && dice.one_in(late) { dice.below(LATE_US_MAX) } else { 0 };
        Duration::from_micros(delay_us + late_us)
    }

    fn wake_all(&self) {
        for pipe in self.pipes() {
            pipe.wake();
        }
    }

    fn pipes(&self) -> Vec<Arc<Pipe>> {
        let mut state = self.state.lock();
        state.pipes.retain(|pipe| pipe.strong_count() > 0);
        state.pipes.iter().filter_map(Weak::upgrade).collect()
    }

    /// Resets some connections: one in so many.
    pub fn reset_some(&self, one_in: u64) -> usize {
        let mut reset = 0;
        for pipe in self.pipes() {
            if self.dice.lock().one_in(one_in) {
                pipe.reset_reader();
                reset += 1;
            }
        }
        reset
    }

    fn connection(&self, from: u64, to: u64) -> (TcpStream, TcpStream) {
        let (there, back) = (Pipe::new(Way { from, to }), Pipe::new(Way { from: to, to: from }));
        let mut state = self.state.lock();
        if state.pipes.len() >= 256 && state.pipes.len().is_power_of_two() {
            state.pipes.retain(|pipe| pipe.strong_count() > 0);
        }
        state.pipes.extend([Arc::downgrade(&there), Arc::downgrade(&back)]);
        (TcpStream::new(back.clone(), there.clone()), TcpStream::new(there, back))
    }
}

pub(crate) struct TcpListener {
    node: u64,
    incoming: tokio::sync::Mutex<mpsc::UnboundedReceiver<(TcpStream, SocketAddr)>>,
}

impl TcpListener {
    #[expect(clippy::unused_async, reason = "tokio's waits")]
    pub async fn bind(at: SocketAddr) -> io::Result<Self> {
        let node = node_at(at);
        let (sender, incoming) = mpsc::unbounded_channel();
        let world = world();
        let mut state = world.net.state.lock();
        if state.listening.contains_key(&node) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        state.listening.insert(node, sender);
        Ok(Self { node, incoming: incoming.into() })
    }

    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = self.incoming.lock().await.recv().await;
        accepted.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        world().net.state.lock().listening.remove(&self.node);
    }
}

impl TcpStream {
    pub async fn connect(address: &str) -> io::Result<Self> {
        let at: SocketAddr =
            address.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let to = node_at(at);
        let from = Life::current().map_or(0, |life| life.node);
        let world = world();
        let net = &world.net;
        runtime::sleep(net.delay()).await;
        while net.is_cut(from, to) || net.is_cut(to, from) {
            runtime::sleep(LOOK_EVERY).await;
        }
        runtime::sleep(net.delay()).await;
        let listening = net.state.lock().listening.get(&to).cloned();
        let Some(listening) = listening else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        let (here, there) = net.connection(from, to);
        let refused = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
        listening.send((there, address_of(from.max(1)))).map_err(refused)?;
        Ok(here)
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as tokio's")]
    pub fn set_nodelay(&self, _: bool) -> io::Result<()> {
        Ok(())
    }
}
