//! The command line as a person meets it: what it prints, where, and how it ends.

#[expect(dead_code, reason = "the inventory as a whole is for the crash test")]
#[path = "support/hotel.rs"]
mod hotel;
#[path = "cli/verify.rs"]
mod verify;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const HOLDFAST: &str = env!("CARGO_BIN_EXE_holdfast");

fn holdfast(arguments: &[&str]) -> Output {
    Command::new(HOLDFAST).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A node that serves; killed when dropped.
struct Node(Child);

impl Node {
    fn start(dir: &Path) -> Self {
        Self::start_until(dir, "serving")
    }

    /// Returns once it has logged that message.
    fn start_until(dir: &Path, message: &str) -> Self {
        let mut child = Command::new(HOLDFAST)
            .args(["serve", "--http", "127.0.0.1:0", "--ops", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let message = format!("\"{message}\"");
        let told = lines.any(|line| line.unwrap().contains(&message));
        assert!(told, "the node ended before it told {message}");
        // Whatever else it logs is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    fn terminate(mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        assert!(killed.unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Already gone where the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    let token = ["token", "--role", "guest", "--sub", "g", "--ttl-s", "0"];
    let nobody = ["token", "--role", "guest", "--sub", ""];
    for arguments in [&["nonsense"][..], &["serve", "--nonsense"], &["token"], &[], &token, &nobody]
    {
        assert_eq!(holdfast(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let help = holdfast(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains("serve"));
}

#[test]
fn config_check_names_the_line_and_ends_with_1() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("holdfast.toml");
    std::fs::write(&path, "http = \"127.0.0.1:8080\"\ncolour = 1\n").unwrap();
    let bad = holdfast(&["config", "check", path.to_str().unwrap()]);
    assert_eq!(bad.status.code(), Some(1));
    let told = text(&bad.stderr);
    assert!(told.contains("holdfast.toml:2:1") && told.contains("colour"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    std::fs::write(&path, "http = \"127.0.0.1:8080\"\n").unwrap();
    assert_eq!(holdfast(&["config", "check", path.to_str().unwrap()]).status.code(), Some(0));
}

#[test]
fn tokens_and_status_work_beside_a_running_node_which_stops_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let token = ["token", "--data-dir", path, "--role", "guest", "--sub", "g"];
    let early = holdfast(&token);
    assert_eq!(early.status.code(), Some(1));
    assert!(early.stdout.is_empty() && text(&early.stderr).contains("start the node"));

    let node = Node::start(dir.path());
    let minted = holdfast(&token);
    assert_eq!(minted.status.code(), Some(0));
    let minted = text(&minted.stdout);
    assert_eq!((minted.lines().count(), minted.trim().split('.').count()), (1, 3), "{minted}");

    let status = holdfast(&["admin", "status", "--json", "--data-dir", path]);
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["phase"], "serving");
    let table = text(&holdfast(&["admin", "status", "--data-dir", path]).stdout);
    assert!(table.contains("serving") && !table.contains('\u{1b}'), "colour without a terminal");

    let second = holdfast(&["serve", "--data-dir", path]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("in use"), "{}", text(&second.stderr));

    assert_eq!(node.terminate(), Some(0));
    let after = holdfast(&["admin", "status", "--data-dir", path]);
    assert_eq!(after.status.code(), Some(1));
    assert!(text(&after.stderr).contains("start the node"));
}

#[test]
fn a_node_asked_to_stop_while_it_starts_stops_in_order_and_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    // Where it is asked differs from one to the next: at any moment of the opening of its log, too.
    let starting = std::iter::repeat_n("starting", 20);
    for message in starting.chain(["serving", "starting", "serving"]) {
        let node = Node::start_until(dir.path(), message);
        assert_eq!(node.terminate(), Some(0), "asked once it told of {message}");
    }
}

#[test]
fn a_taken_port_is_told_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(HOLDFAST)
        .args(["serve", "--http", &address, "--ops", "127.0.0.1:0", "--data-dir"])
        .arg(dir.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains(&address) && told.contains("cannot listen"), "{told}");
}
