//! A rate plan on the wire, with its cancellation policy.

use holdfast_engine::catalogue::{
    Deposit as EngineDeposit, MealPlan as EngineMealPlan, Penalty as EnginePenalty, Policy,
    RatePlan as EngineRatePlan, RatePlanDraft, Tier as EngineTier,
};
use holdfast_engine::ids::RatePlanIx;
use holdfast_engine::limits::{MAX_STAY_MAX, POLICY_TIERS_MAX};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::{Check, minute_text};
use super::pricing::{DerivedFrom, Occupancy, check_occupancy, occupancy_of};
use super::text::Text;
use crate::problem::Problem;

/// What a partner says of a rate plan.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatePlanBody {
    pub name: Text,
    #[serde(default)]
    pub meal_plan: MealPlan,
    /// Whether prices include service charge and taxes.
    pub tax_inclusive: bool,
    /// Tiers from the earliest deadline to the latest; none means free until check-in.
    #[serde(default)]
    pub cancellation: Vec<Tier>,
    /// What is paid at booking; all of it where not said. The rest is paid at the hotel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<Deposit>,
    /// Nights, 1 to 62, of a stay that arrives on a night whose row says nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay_arrival: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stay_arrival: Option<u8>,
    /// Nights, 1 to 62, of a stay that includes such a night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_stay_through: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_stay_through: Option<u8>,
    /// Fewest and most days from the hotel's today to check-in; 0 is zero days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_advance: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_advance: Option<u16>,
    /// A night stops selling so many days earlier, at `release_time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_days: Option<u16>,
    /// Hotel-local; midnight where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "18:00")]
    pub release_time: Option<String>,
    /// Bounds of the prices that may be written, minor units, both included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_min: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_max: Option<i64>,
    /// Its prices come from another plan of the hotel, at most three deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_from: Option<DerivedFrom>,
    /// Prices for numbers of adults, by rising number; a number that is not named costs what the next
    /// higher one does.
    #[serde(default)]
    pub occupancy: Vec<Occupancy>,
    /// Adults that a night's price is for; as many as the room takes where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_occupancy: Option<u8>,
    /// Minor units a night for each adult above the highest number that has a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_adult: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MealPlan {
    #[default]
    RoomOnly,
    Breakfast,
    HalfBoard,
    FullBoard,
    AllInclusive,
}

/// Until `until_time` (hotel-local) on the day `until_days` before check-in, cancelling costs
/// `penalty`; the earliest deadline that has not passed counts. After the last one the whole total is
/// due; without tiers cancelling is free. Free cancellation is a first tier of 0 percent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    #[schema(example = 7)]
    pub until_days: u16,
    #[schema(example = "18:00")]
    pub until_time: String,
    pub penalty: Penalty,
}

/// Exactly one of the three; never more than the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deposit {
    /// Basis points of the total with taxes, 0 to 10,000.
    PercentBp(u16),
    /// The actual prices of the first nights.
    Nights(u8),
    /// Minor units, for each line of the booking.
    Fixed(i64),
}

/// Exactly one of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// Basis points of the total with taxes, 0 to 10,000.
    PercentBp(u16),
    /// The actual prices of the first nights.
    Nights(u8),
    /// Minor units, for each line of the booking.
    Fixed(i64),
}

impl From<MealPlan> for EngineMealPlan {
    fn from(plan: MealPlan) -> Self {
        match plan {
            MealPlan::RoomOnly => Self::RoomOnly,
            MealPlan::Breakfast => Self::Breakfast,
            MealPlan::HalfBoard => Self::HalfBoard,
            MealPlan::FullBoard => Self::FullBoard,
            MealPlan::AllInclusive => Self::AllInclusive,
        }
    }
}

impl From<EngineMealPlan> for MealPlan {
    fn from(plan: EngineMealPlan) -> Self {
        match plan {
            EngineMealPlan::RoomOnly => Self::RoomOnly,
            EngineMealPlan::Breakfast => Self::Breakfast,
            EngineMealPlan::HalfBoard => Self::HalfBoard,
            EngineMealPlan::FullBoard => Self::FullBoard,
            EngineMealPlan::AllInclusive => Self::AllInclusive,
        }
    }
}

impl From<Penalty> for EnginePenalty {
    fn from(penalty: Penalty) -> Self {
        match penalty {
            Penalty::PercentBp(share) => Self::PercentBp(share),
            Penalty::Nights(nights) => Self::Nights(nights),
            Penalty::Fixed(amount) => Self::Fixed(amount),
        }
    }
}

