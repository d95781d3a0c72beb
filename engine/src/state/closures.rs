//! Nights on which whole hotels are closed: the authority behind the flag in their cells.
//!
//! A room type that is added later inherits from here. Kept by night, so that a night that falls behind
//! today goes at once. **Invariant**: a cell carries its hotel's flag exactly on the nights named here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::civil::Night;
use crate::ids::HotelIx;

/// Closed nights of hotels.
#[derive(Debug, Default, Clone)]
pub struct Closures {
    /// A night's hotels are shared with whoever keeps the closures as they stood.
    by_night: BTreeMap<Night, Arc<BTreeSet<HotelIx>>>,
}

impl Closures {
    /// Whether the hotel is closed on a night.
    #[must_use]
    pub fn is_closed(&self, hotel: HotelIx, night: Night) -> bool {
        self.by_night.get(&night).is_some_and(|hotels| hotels.contains(&hotel))
    }

    /// Closes or opens the hotel on a night.
    pub(crate) fn set(&mut self, hotel: HotelIx, night: Night, closed: bool) {
        if closed {
            Arc::make_mut(self.by_night.entry(night).or_default()).insert(hotel);
        } else if let Some(hotels) = self.by_night.get_mut(&night) {
            Arc::make_mut(hotels).remove(&hotel);
            if hotels.is_empty() {
                self.by_night.remove(&night);
            }
        }
    }

    /// The nights on which a hotel is closed, in order.
    pub fn nights_of(&self, hotel: HotelIx) -> impl Iterator<Item = Night> + '_ {
        let nights = self.by_night.iter().filter(move |(_, hotels)| hotels.contains(&hotel));
        nights.map(|(night, _)| *night)
    }

    /// Every closed night of every hotel, by night.
    pub fn iter(&self) -> impl Iterator<Item = (Night, HotelIx)> + '_ {
        self.by_night.iter().flat_map(|(night, hotels)| hotels.iter().map(|hotel| (*night, *hotel)))
    }

    /// The hotels that are closed, by night.
    pub fn nights(&self) -> impl Iterator<Item = (Night, impl Iterator<Item = HotelIx>)> {
        self.by_night.iter().map(|(night, hotels)| (*night, hotels.iter().copied()))
    }

    /// Forgets the nights before `first`.
    pub(crate) fn retire(&mut self, first: Night) {
        while let Some(entry) = self.by_night.first_entry().filter(|entry| *entry.key() < first) {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_night_stays_closed_until_it_is_opened_or_behind_today() {
        let mut closures = Closures::default();
        let (one, other) = (HotelIx(1), HotelIx(2));
        for (hotel, night) in [(one, 5), (one, 7), (other, 5)] {
            closures.set(hotel, Night(night), true);
        }
        closures.set(other, Night(5), false);
        closures.set(other, Night(6), false);
        assert!(!closures.is_closed(other, Night(5)));
        assert_eq!(closures.nights_of(one).collect::<Vec<_>>(), [Night(5), Night(7)]);
        closures.retire(Night(7));
        assert_eq!(closures.iter().collect::<Vec<_>>(), [(Night(7), one)]);
    }
}
