//! Laws of the stored format: what was written is what is read, and nothing else is.

#[path = "../../engine/tests"]
mod engine {
    #[allow(dead_code)] // Few of its parts are needed here.
    pub mod world;
}

use std::fs;
use std::path::Path;

use holdfast_engine::archive;
use holdfast_engine::command::{Archive, Confirm};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Verb, Writer as StateWriter};
use holdfast_snapshot::{
    ArchivedError, Damage, LoadError, Meta, ReadError, Reader, Shelf, Writer, load, read_archived,
    verify,
};

use crate::engine::world;
use crate::world::{World, stay};

/// A state with one of most things, and the head of its snapshot.
fn state() -> (StateWriter, Meta) {
    let (mut world, product) = World::open(5);
    world.hold(product, stay(0, 2), 1);
    let hold = world.hold(product, Stay { ..stay(3, 3) }, 2);
    let confirm: Confirm = world.confirmation(hold);
    world.run_keyed(7, 8, Verb::Confirm(confirm));
    world.now += world::DAY;
    world.tick();
    let meta = Meta {
        cluster: 0xC1,
        group: 3,
        index: world.index,
        log_id: vec![1, 2, 3],
        membership: vec![4; 9],
        log_time_ms: world.now,
    };
    (world.writer, meta)
}

fn bytes(writer: &mut StateWriter, meta: &Meta) -> Vec<u8> {
    Writer::capture(Vec::new(), meta, writer.capture().unwrap(), |_| Ok(())).unwrap().0
}

/// Reads all of it.
fn read(bytes: &[u8]) -> Result<Meta, ReadError> {
    let mut reader = Reader::open(bytes)?;
    while reader.next_block()?.is_some() {}
    Ok(reader.meta().clone())
}

fn damage(bytes: &[u8]) -> Damage {
    match read(bytes) {
        Err(ReadError::Damaged(damage)) => damage,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_state_comes_back_from_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, meta) = state();
    let shelf = Shelf::open(dir.path()).unwrap();
    let (kept, written) = shelf.put(&meta, writer.capture().unwrap(), |_| Ok(())).unwrap();
    assert_eq!(shelf.newest().unwrap(), Some(kept.clone()));
    assert_eq!(verify(&kept.path).unwrap(), (meta.clone(), written));
    assert_eq!(fs::metadata(&kept.path).unwrap().len(), written.bytes);
    let loaded = load(&kept.path).unwrap();
    assert_eq!((loaded.meta, loaded.summary), (meta, written));
    assert_eq!(loaded.writer.digest(), writer.digest());
}

#[test]
fn every_damaged_byte_is_found() {
    let (mut writer, meta) = state();
    let bytes = bytes(&mut writer, &meta);
    assert_eq!(read(&bytes).unwrap(), meta);
    for at in 0..bytes.len() {
        for flip in [1u8, 0x80, 0xFF] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            assert!(read(&damaged).is_err(), "byte {at} of {} by {flip:#x}", bytes.len());
        }
    }
}

#[test]
fn a_file_that_is_cut_or_longer_is_refused() {
    let (mut writer, meta) = state();
    let mut bytes = bytes(&mut writer, &meta);
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "cut at {length} of {}", bytes.len());
    }
    bytes.push(0);
    assert_eq!(damage(&bytes), Damage::Trailing);
}

#[test]
fn another_version_and_other_files_are_named() {
    let (mut writer, meta) = state();
    let mut bytes = bytes(&mut writer, &meta);
    bytes[8] = 2;
    assert_eq!(damage(&bytes), Damage::Version(2));
    assert_eq!(damage(b"not a snapshot at all"), Damage::Magic);
    assert_eq!(damage(b""), Damage::Magic);
}

/// Blocks that are whole, each, at another's place.
#[test]
fn blocks_that_changed_places_are_found() {
    let (mut writer, meta) = state();
    let bytes = bytes(&mut writer, &meta);
    let length = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let first = 14 + length(10) + 8;
    let second = first + 9 + length(first + 5) + 8;
    let third = second + 9 + length(second + 5) + 8;
    let swapped = [&bytes[..first], &bytes[second..third], &bytes[first..second], &bytes[third..]];
    assert_eq!(damage(&swapped.concat()), Damage::Block { block: 1 });
}

/// The first format, for ever readable: the file was written when the format was made.
#[test]
fn a_file_of_version_1_makes_the_state_it_was_made_of() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/version-1.hfsnap");
    let (mut writer, meta) = state();
    let now = bytes(&mut writer, &meta);
    if fs::read(&path).ok() != Some(now.clone()) {
        let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join("version-1.hfsnap");
        fs::write(&beside, now).unwrap();
        panic!("{} is not what is written now: {}", path.display(), beside.display());
    }
    let loaded = load(&path).unwrap();
    assert_eq!(loaded.meta, meta);
    assert_eq!(loaded.writer.digest(), writer.digest());
}

#[test]
fn what_is_unfinished_is_never_taken_for_a_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(dir.path()).unwrap();
    let (mut writer, meta) = state();
    let (kept, _) = shelf.put(&meta, writer.capture().unwrap(), |_| Ok(())).unwrap();
    // As a process that was killed while it wrote the next one leaves them.
    let later = shelf.path_of(meta.index + 1).with_extension("tmp");
    fs::write(&later, b"half a snapshot").unwrap();
    assert_eq!(Shelf::at(dir.path()).newest().unwrap(), Some(kept.clone()));
    let shelf = Shelf::open(dir.path()).unwrap();
    assert!(!later.exists());
    assert_eq!(shelf.newest().unwrap(), Some(kept));
}

