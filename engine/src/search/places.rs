//! Where hotels are: lists by province and by a grid of a tenth of a degree, kept by the writer as hotels
//! come, change and move, read as immutable lists.
//!
//! A list holds what searches ask of its hotels and their offerings, side by side, so that a search walks
//! memory from front to back and follows no pointer from hotel to hotel. It is cut into chunks: a change
//! of a hotel copies one. **Invariant**: a hotel is once in its province's list and once in its square's.

use std::hash::Hash;
use std::sync::Arc;

use crate::catalogue::{Hotel, HotelStatus, Offering, TaxProfile};
use crate::ids::{HotelId, HotelIx};
use crate::state::shared::Names;

/// Grid squares per degree.
const PER_DEGREE: i32 = 10;
/// Micro-degrees of one grid square.
const SQUARE_E6: i32 = 1_000_000 / PER_DEGREE;
/// Most grid squares one search may look at; beyond it, every hotel is looked at instead.
const SQUARES_MAX: i64 = 4_096;
/// Hotels of one chunk: about 20 KB with ten offerings each.
const CHUNK: usize = 64;
/// More micro-degrees of latitude than ten metres have (90).
const E6_PER_10_M_MOST: u64 = 91;
/// Mean radius of the earth in metres (IUGG R₁).
const EARTH_M: f64 = 6_371_008.8;

/// What a search is bounded by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Area {
    /// DOPA code.
    Province(u8),
    /// Micro-degrees, inclusive; `west ≤ east`, `south ≤ north`.
    Box { west: i32, south: i32, east: i32, north: i32 },
    /// Within so many metres of a point.
    Circle { lat_e6: i32, lon_e6: i32, radius_m: u32 },
}

/// What a search asks of a hotel before it looks at its calendars.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub hotel: HotelIx,
    pub id: HotelId,
    pub lat_e6: i32,
    pub lon_e6: i32,
    pub amenities: u64,
    pub province: u8,
    pub stars: u8,
    pub property_type: u8,
    pub live: bool,
    pub max_stay: u16,
    pub tax_profile: TaxProfile,
    /// Where its offerings end in the chunk; they begin where those of the hotel before end.
    end: u32,
}

/// Some hotels of a place with all their offerings.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    entries: Vec<Entry>,
    offerings: Vec<Offering>,
    /// No hotel of it lies before or behind.
    hotels: Option<(HotelIx, HotelIx)>,
}

type List = Arc<Vec<Arc<Chunk>>>;

/// The lists.
#[derive(Debug, Default)]
pub struct Places {
    provinces: Names<u8, List>,
    squares: Names<(i16, i16), List>,
}

impl Chunk {
    /// The hotels, each with its offerings by room type, then plan.
    pub fn hotels(&self) -> impl Iterator<Item = (&Entry, &[Offering])> {
        let mut from = 0;
        self.entries.iter().map(move |entry| {
            let end = entry.end as usize;
            let offerings = self.offerings.get(from..end).unwrap_or_default();
            from = end;
            (entry, offerings)
        })
    }

    fn holds(&self, hotel: HotelIx) -> bool {
        self.hotels.is_some_and(|(first, last)| (first.0..=last.0).contains(&hotel.0))
            && self.entries.iter().any(|entry| entry.hotel == hotel)
    }

    fn push(&mut self, entry: Entry, offerings: &[Offering]) {
        self.offerings.extend_from_slice(offerings);
        // A chunk has at most 64 hotels of 256 room types of 64 plans.
        let end = u32::try_from(self.offerings.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry { end, ..entry });
        let at = entry.hotel;
        let (first, last) = self.hotels.unwrap_or((at, at));
        self.hotels = Some((HotelIx(first.0.min(at.0)), HotelIx(last.0.max(at.0))));
    }

    /// The same with one hotel as it is now, or without it.
    fn with(&self, hotel: HotelIx, now: Option<&Hotel>) -> Self {
        let mut changed = Self::default();
        for (entry, offerings) in self.hotels() {
            match now {
                _ if entry.hotel != hotel => changed.push(*entry, offerings),
                Some(now) => changed.push(Entry::of(now), &now.offerings),
                None => {}
            }
        }
        changed
    }
}