impl From<EnginePenalty> for Penalty {
    fn from(penalty: EnginePenalty) -> Self {
        match penalty {
            EnginePenalty::PercentBp(share) => Self::PercentBp(share),
            EnginePenalty::Nights(nights) => Self::Nights(nights),
            EnginePenalty::Fixed(amount) => Self::Fixed(amount),
        }
    }
}

impl From<Deposit> for EngineDeposit {
    fn from(deposit: Deposit) -> Self {
        match deposit {
            Deposit::PercentBp(share) => Self::PercentBp(share),
            Deposit::Nights(nights) => Self::Nights(nights),
            Deposit::Fixed(amount) => Self::Fixed(amount),
        }
    }
}

impl Deposit {
    /// `None` where all is due at booking.
    pub fn of(deposit: EngineDeposit) -> Option<Self> {
        Some(match deposit {
            EngineDeposit::Whole => return None,
            EngineDeposit::PercentBp(share) => Self::PercentBp(share),
            EngineDeposit::Nights(nights) => Self::Nights(nights),
            EngineDeposit::Fixed(amount) => Self::Fixed(amount),
        })
    }
}

impl RatePlanBody {
    /// `parent` finds a plan of the hotel by its id.
    pub fn check(
        &self,
        parent: impl Fn(&str) -> Option<RatePlanIx>,
    ) -> Result<RatePlanDraft, Problem> {
        let mut check = Check::new();
        let derived_from = self.derived_from.as_ref().and_then(|it| it.check(parent, &mut check));
        let extra = self.extra_adult;
        let (price_min, price_max) = self.check_bounds(&mut check);
        let draft = RatePlanDraft {
            name: self.name.check_name("/name", &mut check),
            meal_plan: self.meal_plan.into(),
            tax_inclusive: self.tax_inclusive,
            rules: self.check_rules(&mut check),
            price_min,
            price_max,
            policy: check_policy(&self.cancellation, &mut check).into(),
            deposit: check_deposit(self.deposit, &mut check),
            occupancy: check_occupancy(self.base_occupancy, &self.occupancy, extra, &mut check),
            derived_from,
        };
        check.finish()?;
        Ok(draft)
    }

    /// `parent` is the id of the plan it derives from.
    pub fn of(draft: &RatePlanDraft, parent: Option<String>) -> Self {
        Self {
            name: Text::from(&draft.name),
            meal_plan: draft.meal_plan.into(),
            tax_inclusive: draft.tax_inclusive,
            cancellation: tiers(&draft.policy),
            deposit: Deposit::of(draft.deposit),
            derived_from: draft.derived_from.zip(parent).map(|(it, id)| DerivedFrom::of(it, id)),
            occupancy: occupancy_of(&draft.occupancy),
            base_occupancy: draft.occupancy.base,
            extra_adult: draft.occupancy.extra_adult,
            min_stay_arrival: None,
            max_stay_arrival: None,
            min_stay_through: None,
            max_stay_through: None,
            min_advance: None,
            max_advance: None,
            release_days: None,
            release_time: None,
            price_min: None,
            price_max: None,
        }
        .with_rules(draft)
    }
}

fn check_deposit(deposit: Option<Deposit>, check: &mut Check) -> EngineDeposit {
    match deposit {
        Some(Deposit::PercentBp(10_001..)) => {
            check.fault("/deposit/percent_bp", "field.range", "at most 10000");
        }
        Some(Deposit::Fixed(..0)) => {
            check.fault("/deposit/fixed", "field.range", "at least 0");
        }
        _ => {}
    }
    deposit.map_or(EngineDeposit::Whole, Into::into)
}

fn check_policy(tiers: &[Tier], check: &mut Check) -> Policy {
    if tiers.len() > POLICY_TIERS_MAX {
        let detail = format!("must have at most {POLICY_TIERS_MAX} tiers");
        check.fault("/cancellation", "list.too_long", detail);
    }
    let mut policy = Policy::default();
    for (position, tier) in tiers.iter().take(POLICY_TIERS_MAX).enumerate() {
        let at = format!("/cancellation/{position}");
        let until_days =
            check.range(&format!("{at}/until_days"), tier.until_days, 0..=MAX_STAY_MAX);
        let until_minute = check.minute_of_day(&format!("{at}/until_time"), &tier.until_time);
        match tier.penalty {
            Penalty::PercentBp(10_001..) => {
                check.fault(&format!("{at}/penalty/percent_bp"), "field.range", "at most 10000");
            }
            Penalty::Fixed(..0) => {
                check.fault(&format!("{at}/penalty/fixed"), "field.range", "at least 0");
            }
            _ => {}
        }
        let tier = EngineTier { until_days, until_minute, penalty: tier.penalty.into() };
        let follows = policy.tiers.last().is_none_or(|before| {
            (before.until_days, tier.until_minute) > (tier.until_days, before.until_minute)
        });
        if !follows {
            let detail = "its deadline must be later than that of the tier before it";
            check.fault(&at, "policy.order", detail);
        }
        policy.tiers.push(tier);
    }
    policy
}

