//! One search: the cheapest offer of every hotel that can take the stay, sorted, one page of it.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::Area;
use super::page::{Best, Page};
use super::places::Entry;
use crate::catalogue::{Guests, Hotel, MealPlan, Offering};
use crate::ids::{HotelId, HotelIx};
use crate::inventory::{Cell, Row, Span};
use crate::quote::tax::Table;
use crate::quote::{self, Parts};
use crate::rates::RateWord;
use crate::state::Reader;
use crate::stay::{self, Moment, Stay, is_barred_by_clock};
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

impl Reader {
    /// Answers a search from the cells and rate words as they stand. Hotels that are not live, or where
    /// nothing can be had, are not in it.
    #[must_use]
    pub fn search(&self, query: &Query) -> Page {
        // Outside the window a calendar's slots are other nights'.
        let within = |(first, end)| first <= query.stay.check_in && query.stay.check_out <= end;
        if !self.window().is_some_and(within) {
            return Page { items: Vec::new(), total: 0, more: false };
        }
        let taxes = self.shared.taxes();
        // One more than the nights: the departure's.
        let span = self.shared.rates.span(query.stay.check_in, query.stay.nights() + 1);
        let asked = Asked { query, taxes: &taxes, span: &span };
        let mut best = Best::of(query);
        for list in self.shared.places.near(query.area) {
            let chunks = list.iter().flat_map(|chunk| chunk.hotels());
            self.look_at_all(&asked, chunks, &mut best);
        }
        best.page()
    }

