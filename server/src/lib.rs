//! Holdfast's server: HTTP doors, authentication, configuration, operator listener, command line.
//!
//! It owns everything a person or another program talks to. It refuses to own a decision about
//! rooms or money: those are the engine's, reached through the replication facade.
//!
//! **Invariant:** no door changes state except by submitting a command to the node.

pub mod auth;
pub mod backup;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod data_dir;
pub mod demo;
pub mod gazetteer;
pub mod http;
pub mod idempotency;
pub mod limits;
pub mod memory;
pub mod payment;
pub mod problem;
pub mod random;
pub mod replay;
pub mod seal;
pub mod serve;
pub mod state;
pub mod telemetry;
pub mod wire;
