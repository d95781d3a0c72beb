//! The load generator: one thread, keep-alive connections, requests built as they are sent.
//!
//! Owns the wire: a request in one write, a reply by its `Content-Length`, no pipelining. It shares the
//! machine with what it loads, so it does as little as it can.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::report::Latencies;
use crate::stopwatch::{now, rate};

/// Writes the next request of a connection into the buffer.
pub type Maker = Box<dyn FnMut(&mut Vec<u8>) + Send>;

/// When a connection sends.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// As soon as the reply before is there.
    Closed,
    /// At moments drawn beforehand, so many a second over all connections, whatever becomes of
    /// the replies. A request that waits for a reply before it counts its wait.
    Open(f64),
}

/// What one load did.
pub struct Done {
    pub latencies: Latencies,
    pub time: Duration,
    /// Replies outside 200-299, by status.
    pub failed: Vec<(u16, u64)>,
}

impl Done {
    pub fn rate(&self) -> f64 {
        rate(self.latencies.count(), self.time)
    }
}

/// Runs one load on a thread of its own kind: this one.
pub fn load(
    address: SocketAddr,
    makers: Vec<Maker>,
    pace: Pace,
    time: Duration,
) -> anyhow::Result<(Done, Vec<Maker>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(connections(address, makers, pace, time))
}

async fn connections(
    address: SocketAddr,
    makers: Vec<Maker>,
    pace: Pace,
    time: Duration,
) -> anyhow::Result<(Done, Vec<Maker>)> {
    let count = makers.len();
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let start = now();
    let until = start + time;
    let mut tasks = JoinSet::new();
    for (nth, (stream, maker)) in (0u64..).zip(streams.into_iter().zip(makers)) {
        let pacer = Pacer::new(pace, count, nth, start);
        tasks.spawn(connection(
            Wire { stream, buffer: Vec::with_capacity(16 * 1_024) },
            maker,
            pacer,
            until,
        ));
    }
    let mut done = Done { latencies: Latencies::new(), time, failed: Vec::new() };
    let mut makers = Vec::new();
    while let Some(one) = tasks.join_next().await {
        let (latencies, failed, maker) = one??;
        done.latencies.add(&latencies);
        for (status, count) in failed {
            match done.failed.iter_mut().find(|known| known.0 == status) {
                Some(known) => known.1 += count,
                None => done.failed.push((status, count)),
            }
        }
        makers.push(maker);
    }
    done.time = start.elapsed();
    Ok((done, makers))
}

type OneDone = (Latencies, Vec<(u16, u64)>, Maker);

async fn connection(
    mut wire: Wire,
    mut maker: Maker,
    mut pacer: Pacer,
    until: Instant,
) -> anyhow::Result<OneDone> {
    let (mut latencies, mut failed) = (Latencies::new(), Vec::<(u16, u64)>::new());
    let mut request = Vec::with_capacity(2_048);
    loop {
        let start = pacer.next().await;
        if start >= until {
            return Ok((latencies, failed, maker));
        }
        request.clear();
        maker(&mut request);
        let status = wire.exchange(&request).await?;
        latencies.record(start.elapsed());
        if !(200..300).contains(&status) {
            match failed.iter_mut().find(|known| known.0 == status) {
                Some(known) => known.1 += 1,
                None => failed.push((status, 1)),
            }
        }
    }
}

/// The moments at which one connection sends.
struct Pacer {
    mean: Option<Duration>,
    due: Instant,
    dice: Dice,
}

impl Pacer {
    fn new(pace: Pace, connections: usize, nth: u64, start: Instant) -> Self {
        let mean = match pace {
            Pace::Closed => None,
            Pace::Open(per_s) => Some(Duration::from_secs_f64(connections as f64 / per_s)),
        };
        Self { mean, due: start, dice: Dice::new(nth) }
    }

    /// Waits for the next moment; the instant from which the request's latency counts. The timer's own
    /// lateness (about a millisecond) is nobody's latency; a reply that came late is.
    async fn next(&mut self) -> Instant {
        let Some(mean) = self.mean else { return now() };
        // Exponential gaps: arrivals that know nothing of each other.
        let uniform = (self.dice.next() >> 11) as f64 / (1u64 << 53) as f64;
        self.due += mean.mul_f64(-(1.0 - uniform).ln());
        if now() < self.due {
            tokio::time::sleep_until(self.due.into()).await;
            return now();
        }
        self.due
    }
}

/// One keep-alive connection.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// Sends a request and reads its reply whole; the status.
    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, whole) = loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            if let Some(found) = head(&self.buffer)? {
                break found;
            }
        };
        while self.buffer.len() < whole {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the reply was cut off");
        }
        Ok(status)
    }

    /// One request on a connection of its own; status and body.
    pub fn once(address: SocketAddr, request: &[u8]) -> anyhow::Result<(u16, String)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut wire = Self { stream: TcpStream::connect(address).await?, buffer: Vec::new() };
            let status = wire.exchange(request).await?;
            let text = String::from_utf8_lossy(&wire.buffer).into_owned();
            let body = text.split_once("\r\n\r\n").map_or("", |parts| parts.1).to_owned();
            Ok((status, body))
        })
    }
}

/// Status and whole length of a reply whose head is there.
fn head(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes[..end])?;
    let status = text.get(9..12).context("no status")?.parse()?;
    let length = text
        .lines()
        .find_map(|line| {
            line.split_once(':').filter(|parts| parts.0.eq_ignore_ascii_case("content-length"))
        })
        .context("a reply without Content-Length")?;
    Ok(Some((status, end + 4 + length.1.trim().parse::<usize>()?)))
}
