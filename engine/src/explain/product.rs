//! One offering around a stay: its nights read once, and whether a moved stay would work in constant
//! time.
//!
//! It owns the copy of the calendars. It refuses to judge moves other than those of
//! [`super::nearest`]: stays of another length must begin on the asked check-in or before it, and end
//! after it, which is what makes their limits a matter of two looks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Nearest;
use crate::catalogue::{Hotel, Offering, TaxProfile};
use crate::civil::{LogTimeMs, Night};
use crate::ids::RoomTypeIx;
use crate::inventory::Cell;
use crate::limits::{MAX_STAY_MAX, NEAREST_SHIFT_NIGHTS};
use crate::promo::Promo;
use crate::quote;
use crate::quote::tax::Table;
use crate::rates::RateWord;
use crate::refusal::{Blocker, Layer};
use crate::state::Shared;
use crate::stay::{Moment, Pricing, Stay, judge_cells, judge_rates, watching};

/// The nights that may be part of an answer, and the calendars of one offering over them.
#[derive(Debug)]
pub struct Window<'a> {
    moment: Moment<'a>,
    stay: Stay,
    first: Night,
    /// Latest check-out.
    end: Night,
    max_stay: u16,
    province: u8,
    tax_profile: TaxProfile,
    taxes: Arc<Table>,
    /// That every stay is wanted with.
    pub promo: Option<Promo>,
    room_type: Option<RoomTypeIx>,
    cells: Vec<Cell>,
    /// One more than the cells: the departure on [`Self::end`].
    words: Vec<RateWord>,
}

/// What a stay costs, and what the promotion takes off it, all rooms, minor units.
#[derive(Debug, Clone, Copy, Default)]
pub struct Price {
    pub total: i64,
    pub off: i64,
}

impl Price {
    /// `None` on overflow.
    pub fn plus(self, other: Self) -> Option<Self> {
        let total = self.total.checked_add(other.total)?;
        Some(Self { total, off: self.off.checked_add(other.off)? })
    }
}

/// One offering over the window.
#[derive(Debug)]
pub struct Product {
    offering: Offering,
    /// That are paid for.
    rooms: u16,
    /// All dates are looked at; else only those that were asked.
    meant: bool,
    /// By night of the window, the latest check-out last.
    nights: Vec<Look>,
}

/// What is wanted of an offering.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// That are paid for.
    pub rooms: u16,
    /// Of the room type altogether.
    pub wanted: u32,
    /// All dates are looked at; else only those that were asked.
    pub meant: bool,
    /// Where the party does not simply pay what the nights list.
    pub pricing: Option<&'a Pricing<'a>>,
}

/// A night as stays see it.
#[derive(Debug, Clone, Copy)]
struct Look {
    word: RateWord,
    /// Prices of the window's nights before this one.
    before: i64,
    /// First night from here on that takes no stay at all.
    open_until: u16,
    /// First night from here on that takes no stay of the asked length.
    until: u16,
    /// The strictest limits between the asked check-in and here, both included (on the way back: the
    /// check-in excluded); 0 and 255 for none.
    min_through: u8,
    max_through: u8,
}

impl<'a> Window<'a> {
    pub fn around(shared: &Shared, hotel: &'a Hotel, stay: Stay, now: LogTimeMs) -> Self {
        let (first, end) = shared.window().unwrap_or((stay.check_in, stay.check_out));
        let today = hotel.zone.night_at(now);
        Self {
            moment: Moment::new(stay, hotel, now),
            stay,
            first: stay.check_in.minus(NEAREST_SHIFT_NIGHTS).max(first).max(today),
            end: stay.check_out.plus(NEAREST_SHIFT_NIGHTS).min(end),
            max_stay: hotel.draft.max_stay.min(MAX_STAY_MAX),
            province: hotel.draft.province,
            tax_profile: hotel.draft.tax_profile,
            taxes: shared.taxes(),
            promo: None,
            room_type: None,
            cells: Vec::new(),
            words: Vec::new(),
        }
    }

