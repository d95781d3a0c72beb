//! The engine against a naive model: every answer, and after every entry every cell.
//!
//! `HOLDFAST_MODEL_SEED` and `HOLDFAST_MODEL_STEPS` choose the long run; the same seed is the same run.

mod naive;

use std::collections::BTreeMap;

use holdfast_engine::ari::LineOutcome;
use holdfast_engine::inventory::Cell;
use holdfast_engine::{Command, Reader};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use self::naive::Model;
use crate::world::World;
use crate::world::answer::Answer;
use crate::world::traffic::{Dice, Step, Traffic};

/// Steps of the long run where the environment says nothing.
const LONG_RUN_STEPS: usize = 60_000;
/// The long run begins anew after so many steps: a world that only grows is soon sold out.
const LONG_RUN_WORLD: usize = 1_500;

/// What the long run must have met, lest it prove nothing: every answer but those that only a full or
/// unborn deployment gives; of commands that share their answers with others, the command and the answer.
#[rustfmt::skip]
const MET_IN_THE_LONG_RUN: &[&str] = &[
    "Done", "Replayed", "Hotel", "RoomType", "RatePlan", "Held", "HoldChanged", "Booked", "Cancelled",
    "BookingChanged", "Swept", "Ticked", "Taxes", "Block", "Promo",
    "Archived",
    "Applied", "Unchanged", "Superseded", "Stale",
    "UnknownRoomType", "UnknownRatePlan", "NotYours", "NothingToWrite", "NeedsRatePlan", "EmptyRange",
    "NoWeekday", "PastNight", "BeyondHorizon", "TooLarge", "BelowZero", "PriceOutOfRange",
    "StayLimitOutOfRange", "MaxBelowMin", "BelowPromised", "AdvanceOutOfRange", "CutOffOutOfRange",
    "PriceOutsideBounds", "Contradiction", "HotelTakesClosedOnly", "UnknownHotel", "state.in_use",
    "DerivedPrice",
    "block.state", "booking.state", "hold.already_confirmed", "hold.confirming", "hold.expired",
    "hold.extension_limit", "hold.not_confirming", "hold.quota_exceeded", "hold.released",
    "hold.quota_exceeded holds", "hold.quota_exceeded rooms", "hold.quota_exceeded room_nights",
    "hold.quota_exceeded cell_share",
    "idempotency.key_reused", "inventory.insufficient", "not_found", "occupancy.too_many",
    "payment.declined", "price.changed", "promo.code_taken", "promo.exhausted", "promo.not_valid",
    "promo.unknown", "rate_plan.cycle", "rate_plan.parent_unknown",
    "rate.missing", "reference.duplicate", "request.invalid",
    "state.conflict", "stay.beyond_horizon", "stay.closed", "stay.in_past", "stay.restricted",
    "stay.too_long", "stay.too_short", "version.mismatch",
    "Modify BookingChanged", "Modify Replayed", "Modify booking.state", "Modify inventory.insufficient",
    "Modify not_found", "Modify occupancy.too_many", "Modify price.changed", "Modify rate.missing",
    "Modify request.invalid", "Modify stay.beyond_horizon", "Modify stay.closed",
    "Modify stay.in_past", "Modify stay.restricted", "Modify stay.too_long", "Modify stay.too_short",
    "Modify version.mismatch",
    "JoinWaitlist Waiting", "JoinWaitlist occupancy.too_many", "JoinWaitlist rate.missing",
    "JoinWaitlist reference.duplicate", "JoinWaitlist request.invalid", "JoinWaitlist state.conflict",
    "JoinWaitlist stay.closed", "JoinWaitlist stay.restricted", "JoinWaitlist waitlist.not_needed",
    "LeaveWaitlist Cancelled", "LeaveWaitlist Closed", "LeaveWaitlist Lapsed", "LeaveWaitlist not_found",
    "Extend hold.waitlist_waiting",
    "waits Waiting", "waits Offered", "waits Used", "waits Lapsed", "waits Cancelled", "waits Closed",
];

/// A state, the model of it, and the entry that is being filled.
struct Both {
    world: World,
    model: Model,
    traffic: Traffic,
    waiting: Vec<Command>,
    seen: BTreeMap<String, usize>,
}

impl Both {
    /// Where `cell_share` says so, one guest may hold no more than a share of each cell.
    fn new(cell_share: bool) -> Result<Self, String> {
        let mut traffic = Traffic::default();
        traffic.cell_share = cell_share;
        let waiting = traffic.founding();
        let (world, model) = (World::unborn(), Model::default());
        let mut both = Self { world, model, traffic, waiting, seen: BTreeMap::new() };
        both.apply(0)?;
        Ok(both)
    }

    fn step(&mut self, dice: &mut Dice) -> Result<(), String> {
        match self.traffic.step(dice, &self.world.reader, self.world.now) {
            Step::Send(command) => self.waiting.push(*command),
            Step::Pass(ms) => {
                self.apply(0)?;
                self.world.now += ms;
            }
            Step::Rewind(ms) => self.apply(ms)?,
        }
        Ok(())
    }

