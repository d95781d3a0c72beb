//! The bookings of each hotel by check-in, then id: what its front desk asks for.
//!
//! A booking that is new goes into a short list first, which is sorted into the hotel's tree when it is
//! full: most of what an entry of a large tree costs is fetching its nodes, and this fetches them for
//! many at once. **Invariant**: every booking in memory has one entry, under the dates it has now, and
//! nothing else has one. No call moves more than `ARRIVALS_NEW_MAX` entries. Derived; in no digest.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::pages::Pages;
use crate::civil::Night;
use crate::ids::{BookingId, HotelIx};
use crate::limits::{ARRIVALS_LOOKS_MAX, ARRIVALS_NEW_MAX};
use crate::prefetch::prefetch;
use crate::stay::Stay;
use crate::sync::{Mutex, lock};

/// Which dates of a stay are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The check-in date.
    Arrival,
    /// The check-out date.
    Departure,
    /// Any night: who is in the house.
    Stay,
}

/// Stays of which one date, or a night, lies in `from..=to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    pub on: On,
    pub from: Night,
    /// Inclusive.
    pub to: Night,
}

impl Dates {
    /// Every stay.
    pub const ALL: Self = Self { on: On::Arrival, from: Night(0), to: Night(u16::MAX) };

    /// Whether a stay is among them.
    #[must_use]
    pub fn meet(&self, stay: Stay) -> bool {
        match self.on {
            On::Arrival => (self.from..=self.to).contains(&stay.check_in),
            On::Departure => (self.from..=self.to).contains(&stay.check_out),
            On::Stay => stay.check_in <= self.to && stay.check_out > self.from,
        }
    }
}

/// A booking's place among its hotel's: check-in, then id, as bytes that sort like them. Eighteen bytes
/// where a pair of the two would take thirty-two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    check_in: [u8; 2],
    id: [u8; 16],
}

impl Place {
    const fn of(check_in: Night, id: BookingId) -> Self {
        Self { check_in: check_in.0.to_be_bytes(), id: id.0.to_be_bytes() }
    }

    const fn check_in(self) -> Night {
        Night(u16::from_be_bytes(self.check_in))
    }

    const fn id(self) -> BookingId {
        BookingId(u128::from_be_bytes(self.id))
    }
}

/// The bookings of one hotel, with their check-outs.
#[derive(Debug, Default)]
struct House {
    new: Vec<(Place, Night)>,
    sorted: BTreeMap<Place, Night>,
    /// No stay is longer, in nights.
    longest: u16,
}

impl House {
    fn add(&mut self, place: Place, check_out: Night) {
        if self.new.len() >= ARRIVALS_NEW_MAX {
            self.new.sort_unstable();
            self.sorted.extend(self.new.drain(..));
        }
        self.new.push((place, check_out));
        self.longest = self.longest.max(check_out.0.saturating_sub(place.check_in().0));
    }

    fn remove(&mut self, place: Place) {
        match self.new.iter().position(|known| known.0 == place) {
            Some(at) => drop(self.new.swap_remove(at)),
            None => drop(self.sorted.remove(&place)),
        }
    }

    /// The places in order after `after` of stays that are meant, and where to go on, if not at the end.
    fn read(&self, dates: &Dates, after: Option<Place>) -> (Vec<Place>, Option<Place>) {
        let nobody = BookingId(0);
        let earliest = match dates.on {
            On::Arrival => Place::of(dates.from, nobody),
            On::Departure | On::Stay => Place::of(dates.from.minus(self.longest), nobody),
        };
        let begin = match after {
            Some(after) if after >= earliest => Bound::Excluded(after),
            _ => Bound::Included(earliest),
        };
        let latest = Place::of(dates.to, BookingId(u128::MAX));
        if earliest > latest || after.is_some_and(|after| after >= latest) {
            return (Vec::new(), None);
        }
        let meant = |(place, check_out): &(Place, Night)| {
            dates.meet(Stay { check_in: place.check_in(), check_out: *check_out })
        };
        let mut seen = 0;
        let mut last = latest;
        let mut found = Vec::new();
        for (&place, &check_out) in self.sorted.range((begin, Bound::Included(latest))) {
            seen += 1;
            found.extend(Some((place, check_out)).filter(meant));
            if seen == ARRIVALS_LOOKS_MAX {
                last = place;
                break;
            }
        }
        let new = self.new.iter().filter(|(place, _)| {
            let begins = match begin {
                Bound::Excluded(after) => *place > after,
                _ => *place >= earliest,
            };
            begins && *place <= last
        });
        found.extend(new.copied().filter(meant));
        found.sort_unstable();
        let next = (seen == ARRIVALS_LOOKS_MAX).then_some(last);
        (found.into_iter().map(|(place, _)| place).collect(), next)
    }
}

/// The bookings of every hotel.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Pages<Mutex<House>>);

