//! An engine on its own: one writer, one reader, entries applied back to back.
//!
//! Owns the loaded state that the engine's figures are measured on, with the log's time as a number
//! that the figure moves. Outcomes and events are dropped as they come, which is part of what is timed.

use std::collections::VecDeque;
use std::time::Duration;

use holdfast_engine::ari::LineOutcome;
use holdfast_engine::booking::{Payment, Sealed};
use holdfast_engine::command::{Confirm, Hold, Release, Sweep, Tick};
use holdfast_engine::ids::{BookingId, HoldId};
use holdfast_engine::{
    Batch, Command, Event, Night, Outcome, Principal, Reader, State, Verb, Writer,
};

use crate::stopwatch::timed;
use crate::world::{self, Requests, World};

/// Commands of one entry, about what 256 callers of a busy node put into one.
pub const ENTRY: usize = 256;
/// 2027-01-01T00:00:00Z: the log's time when the measured part begins.
pub const START_MS: u64 = 1_798_761_600_000;

/// The first night on sale, the day after.
pub const FIRST: Night = Night(20_820);

/// A writer with what surrounds it.
pub struct Run {
    pub writer: Writer,
    pub reader: Reader,
    pub now_ms: u64,
    index: u64,
    outcomes: Vec<Outcome>,
    events: Vec<Event>,
}

/// A hold that lives, to be ended later.
#[derive(Debug, Clone, Copy)]
pub struct Living {
    pub id: HoldId,
    pub principal: Principal,
}

impl Run {
    /// An engine that has applied the world's commands.
    pub fn load(world: World, now_ms: u64) -> Self {
        let (writer, reader) = State::new();
        let (outcomes, events) = (Vec::new(), Vec::new());
        let mut run = Self { writer, reader, now_ms, index: 0, outcomes, events };
        for commands in world.commands() {
            let refused = run.apply(commands).1;
            assert_eq!(refused, 0, "the world was refused");
        }
        run
    }

    /// Applies one entry; how long that took, with outcomes and events dropped. Counts refusals.
    pub fn apply(&mut self, commands: Vec<Command>) -> (Duration, usize) {
        let batch = Batch { at_ms: self.now_ms, commands };
        self.apply_batch(&batch)
    }

    /// As [`Self::apply`], of a batch that was built elsewhere; its time counts.
    pub fn apply_batch(&mut self, batch: &Batch) -> (Duration, usize) {
        self.index += 1;
        let Self { writer, outcomes, events, index, .. } = self;
        let mut refused = 0;
        let (time, ()) = timed(|| {
            writer.apply(*index, batch, outcomes, events);
            refused = outcomes.iter().filter(|outcome| is_refusal(outcome)).count();
            outcomes.clear();
            events.clear();
        });
        (time, refused)
    }

    /// What the proposer puts at the head of an entry once a second.
    pub fn second_passes(&mut self) -> Duration {
        let tick = Command::plain(Verb::Tick(Tick));
        let sweep = Command::plain(Verb::Sweep(Sweep::default()));
        self.apply(vec![tick, sweep]).0
    }

    /// Draws and prices `count` holds of `ttl_s` seconds.
    pub fn holds(&self, requests: &mut Requests, count: usize, ttl_s: u32) -> Vec<Hold> {
        let draw = |_| {
            let mut hold = Hold { ttl_s, ..requests.draw() };
            world::quote(&self.reader, &mut hold);
            hold
        };
        (0..count).map(draw).collect()
    }
}

fn is_refusal(outcome: &Outcome) -> bool {
    let rejected = |line: &LineOutcome| matches!(line, LineOutcome::Rejected(_));
    match outcome {
        Outcome::Allotted(lines) => lines.iter().any(rejected),
        outcome => outcome.refusal().is_some(),
    }
}

/// The entry of some holds, each with a key of its own, and who they were.
pub fn entry(requests: &mut Requests, holds: Vec<Hold>) -> (Vec<Command>, Vec<Living>) {
    let living =
        holds.iter().map(|hold| Living { id: hold.id, principal: hold.principal }).collect();
    let commands = holds.into_iter().map(|hold| requests.keyed(Verb::Hold(hold))).collect();
    (commands, living)
}

/// The release of a hold. A `DELETE` carries no key.
pub const fn release(hold: Living) -> Command {
    Command::plain(Verb::Release(Release { hold: hold.id, principal: hold.principal }))
}

/// The confirmation of a hold, with a key and 120 bytes of sealed guest data.
pub fn confirm(requests: &mut Requests, hold: Living) -> Command {
    requests.keyed(Verb::Confirm(Confirm {
        hold: hold.id,
        booking: BookingId(hold.id.0),
        principal: hold.principal,
        intent: None,
        guest: Sealed { guest: 1, key: 1, bytes: vec![0x5A; 120] },
        guest_key: None,
        payment: Payment {
            intent: 0,
            method: "mock".into(),
            provider_reference: "ch_0123456789".into(),
            amount: 0,
        },
        expected_total: None,
        revive: false,
    }))
}

/// How holds end: a third each is released, confirmed, or expires by itself.
pub struct Steady {
    /// Seconds of log time a hold lives.
    pub life_s: u32,
    living: VecDeque<(u64, Living)>,
}

/// Time spent over some seconds of log time, by kind of work.
#[derive(Debug, Default, Clone, Copy)]
pub struct Spent {
    pub holds: u64,
    pub refused: usize,
    pub holding: Duration,
    pub releasing: Duration,
    pub confirming: Duration,
    /// Tick and sweep: expiry, and the forgetting of keys and ended holds.
    pub sweeping: Duration,
}

impl Spent {
    pub fn whole(&self) -> Duration {
        self.holding + self.releasing + self.confirming + self.sweeping
    }
}

impl Steady {
    pub const fn new(life_s: u32) -> Self {
        Self { life_s, living: VecDeque::new() }
    }

    /// One second of log time: `count` holds are made, those made [`Self::life_s`] ago end.
    pub fn second(
        &mut self,
        run: &mut Run,
        requests: &mut Requests,
        count: usize,
        spent: &mut Spent,
    ) {
        run.now_ms += 1_000;
        spent.sweeping += run.second_passes();
        self.end_old(run, requests, spent);
        let mut left = count;
        while left > 0 {
            let holds = run.holds(requests, left.min(ENTRY), self.life_s);
            left -= holds.len();
            spent.holds += holds.len() as u64;
            let (commands, living) = entry(requests, holds);
            let (time, refused) = run.apply(commands);
            spent.holding += time;
            spent.refused += refused;
            self.living.extend(living.into_iter().map(|hold| (run.now_ms, hold)));
        }
    }

    /// Holds that are a second from their expiry are released or confirmed, or left to expire.
    fn end_old(&mut self, run: &mut Run, requests: &mut Requests, spent: &mut Spent) {
        let age_ms = u64::from(self.life_s - 1) * 1_000;
        let (mut releases, mut confirms) = (Vec::new(), Vec::new());
        while let Some(&(made_ms, hold)) =
            self.living.front().filter(|old| old.0 + age_ms <= run.now_ms)
        {
            self.living.pop_front();
            match (hold.id.0 >> 20) % 3 {
                0 => releases.push(release(hold)),
                1 => confirms.push(confirm(requests, hold)),
                _ => debug_assert!(made_ms > 0),
            }
        }
        for (commands, time) in
            [(releases, &mut spent.releasing), (confirms, &mut spent.confirming)]
        {
            let mut commands = commands.into_iter().peekable();
            while commands.peek().is_some() {
                *time += run.apply(commands.by_ref().take(ENTRY).collect()).0;
            }
        }
    }
}
