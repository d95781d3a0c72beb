//! From a hold to a booking: intent recorded, provider asked, booking confirmed.
//!
//! The intent is in the log before the provider hears of it, so whatever ends this request, a retry
//! with its key goes on with the same payment. **Invariant:** no booking without a granted payment, and
//! no payment that its hold does not name.

use holdfast_engine::booking::Payment;
use holdfast_engine::command::{BeginPayment, Confirm, DeclinePayment};
use holdfast_engine::hold::{Confirming, Hold, Status};
use holdfast_engine::ids::{BookingId, HoldId};
use holdfast_engine::{Code, Command, Idempotency, Outcome, Refusal, Verb};
use http::StatusCode;

use super::hold_request::minor_units;
use super::sealing;
use super::{names, visible_hold};
use crate::auth::Principal;
use crate::http::partner::unexpected;
use crate::http::refusal;
use crate::idempotency::{Begun, key_reused};
use crate::payment::{Authorisation, Charge, PaymentProvider};
use crate::problem::Problem;
use crate::state::{AppState, Applied};
use crate::wire::booking::{BookingDraft, PaymentBody};
use crate::wire::money::Money;
use crate::wire::quote::QuoteView;

/// Seconds after which a payment that is under way is worth asking about again.
const ASK_AGAIN_S: u32 = 2;
/// A half of a digest.
const HALF: u128 = u64::MAX as u128;

/// One request to book.
pub struct Purchase<'a> {
    pub state: &'a AppState,
    pub principal: &'a Principal,
    pub draft: &'a BookingDraft,
    pub payment: &'a PaymentBody,
    pub idempotency: Idempotency,
}

/// What the log said to the begin of a payment.
enum Started {
    /// The hold waits for this intent.
    Waiting { intent: u128, amount: i64 },
    /// The request has ended before, elsewhere.
    Ended(Applied),
}

