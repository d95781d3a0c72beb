//! Bookings on the wire, and the personal data in them before it is sealed and after it is opened.

use holdfast_engine::booking::{Booking, Settlement, Status as EngineStatus};
use holdfast_engine::ids::HoldId;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::check::Check;
use super::hold::{LineView, Names};
use super::instant;
use super::money::Money;
use super::quote::{PolicyView, QuoteView};
use super::text::check_line;
use crate::limits::{
    EMAIL_BYTES_MAX, NAME_GRAPHEMES_MAX, PERSONAL_BYTES_MAX, PHONE_CHARS_MAX,
    REQUESTS_GRAPHEMES_MAX, WORD_BYTES_MAX,
};
use crate::problem::Problem;

/// A hold to be paid for and confirmed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingBody {
    #[schema(example = "hold_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub hold_id: String,
    pub guest: GuestBody,
    pub payment: PaymentBody,
    /// What the guest asks of the hotel, in free words.
    #[serde(default)]
    #[schema(max_length = 1_000)]
    pub requests: Option<String>,
    /// What the guest has agreed to pay.
    #[serde(default)]
    pub expected_total: Option<Money>,
    /// Take an expired hold anew, at today's price, where that is no more than `expected_total`, which is
    /// then needed.
    #[serde(default)]
    pub revive: bool,
}

/// Who stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestBody {
    #[schema(example = "สมชาย ใจดี")]
    pub name: String,
    #[schema(example = "somchai@example.com")]
    pub email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "+66 81 234 5678")]
    pub phone: Option<String>,
}

/// How it is paid.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentBody {
    /// `mock` is the only one.
    #[schema(example = "mock")]
    pub method: String,
    /// Of the provider: `tok_ok`, `tok_declined`, `tok_timeout`.
    #[schema(example = "tok_ok")]
    pub token: String,
}

/// What is sealed of a booking: all that names a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    #[serde(flatten)]
    pub guest: GuestBody,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<String>,
}

/// A booking's request whose form is right.
#[derive(Debug)]
pub struct BookingDraft {
    /// `None` for a text that can be no id.
    pub hold: Option<HoldId>,
    pub personal: Personal,
    pub expected_total: Option<Money>,
    pub revive: bool,
}

impl BookingBody {
    pub fn check(&self) -> Result<BookingDraft, Problem> {
        let mut check = Check::new();
        let personal = Personal {
            guest: self.guest.check(&mut check),
            requests: self.requests.as_ref().map(|text| check_requests(text, &mut check)),
        };
        if personal.to_json().len() > PERSONAL_BYTES_MAX {
            let detail =
                format!("guest and requests together have at most {PERSONAL_BYTES_MAX} bytes");
            check.fault("/guest", "text.too_long", detail);
        }
        for (pointer, word) in
            [("/payment/method", &self.payment.method), ("/payment/token", &self.payment.token)]
        {
            if word.is_empty() || word.len() > WORD_BYTES_MAX {
                let detail = format!("must have 1 to {WORD_BYTES_MAX} bytes");
                check.fault(pointer, "field.range", detail);
            }
        }
        if self.revive && self.expected_total.is_none() {
            check.fault("/expected_total", "field.required", "reviving needs it");
        }
        check.finish()?;
        Ok(BookingDraft {
            hold: self.hold_id.parse().ok(),
            personal,
            expected_total: self.expected_total.clone(),
            revive: self.revive,
        })
    }
}

impl GuestBody {
    pub fn check(&self, check: &mut Check) -> Self {
        let email = self.email.trim().to_owned();
        if !is_address(&email) {
            let detail = format!("must be an e-mail address of at most {EMAIL_BYTES_MAX} bytes");
            check.fault("/guest/email", "email.invalid", detail);
        }
        let phone = self.phone.as_ref().map(|phone| phone.trim().to_owned());
        if phone.as_ref().is_some_and(|phone| !is_phone(phone)) {
            let detail = format!(
                "must be a telephone number: digits, spaces and `+-().`, at most {PHONE_CHARS_MAX}"
            );
            check.fault("/guest/phone", "phone.invalid", detail);
        }
        let name = check_line("/guest/name", &self.name, 1..=NAME_GRAPHEMES_MAX, check);
        Self { name, email, phone }
    }
}

/// One `@` between a name and a host. Whether mail arrives is found out by sending some.
fn is_address(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    text.len() <= EMAIL_BYTES_MAX
        && !name.is_empty()
        && !host.is_empty()
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !text.chars().any(|symbol| symbol.is_whitespace() || symbol.is_control())
        && !name.contains('@')
}

fn is_phone(text: &str) -> bool {
    text.len() <= PHONE_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-(). ".contains(&byte))
        && text.bytes().filter(u8::is_ascii_digit).count() >= 3
}

