//! The calendar of a hotel: day by day the cheapest price, the rooms that are left, and whether a stay
//! may begin or end there.
//!
//! Row by row, each word read once; nothing is allocated but the days and one scratch row. What it says
//! of a day is about that day: whether the nights after it are open too, offers and explain tell.

use std::ops::Range;
use std::sync::atomic::Ordering;

use crate::catalogue::{Hotel, HotelStatus, Offering};
use crate::civil::{LogTimeMs, Night};
use crate::ids::{HotelIx, RoomTypeIx};
use crate::inventory::Cell;
use crate::limits::CALENDAR_DAYS_MAX;
use crate::quote::{self, Taxes};
use crate::rates::RateWord;
use crate::refusal::{Code, Refusal};
use crate::state::Reader;
use crate::stay::{self, Moment, Stay, watching};

/// Which days, for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub hotel: HotelIx,
    pub from: Night,
    /// The last day, included.
    pub to: Night,
    /// In one room, at least 1.
    pub adults: u8,
}

/// One day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub night: Night,
    /// The cheapest room for this night alone, with taxes, minor units; of those that can be slept in.
    pub price: Option<i64>,
    /// Rooms that can be slept in this night, over all room types that take the guests.
    pub available: u32,
    /// A stay may begin on this day, of `min_stay` to `max_stay` nights.
    pub can_arrive: bool,
    /// A stay may end on this day.
    pub can_depart: bool,
    /// Of the offering that asks for least; at least 1. 0 where nobody can arrive.
    pub min_stay: u16,
    /// Of the offering that allows most. 0 where nobody can arrive.
    pub max_stay: u16,
    /// Why nobody can arrive: the reason that is least in the way, over all offerings.
    pub reason: Option<Obstacle>,
}

/// What is in the way of an arrival, the lesser before the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    ClosedToArrival,
    /// All gone, some of it only held.
    HeldOut,
    SoldOut,
    NoPrice,
    Closed,
    TooManyGuests,
    BeyondHorizon,
    InPast,
    HotelNotLive,
}

impl Obstacle {
    /// The dotted name of the outside contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClosedToArrival => "stay.closed_to_arrival",
            Self::HeldOut | Self::SoldOut => "inventory.insufficient",
            Self::NoPrice => "rate.missing",
            Self::Closed => "stay.closed",
            Self::TooManyGuests => "occupancy.too_many",
            Self::BeyondHorizon => "stay.beyond_horizon",
            Self::InPast => "stay.in_past",
            Self::HotelNotLive => "hotel.not_live",
        }
    }
}

impl Reader {
    /// The days `from..=to`, at most [`CALENDAR_DAYS_MAX`]; those behind the hotel's today and beyond the
    /// horizon say so.
    ///
    /// Refused: an unknown hotel, and a span that ends before it begins or is longer than the bound.
    pub fn calendar(&self, span: Span, now: LogTimeMs) -> Result<Vec<Day>, Refusal> {
        let guard = self.shared.hotels.get(span.hotel.0);
        let Some(hotel) = guard.as_ref().and_then(|guard| guard.as_ref()) else {
            return Err(Code::NotFound.into());
        };
        let Some((first, end)) = self.window() else { return Err(Code::NotConfigured.into()) };
        let count = u32::from(span.to.0) + 1;
        let days = count.saturating_sub(u32::from(span.from.0));
        if !(1..=u32::from(CALENDAR_DAYS_MAX)).contains(&days) {
            return Err(Code::Malformed.into());
        }
        let today = hotel.zone.night_at(now).max(first);
        let known = Night(span.from.0.clamp(today.0, end.0))
            ..Night(span.to.plus(1).0.clamp(today.0, end.0));
        let mut sums = self.sum_up(hotel, span.adults, known, now);
        let mut sums = sums.drain(..);
        let mut calendar = Vec::with_capacity(days as usize);
        let table = self.shared.taxes();
        let taxes = |night| table.now(hotel.draft.province, night).under(hotel.draft.tax_profile);
        for night in span.from.until(span.to.plus(1)) {
            let day = match () {
                () if hotel.status != HotelStatus::Live => nothing(night, Obstacle::HotelNotLive),
                () if night < today => nothing(night, Obstacle::InPast),
                () if night >= end => nothing(night, Obstacle::BeyondHorizon),
                () => match sums.next() {
                    Some(sum) => sum.day(night, hotel, taxes(night)),
                    None => nothing(night, Obstacle::Closed),
                },
            };
            calendar.push(day);
        }
        Ok(calendar)
    }

