//! Holds on the wire.

use holdfast_engine::civil::LogTimeMs;
use holdfast_engine::hold::{Hold, Status as EngineStatus, Terms};
use holdfast_engine::ids::{BlockId, HotelId, RatePlanId, RoomTypeId};
use holdfast_engine::limits::{
    ADULT_AGE, CHILDREN_MAX, HOLD_EXTENSIONS_MAX, HOLD_LINES_MAX, HOLD_TTL_S_DEFAULT,
    HOLD_TTL_S_MIN, LINE_QUANTITY_MAX, REFERENCE_BYTES_MAX,
};
use holdfast_engine::promo::PromoCode;
use holdfast_engine::stay::Stay;
use holdfast_engine::zone::Zone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::check::Check;
use super::instant;
use super::money::Money;
use super::promo::check_code;
use super::quote::QuoteView;
use super::stay;
use super::text::check_line;
use crate::problem::Problem;

/// Rooms asked for, all nights and lines or nothing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldBody {
    #[schema(example = "htl_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub hotel_id: String,
    #[schema(example = "2027-04-13", format = Date)]
    pub check_in: String,
    #[schema(example = "2027-04-15", format = Date)]
    pub check_out: String,
    /// 1 to 16.
    #[schema(min_items = 1, max_items = 16)]
    pub lines: Vec<LineBody>,
    /// Life of the hold in seconds; 15 minutes where not said, and at most.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 900)]
    pub ttl_s: Option<u32>,
    /// A promotion of the hotel's partner, in either case.
    #[serde(default)]
    #[schema(example = "SONGKRAN", max_length = 32)]
    pub promo_code: Option<String>,
    /// What you have agreed to pay for all lines; anything else is refused with the new quote.
    #[serde(default)]
    pub expected_total: Option<Money>,
    /// Your own name for it, never used by you before.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub client_reference: Option<String>,
    /// The group's block to pick the rooms up from, all of them.
    #[serde(default)]
    pub block_id: Option<String>,
}

/// So many rooms of one type on one plan.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineBody {
    #[schema(example = "rt_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub room_type_id: String,
    #[schema(example = "rp_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub rate_plan_id: String,
    #[serde(default = "one")]
    #[schema(example = 1, minimum = 1, maximum = 1_000)]
    pub quantity: u16,
    /// In each room.
    #[schema(example = 2, minimum = 1)]
    pub adults: u8,
    /// Years, in each room.
    #[serde(default)]
    #[schema(example = json!([5, 8]))]
    pub children_ages: Vec<u8>,
}

fn one() -> u16 {
    1
}

/// A hold's request whose form is right.
#[derive(Debug, Clone)]
pub struct HoldDraft {
    /// `None` for a text that can be no id.
    pub hotel: Option<HotelId>,
    pub stay: Stay,
    pub lines: Vec<LineDraft>,
    pub ttl_s: u32,
    pub expected_total: Option<Money>,
    pub client_reference: Option<String>,
    /// One that can be no id names no block.
    pub block: Option<BlockId>,
    pub promo: Option<PromoCode>,
}

#[derive(Debug, Clone)]
pub struct LineDraft {
    pub room_type: Option<RoomTypeId>,
    pub rate_plan: Option<RatePlanId>,
    pub quantity: u16,
    pub adults: u8,
    pub children: Vec<u8>,
}

impl HoldBody {
    pub fn check(&self) -> Result<HoldDraft, Problem> {
        let mut check = Check::new();
        let draft = HoldDraft {
            hotel: self.hotel_id.parse().ok(),
            stay: stay::check_stay("/", (&self.check_in, &self.check_out), &mut check),
            lines: check_lines(&self.lines, &mut check),
            ttl_s: check_ttl(self.ttl_s, &mut check),
            expected_total: self.expected_total.clone(),
            client_reference: self
                .client_reference
                .as_ref()
                .map(|text| check_reference(text, &mut check)),
            block: self.block_id.as_ref().map(|text| text.parse().unwrap_or(BlockId(0))),
            promo: check_code("/promo_code", self.promo_code.as_deref(), &mut check),
        };
        check.finish()?;
        Ok(draft)
    }
}

