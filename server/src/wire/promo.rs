//! Promotions on the wire.

use holdfast_engine::Night;
use holdfast_engine::ids::HotelId;
use holdfast_engine::limits::{MAX_STAY_MAX, PRICE_MAX, PROMO_HOTELS_MAX};
use holdfast_engine::money::{Currency, WHOLE_BP};
use holdfast_engine::promo::{Period, Promo, PromoCode, Tally};
use holdfast_engine::quote::Discount as EngineDiscount;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::check::Check;
use super::instant;
use super::language::Language;
use super::money::{Money, parse_currency};
use super::stay::check_night;
use crate::problem::Problem;

/// The code that a text means, where there is one; a fault where it can be none.
pub fn check_code(pointer: &str, text: Option<&str>, check: &mut Check) -> Option<PromoCode> {
    match text.map(PromoCode::new)? {
        Ok(code) => Some(code),
        Err(error) => {
            check.fault(pointer, "promo.code_invalid", error.to_string());
            None
        }
    }
}

/// The code of a query.
pub fn asked_code(text: Option<&str>) -> Result<Option<PromoCode>, Problem> {
    let mut check = Check::new();
    let code = check_code("?promo_code", text, &mut check);
    check.finish()?;
    Ok(code)
}

/// Exactly one of the two, off each room and stay before service charge and taxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// Basis points of all nights and what children add, 1 to 10,000.
    PercentBp(u16),
    /// Minor units, at least 1; never more than what the room is listed at.
    Fixed(i64),
}

/// A promotion.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoBody {
    /// 1 to 32 of A–Z, 0–9, `-` and `_`, in either case. A change may leave it out; it cannot be changed.
    #[serde(default)]
    #[schema(example = "SONGKRAN", max_length = 32)]
    pub code: Option<String>,
    pub discount: Discount,
    /// Of all amounts in here, ISO 4217; THB where not said. Hotels of another currency do not take it.
    #[serde(default)]
    #[schema(example = "THB")]
    pub currency: Option<String>,
    /// First date on which it can be booked, at the hotel; both dates included.
    #[serde(default)]
    #[schema(format = Date)]
    pub book_from: Option<String>,
    #[serde(default)]
    #[schema(format = Date)]
    pub book_until: Option<String>,
    /// First night of stays that can have it; every night must lie in here, the last date included.
    #[serde(default)]
    #[schema(format = Date)]
    pub stay_from: Option<String>,
    #[serde(default)]
    #[schema(format = Date)]
    pub stay_until: Option<String>,
    /// Of the stay; 1 where not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 365)]
    pub min_nights: Option<u16>,
    /// Yours that take it, at most 256; all of yours where empty.
    #[serde(default)]
    pub hotel_ids: Vec<String>,
    /// Holds and bookings that may have it; any number where not said.
    #[serde(default)]
    pub uses_max: Option<u32>,
    /// What it may take off them together; any amount where not said.
    #[serde(default)]
    pub money_max: Option<Money>,
    /// Whose it is; for admins, who must say so.
    #[serde(default)]
    pub partner_id: Option<String>,
}

/// A promotion whose form is right; its hotels are still names.
#[derive(Debug, Clone)]
pub struct PromoFields {
    pub code: Option<PromoCode>,
    pub discount: EngineDiscount,
    pub currency: Currency,
    pub booking: Period,
    pub stay: Period,
    pub min_nights: u16,
    /// `None` for a text that can be no id.
    pub hotels: Vec<Option<HotelId>>,
    pub uses_max: Option<u32>,
    pub money_max: Option<i64>,
}

