//! Room types and rate plans: what a house of some kind has, how many, for how many guests, on
//! which terms.
//!
//! Owns the table of room types (`assets/demo/rooms.csv`) and the terms below. Prices per night are
//! made elsewhere. **Invariant**: room types of one hotel differ in name and rise in price, except
//! for a dorm's beds.

use super::amenities;
use super::body::{Bed, Penalty, RatePlanBody, RoomTypeBody, Text, Tier};
use super::dice::Dice;
use super::spots::Setting;
use crate::gazetteer::rows::{number, rows};

const ROOMS: &str = include_str!("../../assets/demo/rooms.csv");

/// Deadlines before this many days cannot be asked for; a plan without refund is due from there on.
const NO_REFUND_DAYS: u16 = 365;

#[derive(Clone, Copy, Debug)]
struct Kind {
    family: &'static str,
    en: &'static str,
    th: &'static str,
    price_bp: i64,
    adults: u8,
    children: u8,
    people: u8,
    beds: &'static str,
    size_m2: u16,
    extras: &'static str,
}

/// A room type with what the pricing needs to know.
#[derive(Clone, Debug)]
pub struct Room {
    pub body: RoomTypeBody,
    /// How many of them the hotel gives.
    pub allotment: u16,
    pub plans: Vec<Plan>,
    /// Of the price of the hotel's simplest room, in basis points.
    pub(super) price_bp: i64,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub body: RatePlanBody,
    /// Of the room's flexible price, in basis points.
    pub(super) price_bp: i64,
    /// Added per night, satang.
    pub(super) meals: i64,
}

/// What the house is, as far as its rooms depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct House {
    pub property_type: &'static str,
    pub stars: u8,
    pub setting: Setting,
}

/// The table, read once for a whole run.
#[derive(Debug)]
pub(super) struct Catalogue {
    kinds: Vec<Kind>,
}

impl Catalogue {
    pub fn new() -> Self {
        let kinds = rows(ROOMS)
            .map(|[family, en, th, price, adults, children, people, beds, size, extras]| Kind {
                family,
                en,
                th,
                price_bp: number(price),
                adults: number(adults),
                children: number(children),
                people: number(people),
                beds,
                size_m2: number(size),
                extras,
            })
            .collect();
        Self { kinds }
    }

    /// 2 to 8 room types of `house`, about 5, each with its plans.
    pub fn rooms(&self, house: House, dice: &mut Dice) -> Vec<Room> {
        let family = family(house.property_type);
        let mut kinds: Vec<Kind> = self
            .kinds
            .iter()
            .filter(|kind| kind.family == family && affordable(kind, house.stars))
            .copied()
            .collect();
        let wanted = (2 + dice.weighted([6, 16, 24, 22, 16, 10, 6].into_iter())).min(kinds.len());
        while kinds.len() > wanted {
            kinds.remove(dice.below(kinds.len()));
        }
        let scale = scale_percent(house, dice);
        let plans = plans(house, dice);
        let view = view(house.setting);
        kinds.iter().map(|kind| room(kind, view, allotment(kind, scale, dice), &plans)).collect()
    }
}

fn family(property_type: &str) -> &'static str {
    match property_type {
        "resort" => "resort",
        "guesthouse" | "homestay" => "guesthouse",
        "hostel" => "hostel",
        "serviced_apartment" => "apartment",
        "villa" => "villa",
        "bungalow" | "lodge" => "bungalow",
        _ => "hotel",
    }
}

/// Suites with private pools belong to better houses, fans to simpler ones.
fn affordable(kind: &Kind, stars: u8) -> bool {
    match kind.family {
        "hotel" | "resort" => match stars {
            0..=2 => kind.price_bp <= 15_500,
            3 => kind.price_bp <= 23_000,
            4 => (11_500..=42_000).contains(&kind.price_bp),
            _ => kind.price_bp >= 12_500,
        },
        "bungalow" | "guesthouse" => stars < 3 || !kind.extras.contains("fan"),
        _ => true,
    }
}

