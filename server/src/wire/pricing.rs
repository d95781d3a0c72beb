//! How prices are made on the wire: numbers of adults, derivation from another plan, age bands.

use holdfast_engine::catalogue::{
    Adjustment, AgeBand as EngineAgeBand, AgeBands, ChildCharge as EngineCharge, Derivation,
    Occupancies, Occupancy as EngineOccupancy, OccupancyPrice,
};
use holdfast_engine::ids::RatePlanIx;
use holdfast_engine::limits::{ADJUSTMENT_BP_MAX, ADULT_AGE, AGE_BANDS_MAX, PRICE_MAX};
use holdfast_engine::money::WHOLE_BP;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::Check;

/// Where a plan's prices come from, with exactly one of `percent_bp` and `absolute`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DerivedFrom {
    /// A plan of the same hotel.
    #[schema(example = "rp_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub rate_plan: String,
    /// Basis points added to the price, -10,000 to 100,000; half-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = -1_000)]
    pub percent_bp: Option<i32>,
    /// Minor units added to the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute: Option<i64>,
}

/// The price for a number of adults, with exactly one of `percent_bp`, `absolute` and `fixed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Occupancy {
    #[schema(example = 1, minimum = 1)]
    pub adults: u8,
    /// Basis points added to the night's price, -10,000 to 100,000; half-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = -1_500)]
    pub percent_bp: Option<i32>,
    /// Minor units added to the night's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute: Option<i64>,
    /// Minor units, whatever the night's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<i64>,
}

/// Children up to an age. A child past the last band counts as an adult.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgeBand {
    /// In years, inclusive.
    #[schema(example = 5, maximum = 17)]
    pub up_to_age: u8,
    pub charge: ChildCharge,
    /// Whether such a child takes one of the room's places.
    pub counts_toward_capacity: bool,
}

/// What one child costs a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChildCharge {
    Free,
    /// Minor units.
    Fixed(i64),
    /// Basis points of the plan's `extra_adult` price, 0 to 10,000.
    PercentBp(u16),
}

fn check_adjustment(
    at: &str,
    given: (Option<i32>, Option<i64>),
    check: &mut Check,
) -> Option<Adjustment> {
    let adjustment = match given {
        (Some(share), None) => Adjustment::PercentBp(share),
        (None, Some(amount)) => Adjustment::Absolute(amount),
        _ => return None,
    };
    if !adjustment.is_valid() {
        let detail = format!(
            "percent_bp lies between -{WHOLE_BP} and {ADJUSTMENT_BP_MAX}, absolute within {PRICE_MAX}"
        );
        check.fault(at, "field.range", detail);
    }
    Some(adjustment)
}

impl DerivedFrom {
    /// `parent` finds a plan by its id.
    pub fn check(
        &self,
        parent: impl Fn(&str) -> Option<RatePlanIx>,
        check: &mut Check,
    ) -> Option<Derivation> {
        let by = check_adjustment("/derived_from", (self.percent_bp, self.absolute), check);
        if by.is_none() {
            let detail = "needs exactly one of `percent_bp` and `absolute`";
            check.fault("/derived_from", "field.one_of", detail);
        }
        let found = parent(&self.rate_plan);
        if found.is_none() {
            let detail = "there is no such rate plan in this hotel";
            check.fault("/derived_from/rate_plan", "rate_plan.parent_unknown", detail);
        }
        Some(Derivation { parent: found?, by: by? })
    }

    pub fn of(derivation: Derivation, rate_plan: String) -> Self {
        let (percent_bp, absolute) = split(derivation.by);
        Self { rate_plan, percent_bp, absolute }
    }
}

const fn split(adjustment: Adjustment) -> (Option<i32>, Option<i64>) {
    match adjustment {
        Adjustment::PercentBp(share) => (Some(share), None),
        Adjustment::Absolute(amount) => (None, Some(amount)),
    }
}

impl Occupancy {
    fn check(&self, at: &str, check: &mut Check) -> EngineOccupancy {
        let price = match (self.fixed, (self.percent_bp, self.absolute)) {
            (Some(fixed), (None, None)) => Some(OccupancyPrice::Fixed(fixed)),
            (None, given) => check_adjustment(at, given, check).map(OccupancyPrice::Changed),
            _ => None,
        };
        if price.is_none() {
            let detail = "needs exactly one of `percent_bp`, `absolute` and `fixed`";
            check.fault(at, "field.one_of", detail);
        }
        EngineOccupancy { adults: self.adults, price: price.unwrap_or(OccupancyPrice::Fixed(0)) }
    }

    fn of(occupancy: EngineOccupancy) -> Self {
        let none = Self { adults: occupancy.adults, percent_bp: None, absolute: None, fixed: None };
        match occupancy.price {
            OccupancyPrice::Fixed(price) => Self { fixed: Some(price), ..none },
            OccupancyPrice::Changed(by) => {
                let (percent_bp, absolute) = split(by);
                Self { percent_bp, absolute, ..none }
            }
        }
    }
}

/// The engine's list; a fault where it takes none such.
pub fn check_occupancy(
    base: Option<u8>,
    given: &[Occupancy],
    extra_adult: Option<i64>,
    check: &mut Check,
) -> Occupancies {
    let prices = given.iter().enumerate();
    let prices = prices.map(|(at, one)| one.check(&format!("/occupancy/{at}"), check)).collect();
    let occupancies = Occupancies { base, prices, extra_adult };
    if !occupancies.is_valid() {
        let detail = "numbers of adults rise from 1, at most 16 of them, and prices are in range";
        check.fault("/occupancy", "occupancy.invalid", detail);
    }
    occupancies
}

pub fn occupancy_of(occupancies: &Occupancies) -> Vec<Occupancy> {
    occupancies.prices.iter().copied().map(Occupancy::of).collect()
}

/// The engine's bands; a fault where a hotel can have none such.
pub fn check_age_bands(given: &[AgeBand], check: &mut Check) -> AgeBands {
    let bands = given.iter().map(|band| EngineAgeBand {
        up_to_age: band.up_to_age,
        charge: match band.charge {
            ChildCharge::Free => EngineCharge::Free,
            ChildCharge::Fixed(amount) => EngineCharge::Fixed(amount),
            ChildCharge::PercentBp(share) => EngineCharge::PercentBp(share),
        },
        counts: band.counts_toward_capacity,
    });
    let bands = AgeBands(bands.collect());
    if !bands.is_valid() {
        let last = ADULT_AGE - 1;
        let detail =
            format!("at most {AGE_BANDS_MAX}, by rising age up to {last}, charges in range");
        check.fault("/age_bands", "age_bands.invalid", detail);
    }
    bands
}

pub fn age_bands_of(bands: &AgeBands) -> Vec<AgeBand> {
    let one = |band: &EngineAgeBand| AgeBand {
        up_to_age: band.up_to_age,
        charge: match band.charge {
            EngineCharge::Free => ChildCharge::Free,
            EngineCharge::Fixed(amount) => ChildCharge::Fixed(amount),
            EngineCharge::PercentBp(share) => ChildCharge::PercentBp(share),
        },
        counts_toward_capacity: band.counts,
    };
    bands.0.iter().map(one).collect()
}
