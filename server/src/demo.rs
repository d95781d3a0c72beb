//! A believable hotel market of Thailand, made from a seed: houses at real places, with rooms,
//! terms and a year of prices.
//!
//! Owns the making ([`Demo`]) and the loading through the partners' and admins' own doors
//! ([`load`]). It writes no state itself and knows no engine. **Invariant**: the same settings give
//! the same bytes on every machine, whatever the order hotels are asked for.

mod amenities;
pub mod body;
mod calendar;
mod dice;
mod kept;
pub mod load;
mod names;
mod prices;
mod progress;
mod rooms;
mod spots;
mod texts;

use jiff::civil::Date;

use body::{AriLine, HotelBody, Text};
use calendar::Calendar;
use dice::Dice;
use names::Namer;
use prices::{Pricing, Range, pack};
use rooms::{Catalogue, House};
use spots::{Climate, Setting, Spot};
use texts::{Facts, Writer};

pub use amenities::{Amenity, all as all_amenities};
pub use prices::{PRICE_MAX, PRICE_MIN};
pub use rooms::{Plan, Room};

/// How many hotels a demo may have.
pub const HOTELS_MIN: usize = 10;
pub const HOTELS_MAX: usize = 50_000;
pub const HOTELS_DEFAULT: usize = 2_000;
/// How many nights are priced, from today on.
pub const NIGHTS_DEFAULT: u16 = 365;

/// What a demo is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub seed: u64,
    pub hotels: usize,
    /// The first night for sale.
    pub today: Date,
    pub nights: u16,
}

/// The market: what is settled for all hotels together. One hotel at a time is worked out by
/// [`Demo::hotel`].
#[derive(Debug)]
pub struct Demo {
    settings: Settings,
    calendar: Calendar,
    spots: Vec<Spot>,
    sites: Vec<Site>,
    catalogue: Catalogue,
    writer: Writer,
}

/// One hotel's place among the others.
#[derive(Debug)]
struct Site {
    spot: usize,
    lat: f64,
    lon: f64,
    property_type: &'static str,
    stars: u8,
    name: Text,
}

/// One hotel with all there is to send.
#[derive(Debug)]
pub struct Hotel<'a> {
    pub body: HotelBody,
    pub rooms: Vec<Room>,
    pricing: Pricing,
    closed: Option<(Date, Date)>,
    climate: Climate,
    calendar: &'a Calendar,
}

/// The ids the server gave to a room type and its plans, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomIds {
    pub room_type: String,
    pub rate_plans: Vec<String>,
}