    /// Looks at hotels in order. The calendars of the next few are asked of memory before their turn:
    /// most of a search is waiting for them.
    fn look_at_all<'a>(
        &self,
        asked: &Asked<'_>,
        hotels: impl Iterator<Item = (&'a Entry, &'a [Offering])>,
        best: &mut Best,
    ) {
        let mut ahead = VecDeque::with_capacity(HOTELS_AHEAD);
        for (entry, offerings) in hotels {
            let Some(distance_m) = asked.admits(entry) else { continue };
            self.ask_for(asked.span, offerings);
            if ahead.len() == HOTELS_AHEAD {
                ahead.pop_front().into_iter().for_each(|next| self.look_at(asked, &next, best));
            }
            ahead.push_back(Candidate { entry, offerings, distance_m });
        }
        ahead.iter().for_each(|next| self.look_at(asked, next, best));
    }

    /// Asks memory for a hotel's calendars, those of a room type once.
    fn ask_for(&self, span: &Span, offerings: &[Offering]) {
        let mut known = None;
        for offering in offerings {
            if known != Some(offering.room_type) {
                ask_for(self.shared.cells.row_for(offering.room_type.0, span), span);
                known = Some(offering.room_type);
            }
            ask_for(self.shared.rates.row_for(offering.rate_plan.0, span), span);
        }
    }

    fn look_at(&self, asked: &Asked<'_>, candidate: &Candidate<'_>, best: &mut Best) {
        let Some(sums) = self.least_sums(asked, candidate) else { return };
        let least = sums.iter().flatten().map(|least| least.sum).min();
        let may_count = least.and_then(|sum| asked.query.least_key(candidate, sum));
        if may_count.is_some_and(|key| best.is_behind_page(key)) {
            best.count();
        } else if let Some(found) = offer(asked, candidate, sums) {
            best.add(found);
        }
    }

    /// The least sums of the offerings that can be had, of those without and those with taxes in them; of
    /// equals the first. Of plans that treat taxes alike the least sum is the least total.
    fn least_sums(&self, asked: &Asked<'_>, candidate: &Candidate<'_>) -> Option<Sums> {
        let query = asked.query;
        let mut best: Sums = [None, None];
        let hotel = OnceCell::new();
        // Only children and few offerings have rules for which the hotel itself is looked at.
        let hotel = || hotel.get_or_init(|| self.hotel(candidate.entry.hotel)).as_deref();
        let guests = match query.children.as_slice() {
            [] => Guests { adults: query.adults, children: 0 },
            ages => hotel()?.draft.age_bands.count(query.adults, ages),
        };
        // Offerings come by room type: its cells are read once.
        let mut room_type = None;
        for (at, offering) in candidate.offerings.iter().enumerate() {
            if !offering.takes(guests.adults, guests.children) || !query.admits(offering) {
                continue;
            }
            let rooms = match room_type {
                Some((known, rooms)) if known == offering.room_type => rooms,
                _ => {
                    let rooms = self.rooms_left(asked, *offering);
                    room_type = Some((offering.room_type, rooms));
                    rooms
                }
            };
            if rooms < u32::from(query.rooms) {
                continue;
            }
            let Some(sum) = self.sum(asked, offering, hotel) else { continue };
            let [exclusive, inclusive] = &mut best;
            let best = if offering.tax_inclusive { inclusive } else { exclusive };
            if best.is_none_or(|best| sum < best.sum)
                && (!query.filters.free_cancellation || self.is_free_still(query, hotel, offering))
            {
                *best = Some(Least { at, rooms, sum });
            }
        }
        best.iter().any(Option::is_some).then_some(best)
    }

    /// Rooms of the type on every night of the stay, 0 where one is closed.
    fn rooms_left(&self, asked: &Asked<'_>, offering: Offering) -> u32 {
        let row = self.shared.cells.row_for(offering.room_type.0, asked.span);
        let mut nights = usize::from(asked.query.stay.nights());
        let mut least = u32::MAX;
        for part in row.iter().flat_map(|row| row.over(asked.span)) {
            for slot in part.iter().take(nights) {
                // Acquire: pairs with the writer's Release, so that a night is seen whole.
                least = least.min(Cell(slot.load(Ordering::Acquire)).available());
            }
            nights = nights.saturating_sub(part.len());
        }
        if least == u32::MAX { 0 } else { least }
    }

    /// Whether a booking made now could still be cancelled for nothing.
    fn is_free_still<'a>(
        &self,
        query: &Query,
        hotel: impl Fn() -> Option<&'a Hotel>,
        offering: &Offering,
    ) -> bool {
        let plan = self.shared.rate_plans.get(offering.rate_plan.0);
        let plan = plan.as_ref().and_then(|plan| plan.as_ref());
        plan.zip(hotel()).is_some_and(|(plan, hotel)| {
            let policy = &plan.draft.policy;
            policy.tiers.is_empty()
                || policy
                    .free_until(query.stay.check_in, &hotel.zone)
                    .is_some_and(|deadline| self.log_time_ms() <= deadline)
        })
    }

    /// What the nights of one room are listed at, where the plan's rules let the stay in.
    fn sum<'a>(
        &self,
        asked: &Asked<'_>,
        offering: &Offering,
        hotel: impl Fn() -> Option<&'a Hotel>,
    ) -> Option<i64> {
        let query = asked.query;
        let row = self.shared.rates.row_for(offering.rate_plan.0, asked.span)?;
        let (mut sum, overlaid) = open_sum(&row, asked, offering.limits)?;
        if overlaid || offering.watches_clock {
            let moment = Moment::new(query.stay, hotel()?, self.log_time_ms());
            if is_barred_by_clock(&self.shared, offering.rate_plan, &moment) {
                return None;
            }
        }
        // Mostly a night's price is for everyone, and the walk over the nights has summed it up.
        let has_bands = || hotel().is_some_and(|hotel| !hotel.draft.age_bands.0.is_empty());
        if overlaid || !offering.flat || (!query.children.is_empty() && has_bands()) {
            sum = stay::list_sum(&self.shared, hotel()?, offering.rate_plan, query.asked())?;
        }
        Some(sum)
    }
}

/// Hotels whose calendars are asked for before their turn: enough to hide memory's delay, few enough
/// that the lines are still there.
const HOTELS_AHEAD: usize = 4;

/// A search with what it is answered by.
struct Asked<'a> {
    query: &'a Query,
    taxes: &'a Table,
    /// The nights and the departure.
    span: &'a Span,
}

/// A hotel whose calendars are on their way.
struct Candidate<'a> {
    entry: &'a Entry,
    offerings: &'a [Offering],
    distance_m: Option<u32>,
}

/// An offering that can be had, with what its nights are listed at.
#[derive(Clone, Copy)]
struct Least {
    /// Among the hotel's.
    at: usize,
    rooms: u32,
    sum: i64,
}

/// The least without taxes in its prices, and with.
type Sums = [Option<Least>; 2];

impl Asked<'_> {
    /// The hotel's distance from the centre where there is one, where the hotel may be in the answer by
    /// what the catalogue says of it.
    fn admits(&self, entry: &Entry) -> Option<Option<u32>> {
        let Self { query, .. } = self;
        let may =
            entry.live && query.filters.admits(entry) && query.stay.nights() <= entry.max_stay;
        if !may {
            return None;
        }
        query.area.contains(entry.province, entry.lat_e6, entry.lon_e6)
    }
}