/// Lines of a hold, and of a change.
pub fn check_lines(bodies: &[LineBody], check: &mut Check) -> Vec<LineDraft> {
    if !(1..=HOLD_LINES_MAX).contains(&bodies.len()) {
        let detail = format!("must have 1 to {HOLD_LINES_MAX} lines");
        check.fault("/lines", "list.length", detail);
    }
    let mut lines = Vec::with_capacity(bodies.len().min(HOLD_LINES_MAX));
    for (position, line) in bodies.iter().take(HOLD_LINES_MAX).enumerate() {
        let at = |field: &str| format!("/lines/{position}/{field}");
        if line.children_ages.len() > CHILDREN_MAX {
            let detail = format!("at most {CHILDREN_MAX} for each room");
            check.fault(&at("children_ages"), "list.too_long", detail);
        }
        if line.children_ages.iter().any(|age| *age >= ADULT_AGE) {
            check.fault(&at("children_ages"), "field.range", stay::age_detail());
        }
        lines.push(LineDraft {
            room_type: line.room_type_id.parse().ok(),
            rate_plan: line.rate_plan_id.parse().ok(),
            quantity: check.range(&at("quantity"), line.quantity, 1..=LINE_QUANTITY_MAX),
            adults: check.range(&at("adults"), line.adults, 1..=u8::MAX),
            children: line.children_ages.clone(),
        });
    }
    lines
}

fn check_ttl(asked: Option<u32>, check: &mut Check) -> u32 {
    let bounds = HOLD_TTL_S_MIN..=HOLD_TTL_S_DEFAULT;
    check.range("/ttl_s", asked.unwrap_or(HOLD_TTL_S_DEFAULT), bounds)
}

fn check_reference(text: &str, check: &mut Check) -> String {
    let reference = check_line("/client_reference", text, 1..=REFERENCE_BYTES_MAX, check);
    if reference.len() > REFERENCE_BYTES_MAX {
        let detail = format!("must have at most {REFERENCE_BYTES_MAX} bytes");
        check.fault("/client_reference", "text.too_long", detail);
    }
    reference
}

/// More time for a hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendBody {
    /// Seconds from now; 15 minutes where not said, and at most.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 900)]
    pub ttl_s: Option<u32>,
}

impl ExtendBody {
    pub fn check(&self) -> Result<u32, Problem> {
        let mut check = Check::new();
        let ttl_s = check_ttl(self.ttl_s, &mut check);
        check.finish()?;
        Ok(ttl_s)
    }
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    Active,
    /// A payment is under way.
    Confirming,
    /// It is a booking.
    Confirmed,
    Released,
    Expired,
}

/// One line of a hold or booking.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LineView {
    pub room_type_id: String,
    pub rate_plan_id: String,
    pub quantity: u16,
    /// In each room.
    pub adults: u8,
    /// Years, in each room.
    pub children_ages: Vec<u8>,
    /// All rooms of the line, all nights, with taxes.
    pub total: Money,
}

/// A hold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HoldView {
    #[schema(example = "hold_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub id: String,
    pub status: HoldStatus,
    pub hotel_id: String,
    #[schema(format = Date)]
    pub check_in: String,
    #[schema(format = Date)]
    pub check_out: String,
    pub lines: Vec<LineView>,
    /// Frozen: this is what a booking of it costs.
    pub quote: QuoteView,
    /// When it ends by itself; while `confirming`, when the payment's time is up.
    #[schema(format = DateTime)]
    pub expires_at: String,
    pub extensions_left: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_reference: Option<String>,
    /// The promotion it has; what that takes off is in the quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promo_code: Option<String>,
    /// The block its rooms are picked up from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_id: Option<String>,
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// The names outside of what a hold refers to.
#[derive(Debug)]
pub struct Names<'a> {
    pub hotel: HotelId,
    pub zone: &'a Zone,
    /// Room type and rate plan of each line, in their order.
    pub lines: Vec<(String, String)>,
}

impl Names<'_> {
    pub fn lines_of(&self, terms: &Terms) -> Vec<LineView> {
        let named = terms.lines.iter().zip(&self.lines);
        named
            .map(|(line, (room_type_id, rate_plan_id))| LineView {
                room_type_id: room_type_id.clone(),
                rate_plan_id: rate_plan_id.clone(),
                quantity: line.quantity,
                adults: line.adults,
                children_ages: line.children.to_vec(),
                total: Money::new(
                    line.quote.total.saturating_mul(i64::from(line.quantity)),
                    terms.currency,
                ),
            })
            .collect()
    }
}