/// How big the house is, in percent of the middle: grand hotels have many rooms, homestays few.
fn scale_percent(house: House, dice: &mut Dice) -> i64 {
    let (least, most) = match (house.property_type, house.stars) {
        ("hotel" | "serviced_apartment", 4..) => (90, 260),
        ("hotel" | "serviced_apartment", _) => (50, 150),
        ("resort", 4..) => (70, 200),
        ("resort", _) => (30, 90),
        ("hostel", _) => (60, 140),
        ("villa" | "homestay" | "lodge", _) => (15, 40),
        _ => (20, 60),
    };
    dice.within(least..=most)
}

/// 2 to 40 rooms: fewer of the larger kinds.
fn allotment(kind: &Kind, scale: i64, dice: &mut Dice) -> u16 {
    let middle = match kind.family {
        "hostel" if kind.people == 1 => 18,
        "villa" => 10,
        _ => 16 * 10_000 / kind.price_bp.max(8_000),
    };
    let drawn = middle * scale / 100 * dice.within(70..=130) / 100;
    u16::try_from(drawn.clamp(2, 40)).unwrap_or(2)
}

/// What is seen from the better rooms: as words of a name, and as an amenity.
#[derive(Clone, Copy, Debug)]
struct View {
    en: &'static str,
    th: &'static str,
    amenity: &'static str,
}

fn view(setting: Setting) -> View {
    let (en, th, amenity) = match setting {
        Setting::Beach | Setting::Island => ("Sea View", "วิวทะเล", "sea_view"),
        Setting::Mountain => ("Mountain View", "วิวภูเขา", "mountain_view"),
        Setting::River => ("River View", "วิวแม่น้ำ", "river_view"),
        Setting::City => ("City View", "วิวเมือง", "city_view"),
        Setting::Town | Setting::Heritage => ("Garden View", "วิวสวน", "garden_view"),
    };
    View { en, th, amenity }
}

fn room(kind: &Kind, view: View, allotment: u16, plans: &[Plan]) -> Room {
    let beds = kind.beds.split('+').fold(Vec::<Bed>::new(), |mut beds, bed| {
        // "Twin" is how such rooms are sold; what stands in them are two single beds.
        let (bed, count) = if bed == "twin" { ("single", 2) } else { (bed, 1) };
        match beds.iter_mut().find(|known| known.kind == bed) {
            Some(known) => known.count += count,
            None => beds.push(Bed { kind: bed, count }),
        }
        beds
    });
    let body = RoomTypeBody {
        name: Text { th: kind.th.replace("{v}", view.th), en: kind.en.replace("{v}", view.en) },
        max_adults: kind.adults,
        max_children: kind.children,
        max_occupancy: kind.people,
        beds,
        size_m2: kind.size_m2,
        amenities: amenities::of_room(kind.family, kind.extras, view.amenity),
    };
    let per_guest = i64::from(kind.adults);
    let plans =
        plans.iter().map(|plan| Plan { meals: plan.meals * per_guest, ..plan.clone() }).collect();
    Room { body, allotment, plans, price_bp: kind.price_bp }
}

/// 1 to 3 plans, the same for all rooms of a house; `meals` is per guest here.
fn plans(house: House, dice: &mut Dice) -> Vec<Plan> {
    // Better houses quote without tax and service, as their rate cards do.
    let tax_inclusive = house.stars < 4 || dice.percent(35);
    let breakfast = dice.within(match house.stars {
        0..=2 => 80..=150,
        3 => 150..=280,
        4 => 300..=480,
        _ => 600..=950,
    }) / 10
        * 1_000;
    let flexible = flexible(house, dice);
    let simple = matches!(house.property_type, "hostel" | "homestay" | "guesthouse" | "bungalow");
    let saver_bp = dice.within(86..=92) * 100;
    let terms = Terms { tax_inclusive, flexible, breakfast, saver_bp };
    match (simple, dice.below(100)) {
        (true, 0..=54) => vec![terms.room_only()],
        (true, _) => vec![terms.room_only(), terms.saver()],
        (false, 0..=9) => vec![terms.with_breakfast()],
        (false, 10..=39) => vec![terms.room_only(), terms.with_breakfast()],
        (false, 40..=54) => vec![terms.saver(), terms.with_breakfast()],
        (false, 55..=64) if house.stars >= 4 && house.setting.is_seaside() => {
            vec![terms.saver(), terms.with_breakfast(), terms.half_board()]
        }
        (false, _) => vec![terms.saver(), terms.room_only(), terms.with_breakfast()],
    }
}

