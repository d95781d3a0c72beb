//! Age bands: what a hotel asks for children, and which of them take up a place.
//!
//! Bands rise by age and begin where the one before ends. A child past the last band counts as an adult,
//! for the price and for the places. Without bands every child takes a place and costs nothing.

use crate::codec::{Decode, Encode};
use crate::limits::{ADULT_AGE, AGE_BANDS_MAX, PRICE_MAX};
use crate::money::{WHOLE_BP, share};

/// Children up to an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct AgeBand {
    /// In years, inclusive, 0–17.
    pub up_to_age: u8,
    pub charge: ChildCharge,
    /// Such a child takes one of the room's places for children.
    pub counts: bool,
}

/// What one child costs a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum ChildCharge {
    Free,
    /// Minor units.
    Fixed(i64),
    /// Of what the plan asks for one adult more, 0–10,000; nothing where it names no such price.
    PercentBp(u16),
}

/// The bands of a hotel, by age.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct AgeBands(pub Vec<AgeBand>);

/// A party as a room counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guests {
    pub adults: u8,
    /// Those that take a place.
    pub children: usize,
}

impl AgeBands {
    /// Few enough, in order, and every charge in range.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let rises = self.0.is_sorted_by(|one, next| one.up_to_age < next.up_to_age);
        let charge_fits = |band: &AgeBand| match band.charge {
            ChildCharge::Free => true,
            ChildCharge::Fixed(amount) => (0..=PRICE_MAX).contains(&amount),
            ChildCharge::PercentBp(basis_points) => i64::from(basis_points) <= WHOLE_BP,
        };
        self.0.len() <= AGE_BANDS_MAX
            && rises
            && self.0.iter().all(|band| band.up_to_age < ADULT_AGE && charge_fits(band))
    }

    fn of(&self, age: u8) -> Option<&AgeBand> {
        self.0.iter().find(|band| age <= band.up_to_age)
    }

    /// How a room counts a party.
    #[must_use]
    pub fn count(&self, adults: u8, children: &[u8]) -> Guests {
        let mut guests = Guests { adults, children: children.len() };
        if self.0.is_empty() {
            return guests;
        }
        guests.children = 0;
        for &age in children {
            match self.of(age) {
                Some(band) => guests.children += usize::from(band.counts),
                None => guests.adults = guests.adults.saturating_add(1),
            }
        }
        guests
    }

    /// What the children add to a night of one room, minor units.
    #[must_use]
    pub fn extra(&self, children: &[u8], extra_adult: Option<i64>) -> i64 {
        let bands = children.iter().filter_map(|&age| self.of(age));
        let charges = bands.map(|band| match band.charge {
            ChildCharge::Free => 0,
            ChildCharge::Fixed(amount) => amount,
            // A share of a price fits.
            ChildCharge::PercentBp(basis_points) => {
                share(extra_adult.unwrap_or(0), basis_points).unwrap_or(i64::MAX)
            }
        });
        charges.fold(0, i64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(up_to_age: u8, charge: ChildCharge, counts: bool) -> AgeBand {
        AgeBand { up_to_age, charge, counts }
    }

    fn usual() -> AgeBands {
        AgeBands(vec![
            band(2, ChildCharge::Free, false),
            band(5, ChildCharge::Fixed(30_000), true),
            band(11, ChildCharge::PercentBp(5_000), true),
        ])
    }

    #[test]
    fn a_child_past_the_last_band_counts_as_an_adult() {
        let count = |children: &[u8]| usual().count(2, children);
        assert_eq!(count(&[0, 2]), Guests { adults: 2, children: 0 });
        assert_eq!(count(&[3, 11]), Guests { adults: 2, children: 2 });
        assert_eq!(count(&[11, 12, 17]), Guests { adults: 4, children: 1 });
        assert_eq!(AgeBands::default().count(2, &[1, 17]), Guests { adults: 2, children: 2 });
        assert_eq!(usual().count(255, &[12]).adults, 255);
    }

    #[test]
    fn each_child_costs_what_its_band_says() {
        let extra = |children: &[u8], extra_adult| usual().extra(children, extra_adult);
        assert_eq!(extra(&[2, 12], Some(80_000)), 0);
        assert_eq!(extra(&[3, 5, 6], Some(80_001)), 100_001);
        assert_eq!(extra(&[6], None), 0, "nothing to take a share of");
        assert_eq!(AgeBands::default().extra(&[6], Some(80_000)), 0);
    }

    #[test]
    fn bands_rise_by_age_and_are_few() {
        let free = |age| band(age, ChildCharge::Free, false);
        for bands in [
            vec![free(5), free(5)],
            vec![free(5), free(2)],
            vec![free(18)],
            vec![band(5, ChildCharge::Fixed(-1), true)],
            vec![band(5, ChildCharge::PercentBp(10_001), true)],
            (0..9).map(free).collect(),
        ] {
            assert!(!AgeBands(bands).is_valid());
        }
        assert!(AgeBands((0..8).map(free).collect()).is_valid() && usual().is_valid());
    }
}
