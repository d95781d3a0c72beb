//! A cluster of real processes, hurt while guests book, against a checker that believes only answers.
//!
//! Each test says the longest time without an acknowledged write. `HOLDFAST_FAULT_ROUNDS` sets how often
//! each fault is done (1); docs/testing-faults.md says what each is and what a machine must allow. What a
//! machine does not allow is skipped, and the test says so.

#[path = "faults/archived.rs"]
mod archived;
#[path = "cluster/beat.rs"]
mod beat;
#[path = "faults/clocks.rs"]
mod clocks;
#[path = "faults/disks.rs"]
mod disks;
#[path = "faults/guests.rs"]
mod guests;
#[path = "support/hotel.rs"]
mod hotel;
#[path = "faults/ledger.rs"]
mod ledger;
#[path = "faults/members.rs"]
mod members;
#[path = "faults/network.rs"]
mod network;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "cluster/nodes.rs"]
mod nodes;
#[path = "faults/orders.rs"]
mod orders;
#[path = "faults/processes.rs"]
mod processes;
#[path = "faults/relay.rs"]
mod relay;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/server.rs"]
mod server;
#[path = "faults/snapshots.rs"]
mod snapshots;
#[path = "faults/spaces.rs"]
mod spaces;
#[path = "faults/trial.rs"]
mod trial;
#[path = "faults/upgrade.rs"]
mod upgrade;
