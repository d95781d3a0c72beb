//! One search: the cheapest offer of every hotel that can take the stay, sorted, one page of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::Guard;

use super::Area;
use crate::catalogue::{Hotel, HotelStatus, MealPlan, Offering};
use crate::ids::{HotelId, HotelIx};
use crate::inventory::{Cell, Row};
use crate::prefetch::prefetch;
use crate::quote::{self, Parts, Taxes};
use crate::rates::RateWord;
use crate::state::Reader;
use crate::stay::{self, Asked, Moment, Stay, is_barred_by_clock};
use crate::sync::AtomicU64;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Query {
    pub area: Area,
    pub stay: Stay,
    /// Rooms of one type, at least 1.
    pub rooms: u16,
    /// Per room.
    pub adults: u8,
    /// Ages in years, per room.
    pub children: Vec<u8>,
    pub filters: Filters,
    pub sort: Sort,
    /// Only what comes after this key and hotel, in sort order.
    pub after: Option<(i64, HotelId)>,
    pub limit: usize,
}

/// What narrows a search.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Total of the stay in minor units.
    pub min_price: Option<i64>,
    pub max_price: Option<i64>,
    /// Bit n set: n stars are wanted; 0: any.
    pub stars: u8,
    /// Every bit set here must be set in the hotel.
    pub amenities: u64,
    pub property_type: Option<u8>,
    pub meal_plan: Option<MealPlan>,
    pub free_cancellation: bool,
}

/// The order of a search's answers; ties by hotel id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Total divided by `1 + 0.3 × stars`: value for money.
    Recommended,
    Price,
    PriceDesc,
    Stars,
    /// From the centre of a circle; by price elsewhere, which doors refuse.
    Distance,
}

/// One hotel that can take the stay, with its cheapest offer.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub hotel: HotelIx,
    pub id: HotelId,
    pub offering: Offering,
    /// Rooms of that type on every night.
    pub available: u32,
    /// One room, whole stay.
    pub parts: Parts,
    /// All rooms, whole stay, minor units.
    pub total: i64,
    pub distance_m: Option<u32>,
    /// What it was sorted by.
    pub key: i64,
}

/// A page of a search.
#[derive(Debug, Clone)]
pub struct Page {
    pub items: Vec<Found>,
    /// Hotels that match, on all pages.
    pub total: usize,
    /// There are more after this page.
    pub more: bool,
}

impl Reader {
    /// Answers a search from the cells and rate words as they stand. Hotels that are not live, or where
    /// nothing can be had, are not in it.
    #[must_use]
    pub fn search(&self, query: &Query) -> Page {
        let mut found = Vec::new();
        // Outside the window a calendar's slots are other nights'.
        let within = |(first, end)| first <= query.stay.check_in && query.stay.check_out <= end;
        if !self.window().is_some_and(within) {
            return Page { items: Vec::new(), total: 0, more: false };
        }
        match self.shared.places.near(query.area) {
            Some(lists) => {
                let hotels = lists.iter().flat_map(|list| list.iter().copied());
                self.look_at_all(query, hotels, &mut found);
            }
            None => {
                let all = (0..self.shared.hotels.len()).map(HotelIx);
                self.look_at_all(query, all, &mut found);
            }
        }
        let total = found.len();
        if let Some(after) = query.after {
            found.retain(|item| (item.key, item.id) > after);
        }
        let more = found.len() > query.limit;
        let order = |a: &Found, b: &Found| (a.key, a.id).cmp(&(b.key, b.id));
        if more && query.limit > 0 {
            found.select_nth_unstable_by(query.limit - 1, order);
        }
        found.truncate(query.limit);
        found.sort_unstable_by(order);
        Page { items: found, total, more }
    }