impl Demo {
    /// Settles places, kinds and names. `settings.hotels` is brought within [`HOTELS_MIN`] and
    /// [`HOTELS_MAX`].
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let hotels = settings.hotels.clamp(HOTELS_MIN, HOTELS_MAX);
        let settings = Settings { hotels, ..settings };
        let spots = spots::spots();
        let counts = spots::share_out(&spots, hotels);
        let mut dice = Dice::part(settings.seed, 0);
        let mut points = Vec::with_capacity(hotels);
        for (at, (spot, count)) in spots.iter().zip(counts).enumerate() {
            points.extend(spots::scatter(spot, count, &mut dice).into_iter().map(|p| (at, p)));
        }
        // Loaded in this order, so that every part of the country fills up evenly.
        dice.shuffle(&mut points);
        let mut namer = Namer::new();
        let sites = points
            .into_iter()
            .map(|(at, (lat, lon))| {
                let spot = &spots[at];
                let property_type = property_type(spot.setting, &mut dice);
                let stars = stars(property_type, spot.level, &mut dice);
                let name = namer.name(property_type, spot, &mut dice);
                Site { spot: at, lat, lon, property_type, stars, name }
            })
            .collect();
        Self {
            settings,
            calendar: Calendar::new(settings.today, settings.nights),
            spots,
            sites,
            catalogue: Catalogue::new(),
            writer: Writer::new(),
        }
    }

    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// How many hotels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sites.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// The `at`-th hotel, from 0.
    #[must_use]
    pub fn hotel(&self, at: usize) -> Option<Hotel<'_>> {
        let site = self.sites.get(at)?;
        let spot = self.spots.get(site.spot)?;
        let mut dice = Dice::part(self.settings.seed, 1 + at as u64);
        let house =
            House { property_type: site.property_type, stars: site.stars, setting: spot.setting };
        let rooms = self.catalogue.rooms(house, &mut dice);
        let amenities = amenities::of_house(house, &mut dice);
        let count = rooms.iter().map(|room| u32::from(room.allotment)).sum();
        let facts = Facts { name: &site.name, spot, house, amenities: &amenities, rooms: count };
        let description = self.writer.describe(&facts, &mut dice);
        let pricing = Pricing::new(house, spot, &mut dice);
        let closed = self.monsoon_closure(house, spot, &mut dice);
        let (check_in_time, check_out_time) = times(house, &mut dice);
        let body = HotelBody {
            name: site.name.clone(),
            description,
            province: spot.place.province.to_string(),
            lat: site.lat,
            lon: site.lon,
            stars: site.stars,
            property_type: site.property_type,
            amenities,
            check_in_time,
            check_out_time,
        };
        let climate = spot.climate;
        Some(Hotel { body, rooms, pricing, closed, climate, calendar: &self.calendar })
    }

    /// Some small houses by the sea close for the wettest weeks.
    fn monsoon_closure(&self, house: House, spot: &Spot, dice: &mut Dice) -> Option<(Date, Date)> {
        let (chance, first, last) = match (spot.climate, spot.setting) {
            (Climate::Andaman, Setting::Island) => (25, (6, 1), (9, 30)),
            (Climate::Andaman, Setting::Beach) => (6, (9, 1), (10, 15)),
            (Climate::Gulf, Setting::Island) => (6, (11, 1), (11, 30)),
            _ => return None,
        };
        if house.stars > 3 || !dice.percent(chance) {
            return None;
        }
        let within = |day: &&calendar::Day| {
            let day = (day.date.month(), day.date.day());
            first <= day && day <= last
        };
        let mut days = self.calendar.days.iter().filter(within);
        let from = days.next()?.date;
        // A year has one such season; where today lies in it, the rest of it and the next one's
        // start are two.
        let to = days.take_while(|day| day.date.year() == from.year()).last()?.date;
        Some((from, to))
    }
}

impl Hotel<'_> {
    /// Everything to write on its nights, as lines of the bulk stream numbered from `first_seq` on.
    /// `ids` are those of the rooms, in their order.
    pub fn ari<'a>(
        &'a self,
        ids: &'a [RoomIds],
        first_seq: u64,
    ) -> impl Iterator<Item = AriLine<'a>> {
        let lines = self.rooms.iter().zip(ids).flat_map(|(room, ids)| {
            let plans = room.plans.iter().zip(&ids.rate_plans);
            self.room_lines(room, &ids.room_type).chain(
                plans.flat_map(|(plan, id)| self.plan_lines(room, plan, (&ids.room_type, id))),
            )
        });
        (first_seq..).zip(lines).map(|(seq, line)| AriLine { seq, ..line })
    }

    fn room_lines<'a>(&self, room: &Room, id: &'a str) -> impl Iterator<Item = AriLine<'a>> {
        let days = &self.calendar.days;
        let whole = days.first().zip(days.last()).map(|(first, last)| AriLine {
            allotment: Some(room.allotment),
            ..line(id, (first.date, last.date))
        });
        let closed = self.closed.map(|dates| AriLine { closed: Some(true), ..line(id, dates) });
        whole.into_iter().chain(closed)
    }

    fn plan_lines<'a>(
        &self,
        room: &Room,
        plan: &Plan,
        (room_type, rate_plan): (&'a str, &'a str),
    ) -> impl Iterator<Item = AriLine<'a>> {
        let seasons = self.calendar.seasons(self.climate);
        let nights: Vec<_> = self.pricing.nights(room, plan, seasons, self.calendar).collect();
        pack(&nights).into_iter().map(move |Range { from, to, days, value }| AriLine {
            rate_plan: Some(rate_plan),
            days,
            price: Some(value.price),
            min_stay_arrival: value.min_stay_arrival,
            closed_to_arrival: value.closed_to_arrival,
            ..line(room_type, (from, to))
        })
    }
}

