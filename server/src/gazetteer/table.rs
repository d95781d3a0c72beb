//! The embedded tables and what is derived from them: radii of provinces, points of districts,
//! doubles.
//!
//! Owns the shape of `assets/geo/*.csv`. The tables are part of the binary and read by its tests,
//! so a fault in them is a defect of the build: reading stops the process instead of serving half a
//! country. **Invariant**: the order of destinations is provinces, cities, areas, districts, each
//! in table order.

use std::collections::HashMap;

use super::rows::{number, rows};
use super::{Destination, Kind, Province, Region, distance_km};

const PROVINCES: &str = include_str!("../../assets/geo/provinces.csv");
const CITIES: &str = include_str!("../../assets/geo/cities.csv");
const AREAS: &str = include_str!("../../assets/geo/areas.csv");
const DISTRICTS: &str = include_str!("../../assets/geo/districts.csv");
const ALIASES: &str = include_str!("../../assets/geo/aliases.csv");

const BANGKOK: u8 = 10;
/// A district is looked at within this far of its town; a quarter of the capital is smaller.
const DISTRICT_RADIUS_KM: f64 = 15.0;
const QUARTER_RADIUS_KM: f64 = 5.0;
/// Bounds of a province's radius: beyond its outermost town by a tenth, within these.
const PROVINCE_RADIUS_KM: (f64, f64) = (15.0, 150.0);
/// What one step of a place's popularity (0–100) counts for beside inhabitants of a town.
const WEIGHT_PER_POPULARITY: u32 = 2_000;

pub(super) struct Tables {
    pub provinces: Vec<Province>,
    pub destinations: Vec<Destination>,
    /// Destination id → the one to offer instead.
    pub twins: HashMap<String, String>,
    /// (name, destination id).
    pub aliases: Vec<(&'static str, &'static str)>,
}

struct ProvinceRow {
    code: u8,
    name_th: &'static str,
    name_en: &'static str,
    region: &'static str,
    capital: u32,
    lat: f64,
    lon: f64,
}

struct CityRow {
    geonameid: u32,
    province: u8,
    name_th: &'static str,
    name_en: &'static str,
    lat: f64,
    lon: f64,
    population: u32,
    radius_km: f64,
    popularity: u32,
}

struct DistrictRow {
    code: u16,
    name_th: &'static str,
    name_en: &'static str,
    seat: Option<u32>,
}