    /// All offerings that take the guests, over the nights `from..end`.
    fn sum_up(
        &self,
        hotel: &Hotel,
        adults: u8,
        Range { start: from, end }: Range<Night>,
        now: LogTimeMs,
    ) -> Vec<Sum> {
        let moment = Moment::new(Stay { check_in: from, check_out: end }, hotel, now);
        let count = end.0.saturating_sub(from.0);
        let mut sums = vec![Sum::default(); usize::from(count)];
        let mut rooms: Vec<Rooms> = Vec::with_capacity(usize::from(count));
        let mut words: Vec<RateWord> = Vec::with_capacity(usize::from(count));
        let mut offerings = hotel.offerings.iter().filter(|one| one.takes(adults, 0)).peekable();
        self.ask_for_days(offerings.peek(), None, (from, count));
        while let Some(offering) = offerings.next() {
            self.ask_for_days(offerings.peek(), Some(offering.room_type), (from, count));
            if rooms.is_empty() {
                let Some(row) = self.shared.cells.row(offering.room_type.0) else { continue };
                for part in row.parts(from, count) {
                    // Acquire: pairs with the writer's Release, so that a night is seen whole.
                    let cells = part.iter().map(|slot| Cell(slot.load(Ordering::Acquire)));
                    rooms.extend(cells.map(Rooms::of));
                }
            }
            if let Some(row) = self.shared.rates.row(offering.rate_plan.0) {
                words.clear();
                for part in row.parts(from, count) {
                    // Acquire: as above.
                    let part = part.iter().map(|slot| RateWord(slot.load(Ordering::Acquire)));
                    words.extend(part.map(|word| word.over(offering.limits)));
                }
                let records = stay::find_records(&self.shared, hotel, offering, &[]);
                let pricing = records.as_ref().map(|found| found.pricing(hotel, (adults, &[])));
                let plan = offering.rate_plan;
                let rules = watching(&self.shared, plan, words.iter().copied());
                let marked = pricing.is_some() || rules.is_some();
                for (word, night) in words.iter_mut().zip(from.until(end)).filter(|_| marked) {
                    if let Some(pricing) = &pricing {
                        *word = pricing.word(&self.shared, *word, night);
                    }
                    if let Some(rules) = &rules {
                        *word = moment.mark(&self.shared, plan, rules, (night, *word));
                    }
                }
                let inclusive = offering.tax_inclusive;
                for ((sum, rooms), word) in sums.iter_mut().zip(&mut rooms).zip(&words) {
                    sum.add(rooms, *word, inclusive);
                }
            }
            let same = |next: &&&Offering| next.room_type == offering.room_type;
            if offerings.peek().filter(|next| same(next)).is_none() {
                // The last of its room type: its rooms count once, whatever the plans.
                for (sum, rooms) in sums.iter_mut().zip(rooms.drain(..)) {
                    sum.available += if rooms.sold_by_some { rooms.left } else { 0 };
                }
            }
        }
        sums
    }

    /// Asks memory for the nights of an offering whose turn comes next, and for those of its room type
    /// where that is another one: a row's lines lie far apart.
    fn ask_for_days(
        &self,
        next: Option<&&Offering>,
        before: Option<RoomTypeIx>,
        (from, count): (Night, u16),
    ) {
        let Some(next) = next else { return };
        if let Some(row) = self.shared.cells.row(next.room_type.0)
            && before != Some(next.room_type)
        {
            row.ask(from, count);
        }
        if let Some(row) = self.shared.rates.row(next.rate_plan.0) {
            row.ask(from, count);
        }
    }
}

