//! Rate plans: the products of a room type.

use super::{Policy, Text};
use crate::codec::{Decode, Encode};
use crate::ids::{RatePlanId, RatePlanIx, RoomTypeIx};

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
    pub policy: Policy,
}

impl RatePlanDraft {
    /// Within every bound.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.name.fits() && self.policy.is_valid()
    }
}

/// A plan as it stands.
#[derive(Debug, Clone)]
pub struct RatePlan {
    pub ix: RatePlanIx,
    pub id: RatePlanId,
    pub room_type: RoomTypeIx,
    pub version: u32,
    pub draft: RatePlanDraft,
}
