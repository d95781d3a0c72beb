//! The orders in which room-type-nights may lie in memory, measured: `cargo run --release -p
//! holdfast-engine --example page_order`.
//!
//! Owns three layouts of the same 25 M cells with their rate words, and three loads on each: a search of
//! a city, holds, and a partner's year. Loads of all layouts take turns, and each answer is compared.
//! It refuses to use the engine's own calendars: what is measured here decided how those are laid out.
//! Where a processor's counters cannot be read, lines and pages are counted from the addresses.

#![allow(clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::print_stdout)]

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const HOTELS: usize = 6_800;
const CITY_HOTELS: usize = 2_000;
const ROOM_TYPES: usize = 5;
const PLANS: usize = 2;
/// Nights of a row: a horizon of two years and spare ones, in whole lines.
const RING: usize = 768;
/// Nights of one cache line.
const LINE: usize = 8;
/// Rows that lie together in the tiled order.
const SEGMENT: usize = 256;
const ROUNDS: usize = 15;
/// Hotels whose lines are asked for before their turn.
const HOTELS_AHEAD: usize = 4;

/// Where the word of a row and night lies.
trait Order {
    const NAME: &'static str;
    fn at(rows: usize, row: usize, night: usize) -> usize;
}

/// All nights of a row one after the other.
struct ByRow;
impl Order for ByRow {
    const NAME: &'static str = "a row's nights together";
    fn at(_: usize, row: usize, night: usize) -> usize {
        row * RING + night
    }
}

/// All rows of a city's night one after the other; every city is a page of its own each night.
struct ByNight;
impl Order for ByNight {
    const NAME: &'static str = "a city's rows together, by night";
    fn at(rows: usize, row: usize, night: usize) -> usize {
        let city = rows / HOTELS * CITY_HOTELS;
        let (place, within) = (row / city, row % city);
        let size = city.min(rows - place * city);
        place * city * RING + night * size + within
    }
}

/// So many nights of a row together, and those of 256 rows one after the other.
struct Tiled<const NIGHTS: usize>;
impl<const NIGHTS: usize> Order for Tiled<NIGHTS> {
    const NAME: &'static str = match NIGHTS {
        8 => "8 nights of a row, then those of the next of 256 rows",
        16 => "16 nights of a row, then those of the next of 256 rows",
        _ => "more nights of a row, then those of the next of 256 rows",
    };
    fn at(_: usize, row: usize, night: usize) -> usize {
        // A line more than the rows need: else the lines of one row would all fall into one set of the
        // processor's cache.
        (row / SEGMENT) * (SEGMENT * RING + RING / NIGHTS * LINE)
            + (night / NIGHTS) * (SEGMENT * NIGHTS + LINE)
            + (row % SEGMENT) * NIGHTS
            + night % NIGHTS
    }
}

#[allow(unsafe_code)] // One intrinsic, which reads nothing.
fn prefetch(word: &AtomicU64) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads and writes nothing and never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(word).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = word;
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * end as u128) >> 64) as usize
    }
}

const ROOM_ROWS: usize = HOTELS * ROOM_TYPES;
const PLAN_ROWS: usize = ROOM_ROWS * PLANS;

/// Calendars in one order.
struct Calendars<O> {
    cells: &'static [AtomicU64],
    rates: &'static [AtomicU64],
    order: std::marker::PhantomData<O>,
}

#[allow(unsafe_code)] // Two calls of the C library.
unsafe extern "C" {
    fn mmap(at: *mut u8, bytes: usize, access: i32, kind: i32, file: i32, from: i64) -> *mut u8;
    fn madvise(start: *mut u8, bytes: usize, advice: i32) -> i32;
    fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
}

/// Processor time of this thread: what others do on the machine counts only where they share its caches.
#[allow(unsafe_code)] // One call of the C library.
fn processor_time() -> Duration {
    const THREAD_CPUTIME: i32 = 3;
    let mut time = [0i64; 2];
    // SAFETY: the two numbers of a `timespec` are written, on the 64-bit Linux this is run on.
    let failed = unsafe { clock_gettime(THREAD_CPUTIME, &raw mut time) };
    assert_eq!(failed, 0, "no clock");
    Duration::new(time[0] as u64, time[1] as u32)
}

