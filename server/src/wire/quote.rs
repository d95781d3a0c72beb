//! What a stay costs, as guests see it: by line and night, with taxes, and what giving it up costs.
//!
//! It owns no arithmetic of prices: amounts are the engine's for one room, times the rooms.

use holdfast_engine::Night;
use holdfast_engine::booking::{Booking, fees};
use holdfast_engine::catalogue::policy::Priced;
use holdfast_engine::catalogue::{Deposit, Hotel, Policy};
use holdfast_engine::civil::LogTimeMs;
use holdfast_engine::hold::Terms;
use holdfast_engine::money::{Currency, ratio};
use holdfast_engine::quote::RoomQuote;
use holdfast_engine::zone::Zone;
use serde::Serialize;
use utoipa::ToSchema;

use super::instant;
use super::money::Money;
use super::rate_plan::Penalty;

/// One night of a line, all its rooms.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NightView {
    #[schema(example = "2027-04-13", format = Date)]
    pub night: String,
    /// Before service charge and taxes, with what children add and without what a promotion takes off.
    pub room: Money,
    /// With its share of service charge and taxes.
    pub total: Money,
}

/// The parts of a price: `room`, `service_charge`, `vat` and `provincial_fee` add up to `total`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Amounts {
    /// What children add to the listed prices of the nights; it is in the parts below.
    pub extras: Money,
    /// What a promotion takes off the listed prices; the parts below are what is left.
    pub promo: Money,
    pub room: Money,
    pub service_charge: Money,
    pub vat: Money,
    pub provincial_fee: Money,
    pub total: Money,
}

/// What cancelling costs up to an instant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TierView {
    /// The last instant at which this holds, RFC 3339.
    #[schema(format = DateTime)]
    pub until: String,
    pub penalty: Penalty,
    pub fee: Money,
}

/// The price of one product for a stay, all its rooms.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StayQuote {
    pub nights: Vec<NightView>,
    #[serde(flatten)]
    pub amounts: Amounts,
    /// What of the total is paid at booking; the rest is paid at the hotel.
    pub deposit: Money,
    /// By deadline; after the last the whole total is due. Empty: free until check-in.
    pub cancellation: Vec<TierView>,
}

/// The price of one line of a hold or booking, all its rooms.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LineQuote {
    pub room_type_id: String,
    pub rate_plan_id: String,
    pub quantity: u16,
    #[serde(flatten)]
    pub quote: StayQuote,
}

/// The price of a hold or booking.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuoteView {
    pub lines: Vec<LineQuote>,
    #[serde(flatten)]
    pub amounts: Amounts,
    /// What of the total is paid at booking; the rest is paid at the hotel.
    pub deposit: Money,
    /// Version of the table of taxes it was made with.
    pub tax_version: u32,
}

/// What cancelling a whole booking costs, over time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PolicyView {
    /// By deadline.
    pub tiers: Vec<PolicyTier>,
    /// After the last deadline.
    pub fee_after: Money,
}

/// Cancelling no later than `until` costs `fee`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PolicyTier {
    #[schema(format = DateTime)]
    pub until: String,
    pub fee: Money,
}

/// What a price is about.
#[derive(Debug, Clone, Copy)]
pub struct Priceable<'a> {
    pub check_in: Night,
    pub quantity: u16,
    pub currency: Currency,
    pub policy: &'a Policy,
    pub deposit: Deposit,
    pub zone: &'a Zone,
}

impl Amounts {
    /// Sums of parts, in the order of the fields.
    fn of(parts: [i64; PARTS], currency: Currency) -> Self {
        let [extras, promo, room, service_charge, vat, provincial_fee, total] =
            parts.map(|amount| Money::new(amount, currency));
        Self { extras, promo, room, service_charge, vat, provincial_fee, total }
    }
}

/// Fields of [`Amounts`].
const PARTS: usize = 7;

/// The fields of [`Amounts`] for so many rooms.
fn parts(quote: &RoomQuote, quantity: u16) -> [i64; PARTS] {
    // The engine has checked that the total of all rooms fits; no part is larger than it.
    let RoomQuote { discount, room, service, vat, fee, total, .. } = *quote;
    [quote.extras_listed(), discount, room, service, vat, fee, total]
        .map(|part| part.saturating_mul(i64::from(quantity)))
}

