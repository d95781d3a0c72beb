//! Rates: price and stay restrictions of each rate plan, night by night.

pub mod word;

pub use word::RateWord;
