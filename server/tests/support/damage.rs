//! Damage done to the files of a stopped server: what may be repaired is, what was acknowledged and
//! is gone is not passed over.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use holdfast_server::clock;
use serde_json::json;
use tempfile::TempDir;

use super::hotel::Hotel;
use super::server::{Ended, Server};
use super::{client, limits};

/// The guard's place in a data directory.
const GUARD: &str = "log/raft-log.guard";
/// How far the guard may be behind before the test calls it dead.
const GUARD_LAG_MS_MAX: u64 = 60_000;
/// Holds made before the damage.
const HOLDS: usize = 100;

/// A data directory with acknowledged holds in it, and what to ask for them.
struct Before {
    data: TempDir,
    holds: Vec<String>,
}

/// How the server ended before its files are damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All entries are in the journal, and the guard beside the log knows of each.
    Killed,
    /// The journal's entries have been moved to a table.
    Stopped,
}

async fn before(end: End) -> Before {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (partner, admin) = (client(&server, "partner"), client(&server, "admin"));
    let hotel = Hotel::open(&partner, &admin, &[HOLDS as u32], 10).await;
    let kind = &hotel.room_types[0];
    let mut holds = Vec::new();
    for at in 0..HOLDS {
        let body = json!({
            "hotel_id": hotel.id,
            "check_in": hotel.night(0),
            "check_out": hotel.night(2),
            "lines": [{
                "room_type_id": kind.id, "rate_plan_id": kind.rate_plan,
                "quantity": 1, "adults": 2, "children_ages": [],
            }],
        });
        let reply = partner.post("/v1/holds", format!("hold-{at}"), &body).await.unwrap();
        assert_eq!(reply.status, 201, "{}", reply.refusal());
        holds.push(reply.field("id").unwrap());
    }
    match end {
        End::Killed => {
            let (acknowledged_ms, guard) = (clock::wall_ms(), data.path().join(GUARD));
            // It is written a moment after each acknowledgement, and again with each tick of the
            // log.
            while modified_ms(&guard) <= acknowledged_ms {
                assert!(
                    clock::wall_ms() < acknowledged_ms + GUARD_LAG_MS_MAX,
                    "no guard is written"
                );
                partner.get(format!("/v1/holds/{}", holds[0])).await.unwrap();
            }
            server.kill();
        }
        End::Stopped => assert_eq!(server.stop(), Some(0)),
    }
    Before { data, holds }
}

impl Before {
    /// A copy to damage.
    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(self.data.path(), copy.path());
        copy
    }

    async fn assert_all_there(&self, server: &Server) {
        let partner = server.client("partner", "crash-partner", limits());
        for hold in &self.holds {
            let reply = partner.get(format!("/v1/holds/{hold}")).await.unwrap();
            assert_eq!(reply.status, 200, "{hold} is gone");
        }
    }
}

fn modified_ms(path: &Path) -> u64 {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    u64::try_from(modified.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// All files below `folder` whose name fits.
fn files(folder: &Path, fits: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path(), fits));
        } else if fits(entry.file_name().to_str().unwrap()) {
            found.push(entry.path());
        }
    }
    found
}

/// The write-ahead file that holds the entries, and where its records end (it may be longer than
/// that).
fn journal(data: &Path) -> (PathBuf, u64) {
    files(data, &|name| name.ends_with(".log"))
        .into_iter()
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
            (path, end as u64)
        })
        .max_by_key(|(_, end)| *end)
        .unwrap()
}

fn write_at(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// Starts on damaged files, twice: the first refusal must not have mended or changed anything.
fn refusal(data: &Path) -> Ended {
    let mut refusals = (0..2).map(|_| match Server::try_start(data, &[]) {
        Ok(_) => panic!("it serves on a log that has lost acknowledged entries"),
        Err(ended) => ended,
    });
    let (first, second) = (refusals.next().unwrap(), refusals.next().unwrap());
    assert_eq!(first.code, Some(1), "{}", first.said);
    assert_eq!(second.code, Some(1), "{}", second.said);
    first
}

fn assert_says(ended: &Ended, words: &[&str]) {
    let said = ended.said.to_lowercase();
    for word in words {
        assert!(said.contains(word), "nothing of {word:?} in:\n{}", ended.said);
    }
}

/// Files gone from a copy of `before`; what the server then says.
fn refusal_without(before: &Before, fits: &dyn Fn(&str) -> bool) -> Ended {
    let copy = before.copy();
    let found = files(copy.path(), fits);
    assert!(!found.is_empty(), "nothing to remove");
    for path in found {
        fs::remove_file(path).unwrap();
    }
    refusal(copy.path())
}

/// A bit turned over in the middle of a file's contents.
fn flip(path: &Path, end: u64) {
    let byte = fs::read(path).unwrap()[usize::try_from(end / 2).unwrap()];
    write_at(path, end / 2, &[byte ^ 0x10]);
}

const ADVICE: [&str; 3] = ["acknowledged", "restore", "backup"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_tail_is_repaired_and_what_was_acknowledged_is_there() {
    let before = before(End::Killed).await;
    let (path, end) = journal(before.data.path());
    // The first bytes of a record that the crash cut off: its header promises more than there is.
    let head = fs::read(&path).unwrap()[..11].to_vec();
    write_at(&path, end, &head);
    let server = Server::start(before.data.path());
    before.assert_all_there(&server).await;
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_acknowledged_entry_is_refused_with_a_word_on_what_to_do() {
    let before = before(End::Killed).await;

    let cut = before.copy();
    let (path, end) = journal(cut.path());
    OpenOptions::new().write(true).open(&path).unwrap().set_len(end * 2 / 3).unwrap();
    let ended = refusal(cut.path());
    assert_says(&ended, &ADVICE);
    assert_says(&ended, &["first missing"]);

    let flipped = before.copy();
    let (path, end) = journal(flipped.path());
    flip(&path, end);
    let ended = refusal(flipped.path());
    assert_says(&ended, &ADVICE);
    assert_says(&ended, &["first missing"]);

    assert_says(&refusal_without(&before, &|name| name.ends_with(".log")), &ADVICE);
    assert_says(&refusal_without(&before, &|name| name == "CURRENT"), &ADVICE);
    assert_says(&refusal_without(&before, &|name| name.starts_with("MANIFEST")), &ADVICE);
    let ended = refusal_without(&before, &|name| name.ends_with(".guard"));
    assert_says(&ended, &["guard", "restore", "backup"]);

    let folder = before.copy();
    fs::remove_dir_all(folder.path().join("log/raft-log")).unwrap();
    assert_says(&refusal(folder.path()), &ADVICE);

    // Undamaged, the same directory starts: the copies differ from it by the damage alone.
    let server = Server::start(before.data.path());
    before.assert_all_there(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_table_is_refused_with_a_word_on_what_to_do() {
    let before = before(End::Stopped).await;
    let flipped = before.copy();
    let tables = files(flipped.path(), &|name| name.ends_with(".sst"));
    let largest = tables.iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    flip(largest, fs::metadata(largest).unwrap().len());
    assert_says(&refusal(flipped.path()), &["restore", "backup"]);
    assert_says(&refusal_without(&before, &|name| name.ends_with(".sst")), &["restore", "backup"]);

    let server = Server::start(before.data.path());
    before.assert_all_there(&server).await;
}