impl ProvinceRow {
    fn new([code, name_th, name_en, region, capital, lat, lon]: [&'static str; 7]) -> Self {
        Self {
            code: number(code),
            name_th,
            name_en,
            region,
            capital: number(capital),
            lat: number(lat),
            lon: number(lon),
        }
    }
}

impl CityRow {
    fn new(row: [&'static str; 9]) -> Self {
        let [geonameid, province, name_th, name_en, lat, lon, population, radius_km, popularity] =
            row;
        Self {
            geonameid: number(geonameid),
            province: number(province),
            name_th,
            name_en,
            lat: number(lat),
            lon: number(lon),
            population: number(population),
            radius_km: number(radius_km),
            popularity: number(popularity),
        }
    }
}

impl DistrictRow {
    fn new([code, name_th, name_en, seat]: [&'static str; 4]) -> Self {
        let seat = (!seat.is_empty()).then(|| number(seat));
        Self { code: number(code), name_th, name_en, seat }
    }
}

pub(super) fn read() -> Tables {
    let province_rows: Vec<_> = rows(PROVINCES).map(ProvinceRow::new).collect();
    let city_rows: Vec<_> = rows(CITIES).map(CityRow::new).collect();
    let mut twins = HashMap::new();
    let mut destinations: Vec<Destination> =
        province_rows.iter().map(|row| province(row, &city_rows)).collect();
    destinations.extend(city_rows.iter().map(city));
    destinations.extend(rows(AREAS).map(area));
    let towns: HashMap<String, usize> =
        destinations.iter().enumerate().map(|(at, place)| (place.id.clone(), at)).collect();
    for row in rows(DISTRICTS).map(DistrictRow::new) {
        let seat = row.seat.and_then(|seat| towns.get(&format!("cty_{seat}")).copied());
        let named = seat.or_else(|| area_named(&destinations, &row));
        let town = named.and_then(|at| destinations.get(at));
        let (place, twin) = district(&row, town, &destinations);
        twins.extend(twin);
        destinations.push(place);
    }
    // The capital is a province and a town of one name: offer the province.
    if let Some(row) = province_rows.iter().find(|row| row.code == BANGKOK) {
        twins.insert(format!("cty_{}", row.capital), format!("prv_{BANGKOK}"));
    }
    let provinces = province_rows.into_iter().map(listed).collect();
    let aliases = rows(ALIASES).map(|[alias, destination]| (alias, destination)).collect();
    Tables { provinces, destinations, twins, aliases }
}

fn listed(row: ProvinceRow) -> Province {
    let region = match row.region {
        "Central" => Region::Central,
        "East" => Region::East,
        "North" => Region::North,
        "Northeast" => Region::Northeast,
        "South" => Region::South,
        "West" => Region::West,
        other => unreachable!("the table of provinces names a region {other:?}"),
    };
    let ProvinceRow { code, name_th, name_en, capital, lat, lon, .. } = row;
    let capital = format!("cty_{capital}");
    Province { code, name_th, name_en, region, capital, lat, lon }
}

fn province(row: &ProvinceRow, cities: &[CityRow]) -> Destination {
    let inside = cities.iter().filter(|city| city.province == row.code);
    let outermost = inside
        .clone()
        .map(|city| distance_km((row.lat, row.lon), (city.lat, city.lon)))
        .fold(0.0, f64::max);
    Destination {
        id: format!("prv_{}", row.code),
        kind: Kind::Province,
        name_th: row.name_th,
        name_en: row.name_en,
        province: row.code,
        lat: row.lat,
        lon: row.lon,
        radius_km: (outermost * 1.1).clamp(PROVINCE_RADIUS_KM.0, PROVINCE_RADIUS_KM.1).ceil(),
        weight: inside.map(|city| city.population).sum(),
    }
}

fn city(row: &CityRow) -> Destination {
    Destination {
        id: format!("cty_{}", row.geonameid),
        kind: Kind::City,
        name_th: row.name_th,
        name_en: row.name_en,
        province: row.province,
        lat: row.lat,
        lon: row.lon,
        radius_km: row.radius_km,
        weight: row.population.max(row.popularity * WEIGHT_PER_POPULARITY),
    }
}

fn area(row: [&'static str; 8]) -> Destination {
    let [slug, province, name_th, name_en, lat, lon, radius_km, popularity] = row;
    Destination {
        id: format!("are_{slug}"),
        kind: Kind::Area,
        name_th,
        name_en,
        province: number(province),
        lat: number(lat),
        lon: number(lon),
        radius_km: number(radius_km),
        weight: number::<u32>(popularity) * WEIGHT_PER_POPULARITY,
    }
}

fn area_named(places: &[Destination], row: &DistrictRow) -> Option<usize> {
    places.iter().position(|place| {
        place.kind == Kind::Area
            && u16::from(place.province) == row.code / 100
            && place.name_en == row.name_en
    })
}

/// The district, at its town if that is known, else at its province's capital; and which of
/// district and town to offer: in the capital, where "khet" are what people name, the district,
/// elsewhere the town.
fn district(
    row: &DistrictRow,
    town: Option<&Destination>,
    places: &[Destination],
) -> (Destination, Option<(String, String)>) {
    let id = format!("dst_{}", row.code);
    let code = u8::try_from(row.code / 100).unwrap_or_default();
    let at = town.or_else(|| places.iter().find(|place| place.province == code));
    let twin = town.map(|town| match code {
        BANGKOK => (town.id.clone(), id.clone()),
        _ => (id.clone(), town.id.clone()),
    });
    let radius_km = match (town, at) {
        (Some(_), _) if code == BANGKOK => QUARTER_RADIUS_KM,
        (Some(_), _) => DISTRICT_RADIUS_KM,
        (None, province) => province.map_or(DISTRICT_RADIUS_KM, |place| place.radius_km),
    };
    let place = Destination {
        id,
        kind: Kind::District,
        name_th: row.name_th,
        name_en: row.name_en,
        province: code,
        lat: at.map_or(0.0, |place| place.lat),
        lon: at.map_or(0.0, |place| place.lon),
        radius_km,
        weight: town.map_or(0, |town| town.weight),
    };
    (place, twin)
}
