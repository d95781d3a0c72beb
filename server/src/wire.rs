//! The shapes on the wire: what doors read and write as JSON, and the one layer that checks them.
//!
//! A type here mirrors the contract; the engine's types never appear in JSON. **Invariant:** what
//! comes out of a `check` fits every bound of the engine, so a command made from it is not refused
//! for its form.

pub mod ari;
pub mod block;
pub mod booking;
pub mod calendar;
pub mod change;
pub mod check;
pub mod desk;
pub mod destination;
pub mod explain;
pub mod found;
pub mod hold;
pub mod hotel;
pub mod hotel_page;
pub mod instant;
pub mod inventory;
pub mod language;
pub mod money;
pub mod offer;
pub mod page;
pub mod pricing;
pub mod promo;
pub mod quote;
pub mod rate_plan;
pub mod room_type;
pub mod search;
pub mod snapshot;
pub mod stay;
mod stay_rules;
pub mod tax;
pub mod text;
pub mod verified;
pub mod words;

use serde::Deserialize as _;

/// For a field of which `null` says something else than leaving it out.
fn nullable<'de, D, T>(reader: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    Option::<T>::deserialize(reader).map(Some)
}
