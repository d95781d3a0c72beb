//! How fast a log is folded and checked after every entry, beside folding it alone.

use std::time::Duration;

use holdfast_engine::{Batch, Event, Outcome, State, Verifier};

use super::Scale;
use crate::engine_run::{ENTRY, FIRST, Run, START_MS, confirm, entry, release};
use crate::report::{Includes, per_s, row, short, title};
use crate::stopwatch::{rate, timed};
use crate::world::{Requests, World};

/// Seconds that a hold of the log lives where nothing else ends it.
const LIFE_S: u32 = 60;

pub fn run(scale: Scale) {
    let commands = scale.of(1_000_000);
    let world = World::of(500, FIRST);
    title("verify", Includes::Engine, &format!(
        "A log of {commands} commands: holds, a third each confirmed, released and left to expire, over {}
         room types and a year of nights; a tick and a sweep for every {ENTRY} holds. Folded alone, then
         folded and checked after every entry, then looked at as a whole.",
        world.room_types_count(),
    ));
    for size in [ENTRY, 1] {
        let log = log(world, commands / if size == 1 { 10 } else { 1 }, size);
        let count: usize = log.iter().map(|batch| batch.commands.len()).sum();
        let alone = fold(world, &log, None).0;
        let mut verifier = Verifier::new(0);
        let (checked, whole) = fold(world, &log, Some(&mut verifier));
        assert_eq!(verifier.found(), 0, "{:?}", verifier.findings());
        row(
            &format!("folded and checked, entries of {size}"),
            &per_s(rate(count as u64, checked)),
            &format!("commands; {} folded alone", per_s(rate(count as u64, alone))),
        );
        row("  the whole state at the end", &short(whole), "");
    }
}

/// The entries after those that make the world.
fn log(world: World, commands: usize, size: usize) -> Vec<Batch> {
    let mut run = Run::load(world, START_MS);
    let mut requests = Requests::new(world, 3, 1_000_000);
    let mut log: Vec<Batch> = Vec::new();
    let mut made = 0;
    while made < commands {
        run.now_ms += 1_000;
        let mut all = Vec::new();
        let holds = run.holds(&mut requests, ENTRY, LIFE_S);
        let (holding, living) = entry(&mut requests, holds);
        all.extend(holding);
        for (nth, hold) in living.into_iter().enumerate() {
            match nth % 3 {
                0 => all.push(confirm(&mut requests, hold)),
                1 => all.push(release(hold)),
                _ => {}
            }
        }
        made += all.len();
        run.apply(all.clone());
        let at_ms = run.now_ms;
        log.push(Batch { at_ms, commands: second() });
        run.second_passes();
        let entries = all.chunks(size).map(|part| Batch { at_ms, commands: part.to_vec() });
        log.extend(entries);
    }
    log
}

fn second() -> Vec<holdfast_engine::Command> {
    use holdfast_engine::command::{Sweep, Tick};
    use holdfast_engine::{Command, Verb};
    vec![Command::plain(Verb::Tick(Tick)), Command::plain(Verb::Sweep(Sweep::default()))]
}

/// How long the entries took, and the whole check at the end.
fn fold(world: World, log: &[Batch], mut verifier: Option<&mut Verifier>) -> (Duration, Duration) {
    let (mut writer, _reader) = State::new();
    let (mut outcomes, mut events) = (Vec::<Outcome>::new(), Vec::<Event>::new());
    let mut index = 0;
    for commands in world.commands() {
        index += 1;
        writer.apply(index, &Batch { at_ms: START_MS, commands }, &mut outcomes, &mut events);
        outcomes.clear();
        events.clear();
    }
    if let Some(verifier) = &mut verifier {
        verifier.check_all(&writer);
    }
    let (time, ()) = timed(|| {
        for batch in log {
            index += 1;
            writer.apply(index, batch, &mut outcomes, &mut events);
            if let Some(verifier) = &mut verifier {
                verifier.after(&writer, &events);
            }
            outcomes.clear();
            events.clear();
        }
    });
    let whole = verifier.map_or(Duration::ZERO, |verifier| timed(|| verifier.check_all(&writer)).0);
    (time, whole)
}