pub fn check_requests(text: &str, check: &mut Check) -> String {
    let text = text.replace("\r\n", "\n");
    let mut one = |line| check_line("/requests", line, 0..=usize::MAX, check);
    let joined = text.split('\n').map(&mut one).collect::<Vec<_>>().join("\n");
    if joined.graphemes(true).count() > REQUESTS_GRAPHEMES_MAX {
        let detail = format!("must have at most {REQUESTS_GRAPHEMES_MAX} characters");
        check.fault("/requests", "text.too_long", detail);
    }
    joined
}

impl Personal {
    /// Within what is sealed of one booking.
    pub fn check_size(&self) -> Result<(), Problem> {
        if self.to_json().len() <= PERSONAL_BYTES_MAX {
            return Ok(());
        }
        let detail = format!("guest and requests together have at most {PERSONAL_BYTES_MAX} bytes");
        Err(Problem::field("/guest", "text.too_long", detail))
    }

    /// As it is sealed.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings serialize without fail; an empty text would open as erased.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BookingStatus {
    Confirmed,
    CheckedIn,
    CheckedOut,
    Cancelled,
    NoShow,
}

impl From<EngineStatus> for BookingStatus {
    fn from(status: EngineStatus) -> Self {
        match status {
            EngineStatus::Confirmed => Self::Confirmed,
            EngineStatus::CheckedIn => Self::CheckedIn,
            EngineStatus::CheckedOut(_) => Self::CheckedOut,
            EngineStatus::Cancelled(_) => Self::Cancelled,
            EngineStatus::NoShow(_) => Self::NoShow,
        }
    }
}

/// A payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentView {
    /// Names the payment at the provider.
    pub intent: String,
    pub method: String,
    /// The provider's own reference.
    pub reference: String,
    pub amount: Money,
}

/// How to cancel.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CancelParams {
    /// Change nothing; say what it would cost now.
    #[serde(default)]
    pub dry_run: bool,
}

/// What giving up a booking costs, and not coming.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettlementView {
    /// When; on a dry run the instant for which this is true.
    #[schema(format = DateTime)]
    pub at: String,
    pub fee: Money,
    /// What was paid beyond the fee.
    pub refund: Money,
    /// What the fee is beyond what was paid.
    pub owed: Money,
    /// Nothing was cancelled: this only says what it would cost.
    pub dry_run: bool,
}

/// What is left to pay of a booking that stands, and to give back, after a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BalanceView {
    /// Now: of what is due at booking, what was not paid yet.
    pub due: Money,
    /// To the guest. Never so much that less than the fee remains that cancelling would have cost when
    /// the booking was changed.
    pub refund: Money,
    /// By the guest, at the hotel.
    pub at_hotel: Money,
}

/// A booking.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BookingView {
    #[schema(example = "bkg_06f2k9d0c5xk7v8zq1m3n4p5r6")]
    pub id: String,
    /// What a guest reads out at the desk.
    #[schema(example = "7K2M9Q4TXB")]
    pub reference: String,
    pub status: BookingStatus,
    pub hotel_id: String,
    pub hold_id: String,
    #[schema(format = Date)]
    pub check_in: String,
    #[schema(format = Date)]
    pub check_out: String,
    pub lines: Vec<LineView>,
    pub quote: QuoteView,
    pub total: Money,
    pub policy: PolicyView,
    /// `null` once the guest's data has been erased.
    pub guest: Option<GuestBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<String>,
    pub payment: PaymentView,
    /// What is left to pay and to give back while it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<BalanceView>,
    /// Nothing was changed: this is what the booking would be.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<SettlementView>,
    /// What is left to settle of a guest who did not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_show: Option<SettlementView>,
    /// When the guest left, once that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub departed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_reference: Option<String>,
    /// The promotion it has; what that takes off is in the quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promo_code: Option<String>,
    /// The block its rooms were picked up from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_id: Option<String>,
    /// The same as the `ETag`.
    pub version: u32,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it became what it is now.
    #[schema(format = DateTime)]
    pub changed_at: String,
}

