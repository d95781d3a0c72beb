//! What the rooms of a changed booking cost: nights it has at the price frozen in them, the others at
//! today's, all of it taxed by the table the booking was made under.

use std::sync::Arc;

use super::Judged;
use super::portions::Portion;
use crate::catalogue::RatePlan;
use crate::hold::Line;
use crate::money::split;
use crate::quote::{self, Discount, Nights, RoomQuote};
use crate::refusal::{Code, Refusal};
use crate::stay::{Asked, Stay, list_nights};

/// The lines with their prices and what they cost together. Lines that are alike become one.
pub(super) fn price(
    judged: &Judged<'_>,
    portions: &[Portion<'_>],
) -> Result<(Vec<Line>, i64), Refusal> {
    let mut lines: Vec<Line> = Vec::with_capacity(portions.len());
    let mut total = 0i64;
    for portion in portions {
        let line = price_portion(judged, portion)?;
        let amount = line.quote.total.checked_mul(i64::from(line.quantity));
        total = amount.and_then(|amount| total.checked_add(amount)).ok_or(Code::PriceOutOfRange)?;
        let alike = |known: &&mut Line| {
            let quantity = line.quantity;
            Line { quantity, ..Line::clone(known) } == line
        };
        match lines.iter_mut().find(alike) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => lines.push(line),
        }
    }
    Ok((lines, total))
}

fn price_portion(judged: &Judged<'_>, portion: &Portion<'_>) -> Result<Line, Refusal> {
    let stay = judged.moment.stay;
    let (_, rate_plan) = judged.product(portion)?;
    let (policy, deposit) = match portion.kept {
        Some(line) => (Arc::clone(&line.policy), line.deposit),
        None => (Arc::clone(&rate_plan.draft.policy), rate_plan.draft.deposit),
    };
    let quote = match portion.kept {
        Some(line) if stay == judged.terms.stay() => line.quote.clone(),
        Some(line) => requote(judged, portion, &rate_plan, &line.quote)?,
        None => {
            let nights = listed(judged, portion, &rate_plan, stay)?;
            let inclusive = rate_plan.draft.tax_inclusive;
            frozen_taxes(judged, nights, inclusive, None)?
        }
    };
    Ok(Line {
        room_type: portion.room_type,
        rate_plan: portion.rate_plan,
        quantity: portion.quantity,
        adults: portion.adults,
        children: portion.children.iter().copied().collect(),
        quote,
        policy,
        deposit,
    })
}

/// Rooms of the booking over other nights: what it has at its own price, what it gets at today's.
fn requote(
    judged: &Judged<'_>,
    portion: &Portion<'_>,
    rate_plan: &RatePlan,
    quote: &RoomQuote,
) -> Result<RoomQuote, Refusal> {
    let (stay, before) = (judged.moment.stay, judged.terms.stay());
    // Where nothing is kept, the whole stay lies on one side.
    let from = before.check_in.clamp(stay.check_in, stay.check_out);
    let until = before.check_out.clamp(from, stay.check_out);
    let ahead = Stay { check_in: stay.check_in, check_out: from };
    let behind = Stay { check_in: until, check_out: stay.check_out };
    let mut nights = own_basis(judged, portion, (rate_plan, ahead), quote.inclusive)?;
    let first = usize::from(from.0.saturating_sub(before.check_in.0));
    let count = usize::from(until.0 - from.0);
    let prices = quote.prices.iter().skip(first).take(count).copied().collect();
    let extras = quote.extras.iter().skip(first).take(count).copied().collect();
    append(&mut nights, Nights { prices, extras });
    append(&mut nights, own_basis(judged, portion, (rate_plan, behind), quote.inclusive)?);
    if nights.extras.iter().all(|&extra| extra == 0) {
        // Nothing is added on the nights that are left: as if it never had been.
        nights.extras.clear();
    }
    // What a promotion took off stays with the nights it was given for.
    let off = split(quote.discount, &quote.nightly_listed()).unwrap_or_default();
    let off: i64 = off.iter().skip(first).take(count).sum();
    frozen_taxes(judged, nights, quote.inclusive, (off > 0).then_some(Discount::Fixed(off)))
}

/// What today's prices of some nights are on the basis that the booking was made on.
fn own_basis(
    judged: &Judged<'_>,
    portion: &Portion<'_>,
    (rate_plan, stay): (&RatePlan, Stay),
    inclusive: bool,
) -> Result<Nights, Refusal> {
    if stay.nights() == 0 {
        return Ok(Nights::default());
    }
    let nights = listed(judged, portion, rate_plan, stay)?;
    if rate_plan.draft.tax_inclusive == inclusive {
        return Ok(nights);
    }
    // The plan's prices mean something else since: these nights count with what they come to.
    let quote = frozen_taxes(judged, nights, rate_plan.draft.tax_inclusive, None)?;
    let prices = if inclusive { quote.nightly_total() } else { quote.nightly_room() };
    Ok(Nights { prices: prices.into(), ..Nights::default() })
}

fn listed(
    judged: &Judged<'_>,
    portion: &Portion<'_>,
    rate_plan: &RatePlan,
    stay: Stay,
) -> Result<Nights, Refusal> {
    let asked = Asked { stay, adults: portion.adults, children: portion.children, discount: None };
    list_nights(judged.shared, judged.hotel, rate_plan, asked)
        .ok_or_else(|| Code::RateMissing.into())
}

fn frozen_taxes(
    judged: &Judged<'_>,
    nights: Nights,
    inclusive: bool,
    discount: Option<Discount>,
) -> Result<RoomQuote, Refusal> {
    let supply = judged.moment.stay.check_in;
    let taxes = judged.shared.taxes_at(judged.terms.tax_version, judged.hotel, supply);
    quote::room(nights, inclusive, taxes, discount).ok_or_else(|| Code::PriceOutOfRange.into())
}

/// Later nights after earlier ones. Where only some have extras, the others have none.
fn append(nights: &mut Nights, later: Nights) {
    if !nights.extras.is_empty() || !later.extras.is_empty() {
        nights.extras.resize(nights.prices.len(), 0);
        let mut extras = later.extras;
        extras.resize(later.prices.len(), 0);
        nights.extras.extend(extras);
    }
    nights.prices.extend(later.prices);
}
