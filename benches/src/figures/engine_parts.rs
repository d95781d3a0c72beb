//! Parts of the engine by themselves: what growth, retirement and a partner's writes cost, and what
//! counting cells alone would allow.
//!
//! Owns the comparison with the machine's own random compare-and-swap and with a plain hash map.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_engine::ari::{Change, Line, OnConflict};
use holdfast_engine::command::{Allot, Sweep, Tick};
use holdfast_engine::ids::{HotelIx, PartnerId, RatePlanIx, RoomTypeIx};
use holdfast_engine::inventory::{Cell, Rows};
use holdfast_engine::prefetch::prefetch;
use holdfast_engine::{Command, Night, Principal, Verb, Weekdays};

use super::Scale;
use crate::dice::Dice;
use crate::engine_run::{ENTRY, FIRST, Living, Run, START_MS, entry, release};
use crate::report::{Includes, big, per_s, row, short, title};
use crate::stopwatch::{rate, thread_time, timed};
use crate::world::{Requests, World};

const DAY_MS: u64 = 86_400_000;
/// Stays whose cells are asked for together, as apply does.
const AHEAD: usize = 24;

pub fn run(scale: Scale) {
    title(
        "engine, part by part",
        Includes::Engine,
        "One core, in memory. A growth stall is the longest processor time of one entry of 256 commands,
         so that what else runs on the machine is not in it.",
    );
    cells_alone(scale);
    hot_and_uniform(scale);
    growth(scale);
    calendars(scale);
}

/// A stay of one to four nights, 2.5 on average, in a room type.
fn draw(dice: &mut Dice, rows: u32, nights: u32) -> (u32, Night, u16) {
    let count = u16::try_from(1 + dice.below(4)).unwrap_or(1);
    let night = u16::try_from(dice.below(nights - 4)).unwrap_or(0);
    (dice.below(rows), Night(night), count)
}

/// Holds counted in cells and nowhere else: each night is read, judged and written.
fn cells_alone(scale: Scale) {
    let nights = 730u16;
    let rows_count = u32::try_from(scale.of(34_246)).unwrap_or(3_424);
    let rows = Rows::<AtomicU64>::new(rows_count);
    rows.set_horizon(nights);
    for at in 0..rows_count {
        rows.grow(at);
        let cells = rows.row(at).into_iter().flat_map(|it| it.nights(Night(0), nights));
        cells.for_each(|slot| {
            slot.store(Cell::default().with_allotment(4_000).0, Ordering::Relaxed);
        });
    }
    let cells = u64::from(rows_count) * u64::from(nights);
    let mut dice = Dice::new(9);
    let swaps = scale.of(20_000_000) as u64;
    let (time, ()) = timed(|| {
        for _ in 0..swaps {
            let slot = rows.row(dice.below(rows_count)).and_then(|it| {
                it.slot(Night(u16::try_from(dice.below(u32::from(nights))).unwrap_or(0)))
            });
            if let Some(slot) = slot {
                let seen = slot.load(Ordering::Relaxed);
                let _ = black_box(slot.compare_exchange(
                    seen,
                    Cell(seen).with_held(1).0,
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                ));
            }
        }
    });
    let over = format!("over {} cells: what the machine does", big(rate(cells, ONE)));
    row("random compare-and-swap", &per_s(rate(swaps, time)), &over);
    let count = scale.of(20_000_000) / AHEAD;
    let (time, refused) = timed(|| {
        let mut refused = 0usize;
        for _ in 0..count {
            let stays: [_; AHEAD] =
                std::array::from_fn(|_| draw(&mut dice, rows_count, u32::from(nights)));
            for (at, night, _) in stays {
                if let Some(slot) = rows.row(at).and_then(|it| it.slot(night)) {
                    prefetch(slot);
                }
            }
            refused += stays.iter().filter(|stay| !hold_cells(&rows, **stay)).count();
        }
        refused
    });
    row(
        "hold, counting cells alone",
        &per_s(rate((count * AHEAD) as u64, time)),
        &format!("2.5 nights on average, uniform; {refused} refused; with the drawing"),
    );
}

const ONE: Duration = Duration::from_secs(1);

/// Judges all nights, then writes all: as apply does.
fn hold_cells(rows: &Rows<AtomicU64>, (at, night, count): (u32, Night, u16)) -> bool {
    let Some(it) = rows.row(at) else { return false };
    let cell = |slot: &AtomicU64| Cell(slot.load(Ordering::Acquire));
    if it.nights(night, count).any(|slot| cell(slot).closed() || cell(slot).free() < 1) {
        return false;
    }
    for slot in it.nights(night, count) {
        let held = cell(slot);
        slot.store(held.with_held(held.held() + 1).0, Ordering::Release);
    }
    true
}