impl PromoBody {
    pub fn check(&self) -> Result<PromoFields, Problem> {
        let mut check = Check::new();
        let currency = self.check_currency(&mut check);
        if self.hotel_ids.len() > PROMO_HOTELS_MAX {
            let detail = format!("at most {PROMO_HOTELS_MAX} hotels; none for all");
            check.fault("/hotel_ids", "list.too_long", detail);
        }
        let money_max = self.money_max.as_ref().map(|most| {
            if most.currency != currency.code() {
                let detail = format!("the promotion is in {}", currency.code());
                check.fault("/money_max/currency", "currency.mismatch", detail);
            }
            check.range("/money_max/amount", most.amount, 0..=i64::MAX)
        });
        let fields = PromoFields {
            code: check_code("/code", self.code.as_deref(), &mut check),
            discount: match self.discount {
                Discount::PercentBp(share) => {
                    let most = u16::try_from(WHOLE_BP).unwrap_or(u16::MAX);
                    let share = check.range("/discount/percent_bp", share, 1..=most);
                    EngineDiscount::PercentBp(share)
                }
                Discount::Fixed(amount) => {
                    let amount = check.range("/discount/fixed", amount, 1..=PRICE_MAX);
                    EngineDiscount::Fixed(amount)
                }
            },
            currency,
            booking: check_period(
                ["/book_from", "/book_until"],
                [&self.book_from, &self.book_until],
                &mut check,
            ),
            stay: check_period(
                ["/stay_from", "/stay_until"],
                [&self.stay_from, &self.stay_until],
                &mut check,
            ),
            min_nights: check.range("/min_nights", self.min_nights.unwrap_or(1), 1..=MAX_STAY_MAX),
            hotels: self.hotel_ids.iter().map(|text| text.parse().ok()).collect(),
            uses_max: self.uses_max,
            money_max,
        };
        check.finish()?;
        Ok(fields)
    }

    /// As it is said; else that of the cap; else the baht.
    fn check_currency(&self, check: &mut Check) -> Currency {
        let cap = self.money_max.as_ref().map(|most| &most.currency);
        let Some(text) = self.currency.as_ref().or(cap) else { return Currency::THB };
        parse_currency(text).unwrap_or_else(|| {
            check.fault("/currency", "currency.invalid", "must be an ISO 4217 code like `THB`");
            Currency::THB
        })
    }
}

fn check_period(pointers: [&str; 2], dates: [&Option<String>; 2], check: &mut Check) -> Period {
    let mut date = |at: usize, text: &Option<String>| -> Option<Night> {
        let pointer = pointers.get(at).copied().unwrap_or_default();
        text.as_ref().map(|text| check_night(pointer, text, check))
    };
    let [first, last] = dates;
    let period = Period { first: date(0, first), last: date(1, last) };
    if period.first.zip(period.last).is_some_and(|(first, last)| first > last) {
        let pointer = pointers.last().copied().unwrap_or_default();
        check.fault(pointer, "date.order", "must not lie before the first date");
    }
    period
}

/// Whose, for admins.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhosePromo {
    /// Whose it is; for admins, who must say so.
    pub partner_id: Option<String>,
}

/// Which page, and whose.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PromosParams {
    /// Items wanted, 1 to 200; 50 when not said.
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Whose they are; for admins, who must say so.
    pub partner_id: Option<String>,
    /// Taken everywhere; what is listed is in no language.
    #[param(inline)]
    pub lang: Option<Language>,
}

/// So many uses, and what they take off together.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TallyView {
    pub uses: u64,
    pub money: Money,
}

/// A promotion as it stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PromoView {
    #[schema(example = "SONGKRAN")]
    pub code: String,
    pub partner_id: String,
    /// `active`, or `removed`.
    pub status: String,
    pub discount: Discount,
    pub currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub book_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub book_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub stay_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub stay_until: Option<String>,
    pub min_nights: u16,
    /// Empty for all of the partner's.
    pub hotel_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money_max: Option<Money>,
    /// By holds that stand.
    pub reserved: TallyView,
    /// By bookings that were not cancelled.
    pub committed: TallyView,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The same as the `ETag`; what is counted does not change it.
    pub version: u32,
}

