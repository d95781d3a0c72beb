//! Resident bytes of a room-type-night, and of a live hold.

use super::Scale;
use crate::engine_run::{ENTRY, FIRST, Run, START_MS, confirm, entry};
use crate::machine::resident_bytes;
use crate::report::{Includes, big, row, title};
use crate::world::{Requests, World};

pub fn run(scale: Scale) {
    let hotels = u32::try_from(scale.of(8_000)).unwrap_or(800);
    let world = World { nights: 720, ..World::of(hotels, FIRST) };
    title("memory", Includes::Engine, &format!(
        "Resident bytes before and after loading {} room types of {hotels} hotels, one plan each, over a
         horizon of {} nights: cell, rate word and escrow of each night, spare nights, catalogue and names.",
        world.room_types_count(), world.horizon,
    ));
    let before = resident_bytes();
    let mut run = Run::load(world, START_MS);
    let loaded = resident_bytes();
    let cells = world.room_types_count() as usize * usize::from(world.horizon);
    row("room-type-nights", &big(cells as f64), "");
    row(
        "resident bytes of each",
        &format!("{:.1}", ratio(loaded - before, cells)),
        "18 of them are cell, rate word and escrow",
    );
    let holds = scale.of(500_000);
    let mut requests = Requests::new(world, 1, 4_000_000);
    let mut all = Vec::with_capacity(holds);
    for _ in 0..holds / ENTRY {
        let drawn = run.holds(&mut requests, ENTRY, 900);
        let (commands, living) = entry(&mut requests, drawn);
        run.apply(commands);
        all.extend(living);
    }
    let with_holds = resident_bytes();
    row(
        "resident bytes of a live hold with its key",
        &format!("{:.0}", ratio(with_holds - loaded, holds)),
        "",
    );
    for some in all.chunks(ENTRY) {
        let confirms = some.iter().map(|hold| confirm(&mut requests, *hold)).collect();
        run.apply(confirms);
    }
    row(
        "resident bytes of a booking with its key, beside its hold",
        &format!("{:.0}", ratio(resident_bytes() - with_holds, holds)),
        "120 of them are sealed guest data",
    );
}

#[allow(clippy::cast_precision_loss)] // Bytes of one machine's memory.
fn ratio(bytes: usize, count: usize) -> f64 {
    bytes as f64 / count as f64
}
