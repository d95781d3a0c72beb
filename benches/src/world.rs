//! The marketplace that figures are measured in: hotels, room types, plans, and a year of nights.
//!
//! Owns the commands that make it, and requests drawn from it. Positions are known beforehand because
//! a fresh log gives them in order. Invariant: the same world and seed make the same commands.

use holdfast_engine::ari::{Change, Line, OnConflict};
use holdfast_engine::catalogue::{
    AgeBands, Deposit, HotelDraft, HotelStatus, MealPlan, Occupancies, Penalty, Policy,
    RatePlanDraft, RoomTypeDraft, StayRules, TaxProfile, Text, Tier,
};
use holdfast_engine::command::{
    AddHotel, AddPartner, AddRatePlan, AddRoomType, Allot, Genesis, Hold, HoldLine, SetHotelStatus,
};
use holdfast_engine::ids::{
    HoldId, HotelId, HotelIx, PartnerId, RatePlanId, RatePlanIx, RoomTypeId, RoomTypeIx, mint,
};
use holdfast_engine::money::Currency;
use holdfast_engine::stay::{Asked, Stay, quote_room};
use holdfast_engine::{Command, Idempotency, Night, Principal, Reader, Verb, Weekdays, zone};

use crate::dice::Dice;

const PARTNER: u128 = 7;
const ADMIN: Principal = Principal::Admin(1);

/// The shape of a marketplace.
#[derive(Debug, Clone, Copy)]
pub struct World {
    pub hotels: u32,
    pub room_types: u32,
    pub rate_plans: u32,
    /// Nights with rooms and prices, from `first` on.
    pub nights: u16,
    pub horizon: u16,
    pub rooms: u16,
    pub first: Night,
    /// Hotels that lie in the province [`CITY`]; the others lie elsewhere.
    pub in_city: u32,
    /// Hotels after those that lie in the province [`TOWN`].
    pub in_town: u32,
}

/// Bangkok's province code.
pub const CITY: u8 = 10;
/// Phuket's.
pub const TOWN: u8 = 83;
const ELSEWHERE: u8 = 50;

impl World {
    /// A marketplace of `hotels` hotels with five room types of one plan, on sale for a year.
    pub const fn of(hotels: u32, first: Night) -> Self {
        Self {
            hotels,
            room_types: 5,
            rate_plans: 1,
            nights: 365,
            horizon: 730,
            rooms: 400,
            first,
            in_city: 0,
            in_town: 0,
        }
    }

    /// The commands that make it, in order: one list per hotel after the first.
    pub fn commands(self) -> impl Iterator<Item = Vec<Command>> {
        let genesis = Verb::Genesis(Genesis {
            horizon_nights: self.horizon,
            quota: holdfast_engine::command::genesis::Quota::default(),
        });
        let partner =
            Verb::AddPartner(AddPartner { id: PartnerId(PARTNER), name: "Benches".into() });
        let head = vec![Command::plain(genesis), Command::plain(partner)];
        std::iter::once(head).chain((0..self.hotels).map(move |hotel| self.hotel(hotel)))
    }

    pub const fn room_types_count(self) -> u32 {
        self.hotels * self.room_types
    }

    pub fn hotel_id(hotel: HotelIx) -> u128 {
        mint(1_000, 0, Dice::new(u64::from(hotel.0)).wide())
    }

    pub fn room_type_id(room_type: RoomTypeIx) -> u128 {
        mint(2_000, 0, Dice::new(u64::from(room_type.0)).wide())
    }

    pub fn rate_plan_id(rate_plan: RatePlanIx) -> u128 {
        mint(3_000, 0, Dice::new(u64::from(rate_plan.0)).wide())
    }

    fn hotel(self, hotel: u32) -> Vec<Command> {
        let principal = Principal::Partner(PARTNER);
        let ix = HotelIx(hotel);
        let mut verbs = vec![
            Verb::AddHotel(AddHotel {
                id: HotelId(Self::hotel_id(ix)),
                partner: PartnerId(PARTNER),
                draft: self.draft(hotel),
            }),
            Verb::SetHotelStatus(SetHotelStatus {
                hotel: ix,
                principal,
                status: HotelStatus::Pending,
            }),
            Verb::SetHotelStatus(SetHotelStatus {
                hotel: ix,
                principal: ADMIN,
                status: HotelStatus::Live,
            }),
        ];
        let mut lines = Vec::new();
        for nth in 0..self.room_types {
            let room_type = RoomTypeIx(hotel * self.room_types + nth);
            verbs.push(Verb::AddRoomType(AddRoomType {
                id: RoomTypeId(Self::room_type_id(room_type)),
                hotel: ix,
                principal,
                draft: room_type_draft(nth),
            }));
            lines.push(self.line(
                room_type,
                None,
                Change { allotment: Some(self.rooms), ..Change::default() },
            ));
            for plan in 0..self.rate_plans {
                let rate_plan = RatePlanIx(room_type.0 * self.rate_plans + plan);
                verbs.push(Verb::AddRatePlan(AddRatePlan {
                    id: RatePlanId(Self::rate_plan_id(rate_plan)),
                    room_type,
                    principal,
                    draft: rate_plan_draft(plan),
                }));
                let price =
                    90_000 + i64::from(hotel % 97) * 3_100 + i64::from(nth * 20_000 + plan * 9_000);
                lines.push(self.line(
                    room_type,
                    Some(rate_plan),
                    Change { price: Some(price), min_stay_arrival: Some(1), ..Change::default() },
                ));
                let weekend = Change { price: Some(price + price / 5), ..Change::default() };
                let mut line = self.line(room_type, Some(rate_plan), weekend);
                line.days = Weekdays(0b011_0000);
                lines.push(line);
            }
        }
        for (seq, line) in (1u64..).zip(lines.iter_mut()) {
            line.seq = seq;
        }
        verbs.push(Verb::Allot(Allot {
            principal,
            partner: PartnerId(PARTNER),
            source: format!("benches-{hotel}"),
            lines,
        }));
        verbs.into_iter().map(Command::plain).collect()
    }

