//! Where hotels are: lists by province and by a grid of a tenth of a degree, kept by the writer as hotels
//! come and move, read as immutable lists.

use std::hash::Hash;
use std::sync::Arc;

use crate::catalogue::Hotel;
use crate::ids::HotelIx;
use crate::state::shared::Names;

/// Grid squares per degree.
const PER_DEGREE: i32 = 10;
/// Micro-degrees of one grid square.
const SQUARE_E6: i32 = 1_000_000 / PER_DEGREE;
/// Most grid squares one search may look at; beyond it, every hotel is looked at instead.
const SQUARES_MAX: i64 = 40_000;
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

type List = Arc<Vec<HotelIx>>;

/// The lists.
#[derive(Debug, Default)]
pub struct Places {
    provinces: Names<u8, List>,
    squares: Names<(i16, i16), List>,
}

impl Places {
    /// Puts a hotel where its draft says, and away from where it was before. Writer only.
    pub(crate) fn place(&self, hotel: &Hotel, before: Option<&Hotel>) {
        let new = (hotel.draft.province, square(hotel.draft.lat_e6, hotel.draft.lon_e6));
        let old = before
            .map(|hotel| (hotel.draft.province, square(hotel.draft.lat_e6, hotel.draft.lon_e6)));
        if old == Some(new) {
            return;
        }
        if let Some((province, square)) = old {
            rewrite(&self.provinces, province, |list| list.retain(|&known| known != hotel.ix));
            rewrite(&self.squares, square, |list| list.retain(|&known| known != hotel.ix));
        }
        rewrite(&self.provinces, new.0, |list| list.push(hotel.ix));
        rewrite(&self.squares, new.1, |list| list.push(hotel.ix));
    }

    /// Lists that together hold every hotel of the area, and perhaps some outside it. `None` where the
    /// area is so wide that all hotels should be looked at.
    #[must_use]
    pub fn near(&self, area: Area) -> Option<Vec<List>> {
        let (west, south, east, north) = match area {
            Area::Province(code) => {
                return Some(self.provinces.pin().get(&code).cloned().into_iter().collect());
            }
            Area::Box { west, south, east, north } => (west, south, east, north),
            Area::Circle { .. } => area.bounds(),
        };
        let ((lat0, lon0), (lat1, lon1)) = (square(south, west), square(north, east));
        let squares =
            (i64::from(lat1) - i64::from(lat0) + 1) * (i64::from(lon1) - i64::from(lon0) + 1);
        if squares > SQUARES_MAX {
            return None;
        }
        let columns = move |lat| (lon0..=lon1).map(move |lon| (lat, lon));
        let known = self.squares.pin();
        let found = (lat0..=lat1).flat_map(columns).filter_map(|square| known.get(&square));
        Some(found.cloned().collect())
    }
}

/// Publishes a changed copy of one list.
fn rewrite<K: Eq + Hash>(lists: &Names<K, List>, key: K, change: impl FnOnce(&mut Vec<HotelIx>)) {
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
