//! Prices of stays: a line frozen into a hold, a quote for a door.

use std::sync::atomic::Ordering;

use super::Stay;
use crate::catalogue::{Hotel, RatePlan};
use crate::command::HoldLine;
use crate::hold::Line;
use crate::quote::{self, RoomQuote, taxes};
use crate::rates::RateWord;
use crate::refusal::{Code, Refusal};
use crate::state::Shared;

/// The line with its price frozen, and what it costs for all its rooms.
pub fn price_line(
    shared: &Shared,
    hotel: &Hotel,
    stay: Stay,
    line: &HoldLine,
) -> Result<(Line, i64), Refusal> {
    let guard = shared.rate_plans.get(line.rate_plan.0);
    let Some(rate_plan) = guard.as_ref().and_then(|guard| guard.as_ref()) else {
        return Err(Code::NotFound.into());
    };
    let standing = shared.quote_version(line.rate_plan);
    let quote = match &line.quote {
        Some((version, quote)) if *version == standing => quote.clone(),
        _ => quote_room(shared, hotel, rate_plan, stay).ok_or(Code::RateMissing)?.1,
    };
    let amount = quote.total.checked_mul(i64::from(line.quantity)).ok_or(Code::PriceOutOfRange)?;
    let priced = Line {
        room_type: line.room_type,
        rate_plan: line.rate_plan,
        quantity: line.quantity,
        adults: line.adults,
        children: line.children.clone(),
        quote,
        policy: rate_plan.draft.policy.clone(),
    };
    Ok((priced, amount))
}

/// What one room costs for a stay, with the version of what it was made from. `None` where a night has
/// no price or the sum does not fit.
#[must_use]
pub fn quote_room(
    shared: &Shared,
    hotel: &Hotel,
    rate_plan: &RatePlan,
    stay: Stay,
) -> Option<(u32, RoomQuote)> {
    // The version first, then all that the quote is made from, as it stands after that: a write in
    // between shows as an old version at apply. What the caller holds may be older than the version.
    let version = shared.quote_version(rate_plan.ix);
    let (hotel, rate_plan) =
        (shared.hotels.get(hotel.ix.0)?, shared.rate_plans.get(rate_plan.ix.0)?);
    let (hotel, rate_plan) = (hotel.as_ref()?, rate_plan.as_ref()?);
    let row = shared.rates.row(rate_plan.ix.0)?;
    let mut prices = Vec::with_capacity(usize::from(stay.nights()));
    for slot in row.nights(stay.check_in, stay.nights()) {
        // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
        prices.push(RateWord(slot.load(Ordering::Acquire)).price()?);
    }
    let taxes = taxes(hotel.draft.province, stay.check_in);
    quote::room(&prices, rate_plan.draft.tax_inclusive, taxes).map(|quote| (version, quote))
}