impl StayQuote {
    pub fn of(quote: &RoomQuote, about: Priceable<'_>) -> Self {
        let rooms = i64::from(about.quantity);
        let money = |amount: i64| Money::new(amount.saturating_mul(rooms), about.currency);
        let nightly = quote.nightly_total();
        let rooms_part = quote.nightly_room();
        let total = quote.total.saturating_mul(rooms);
        let all_rooms: Vec<i64> = nightly.iter().map(|night| night.saturating_mul(rooms)).collect();
        let due = about.deposit.due(total, &all_rooms);
        let nights = rooms_part.iter().zip(&nightly).zip(about.check_in.0..);
        Self {
            nights: nights
                .map(|((room, total), night)| NightView {
                    night: Night(night).to_string(),
                    room: money(*room),
                    total: money(*total),
                })
                .collect(),
            amounts: Amounts::of(parts(quote, about.quantity), about.currency),
            deposit: Money::new(due, about.currency),
            cancellation: tiers(total, &all_rooms, about),
        }
    }
}

fn tiers(total: i64, nightly: &[i64], about: Priceable<'_>) -> Vec<TierView> {
    let priced = Priced { check_in: about.check_in, total, nightly };
    let one = |tier: &holdfast_engine::catalogue::Tier| {
        let deadline = tier.deadline(about.check_in, about.zone);
        TierView {
            until: instant::local(deadline, about.zone),
            penalty: tier.penalty.into(),
            fee: Money::new(about.policy.fee(priced, deadline, about.zone), about.currency),
        }
    };
    about.policy.tiers.iter().map(one).collect()
}

impl QuoteView {
    /// The price frozen in a hold. `ids` are room type and rate plan of each line, in their order.
    pub fn of(terms: &Terms, zone: &Zone, ids: &[(String, String)]) -> Self {
        let mut sums = [0i64; PARTS];
        let mut lines = Vec::with_capacity(terms.lines.len());
        for (line, (room_type_id, rate_plan_id)) in terms.lines.iter().zip(ids) {
            for (sum, part) in sums.iter_mut().zip(parts(&line.quote, line.quantity)) {
                *sum = sum.saturating_add(part);
            }
            let about = Priceable {
                check_in: terms.check_in,
                quantity: line.quantity,
                currency: terms.currency,
                policy: &line.policy,
                deposit: line.deposit,
                zone,
            };
            lines.push(LineQuote {
                room_type_id: room_type_id.clone(),
                rate_plan_id: rate_plan_id.clone(),
                quantity: line.quantity,
                quote: StayQuote::of(&line.quote, about),
            });
        }
        let amounts = Amounts::of(sums, terms.currency);
        let deposit = Money::new(terms.deposit_due(), terms.currency);
        Self { lines, amounts, deposit, tax_version: terms.tax_version }
    }
}

impl PolicyView {
    /// The policies of all lines as one: every deadline of any of them, with the fee of all.
    pub fn of(booking: &Booking, zone: &Zone) -> Self {
        let terms = &booking.terms;
        let tiers = terms.lines.iter().flat_map(|line| &line.policy.tiers);
        let mut deadlines: Vec<LogTimeMs> =
            tiers.map(|tier| tier.deadline(terms.check_in, zone)).collect();
        deadlines.sort_unstable();
        deadlines.dedup();
        let fee = |at: LogTimeMs| Money::new(fees::cancelling(booking, at, zone), terms.currency);
        let after = deadlines.last().map_or(0, |last| last.saturating_add(1));
        Self {
            fee_after: fee(after),
            tiers: deadlines
                .into_iter()
                .map(|at| PolicyTier { until: instant::local(at, zone), fee: fee(at) })
                .collect(),
        }
    }
}

/// Until when a stay can be given up for nothing, seen at `now`; `None` where that is over.
pub fn free_until(
    policy: &Policy,
    hotel: &Hotel,
    check_in: Night,
    now: LogTimeMs,
) -> Option<String> {
    let until = if policy.tiers.is_empty() {
        hotel.zone.instant(check_in, hotel.draft.check_in_minute)
    } else {
        policy.free_until(check_in, &hotel.zone)?
    };
    (until >= now).then(|| instant::local(until, &hotel.zone))
}

/// A total spread evenly over the nights, half-up.
pub fn average_night(total: i64, nights: u16, currency: Currency) -> Money {
    Money::new(ratio(total, 1, i64::from(nights)).unwrap_or(total), currency)
}