    /// The stay whose ends are moved by so many nights, where it lies in the window and the hotel takes
    /// stays of its length.
    pub fn moved(&self, by: (i16, i16)) -> Option<Stay> {
        let check_in = Night(self.stay.check_in.0.checked_add_signed(by.0)?);
        let check_out = Night(self.stay.check_out.0.checked_add_signed(by.1)?);
        let stay = Stay { check_in, check_out };
        let within = self.first <= check_in && check_out <= self.end;
        let within = within && (1..=self.max_stay).contains(&stay.nights());
        (within && self.promo.as_ref().is_none_or(|promo| promo.takes(stay))).then_some(stay)
    }

    /// Whether the promotion has the money for what a stay has off.
    pub fn affords(&self, price: Price) -> bool {
        self.promo.as_ref().is_none_or(|promo| promo.has_money_for(price.off))
    }

    fn at(&self, night: Night) -> usize {
        usize::from(night.0.saturating_sub(self.first.0))
    }

    fn read(&mut self, shared: &Shared, offering: &Offering) -> Option<()> {
        let nights = self.end.0.saturating_sub(self.first.0);
        if self.room_type != Some(offering.room_type) {
            let row = shared.cells.row(offering.room_type.0)?;
            self.cells.clear();
            // Acquire: pairs with the writer's Release, so that a night is seen whole.
            let cells = row.nights(self.first, nights).map(|slot| slot.load(Ordering::Acquire));
            self.cells.extend(cells.map(Cell));
            self.room_type = Some(offering.room_type);
        }
        let row = shared.rates.row(offering.rate_plan.0)?;
        self.words.clear();
        // Acquire: as above.
        let words = row.nights(self.first, nights + 1).map(|slot| slot.load(Ordering::Acquire));
        self.words.extend(words.map(|word| RateWord(word).over(offering.limits)));
        Some(())
    }

    /// Reads an offering's calendars, the room type's only where they are not those read before.
    pub fn load(
        &mut self,
        shared: &Shared,
        offering: &Offering,
        Wish { rooms, wanted, meant, pricing }: Wish<'_>,
    ) -> Option<Product> {
        self.read(shared, offering)?;
        let mut nights: Vec<Look> = Vec::with_capacity(self.words.len());
        let mut before = 0;
        for (&listed, night) in self.words.iter().zip((self.first.0..).map(Night)) {
            let word = pricing.map_or(listed, |pricing| pricing.word(shared, listed, night));
            let (open_until, until, min_through, max_through) = (0, 0, 0, u8::MAX);
            nights.push(Look { word, before, open_until, until, min_through, max_through });
            before += word.price().unwrap_or(0);
        }
        let plan = offering.rate_plan;
        if let Some(rules) = watching(shared, plan, self.words.iter().copied()) {
            for (night, look) in self.first.until(self.end.plus(1)).zip(&mut nights) {
                look.word = self.moment.mark(shared, plan, &rules, (night, look.word));
            }
        }
        let length = self.stay.nights();
        let last = u16::try_from(self.cells.len()).unwrap_or(u16::MAX);
        let (mut open_until, mut until) = (last, last);
        for (at, (look, cell)) in (0..last).zip(nights.iter_mut().zip(&self.cells)).rev() {
            let word = look.word;
            if cell.available() < wanted || word.closed() || word.price().is_none() {
                (open_until, until) = (at, at);
            }
            let (least, most) = through(word);
            if length < u16::from(least) || (most != u8::MAX && length > u16::from(most)) {
                until = at;
            }
            (look.open_until, look.until) = (open_until, until);
        }
        let (ahead, from) = nights.split_at_mut_checked(self.at(self.stay.check_in))?;
        strictest(from.iter_mut());
        strictest(ahead.iter_mut().rev());
        Some(Product { offering: *offering, rooms, meant, nights })
    }
}