fn nothing(night: Night, obstacle: Obstacle) -> Day {
    Day {
        night,
        price: None,
        available: 0,
        can_arrive: false,
        can_depart: false,
        min_stay: 0,
        max_stay: 0,
        reason: Some(obstacle),
    }
}

/// A room type on one night.
#[derive(Debug, Clone, Copy)]
struct Rooms {
    left: u32,
    /// What is in the way on every plan.
    obstacle: Option<Obstacle>,
    sold_by_some: bool,
}

impl Rooms {
    #[inline]
    fn of(cell: Cell) -> Self {
        let left = cell.available();
        let obstacle = match left {
            0 if cell.closed() => Some(Obstacle::Closed),
            0 if cell.limit() > cell.sold() + cell.blocked() => Some(Obstacle::HeldOut),
            0 => Some(Obstacle::SoldOut),
            _ => None,
        };
        Self { left, obstacle, sold_by_some: false }
    }
}

/// What is known of one night so far.
#[derive(Debug, Clone, Copy)]
struct Sum {
    /// The least of the prices that include taxes, and of those that do not.
    inclusive: i64,
    exclusive: i64,
    available: u32,
    /// Least of the obstacles; `None` before any offering.
    obstacle: Option<Obstacle>,
    can_arrive: bool,
    can_depart: bool,
    min_stay: u8,
    /// 255 for any.
    max_stay: u8,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            inclusive: i64::MAX,
            exclusive: i64::MAX,
            available: 0,
            obstacle: None,
            can_arrive: false,
            can_depart: false,
            min_stay: u8::MAX,
            max_stay: 0,
        }
    }
}

impl Sum {
    /// One offering's night.
    #[inline]
    fn add(&mut self, rooms: &mut Rooms, word: RateWord, inclusive: bool) {
        self.can_depart |= !word.closed_to_departure();
        let obstacle = match word.price() {
            _ if word.closed() => Some(Obstacle::Closed),
            None => rooms.obstacle.max(Some(Obstacle::NoPrice)),
            Some(_) => rooms.obstacle,
        };
        if obstacle.is_none()
            && let Some(price) = word.price()
        {
            rooms.sold_by_some = true;
            let least = if inclusive { &mut self.inclusive } else { &mut self.exclusive };
            *least = price.min(*least);
            if !word.closed_to_arrival() {
                self.can_arrive = true;
                self.min_stay = self.min_stay.min(word.least_nights());
                self.max_stay = self.max_stay.max(word.most_nights());
                return;
            }
        }
        let obstacle = obstacle.unwrap_or(Obstacle::ClosedToArrival);
        self.obstacle = Some(self.obstacle.map_or(obstacle, |known| known.min(obstacle)));
    }

    fn day(self, night: Night, hotel: &Hotel, taxes: Taxes) -> Day {
        let total = |price: i64, inclusive: bool| match price {
            i64::MAX => None,
            price => quote::parts(price, inclusive, taxes).map(|parts| parts.total),
        };
        let prices = [total(self.inclusive, true), total(self.exclusive, false)];
        let most = match self.max_stay {
            u8::MAX => hotel.draft.max_stay,
            most => hotel.draft.max_stay.min(u16::from(most)),
        };
        let min_stay = if self.can_arrive { u16::from(self.min_stay) } else { 0 };
        Day {
            night,
            price: prices.into_iter().flatten().min(),
            available: self.available,
            can_arrive: self.can_arrive,
            can_depart: self.can_depart,
            min_stay,
            max_stay: if self.can_arrive { most } else { 0 },
            reason: (!self.can_arrive).then(|| self.obstacle.unwrap_or(Obstacle::TooManyGuests)),
        }
    }
}