impl Purchase<'_> {
    /// The whole way; the outcome is the booking.
    pub async fn run(&self) -> Result<Applied, Problem> {
        let provider = self.provider()?;
        let _claim = match self.state.begin(self.idempotency) {
            Ok(Begun::Stored(applied)) => return Ok(applied),
            Ok(Begun::First(claim)) => claim,
            Err(problem) => return Err(self.dressed(problem)),
        };
        let (hold, hotel) = visible_hold(self.state, self.principal, self.draft.hold)?;
        self.look_at(&hold)?;
        let currency = hotel.draft.currency;
        let expected_total = minor_units(self.draft.expected_total.as_ref(), currency)?;
        let hold = hold.terms.id;
        let (intent, amount) = match self.start(hold, expected_total).await? {
            Started::Ended(applied) => return Ok(applied),
            Started::Waiting { intent, amount } => (intent, amount),
        };
        let token = self.payment.token.clone();
        match provider.ask(&Charge { intent, amount, currency, token }).await {
            Some(Authorisation::Granted { reference }) => {
                let payment = Payment {
                    intent,
                    method: self.payment.method.clone(),
                    provider_reference: reference,
                    amount,
                };
                self.confirm(hold, payment, provider).await
            }
            Some(Authorisation::Declined) => self.decline(hold, intent).await,
            None => Err(unknown()),
        }
    }

    /// Asked before anything is recorded: a method or token that nobody knows is a wrong field.
    fn provider(&self) -> Result<&dyn PaymentProvider, Problem> {
        let PaymentBody { method, token } = self.payment;
        let provider = self.state.payments().provider(method).ok_or_else(|| {
            Problem::field("/payment/method", "payment.method_unknown", "must be `mock`")
        })?;
        if provider.knows(token) {
            return Ok(provider);
        }
        let detail = format!("is no token of `{method}`");
        Err(Problem::field("/payment/token", "payment.token_unknown", detail))
    }

    /// Names this request in the hold: half by its key, half by what it says, so that the same key
    /// with another body is told from another key.
    fn name(&self) -> u128 {
        (self.idempotency.key & !HALF) | (self.idempotency.fingerprint & HALF)
    }

    /// What a look at the hold already decides. Kept out of the log, so that it is judged anew.
    fn look_at(&self, hold: &Hold) -> Result<(), Problem> {
        match hold.status_at(self.state.now_ms()) {
            Status::Confirming(Confirming { key, .. }) if key == self.name() => Ok(()),
            Status::Confirming(Confirming { key, .. }) if key & !HALF == self.name() & !HALF => {
                Err(key_reused())
            }
            Status::Confirming(_) => {
                let refused = Refusal::from(Code::HoldConfirming);
                Err(self.dressed(refusal::problem(&refused, self.state.reader())))
            }
            _ => Ok(()),
        }
    }

    async fn submit(&self, verb: Verb) -> Result<Applied, Problem> {
        let command = Command { idempotency: Some(self.idempotency), verb };
        self.state.submit(command, None).await.map_err(|problem| self.dressed(problem))
    }

    async fn start(&self, hold: HoldId, expected_total: Option<i64>) -> Result<Started, Problem> {
        let begin = BeginPayment {
            hold,
            principal: self.principal.acting(),
            intent: self.state.mint(hold.group()),
            key: self.name(),
            expected_total,
            revive: self.draft.revive,
        };
        let applied = self.submit(Verb::BeginPayment(begin)).await?;
        match &applied.outcome {
            Outcome::HoldChanged(hold) => match hold.status {
                Status::Confirming(payment) => Ok(Started::Waiting {
                    intent: payment.intent,
                    amount: hold.terms.deposit_due(),
                }),
                _ => Err(unexpected(&applied.outcome)),
            },
            Outcome::Booked(_) => Ok(Started::Ended(applied)),
            other => Err(unexpected(other)),
        }
    }

    async fn confirm(
        &self,
        hold: HoldId,
        payment: Payment,
        provider: &dyn PaymentProvider,
    ) -> Result<Applied, Problem> {
        let intent = payment.intent;
        let booking = BookingId(self.state.mint(hold.group()));
        let guest = sealing::seal(self.state, booking, &self.draft.personal);
        let confirm = Confirm {
            hold,
            booking,
            principal: self.principal.acting(),
            intent: Some(intent),
            guest: guest.sealed,
            guest_key: guest.key,
            payment,
            // Compared when the payment began; the price of a hold does not change.
            expected_total: None,
            revive: false,
        };
        let confirmed = self.submit(Verb::Confirm(confirm)).await;
        match &confirmed {
            // The hold ended while the provider was asked.
            Err(problem) if problem.status.is_client_error() => provider.void(intent).await,
            // The money is set aside and the hold waits for it, whatever kept the confirmation out of
            // the log: the retry goes on from here.
            Err(problem) if problem.status == StatusCode::SERVICE_UNAVAILABLE => {
                return Err(unknown());
            }
            _ => {}
        }
        confirmed
    }

    async fn decline(&self, hold: HoldId, intent: u128) -> Result<Applied, Problem> {
        let principal = self.principal.acting();
        let declined =
            self.submit(Verb::DeclinePayment(DeclinePayment { hold, principal, intent })).await?;
        Err(unexpected(&declined.outcome))
    }

    /// Problems with what a client needs to go on.
    fn dressed(&self, problem: Problem) -> Problem {
        if problem.code == Code::HoldConfirming.name() {
            return problem.retry_after(ASK_AGAIN_S);
        }
        if problem.code != Code::PriceChanged.name() {
            return problem;
        }
        match visible_hold(self.state, self.principal, self.draft.hold) {
            Ok((hold, hotel)) => {
                let terms = &hold.terms;
                let refused = problem.extra.get("total").and_then(serde_json::Value::as_i64);
                let total = Money::new(refused.unwrap_or(terms.total), terms.currency);
                let problem = problem.with("total", &total);
                if refused.is_some_and(|refused| refused != terms.total) {
                    // What an expired hold would cost today is not what it did.
                    return problem.with("quote", serde_json::json!({ "total": total }));
                }
                let names = names(self.state, &hotel, terms);
                problem.with("quote", QuoteView::of(terms, names.zone, &names.lines))
            }
            Err(_) => problem,
        }
    }
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::GATEWAY_TIMEOUT,
        "payment.unknown",
        "Whether the payment went through is not known yet. Send this again with the same Idempotency-Key to \
         learn the end; left alone, the hold expires.",
    )
    .retry_after(ASK_AGAIN_S)
}
