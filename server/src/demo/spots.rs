//! Where the demo's hotels stand: how many at which place, and at which points.
//!
//! Owns the table of spots (`assets/demo/spots.csv`), the towns that fill up the rest of the
//! country, and the scattering. **Invariant**: with 77 hotels or more every province has one;
//! seaside hotels stand on the land side of their beach.

use std::collections::HashSet;

use super::dice::Dice;
use crate::gazetteer::rows::{number, rows};
use crate::gazetteer::{Destination, Gazetteer, Kind, Province, Region};

const SPOTS: &str = include_str!("../../assets/demo/spots.csv");

/// A province's capital without an entry of its own stands for this share.
const CAPITAL_WEIGHT: f64 = 2.5;
/// Other towns from this size on, and what one of them weighs.
const TOWN_POPULATION_MIN: u32 = 15_000;
const TOWN_WEIGHT: f64 = 0.9;
/// Bangkok and its suburbs are covered by their own spots.
const METROPOLIS: [u8; 4] = [10, 11, 12, 13];
/// Hotels a square kilometre of a spot takes before it grows.
const HOTELS_PER_KM2: f64 = 30.0;
/// Two hotels are at least about this far apart (degrees; 33 m) unless the place is full.
const GAP_DEGREES: f64 = 3e-4;
const TRIES_MAX: usize = 24;
const KM_PER_DEGREE: f64 = 111.0;

/// What kind of place it is; decides property types, names and views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    City,
    Town,
    Heritage,
    River,
    Beach,
    Island,
    Mountain,
}

impl Setting {
    pub fn is_seaside(self) -> bool {
        matches!(self, Self::Beach | Self::Island)
    }

    /// Whether people come here to rest rather than to work.
    pub fn is_leisure(self) -> bool {
        !matches!(self, Self::City | Self::Town)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Town => "town",
            Self::Heritage => "heritage",
            Self::River => "river",
            Self::Beach => "beach",
            Self::Island => "island",
            Self::Mountain => "mountain",
        }
    }

    fn named(word: &str) -> Self {
        [Self::City, Self::Town, Self::Heritage, Self::River, Self::Beach, Self::Island]
            .into_iter()
            .find(|setting| setting.word() == word)
            .unwrap_or(Self::Mountain)
    }
}

/// Which year a place has: monsoons come to the coasts at different times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Climate {
    Central,
    East,
    WestGulf,
    Gulf,
    Andaman,
    North,
    Inland,
    Isan,
}

impl Climate {
    pub const ALL: [(Self, &str); 8] = [
        (Self::Central, "central"),
        (Self::East, "east"),
        (Self::WestGulf, "west_gulf"),
        (Self::Gulf, "gulf"),
        (Self::Andaman, "andaman"),
        (Self::North, "north"),
        (Self::Inland, "inland"),
        (Self::Isan, "isan"),
    ];

    fn named(word: &str) -> Self {
        Self::ALL.into_iter().find(|(_, name)| *name == word).map_or(Self::Inland, |(c, _)| c)
    }

    fn of(province: &Province) -> Self {
        match (province.region, province.code) {
            (Region::South, 81..=83 | 85 | 91 | 92) => Self::Andaman,
            (Region::South, _) => Self::Gulf,
            (Region::East, _) => Self::East,
            (Region::North, _) => Self::North,
            (Region::Northeast, _) => Self::Isan,
            (Region::West, 76 | 77) => Self::WestGulf,
            (Region::Central | Region::West, _) => Self::Inland,
        }
    }
}

/// A place with hotels.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub place: &'static Destination,
    pub setting: Setting,
    pub climate: Climate,
    /// Price level in percent of the country's middle.
    pub level: i64,
    weight: f64,
    radius_km: f64,
    /// Unit vector (east, north) towards the sea, if there is one.
    sea: Option<(f64, f64)>,
}

