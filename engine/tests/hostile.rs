//! Commands that no door would send: whatever can be decoded is answered, and a refusal changes nothing.
//!
//! They are commands of the usual traffic with some of their bytes overwritten: other ids, other principals,
//! the largest and the smallest numbers. `HOLDFAST_HOSTILE_SEED` and `HOLDFAST_HOSTILE_STEPS` choose the run.

use holdfast_engine::command::{Batch, Sweep, Tick};
use holdfast_engine::verify::Finding;
use holdfast_engine::{Code, Command, Outcome, Verb, Verifier, codec};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::world::World;
use crate::world::traffic::{Dice, Step, Traffic};

const STEPS: usize = 12_000;
/// The run begins anew after so many steps: a world that was asked for madness for long sells nothing more.
const WORLD: usize = 400;
/// Entries between two whole checks.
const WHOLE_EVERY: usize = 50;
/// Bytes before a batch's only command: version, time, length.
const HEAD: usize = 1 + 8 + 8;

/// Some bytes of a command become others, as far as it can still be decoded.
fn spoilt(command: &Command, rolls: &[u16]) -> Option<Command> {
    let whole = codec::encode(&Batch { at_ms: 0, commands: vec![command.clone()] });
    let mut found = None;
    for rolls in rolls.chunks_exact(3) {
        let mut bytes = whole.clone();
        let width = [1, 2, 4, 8, 16][usize::from(rolls[0] % 5)];
        let at = HEAD + usize::from(rolls[1]) % (bytes.len() - HEAD);
        for (nth, byte) in bytes[at..].iter_mut().take(width).enumerate() {
            let is_last = nth == width - 1;
            *byte = match rolls[2] % 6 {
                0 => 0xFF,
                1 => 0,
                // The largest and the smallest that have a sign.
                2 => 0xFF >> u8::from(is_last),
                3 => 0x80 * u8::from(is_last),
                4 => u8::from(nth == 0),
                _ => rolls[2].to_le_bytes()[nth % 2],
            };
        }
        if let Ok(mut batch) = codec::decode::<Batch>(&bytes) {
            found = batch.commands.pop();
        }
    }
    found
}

struct Besieged {
    world: World,
    verifier: Verifier,
    traffic: Traffic,
    steps: usize,
}

impl Besieged {
    fn new() -> Self {
        let mut traffic = Traffic::default();
        let mut world = World::unborn();
        let founding = traffic.founding();
        world.apply(founding);
        let mut besieged = Self { world, verifier: Verifier::new(0), traffic, steps: 0 };
        besieged.look();
        besieged
    }

    fn look(&mut self) {
        let events = self.world.take_events();
        self.verifier.after(&self.world.writer, &events);
        self.steps += 1;
        if self.steps.is_multiple_of(WHOLE_EVERY) {
            self.verifier.check_all(&self.world.writer);
        }
        // Which key opens a guest's data is the door's to say; the engine keeps what it is given.
        let found = self.verifier.findings().iter().filter(|found| found.part != "guest_keys");
        assert_eq!(found.collect::<Vec<_>>(), Vec::<&Finding>::new());
    }

    /// Applies a command alone, when nothing is due: what it is refused, and whether that changed anything.
    fn send(&mut self, command: Command) -> Option<Code> {
        while !matches!(self.world.sweep(), Outcome::Swept { expired: 0 }) {}
        self.look();
        let before = self.world.writer.digest();
        let keyed = command.idempotency.is_some();
        let shown = format!("{command:?}");
        let outcome = self.world.apply(vec![command]).remove(0);
        self.look();
        let code = outcome.refusal().map(|refusal| refusal.code);
        assert_ne!(code, Some(Code::Invariant), "an impossible state: {shown}");
        // That a payment is declined is a refusal and changes the hold.
        if code.is_some_and(|code| code != Code::PaymentDeclined) {
            let after = self.world.writer.digest();
            let changed: Vec<_> = after.differences(&before).map(|part| part.0).collect();
            let expected = |part: &&str| *part == "clock" || (keyed && *part == "keys");
            assert!(changed.iter().all(expected), "{code:?} changed {changed:?}: {shown}");
        }
        code
    }

    fn step(&mut self, rolls: Vec<u16>, spoil: &[u16]) {
        let mut dice = Dice::new(rolls);
        let (reader, now) = (self.world.reader.clone(), self.world.now);
        match self.traffic.step(&mut dice, &reader, now) {
            Step::Send(command) => {
                let sent =
                    if spoil[0].is_multiple_of(3) { None } else { spoilt(&command, &spoil[1..]) };
                self.send(sent.unwrap_or(*command));
            }
            Step::Pass(ms) => self.world.now += ms,
            Step::Rewind(_) => {}
        }
    }
}

#[test]
fn whatever_can_be_decoded_is_answered_and_a_refusal_changes_nothing() {
    let number = |name: &str, otherwise: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number("HOLDFAST_HOSTILE_SEED", 1).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut besieged = Besieged::new();
    let rolls = vec(any::<u16>(), Dice::ROLLS + 31);
    for at in 0..number("HOLDFAST_HOSTILE_STEPS", STEPS) {
        let mut rolls = rolls.new_tree(&mut runner).unwrap().current();
        let spoil = rolls.split_off(Dice::ROLLS);
        besieged.step(rolls, &spoil);
        if at % WORLD == WORLD - 1 {
            besieged = Besieged::new();
        }
    }
}

#[test]
fn the_end_of_time_is_an_instant_like_any_other() {
    let mut besieged = Besieged::new();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let rolls = vec(any::<u16>(), Dice::ROLLS + 31);
    for at in 0..600 {
        if at == 300 {
            besieged.world.now = u64::MAX;
            for _ in 0..3 {
                besieged.world.apply(vec![
                    Command::plain(Verb::Tick(Tick)),
                    Command::plain(Verb::Sweep(Sweep::default())),
                ]);
            }
            besieged.world.take_events();
        }
        let mut rolls = rolls.new_tree(&mut runner).unwrap().current();
        let spoil = rolls.split_off(Dice::ROLLS);
        let mut dice = Dice::new(rolls);
        let (reader, now) = (besieged.world.reader.clone(), besieged.world.now.min(1 << 50));
        if let Step::Send(command) = besieged.traffic.step(&mut dice, &reader, now) {
            let sent = spoilt(&command, &spoil).unwrap_or(*command);
            besieged.world.apply(vec![sent]);
        }
    }
}
