//! Payment providers: who is asked whether a guest's money is there, behind one small trait.
//!
//! It owns the bounded wait. It refuses to know holds and bookings: an intent, recorded in the log
//! before anyone is asked, is all that ties the two. **Invariant:** asking a provider again about the
//! same intent charges nobody twice.

pub mod lapsed;
mod mock;

use futures_util::future::BoxFuture;
use holdfast_engine::money::Currency;

pub use mock::Mock;

use crate::limits::PAYMENT_WAIT_MAX;

/// What is to be paid.
#[derive(Debug, Clone)]
pub struct Charge {
    /// Names the payment at the provider; the same on every attempt.
    pub intent: u128,
    /// Minor units.
    pub amount: i64,
    pub currency: Currency,
    /// The provider's own word for the guest's means of payment.
    pub token: String,
}

/// A provider's definite answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorisation {
    /// The money is set aside, under the provider's own reference.
    Granted {
        reference: String,
    },
    Declined,
}

/// One provider.
pub trait PaymentProvider: Send + Sync {
    /// What requests call it.
    fn method(&self) -> &'static str;

    /// Whether a token has the form of one of its own; asked before anything is recorded.
    fn knows(&self, token: &str) -> bool;

    /// Sets the money aside. May take for ever; dropping the future gives nothing back.
    fn authorise<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Authorisation>;

    /// Gives back what was set aside for an intent that came to nothing. Again, or for an intent it never
    /// heard of, it changes nothing.
    fn void(&self, intent: u128) -> BoxFuture<'_, ()>;
}

/// The providers of this deployment.
pub struct Payments {
    providers: Vec<Box<dyn PaymentProvider>>,
}

impl Payments {
    pub fn new(providers: Vec<Box<dyn PaymentProvider>>) -> Self {
        Self { providers }
    }

    /// The provider that takes no money, for trying out.
    pub fn mock() -> Self {
        Self::new(vec![Box::new(Mock)])
    }

    pub fn provider(&self, method: &str) -> Option<&dyn PaymentProvider> {
        self.providers.iter().map(AsRef::as_ref).find(|provider| provider.method() == method)
    }

    /// Gives back what any provider has set aside for an intent, waiting for each as long as a guest's
    /// request would.
    pub async fn void(&self, intent: u128) {
        for provider in &self.providers {
            if tokio::time::timeout(PAYMENT_WAIT_MAX, provider.void(intent)).await.is_err() {
                tracing::warn!(method = provider.method(), "a payment could not be voided in time");
            }
        }
    }
}

impl dyn PaymentProvider + '_ {
    /// Asks, and waits for an answer as long as a guest's request may; `None` where none came.
    pub async fn ask(&self, charge: &Charge) -> Option<Authorisation> {
        tokio::time::timeout(PAYMENT_WAIT_MAX, self.authorise(charge)).await.ok()
    }
}