/// The cheapest of a hotel with its taxes, the first of equals, where the price is within its limits.
fn offer(asked: &Asked<'_>, candidate: &Candidate<'_>, sums: Sums) -> Option<Found> {
    let Asked { query, taxes, .. } = asked;
    let entry = candidate.entry;
    let shares = taxes.now(entry.province, query.stay.check_in).under(entry.tax_profile);
    let offers = sums.into_iter().flatten().filter_map(|Least { at, rooms, sum }| {
        let offering = *candidate.offerings.get(at)?;
        let parts = quote::parts(sum, offering.tax_inclusive, shares)?;
        Some((at, offering, rooms, parts))
    });
    let cheapest = offers.min_by_key(|(at, _, _, parts)| (parts.total, *at));
    let (_, offering, available, parts) = cheapest?;
    let total = parts.total.checked_mul(i64::from(query.rooms))?;
    if query.filters.min_price.is_some_and(|least| total < least)
        || query.filters.max_price.is_some_and(|most| total > most)
    {
        return None;
    }
    let Entry { hotel, id, .. } = *entry;
    let (distance_m, key) = (candidate.distance_m, query.key(candidate, total));
    Some(Found { hotel, id, offering, available, parts, total, distance_m, key })
}

fn ask_for(row: Option<Row<'_, AtomicU64>>, span: &Span) {
    if let Some(row) = row {
        row.ask_over(span);
    }
}

/// The sum of the nightly prices, where no rule of the plan is in the way of the stay; and whether a
/// night has rules of its own beside its word.
#[inline]
fn open_sum(row: &Row<'_, AtomicU64>, asked: &Asked<'_>, limits: RateWord) -> Option<(i64, bool)> {
    let nights = asked.query.stay.nights();
    let (mut seen, mut sum, mut overlaid) = (0, 0i64, false);
    for slot in row.over(asked.span).flatten() {
        // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
        let own = RateWord(slot.load(Ordering::Acquire));
        if seen == nights {
            return (!own.closed_to_departure()).then_some((sum, overlaid));
        }
        let word = own.over(limits);
        let is_barred = !word.is_plain() && (word.closed() || word.bars_through(nights));
        if is_barred || (seen == 0 && word.bars_arrival(nights)) {
            return None;
        }
        seen += 1;
        overlaid |= word.overlaid();
        sum = sum.checked_add(word.price()?)?;
    }
    None
}

impl Query {
    fn asked(&self) -> stay::Asked<'_> {
        let (adults, children) = (self.adults, self.children.as_slice());
        stay::Asked { stay: self.stay, adults, children, discount: None, quoted: None }
    }

    /// What a hotel is sorted by where it costs so much.
    fn key(&self, candidate: &Candidate<'_>, total: i64) -> i64 {
        let stars = i64::from(candidate.entry.stars);
        match self.sort {
            Sort::Recommended => total.saturating_mul(10) / (10 + 3 * stars),
            Sort::Price => total,
            Sort::PriceDesc => -total,
            Sort::Stars => -stars,
            Sort::Distance => candidate.distance_m.map_or(total, i64::from),
        }
    }

    /// A key that the hotel's is not below, by what its nights are listed at: taxes take nothing off. `None`
    /// where there is none, or where the total says whether the hotel is found at all.
    fn least_key(&self, candidate: &Candidate<'_>, sum: i64) -> Option<i64> {
        let Filters { min_price, max_price, .. } = self.filters;
        let is_by_total = min_price.is_some() || max_price.is_some();
        // No total of listed prices is near the end of 64 bits: there the offer is made, and may fail.
        let total =
            sum.checked_mul(i64::from(self.rooms)).filter(|total| *total < i64::MAX / 100)?;
        let bounds = !is_by_total && !matches!(self.sort, Sort::PriceDesc);
        bounds.then(|| self.key(candidate, total))
    }

    fn admits(&self, offering: &Offering) -> bool {
        self.filters.meal_plan.is_none_or(|plan| plan == offering.meal_plan)
            && (!self.filters.free_cancellation || offering.free_cancellation)
    }
}

impl Filters {
    fn admits(&self, entry: &Entry) -> bool {
        (self.stars == 0 || self.stars & (1 << entry.stars) != 0)
            && entry.amenities & self.amenities == self.amenities
            && self.property_type.is_none_or(|wanted| wanted == entry.property_type)
    }
}
