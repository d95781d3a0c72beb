//! The places of Thailand a guest can name: provinces, towns, quarters and districts, with points
//! and names in Thai and English, and type-ahead over them.
//!
//! Owns the embedded tables (`assets/geo`, sources in its NOTICE) and the matching of names; hotels
//! are matched by the same rules through [`Key`] and [`Score`], but live elsewhere. Knows no
//! request, no state, no clock. **Invariant**: every destination lies in one of the 77 provinces
//! and its id never changes between versions.

mod fold;
pub(crate) mod rows;
mod suggest;
mod table;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;

pub use fold::{Key, Match, Query, fold};
pub use suggest::Score;

/// A province of Thailand by its administrative code, which is also its ISO 3166-2:TH number.
#[derive(Clone, Debug, PartialEq)]
pub struct Province {
    pub code: u8,
    pub name_th: &'static str,
    pub name_en: &'static str,
    pub region: Region,
    /// The destination id of its capital.
    pub capital: String,
    /// The capital's point, in degrees.
    pub lat: f64,
    pub lon: f64,
}

impl Province {
    /// The ISO 3166-2 code, such as `TH-83`.
    #[must_use]
    pub fn iso(&self) -> String {
        format!("TH-{:02}", self.code)
    }
}

/// The six geographical regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    Central,
    East,
    North,
    Northeast,
    South,
    West,
}

/// What a destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Province,
    City,
    /// A beach, island or quarter that guests name although no administration does.
    Area,
    District,
    Hotel,
}

/// A place that a search can be centred on.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// `prv_10`, `cty_1609350`, `are_chaweng`, `dst_1001`.
    pub id: String,
    pub kind: Kind,
    pub name_th: &'static str,
    pub name_en: &'static str,
    pub province: u8,
    pub lat: f64,
    pub lon: f64,
    /// How far round the point a guest means who names it.
    pub radius_km: f64,
    /// Inhabitants, or more where guests ask for it more often than that; 0 when unknown.
    pub weight: u32,
}

/// All places, read once from the embedded tables.
#[derive(Debug)]
pub struct Gazetteer {
    provinces: Vec<Province>,
    destinations: Vec<Destination>,
    by_id: HashMap<String, usize>,
    index: suggest::Index,
}

impl Gazetteer {
    /// The one gazetteer of this process; the first call reads the tables (a few milliseconds).
    pub fn get() -> &'static Self {
        static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(Gazetteer::read);
        &GAZETTEER
    }

    fn read() -> Self {
        let table::Tables { provinces, destinations, twins, aliases } = table::read();
        let by_id: HashMap<_, _> =
            destinations.iter().enumerate().map(|(at, place)| (place.id.clone(), at)).collect();
        let index = suggest::Index::new(&destinations, &twins, &aliases, &by_id);
        Self { provinces, destinations, by_id, index }
    }

    /// All 77, by rising code.
    #[must_use]
    pub fn provinces(&self) -> &[Province] {
        &self.provinces
    }

    #[must_use]
    pub fn province(&self, code: u8) -> Option<&Province> {
        let at = self.provinces.binary_search_by_key(&code, |province| province.code).ok()?;
        self.provinces.get(at)
    }

    /// Every destination, provinces first.
    #[must_use]
    pub fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    /// The destination with this id.
    #[must_use]
    pub fn destination(&self, id: &str) -> Option<&Destination> {
        self.destinations.get(*self.by_id.get(id)?)
    }

    /// The destinations that `text` may be the beginning of, best first, at most `limit`.
    #[must_use]
    pub fn suggest(&self, text: &str, limit: usize) -> Vec<&Destination> {
        self.suggest_scored(text, limit).into_iter().map(|(_, place)| place).collect()
    }

    /// As [`Gazetteer::suggest`], with the scores, so that other things (hotels) can be merged in.
    #[must_use]
    pub fn suggest_scored(&self, text: &str, limit: usize) -> Vec<(Score, &Destination)> {
        self.index
            .search(&Query::new(text), &self.destinations, limit)
            .into_iter()
            .filter_map(|(score, at)| Some((score, self.destinations.get(at)?)))
            .collect()
    }

    /// The town nearest to a point and its distance in kilometres.
    #[must_use]
    pub fn nearest_city(&self, lat: f64, lon: f64) -> Option<(&Destination, f64)> {
        self.destinations
            .iter()
            .filter(|place| place.kind == Kind::City)
            .map(|place| (place, distance_km((lat, lon), (place.lat, place.lon))))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
    }
}

/// Great-circle distance in kilometres between two points in degrees (haversine, mean Earth
/// radius).
#[must_use]
pub fn distance_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    const EARTH_RADIUS_KM: f64 = 6_371.0;
    let (lat_a, lat_b) = (from.0.to_radians(), to.0.to_radians());
    let across = (lat_b - lat_a) / 2.0;
    let along = (to.1 - from.1).to_radians() / 2.0;
    let chord = across.sin().powi(2) + lat_a.cos() * lat_b.cos() * along.sin().powi(2);
    2.0 * EARTH_RADIUS_KM * chord.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests;