impl PromoView {
    /// `hotel_ids` are those of its hotels, in their order.
    pub fn of(promo: &Promo, hotel_ids: Vec<String>) -> Self {
        let draft = &promo.draft;
        let money = |amount| Money::new(amount, draft.currency);
        let tally = |tally: Tally| TallyView { uses: tally.uses, money: money(tally.money) };
        let date = |date: Option<Night>| date.map(|date| date.to_string());
        Self {
            code: promo.code.to_string(),
            partner_id: promo.partner.to_string(),
            status: if promo.removed { "removed" } else { "active" }.to_owned(),
            discount: match draft.discount {
                EngineDiscount::PercentBp(share) => Discount::PercentBp(share),
                EngineDiscount::Fixed(amount) => Discount::Fixed(amount),
            },
            currency: draft.currency.code().to_owned(),
            book_from: date(draft.booking.first),
            book_until: date(draft.booking.last),
            stay_from: date(draft.stay.first),
            stay_until: date(draft.stay.last),
            min_nights: draft.min_nights,
            hotel_ids,
            uses_max: draft.uses_max,
            money_max: draft.money_max.map(money),
            reserved: tally(promo.reserved),
            committed: tally(promo.committed),
            created_at: instant::utc(promo.created_ms),
            version: promo.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(change: impl FnOnce(&mut serde_json::Value)) -> Vec<String> {
        let mut value = json!({"code": "save", "discount": {"percent_bp": 1_000}});
        change(&mut value);
        let body: PromoBody = serde_json::from_value(value).unwrap();
        match body.check() {
            Ok(_) => Vec::new(),
            Err(problem) => problem.errors.iter().map(|error| error.pointer.clone()).collect(),
        }
    }

    #[test]
    fn bounds_are_kept_and_refused_one_past_them() {
        assert!(faults(|_| {}).is_empty());
        for (field, good, bad, pointer) in [
            (
                "discount",
                json!({"percent_bp": 1}),
                json!({"percent_bp": 0}),
                "/discount/percent_bp",
            ),
            (
                "discount",
                json!({"percent_bp": 10_000}),
                json!({"percent_bp": 10_001}),
                "/discount/percent_bp",
            ),
            ("discount", json!({"fixed": 1}), json!({"fixed": 0}), "/discount/fixed"),
            ("min_nights", json!(365), json!(366), "/min_nights"),
            ("min_nights", json!(1), json!(0), "/min_nights"),
            ("code", json!("x".repeat(32)), json!("x".repeat(33)), "/code"),
            ("code", json!("A-b_9"), json!("A b"), "/code"),
            ("currency", json!("USD"), json!("baht"), "/currency"),
            ("hotel_ids", json!(vec!["x"; 256]), json!(vec!["x"; 257]), "/hotel_ids"),
        ] {
            assert!(faults(|body| body[field] = good.clone()).is_empty(), "{field} {good}");
            assert_eq!(faults(|body| body[field] = bad.clone()), [pointer], "{field} {bad}");
        }
    }

    #[test]
    fn dates_are_in_order_and_money_is_in_one_currency() {
        let dates = |field: &'static str, from: &'static str, until: &'static str| {
            faults(move |body| {
                body[format!("{field}_from")] = from.into();
                body[format!("{field}_until")] = until.into();
            })
        };
        for field in ["book", "stay"] {
            assert!(dates(field, "2027-04-13", "2027-04-13").is_empty());
            let pointer = format!("/{field}_until");
            assert_eq!(dates(field, "2027-04-14", "2027-02-29")[0], pointer);
            assert_eq!(dates(field, "2027-04-14", "2027-04-13"), [pointer]);
        }
        let money =
            |amount: i64, currency: &'static str| json!({"amount": amount, "currency": currency});
        assert!(faults(|body| body["money_max"] = money(0, "USD")).is_empty());
        let below = faults(|body| body["money_max"] = money(-1, "THB"));
        assert_eq!(below, ["/money_max/amount"]);
        let mixed = faults(|body| {
            body["currency"] = "THB".into();
            body["money_max"] = money(1, "USD");
        });
        assert_eq!(mixed, ["/money_max/currency"]);
    }
}