/// Zeroed words, with `--huge` in huge pages where the system has them, for as long as the process lives.
#[allow(unsafe_code)] // Memory of an alignment of its own, and advice about it, by Linux's numbers.
fn mapped(words: usize) -> &'static [AtomicU64] {
    const HUGE_PAGE: usize = 2 << 20;
    const READ_WRITE: i32 = 3;
    const PRIVATE_ANONYMOUS: i32 = 0x22;
    const MADV_HUGEPAGE: i32 = 14;
    // SAFETY: a new mapping is zeroed memory of nobody else's, never given back; zeros are valid words; it is
    // one huge page longer than what is used from the aligned start on.
    unsafe {
        let bytes = words * size_of::<AtomicU64>();
        let all = bytes + HUGE_PAGE;
        let start = mmap(std::ptr::null_mut(), all, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
        assert!(!start.is_null() && start.addr() != usize::MAX, "no memory");
        let start = start.map_addr(|at| at.next_multiple_of(HUGE_PAGE));
        if std::env::args().any(|argument| argument == "--huge") {
            madvise(start, bytes, MADV_HUGEPAGE);
        }
        std::slice::from_raw_parts(start.cast(), words)
    }
}

/// One line's address and one page's, for counting.
#[derive(Default)]
struct Touched(HashSet<usize>, HashSet<usize>);

impl Touched {
    fn word(&mut self, word: &AtomicU64) {
        let at = std::ptr::from_ref(word) as usize;
        self.0.insert(at / 64);
        self.1.insert(at / 4_096);
    }
}

impl<O: Order> Calendars<O> {
    fn new() -> Self {
        let words = |rows: usize| mapped(rows.div_ceil(SEGMENT) * (SEGMENT + LINE) * RING);
        let made = Self {
            cells: words(ROOM_ROWS),
            rates: words(PLAN_ROWS),
            order: std::marker::PhantomData,
        };
        for row in 0..ROOM_ROWS {
            for night in 0..RING {
                let free = 1 + (row * 31 + night * 7) % 9;
                made.cell(row, night).store(free as u64, Ordering::Relaxed);
            }
        }
        for row in 0..PLAN_ROWS {
            for night in 0..RING {
                let price = 100_000 + (row * 131 + night * 17) % 50_000;
                made.rate(row, night).store(price as u64, Ordering::Relaxed);
            }
        }
        made
    }

    #[inline]
    fn cell(&self, row: usize, night: usize) -> &AtomicU64 {
        &self.cells[O::at(ROOM_ROWS, row, night)]
    }

    #[inline]
    fn rate(&self, row: usize, night: usize) -> &AtomicU64 {
        &self.rates[O::at(PLAN_ROWS, row, night)]
    }

    /// Asks memory for a hotel's lines before its turn.
    fn ask_for(&self, hotel: usize, from: usize, nights: usize) {
        for room_type in hotel * ROOM_TYPES..(hotel + 1) * ROOM_TYPES {
            prefetch(self.cell(room_type, from));
            prefetch(self.cell(room_type, from + nights));
            for plan in room_type * PLANS..(room_type + 1) * PLANS {
                prefetch(self.rate(plan, from));
                prefetch(self.rate(plan, from + nights));
            }
        }
    }

    /// The sum over all hotels of their cheapest stay: every room type's cells and every plan's words.
    fn search(&self, from: usize, nights: usize) -> u64 {
        let mut sum = 0;
        for hotel in 0..CITY_HOTELS {
            self.ask_for(hotel + HOTELS_AHEAD, from, nights);
            let mut cheapest = u64::MAX;
            for room_type in hotel * ROOM_TYPES..(hotel + 1) * ROOM_TYPES {
                let free = (from..from + nights)
                    .map(|night| self.cell(room_type, night).load(Ordering::Acquire))
                    .min();
                if free < Some(1) {
                    continue;
                }
                for plan in room_type * PLANS..(room_type + 1) * PLANS {
                    let total: u64 = (from..from + nights)
                        .map(|night| self.rate(plan, night).load(Ordering::Acquire))
                        .sum();
                    let departure = self.rate(plan, from + nights).load(Ordering::Acquire);
                    if departure != 0 {
                        cheapest = cheapest.min(total);
                    }
                }
            }
            sum += cheapest;
        }
        sum
    }

    /// A hold and its release: quoted from the rate words, its cells counted down and up again.
    fn hold(&self, plan: usize, from: usize, nights: usize) -> u64 {
        let total = (from..=from + nights)
            .map(|night| self.rate(plan, night).load(Ordering::Acquire))
            .sum();
        for night in from..from + nights {
            let cell = self.cell(plan / PLANS, night);
            let free = cell.load(Ordering::Relaxed);
            cell.store(free ^ (1 << 40), Ordering::Release);
        }
        total
    }

    /// A partner writes a year of one plan and of its room type, having asked memory for all of it.
    fn write(&self, plan: usize, from: usize) {
        for night in (from..from + 365).step_by(LINE) {
            prefetch(self.rate(plan, night));
            prefetch(self.cell(plan / PLANS, night));
        }
        for night in from..from + 365 {
            let word = self.rate(plan, night);
            word.store(word.load(Ordering::Relaxed) ^ (1 << 40), Ordering::Release);
        }
        for night in from..from + 365 {
            let cell = self.cell(plan / PLANS, night);
            cell.store(cell.load(Ordering::Relaxed) ^ (1 << 41), Ordering::Release);
        }
    }