fn line(room_type: &str, (from, to): (Date, Date)) -> AriLine<'_> {
    AriLine {
        seq: 0,
        room_type,
        rate_plan: None,
        from: from.to_string(),
        to: to.to_string(),
        days: None,
        allotment: None,
        price: None,
        min_stay_arrival: None,
        closed_to_arrival: None,
        closed: None,
    }
}

fn property_type(setting: Setting, dice: &mut Dice) -> &'static str {
    let mix: &[(&str, u32)] = match setting {
        Setting::City => &[
            ("hotel", 48),
            ("boutique", 12),
            ("hostel", 10),
            ("guesthouse", 8),
            ("serviced_apartment", 22),
        ],
        Setting::Town => &[
            ("hotel", 50),
            ("resort", 22),
            ("guesthouse", 14),
            ("serviced_apartment", 9),
            ("hostel", 5),
        ],
        Setting::Heritage => {
            &[("hotel", 25), ("boutique", 26), ("guesthouse", 24), ("hostel", 19), ("homestay", 6)]
        }
        Setting::River => &[
            ("hotel", 30),
            ("resort", 28),
            ("boutique", 15),
            ("guesthouse", 14),
            ("homestay", 8),
            ("hostel", 5),
        ],
        Setting::Beach => &[
            ("resort", 36),
            ("hotel", 26),
            ("villa", 8),
            ("guesthouse", 9),
            ("boutique", 8),
            ("hostel", 5),
            ("serviced_apartment", 4),
            ("bungalow", 4),
        ],
        Setting::Island => &[
            ("resort", 40),
            ("bungalow", 20),
            ("villa", 10),
            ("hotel", 9),
            ("guesthouse", 7),
            ("hostel", 7),
            ("boutique", 7),
        ],
        Setting::Mountain => &[
            ("resort", 38),
            ("lodge", 11),
            ("homestay", 13),
            ("boutique", 10),
            ("guesthouse", 12),
            ("bungalow", 10),
            ("villa", 6),
        ],
    };
    mix[dice.weighted(mix.iter().map(|(_, share)| *share))].0
}

fn stars(property_type: &str, level: i64, dice: &mut Dice) -> u8 {
    let shares: [u32; 6] = match property_type {
        "hotel" => [0, 6, 22, 42, 23, 7],
        "resort" => [0, 2, 16, 42, 30, 10],
        "boutique" => [0, 0, 10, 48, 34, 8],
        "guesthouse" => [25, 25, 35, 15, 0, 0],
        "hostel" => [40, 30, 25, 5, 0, 0],
        "serviced_apartment" => [0, 0, 12, 48, 34, 6],
        "villa" => [0, 0, 0, 40, 42, 18],
        "bungalow" => [15, 25, 40, 20, 0, 0],
        "lodge" => [0, 10, 35, 40, 15, 0],
        _ => [70, 15, 15, 0, 0, 0],
    };
    let drawn = dice.weighted(shares.into_iter());
    // Dear places have better houses, cheap ones simpler ones.
    let shifted = match level {
        120.. if drawn < 5 && drawn > 2 && dice.percent(25) => drawn + 1,
        ..=70 if drawn > 3 && dice.percent(60) => drawn - 1,
        _ => drawn,
    };
    u8::try_from(shifted).unwrap_or(3)
}

fn times(house: House, dice: &mut Dice) -> (&'static str, &'static str) {
    let arrival = if house.stars >= 4 { &["15:00", "14:00"] } else { &["14:00", "13:00"] };
    let departure = if house.stars >= 4 { &["12:00", "11:00"] } else { &["12:00", "11:30"] };
    (*dice.pick(arrival), *dice.pick(departure))
}

#[cfg(test)]
mod tests;
