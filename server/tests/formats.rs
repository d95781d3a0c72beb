//! Data directories of other versions of the files: those of the first are started on for ever, those of a
//! later one are refused in words and left as they are.
//!
//! Owns the fixture: a node's directory as the first version left it, and what that node had answered.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use holdfast_server::client::{Client, Limits};
use serde_json::Value;
use tempfile::TempDir;

use crate::hotel::Hotel;
use crate::server::{BINARY, Ended, Server};

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/hotel.rs"]
mod hotel;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/server.rs"]
mod server;

/// The fixture is years old one day: the log's time is allowed to follow.
const FLAGS: [&str; 1] = ["--accept-clock"];
/// Bookings made before the first snapshot, between the two, and after the second.
const BOOKINGS: [usize; 3] = [4, 4, 4];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/version-1")
}

/// The fixture's node, to be started.
fn copied() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixture().join("data"), dir.path());
    dir
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// All files below a folder, by their names in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = PathBuf::from(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(at, it)| (name.join(at), it)));
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}

fn client(server: &Server, role: &str) -> Client {
    server.client(role, role, Limits::default())
}

#[tokio::test]
async fn a_data_directory_of_version_1_is_started_on_and_has_all_it_had() {
    let dir = copied();
    let told: Vec<Value> =
        serde_json::from_slice(&fs::read(fixture().join("told.json")).unwrap()).unwrap();
    // Twice: what the first start writes is of this build.
    for _ in 0..2 {
        let server = Server::try_start(dir.path(), &FLAGS).unwrap_or_else(|ended| {
            panic!(
                "{}\nBefore the first release the fixture may be written anew: cargo test -p \
                 holdfast-server --test formats -- --ignored",
                ended.said
            )
        });
        let partner = client(&server, "partner");
        for body in &told {
            let path = format!("/v1/bookings/{}", body["id"].as_str().unwrap());
            let reply = partner.get(&path).await.unwrap();
            assert_eq!(reply.status, 200, "{path}: {}", reply.refusal());
            assert_eq!(reply.json::<Value>().unwrap(), *body);
        }
        assert_eq!(told.len(), BOOKINGS.iter().sum::<usize>());
        assert_eq!(server.stop(), Some(0));
    }
    let report = admin(dir.path(), &["verify"]);
    assert_eq!(report["found"], 0, "{report}");
    assert!(report["first_index"].as_u64() > Some(1), "its log begins behind a snapshot: {report}");
}

fn admin(dir: &Path, words: &[&str]) -> Value {
    let mut command = std::process::Command::new(BINARY);
    let done = command.arg("admin").args(words).args(["--json", "--data-dir"]).arg(dir).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// A start that is refused, and has changed no file of the log.
fn refused(dir: &Path) -> Ended {
    let before = files(&dir.join("log"));
    let ended = Server::try_start(dir, &FLAGS).err().expect("a later version is refused");
    assert_eq!(files(&dir.join("log")), before, "the refused start changed files");
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains("Nothing was changed"), "{}", ended.said);
    assert!(!ended.said.contains("accept-loss"), "{}", ended.said);
    ended
}

#[test]
fn files_of_a_later_version_are_refused_in_words_and_left_as_they_are() {
    let dir = copied();
    let names: Vec<PathBuf> = files(dir.path()).into_keys().collect();
    let newest = names.iter().filter(|name| name.extension().is_some_and(|it| it == "hfsnap"));
    let newest = dir.path().join(newest.max().unwrap());
    let whole = fs::read(&newest).unwrap();
    let mut later = whole.clone();
    later[8] += 1;
    fs::write(&newest, &later).unwrap();
    let said = refused(dir.path()).said;
    let says = "format version 2 is not readable by this build, which reads up to 1";
    assert!(said.contains(says) && said.contains(newest.to_str().unwrap()), "{said}");
    fs::write(&newest, whole).unwrap();

    let identity = dir.path().join("identity.json");
    let text = fs::read_to_string(&identity).unwrap();
    assert!(text.contains("\"format\": 1"), "{text}");
    fs::write(&identity, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let said = refused(dir.path()).said;
    assert!(said.contains("of layout 2") && said.contains("which reads 1"), "{said}");
    fs::write(&identity, text).unwrap();
    assert_eq!(Server::try_start(dir.path(), &FLAGS).unwrap().stop(), Some(0));
}

#[tokio::test]
#[ignore = "writes the fixture anew, as it may be until the first release"]
async fn the_fixture_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("node.toml");
    fs::write(&config, "[snapshots]\nlog_kept = 0\n").unwrap();
    let data = dir.path().join("data");
    let server = Server::try_start(&data, &["--config", config.to_str().unwrap()]).unwrap();
    let (partner, operator) = (client(&server, "partner"), client(&server, "admin"));
    let hotel = Hotel::open(&partner, &operator, &[30, 5], 10).await;
    let mut booked = Vec::new();
    for (round, count) in BOOKINGS.iter().enumerate() {
        for number in 0..*count {
            booked.push(hotel.book(&partner, &format!("{round}-{number}"), number).await);
        }
        if round < 2 {
            admin(&data, &["snapshot"]);
        }
    }
    let mut told = Vec::new();
    for id in booked {
        let reply = partner.get(format!("/v1/bookings/{id}")).await.unwrap();
        told.push(reply.json::<Value>().unwrap());
    }
    assert_eq!(server.stop(), Some(0));
    let _ = fs::remove_dir_all(fixture());
    copy(&data, &fixture().join("data"));
    // What RocksDB tells of itself, and who holds the directory, are no part of what a start reads.
    for name in files(&fixture()).keys() {
        let file = name.file_name().unwrap().to_str().unwrap();
        if file == "lock" || file.starts_with("LOG") || file.starts_with("OPTIONS") {
            fs::remove_file(fixture().join(name)).unwrap();
        }
    }
    fs::write(fixture().join("told.json"), serde_json::to_vec_pretty(&told).unwrap()).unwrap();
}
