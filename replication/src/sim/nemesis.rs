//! The nemesis: what goes wrong, and when.
//!
//! It owns the choice of faults and their end. Any number of machines may be down at once and any way cut;
//! but no disk forgets what was synced, and at most one wall is far from the truth at a time, since a
//! median of three stands no two.

use std::sync::Arc;
use std::time::Duration;

use super::cluster::Cluster;
use super::dice::Dice;
use super::disk::{Step, Trap, dir_of, disk_of};
use super::members::Members;
use super::runtime;
use super::snapshots;
use super::world::{Counts, Ended, How, world};
use crate::node::Change;

/// Steps of taking or receiving a snapshot, about.
const SNAPSHOT_STEPS: u64 = 16;
/// At which kind of step a trap is laid, and how many of them may come before.
const TRAPS: [(Option<Step>, u64); 4] = [
    (None, SNAPSHOT_STEPS),
    (None, SNAPSHOT_STEPS),
    (Some(Step::SyncNames), 3),
    (Some(Step::Cut), 2),
];
const YEARS_10_MS: i64 = 10 * 365 * 24 * 3_600 * 1_000;
/// Honest walls are so far from the truth, in milliseconds.
pub(crate) const WALL_OFF_MS_MAX: u64 = 800;

pub(crate) struct Nemesis {
    pub cluster: Arc<Cluster>,
    pub dice: Dice,
    pub members: Members,
    /// How often each fault comes up in this world.
    pub weights: [u64; FAULTS.len()],
    liar: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Stop,
    Kill,
    PowerLoss,
    PowerLossOfAll,
    CutOff,
    CutOneWay,
    Split,
    Reset,
    SlowDisk,
    DiskFailure,
    ClockJump,
    Transfer,
    Members,
    /// A crash amid a snapshot: between two of its writes, syncs and names, or with the cut of a log.
    Trap,
    /// No room for some steps of a snapshot.
    FullDisk,
}

const FAULTS: [(Fault, u64); 15] = [
    (Fault::Stop, 3),
    (Fault::Kill, 6),
    (Fault::PowerLoss, 6),
    (Fault::PowerLossOfAll, 2),
    (Fault::CutOff, 6),
    (Fault::CutOneWay, 5),
    (Fault::Split, 3),
    (Fault::Reset, 4),
    (Fault::SlowDisk, 3),
    (Fault::DiskFailure, 2),
    (Fault::ClockJump, 3),
    (Fault::Transfer, 4),
    (Fault::Members, 5),
    (Fault::Trap, 6),
    (Fault::FullDisk, 2),
];

impl Nemesis {
    pub fn new(cluster: Arc<Cluster>) -> Self {
        let mut dice = Dice::new(world().seed, 3);
        // Some worlds know only a few faults, often.
        let weights = FAULTS.map(|(_, weight)| if dice.one_in(4) { 0 } else { weight });
        let members = Members::new(cluster.clone());
        Self { cluster, dice, members, weights, liar: None }
    }

    /// One fault after the other, for so long.
    pub async fn run(&mut self, duration: Duration) {
        let until = runtime::Instant::now() + duration;
        while runtime::Instant::now() < until {
            runtime::sleep(self.millis(50, 2_500)).await;
            if let Some(fault) = self.choose() {
                world().note(format_args!("fault {fault:?}"));
                self.commit(fault).await;
            }
        }
    }

    fn choose(&mut self) -> Option<Fault> {
        let all: u64 = self.weights.iter().sum();
        let mut at = self.dice.below(all.max(1));
        for ((fault, _), weight) in FAULTS.iter().zip(self.weights) {
            if at < weight {
                return Some(*fault);
            }
            at -= weight;
        }
        None
    }

    fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.dice.between(low, high))
    }

    async fn commit(&mut self, fault: Fault) {
        let one = self.dice.of(&self.cluster.ids());
        let counts = &world().counts;
        match fault {
            Fault::Stop => {
                Counts::add(&counts.stops);
                let (cluster, pause) = (self.cluster.clone(), self.millis(50, 3_000));
                runtime::spawn(async move {
                    cluster.stop(one).await;
                    runtime::sleep(pause).await;
                    cluster.start(one).await;
                });
            }
            Fault::Kill => self.crash(one, false),
            Fault::PowerLoss => self.crash(one, true),
            Fault::PowerLossOfAll => {
                for id in self.cluster.ids() {
                    self.crash(id, true);
                }
            }
            Fault::CutOff | Fault::CutOneWay | Fault::Split => {
                Counts::add(&counts.partitions);
                self.partition(fault, one);
                let lasts = self.millis(200, 6_000);
                runtime::sleep(lasts).await;
                if self.dice.one_in(4) {
                    // Stalled for so long, some connections do not come back.
                    world().net.reset_some(3);
                }
                world().net.heal();
                world().note(format_args!("healed"));
            }
            Fault::Reset => {
                Counts::add(&counts.resets);
                let one_in = self.dice.of(&[1, 3, 10]);
                world().net.reset_some(one_in);
            }
            Fault::SlowDisk => {
                Counts::add(&counts.slow_disks);
                let slowness = self.dice.of(&[5, 20, 100]);
                self.for_a_while(one, move |disk| disk.set_slowness(slowness));
            }
            Fault::DiskFailure => disk_of(&dir_of(one)).set_fails(true),
            Fault::Trap => {
                let (kind, steps) = self.dice.of(&TRAPS);
                let (steps, power) = (self.dice.below(steps), self.dice.one_in(2));
                disk_of(&dir_of(one)).set_trap(Trap { kind, steps, power });
                if self.dice.one_in(2) {
                    snapshots::take(&self.cluster, one);
                }
            }
            Fault::FullDisk => {
                disk_of(&dir_of(one)).set_refuses(self.dice.between(1, SNAPSHOT_STEPS));
                snapshots::take(&self.cluster, one);
            }
            Fault::ClockJump => self.jump(one),
            Fault::Transfer => {
                Counts::add(&counts.transfers);
                let to = self.dice.of(&[None, None, Some(one)]);
                self.change(Change::Lead { to });
            }
            Fault::Members => {
                let dice = &mut self.dice;
                self.members.step(dice).await;
            }
        }
    }

    fn crash(&mut self, id: u64, power: bool) {
        if !self.cluster.crash(id, power) {
            return;
        }
        let counts = &world().counts;
        Counts::add(if power { &counts.power_losses } else { &counts.crashes });
        let (cluster, pause) = (self.cluster.clone(), self.millis(50, 5_000));
        runtime::spawn(async move {
            runtime::sleep(pause).await;
            cluster.start(id).await;
        });
    }

    fn partition(&mut self, fault: Fault, one: u64) {
        let (net, ids) = (&world().net, self.cluster.ids());
        for &other in ids.iter().filter(|&&other| other != one) {
            match fault {
                Fault::CutOff => {
                    net.cut(one, other);
                    net.cut(other, one);
                }
                // It speaks and hears nothing, or hears and is not heard.
                Fault::CutOneWay if one.is_multiple_of(2) => net.cut(one, other),
                Fault::CutOneWay => net.cut(other, one),
                // Some ways, whichever: not every split is in two halves.
                _ => {
                    for &third in &ids {
                        if third != other && self.dice.one_in(3) {
                            net.cut(other, third);
                        }
                    }
                }
            }
        }
    }

    fn for_a_while(&mut self, id: u64, change: impl FnOnce(&super::disk::Disk)) {
        let disk = disk_of(&dir_of(id));
        change(&disk);
        let lasts = self.millis(500, 6_000);
        runtime::spawn(async move {
            runtime::sleep(lasts).await;
            disk.set_slowness(1);
        });
    }

    /// At most one wall lies at a time; the one that did is set right first.
    fn jump(&mut self, id: u64) {
        Counts::add(&world().counts.clock_steps);
        if let Some(time) = self.liar.take().and_then(|liar| self.cluster.time(liar)) {
            time.set_off_ms(0);
        }
        let far = [YEARS_10_MS, -YEARS_10_MS, 3_600_000, -3_600_000, 60_000, -7_000, 0];
        let off_ms = self.dice.of(&far);
        if let Some(time) = self.cluster.time(id) {
            time.set_off_ms(off_ms);
            self.liar = Some(id);
        }
    }

    fn change(&mut self, change: Change) {
        let up = self.cluster.processes();
        if up.is_empty() {
            return;
        }
        let at = usize::try_from(self.dice.below(up.len() as u64)).unwrap_or(0);
        if let Some((_, process)) = up.into_iter().nth(at) {
            runtime::spawn(async move {
                let node = process.node.clone();
                let changed = process.run(async move { node.change(change).await }).await;
                world().note(format_args!("changed: {changed:?}"));
            });
        }
    }

    /// Everything works again, and every machine is started.
    pub async fn end(&mut self) {
        let world = world();
        world.net.heal();
        world.net.calm();
        for id in self.cluster.ids() {
            disk_of(&dir_of(id)).mend();
            if let Some(time) = self.cluster.time(id) {
                time.set_off_ms(0);
            }
        }
        world.note(format_args!("no more faults"));
        // Whoever is about to crash or to come up does so first.
        runtime::sleep(Duration::from_secs(6)).await;
        for id in self.cluster.ids() {
            if !self.cluster.is_begun(id) {
                let cluster = self.cluster.clone();
                runtime::spawn(async move { cluster.start(id).await });
            }
        }
    }
}

/// Processes that end by themselves are started again. The machine of one whose disk has failed gets another
/// disk with the same bytes.
pub(crate) async fn supervise(cluster: Arc<Cluster>) {
    let Some(mut ends) = world().ends.lock().take() else { return };
    let mut dice = Dice::new(world().seed, 4);
    while let Some(Ended { node, life, how }) = ends.recv().await {
        let counts = &world().counts;
        let (power, count) = match how {
            How::Fails => (false, &counts.disk_failures),
            How::Trapped { power } => (power, &counts.mid_way),
            How::StartsAgain => {
                runtime::spawn(start_again(cluster.clone(), (node, life)));
                continue;
            }
        };
        if !cluster.crash_life(node, life, power) {
            continue;
        }
        Counts::add(count);
        let pause = Duration::from_millis(dice.between(100, 4_000));
        let cluster = cluster.clone();
        runtime::spawn(async move {
            runtime::sleep(pause).await;
            disk_of(&dir_of(node)).set_fails(false);
            disk_of(&dir_of(node)).set_refuses(0);
            cluster.start(node).await;
        });
    }
}

/// As `holdfast serve` does where a snapshot was received: stops in order, and puts a new process in its place.
async fn start_again(cluster: Arc<Cluster>, (node, life): (u64, u64)) {
    let is_it = cluster.process(node).is_some_and(|process| process.life.number == life);
    if is_it && cluster.stop(node).await {
        cluster.start(node).await;
    }
}
