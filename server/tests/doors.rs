//! The doors as a client meets them: a real node in a directory of its own, real sockets.
//!
//! One file per promise of the contract. Nothing here looks inside the server.

#[path = "doors/ari.rs"]
mod ari;
#[path = "doors/auth.rs"]
mod auth;
#[path = "doors/catalogue.rs"]
mod catalogue;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/operators.rs"]
mod operators;
#[path = "doors/pricing.rs"]
mod pricing;
#[path = "doors/problems.rs"]
mod problems;
#[path = "doors/promos.rs"]
mod promos;
#[path = "doors/rules.rs"]
mod rules;
