//! What a night costs in the demo, and how a year of nights becomes a few dozen lines.
//!
//! Owns the levels by property type and stars, the mark-ups of nights, and the packing of nights
//! into ranges with weekday masks. All integers: satang and basis points. **Invariant**: the ranges
//! of one plan cover every night, and the last range that covers a night has its value.

use jiff::civil::{Date, Weekday};

use super::calendar::{Calendar, Day, Mood};
use super::dice::Dice;
use super::rooms::{House, Plan, Room};
use super::spots::{Setting, Spot};

/// The bounds of every price, satang: 150 to 150,000 baht.
pub const PRICE_MIN: i64 = 15_000;
pub const PRICE_MAX: i64 = 15_000_000;

const WHOLE_BP: i64 = 10_000;
const BAHT: i64 = 100;

/// How a house prices: drawn once for it.
#[derive(Clone, Debug)]
pub(super) struct Pricing {
    /// The simplest room, flexible, room only, on an ordinary night; satang.
    base: i64,
    weekend_bp: i64,
    long_weekend_bp: i64,
    songkran_bp: i64,
    new_year_bp: i64,
    /// How much of the season this house follows, in percent.
    season_percent: i64,
    new_year_stay: u8,
    songkran_stay: u8,
    no_arrival_on_new_year_eve: bool,
    ending: Ending,
}

/// What prices end in: a matter of taste.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Tens,
    Fifties,
    Nineties,
}

/// What is said about one night of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Night {
    pub price: i64,
    pub min_stay_arrival: Option<u8>,
    pub closed_to_arrival: Option<bool>,
}

/// Nights of one value: `from..=to`, on `days` only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range<T> {
    pub from: Date,
    pub to: Date,
    /// All days of the range where `None`.
    pub days: Option<Vec<&'static str>>,
    pub value: T,
}

impl Pricing {
    pub fn new(house: House, spot: &Spot, dice: &mut Dice) -> Self {
        let leisure = house.setting.is_leisure();
        let base = base_baht(house) * BAHT * spot.level / 100 * dice.within(76..=130) / 100;
        let weekend_bp = match (leisure, house.setting) {
            (true, Setting::Mountain) => dice.within(116..=135),
            (true, _) => dice.within(106..=122),
            (false, _) => dice.within(97..=106),
        } * 100;
        let holidays = if leisure { 118..=138 } else { 102..=112 };
        let long_weekend_bp = (dice.within(holidays) * 100).max(weekend_bp);
        let strict = house.stars >= 3 && leisure;
        Self {
            base,
            weekend_bp,
            long_weekend_bp,
            songkran_bp: long_weekend_bp + dice.within(0..=15) * 100,
            new_year_bp: if leisure { dice.within(112..=135) * 100 } else { 10_800 },
            season_percent: if leisure { dice.within(80..=110) } else { dice.within(50..=90) },
            new_year_stay: match (strict, house.stars) {
                (true, 5) if dice.percent(50) => 3,
                (true, _) if dice.percent(60) => 2,
                _ => 1,
            },
            songkran_stay: if strict && dice.percent(40) { 2 } else { 1 },
            no_arrival_on_new_year_eve: strict && dice.percent(6),
            ending: *dice.pick(&[Ending::Tens, Ending::Fifties, Ending::Nineties]),
        }
    }

    /// Every night of a plan of a room.
    pub fn nights<'a>(
        &'a self,
        room: &'a Room,
        plan: &'a Plan,
        seasons: &'a [i64],
        calendar: &'a Calendar,
    ) -> impl Iterator<Item = Dated<Night>> + 'a {
        calendar.days.iter().zip(seasons).map(move |(day, season)| {
            let season = WHOLE_BP + (season - WHOLE_BP) * self.season_percent / 100;
            let mut price = self.base;
            for share in [room.price_bp, plan.price_bp, season, self.mood_bp(day.mood)] {
                price = price * share / WHOLE_BP;
            }
            let (min_stay_arrival, closed_to_arrival) = self.rules(day);
            let price = (self.ending.round(price) + plan.meals).clamp(PRICE_MIN, PRICE_MAX);
            let value = Night { price, min_stay_arrival, closed_to_arrival };
            let special = !matches!(day.mood, Mood::Weekday | Mood::Weekend);
            Dated { date: day.date, special, value }
        })
    }

    fn mood_bp(&self, mood: Mood) -> i64 {
        match mood {
            Mood::Weekday => WHOLE_BP,
            Mood::Weekend => self.weekend_bp,
            Mood::LongWeekend => self.long_weekend_bp,
            Mood::Songkran => self.songkran_bp,
            Mood::NewYear => self.new_year_bp,
        }
    }

    fn rules(&self, day: &Day) -> (Option<u8>, Option<bool>) {
        let stay = match (day.mood, day.date.month(), day.date.day()) {
            (Mood::NewYear, 12, 30 | 31) => self.new_year_stay,
            (Mood::Songkran, _, 12..=14) => self.songkran_stay,
            _ => 1,
        };
        let eve = (day.date.month(), day.date.day()) == (12, 31);
        ((stay > 1).then_some(stay), (eve && self.no_arrival_on_new_year_eve).then_some(true))
    }
}

impl Ending {
    fn round(self, satang: i64) -> i64 {
        let baht = satang / BAHT;
        let rounded = match self {
            Self::Nineties if baht >= 500 => (baht + 50) / 100 * 100 - 10,
            Self::Fifties if baht >= 500 => (baht + 25) / 50 * 50,
            _ => (baht + 5) / 10 * 10,
        };
        rounded * BAHT
    }
}

