//! What partners say of their hotels, room types and plans: the plainest that is valid.

use holdfast_engine::catalogue::policy::{Penalty, Tier};
use holdfast_engine::catalogue::{
    AgeBands, Deposit, HotelDraft, MealPlan, Occupancies, Policy, RatePlanDraft, RoomTypeDraft,
    StayRules, TaxProfile, Text,
};
use holdfast_engine::money::Currency;
use holdfast_engine::promo::{Period, PromoDraft};
use holdfast_engine::quote::Discount;

pub fn text(en: &str) -> Text {
    Text { th: "โรงแรม".to_owned(), en: en.to_owned() }
}

pub fn hotel() -> HotelDraft {
    HotelDraft {
        name: text("The Test"),
        description: text("A house to test in"),
        province: 10,
        lat_e6: 13_756_331,
        lon_e6: 100_501_765,
        stars: 4,
        property_type: 1,
        amenities: 0b1011,
        zone: "Asia/Bangkok".to_owned(),
        currency: Currency::THB,
        max_stay: 30,
        check_in_minute: 14 * 60,
        check_out_minute: 12 * 60,
        tax_profile: TaxProfile::STANDARD,
        age_bands: AgeBands::default(),
    }
}

pub fn room_type() -> RoomTypeDraft {
    RoomTypeDraft {
        name: text("Deluxe"),
        max_adults: 2,
        max_children: 1,
        max_occupancy: 3,
        beds: "1 king".to_owned(),
        size_m2: 32,
        amenities: 0b1,
    }
}

/// Prices without taxes; free until 18:00 two days before, then half, then the whole.
pub fn rate_plan() -> RatePlanDraft {
    let tier = |until_days, penalty| Tier { until_days, until_minute: 18 * 60, penalty };
    RatePlanDraft {
        name: text("Flexible"),
        meal_plan: MealPlan::Breakfast,
        tax_inclusive: false,
        policy: Policy {
            tiers: vec![tier(2, Penalty::PercentBp(0)), tier(1, Penalty::PercentBp(5_000))],
        }
        .into(),
        deposit: Deposit::Whole,
        rules: StayRules::default(),
        price_min: None,
        price_max: None,
        occupancy: Occupancies::default(),
        derived_from: None,
    }
}

/// Ten percent off whatever it is, for everybody and for ever.
pub fn promo() -> PromoDraft {
    PromoDraft {
        discount: Discount::PercentBp(1_000),
        currency: Currency::THB,
        booking: Period::default(),
        stay: Period::default(),
        min_nights: 1,
        hotels: Vec::new(),
        uses_max: None,
        money_max: None,
    }
}
