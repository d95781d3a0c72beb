//! The mock provider: its tokens say what becomes of a payment. It moves no money and keeps no record.

use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};

use super::{Authorisation, Charge, PaymentProvider};
use crate::wire::booking::intent_text;

const OK: &str = "tok_ok";
const DECLINED: &str = "tok_declined";
/// An answer never comes.
const TIMEOUT: &str = "tok_timeout";

pub struct Mock;

impl PaymentProvider for Mock {
    fn method(&self) -> &'static str {
        "mock"
    }

    fn knows(&self, token: &str) -> bool {
        matches!(token, OK | DECLINED | TIMEOUT)
    }

    fn authorise<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Authorisation> {
        match charge.token.as_str() {
            OK => {
                let reference = format!("mock_{}", intent_text(charge.intent));
                future::ready(Authorisation::Granted { reference }).boxed()
            }
            TIMEOUT => future::pending().boxed(),
            _ => future::ready(Authorisation::Declined).boxed(),
        }
    }

    fn void(&self, _intent: u128) -> BoxFuture<'_, ()> {
        future::ready(()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use holdfast_engine::money::Currency;

    use super::*;

    fn answer(token: &str) -> Option<Authorisation> {
        let token = token.to_owned();
        let charge = Charge { intent: 7, amount: 1, currency: Currency::THB, token };
        Mock.authorise(&charge).now_or_never()
    }

    #[test]
    fn tokens_say_what_becomes_of_a_payment_and_the_same_intent_is_answered_alike() {
        assert!(matches!(answer(OK), Some(Authorisation::Granted { .. })));
        assert_eq!(answer(OK), answer(OK));
        assert_eq!(answer(DECLINED), Some(Authorisation::Declined));
        assert_eq!(answer(TIMEOUT), None);
        assert!(Mock.knows(OK) && !Mock.knows("tok_visa"));
    }
}