    /// Looks at hotels in order. The calendars of the next few are moment of memory before their turn:
    /// most of a search is waiting for them.
    fn look_at_all(
        &self,
        query: &Query,
        hotels: impl Iterator<Item = HotelIx>,
        found: &mut Vec<Found>,
    ) {
        let mut ahead = VecDeque::with_capacity(HOTELS_AHEAD);
        for hotel in hotels {
            let Some(candidate) = self.candidate(query, hotel) else { continue };
            if ahead.len() == HOTELS_AHEAD {
                found.extend(ahead.pop_front().and_then(|next| self.look_at(query, &next)));
            }
            ahead.push_back(candidate);
        }
        found.extend(ahead.iter().filter_map(|next| self.look_at(query, next)));
    }

    /// The hotel, where it may be in the answer by what the catalogue says of it.
    fn candidate(&self, query: &Query, hotel: HotelIx) -> Option<Candidate> {
        let guard = self.shared.hotels.get(hotel.0)?;
        let hotel = guard.as_ref()?;
        let draft = &hotel.draft;
        let distance_m = query.area.contains(draft.province, draft.lat_e6, draft.lon_e6)?;
        if hotel.status != HotelStatus::Live
            || !query.filters.admits(hotel)
            || query.stay.nights() > draft.max_stay
        {
            return None;
        }
        for offering in hotel.offerings.iter() {
            ask_for(self.shared.cells.row(offering.room_type.0), query.stay);
            ask_for(self.shared.rates.row(offering.rate_plan.0), query.stay);
        }
        Some(Candidate { guard, distance_m })
    }

    fn look_at(&self, query: &Query, candidate: &Candidate) -> Option<Found> {
        let hotel = candidate.guard.as_ref()?;
        let (draft, distance_m) = (&hotel.draft, candidate.distance_m);
        let (offering, available, parts) = self.cheapest(query, hotel)?;
        let total = parts.total.checked_mul(i64::from(query.rooms))?;
        if query.filters.min_price.is_some_and(|least| total < least)
            || query.filters.max_price.is_some_and(|most| total > most)
        {
            return None;
        }
        let stars = i64::from(draft.stars);
        let key = match query.sort {
            Sort::Recommended => total.saturating_mul(10) / (10 + 3 * stars),
            Sort::Price => total,
            Sort::PriceDesc => -total,
            Sort::Stars => -stars,
            Sort::Distance => distance_m.map_or(total, i64::from),
        };
        Some(Found {
            hotel: hotel.ix,
            id: hotel.id,
            offering,
            available,
            parts,
            total,
            distance_m,
            key,
        })
    }

    /// The cheapest offering that can be had; the earlier one of equals.
    fn cheapest(&self, query: &Query, hotel: &Hotel) -> Option<(Offering, u32, Parts)> {
        let taxes = self.shared.taxes_of(hotel, query.stay.check_in);
        let guests = hotel.draft.age_bands.count(query.adults, &query.children);
        let mut best: Option<(Offering, u32, Parts)> = None;
        // Offerings come by room type: its cells are read once.
        let mut room_type = None;
        for offering in hotel.offerings.iter() {
            if !offering.takes(guests.adults, guests.children) || !query.admits(offering) {
                continue;
            }
            if query.filters.free_cancellation && !self.is_free_still(query, hotel, offering) {
                continue;
            }
            let rooms = match room_type {
                Some((known, rooms)) if known == offering.room_type => rooms,
                _ => {
                    let rooms = self.rooms_left(query, *offering);
                    room_type = Some((offering.room_type, rooms));
                    rooms
                }
            };
            if rooms < u32::from(query.rooms) {
                continue;
            }
            let Some(parts) = self.price(query, hotel, offering, taxes) else { continue };
            if best.as_ref().is_none_or(|best| parts.total < best.2.total) {
                best = Some((*offering, rooms, parts));
            }
        }
        best
    }

    /// Rooms of the type on every night of the stay, 0 where one is closed.
    fn rooms_left(&self, query: &Query, offering: Offering) -> u32 {
        let nights = query.stay.nights();
        self.shared.cells.row(offering.room_type.0).map_or(0, |row| {
            let left = row
                .nights(query.stay.check_in, nights)
                // Acquire: pairs with the writer's Release, so that a night is seen whole.
                .map(|slot| Cell(slot.load(Ordering::Acquire)).available());
            left.min().unwrap_or(0)
        })
    }