impl Arrivals {
    /// A booking has these dates now. Writer only.
    pub(crate) fn add(&self, hotel: HotelIx, stay: Stay, id: BookingId) {
        if let Some(house) = self.0.reach(hotel.at()) {
            lock(house).add(Place::of(stay.check_in, id), stay.check_out);
        }
    }

    /// Asks memory for a hotel's new bookings. Of those asked for before it asks for where the next goes.
    pub(crate) fn prefetch<const AGAIN: bool>(&self, hotel: HotelIx) {
        let Some(house) = self.0.get(hotel.at()) else { return };
        if AGAIN {
            let new = &lock(house).new;
            prefetch(new.as_ptr().wrapping_add(new.len()));
        } else {
            prefetch(house);
        }
    }

    /// A booking has these dates no longer, or is no longer in memory. Writer only.
    pub(crate) fn remove(&self, hotel: HotelIx, stay: Stay, id: BookingId) {
        if let Some(house) = self.0.get(hotel.at()) {
            lock(house).remove(Place::of(stay.check_in, id));
        }
    }

    /// Bookings of a hotel by (check-in, id), those after `after`. Read in pieces while the writer goes
    /// on: what does not change meanwhile is neither repeated nor skipped.
    pub(crate) fn list(
        &self,
        hotel: HotelIx,
        dates: Dates,
        after: Option<(Night, BookingId)>,
    ) -> impl Iterator<Item = (Night, BookingId)> {
        let after = after.map(|(check_in, id)| Place::of(check_in, id));
        let piece = move |after| {
            let house = self.0.get(hotel.at())?;
            Some(lock(house).read(&dates, after))
        };
        // Each piece begins where the one before ended.
        let pieces = std::iter::successors(piece(after), move |(_, next)| piece(Some((*next)?)));
        pieces.flat_map(|(found, _)| found).map(|place| (place.check_in(), place.id()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    const HOTEL: HotelIx = HotelIx(3);

    fn any_dates() -> impl Strategy<Value = Dates> {
        let on = prop_oneof![Just(On::Arrival), Just(On::Departure), Just(On::Stay)];
        (on, 0u16..50, 0u16..50).prop_map(|(on, from, to)| Dates {
            on,
            from: Night(from),
            to: Night(to),
        })
    }

    proptest! {
        #[test]
        fn it_lists_what_a_walk_over_all_bookings_finds_in_order(
            steps in proptest::collection::vec((0u16..40, 1u16..9, 0u128..700, any::<bool>()), 0..1_500),
            dates in any_dates(),
        ) {
            let arrivals = Arrivals::default();
            let mut model: BTreeSet<(u16, u128, u16)> = BTreeSet::new();
            for (check_in, nights, id, adds) in steps {
                let known = model.iter().find(|known| known.1 == id).copied();
                if let Some(known) = known {
                    model.remove(&known);
                    let stay = Stay { check_in: Night(known.0), check_out: Night(known.2) };
                    arrivals.remove(HOTEL, stay, BookingId(id));
                }
                if adds || known.is_none() {
                    model.insert((check_in, id, check_in + nights));
                    let stay = Stay { check_in: Night(check_in), check_out: Night(check_in + nights) };
                    arrivals.add(HOTEL, stay, BookingId(id));
                }
            }
            let meant: Vec<_> = model
                .iter()
                .filter(|(check_in, _, check_out)| {
                    dates.meet(Stay { check_in: Night(*check_in), check_out: Night(*check_out) })
                })
                .map(|&(check_in, id, _)| (Night(check_in), BookingId(id)))
                .collect();
            let listed: Vec<_> = arrivals.list(HOTEL, dates, None).collect();
            prop_assert_eq!(&listed, &meant);
            for (at, &after) in meant.iter().enumerate().step_by(37) {
                let rest: Vec<_> = arrivals.list(HOTEL, dates, Some(after)).collect();
                prop_assert_eq!(&rest, &meant[at + 1..]);
            }
        }
    }

    #[test]
    fn what_does_not_change_is_listed_once_while_others_come_and_go() {
        let arrivals = Arrivals::default();
        let stay = |day| Stay { check_in: Night(day), check_out: Night(day + 1) };
        for id in 0..2_000u16 {
            arrivals.add(HOTEL, stay(id % 30), BookingId(u128::from(id) * 2));
        }
        let mut listed = Vec::new();
        for (at, (_, id)) in (0u16..).zip(arrivals.list(HOTEL, Dates::ALL, None)) {
            let other = BookingId(u128::from(at % 500) * 2 + 1);
            arrivals.add(HOTEL, stay(at % 30), other);
            arrivals.remove(HOTEL, stay((at + 7) % 30), other);
            listed.extend((id.0 % 2 == 0).then_some(id.0));
        }
        listed.sort_unstable();
        assert_eq!(listed, (0..2_000).map(|id| id * 2).collect::<Vec<_>>());
        assert_eq!(arrivals.list(HotelIx(4), Dates::ALL, None).count(), 0);
    }
}