    /// Applies what waits as one entry, `back` milliseconds before the time it should carry.
    fn apply(&mut self, back: u64) -> Result<(), String> {
        let commands = std::mem::take(&mut self.waiting);
        let cuts = commands.iter().any(|command| {
            matches!(command.verb, holdfast_engine::Verb::Allot(_) | holdfast_engine::Verb::Tick(_))
        });
        let before = promises(&self.world.reader);
        let now = self.world.now;
        self.world.now -= back;
        let outcomes = self.world.apply(commands.clone());
        self.world.now = now;
        // The log's clock never goes back: what carries an earlier time counts as the last.
        self.model.begin(now - back);
        for (command, outcome) in commands.iter().zip(&outcomes) {
            let answer = Answer::from(outcome);
            for name in names(&answer) {
                *self.seen.entry(format!("{} {name}", first_word(&command.verb))).or_default() += 1;
                *self.seen.entry(name).or_default() += 1;
            }
            self.model.judge(command, &answer)?;
        }
        self.model
            .compare(&self.world.reader)
            .map_err(|text| format!("{text}\nafter {commands:?}\n{outcomes:?}"))?;
        for entry in &self.model.waiting {
            *self.seen.entry(format!("waits {}", first_word(&entry.status))).or_default() += 1;
        }
        let after = promises(&self.world.reader);
        for (was, is) in before.iter().zip(&after).filter(|_| !cuts) {
            if is.0 > is.1 && is.0 > was.0 {
                return Err(format!("promised and limit went from {was:?} to {is:?}"));
            }
        }
        Ok(())
    }

    /// Time passes until every hold has ended, offers to those who wait included: then none may be left in
    /// any cell.
    fn drain(&mut self) -> Result<(), String> {
        self.apply(0)?;
        let mut held = 0;
        for _ in 0..=self.model.waiting.len() {
            self.world.now += 3 * crate::world::HOUR;
            self.world.sweep();
            self.model.begin(self.world.now);
            self.model.compare(&self.world.reader)?;
            held = cells(&self.world.reader).map(Cell::held).sum::<u32>();
            if held == 0 {
                return Ok(());
            }
        }
        Err(format!("{held} rooms are held for ever"))
    }
}

fn first_word(thing: &impl std::fmt::Debug) -> String {
    let text = format!("{thing:?}");
    text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// What kinds of answer an answer is: its own name, its code, those of its lines.
fn names(answer: &Answer) -> Vec<String> {
    match answer {
        Answer::Refused(no) => {
            let cap = no.cap.map(|cap| format!("{} {}", no.code.name(), cap.name()));
            cap.into_iter().chain([no.code.name().to_owned()]).collect()
        }
        Answer::Allotted(lines) => lines
            .iter()
            .map(|line| match line {
                LineOutcome::Rejected(refusal) => format!("{refusal:?}"),
                other => format!("{other:?}"),
            })
            .collect(),
        Answer::Waitlist { status, .. } => vec![first_word(status)],
        // Only where some were.
        Answer::Archived { bookings: 0 } => Vec::new(),
        other => vec![first_word(other)],
    }
}

fn cells(reader: &Reader) -> impl Iterator<Item = Cell> {
    let (first, end) = reader.window().unwrap_or((crate::world::TODAY, crate::world::TODAY));
    let room_types = (0..).map(holdfast_engine::ids::RoomTypeIx);
    room_types
        .take_while(|&room_type| reader.room_type(room_type).is_some())
        .flat_map(move |room_type| reader.cells(room_type, first, end))
        .map(|found| found.1)
}

/// What is promised and what may be, cell by cell.
fn promises(reader: &Reader) -> Vec<(u32, u32)> {
    cells(reader).map(|cell| (cell.promised(), cell.limit())).collect()
}

fn dice() -> impl Strategy<Value = Dice> {
    vec(any::<u16>(), Dice::ROLLS).prop_map(Dice::new)
}

proptest! {
    #![proptest_config(Config {
        cases: 128,
        max_shrink_iters: 4_000,
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn the_engine_agrees_with_a_naive_model(steps in vec(dice(), 1..160), cell_share: bool) {
        let run = || {
            let mut both = Both::new(cell_share)?;
            for mut dice in steps.clone() {
                both.step(&mut dice)?;
            }
            both.drain()
        };
        run().map_err(TestCaseError::fail)?;
    }
}

#[test]
fn the_engine_agrees_with_a_naive_model_in_the_long_run() {
    let number = |name: &str, otherwise: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let seed = number("HOLDFAST_MODEL_SEED", 1) as u64;
    let steps = number("HOLDFAST_MODEL_STEPS", LONG_RUN_STEPS);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut both = Both::new(false).unwrap();
    for at in 0..steps {
        let mut dice = dice().new_tree(&mut runner).unwrap().current();
        let step = both.step(&mut dice);
        assert_eq!(step, Ok(()), "seed {seed}, step {at}");
        if at % LONG_RUN_WORLD == LONG_RUN_WORLD - 1 {
            assert_eq!(both.drain(), Ok(()), "seed {seed}, step {at}");
            let seen = std::mem::take(&mut both.seen);
            // Every third world caps the share of a cell.
            let cell_share = at / LONG_RUN_WORLD % 3 == 1;
            both = Both { seen, ..Both::new(cell_share).unwrap() };
        }
    }
    assert_eq!(both.drain(), Ok(()), "seed {seed}");
    for (a, b) in &both.seen {
        eprintln!("SEEN {b:>6} {a}");
    }
    let missing: Vec<_> =
        MET_IN_THE_LONG_RUN.iter().filter(|name| !both.seen.contains_key(**name)).collect();
    assert!(steps < LONG_RUN_STEPS || missing.is_empty(), "never met: {missing:?}");
}
