//! Rate plans: the products of a room type.

use std::sync::Arc;

use super::stay_rules::is_below;
use super::{Deposit, Derivation, Occupancies, Policy, StayRules, Text};
use crate::codec::{Decode, Encode};
use crate::ids::{RatePlanId, RatePlanIx, RoomTypeIx};
use crate::limits::PRICE_MAX;

/// What meals a plan includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum MealPlan {
    RoomOnly,
    Breakfast,
    HalfBoard,
    FullBoard,
    AllInclusive,
}

/// What a partner says of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RatePlanDraft {
    pub name: Text,
    pub meal_plan: MealPlan,
    /// Prices include service charge and taxes.
    pub tax_inclusive: bool,
    /// Shared with every hold and booking that was made under it.
    pub policy: Arc<Policy>,
    pub deposit: Deposit,
    /// What holds on nights whose row says nothing else.
    pub rules: StayRules,
    /// Bounds of the prices that may be written, minor units, both included.
    pub price_min: Option<i64>,
    pub price_max: Option<i64>,
    /// What numbers of adults cost, where not all the same.
    pub occupancy: Occupancies,
    /// Its prices come from another plan's, never from a partner.
    pub derived_from: Option<Derivation>,
}

impl RatePlanDraft {
    /// Within every bound.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let fits = |price: Option<i64>| price.is_none_or(|price| (0..=PRICE_MAX).contains(&price));
        self.name.fits()
            && self.policy.is_valid()
            && self.deposit.is_valid()
            && self.rules.is_valid()
            && self.occupancy.is_valid()
            && self.derived_from.is_none_or(|derivation| derivation.by.is_valid())
            && fits(self.price_min)
            && fits(self.price_max)
            && !is_below(self.price_max, self.price_min)
    }

    /// Whether a night's price lies within the plan's bounds.
    #[must_use]
    pub fn admits_price(&self, price: i64) -> bool {
        self.price_min.is_none_or(|least| price >= least)
            && self.price_max.is_none_or(|most| price <= most)
    }
}

/// A plan as it stands.
#[derive(Debug, Clone, Encode, Decode)]
pub struct RatePlan {
    pub ix: RatePlanIx,
    pub id: RatePlanId,
    pub room_type: RoomTypeIx,
    pub version: u32,
    pub draft: RatePlanDraft,
    /// Plans whose prices come from this one's, in the order they came to it.
    pub derived: Vec<RatePlanIx>,
    /// It sells nothing any more and is shown only where it was booked.
    pub removed: bool,
}
