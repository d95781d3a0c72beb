//! Offers on the wire: every product of a hotel for one stay, with its price or what stands in the way.

use holdfast_engine::promo::PromoCode;
use holdfast_engine::stay::Stay;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::explain::NearestView;
use super::language::Language;
use super::promo::asked_code;
use super::quote::StayQuote;
use super::rate_plan::MealPlan;
use super::stay::{Party, check_asked};
use super::text::Text;
use crate::problem::{Blocker, Problem};

/// Which stay.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OffersParams {
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
    /// With this promotion of the hotel's partner.
    #[param(example = "SONGKRAN")]
    pub promo_code: Option<String>,
    #[param(inline)]
    pub lang: Option<Language>,
}

impl OffersParams {
    pub fn check(&self) -> Result<(Stay, Party, Option<PromoCode>), Problem> {
        let dates = (self.check_in.as_str(), self.check_out.as_str());
        let (stay, party) =
            check_asked(dates, (self.rooms, self.adults), self.children_ages.as_deref())?;
        Ok((stay, party, asked_code(self.promo_code.as_deref())?))
    }
}

/// Whether an offer can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferState {
    Available,
    /// All gone, some of it only held: it may come back.
    HeldOut,
    SoldOut,
    /// Not for this stay: closed, without a price, or against the stay rules.
    Closed,
}

/// One room type on one rate plan.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferView {
    pub room_type_id: String,
    pub room_type_name: Text,
    pub rate_plan_id: String,
    pub rate_plan_name: Text,
    pub meal_plan: MealPlan,
    pub state: OfferState,
    /// Rooms of the type on every night; 0 where closed.
    pub available: u32,
    /// What all rooms cost; present where the state is `available`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<StayQuote>,
    /// Until when it can be given up for nothing; with a quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub free_cancellation_until: Option<String>,
    /// Where held out: not before this instant does a hold of the hotel end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub earliest_expiry: Option<String>,
    /// Everything that stands in the way; present where there is no quote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Blocker>,
}

/// All offers of a hotel for one stay.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OffersView {
    pub hotel_id: String,
    #[schema(format = Date)]
    pub check_in: String,
    #[schema(format = Date)]
    pub check_out: String,
    pub nights: u16,
    pub rooms: u16,
    /// By room type, then rate plan.
    pub items: Vec<OfferView>,
    /// Where nothing can be had: the nearest stays that would work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<NearestView>,
}
