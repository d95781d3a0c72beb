//! What the rooms of a changed booking cost: nights it has at the price frozen in them, the others at
//! today's, all of it taxed by the table the booking was made under.

use std::ops::Range;
use std::sync::Arc;

use super::Judged;
use super::portions::Portion;
use super::promotion::Going;
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
    going: Going,
) -> Result<(Vec<Line>, i64), Refusal> {
    let mut lines: Vec<Line> = Vec::with_capacity(portions.len());
    let mut total = 0i64;
    for portion in portions {
        let line = price_portion(judged, portion, going)?;
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

fn price_portion(
    judged: &Judged<'_>,
    portion: &Portion<'_>,
    going: Going,
) -> Result<Line, Refusal> {
    let stay = judged.moment.stay;
    let (_, rate_plan) = judged.product(portion)?;
    let (policy, deposit) = match portion.kept {
        Some(line) => (Arc::clone(&line.policy), line.deposit),
        None => (Arc::clone(&rate_plan.draft.policy), rate_plan.draft.deposit),
    };
    let quote = match portion.kept {
        Some(line) if stay == judged.terms.stay() => line.quote.clone(),
        Some(line) => requote(judged, portion, (&rate_plan, going), &line.quote)?,
        None => {
            let nights = listed(judged, portion, &rate_plan, stay)?;
            let inclusive = rate_plan.draft.tax_inclusive;
            frozen_taxes(judged, nights, inclusive, going.discount)?
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
    (rate_plan, going): (&RatePlan, Going),
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
    let had = if going.lost { Vec::new() } else { quote.nightly_discount() };
    let off: Vec<_> = had.into_iter().skip(first).take(count).collect();
    let own = usize::from(ahead.nights())..usize::from(ahead.nights()) + count;
    let discounts = discounts(&nights, (&off, own), going.discount);
    let discounts = discounts.ok_or(Code::PriceOutOfRange)?;
    let off: i64 = discounts.iter().sum();
    let off = (off > 0).then_some(Discount::Fixed(off));
    let quote = frozen_taxes(judged, nights, quote.inclusive, off)?;
    Ok(quote.with_discounts(discounts))
}

/// What each night has off: the booking's own what they had, the others their percentage, or by what they
/// are listed at what the own left of a fixed amount, which is for the whole room. `None` on overflow.
fn discounts(
    nights: &Nights,
    (off, own): (&[i64], Range<usize>),
    discount: Option<Discount>,
) -> Option<Vec<i64>> {
    let listed = |(at, price): (usize, &i64)| {
        let extra = nights.extras.get(at).copied().unwrap_or(0);
        if own.contains(&at) { Some(0) } else { price.checked_add(extra) }
    };
    let fresh = nights.prices.iter().enumerate().map(listed).collect::<Option<Vec<_>>>()?;
    let sum = fresh.iter().try_fold(0i64, |sum, &listed| sum.checked_add(listed))?;
    let more = match discount {
        None => 0,
        Some(Discount::Fixed(amount)) => {
            Discount::Fixed(amount.saturating_sub(off.iter().sum())).of(sum)?
        }
        Some(percent) => percent.of(sum)?,
    };
    let mut discounts = if more > 0 { split(more, &fresh)? } else { vec![0; fresh.len()] };
    for (night, off) in discounts.iter_mut().skip(own.start).zip(off) {
        *night = *off;
    }
    Some(discounts)
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
    let (adults, children) = (portion.adults, portion.children);
    let asked = Asked { stay, adults, children, discount: None, quoted: None };
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
