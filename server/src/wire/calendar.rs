//! A hotel's calendar on the wire: one object a day.

use holdfast_engine::Night;
use holdfast_engine::calendar::{Day, Obstacle};
use holdfast_engine::limits::CALENDAR_DAYS_MAX;
use holdfast_engine::money::Currency;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::check::Check;
use super::language::Language;
use super::money::Money;
use super::offer::OfferState;
use super::stay::check_night;
use crate::problem::Problem;

/// Adults where nobody says how many.
const ADULTS_DEFAULT: u8 = 2;

/// Which days, for whom.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CalendarParams {
    #[param(example = "2027-04-01", format = Date)]
    pub from: String,
    /// The last day, included; at most 366 days.
    #[param(example = "2027-04-30", format = Date)]
    pub to: String,
    /// In one room; 2 where not said.
    pub adults: Option<u8>,
    #[param(inline)]
    pub lang: Option<Language>,
}

impl CalendarParams {
    /// First and last day, and the adults.
    pub fn check(&self) -> Result<(Night, Night, u8), Problem> {
        let mut check = Check::new();
        let from = check_night("?from", &self.from, &mut check);
        let to = check_night("?to", &self.to, &mut check);
        let adults = check.range("?adults", self.adults.unwrap_or(ADULTS_DEFAULT), 1..=u8::MAX);
        check.finish()?;
        let mut check = Check::new();
        if to < from {
            check.fault("?to", "date.order", "must not lie before `from`");
        } else if to.0 - from.0 >= CALENDAR_DAYS_MAX {
            let detail = format!("at most {CALENDAR_DAYS_MAX} days at once");
            check.fault("?to", "field.range", detail);
        }
        check.finish()?;
        Ok((from, to, adults))
    }
}

/// One day. What it says is about this day alone: whether the nights after it are open too, offers and
/// explain tell.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DayView {
    #[schema(example = "2027-04-13", format = Date)]
    pub date: String,
    pub state: OfferState,
    /// The cheapest room for this night alone, with taxes; `null` where none can be slept in.
    pub price: Option<Money>,
    /// Rooms left for this night, over all room types that take the guests.
    pub available: u32,
    pub can_arrive: bool,
    pub can_depart: bool,
    /// Fewest nights of a stay that begins on this day; `null` where none can.
    pub min_stay: Option<u16>,
    /// Most nights of a stay that begins on this day; `null` where none can.
    pub max_stay: Option<u16>,
    /// Why no stay can begin on this day, the least in the way of all products; `null` where one can.
    #[schema(example = "stay.closed_to_arrival")]
    pub reason: Option<&'static str>,
}

/// The days of a hotel.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CalendarView {
    pub hotel_id: String,
    pub currency: String,
    pub adults: u8,
    pub days: Vec<DayView>,
}

impl DayView {
    pub fn of(day: &Day, currency: Currency) -> Self {
        let state = match day.reason {
            _ if day.available > 0 => OfferState::Available,
            Some(Obstacle::HeldOut) => OfferState::HeldOut,
            Some(Obstacle::SoldOut) => OfferState::SoldOut,
            _ => OfferState::Closed,
        };
        Self {
            date: day.night.to_string(),
            state,
            price: day.price.map(|price| Money::new(price, currency)),
            available: day.available,
            can_arrive: day.can_arrive,
            can_depart: day.can_depart,
            min_stay: day.can_arrive.then_some(day.min_stay),
            max_stay: day.can_arrive.then_some(day.max_stay),
            reason: day.reason.map(Obstacle::name),
        }
    }
}