impl HoldView {
    /// A hold just made.
    pub fn new(terms: &Terms, expires_ms: LogTimeMs, names: &Names<'_>) -> Self {
        Self {
            id: terms.id.to_string(),
            status: HoldStatus::Active,
            hotel_id: names.hotel.to_string(),
            check_in: terms.check_in.to_string(),
            check_out: terms.check_out.to_string(),
            lines: names.lines_of(terms),
            quote: QuoteView::of(terms, names.zone, &names.lines),
            expires_at: instant::local(expires_ms, names.zone),
            extensions_left: HOLD_EXTENSIONS_MAX,
            booking_id: None,
            client_reference: terms.client_reference.clone(),
            promo_code: terms.promo.as_ref().map(|taken| taken.code.to_string()),
            block_id: terms.block.map(|block| block.to_string()),
            created_at: instant::local(terms.created_ms, names.zone),
        }
    }

    /// A hold with a status: of now for a reader, as it was for the reply to a command.
    pub fn of(hold: &Hold, status: EngineStatus, names: &Names<'_>) -> Self {
        let (status, booking) = match status {
            EngineStatus::Active => (HoldStatus::Active, None),
            EngineStatus::Confirming(_) => (HoldStatus::Confirming, None),
            EngineStatus::Confirmed(booking) => (HoldStatus::Confirmed, Some(booking)),
            EngineStatus::Released => (HoldStatus::Released, None),
            EngineStatus::Expired => (HoldStatus::Expired, None),
        };
        Self {
            status,
            extensions_left: HOLD_EXTENSIONS_MAX.saturating_sub(hold.extensions),
            booking_id: booking.map(|booking| booking.to_string()),
            ..Self::new(&hold.terms, hold.expires_ms, names)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl FnOnce(&mut serde_json::Value)) -> Vec<String> {
        let mut value = serde_json::json!({
            "hotel_id": "htl_1", "check_in": "2027-04-13", "check_out": "2027-04-15",
            "lines": [{"room_type_id": "rt_1", "rate_plan_id": "rp_1", "adults": 2}]
        });
        change(&mut value);
        let body: HoldBody = serde_json::from_value(value).unwrap();
        match body.check() {
            Ok(_) => Vec::new(),
            Err(problem) => problem.errors.iter().map(|error| error.pointer.clone()).collect(),
        }
    }

    #[test]
    fn bounds_are_kept_and_refused_one_past_them() {
        assert!(faults(|_| {}).is_empty());
        for (field, last_good, first_bad) in [("ttl_s", 900, 901), ("ttl_s", 1, 0)] {
            assert!(faults(|body| body[field] = last_good.into()).is_empty());
            assert_eq!(faults(|body| body[field] = first_bad.into()), [format!("/{field}")]);
        }
        for (field, last_good, first_bad) in
            [("quantity", 1_000, 1_001), ("quantity", 1, 0), ("adults", 1, 0)]
        {
            assert!(faults(|body| body["lines"][0][field] = last_good.into()).is_empty());
            let found = faults(|body| body["lines"][0][field] = first_bad.into());
            assert_eq!(found, [format!("/lines/0/{field}")]);
        }
        let line = |body: &serde_json::Value| body["lines"][0].clone();
        assert_eq!(faults(|body| body["lines"] = serde_json::json!([])), ["/lines"]);
        let many = |count| {
            move |body: &mut serde_json::Value| {
                body["lines"] = vec![line(body); count].into();
            }
        };
        assert!(faults(many(HOLD_LINES_MAX)).is_empty());
        assert_eq!(faults(many(HOLD_LINES_MAX + 1)), ["/lines"]);
        let reference = |length| {
            move |body: &mut serde_json::Value| {
                body["client_reference"] = "x".repeat(length).into();
            }
        };
        assert!(faults(reference(REFERENCE_BYTES_MAX)).is_empty());
        assert!(!faults(reference(REFERENCE_BYTES_MAX + 1)).is_empty());
    }

    #[test]
    fn adults_are_no_children_and_a_text_that_is_no_code_is_refused() {
        let ages =
            |ages: serde_json::Value| faults(|body| body["lines"][0]["children_ages"] = ages);
        assert!(ages(serde_json::json!([0, 17])).is_empty());
        assert_eq!(ages(serde_json::json!([18])), ["/lines/0/children_ages"]);
        assert_eq!(ages(vec![3; CHILDREN_MAX + 1].into()), ["/lines/0/children_ages"]);
        assert!(faults(|body| body["promo_code"] = "songkran".into()).is_empty());
        assert_eq!(faults(|body| body["promo_code"] = "SONG KRAN".into()), ["/promo_code"]);
    }
}
