//! Holds a second in memory, on one core and on two.

use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use holdfast_engine::{Admission, Batch, Ticket, Verb};

use super::Scale;
use crate::engine_run::{ENTRY, FIRST, Run, START_MS, Spent, Steady, confirm, entry};
use crate::machine::touch;
use crate::report::{Includes, big, per_s, row, short, title};
use crate::stopwatch::{now, rate};
use crate::world::{self, Requests, World};

/// Seconds of log time between the making of a hold and its end.
const LIFE_S: u32 = 300;
const DAY_MS: u64 = 86_400_000;
/// Memory that the whole run takes, for each live hold.
const BYTES_EACH: usize = 6_144;
/// Entries that wait between the two threads.
const ENTRIES_AHEAD: usize = 8;

pub fn run(scale: Scale) {
    let live = scale.of(1_000_000);
    let per_second = live / LIFE_S as usize;
    let seconds = 600;
    let world = World::of(2_000, FIRST);
    title("engine", Includes::Engine, &format!(
        "In memory, no log: idempotency key, guest quota, expiry index and events are on; {} live
         holds over {} room types of {} hotels, stays of 1-4 nights (2.5 on average), one room; entries
         of {ENTRY} commands, a tick and a sweep every second of log time. Steady: {per_second} holds are
         made and as many end per second of log time, a third each by release, confirmation and expiry,
         while the keys and ended holds of the same load a day ago are forgotten. Memory was touched once
         beforehand.",
        big_count(live), world.room_types_count(), world.hotels,
    ));
    touch(live * BYTES_EACH);
    let mut run = Run::load(world, START_MS - DAY_MS);
    let guests = u32::try_from(live * 2).unwrap_or(u32::MAX);
    let mut requests = Requests::new(world, 1, guests);

    let mut yesterday = Steady::new(LIFE_S);
    let mut loading = Spent::default();
    for _ in 0..seconds {
        yesterday.second(&mut run, &mut requests, per_second, &mut loading);
    }
    run.now_ms = START_MS - u64::from(LIFE_S) * 1_000;
    let mut steady = Steady::new(LIFE_S);
    for _ in 0..LIFE_S {
        steady.second(&mut run, &mut requests, per_second, &mut loading);
    }
    let mut spent = Spent::default();
    for _ in 0..seconds {
        steady.second(&mut run, &mut requests, per_second, &mut spent);
    }
    print_steady(&spent);
    pairs(&mut run, &mut requests, scale);
    one_core(&mut run, &mut requests, scale);
    two_threads(run, requests, scale);
}

fn big_count(count: usize) -> String {
    big(rate(count as u64, Duration::from_secs(1)))
}

fn print_steady(spent: &Spent) {
    let each = |time: Duration| short(time / u32::try_from(spent.holds).unwrap_or(u32::MAX));
    row(
        "holds made, one core (apply)",
        &per_s(rate(spent.holds, spent.holding)),
        &format!("{} a hold; {} refused", each(spent.holding), spent.refused),
    );
    row(
        "holds made and ended, one core",
        &per_s(rate(spent.holds, spent.whole())),
        &format!("{} a hold with its end and its forgetting", each(spent.whole())),
    );
    row("  of it releases", &each(spent.releasing), "spread over all holds");
    row("  of it confirmations", &each(spent.confirming), "");
    row("  of it expiry and forgetting", &each(spent.sweeping), "");
}

/// A hold, and in the next entry its confirmation.
fn pairs(run: &mut Run, requests: &mut Requests, scale: Scale) {
    let rounds = scale.of(400_000) / ENTRY;
    let mut time = Duration::ZERO;
    for _ in 0..rounds {
        let holds = run.holds(requests, ENTRY, LIFE_S);
        let (commands, living) = entry(requests, holds);
        time += run.apply(commands).0;
        let confirms = living.into_iter().map(|hold| confirm(requests, hold)).collect();
        time += run.apply(confirms).0;
    }
    row("hold + confirm pairs, one core (apply)", &per_s(rate((rounds * ENTRY) as u64, time)), "");
}

/// One thread does all of it: request drawn, admitted, priced, applied, ticket given back.
fn one_core(run: &mut Run, requests: &mut Requests, scale: Scale) {
    let rounds = scale.of(500_000) / ENTRY;
    let start = now();
    for _ in 0..rounds {
        let (batch, tickets) = admitted_entry(run.reader.clone(), requests, run.now_ms);
        run.apply_batch(&batch);
        drop(tickets);
    }
    row(
        "admission + quote + apply, one core",
        &per_s(rate((rounds * ENTRY) as u64, start.elapsed())),
        "with the making of the request and its key",
    );
}

/// One thread admits, prices and builds entries; the other applies them and gives the tickets back.
fn two_threads(mut run: Run, mut requests: Requests, scale: Scale) {
    let rounds = scale.of(1_000_000) / ENTRY;
    let (entries, incoming) = sync_channel::<(Batch, Vec<Ticket>)>(ENTRIES_AHEAD);
    let (reader, now_ms) = (run.reader.clone(), run.now_ms);
    let start = now();
    let mut busy = Duration::ZERO;
    thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..rounds {
                // The other end never hangs up first.
                let _ = entries.send(admitted_entry(reader.clone(), &mut requests, now_ms));
            }
        });
        for (batch, tickets) in incoming {
            busy += run.apply_batch(&batch).0;
            drop(tickets);
            drop(batch);
        }
    });
    let whole = start.elapsed();
    row(
        "two cores: admission + quote | apply",
        &per_s(rate((rounds * ENTRY) as u64, whole)),
        &format!(
            "the applying thread was busy {:.0} % of the time",
            100.0 * busy.as_secs_f64() / whole.as_secs_f64()
        ),
    );
}

fn admitted_entry(
    reader: holdfast_engine::Reader,
    requests: &mut Requests,
    now_ms: u64,
) -> (Batch, Vec<Ticket>) {
    let mut tickets = Vec::with_capacity(ENTRY);
    let mut commands = Vec::with_capacity(ENTRY);
    for _ in 0..ENTRY {
        let mut hold = requests.draw();
        if let Admission::Admitted(ticket) = reader.admit(hold.hotel, hold.demand(), now_ms) {
            tickets.push(ticket);
        }
        world::quote(&reader, &mut hold);
        commands.push(requests.keyed(Verb::Hold(hold)));
    }
    (Batch { at_ms: now_ms, commands }, tickets)
}