/// The tiers of a policy as shown outside.
pub fn tiers(policy: &Policy) -> Vec<Tier> {
    let one = |tier: &EngineTier| Tier {
        until_days: tier.until_days,
        until_time: minute_text(tier.until_minute),
        penalty: tier.penalty.into(),
    };
    policy.tiers.iter().map(one).collect()
}

/// A rate plan as its partner sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RatePlanView {
    #[schema(example = "rp_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub id: String,
    pub room_type_id: String,
    pub version: u32,
    #[serde(flatten)]
    pub body: RatePlanBody,
}

impl RatePlanView {
    pub fn of(rate_plan: &EngineRatePlan, room_type_id: String, parent: Option<String>) -> Self {
        Self {
            id: rate_plan.id.to_string(),
            room_type_id,
            version: rate_plan.version,
            body: RatePlanBody::of(&rate_plan.draft, parent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(cancellation: serde_json::Value) -> Result<RatePlanBody, serde_json::Error> {
        serde_json::from_value(serde_json::json!({
            "name": {"th": "ก", "en": "A"}, "tax_inclusive": false, "cancellation": cancellation
        }))
    }

    #[test]
    fn policies_in_order_are_taken_and_read_back_the_same() {
        let draft = body(serde_json::json!([
            {"until_days": 7, "until_time": "18:00", "penalty": {"percent_bp": 5000}},
            {"until_days": 1, "until_time": "12:00", "penalty": {"nights": 1}},
            {"until_days": 1, "until_time": "18:00", "penalty": {"fixed": 100_000}},
        ]))
        .unwrap()
        .check(|_| None)
        .unwrap();
        assert!(draft.is_valid());
        assert_eq!(RatePlanBody::of(&draft, None).check(|_| None).unwrap(), draft);
    }

    #[test]
    fn policies_out_of_order_or_range_are_refused() {
        let free = serde_json::json!({"percent_bp": 0});
        let tier = |days: u16, time: &str, penalty: &serde_json::Value| {
            let (until_days, until_time) = (days, time);
            serde_json::json!({
                "until_days": until_days, "until_time": until_time, "penalty": penalty
            })
        };
        for tiers in [
            serde_json::json!([tier(1, "00:00", &free), tier(7, "00:00", &free)]),
            serde_json::json!([tier(1, "00:00", &free), tier(1, "00:00", &free)]),
            serde_json::json!([tier(1, "24:00", &free)]),
            serde_json::json!([tier(1, "00:00", &serde_json::json!({"percent_bp": 10_001}))]),
            serde_json::json!([tier(1, "00:00", &serde_json::json!({"fixed": -1}))]),
        ] {
            assert!(body(tiers.clone()).unwrap().check(|_| None).is_err(), "{tiers}");
        }
        let both = serde_json::json!({"percent_bp": 0, "nights": 1});
        assert!(body(serde_json::json!([tier(1, "00:00", &both)])).is_err());
    }

    #[test]
    fn deposits_in_range_are_taken_and_read_back_the_same() {
        let with = |deposit: &serde_json::Value| {
            let mut value = serde_json::json!({
                "name": {"th": "ก", "en": "A"}, "tax_inclusive": false
            });
            value["deposit"] = deposit.clone();
            serde_json::from_value::<RatePlanBody>(value).unwrap().check(|_| None)
        };
        for deposit in [
            serde_json::Value::Null,
            serde_json::json!({"percent_bp": 10_000}),
            serde_json::json!({"nights": 1}),
            serde_json::json!({"fixed": 0}),
        ] {
            let draft = with(&deposit).unwrap();
            assert_eq!(RatePlanBody::of(&draft, None).check(|_| None).unwrap(), draft);
        }
        for deposit in [serde_json::json!({"percent_bp": 10_001}), serde_json::json!({"fixed": -1})]
        {
            assert!(with(&deposit).is_err(), "{deposit}");
        }
    }
}