impl BookingView {
    pub fn of(booking: &Booking, personal: Option<Personal>, names: &Names<'_>) -> Self {
        let terms = &booking.terms;
        let (guest, requests) =
            personal.map_or((None, None), |personal| (Some(personal.guest), personal.requests));
        let settled = |ended| Some(SettlementView::of(ended, booking, names));
        let (cancellation, no_show, departed_at) = match booking.status {
            EngineStatus::Cancelled(ended) => (settled(ended), None, None),
            EngineStatus::NoShow(ended) => (None, settled(ended), None),
            EngineStatus::CheckedOut(departure) => {
                (None, None, Some(instant::local(departure.at_ms, names.zone)))
            }
            EngineStatus::Confirmed | EngineStatus::CheckedIn => (None, None, None),
        };
        Self {
            id: booking.id.to_string(),
            reference: booking.id.reference(),
            status: booking.status.into(),
            hotel_id: names.hotel.to_string(),
            hold_id: terms.id.to_string(),
            check_in: terms.check_in.to_string(),
            check_out: terms.check_out.to_string(),
            lines: names.lines_of(terms),
            quote: QuoteView::of(terms, names.zone, &names.lines),
            total: Money::new(terms.total, terms.currency),
            policy: PolicyView::of(booking, names.zone),
            guest,
            requests,
            payment: PaymentView {
                intent: intent_text(booking.payment.intent),
                method: booking.payment.method.clone(),
                reference: booking.payment.provider_reference.clone(),
                amount: Money::new(booking.payment.amount, terms.currency),
            },
            balance: BalanceView::of(booking),
            dry_run: false,
            cancellation,
            no_show,
            departed_at,
            client_reference: terms.client_reference.clone(),
            promo_code: terms.promo.as_ref().map(|taken| taken.code.to_string()),
            block_id: terms.block.map(|block| block.to_string()),
            version: booking.version,
            created_at: instant::local(booking.created_ms, names.zone),
            changed_at: instant::local(booking.changed_ms, names.zone),
        }
    }
}

impl BalanceView {
    fn of(booking: &Booking) -> Option<Self> {
        if !matches!(booking.status, EngineStatus::Confirmed | EngineStatus::CheckedIn) {
            return None;
        }
        let balance = booking.balance();
        let money = |amount| Money::new(amount, booking.terms.currency);
        Some(Self {
            due: money(balance.due),
            refund: money(balance.refund),
            at_hotel: money(balance.at_hotel),
        })
    }
}

impl SettlementView {
    pub fn of(ended: Settlement, booking: &Booking, names: &Names<'_>) -> Self {
        let currency = booking.terms.currency;
        Self {
            at: instant::local(ended.at_ms, names.zone),
            fee: Money::new(ended.fee, currency),
            refund: Money::new(ended.refund, currency),
            owed: Money::new(ended.owed, currency),
            dry_run: false,
        }
    }
}

/// A payment intent as shown outside and told to providers.
pub fn intent_text(intent: u128) -> String {
    format!("pay_{}", Uuid::from_u128(intent).simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl FnOnce(&mut serde_json::Value)) -> Vec<String> {
        let mut value = serde_json::json!({
            "hold_id": "hold_1", "guest": {"name": "สมชาย", "email": "a@b.c"},
            "payment": {"method": "mock", "token": "tok_ok"}
        });
        change(&mut value);
        let body: BookingBody = serde_json::from_value(value).unwrap();
        match body.check() {
            Ok(_) => Vec::new(),
            Err(problem) => problem.errors.iter().map(|error| error.pointer.clone()).collect(),
        }
    }

    #[test]
    fn addresses_and_numbers_are_looked_at_for_their_form_alone() {
        for email in ["a@b", "สมชาย@ตัวอย่าง.ไทย", "line-1@replay.invalid", "a+b@c.d.e"]
        {
            assert!(is_address(email), "{email}");
        }
        let long = format!("{}@b.c", "a".repeat(EMAIL_BYTES_MAX - 3));
        for email in ["", "a", "@b", "a@", "a b@c", "a@b@c", "a@.b", "a@b.", "a\n@b", &long] {
            assert!(!is_address(email), "{email}");
        }
        assert!(is_phone("+66 (0)81-234.5678") && !is_phone("081x") && !is_phone("12"));
    }

    #[test]
    fn what_names_a_person_is_bounded() {
        assert!(faults(|_| {}).is_empty());
        assert_eq!(faults(|body| body["guest"]["name"] = " ".into()), ["/guest/name"]);
        assert_eq!(faults(|body| body["guest"]["email"] = "x".into()), ["/guest/email"]);
        assert_eq!(faults(|body| body["guest"]["phone"] = "x".into()), ["/guest/phone"]);
        assert_eq!(faults(|body| body["payment"]["token"] = "".into()), ["/payment/token"]);
        let requests = |length: usize| {
            move |body: &mut serde_json::Value| body["requests"] = "ข".repeat(length).into()
        };
        assert!(faults(requests(REQUESTS_GRAPHEMES_MAX)).is_empty());
        assert_eq!(faults(requests(REQUESTS_GRAPHEMES_MAX + 1)), ["/requests"]);
        let lines = vec!["ข"; REQUESTS_GRAPHEMES_MAX * 2].join("\n");
        assert!(!faults(|body| body["requests"] = lines.into()).is_empty());
    }

    #[test]
    fn personal_data_reads_back_as_it_was_sealed() {
        let personal = Personal {
            guest: GuestBody { name: "ก".into(), email: "a@b".into(), phone: None },
            requests: Some("late\narrival".into()),
        };
        assert_eq!(serde_json::from_slice::<Personal>(&personal.to_json()).unwrap(), personal);
    }
}
