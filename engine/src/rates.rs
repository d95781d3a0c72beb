//! Rates: price and stay restrictions of each rate plan, night by night.

pub mod dated;
pub mod derived;
pub mod overlay;
pub mod word;

pub use dated::{CutOff, Dated};
pub use overlay::{DatedNights, DatedRules, OccupancyPrices, Overlays};
pub use word::RateWord;
