//! PostgreSQL doing the usual transaction of a booking system, fsync on.
//!
//! Owns a cluster of its own in a scratch directory, reached by a socket there, gone with the value.
//! What it is asked to do per hold: claim the idempotency key, lock the nights, check the guest's quota,
//! insert the hold, update the nights. Once as statements of a transaction, once as one function call.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, Statement};

use super::{Account, Peer};
use crate::dice::Dice;
use crate::report::Latencies;
use crate::stopwatch::{now, rate};

const SCHEMA: &str = "
    CREATE TABLE inventory (room_type int, night int, allotment int NOT NULL, held int NOT NULL,
        sold int NOT NULL, price bigint NOT NULL, PRIMARY KEY (room_type, night));
    CREATE TABLE holds (id bigint PRIMARY KEY, guest bigint NOT NULL, room_type int NOT NULL,
        check_in int NOT NULL, check_out int NOT NULL, quantity int NOT NULL, total bigint NOT NULL,
        expires_at timestamptz NOT NULL);
    CREATE INDEX holds_by_expiry ON holds (expires_at);
    CREATE INDEX holds_by_guest ON holds (guest);
    CREATE TABLE idempotency_keys (key bigint PRIMARY KEY, hold bigint NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now());
    CREATE FUNCTION make_hold(k bigint, h bigint, g bigint, r int, f int, t int) RETURNS bool
    LANGUAGE plpgsql AS $$
    DECLARE free int; nights int; total bigint; mine int;
    BEGIN
        INSERT INTO idempotency_keys (key, hold) VALUES (k, h);
        SELECT count(*), min(locked.allotment - locked.held - locked.sold), sum(locked.price)
            INTO nights, free, total
            FROM (SELECT * FROM inventory WHERE room_type = r AND night >= f AND night < t
                  ORDER BY night FOR UPDATE) locked;
        SELECT count(*) INTO mine FROM holds WHERE guest = g AND expires_at > now();
        IF nights < t - f OR free < 1 OR mine >= 10 THEN RETURN false; END IF;
        INSERT INTO holds VALUES (h, g, r, f, t, 1, total, now() + interval '15 minutes');
        UPDATE inventory SET held = held + 1 WHERE room_type = r AND night >= f AND night < t;
        RETURN true;
    END $$;";

/// How a hold is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// BEGIN, four statements, COMMIT: a round trip each.
    Transaction,
    /// One call of a stored function.
    Function,
}

/// A running cluster.
pub struct Postgres {
    bin: PathBuf,
    dir: tempfile::TempDir,
    account: Option<Account>,
    room_types: u32,
    nights: u32,
}

/// The newest installation's programs.
pub fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    found.sort();
    found.pop().map(|newest| newest.1)
}

impl Postgres {
    /// Makes a cluster, starts it, and loads so many room types with a year of nights.
    pub async fn start(
        bin: PathBuf,
        scratch: &Path,
        room_types: u32,
        nights: u32,
    ) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir_in(scratch)?;
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755))?;
        let account = Account::find();
        if let Some(account) = account {
            account.own(dir.path())?;
        }
        let cluster = Self { bin, dir, account, room_types, nights };
        cluster.run(
            "initdb",
            &["--no-sync", "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C"],
        )?;
        let options = format!(
            "-k {} -c listen_addresses= -c fsync=on -c synchronous_commit=on -c max_connections=100 \
             -c shared_buffers=1GB -c max_wal_size=8GB",
            cluster.dir.path().display(),
        );
        cluster.run("pg_ctl", &["start", "-w", "-o", &options, "-l", &cluster.path("log")])?;
        let client = cluster.connect().await?;
        client.batch_execute(SCHEMA).await?;
        client
            .batch_execute(&format!(
                "INSERT INTO inventory SELECT r, n, 400, 0, 0, 100000 + r
                 FROM generate_series(0, {room_types} - 1) r, generate_series(0, {nights} - 1) n;"
            ))
            .await?;
        // Not within the transaction that a list of statements is.
        for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
            client.batch_execute(statement).await?;
        }
        Ok(cluster)
    }

    /// `PostgreSQL 15.8` and the like.
    pub async fn version(&self) -> anyhow::Result<String> {
        let row = self.connect().await?.query_one("SHOW server_version", &[]).await?;
        let version: &str = row.get(0);
        Ok(format!("PostgreSQL {}", version.split(' ').next().unwrap_or(version)))
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(self.bin.join(program));
        command.args(["-D", &self.path("data")]).args(arguments);
        command.current_dir(self.dir.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null());
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        let status = command.status().with_context(|| format!("{program} cannot be run"))?;
        ensure!(status.success(), "{program} failed: {status}");
        Ok(())
    }

    async fn connect(&self) -> anyhow::Result<Client> {
        let parameters = format!("host={} user=bench dbname=postgres", self.dir.path().display());
        let (client, connection) = tokio_postgres::connect(&parameters, NoTls).await?;
        // It ends with its client; its error is the client's too.
        tokio::spawn(connection);
        Ok(client)
    }

    /// Holds from so many connections, each waiting for its answer before it goes on.
    pub async fn load(
        &self,
        way: Way,
        connections: u64,
        time: Duration,
        seed: u64,
    ) -> anyhow::Result<Peer> {
        let mut clients = Vec::new();
        for _ in 0..connections {
            let client = self.connect().await?;
            clients.push(Caller {
                statements: Statements::prepare(&client).await?,
                client,
                room_types: self.room_types,
                nights: self.nights,
            });
        }
        let start = now();
        let until = start + time;
        let mut tasks = JoinSet::new();
        for (nth, caller) in (0u64..).zip(clients) {
            tasks.spawn(caller.run(way, Dice::new(seed * 1_000 + nth), until));
        }
        let mut latencies = Latencies::new();
        while let Some(done) = tasks.join_next().await {
            latencies.add(&done??);
        }
        Ok(Peer { rate: rate(latencies.count(), start.elapsed()), latencies })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Err(error) = self.run("pg_ctl", &["stop", "-m", "immediate"]) {
            eprintln!("the private PostgreSQL did not stop: {error}");
        }
    }
}

