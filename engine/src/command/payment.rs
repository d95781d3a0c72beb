//! Payments: the intent is recorded before the provider is asked, so that a crash in between is found.
//!
//! While a payment is under way the hold is `confirming` and its expiry stands still, for at most
//! [`PAYMENT_MS_MAX`]. A payment that is never resolved ends with the hold.

use std::sync::Arc;

use super::revive::Revival;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::hold::{Confirming, Hold, Status};
use crate::ids::HoldId;
use crate::limits::PAYMENT_MS_MAX;
use crate::outcome::Outcome;
use crate::refusal::{Code, Refusal};
use crate::state::Writer;

/// A payment of the hold's total is about to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BeginPayment {
    pub hold: HoldId,
    pub principal: Principal,
    /// Made at the door; names the payment at the provider.
    pub intent: u128,
    /// The key of the request, which alone may go on with it.
    pub key: u128,
    /// What the guest agreed to pay, minor units.
    pub expected_total: Option<i64>,
    /// Take the hold anew where it has expired, for no more than `expected_total`, which is then needed.
    pub revive: bool,
}

impl BeginPayment {
    /// Refusals in order: malformed, not found, ended (released, confirmed; expired, unless it is revived:
    /// then those of a revival), confirming by another key, price changed. The same key again answers
    /// with the payment that is under way.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if self.revive && self.expected_total.is_none() {
            return Code::Malformed.into();
        }
        let Some(hold) = writer.hold_for(self.hold, self.principal) else {
            return Code::NotFound.into();
        };
        match (hold.status_at(writer.now_ms), self.expected_total) {
            (Status::Active, _) => {}
            (Status::Expired, Some(expected)) if self.revive => {
                let revival = match Revival::judge(writer, &hold, expected) {
                    Ok(revival) => revival,
                    Err(refusal) => return refusal.into(),
                };
                // From here the command must succeed. Were the payment declined, the hold would be what
                // it was before: expired.
                let hold = revival.take(writer);
                return self.begin(writer, hold, 0);
            }
            (Status::Confirming(payment), _) if payment.key == self.key => {
                return Outcome::HoldChanged(hold.into());
            }
            (ended, _) => return writer.ended_hold(ended),
        }
        if self.expected_total.is_some_and(|expected| expected != hold.terms.total) {
            let total = Some(hold.terms.total);
            return Refusal { total, ..Code::PriceChanged.into() }.into();
        }
        // From here the command must succeed.
        let left_ms = hold.expires_ms - writer.now_ms;
        self.begin(writer, hold, left_ms)
    }

    /// An active hold waits for this payment, with so much life left for after it.
    fn begin(&self, writer: &mut Writer, mut hold: Hold, left_ms: u64) -> Outcome {
        let (intent, key) = (self.intent, self.key);
        hold.status = Status::Confirming(Confirming { intent, key, left_ms });
        hold.expires_ms = writer.now_ms + PAYMENT_MS_MAX;
        writer.put_live_hold(&hold);
        let hold = Arc::new(hold);
        writer.events.push(Event::HoldChanged(Arc::clone(&hold)));
        Outcome::HoldChanged(hold)
    }
}

/// The provider said no: the hold goes on as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DeclinePayment {
    pub hold: HoldId,
    pub principal: Principal,
    pub intent: u128,
}

impl DeclinePayment {
    /// Always refuses: with `payment.declined` where the payment was under way, else with why it was not.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some(mut hold) = writer.hold_for(self.hold, self.principal) else {
            return Code::NotFound.into();
        };
        let left_ms = match hold.status_at(writer.now_ms) {
            Status::Confirming(payment) if payment.intent == self.intent => payment.left_ms,
            Status::Active => return Code::HoldNotConfirming.into(),
            ended => return writer.ended_hold(ended),
        };
        // From here the command must succeed.
        hold.status = Status::Active;
        // However often payments stop the clock, no hold outlives the latest expiry of all.
        let latest = hold.terms.latest_ms();
        hold.expires_ms = (writer.now_ms + left_ms).min(latest.max(writer.now_ms));
        writer.put_live_hold(&hold);
        writer.events.push(Event::HoldChanged(Arc::new(hold)));
        Code::PaymentDeclined.into()
    }
}