    /// Whether a booking made now could still be cancelled for nothing.
    fn is_free_still(&self, query: &Query, hotel: &Hotel, offering: &Offering) -> bool {
        let plan = self.shared.rate_plans.get(offering.rate_plan.0);
        plan.as_ref().and_then(|plan| plan.as_ref()).is_some_and(|plan| {
            let policy = &plan.draft.policy;
            policy.tiers.is_empty()
                || policy
                    .free_until(query.stay.check_in, &hotel.zone)
                    .is_some_and(|deadline| self.log_time_ms() <= deadline)
        })
    }

    /// What one room costs, where the plan's rules let the stay in.
    fn price(
        &self,
        query: &Query,
        hotel: &Hotel,
        offering: &Offering,
        taxes: Taxes,
    ) -> Option<Parts> {
        let row = self.shared.rates.row(offering.rate_plan.0)?;
        let (mut sum, overlaid) = open_sum(&row, query.stay, offering.limits)?;
        if overlaid || offering.watches_clock {
            let moment = Moment::new(query.stay, hotel, self.log_time_ms());
            if is_barred_by_clock(&self.shared, offering.rate_plan, &moment) {
                return None;
            }
        }
        // Mostly a night's price is for everyone, and the walk over the nights has summed it up.
        let has_bands = !query.children.is_empty() && !hotel.draft.age_bands.0.is_empty();
        if overlaid || !offering.flat || has_bands {
            sum = stay::list_sum(&self.shared, hotel, offering.rate_plan, query.asked())?;
        }
        quote::parts(sum, offering.tax_inclusive, taxes)
    }
}

/// Hotels whose calendars are moment for before their turn: enough to hide memory's delay, few enough
/// that the lines are still there (and that each may keep a guard of its thread).
const HOTELS_AHEAD: usize = 4;

/// A hotel whose calendars are on their way.
struct Candidate {
    guard: Guard<Option<Arc<Hotel>>>,
    distance_m: Option<u32>,
}

fn ask_for(row: Option<Row<'_, AtomicU64>>, stay: Stay) {
    for night in [stay.check_in, stay.check_out] {
        if let Some(slot) = row.and_then(|row| row.slot(night)) {
            prefetch(slot);
        }
    }
}

/// The sum of the nightly prices, where no rule of the plan is in the way of the stay; and whether a
/// night has rules of its own beside its word.
fn open_sum(row: &Row<'_, AtomicU64>, stay: Stay, limits: RateWord) -> Option<(i64, bool)> {
    let nights = stay.nights();
    let mut sum = 0i64;
    let mut arrival = true;
    let mut overlaid = false;
    for slot in row.nights(stay.check_in, nights) {
        // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
        let word = RateWord(slot.load(Ordering::Acquire)).over(limits);
        let barred = word.closed() || word.bars_through(nights);
        if barred || (arrival && word.bars_arrival(nights)) {
            return None;
        }
        arrival = false;
        overlaid |= word.overlaid();
        sum = sum.checked_add(word.price()?)?;
    }
    let departure = row.slot(stay.check_out)?;
    // Acquire: as above.
    let open = !RateWord(departure.load(Ordering::Acquire)).closed_to_departure();
    open.then_some((sum, overlaid))
}

impl Query {
    fn asked(&self) -> Asked<'_> {
        let (adults, children) = (self.adults, self.children.as_slice());
        Asked { stay: self.stay, adults, children, discount: None }
    }

    fn admits(&self, offering: &Offering) -> bool {
        self.filters.meal_plan.is_none_or(|plan| plan == offering.meal_plan)
            && (!self.filters.free_cancellation || offering.free_cancellation)
    }
}

impl Filters {
    fn admits(&self, hotel: &Hotel) -> bool {
        let draft = &hotel.draft;
        (self.stars == 0 || self.stars & (1 << draft.stars) != 0)
            && draft.amenities & self.amenities == self.amenities
            && self.property_type.is_none_or(|wanted| wanted == draft.property_type)
    }
}