impl Entry {
    fn of(hotel: &Hotel) -> Self {
        let draft = &hotel.draft;
        Self {
            hotel: hotel.ix,
            id: hotel.id,
            lat_e6: draft.lat_e6,
            lon_e6: draft.lon_e6,
            amenities: draft.amenities,
            province: draft.province,
            stars: draft.stars,
            property_type: draft.property_type,
            live: hotel.status == HotelStatus::Live,
            max_stay: draft.max_stay,
            tax_profile: draft.tax_profile,
            end: 0,
        }
    }
}

impl Places {
    /// Puts a hotel where its draft says, as it is now, and away from where it was before. Writer only.
    pub(crate) fn place(&self, hotel: &Hotel, before: Option<&Hotel>) {
        let at =
            |hotel: &Hotel| (hotel.draft.province, square(hotel.draft.lat_e6, hotel.draft.lon_e6));
        let new = at(hotel);
        if let Some(old) = before.map(at) {
            if old.0 != new.0 {
                rewrite(&self.provinces, old.0, |list| take(list, hotel.ix));
            }
            if old.1 != new.1 {
                rewrite(&self.squares, old.1, |list| take(list, hotel.ix));
            }
        }
        rewrite(&self.provinces, new.0, |list| put(list, hotel));
        rewrite(&self.squares, new.1, |list| put(list, hotel));
    }

    /// Lists that together hold every hotel of the area once, and perhaps some outside it.
    #[must_use]
    pub fn near(&self, area: Area) -> Vec<List> {
        let provinces = self.provinces.pin();
        let (west, south, east, north) = match area {
            Area::Province(code) => return provinces.get(&code).cloned().into_iter().collect(),
            Area::Box { west, south, east, north } => (west, south, east, north),
            Area::Circle { .. } => area.bounds(),
        };
        let ((lat0, lon0), (lat1, lon1)) = (square(south, west), square(north, east));
        let squares =
            (i64::from(lat1) - i64::from(lat0) + 1) * (i64::from(lon1) - i64::from(lon0) + 1);
        if squares > SQUARES_MAX {
            return provinces.values().cloned().collect();
        }
        let columns = move |lat| (lon0..=lon1).map(move |lon| (lat, lon));
        let known = self.squares.pin();
        let found = (lat0..=lat1).flat_map(columns).filter_map(|square| known.get(&square));
        found.cloned().collect()
    }
}

/// The hotel as it is now, in its chunk or in the last one with a place.
fn put(list: &mut Vec<Arc<Chunk>>, hotel: &Hotel) {
    if let Some(chunk) = list.iter_mut().find(|chunk| chunk.holds(hotel.ix)) {
        *chunk = Arc::new(chunk.with(hotel.ix, Some(hotel)));
        return;
    }
    let entry = Entry::of(hotel);
    match list.iter_mut().find(|chunk| chunk.entries.len() < CHUNK) {
        Some(chunk) => {
            let mut longer = Chunk::clone(chunk);
            longer.push(entry, &hotel.offerings);
            *chunk = Arc::new(longer);
        }
        None => {
            let mut chunk = Chunk::default();
            chunk.push(entry, &hotel.offerings);
            list.push(Arc::new(chunk));
        }
    }
}

fn take(list: &mut Vec<Arc<Chunk>>, hotel: HotelIx) {
    for chunk in list.iter_mut().filter(|chunk| chunk.holds(hotel)) {
        *chunk = Arc::new(chunk.with(hotel, None));
    }
    list.retain(|chunk| !chunk.entries.is_empty());
}

/// Publishes a changed copy of one list.
fn rewrite<K: Eq + Hash>(
    lists: &Names<K, List>,
    key: K,
    change: impl FnOnce(&mut Vec<Arc<Chunk>>),
) {
    let lists = lists.pin();
    let mut list = lists.get(&key).map(|list| list.as_ref().clone()).unwrap_or_default();
    change(&mut list);
    lists.insert(key, Arc::new(list));
}

