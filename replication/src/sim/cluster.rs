//! The machines of a simulation: each has a disk, clocks, and now and then a process.
//!
//! It owns starting, stopping and crashing them. What runs in a process is the product's own node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;

use super::disk::{dir_of, disk_of};
use super::invariants::{converges, cut_stands, nothing_lost};
use super::net::address_of;
use super::runtime::{self, Life, watch};
use super::time::MachineTime;
use super::world::{Counts, How, world};
use crate::GroupId;
use crate::disk::DiskFailure;
use crate::node::{FatalError, Node, OpenError};
use crate::options::{Cluster as Config, Options};

/// Machines that begin the cluster.
pub(crate) const FIRST_VOTERS: [u64; 3] = [1, 2, 3];
const CLUSTER: u128 = 7;

/// One run of a node.
#[derive(Clone)]
pub(crate) struct Process {
    pub life: Arc<Life>,
    pub node: Node,
    /// Ends with it.
    over: watch::Receiver<bool>,
}

struct Machine {
    time: Arc<MachineTime>,
    /// `None` while it is down or on its way up.
    process: Option<Process>,
    /// The life that was begun last.
    life: Option<Arc<Life>>,
    end: Option<watch::Sender<bool>>,
    lives: u64,
}

pub(crate) struct Cluster {
    machines: Mutex<BTreeMap<u64, Machine>>,
    pub starts: AtomicU64,
}

impl Process {
    /// Runs `work` in the process; `None` where that ends first.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        if self.life.is_over() {
            return None;
        }
        let task = Life::within(Some(self.life.clone()), || runtime::spawn(work));
        let mut over = self.over.clone();
        tokio::select! {
            biased;
            done = task => done.ok(),
            _ = over.wait_for(|over| *over) => None,
        }
    }
}