#[test]
fn the_newest_two_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(dir.path()).unwrap();
    let (mut writer, meta) = state();
    let mut written = Vec::new();
    for _ in 0..4 {
        let index = meta.index + written.len() as u64;
        writer.skip(index);
        let meta = Meta { index, ..meta.clone() };
        written.push(shelf.put(&meta, writer.capture().unwrap(), |_| Ok(())).unwrap().0);
        shelf.tidy(None).unwrap();
    }
    written.reverse();
    assert_eq!(shelf.list().unwrap(), written[..2]);
}

#[test]
fn a_damaged_one_is_set_aside_and_a_few_of_those_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(dir.path()).unwrap();
    let (mut writer, meta) = state();
    for past in 0..4 {
        let index = meta.index + past;
        writer.skip(index);
        let meta = Meta { index, ..meta.clone() };
        let (kept, _) = shelf.put(&meta, writer.capture().unwrap(), |_| Ok(())).unwrap();
        if past < 3 {
            shelf.set_aside(&kept).unwrap();
        }
    }
    let left = shelf.tidy(None).unwrap();
    assert_eq!(left, shelf.list().unwrap());
    assert_eq!(left.iter().map(|kept| kept.index).collect::<Vec<_>>(), [meta.index + 3]);
    let damaged = |past| shelf.path_of(meta.index + past).with_extension("damaged").exists();
    assert_eq!([damaged(0), damaged(1), damaged(2)], [false, true, true]);
}

/// A state that has archived its one booking, its head, and the record.
fn archived_state() -> (StateWriter, Meta, Vec<u8>) {
    let (mut world, product) = World::open(5);
    let hold = world.hold(product, stay(0, 1), 1);
    let confirm: Confirm = world.confirmation(hold);
    let booking = confirm.booking;
    world.run(Verb::Confirm(confirm));
    let record = archive::record(&world.reader.booking(booking).unwrap());
    world.now += 40 * world::DAY;
    world.tick();
    world.run(Verb::Archive(Archive { bookings_max: 10, days: 30 }));
    assert!(world.reader.booking(booking).is_none(), "it has left");
    let meta = Meta { index: world.index, log_time_ms: world.now, ..state().1 };
    (world.writer, meta, record)
}

#[test]
fn a_file_carries_as_many_archived_bookings_as_its_state_says() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::open(dir.path()).unwrap();
    let (mut writer, meta, record) = archived_state();
    let twice = [&record[..], &record].concat();
    let carried: [&[&[u8]]; 4] = [&[], &[&record, &record], &[&record[1..]], &[&twice]];
    for others in carried {
        let capture = writer.capture().unwrap();
        let put = shelf.put(&meta, capture, |file| {
            others.iter().try_for_each(|record| file.put_archived(7, record))
        });
        let (kept, _) = put.unwrap();
        let refused = load(&kept.path).map(drop).unwrap_err();
        let found = others.len() as u64;
        assert!(
            matches!(refused, LoadError::AnotherArchive { expected: 1, found: said } if said == found),
            "{refused}"
        );
    }
    let capture = writer.capture().unwrap();
    let (kept, _) = shelf.put(&meta, capture, |file| file.put_archived(7, &record)).unwrap();
    let loaded = load(&kept.path).unwrap();
    assert_eq!(loaded.writer.archived(), writer.archived());
    assert_eq!(loaded.writer.digest(), writer.digest());
    assert_eq!(loaded.reader.leaving_count(), 0, "nothing waits for the archive");
    let mut read = Vec::new();
    read_archived(&kept.path, |archived| {
        read.push((archived.index, archived.record.to_vec()));
        Ok::<_, String>(())
    })
    .unwrap();
    assert_eq!(read, [(7, record)]);
    let stopped = read_archived(&kept.path, |_| Err("full".to_owned()));
    assert!(matches!(stopped, Err(ArchivedError::Stopped(why)) if why == "full"));
}

#[test]
fn a_head_that_names_another_entry_is_refused() {
    let (mut writer, meta) = state();
    let meta = Meta { index: meta.index + 1, ..meta };
    let capture = writer.capture().unwrap();
    assert!(Writer::capture(Vec::new(), &meta, capture, |_| Ok(())).is_err());
    assert!(writer.capture().is_some(), "the capture was given up");
}

#[test]
fn records_that_make_no_state_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_, meta) = state();
    let path = dir.path().join("empty.hfsnap");
    let (bytes, _) = Writer::begin(Vec::new(), &meta).unwrap().finish().unwrap();
    fs::write(&path, bytes).unwrap();
    assert!(verify(&path).is_ok(), "whole, as a file");
    assert!(matches!(load(&path), Err(LoadError::State(_))));
}

#[test]
fn the_same_state_under_another_head() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut writer, meta) = state();
    let first = Shelf::open(from.path()).unwrap();
    let (kept, _) = first.put(&meta, writer.capture().unwrap(), |_| Ok(())).unwrap();
    let shelf = Shelf::open(to.path()).unwrap();
    let other = |meta: &Meta| Meta { cluster: 7, membership: vec![1], ..meta.clone() };
    let (copy, _) = shelf.adopt(&kept.path, other).unwrap();
    let loaded = load(&copy.path).unwrap();
    assert_eq!(loaded.meta, other(&meta));
    assert_eq!(loaded.writer.digest(), writer.digest());
    fs::remove_file(&copy.path).unwrap();
    assert!(shelf.adopt(&kept.path, |meta| Meta { index: 1, ..meta.clone() }).is_err());

    let mut bytes = fs::read(&kept.path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&kept.path, bytes).unwrap();
    assert!(shelf.adopt(&kept.path, other).is_err());
    assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0, "nothing is left of a damaged one");
}