#[allow(clippy::cast_possible_truncation)] // ±180 degrees are ±1,800 squares.
fn square(lat_e6: i32, lon_e6: i32) -> (i16, i16) {
    (lat_e6.div_euclid(SQUARE_E6) as i16, lon_e6.div_euclid(SQUARE_E6) as i16)
}

impl Area {
    /// West, south, east, north in micro-degrees; the whole world's width near the poles.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Clamped to the globe before the cast.
    pub fn bounds(self) -> (i32, i32, i32, i32) {
        match self {
            Self::Province(_) => (-180_000_000, -90_000_000, 180_000_000, 90_000_000),
            Self::Box { west, south, east, north } => (west, south, east, north),
            Self::Circle { lat_e6, lon_e6, radius_m } => {
                let (lat, lon) = (f64::from(lat_e6) / 1e6, f64::from(lon_e6) / 1e6);
                let lat_span = (f64::from(radius_m) / EARTH_M).to_degrees();
                let shrink = lat.to_radians().cos().max(0.01);
                let lon_span = lat_span / shrink;
                let e6 = |degrees: f64, most: f64| (degrees.clamp(-most, most) * 1e6) as i32;
                (
                    e6(lon - lon_span, 180.0),
                    e6(lat - lat_span, 90.0),
                    e6(lon + lon_span, 180.0),
                    e6(lat + lat_span, 90.0),
                )
            }
        }
    }

    /// Whether a point lies in the area, and its distance from the centre in metres, where there is one.
    #[must_use]
    pub fn contains(self, province: u8, lat_e6: i32, lon_e6: i32) -> Option<Option<u32>> {
        match self {
            Self::Province(code) => (code == province).then_some(None),
            Self::Box { west, south, east, north } => {
                let inside = (south..=north).contains(&lat_e6) && (west..=east).contains(&lon_e6);
                inside.then_some(None)
            }
            Self::Circle { lat_e6: lat, lon_e6: lon, radius_m } => {
                // Most of what a grid square adds lies north or south of the circle: no sine is needed.
                let north = i64::from(lat_e6).abs_diff(i64::from(lat));
                if north / E6_PER_10_M_MOST > u64::from(radius_m) / 10 {
                    return None;
                }
                let distance = distance_m((lat, lon), (lat_e6, lon_e6));
                (distance <= radius_m).then_some(Some(distance))
            }
        }
    }
}

/// Great-circle distance in metres (haversine), between points in micro-degrees (latitude, longitude).
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // At most 20,015,115 m.
pub fn distance_m(a: (i32, i32), b: (i32, i32)) -> u32 {
    let radians = |e6: i32| (f64::from(e6) / 1e6).to_radians();
    let (lat_a, lat_b) = (radians(a.0), radians(b.0));
    let half_lat = ((lat_b - lat_a) / 2.0).sin();
    let half_lon = ((radians(b.1) - radians(a.1)) / 2.0).sin();
    let chord = half_lat * half_lat + lat_a.cos() * lat_b.cos() * half_lon * half_lon;
    (2.0 * EARTH_M * chord.sqrt().clamp(0.0, 1.0).asin()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bangkok_to_chiang_mai_is_about_580_km() {
        let distance = distance_m((13_756_331, 100_501_765), (18_787_747, 98_993_128));
        assert!((575_000..595_000).contains(&distance), "{distance}");
        assert_eq!(distance_m((13_756_331, 100_501_765), (13_756_331, 100_501_765)), 0);
    }

    #[test]
    fn a_circle_lies_within_its_bounds() {
        let area = Area::Circle { lat_e6: 7_880_000, lon_e6: 98_390_000, radius_m: 25_000 };
        let (west, south, east, north) = area.bounds();
        for (lat, lon) in [
            (south + 10, 98_390_000),
            (7_880_000, west + 10),
            (7_880_000, east - 10),
            (north - 10, 98_390_000),
        ] {
            let distance = distance_m((7_880_000, 98_390_000), (lat, lon));
            assert!((24_900..=25_010).contains(&distance), "{distance}");
        }
    }
}