/// Baht for the simplest room on an ordinary night in a place of the middle level.
fn base_baht(house: House) -> i64 {
    let by_stars: [i64; 6] = match house.property_type {
        "resort" => [800, 850, 1_050, 1_850, 3_400, 7_800],
        "boutique" => [900, 950, 1_150, 1_900, 3_200, 6_500],
        "guesthouse" | "homestay" => [560, 520, 720, 980, 1_500, 2_400],
        "hostel" => [310, 340, 420, 560, 700, 900],
        "serviced_apartment" => [800, 850, 1_050, 1_700, 2_700, 4_900],
        "villa" => [3_200, 3_400, 3_800, 4_400, 6_800, 13_500],
        "bungalow" => [560, 620, 850, 1_350, 2_400, 4_500],
        "lodge" => [800, 850, 1_150, 1_800, 3_100, 6_000],
        _ => [550, 600, 880, 1_450, 2_700, 5_900],
    };
    by_stars.get(usize::from(house.stars)).copied().unwrap_or(1_000)
}

/// One night with what is to be said about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dated<T> {
    pub date: Date,
    /// Out of the ordinary: written after the others, over them.
    pub special: bool,
    pub value: T,
}

/// Packs nights into ranges as a revenue manager would write them: the ordinary year by seasons and
/// weekdays first, the special nights over it.
pub(super) fn pack<T: Copy + PartialEq>(nights: &[Dated<T>]) -> Vec<Range<T>> {
    let mut ranges = Vec::new();
    for special in [false, true] {
        let mut open: Option<Segment<T>> = None;
        for night in nights.iter().filter(|night| night.special == special) {
            if let Some(done) = open.take_if(|segment| !segment.takes(night)) {
                done.close(&mut ranges);
            }
            open.get_or_insert_with(|| Segment::new(night.date)).add(night);
        }
        if let Some(done) = open {
            done.close(&mut ranges);
        }
    }
    ranges
}

/// A range that grows while each weekday in it keeps its value.
struct Segment<T> {
    from: Date,
    to: Date,
    /// Monday first.
    week: [Option<T>; 7],
}

impl<T: Copy + PartialEq> Segment<T> {
    fn new(from: Date) -> Self {
        Self { from, to: from, week: [None; 7] }
    }

    /// Ordinary nights may have special ones between them, which are written over; special ones
    /// must be neighbours.
    fn takes(&self, night: &Dated<T>) -> bool {
        let next = self.to.tomorrow().is_ok_and(|next| next == night.date);
        let keeps = self.week[weekday(night.date)].is_none_or(|known| known == night.value);
        keeps && (next || !night.special)
    }

    fn add(&mut self, night: &Dated<T>) {
        self.to = night.date;
        self.week[weekday(night.date)] = Some(night.value);
    }

    fn close(self, ranges: &mut Vec<Range<T>>) {
        const WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let mut values: Vec<T> = Vec::new();
        for value in self.week.iter().flatten() {
            if !values.contains(value) {
                values.push(*value);
            }
        }
        let single = values.len() == 1;
        for value in values {
            let days = WORDS.iter().zip(&self.week);
            let days = days.filter(|(_, on)| **on == Some(value)).map(|(word, _)| *word).collect();
            let (from, to) = (self.from, self.to);
            ranges.push(Range { from, to, days: (!single).then_some(days), value });
        }
    }
}

fn weekday(date: Date) -> usize {
    match date.weekday() {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    fn nights(value: impl Fn(Date, bool) -> i64) -> Vec<Dated<i64>> {
        let mut dice = Dice::new(5);
        let night = |date| {
            let special = dice.percent(6);
            Dated { date, special, value: value(date, special) }
        };
        date(2026, 11, 22).series(1.day()).take(365).map(night).collect()
    }

    #[test]
    fn packed_nights_unpack_to_the_same() {
        let nights = nights(|day, special| {
            let weekend = matches!(day.weekday(), Weekday::Friday | Weekday::Saturday);
            i64::from(day.month()) + 100 * i64::from(weekend) + 1_000 * i64::from(special)
        });
        let ranges = pack(&nights);
        assert!(ranges.len() < 60, "{}", ranges.len());
        for Dated { date, value, .. } in nights {
            let word = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][weekday(date)];
            let covers = |range: &&Range<i64>| {
                (range.from..=range.to).contains(&date)
                    && range.days.as_ref().is_none_or(|days| days.contains(&word))
            };
            let last = ranges.iter().rfind(covers).map(|range| range.value);
            assert_eq!(last, Some(value), "{date}");
        }
    }

    #[test]
    fn one_value_needs_one_range_without_days() {
        let mut nights = nights(|_, _| 7);
        nights.iter_mut().for_each(|night| night.special = false);
        let (from, to) = (date(2026, 11, 22), date(2027, 11, 21));
        assert_eq!(pack(&nights), [Range { from, to, days: None, value: 7 }]);
        assert!(pack::<u8>(&[]).is_empty());
    }

    #[test]
    fn prices_end_as_prices_do() {
        let ended = [Ending::Tens, Ending::Fifties, Ending::Nineties]
            .map(|ending| [1_234, 876, 349].map(|baht| ending.round(baht * BAHT) / BAHT));
        assert_eq!(ended, [[1_230, 880, 350], [1_250, 900, 350], [1_190, 890, 350]]);
    }
}
