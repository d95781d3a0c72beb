//! The same holds in Holdfast, PostgreSQL and Redis, in the same run, rounds interleaved.

use std::path::Path;
use std::time::Duration;

use super::http::{CONNECTIONS, Door};
use super::{Scale, durable};
use crate::http_load::{Pace, load};
use crate::peers::postgres::{self, Postgres, Way};
use crate::peers::redis::{self, Redis, Sync};
use crate::report::{Includes, Latencies, per_s, row, title};

const CALLERS: u64 = 64;

pub fn run(scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    title("peers", Includes::Http, &format!(
        "Holds a second with {CALLERS} callers, each waiting for its answer: claim the key, check every night and the
         guest's quota, write the hold, index its expiry. Nothing is answered before it is on disk, but for Redis
         everysec. Holdfast over HTTP with authentication and JSON, and in process; PostgreSQL and Redis by
         a socket file, without HTTP; 400 rooms of each type, room for all.",
    ));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let door = Door::open(scratch)?;
    let mut makers = door.holders(door.server.address, CONNECTIONS);
    let node_dir = tempfile::tempdir_in(scratch)?;
    let (room_types, nights) = (2_500, 365);
    let node = runtime.block_on(durable::Loaded::open(node_dir.path()))?;
    let postgres = match postgres::installed() {
        Some(bin) => Some(runtime.block_on(Postgres::start(bin, scratch, room_types, nights))?),
        None => {
            row("PostgreSQL", "SKIPPED", "no /usr/lib/postgresql/*/bin/initdb on this machine");
            None
        }
    };
    let redis = redis::installed();
    if redis.is_none() {
        row("Redis", "SKIPPED", "no redis-server on this machine (or name one with REDIS_SERVER)");
    }
    let time = Duration::from_secs(if scale.quick { 2 } else { 5 });
    for round in 1..=if scale.quick { 1 } else { 3u32 } {
        let (done, returned) =
            load(door.server.address, std::mem::take(&mut makers), Pace::Closed, time)?;
        makers = returned;
        let ours = done.rate();
        let show = |name: &str, rate: f64, latencies: &Latencies| {
            let remark =
                format!("{}; Holdfast over HTTP does {:.1} x", latencies.summary(), ours / rate);
            row(&format!("round {round}: {name}"), &per_s(rate), &remark);
        };
        show("Holdfast, HTTP", ours, &done.latencies);
        let inside = runtime.block_on(node.load(CALLERS, time))?;
        show("Holdfast, in process", inside.rate(), &inside.latencies);
        if let Some(postgres) = &postgres {
            let name = runtime.block_on(postgres.version())?;
            for (way, how) in [(Way::Transaction, "transaction"), (Way::Function, "function")] {
                let seed = u64::from(round) * 2 + u64::from(way == Way::Function);
                let peer = runtime.block_on(postgres.load(way, CALLERS, time, seed))?;
                show(&format!("{name}, {how}"), peer.rate, &peer.latencies);
            }
        }
        for sync in [Sync::Always, Sync::EverySecond] {
            let Some(program) = &redis else { continue };
            let peer = runtime.block_on(async {
                Redis::start(program, scratch, sync)
                    .await?
                    .load(room_types, nights, CALLERS, time)
                    .await
            })?;
            show(&format!("Redis, Lua, {sync:?}"), peer.rate, &peer.latencies);
        }
    }
    runtime.block_on(node.shutdown());
    Ok(())
}