impl Cluster {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { machines: Mutex::default(), starts: AtomicU64::new(0) })
    }

    pub fn add_machine(&self, id: u64, time: MachineTime) {
        let time = Arc::new(time);
        let machine = Machine { time, process: None, life: None, end: None, lives: 0 };
        self.machines.lock().insert(id, machine);
    }

    pub fn ids(&self) -> Vec<u64> {
        self.machines.lock().keys().copied().collect()
    }

    pub fn time(&self, id: u64) -> Option<Arc<MachineTime>> {
        self.machines.lock().get(&id).map(|machine| machine.time.clone())
    }

    pub fn process(&self, id: u64) -> Option<Process> {
        self.machines.lock().get(&id)?.process.clone()
    }

    /// Those that run.
    pub fn processes(&self) -> Vec<(u64, Process)> {
        let machines = self.machines.lock();
        let up = |(id, machine): (&u64, &Machine)| Some((*id, machine.process.clone()?));
        machines.iter().filter_map(up).collect()
    }

    pub fn is_begun(&self, id: u64) -> bool {
        self.machines.lock().get(&id).is_some_and(|machine| machine.life.is_some())
    }

    /// The machine is gone for good.
    pub fn retire(&self, id: u64) {
        self.crash(id, true);
        self.machines.lock().remove(&id);
    }

    /// Starts the process on a machine that is down; returns once it is up, or failed to come up.
    pub async fn start(&self, id: u64) {
        let begun = {
            let mut machines = self.machines.lock();
            let Some(machine) = machines.get_mut(&id).filter(|machine| machine.life.is_none())
            else {
                return;
            };
            machine.lives += 1;
            let life = Life::new(id, machine.lives);
            let (end, over) = watch::channel(false);
            machine.life = Some(life.clone());
            machine.end = Some(end);
            (life, over, machine.time.clone())
        };
        let (life, over, time) = begun;
        world().note(format_args!("node {id} starts, life {}", life.number));
        Counts::add(&self.starts);
        let machine_time = time.clone();
        let options = options(&life, time);
        let opened = Life::within(Some(life.clone()), || runtime::spawn(Node::open(options))).await;
        // Crashed while it came up.
        if life.is_over() {
            return;
        }
        match opened {
            Ok(Ok(node)) => {
                let process = Process { life: life.clone(), node, over };
                watch_end(&process);
                if let Some(machine) = self.machines.lock().get_mut(&id) {
                    machine.process = Some(process);
                }
                world().note(format_args!("node {id} is up"));
            }
            // It ends itself, as it would while it runs.
            Ok(Err(_)) if !disk_of(&dir_of(id)).works() => life.end_by_itself(How::Fails),
            // Room is made, and it is started again.
            Ok(Err(OpenError::Received(_) | OpenError::Snapshots(_)))
                if disk_of(&dir_of(id)).has_refused() =>
            {
                life.end_by_itself(How::Fails);
            }
            // Somebody sets its clock, as it asks, and starts it again.
            Ok(Err(OpenError::ClockAhead { .. })) => {
                machine_time.set_off_ms(0);
                life.end_by_itself(How::Fails);
            }
            Ok(Err(OpenError::Log(error))) => {
                nothing_lost::refuses_to_start(id, &error);
                self.crash(id, false);
            }
            Ok(Err(error @ OpenError::NoSnapshot { .. })) => {
                cut_stands::nothing_leads_up(id, &error);
                self.crash(id, false);
            }
            Ok(Err(error)) => {
                converges::gave_up(id, &error);
                self.crash(id, false);
            }
            Err(error) => {
                converges::gave_up(id, &error);
                self.crash(id, false);
            }
        }
    }

    /// Ends the process where it stands; `power`: and the machine with it.
    pub fn crash(&self, id: u64, power: bool) -> bool {
        let (life, process, end) = {
            let mut machines = self.machines.lock();
            let Some(machine) = machines.get_mut(&id) else { return false };
            let Some(life) = machine.life.take() else { return false };
            (life, machine.process.take(), machine.end.take())
        };
        world().note(format_args!("node {id} crashes, power {power}"));
        life.end(power);
        // What is dropped here belongs to a process that is gone.
        Life::within(Some(life), || drop(process));
        disk_of(&dir_of(id)).crash(power);
        if let Some(end) = end {
            end.send_replace(true);
        }
        true
    }

    /// As [`Self::crash`], where the machine still is in that life.
    pub fn crash_life(&self, id: u64, life: u64, power: bool) -> bool {
        let is_it = self.machines.lock().get(&id).and_then(|machine| machine.life.clone());
        is_it.is_some_and(|now| now.number == life) && self.crash(id, power)
    }

    /// Ends the process in order; `false` where it did not run, or something else ended it first.
    pub async fn stop(&self, id: u64) -> bool {
        let Some(process) = self.process(id) else { return false };
        let node = process.node.clone();
        world().note(format_args!("node {id} stops"));
        process.life.note_stopping();
        let handing_over = async move {
            node.hand_over().await;
            node.shutdown().await;
        };
        process.run(handing_over).await;
        self.crash_life(id, process.life.number, false)
    }
}

fn options(life: &Arc<Life>, time: Arc<MachineTime>) -> Options {
    let id = life.node;
    let voters = FIRST_VOTERS.map(|id| (id, address_of(id).to_string())).into();
    let disk = u128::from(id) << 64;
    let cluster = Config { id: CLUSTER, disk, listen: address_of(id), tls: None, voters };
    let failing = life.clone();
    let failure = move |failure: &DiskFailure| {
        world().note(format_args!("node {id}: {failure}"));
        failing.end_by_itself(How::Fails);
    };
    Options {
        node: id,
        group: GroupId(0),
        cluster: Some(cluster),
        time,
        threads: None,
        disk_reserve: 0,
        log_kept: world().log_kept(),
        on_disk_failure: Arc::new(failure),
        ..Options::alone(dir_of(id))
    }
}

/// A node that gives up by itself breaks a law, unless its disk has failed.
fn watch_end(process: &Process) {
    let (node, life) = (process.node.clone(), process.life.clone());
    let work = Life::within(Some(life.clone()), || {
        runtime::spawn(async move {
            let fatal = node.fatal().await;
            let of = Life::current();
            let is_meant = of.is_none_or(|life| life.is_over() || life.is_stopping());
            if is_meant {
                return;
            }
            match fatal {
                FatalError::SnapshotReceived { .. } => life.end_by_itself(How::StartsAgain),
                fatal if disk_of(&dir_of(life.node)).works() => {
                    converges::gave_up(life.node, &fatal);
                }
                _ => {}
            }
        })
    });
    drop(work);
}