/// All spots, in a fixed order: the table's, then capitals without an entry, then other towns.
pub(super) fn spots() -> Vec<Spot> {
    let places = Gazetteer::get();
    let mut spots: Vec<Spot> = rows(SPOTS).map(listed).collect();
    let mut taken: HashSet<&str> = spots.iter().map(|spot| spot.place.id.as_str()).collect();
    for province in places.provinces() {
        let served = spots.iter().any(|spot| spot.place.province == province.code);
        if let (false, Some(capital)) = (served, places.destination(&province.capital)) {
            taken.insert(&capital.id);
            spots.push(town(capital, province, CAPITAL_WEIGHT));
        }
    }
    for place in places.destinations() {
        let wanted = place.kind == Kind::City
            && place.weight >= TOWN_POPULATION_MIN
            && !METROPOLIS.contains(&place.province)
            && !taken.contains(place.id.as_str());
        if let (true, Some(province)) = (wanted, places.province(place.province)) {
            spots.push(town(place, province, TOWN_WEIGHT));
        }
    }
    spots
}

fn listed([place, weight, radius_km, sea, setting, climate, level]: [&'static str; 7]) -> Spot {
    let Some(place) = Gazetteer::get().destination(place) else {
        panic!("the table of spots names {place}, which the gazetteer does not know");
    };
    Spot {
        place,
        setting: Setting::named(setting),
        climate: Climate::named(climate),
        level: number(level),
        weight: number(weight),
        radius_km: number(radius_km),
        sea: (sea != "-").then(|| compass(number(sea))),
    }
}

fn town(place: &'static Destination, province: &Province, weight: f64) -> Spot {
    Spot {
        place,
        setting: Setting::Town,
        climate: Climate::of(province),
        level: 60,
        weight,
        radius_km: 1.3,
        sea: None,
    }
}

/// The unit vector (east, north) of a bearing, to the nearest of eight points: no trigonometry, no
/// differences between machines.
fn compass(bearing: u32) -> (f64, f64) {
    const D: f64 = std::f64::consts::FRAC_1_SQRT_2;
    match (bearing + 22) % 360 / 45 {
        0 => (0.0, 1.0),
        1 => (D, D),
        2 => (1.0, 0.0),
        3 => (D, -D),
        4 => (0.0, -1.0),
        5 => (-D, -D),
        6 => (-1.0, 0.0),
        _ => (-D, D),
    }
}

/// How many of `hotels` stand at each spot: by weight, largest remainder first; but each province's
/// heaviest spot has one where there are enough hotels for that.
pub(super) fn share_out(spots: &[Spot], hotels: usize) -> Vec<usize> {
    let mut counts = vec![0; spots.len()];
    let mut left = hotels;
    if hotels >= Gazetteer::get().provinces().len() {
        let mut provided = HashSet::new();
        let mut by_weight: Vec<usize> = (0..spots.len()).collect();
        by_weight.sort_by(|a, b| spots[*b].weight.total_cmp(&spots[*a].weight).then(a.cmp(b)));
        for at in by_weight {
            if provided.insert(spots[at].place.province) {
                counts[at] = 1;
                left -= 1;
            }
        }
    }
    let total: f64 = spots.iter().map(|spot| spot.weight).sum();
    let ideal = |at: usize| spots[at].weight / total * hotels as f64;
    // Each further hotel goes where most is missing.
    let whole: Vec<usize> =
        (0..spots.len()).map(|at| (ideal(at) as usize).saturating_sub(counts[at])).collect();
    for (count, more) in counts.iter_mut().zip(whole) {
        let more = more.min(left);
        *count += more;
        left -= more;
    }
    let mut by_missing: Vec<usize> = (0..spots.len()).collect();
    let missing = |at: usize| ideal(at) - counts[at] as f64;
    by_missing.sort_by(|a, b| missing(*b).total_cmp(&missing(*a)).then(a.cmp(b)));
    for at in by_missing.into_iter().cycle().take(left) {
        counts[at] += 1;
    }
    counts
}

/// Points of `count` hotels at a spot, in degrees to five decimals.
pub(super) fn scatter(spot: &Spot, count: usize, dice: &mut Dice) -> Vec<(f64, f64)> {
    let area_km2 = 3.0 * spot.radius_km * spot.radius_km;
    let crowding = (count as f64 / (area_km2 * HOTELS_PER_KM2)).sqrt().clamp(1.0, 2.0);
    let mut taken = HashSet::new();
    let mut points = Vec::with_capacity(count);
    for _ in 0..count {
        let mut point = throw(spot, crowding, dice);
        for _ in 0..TRIES_MAX {
            let cell = ((point.0 / GAP_DEGREES) as i64, (point.1 / GAP_DEGREES) as i64);
            if taken.insert(cell) {
                break;
            }
            point = throw(spot, crowding, dice);
        }
        points.push(point);
    }
    points
}

/// One point: round a centre denser towards it; at a beach in a strip along the shore.
fn throw(spot: &Spot, crowding: f64, dice: &mut Dice) -> (f64, f64) {
    let radius_km = spot.radius_km;
    let (east, north) = match spot.sea {
        Some((sea_east, sea_north)) => {
            let along = dice.signed() * radius_km;
            let depth = dice.signed();
            let inland = (depth * depth * 0.8 - 0.08) * radius_km * crowding;
            (along * sea_north - inland * sea_east, -along * sea_east - inland * sea_north)
        }
        None => {
            let (x, y) = disc(dice);
            let dense = 0.3 + 0.7 * (dice.signed() + 1.0) / 2.0;
            (x * dense * radius_km * crowding, y * dense * radius_km * crowding)
        }
    };
    let place = spot.place;
    let lat = place.lat + north / KM_PER_DEGREE;
    let lon = place.lon + east / (KM_PER_DEGREE * cosine(place.lat));
    ((lat * 1e5).round() / 1e5, (lon * 1e5).round() / 1e5)
}

fn disc(dice: &mut Dice) -> (f64, f64) {
    loop {
        let (x, y) = (dice.signed(), dice.signed());
        if x * x + y * y <= 1.0 {
            return (x, y);
        }
    }
}

/// The cosine of a latitude below 25°, by its series: exact to 10⁻⁷, and the same on every machine.
fn cosine(degrees: f64) -> f64 {
    let square =
        degrees * degrees * (std::f64::consts::PI / 180.0) * (std::f64::consts::PI / 180.0);
    1.0 - square / 2.0 + square * square / 24.0 - square * square * square / 720.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_leave_no_province_out() {
        let spots = spots();
        for hotels in [10, 76, 77, 500, 2_000, 50_000] {
            let counts = share_out(&spots, hotels);
            assert_eq!(counts.iter().sum::<usize>(), hotels);
            let provinces: HashSet<u8> = spots
                .iter()
                .zip(&counts)
                .filter(|(_, count)| **count > 0)
                .map(|(spot, _)| spot.place.province)
                .collect();
            assert!(hotels < 77 || provinces.len() == 77, "{hotels}: {}", provinces.len());
        }
    }

    #[test]
    fn beaches_keep_dry() {
        let mut dice = Dice::new(1);
        for spot in spots().iter().filter(|spot| spot.sea.is_some()) {
            let (sea_east, sea_north) = spot.sea.unwrap();
            for (lat, lon) in scatter(spot, 200, &mut dice) {
                let north = (lat - spot.place.lat) * KM_PER_DEGREE;
                let east = (lon - spot.place.lon) * KM_PER_DEGREE * cosine(lat);
                assert!(east * sea_east + north * sea_north < 0.1 * spot.radius_km * 2.0);
                assert!(east.hypot(north) < 2.5 * spot.radius_km);
            }
        }
    }

    #[test]
    fn the_series_is_the_cosine() {
        for degrees in [5.0, 13.7, 20.5_f64] {
            assert!((cosine(degrees) - degrees.to_radians().cos()).abs() < 1e-7);
        }
    }
}
