//! The catalogue: partners, hotels, room types and rate plans, as the partners describe them.
//!
//! Records are immutable values behind `Arc`; a change publishes a new one in the same slot. Readers get
//! a whole record with one atomic load. **Invariant**: a slot, once filled, is never emptied.

pub mod age_bands;
pub mod deposit;
pub mod hotel;
pub mod occupancy;
pub mod policy;
pub mod rate_plan;
pub mod room_type;
pub mod slots;
pub mod stay_rules;
pub mod text;

pub use age_bands::{AgeBand, AgeBands, ChildCharge, Guests};
pub use deposit::Deposit;
pub use hotel::{Hotel, HotelDraft, HotelStatus, Offering, Partner, TaxProfile};
pub use occupancy::{Adjustment, Derivation, Occupancies, Occupancy, OccupancyPrice};
pub use policy::{Penalty, Policy, Tier};
pub use rate_plan::{MealPlan, RatePlan, RatePlanDraft};
pub use room_type::{RoomType, RoomTypeDraft};
pub use slots::Slots;
pub use stay_rules::StayRules;
pub use text::Text;