    /// Lines and pages that a search, a hold and a year touch.
    fn touched(&self) -> [(usize, usize); 3] {
        let (from, nights) = (363, 3);
        let mut search = Touched::default();
        for room_type in 0..CITY_HOTELS * ROOM_TYPES {
            (from..from + nights).for_each(|night| search.word(self.cell(room_type, night)));
        }
        for plan in 0..CITY_HOTELS * ROOM_TYPES * PLANS {
            (from..=from + nights).for_each(|night| search.word(self.rate(plan, night)));
        }
        let mut hold = Touched::default();
        (from..from + nights).for_each(|night| hold.word(self.cell(77, night)));
        (from..=from + nights).for_each(|night| hold.word(self.rate(154, night)));
        let mut year = Touched::default();
        (from..from + 365).for_each(|night| year.word(self.cell(77, night)));
        (from..from + 365).for_each(|night| year.word(self.rate(154, night)));
        [search, hold, year].map(|touched| (touched.0.len(), touched.1.len()))
    }
}

/// The time of each load on one order, by round.
#[derive(Default)]
struct Times([Vec<Duration>; 3]);

impl Times {
    fn show(&mut self, name: &str, touched: [(usize, usize); 3]) {
        println!("{name}");
        let what = ["search of 2,000 hotels", "hold of 2.5 nights", "a partner's year"];
        for ((times, what), (lines, pages)) in self.0.iter_mut().zip(what).zip(touched) {
            times.sort_unstable();
            let at = |share: usize| times[(times.len() - 1) * share / 100];
            println!(
                "  {what:<24} median {:>10.1?}  best {:>10.1?}   {lines:>6} lines on {pages:>6} pages",
                at(50),
                at(0),
            );
        }
    }
}

/// One round of all loads; the answers, so that all orders can be seen to agree.
fn round<O: Order>(calendars: &Calendars<O>, times: &mut Times, seed: u64) -> u64 {
    const SEARCHES: usize = 8;
    const HOLDS: usize = 100_000;
    const YEARS: usize = 2_000;
    let mut dice = Dice(seed);
    let mut answer = 0u64;
    for _ in 0..SEARCHES {
        let (from, nights) = (dice.below(600), 1 + dice.below(4));
        let start = processor_time();
        answer = answer.wrapping_add(black_box(calendars.search(from, nights)));
        times.0[0].push(processor_time() - start);
    }
    let start = processor_time();
    for _ in 0..HOLDS {
        let plan = dice.below(PLAN_ROWS);
        let (from, nights) = (dice.below(600), 1 + dice.below(4));
        answer = answer.wrapping_add(calendars.hold(plan, from, nights));
    }
    times.0[1].push((processor_time() - start) / HOLDS as u32);
    let start = processor_time();
    for _ in 0..YEARS {
        calendars.write(dice.below(PLAN_ROWS), dice.below(300));
    }
    times.0[2].push((processor_time() - start) / YEARS as u32);
    answer
}

fn main() {
    println!(
        "{:.1} M cells and {:.1} M rate words, one thread, orders taking turns, {ROUNDS} rounds",
        (ROOM_ROWS * RING) as f64 / 1e6,
        (PLAN_ROWS * RING) as f64 / 1e6,
    );
    let (by_row, by_night, tiled) =
        (Calendars::<ByRow>::new(), Calendars::<ByNight>::new(), Calendars::<Tiled<8>>::new());
    let (tiled_16, tiled_32) = (Calendars::<Tiled<16>>::new(), Calendars::<Tiled<32>>::new());
    let mut times: [Times; 5] = Default::default();
    for seed in 0..ROUNDS as u64 {
        let answers = [
            round(&by_row, &mut times[0], seed),
            round(&by_night, &mut times[1], seed),
            round(&tiled, &mut times[2], seed),
            round(&tiled_16, &mut times[3], seed),
            round(&tiled_32, &mut times[4], seed),
        ];
        assert!(answers.iter().all(|answer| *answer == answers[0]), "the orders disagree");
    }
    let [first, second, third, fourth, fifth] = &mut times;
    first.show(ByRow::NAME, by_row.touched());
    second.show(ByNight::NAME, by_night.touched());
    third.show(Tiled::<8>::NAME, tiled.touched());
    fourth.show(Tiled::<16>::NAME, tiled_16.touched());
    fifth.show(Tiled::<32>::NAME, tiled_32.touched());
}
