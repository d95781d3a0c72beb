//! Prices of stays: a line frozen into a hold, a quote for a door.
//!
//! It reads what the plan lists for each night; what goes on top is `quote`'s.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Pricing, Stay};
use crate::catalogue::{Hotel, RatePlan};
use crate::command::HoldLine;
use crate::few::Few;
use crate::hold::Line;
use crate::ids::RatePlanIx;
use crate::quote::{self, Discount, Nights, RoomQuote, Version};
use crate::rates::RateWord;
use crate::refusal::{Code, Refusal};
use crate::state::Shared;

/// What one room is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub stay: Stay,
    /// Of one room.
    pub adults: u8,
    /// Ages in years, of one room.
    pub children: &'a [u8],
    pub discount: Option<Discount>,
    /// A quote made before, with this discount: taken where what it was made from still stands.
    pub quoted: Option<&'a (Version, RoomQuote)>,
}

impl<'a> Asked<'a> {
    /// What a line asks for, without a promotion and with the door's quote.
    #[must_use]
    pub fn of(stay: Stay, line: &'a HoldLine) -> Self {
        let HoldLine { adults, ref children, ref quote, .. } = *line;
        Self { stay, adults, children, discount: None, quoted: quote.as_ref() }
    }

    /// The same with another promotion, or none: to be quoted anew.
    #[must_use]
    pub const fn with(self, discount: Option<Discount>) -> Self {
        Self { discount, quoted: None, ..self }
    }
}

/// The line with its price frozen, and what it costs for all its rooms. The quote made before counts where
/// what it was made from still stands.
pub fn price_line(
    shared: &Shared,
    hotel: &Hotel,
    asked: Asked<'_>,
    line: &HoldLine,
) -> Result<(Line, i64), Refusal> {
    let guard = shared.rate_plans.get(line.rate_plan.0);
    let Some(rate_plan) = guard.as_ref().and_then(|guard| guard.as_ref()) else {
        return Err(Code::NotFound.into());
    };
    let standing = standing_version(shared, line.rate_plan);
    let quote = match asked.quoted {
        Some((version, quote)) if *version == standing && quote.is_whole(asked.stay.nights()) => {
            quote.clone()
        }
        _ => quote_room(shared, hotel, rate_plan, asked).ok_or(Code::RateMissing)?.1,
    };
    let amount = quote.total.checked_mul(i64::from(line.quantity)).ok_or(Code::PriceOutOfRange)?;
    let priced = Line {
        room_type: line.room_type,
        rate_plan: line.rate_plan,
        quantity: line.quantity,
        adults: line.adults,
        children: line.children.iter().copied().collect(),
        quote,
        policy: Arc::clone(&rate_plan.draft.policy),
        deposit: rate_plan.draft.deposit,
    };
    Ok((priced, amount))
}

/// Versions of what a quote on a plan would be made from now.
#[must_use]
pub fn standing_version(shared: &Shared, rate_plan: RatePlanIx) -> Version {
    Version { rates: shared.quote_version(rate_plan), taxes: shared.tax_version() }
}

/// What one room costs for a stay, with the versions of what it was made from. `None` where a night has
/// no price or the sum does not fit.
#[must_use]
pub fn quote_room(
    shared: &Shared,
    hotel: &Hotel,
    rate_plan: &RatePlan,
    asked: Asked<'_>,
) -> Option<(Version, RoomQuote)> {
    // The version first, then all that the quote is made from, as it stands after that: a write in
    // between shows as an old version at apply. What the caller holds may be older than the version.
    let version = standing_version(shared, rate_plan.ix);
    let (hotel, rate_plan) =
        (shared.hotels.get(hotel.ix.0)?, shared.rate_plans.get(rate_plan.ix.0)?);
    let (hotel, rate_plan) = (hotel.as_ref()?, rate_plan.as_ref()?);
    let nights = list_nights(shared, hotel, rate_plan, asked)?;
    let taxes = shared.taxes_of(hotel, asked.stay.check_in);
    let quote = quote::room(nights, rate_plan.draft.tax_inclusive, taxes, asked.discount)?;
    Some((version, quote))
}

/// What a plan lists for a whole stay, minor units; as [`list_nights`], where the nights do not matter.
#[must_use]
pub fn list_sum(
    shared: &Shared,
    hotel: &Hotel,
    rate_plan: RatePlanIx,
    asked: Asked<'_>,
) -> Option<i64> {
    let rate_plan = shared.rate_plans.get(rate_plan.0)?;
    list_nights(shared, hotel, rate_plan.as_ref()?, asked)?.sum()
}

/// What a plan lists for each night of a stay, as it stands. `None` where a night has no price for the
/// party.
#[must_use]
pub fn list_nights(
    shared: &Shared,
    hotel: &Hotel,
    rate_plan: &RatePlan,
    asked: Asked<'_>,
) -> Option<Nights> {
    let room_type = shared.room_types.get(rate_plan.room_type.0)?;
    let room_type = &room_type.as_ref()?.draft;
    let party = (asked.adults, asked.children);
    let pricing = Pricing::of(&hotel.draft, room_type, rate_plan, party);
    let row = shared.rates.row(rate_plan.ix.0)?;
    let count = asked.stay.nights();
    let mut prices = Few::default();
    let slots = row.nights(asked.stay.check_in, count);
    for (slot, night) in slots.zip(asked.stay.check_in.until(asked.stay.check_out)) {
        // Acquire: pairs with the writer's Release, so that a plan-night is seen whole.
        let word = RateWord(slot.load(Ordering::Acquire));
        prices.push(pricing.night(shared, word, night).ok()?);
    }
    let priced = if pricing.extra() == 0 { 0 } else { prices.len() };
    let extras = std::iter::repeat_n(pricing.extra(), priced).collect();
    Some(Nights { prices, extras })
}
