//! Clients: each wants rooms, keeps its keys, and asks again elsewhere when nobody answers.
//!
//! It owns what a client does and remembers. What a door does before the log stands in `door`.

use std::sync::Arc;
use std::time::Duration;

use holdfast_engine::{Command, Outcome};
use parking_lot::Mutex;

use super::cluster::{Cluster, Process};
use super::dice::Dice;
use super::door::{self, Answer};
use super::hotel;
use super::invariants::reads_linear::{self, Before};
use super::invariants::{ages_true, nothing_doubled, nothing_lost, refusals_true};
use super::runtime::{self, watch};
use super::world::{Counts, world};
use crate::submit::Applied;

/// Attempts after which a client gives a request up.
const ATTEMPTS_MAX: u32 = 12;

/// What all clients were told, as one who stands beside them would know it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    before: Mutex<Before>,
    heard: Mutex<ages_true::Heard>,
}

impl Told {
    fn now(&self) -> Before {
        *self.before.lock()
    }

    fn note(&self, index: u64, hold: Option<u128>) {
        self.heard.lock().note(index);
        let mut told = self.before.lock();
        told.index = told.index.max(index);
        told.hold = hold.or(told.hold);
    }
}

pub(crate) struct Client {
    number: u64,
    next: u128,
    dice: Dice,
    mood: Mood,
    cluster: Arc<Cluster>,
    told: Arc<Told>,
    stop: watch::Receiver<bool>,
}

/// What the clients of one world are like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mood {
    /// Longest pause between two wishes, in milliseconds.
    think_ms_max: u64,
    /// They give back what they hold or booked, and soon, so that rooms come and go all the time.
    tidy: bool,
}

impl Mood {
    pub fn of(dice: &mut Dice) -> Self {
        Self { think_ms_max: dice.of(&[60, 150, 500]), tidy: dice.one_in(2) }
    }
}

/// How a request ended for its client.
enum Ended {
    Told(Applied),
    /// At the door.
    Refused,
    GivenUp,
}

impl Client {
    pub fn new(
        number: u64,
        (cluster, told): (Arc<Cluster>, Arc<Told>),
        mood: Mood,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let dice = Dice::new(world().seed, 1_000 + number);
        Self { number, next: 0, dice, mood, cluster, told, stop }
    }

    pub async fn run(mut self) {
        while !*self.stop.borrow() {
            let think = Duration::from_millis(self.dice.between(1, self.mood.think_ms_max));
            runtime::sleep(think).await;
            match self.dice.below(10) {
                0..=1 => self.read().await,
                _ => self.stay().await,
            }
        }
    }

    fn key(&mut self) -> u128 {
        self.next += 1;
        u128::from(self.number) << 32 | self.next
    }

    /// Rooms are held, and then confirmed, released, forgotten; what was booked may be cancelled.
    async fn stay(&mut self) {
        let hold = self.key();
        let first = u16::try_from(self.dice.below(u64::from(hotel::NIGHTS))).unwrap_or(0);
        let nights = if first + 1 < hotel::NIGHTS && self.dice.one_in(3) { 2 } else { 1 };
        let quantity = self.dice.of(&[1, 1, 2, 3]);
        let shortest = if self.mood.tidy { hotel::TTL_S_MAX } else { 1 };
        let ttl_s = self.dice.between(u64::from(shortest), u64::from(hotel::TTL_S_MAX));
        let ttl_s = u32::try_from(ttl_s).unwrap_or(1);
        let command = hotel::hold(hold, (first, nights), quantity, ttl_s);
        match self.ask(hold, command).await {
            Ended::Told(applied) if matches!(first_answer(&applied), Outcome::Held { .. }) => {}
            // Whoever is not sure tries to release.
            Ended::GivenUp if self.dice.one_in(2) => {}
            _ => return,
        }
        let pause_ms = if self.mood.tidy { 600 } else { 1_500 };
        runtime::sleep(Duration::from_millis(self.dice.below(pause_ms))).await;
        match self.dice.below(4) {
            0 if !self.mood.tidy => {}
            0 | 1 => {
                let key = self.key();
                self.ask(key, hotel::release(key, hold)).await;
            }
            _ => {
                let key = self.key();
                let booked = self.ask(key, hotel::confirm(key, hold)).await;
                let is_booked = match &booked {
                    Ended::Told(applied) => matches!(first_answer(applied), Outcome::Booked(_)),
                    _ => true,
                };
                if is_booked && (self.mood.tidy || !self.dice.one_in(4)) {
                    runtime::sleep(Duration::from_millis(self.dice.below(2 * pause_ms))).await;
                    let key = self.key();
                    self.ask(key, hotel::cancel(key, hold)).await;
                }
            }
        }
    }

