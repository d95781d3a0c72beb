//! Why not, on the wire: what stands in the way of a stay, and the nearest stays that would work.

use holdfast_engine::promo::PromoCode;
use holdfast_engine::stay::Stay;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::language::Language;
use super::money::Money;
use super::promo::asked_code;
use super::stay::{Party, check_asked};
use crate::problem::{Blocker, Problem};

/// Which stay, and of what.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainParams {
    #[param(example = "2027-04-13", format = Date)]
    pub check_in: String,
    #[param(example = "2027-04-15", format = Date)]
    pub check_out: String,
    /// Rooms of one type; 1 where not said.
    pub rooms: Option<u16>,
    /// In all rooms together; 2 for each room where not said.
    pub adults: Option<u16>,
    /// Years, in all rooms together.
    #[param(example = "5,8")]
    pub children_ages: Option<String>,
    /// Only this room type is meant; all where not said.
    pub room_type_id: Option<String>,
    /// Only this plan is meant; all where not said.
    pub rate_plan_id: Option<String>,
    /// With this promotion of the hotel's partner.
    #[param(example = "SONGKRAN")]
    pub promo_code: Option<String>,
    #[param(inline)]
    pub lang: Option<Language>,
}

impl ExplainParams {
    pub fn check(&self) -> Result<(Stay, Party, Option<PromoCode>), Problem> {
        let dates = (self.check_in.as_str(), self.check_out.as_str());
        let (stay, party) =
            check_asked(dates, (self.rooms, self.adults), self.children_ages.as_deref())?;
        Ok((stay, party, asked_code(self.promo_code.as_deref())?))
    }
}

/// One product that was asked about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExplainedView {
    pub room_type_id: String,
    pub rate_plan_id: String,
    /// Nothing stands in the way.
    pub available: bool,
    /// All that does, with night and layer.
    pub blockers: Vec<Blocker>,
}

/// A stay that would work.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NearestView {
    #[schema(format = Date)]
    pub check_in: String,
    #[schema(format = Date)]
    pub check_out: String,
    pub nights: u16,
    /// Absent where it stands for several lines of one hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_plan_id: Option<String>,
    /// All rooms, all nights, with taxes.
    pub total: Money,
    /// The greater of the moves of check-in and check-out, in nights.
    pub distance_nights: u16,
}

/// Why a stay can or cannot be had.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExplainView {
    pub hotel_id: String,
    #[schema(format = Date)]
    pub check_in: String,
    #[schema(format = Date)]
    pub check_out: String,
    pub nights: u16,
    pub rooms: u16,
    /// Some product that was meant can be had.
    pub available: bool,
    /// By room type, then rate plan.
    pub offers: Vec<ExplainedView>,
    /// At most five, the nearest first, then the cheapest: the same length up to 14 nights away, up to
    /// 7 nights more or fewer, or another product on the same dates.
    pub nearest: Vec<NearestView>,
}