/// The through limits of a word; 0 and 255 for none.
fn through(word: RateWord) -> (u8, u8) {
    let (least, most) = (word.min_stay_through().over(None), word.max_stay_through().over(None));
    (least.unwrap_or(0), most.unwrap_or(u8::MAX))
}

/// Leaves in each night the strictest through limits of those met so far.
fn strictest<'a>(nights: impl Iterator<Item = &'a mut Look>) {
    let (mut least, mut most) = (0, u8::MAX);
    for look in nights {
        let limits = through(look.word);
        (least, most) = (limits.0.max(least), limits.1.min(most));
        (look.min_through, look.max_through) = (least, most);
    }
}

impl Product {
    pub const fn meant(&self) -> bool {
        self.meant
    }

    /// All that stands in the way of the asked stay, from the copy just read.
    pub fn name_blockers(&self, shared: &Shared, window: &Window<'_>, blockers: &mut Vec<Blocker>) {
        let from = window.at(window.stay.check_in);
        let words = window.words.iter().skip(from).copied();
        let rate_plan = self.offering.rate_plan;
        judge_rates(Layer::RatePlan(rate_plan), window.stay, words.clone(), blockers);
        window.moment.judge_clock(shared, rate_plan, words, blockers);
        let (layer, wanted) = (Layer::RoomType(self.offering.room_type), u32::from(self.rooms));
        let cells = window.cells.iter().skip(from).copied();
        judge_cells(layer, window.stay, cells, wanted, blockers);
    }

    /// The sum of the nightly prices of a stay of [`Window::moved`], where nothing stands in its way.
    fn open_sum(&self, window: &Window<'_>, stay: Stay) -> Option<i64> {
        let (from, to) = (window.at(stay.check_in), window.at(stay.check_out));
        let (arrival, departure) = (self.nights.get(from)?, self.nights.get(to)?);
        let length = stay.nights();
        if length == window.stay.nights() {
            if usize::from(arrival.until) < to {
                return None;
            }
        } else {
            // Back from the check-in, and on to the last night: together every night of the stay.
            let last = self.nights.get(to.checked_sub(1)?)?;
            let (least, most) = (
                arrival.min_through.max(last.min_through),
                arrival.max_through.min(last.max_through),
            );
            let limited =
                length < u16::from(least) || (most != u8::MAX && length > u16::from(most));
            if limited || usize::from(arrival.open_until) < to {
                return None;
            }
        }
        let word = arrival.word;
        let barred = word.bars_arrival(length) || departure.word.closed_to_departure();
        if barred { None } else { departure.before.checked_sub(arrival.before) }
    }

    /// What the rooms cost for a stay of [`Window::moved`], where it can be had.
    pub fn price(&self, window: &Window<'_>, stay: Stay) -> Option<Price> {
        let sum = self.open_sum(window, stay)?;
        let off = match &window.promo {
            Some(promo) => promo.draft.discount.of(sum)?,
            None => 0,
        };
        let taxes = window.taxes.now(window.province, stay.check_in).under(window.tax_profile);
        let one = quote::parts(sum - off, self.offering.tax_inclusive, taxes)?.total;
        let rooms = i64::from(self.rooms);
        Some(Price { total: one.checked_mul(rooms)?, off: off.checked_mul(rooms)? })
    }

    /// That the promotion has not the money left for the asked stay, which can be had otherwise.
    pub fn find_exhaustion(&self, window: &Window<'_>) -> Vec<Blocker> {
        let (Some(promo), Some(price)) = (&window.promo, self.price(window, window.stay)) else {
            return Vec::new();
        };
        promo.find_exhaustion(window.stay, price.off)
    }

    /// The stay as an answer.
    pub const fn answer(&self, stay: Stay, total: i64, distance: u16) -> Nearest {
        let (room_type, rate_plan) = (self.offering.room_type, self.offering.rate_plan);
        Nearest { stay, room_type, rate_plan, total, distance }
    }
}