/// Whole commands, held and released again: over all cells, and always the same ones.
fn hot_and_uniform(scale: Scale) {
    let rounds = scale.of(400_000) / ENTRY;
    let world = World::of(2_000, FIRST);
    let mut run = Run::load(world, START_MS);
    let mut requests = Requests::new(world, 3, 2_000_000);
    for (name, hot) in [("hold + release, uniform", false), ("hold + release, one hot cell", true)]
    {
        let (mut time, mut refused) = (Duration::ZERO, 0);
        for _ in 0..rounds {
            let mut holds = run.holds(&mut requests, ENTRY, 300);
            if hot {
                let like = holds[0].clone();
                for hold in &mut holds {
                    (hold.hotel, hold.stay) = (HotelIx(7), like.stay);
                    hold.stay.check_in = FIRST.plus(40);
                    hold.stay.check_out = FIRST.plus(42);
                    for line in &mut hold.lines {
                        (line.room_type, line.rate_plan) = (RoomTypeIx(35), RatePlanIx(35));
                        line.quote = None;
                    }
                }
            }
            let (commands, living) = entry(&mut requests, holds);
            let held = run.apply(commands);
            let freed = run.apply(living.into_iter().map(|it: Living| release(it)).collect());
            time += held.0 + freed.0;
            refused += held.1 + freed.1;
        }
        let note = format!("{refused} refused");
        row(name, &per_s(rate((rounds * ENTRY) as u64, time)), &note);
    }
}

/// The longest pause while one table grows to its bound.
fn growth(scale: Scale) {
    let keys = scale.of(16_000_000);
    let world = World::of(1, FIRST);
    let mut run = Run::load(world, START_MS);
    let mut requests = Requests::new(world, 5, 1);
    let (mut whole, mut longest, mut refused) = (Duration::ZERO, Duration::ZERO, 0);
    for _ in 0..keys / ENTRY {
        // The least that a keyed command can do.
        let nothing = || Verb::Sweep(Sweep { holds_max: 0 });
        let commands = (0..ENTRY).map(|_| requests.keyed(nothing())).collect();
        let before = thread_time();
        let (time, not) = run.apply(commands);
        whole += time;
        longest = longest.max(thread_time().saturating_sub(before).min(time));
        refused += not;
    }
    row(
        "keys put into a table that grows",
        &per_s(rate(keys as u64, whole)),
        &format!("{} keys, {refused} refused", big(rate(keys as u64, ONE))),
    );
    row("  growth stall: the longest entry", &short(longest), "256 keys in it");
    drop(run);
    let mut plain: HashMap<u128, [u64; 10]> = HashMap::new();
    let mut dice = Dice::new(6);
    let mut longest = Duration::ZERO;
    for _ in 0..keys / ENTRY {
        let before = thread_time();
        let (time, ()) = timed(|| {
            for _ in 0..ENTRY {
                plain.insert(dice.wide(), [0; 10]);
            }
        });
        longest = longest.max(thread_time().saturating_sub(before).min(time));
    }
    row("  the same into a plain hash map", &short(longest), "the longest 256 insertions");
}

/// Nights behind today, and a partner's ranges, over 25 million cells.
fn calendars(scale: Scale) {
    let hotels = u32::try_from(scale.of(7_000)).unwrap_or(700);
    let world = World::of(hotels, FIRST);
    let mut run = Run::load(world, START_MS);
    let (mut ticks, mut longest, mut whole) = (0u32, Duration::ZERO, Duration::ZERO);
    run.now_ms += 2 * DAY_MS;
    let rows = u64::from(world.room_types_count()) * 2;
    // As many steps as zero every row of the day that fell out.
    for _ in 0..=rows * 10 / u64::from(holdfast_engine::limits::RETIRE_WORDS_MAX) {
        let time = run.apply(vec![Command::plain(Verb::Tick(Tick))]).0;
        (ticks, longest, whole) = (ticks + 1, longest.max(time), whole + time);
    }
    row(
        "retirement: the longest tick",
        &short(longest),
        &format!("{rows} rows of two nights in {ticks} ticks, {} in all", short(whole)),
    );
    let (mut time, mut refused, mut dice) = (Duration::ZERO, 0, Dice::new(4));
    let (commands, lines, nights) = (scale.of(200), 200u32, 360u16);
    for seq in 0..commands as u64 {
        let base = dice.below(world.room_types_count() - lines);
        let line = |nth: u32| Line {
            seq: u64::from(nth) + 1,
            hotel: None,
            room_type: RoomTypeIx(base + nth),
            rate_plan: None,
            from: FIRST.plus(4),
            to: FIRST.plus(4 + nights - 1),
            days: Weekdays::ALL,
            change: Change {
                allotment: Some(300 + u16::try_from(seq % 90).unwrap_or(0)),
                ..Change::default()
            },
            on_conflict: OnConflict::Accept,
        };
        let allot = Allot {
            principal: Principal::Partner(7),
            partner: PartnerId(7),
            source: format!("range-{seq}"),
            lines: (0..lines).map(line).collect(),
        };
        let (spent, not) = run.apply(vec![Command::plain(Verb::Allot(allot))]);
        time += spent;
        refused += not;
    }
    let cells = commands as u64 * u64::from(lines) * u64::from(nights);
    row(
        "ARI range update, cells",
        &per_s(rate(cells, time)),
        &format!("{lines} lines of {nights} nights a command; {refused} commands refused"),
    );
}