    fn line(self, room_type: RoomTypeIx, rate_plan: Option<RatePlanIx>, change: Change) -> Line {
        Line {
            seq: 0,
            hotel: None,
            room_type,
            rate_plan,
            from: self.first,
            to: self.first.plus(self.nights - 1),
            days: Weekdays::ALL,
            change,
            on_conflict: OnConflict::Accept,
        }
    }

    fn draft(self, hotel: u32) -> HotelDraft {
        let mut dice = Dice::new(u64::from(hotel));
        let province = match hotel {
            _ if hotel < self.in_city => CITY,
            _ if hotel < self.in_city + self.in_town => TOWN,
            _ => ELSEWHERE,
        };
        HotelDraft {
            name: Text { th: format!("โรงแรม {hotel}"), en: format!("Hotel {hotel}") },
            description: Text::default(),
            province,
            lat_e6: 13_600_000 + dice.below(300_000).cast_signed(),
            lon_e6: 100_400_000 + dice.below(300_000).cast_signed(),
            stars: u8::try_from(dice.below(6)).unwrap_or(0),
            property_type: 0,
            amenities: dice.next(),
            zone: zone::DEFAULT.into(),
            currency: Currency::THB,
            max_stay: 30,
            check_in_minute: 14 * 60,
            check_out_minute: 12 * 60,
            tax_profile: TaxProfile::STANDARD,
            age_bands: AgeBands::default(),
        }
    }
}

fn room_type_draft(nth: u32) -> RoomTypeDraft {
    RoomTypeDraft {
        name: Text { th: format!("ห้อง {nth}"), en: format!("Room {nth}") },
        max_adults: 2,
        max_children: 1,
        max_occupancy: 3,
        beds: "1 king".into(),
        size_m2: 32,
        amenities: 0,
    }
}

fn rate_plan_draft(nth: u32) -> RatePlanDraft {
    let free = Tier { until_days: 3, until_minute: 18 * 60, penalty: Penalty::PercentBp(0) };
    let first_night = Tier { until_days: 0, until_minute: 18 * 60, penalty: Penalty::Nights(1) };
    RatePlanDraft {
        name: Text { th: String::new(), en: format!("Plan {nth}") },
        meal_plan: if nth.is_multiple_of(2) { MealPlan::RoomOnly } else { MealPlan::Breakfast },
        tax_inclusive: false,
        rules: StayRules::default(),
        price_min: None,
        price_max: None,
        policy: Policy { tiers: vec![free, first_night] }.into(),
        deposit: Deposit::Whole,
        occupancy: Occupancies::default(),
        derived_from: None,
    }
}

/// Requests drawn from a world: stays of one to four nights (2.5 on average), one room for two.
#[derive(Debug, Clone)]
pub struct Requests {
    world: World,
    dice: Dice,
    guests: u32,
}

impl Requests {
    /// Of `guests` guests, each as likely as the others.
    pub const fn new(world: World, seed: u64, guests: u32) -> Self {
        Self { world, dice: Dice::new(seed), guests }
    }

    /// One request, unpriced: what a door makes of a body.
    #[allow(clippy::cast_possible_truncation)] // Bounded by the nights on sale, a u16.
    pub fn draw(&mut self) -> Hold {
        let world = self.world;
        let room_type = self.dice.below(world.room_types_count());
        let nights = 1 + self.dice.below(4) as u16;
        // From the third night on: "today" of no zone is later.
        let from = 2 + self.dice.below(u32::from(world.nights - nights - 2)) as u16;
        let check_in = world.first.plus(from);
        Hold {
            id: HoldId(mint(4_000, 0, self.dice.wide())),
            hotel: HotelIx(room_type / world.room_types),
            principal: Principal::Guest(u128::from(self.dice.below(self.guests)) + 1),
            stay: Stay { check_in, check_out: check_in.plus(nights) },
            lines: vec![HoldLine {
                room_type: RoomTypeIx(room_type),
                rate_plan: RatePlanIx(
                    room_type * world.rate_plans + self.dice.below(world.rate_plans),
                ),
                quantity: 1,
                adults: 2,
                children: Vec::new(),
                quote: None,
            }],
            ttl_s: 300,
            expected_total: None,
            client_reference: None,
            block: None,
            promo: None,
        }
    }

    /// The command for a request, with a key of its own.
    pub fn keyed(&mut self, verb: Verb) -> Command {
        let idempotency = Idempotency { key: self.dice.wide(), fingerprint: self.dice.wide() };
        Command { idempotency: Some(idempotency), verb }
    }
}

/// Prices a request as a door does.
pub fn quote(reader: &Reader, hold: &mut Hold) {
    let Some(hotel) = reader.hotel(hold.hotel) else { return };
    for line in &mut hold.lines {
        if let Some(rate_plan) = reader.rate_plan(line.rate_plan) {
            line.quote = quote_room(reader, &hotel, &rate_plan, Asked::of(hold.stay, line));
        }
    }
}