    /// Until it is answered, at one node after the other, with the same key.
    async fn ask(&mut self, key: u128, command: Command) -> Ended {
        let mut answers: Option<Applied> = None;
        for _ in 0..ATTEMPTS_MAX {
            let from = self.told.now().index;
            let Some((node, process)) = self.any_process() else {
                runtime::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let patience = Duration::from_millis(self.dice.between(300, 6_000));
            let doors = process.run(door::ask(process.node.clone(), command.clone()));
            let answered = runtime::timeout(patience, doors).await;
            match answered {
                Ok(Some(Answer::Applied(applied))) => {
                    self.note_told(key, &applied);
                    if let Some(first) = &answers {
                        nothing_doubled::check_answers(key, first, &applied);
                    }
                    // Some ask again though they know.
                    if answers.is_some() || !self.dice.one_in(12) {
                        return Ended::Told(answers.unwrap_or(applied));
                    }
                    answers = Some(applied);
                }
                Ok(Some(Answer::Refused { stay, rooms })) if answers.is_none() => {
                    Counts::add(&world().counts.refused_at_the_door);
                    let at = process.node.reader().applied_index();
                    world().note(format_args!(
                        "{key:x} is refused by node {node} at {at}, {from} told"
                    ));
                    let refused = refusals_true::Refused { node, stay, rooms, from };
                    refusals_true::check(&world().witness.lock(), refused);
                    return Ended::Refused;
                }
                // Nobody answered, or with no outcome, or the process is gone.
                _ => {
                    let pause = Duration::from_millis(self.dice.between(10, 400));
                    runtime::sleep(pause).await;
                }
            }
        }
        match answers {
            Some(applied) => Ended::Told(applied),
            None => Ended::GivenUp,
        }
    }

    fn note_told(&self, key: u128, applied: &Applied) {
        world().note(format_args!("{key:x} is told {}.{}", applied.index, applied.ordinal));
        Counts::add(&world().counts.acknowledged);
        nothing_lost::told(&mut world().witness.lock(), key, applied);
        let held = matches!(first_answer(applied), Outcome::Held { .. });
        self.told.note(applied.index, held.then_some(key));
    }

    async fn read(&mut self) {
        let before = self.told.now();
        let Some((node, process)) = self.any_process() else { return };
        if let Some(age) = process.node.age() {
            Counts::add(&world().counts.ages);
            let applied = process.node.reader().applied_index();
            ages_true::check(node, (age, applied), &self.told.heard.lock());
        }
        let asked = process.node.clone();
        let read = process.run(async move { asked.read_point().await });
        let patience = Duration::from_millis(self.dice.between(300, 4_000));
        if let Ok(Some(Ok(point))) = runtime::timeout(patience, read).await {
            Counts::add(&world().counts.reads);
            reads_linear::check(node, before, (point, process.node.reader()));
        }
    }

    fn any_process(&mut self) -> Option<(u64, Process)> {
        let up = self.cluster.processes();
        if up.is_empty() {
            return None;
        }
        let at = usize::try_from(self.dice.below(up.len() as u64)).unwrap_or(0);
        up.into_iter().nth(at)
    }
}

/// What was answered at first.
fn first_answer(applied: &Applied) -> &Outcome {
    match &applied.outcome {
        Outcome::Replayed(first) => first,
        outcome => outcome,
    }
}
