//! The engine's laws, tested through its public face alone.
//!
//! One binary, one file per law. Nothing here sleeps or reads a clock; what is random follows a seed.

mod admission;
mod bounds;
mod bytes;
mod calendar;
mod capture;
mod determinism;
mod expiry;
mod explain;
mod full;
mod hostile;
mod mix;
mod model;
mod outcomes;
mod promotions;
mod records;
mod search;
mod stress;
mod verify;
mod world;
