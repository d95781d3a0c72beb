//! Backups that go on, restores to a point, refusals in words, and a cluster that is lost and comes back.
//!
//! `HOLDFAST_DRILL_SECONDS` sets for how long guests book before the cluster is lost (3).

#[path = "backup/cutting.rs"]
mod cutting;
#[path = "backup/drill.rs"]
mod drill;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/hotel.rs"]
mod hotel;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../../replication/tests/archive/house.rs"]
mod house;
#[path = "backup/making.rs"]
mod making;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "cluster/nodes.rs"]
mod nodes;
#[path = "backup/points.rs"]
mod points;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/server.rs"]
mod server;
#[path = "backup/writing.rs"]
mod writing;
