//! Redis doing the usual Lua script, with its append-only file synced always or every second.
//!
//! Owns a server of its own on a socket in a scratch directory, gone with the value, and the few bytes
//! of RESP that are needed to talk to it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use super::Peer;
use crate::dice::Dice;
use crate::report::Latencies;
use crate::stopwatch::{now, rate};

/// KEYS: idempotency key, nights of the room type, guest, hold, expiry index.
/// ARGV: hold, first night, first night after, rooms per night, expiry.
const SCRIPT: &str = "
    local known = redis.call('GET', KEYS[1])
    if known then return known end
    if redis.call('SCARD', KEYS[3]) >= 10 then return redis.error_reply('QUOTA') end
    for night = ARGV[2], ARGV[3] - 1 do
        local taken = tonumber(redis.call('HGET', KEYS[2], night) or '0')
        if taken >= tonumber(ARGV[4]) then return redis.error_reply('SHORT') end
    end
    for night = ARGV[2], ARGV[3] - 1 do redis.call('HINCRBY', KEYS[2], night, 1) end
    redis.call('HSET', KEYS[4], 'room', KEYS[2], 'from', ARGV[2], 'to', ARGV[3], 'guest', KEYS[3])
    redis.call('SADD', KEYS[3], ARGV[1])
    redis.call('ZADD', KEYS[5], ARGV[5], ARGV[1])
    redis.call('SET', KEYS[1], ARGV[1], 'EX', 86400)
    return ARGV[1]";

/// When the append-only file is synced.
#[derive(Debug, Clone, Copy)]
pub enum Sync {
    /// Before every answer.
    Always,
    /// Once a second: up to a second of answered holds is lost in a crash.
    EverySecond,
}

impl Sync {
    const fn option(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySecond => "everysec",
        }
    }
}

/// A running server.
pub struct Redis {
    process: Child,
    dir: tempfile::TempDir,
}

/// Where `redis-server` is: named by `REDIS_SERVER`, or on the path.
pub fn installed() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("REDIS_SERVER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join("redis-server")).find(|file| file.exists())
}

impl Redis {
    pub async fn start(program: &Path, scratch: &Path, sync: Sync) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir_in(scratch)?;
        let socket = dir.path().join("socket");
        let process = Command::new(program)
            .current_dir(dir.path())
            .args([
                "--port",
                "0",
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                sync.option(),
            ])
            .args(["--daemonize", "no", "--unixsocket"])
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let redis = Self { process, dir };
        let until = now() + Duration::from_secs(20);
        // The socket appears when the server listens; there is nothing else to wait for.
        while UnixStream::connect(&socket).await.is_err() {
            ensure!(now() < until, "redis-server did not listen within 20 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(redis)
    }

    /// Holds from so many connections, each waiting for its answer before it goes on.
    pub async fn load(
        &self,
        room_types: u32,
        nights: u32,
        connections: u64,
        time: Duration,
    ) -> anyhow::Result<Peer> {
        let socket = self.dir.path().join("socket");
        let mut callers = Vec::new();
        for nth in 0..connections {
            let mut stream = BufStream::new(UnixStream::connect(&socket).await?);
            let script = ask(&mut stream, &["SCRIPT", "LOAD", SCRIPT]).await?;
            callers.push(Caller { stream, script, room_types, nights, dice: Dice::new(nth) });
        }
        let start = now();
        let until = start + time;
        let mut tasks = JoinSet::new();
        for caller in callers {
            tasks.spawn(caller.run(until));
        }
        let mut latencies = Latencies::new();
        while let Some(done) = tasks.join_next().await {
            latencies.add(&done??);
        }
        Ok(Peer { rate: rate(latencies.count(), start.elapsed()), latencies })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Caller {
    stream: BufStream<UnixStream>,
    script: String,
    room_types: u32,
    nights: u32,
    dice: Dice,
}

impl Caller {
    async fn run(mut self, until: Instant) -> anyhow::Result<Latencies> {
        let mut latencies = Latencies::new();
        let mut start = now();
        while start < until {
            let dice = &mut self.dice;
            let nights = 1 + dice.below(4);
            let from = dice.below(self.nights - nights);
            let hold = format!("{:032x}", dice.wide());
            let key = format!("key:{:032x}", dice.wide());
            let room = format!("room:{}", dice.below(self.room_types));
            let guest = format!("guest:{:016x}", dice.next());
            let hold_key = format!("hold:{hold}");
            let (first, end) = (from.to_string(), (from + nights).to_string());
            ask(
                &mut self.stream,
                &[
                    "EVALSHA",
                    &self.script,
                    "5",
                    &key,
                    &room,
                    &guest,
                    &hold_key,
                    "expiry",
                    &hold,
                    &first,
                    &end,
                    "400",
                    "1798762500",
                ],
            )
            .await?;
            let done = now();
            latencies.record(done - start);
            start = done;
        }
        Ok(latencies)
    }
}

/// One command and its reply, which must be a bulk string.
async fn ask(stream: &mut BufStream<UnixStream>, words: &[&str]) -> anyhow::Result<String> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let Some(length) = line.trim_end().strip_prefix('$') else { bail!("redis answered {line:?}") };
    let mut bytes = vec![0; length.parse::<usize>()? + 2];
    stream.read_exact(&mut bytes).await?;
    bytes.truncate(bytes.len() - 2);
    Ok(String::from_utf8(bytes)?)
}
