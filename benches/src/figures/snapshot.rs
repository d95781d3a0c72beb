//! A snapshot of a large state: how long applying stands still for it, and how fast it is written, checked
//! and made a state again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use holdfast_engine::archive;
use holdfast_engine::ids::BookingId;
use holdfast_engine::state::Capture;
use holdfast_snapshot::{Kept, Meta, Shelf, Summary, WriteError, load, verify};

use super::Scale;
use crate::engine_run::{ENTRY, FIRST, Living, Run, START_MS, confirm, entry, release};
use crate::report::{Includes, Latencies, big, row, short, title};
use crate::stopwatch::{rate, timed};
use crate::world::{Requests, World};

/// Entries of holds before the mark, to compare with.
const BEFORE: usize = 2_000;
/// Memory that is touched before all else, in pieces of 64 KiB.
const WARM_PIECES: usize = 6 << 14;

pub fn run(scale: Scale, scratch: &Path) -> anyhow::Result<()> {
    let hotels = u32::try_from(scale.of(7_000))?;
    let bookings = scale.of(1_000_000);
    let world = World { nights: 720, ..World::of(hotels, FIRST) };
    let cells = world.room_types_count() as usize * usize::from(world.horizon);
    title("snapshot", Includes::Engine, &format!(
        "{} room-type-nights with one plan and {} bookings. Entries of {ENTRY} holds are applied without a
         pause, and all released again, while the state is captured and written to this disk, synced.
         Everything is read back from the system's cache of files.",
        big(cells as f64), big(bookings as f64),
    ));
    warm(scale);
    let mut engine = Run::load(world, START_MS);
    let mut requests = Requests::new(world, 7, 4_000_000);
    let last = book(&mut engine, &mut requests, bookings).context("some are booked")?;

    let mut alone = Latencies::new();
    for _ in 0..BEFORE / 2 {
        write(&mut engine, &mut requests, &mut alone);
    }
    row("an entry, nothing captured", &short(alone.at(0.5)), &alone.summary());

    let shelf = Shelf::open(&scratch.join("snapshots"))?;
    let (mark, capture) = timed(|| engine.writer.capture());
    let capture = capture.context("one at a time")?;
    row("the mark", &short(mark), "applying stands still");
    let expected = engine.writer.digest();
    let mut beside = Latencies::new();
    let (taken, (kept, summary)) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| timed(|| put(&shelf, capture, None)));
        while !writing.is_finished() {
            write(&mut engine, &mut requests, &mut beside);
        }
        let (time, written) = writing.join().map_err(|_| anyhow::anyhow!("writing panicked"))?;
        anyhow::Ok((time, written?))
    })?;
    row("an entry while it is captured", &short(beside.at(0.5)), &beside.summary());
    row("  the longest", &short(beside.at(1.0)), &format!("of {} entries", beside.count()));
    show("written", summary, taken);

    let (time, verified) = timed(|| verify(&kept.path));
    show("checked", verified?.1, time);
    let booking = engine.reader.booking(last).context("it was booked")?;
    let archived = (archive::record(&booking), bookings);
    let capture = engine.writer.capture().context("one at a time")?;
    let (time, written) = timed(|| put(&shelf, capture, Some(&archived)));
    let label = format!("written with {} archived bookings", big(bookings as f64));
    show(&label, written?.1, time);
    drop(engine);
    let (time, loaded) = timed(|| load(&kept.path));
    let loaded = loaded?;
    show("made a state", loaded.summary, time);
    ensure!(loaded.writer.digest() == expected, "another state than was captured");
    Ok(())
}

/// On a virtual machine the first touch of 2 MiB takes milliseconds; kept by the allocator (see `./dev bench`),
/// memory has had it by the time something is measured.
fn warm(scale: Scale) {
    let pieces: Vec<Vec<u8>> =
        (0..scale.of(WARM_PIECES)).map(|at| vec![at as u8 | 1; 1 << 16]).collect();
    std::hint::black_box(&pieces);
}

/// The last of them.
fn book(engine: &mut Run, requests: &mut Requests, bookings: usize) -> Option<BookingId> {
    let mut last = None;
    for _ in 0..bookings / ENTRY {
        let drawn = engine.holds(requests, ENTRY, 900);
        let (commands, living) = entry(requests, drawn);
        engine.apply(commands);
        last = living.last().map(|hold| BookingId(hold.id.0));
        let confirms = living.into_iter().map(|hold| confirm(requests, hold)).collect();
        engine.apply(confirms);
    }
    last
}

/// One entry of holds, and one that releases them; each is one to measure.
fn write(engine: &mut Run, requests: &mut Requests, times: &mut Latencies) {
    let drawn = engine.holds(requests, ENTRY, 900);
    let (commands, living): (_, Vec<Living>) = entry(requests, drawn);
    times.record(engine.apply(commands).0);
    times.record(engine.apply(living.into_iter().map(release).collect()).0);
}

/// With so many times the same record for an archive, where one is given.
fn put(
    shelf: &Shelf,
    capture: Capture,
    archived: Option<&(Vec<u8>, usize)>,
) -> Result<(Kept, Summary), WriteError> {
    let meta = Meta {
        cluster: 1,
        group: 0,
        index: capture.index(),
        log_id: Vec::new(),
        membership: Vec::new(),
        log_time_ms: START_MS,
    };
    shelf.put(&meta, capture, |file| {
        let Some((record, times)) = archived else { return Ok(()) };
        (0..*times).try_for_each(|_| file.put_archived(meta.index, record))
    })
}

fn show(what: &str, summary: Summary, time: Duration) {
    let remark = format!("{}B, {}B/s", big(summary.bytes as f64), big(rate(summary.bytes, time)));
    row(what, &short(time), &remark);
}
