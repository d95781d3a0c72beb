//! The real binary as a child process: started on free ports, killed or stopped, its words kept.
//!
//! Owns nothing of what a test asks the server. A child never outlives its test.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use holdfast_server::client::{Client, Limits};
use holdfast_server::clock;

/// How long a start may take before the test calls it hung.
const START_MAX: Duration = Duration::from_secs(120);
/// How long a stop may take.
const STOP_MAX: Duration = Duration::from_secs(60);
/// How often a condition of the child is looked at.
const LOOK: Duration = Duration::from_millis(20);

pub const BINARY: &str = env!("CARGO_BIN_EXE_holdfast");

pub struct Server {
    child: Child,
    data_dir: PathBuf,
    lines: Receiver<String>,
    said: Vec<String>,
    http: SocketAddr,
}

/// A child that ended by itself.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    /// Standard output and error, line by line as they came.
    pub said: String,
}

#[derive(serde::Deserialize)]
struct Addresses {
    http: SocketAddr,
}

impl Server {
    /// Starts the server on `data_dir` and waits until it serves.
    pub fn start(data_dir: &Path) -> Self {
        Self::try_start(data_dir, &[]).unwrap_or_else(|ended| {
            panic!("the server ended with {:?} instead of serving:\n{}", ended.code, ended.said)
        })
    }

    /// Starts the server with further flags; the words and exit code of one that does not stay.
    pub fn try_start(data_dir: &Path, flags: &[&str]) -> Result<Self, Ended> {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--http", "127.0.0.1:0", "--ops", "127.0.0.1:0"]).args(flags);
        Self::run(command, data_dir)
    }

    /// Runs a command that becomes the server on `data_dir`, which it is told of here.
    pub fn run(mut command: Command, data_dir: &Path) -> Result<Self, Ended> {
        let addresses = data_dir.join("addresses.json");
        // A killed server leaves the addresses of a port that nobody listens on any more.
        let _ = std::fs::remove_file(&addresses);
        let mut child = command
            .arg("--data-dir")
            .arg(data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = lines_of(&mut child);
        let (data_dir, said) = (data_dir.to_owned(), Vec::new());
        let http = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, data_dir, lines, said, http };
        let give_up = clock::instant() + START_MAX;
        loop {
            let ended = server.listen() == Output::Ended;
            if let Some(found) = read_addresses(&addresses) {
                server.http = found.http;
                return Ok(server);
            }
            if ended {
                let code = server.child.wait().unwrap().code();
                return Err(Ended { code, said: server.said() });
            }
            assert!(clock::instant() < give_up, "the server does not start:\n{}", server.said());
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// A client with a token minted by the binary itself.
    pub fn client(&self, role: &str, sub: &str, limits: Limits) -> Client {
        let client = Client::new(&self.url(), limits).unwrap();
        client.with_token(&self.token(role, sub)).unwrap()
    }

    pub fn token(&self, role: &str, sub: &str) -> String {
        self.token_for(role, sub, 86_400)
    }

    /// One that counts for so many seconds.
    pub fn token_for(&self, role: &str, sub: &str, ttl_s: u64) -> String {
        let minted = Command::new(BINARY)
            .args([
                "token",
                "--role",
                role,
                "--sub",
                sub,
                "--ttl-s",
                &ttl_s.to_string(),
                "--data-dir",
            ])
            .arg(&self.data_dir)
            .output()
            .unwrap();
        assert!(minted.status.success(), "{}", String::from_utf8_lossy(&minted.stderr));
        String::from_utf8(minted.stdout).unwrap().trim().to_owned()
    }

    /// The process's id.
    #[allow(dead_code, reason = "not every test that has this file asks")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process runs that was started, or another program in its place.
    #[allow(dead_code, reason = "as above")]
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL: no handler runs, nothing is flushed by the process.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for one that ends by itself.
    #[allow(dead_code, reason = "not every test that has this file waits for that")]
    pub fn ended(mut self, within: Duration) -> Ended {
        let give_up = clock::instant() + within;
        while self.listen() == Output::Open {
            assert!(clock::instant() < give_up, "the server goes on:\n{}", self.said());
        }
        Ended { code: self.child.wait().unwrap().code(), said: self.said() }
    }

    /// SIGTERM, and the exit code of an orderly stop.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        let give_up = clock::instant() + STOP_MAX;
        while self.listen() == Output::Open {
            assert!(clock::instant() < give_up, "the server does not stop:\n{}", self.said());
        }
        self.child.wait().unwrap().code()
    }

    /// Sends it a signal, by name.
    pub fn signal(&self, name: &str) {
        let (name, id) = (format!("-{name}"), self.child.id().to_string());
        assert!(Command::new("kill").args([&name, &id]).status().unwrap().success());
    }

    /// Everything it has printed.
    pub fn said(&mut self) -> String {
        self.said.extend(self.lines.try_iter());
        self.said.join("\n")
    }

    /// Takes what is printed within a short while.
    fn listen(&mut self) -> Output {
        match self.lines.recv_timeout(LOOK) {
            Ok(line) => self.said.push(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Output::Ended,
        }
        Output::Open
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already after `kill` and `stop`; both calls then do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let said = self.said();
            eprintln!("the server said:\n{said}");
        }
    }
}

#[derive(PartialEq, Eq)]
enum Output {
    Open,
    Ended,
}

fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let out: Box<dyn Read + Send> = Box::new(child.stdout.take().unwrap());
    let err: Box<dyn Read + Send> = Box::new(child.stderr.take().unwrap());
    for source in [out, err] {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    lines
}

fn read_addresses(path: &Path) -> Option<Addresses> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