struct Statements {
    key: Statement,
    lock: Statement,
    quota: Statement,
    hold: Statement,
    update: Statement,
    function: Statement,
}

impl Statements {
    async fn prepare(client: &Client) -> anyhow::Result<Self> {
        Ok(Self {
            key: client.prepare("INSERT INTO idempotency_keys (key, hold) VALUES ($1, $2)").await?,
            lock: client.prepare(
                "SELECT allotment - held - sold, price FROM inventory
                 WHERE room_type = $1 AND night >= $2 AND night < $3 ORDER BY night FOR UPDATE",
            ).await?,
            quota: client.prepare(
                "SELECT count(*) FROM holds WHERE guest = $1 AND expires_at > now()",
            ).await?,
            hold: client.prepare(
                "INSERT INTO holds VALUES ($1, $2, $3, $4, $5, 1, $6, now() + interval '15 minutes')",
            ).await?,
            update: client.prepare(
                "UPDATE inventory SET held = held + 1 WHERE room_type = $1 AND night >= $2 AND night < $3",
            ).await?,
            function: client.prepare("SELECT make_hold($1, $2, $3, $4, $5, $6)").await?,
        })
    }
}

struct Caller {
    client: Client,
    statements: Statements,
    room_types: u32,
    nights: u32,
}

/// One request in the peer's own types.
struct Wanted {
    key: i64,
    hold: i64,
    guest: i64,
    room_type: i32,
    from: i32,
    to: i32,
}

impl Caller {
    async fn run(mut self, way: Way, mut dice: Dice, until: Instant) -> anyhow::Result<Latencies> {
        let mut latencies = Latencies::new();
        let mut start = now();
        while start < until {
            let wanted = self.draw(&mut dice);
            let held = match way {
                Way::Transaction => self.transaction(&wanted).await?,
                Way::Function => self.function(&wanted).await?,
            };
            ensure!(held, "a database with room for all refused");
            let end = now();
            latencies.record(end - start);
            start = end;
        }
        Ok(latencies)
    }

    fn draw(&self, dice: &mut Dice) -> Wanted {
        let nights = 1 + dice.below(4);
        let from = dice.below(self.nights - nights);
        Wanted {
            key: dice.next().cast_signed(),
            hold: dice.next().cast_signed(),
            guest: dice.next().cast_signed(),
            room_type: dice.below(self.room_types).cast_signed(),
            from: from.cast_signed(),
            to: (from + nights).cast_signed(),
        }
    }

    async fn transaction(&mut self, wanted: &Wanted) -> anyhow::Result<bool> {
        let Wanted { key, hold, guest, room_type, from, to } = wanted;
        let statements = &self.statements;
        let transaction = self.client.transaction().await?;
        transaction.execute(&statements.key, &[key, hold]).await?;
        let rows = transaction.query(&statements.lock, &[room_type, from, to]).await?;
        let quota: i64 = transaction.query_one(&statements.quota, &[guest]).await?.get(0);
        let free = rows.iter().all(|row| row.get::<_, i32>(0) >= 1);
        if rows.len() < usize::try_from(to - from)? || !free || quota >= 10 {
            transaction.rollback().await?;
            return Ok(false);
        }
        let total: i64 = rows.iter().map(|row| row.get::<_, i64>(1)).sum();
        transaction.execute(&statements.hold, &[hold, guest, room_type, from, to, &total]).await?;
        transaction.execute(&statements.update, &[room_type, from, to]).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn function(&self, wanted: &Wanted) -> anyhow::Result<bool> {
        let Wanted { key, hold, guest, room_type, from, to } = wanted;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [key, hold, guest, room_type, from, to];
        Ok(self.client.query_one(&self.statements.function, &parameters).await?.get(0))
    }
}