/// Until when cancelling is free, and what it costs until later deadlines.
fn flexible(house: House, dice: &mut Dice) -> Vec<Tier> {
    let mut penalty = Penalty::PercentBp(0);
    let mut tiers: Vec<Tier> = costs(house, dice)
        .into_iter()
        .map(|cost| Tier { penalty: std::mem::replace(&mut penalty, cost.penalty), ..cost })
        .collect();
    if penalty != Penalty::PercentBp(10_000) {
        // The last penalty holds to the end of the check-in day; without a tier all would be due.
        tiers.push(Tier { until_days: 0, until_time: "23:59", penalty });
    }
    tiers
}

/// From which deadlines on cancelling costs how much.
fn costs(house: House, dice: &mut Dice) -> Vec<Tier> {
    let tier = |until_days, until_time, penalty| Tier { until_days, until_time, penalty };
    match (house.setting.is_leisure(), house.stars, dice.below(3)) {
        (false, _, 0 | 1) => vec![tier(1, "18:00", Penalty::Nights(1))],
        (false, _, _) => vec![tier(0, "18:00", Penalty::Nights(1))],
        (true, 0..=2, _) => vec![tier(2, "14:00", Penalty::Nights(1))],
        (true, 3, 0) => vec![tier(3, "18:00", Penalty::PercentBp(5_000))],
        (true, 3, _) => {
            vec![tier(7, "18:00", Penalty::Nights(1)), tier(1, "18:00", Penalty::PercentBp(10_000))]
        }
        (true, _, 0) => {
            vec![
                tier(14, "18:00", Penalty::PercentBp(5_000)),
                tier(3, "18:00", Penalty::PercentBp(10_000)),
            ]
        }
        (true, _, _) => {
            vec![tier(7, "18:00", Penalty::Nights(1)), tier(3, "18:00", Penalty::PercentBp(10_000))]
        }
    }
}

struct Terms {
    tax_inclusive: bool,
    flexible: Vec<Tier>,
    breakfast: i64,
    saver_bp: i64,
}

impl Terms {
    fn plan(&self, name: (&str, &str), meal_plan: &'static str, meals: i64) -> Plan {
        let body = RatePlanBody {
            name: Text { en: name.0.to_owned(), th: name.1.to_owned() },
            meal_plan,
            tax_inclusive: self.tax_inclusive,
            cancellation: self.flexible.clone(),
        };
        Plan { body, price_bp: 10_000, meals }
    }

    fn room_only(&self) -> Plan {
        self.plan(("Room Only", "เฉพาะห้องพัก"), "room_only", 0)
    }

    fn with_breakfast(&self) -> Plan {
        self.plan(("Bed & Breakfast", "ห้องพักพร้อมอาหารเช้า"), "breakfast", self.breakfast)
    }

    fn half_board(&self) -> Plan {
        let name = ("Half Board", "ห้องพักพร้อมอาหารเช้าและอาหารเย็น");
        self.plan(name, "half_board", self.breakfast * 3)
    }

    fn saver(&self) -> Plan {
        let name = ("Saver, Non-Refundable", "ราคาประหยัด ไม่คืนเงินเมื่อยกเลิก");
        let mut plan = self.plan(name, "room_only", 0);
        plan.price_bp = self.saver_bp;
        plan.body.cancellation = vec![Tier {
            until_days: NO_REFUND_DAYS,
            until_time: "00:00",
            penalty: Penalty::PercentBp(10_000),
        }];
        plan
    }
}
