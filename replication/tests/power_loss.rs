//! Power loss under the real RocksDB store: everything that was not synced is gone.
//!
//! This test owns a file layer: it stands in for libc's `fsync` and `fdatasync`, so that it knows, by
//! inode, which bytes a disk without any luck would still have, and which names its directories. A crash is
//! played by building a new directory out of that alone. The same layer can leave syncs out or fail them,
//! which shows that the laws below can be broken, and are seen to be.

#![allow(unsafe_code)] // Two libc functions are replaced; see `fsync` and `fdatasync`.

#[path = "power_loss/disk.rs"]
mod disk;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use disk::{Disk, Fault};
use holdfast_engine::command::{AddPartner, Genesis, Verb};
use holdfast_engine::ids::PartnerId;
use holdfast_engine::{Command, Reader};
use holdfast_replication::{DiskFailure, LogError, Node, OpenError, Options, SubmitError};

const CALLERS: u128 = 8;
const COMMANDS_PER_CALLER: u128 = 60;

/// One disk, one test at a time: the layer below is the process's.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn alone() -> tokio::sync::MutexGuard<'static, ()> {
    let guard = ONE_AT_A_TIME.lock().await;
    // A test that failed may have left its fault behind.
    Disk::get().set_fault(Fault::None);
    guard
}

fn add_partner(number: u128) -> Command {
    let verb = Verb::AddPartner(AddPartner { id: PartnerId(number), name: "P".repeat(100) });
    Command::plain(verb)
}

fn knows(reader: &Reader, number: u128) -> bool {
    reader.partner(PartnerId(number)).is_some()
}

async fn genesis(node: &Node) {
    let verb = Verb::Genesis(Genesis { horizon_nights: 365, quota: <_>::default() });
    node.submit(Command::plain(verb), None).await.expect("applied");
}

/// Writes from several callers and notes what each was told, until the disk image is taken.
async fn write_and_crash(dir: &Path, crash_after: usize) -> (tempfile::TempDir, Vec<u128>) {
    let node = Node::open(Options::alone(dir)).await.expect("opened");
    genesis(&node).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let image = Arc::new(Mutex::new(None));
    let count = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (node, told, image, count) =
                (node.clone(), told.clone(), image.clone(), count.clone());
            let dir = dir.to_owned();
            tokio::spawn(async move {
                for command in 0..COMMANDS_PER_CALLER {
                    let number = 1 + caller * COMMANDS_PER_CALLER + command;
                    node.submit(add_partner(number), None).await.expect("applied");
                    // What is told before the image is taken must be in it.
                    let mut told = told.lock().expect("told");
                    let mut image = image.lock().expect("image");
                    if image.is_none() {
                        told.push(number);
                        if count.fetch_add(1, Ordering::Relaxed) + 1 == crash_after {
                            *image = Some(Disk::get().after_power_loss(&dir));
                        }
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller");
    }
    node.shutdown().await;
    let image = image.lock().expect("image").take().expect("the crash came in time");
    let told = told.lock().expect("told").clone();
    (image, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_loss_of_everything_unsynced() {
    let _alone = alone().await;
    for crash_after in [1, 7, 60, 200, 400] {
        let dir = Disk::get().directory();
        let (image, told) = write_and_crash(dir.path(), crash_after).await;
        assert_eq!(told.len(), crash_after);
        let node = Node::open(Options::alone(image.path())).await.expect("opens after the crash");
        let lost: Vec<_> = told.iter().filter(|number| !knows(node.reader(), **number)).collect();
        assert!(lost.is_empty(), "lost after {crash_after}: {lost:?}");
        // And it goes on.
        node.submit(add_partner(1_000_000), None).await.expect("applied");
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_logs_sync_the_loss_happens_and_the_guard_sees_it() {
    let _alone = alone().await;
    let dir = Disk::get().directory();
    // The same run as above, with a disk that says "synced" for the log and does nothing.
    let node = Node::open(Options::alone(dir.path())).await.expect("opened");
    genesis(&node).await;
    Disk::get().set_fault(Fault::SkipWal);
    // The guard's file is honest: go on until it was written once more from the beginning.
    let guards = Disk::get().guards_synced();
    let mut told = 0;
    let mut last = 0;
    while told < 50 || Disk::get().guards_synced() < guards + 2 {
        told += 1;
        last = node.submit(add_partner(told), None).await.expect("told that it is safe").index;
    }
    let image = Disk::get().after_power_loss(dir.path());
    Disk::get().set_fault(Fault::None);
    node.shutdown().await;

    let refused = Node::open(Options::alone(image.path())).await.map(drop);
    let Err(OpenError::Log(LogError::Lost { first_missing, acknowledged, .. })) = refused else {
        panic!("the loss was not seen: {refused:?}");
    };
    assert!(
        first_missing <= acknowledged && acknowledged <= last,
        "{first_missing} {acknowledged}"
    );

    // The acknowledged commands are gone indeed: the first test's law would have failed here.
    let accepted = Options { accept_loss: true, ..Options::alone(image.path()) };
    let node = Node::open(accepted).await.expect("the loss is accepted");
    assert!((1..=told).any(|number| !knows(node.reader(), number)));
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_is_reported_and_nothing_is_acknowledged_after_it() {
    let _alone = alone().await;
    let dir = Disk::get().directory();
    let (seen, failures) = std::sync::mpsc::channel();
    let seen = Mutex::new(seen);
    let on_disk_failure = Arc::new(move |failure: &DiskFailure| {
        // In the product this ends the process; here the test wants to look.
        let _ = seen.lock().expect("seen").send(failure.clone());
    });
    let options = Options { on_disk_failure, ..Options::alone(dir.path()) };
    let node = Node::open(options).await.expect("opened");
    genesis(&node).await;
    node.submit(add_partner(1), None).await.expect("applied");
    Disk::get().set_fault(Fault::FailWal);
    let answer = node.submit(add_partner(2), None).await;
    assert!(matches!(answer, Err(SubmitError::Unknown { .. })), "{answer:?}");
    assert!(matches!(failures.recv(), Ok(DiskFailure::Log(_))));
    let fatal = node.fatal().await;
    assert!(!fatal.to_string().is_empty());
    // A disk that recovers changes nothing: what the failed sync left is not known.
    Disk::get().set_fault(Fault::None);
    assert!(node.submit(add_partner(3), None).await.is_err());
    node.shutdown().await;

    let node = Node::open(Options::alone(dir.path())).await.expect("opened again");
    assert!(knows(node.reader(), 1) && !knows(node.reader(), 3));
    node.shutdown().await;
}
